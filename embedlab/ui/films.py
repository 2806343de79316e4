"""The film of a run, read and laid out once for all sessions."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from embedlab.models.film import Film, read_film
from embedlab.runs import Run
from embedlab.space.film import FilmView, fixed_view, following_view

VIEWS = {"following": "Each moment's best plane", "fixed": "One plane for all moments"}
LONGEST = 100
_ROUND = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 70, LONGEST)


@st.cache_resource(max_entries=4, show_spinner="Opening the film …")
def _film(fingerprint: str, changed: int, _run: Run) -> Film | None:
    return read_film(_run.folder / "film.npz", n_items=_run.n_items, n_classes=len(_run.classes))


def film_of(run: Run) -> Film | None:
    """Give a run's film, or None where it has none.

    Raises
    ------
    EmbedlabError
        If the film is damaged, or another run's.
    """
    path = run.folder / "film.npz"
    return _film(run.fingerprint, path.stat().st_mtime_ns, run) if path.exists() else None


@st.cache_resource(max_entries=8, show_spinner="Laying out the film …")
def _view(fingerprint: str, kind: str, n_moments: int, _film: Film) -> FilmView:
    lay_out = fixed_view if kind == "fixed" else following_view
    return lay_out(_film.embeddings, _film.weights)


def film_view(run: Run, film: Film, kind: str) -> FilmView:
    """Lay a run's film out by a key of `VIEWS`."""
    return _view(run.fingerprint, kind, len(film), film)


def moment_names(epochs: np.ndarray) -> list[str]:
    """Name the moments of a film: start, epoch 0.25, epoch 3; all names differ."""
    names: list[str] = []
    for epoch in np.asarray(epochs, float):
        name = "start" if epoch == 0 else f"epoch {epoch:.3g}"
        while name in names:
            name += "'"
        names.append(name)
    return names


def fitting_length(view: FilmView) -> int:
    """Choose how many times their length arrows are drawn, so that they reach to the pictures."""
    reach = float(np.quantile(np.linalg.norm(view.coordinates[-1], axis=1), 0.9))
    longest = float(np.linalg.norm(view.tips[-1], axis=1).max(initial=0.0))
    wanted = reach / longest if longest > 0 and math.isfinite(reach) else 1.0
    return min(_ROUND, key=lambda value: abs(math.log(value / max(wanted, 1e-9))))
