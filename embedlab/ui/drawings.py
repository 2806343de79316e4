"""Projections of a run as panels of a map, computed once and shared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab import views
from embedlab.runs import EMBEDDING, Run
from embedlab.space.projections import (
    LdaControl,
    LinearView,
    ScoredLda,
    neighbours_kept,
    pca,
    trustworthiness,
)
from embedlab.ui import cache
from embedlab.ui.linked_map import Panel, Points, Scale
from embedlab.ui.maps import colourings, run_points
from embedlab.views import UmapSettings

PCA_PAIRS = {"pca12": (0, 1), "pca34": (2, 3), "pca56": (4, 5)}
PANELS = {
    "pca12": "PCA 1-2",
    "pca34": "PCA 3-4",
    "pca56": "PCA 5-6",
    "lda": "LDA",
    "umap": "UMAP",
    "pca3d": "PCA in 3-D",
}
FITTED_ON = {
    "train": "the training pictures",
    "validation": "the validation pictures",
    "all": "all pictures",
}
KEPT = "kept."  # begins the colourings by how well a view keeps true neighbours


@st.cache_resource(max_entries=16, show_spinner="Finding the principal components …")
def _pca(fingerprint: str, name: str, _run: Run) -> LinearView:
    return pca(_run.vectors(name), 6)


def principal(run: Run, name: str) -> LinearView:
    """PCA of all pictures' raw vectors, six axes."""
    return _pca(run.fingerprint, name, run)


@st.cache_resource(max_entries=16, show_spinner="Finding what parts the classes …")
def _lda(fingerprint: str, name: str, part: str, shuffled: bool, _run: Run) -> ScoredLda:
    return views.discriminant(_run, vectors=name, part=part, shuffled=shuffled)


def discriminant(run: Run, name: str, *, part: str = "train", shuffled: bool = False) -> LinearView:
    """LDA fitted on one part's raw vectors; all pictures are placed.

    Raises
    ------
    EmbedlabError
        If that part has too few pictures or classes.
    """
    return _lda(run.fingerprint, name, part, shuffled, run).view


def control(run: Run, name: str) -> LdaControl:
    """Count how often LDA is right on seen and unseen pictures, with true and shuffled labels."""
    true, shuffled = (_lda(run.fingerprint, name, "train", labels, run) for labels in (False, True))
    return LdaControl.of(true, shuffled)


@dataclass(frozen=True)
class Honesty:
    """How far one panel can be trusted.

    Parameters
    ----------
    k : int
        How many true neighbours of each picture were asked for.
    kept : ndarray of shape (m,), float64
        For each shown picture, the share of its true neighbours that are near it in the panel.
    chance : float
        The share that a panel keeps in which the pictures lie anywhere.
    trustworthiness : float
        1 where the panel shows no false neighbours.
    """

    k: int
    kept: NDArray[np.float64]
    chance: float
    trustworthiness: float


@st.cache_resource(max_entries=64, show_spinner="Asking how far each view can be trusted …")
def _honesty(
    fingerprint: str, name: str, panel: str, token: str, part: str, k: int, _run: Run, _xy: object
) -> Honesty:
    rows = cache.part_rows(_run, part)
    drawn = np.asarray(_xy)[rows]
    near = cache.neighbours(_run, name, "euclidean", k, part)
    k = min(k, near.rows.shape[1])
    return Honesty(
        k,
        neighbours_kept(near.rows, drawn, k),
        k / max(len(rows) - 1, 1),
        trustworthiness(np.asarray(_run.vectors(name)[rows]), drawn, k=k),
    )


def honesty(run: Run, name: str, panel: Panel, part: str, k: int = 15) -> Honesty:
    """Measure how many true neighbours a panel keeps together, and how many it makes up."""
    token = _token(panel)
    return _honesty(run.fingerprint, name, panel.name, token, part, k, run, panel.coordinates)


def _token(panel: Panel) -> str:
    return f"{float(np.nansum(panel.coordinates)):.9g}"


def kept_colourings(keys: Iterable[str]) -> dict[str, str]:
    """Give the colourings by how well each view keeps true neighbours: key to title."""
    return {f"{KEPT}{key}": f"Neighbours kept in {PANELS[key]}" for key in keys}


@st.cache_resource(max_entries=8, show_spinner=False)
def _kept_points(
    fingerprint: str, name: str, panel: str, token: str, part: str, _run: Run, _panel: Panel
) -> Points:
    found = honesty(_run, name, _panel, part)
    shares = np.full(_run.n_items, np.nan)
    shares[cache.part_rows(_run, part)] = found.kept
    words = ["" if np.isnan(share) else f"{share * found.k:.0f} of {found.k}" for share in shares]
    title = f"True neighbours kept in {_panel.title}, of {found.k} (chance {found.chance:.0%})"
    plain = run_points(_run, next(iter(colourings(_run))), part=part)
    return replace(
        plain,
        colour=Scale(title, shares, 0.0, 1.0),
        captions={**plain.captions, "Neighbours kept": words},
    )


def kept_points(run: Run, name: str, panel: Panel, part: str) -> Points:
    """Colour a run's pictures by the share of their true neighbours that a panel keeps.

    Parameters
    ----------
    run : Run
    name : str
        The vectors whose neighbours are the true ones.
    panel : Panel
    part : str
        Among which pictures: "validation", "train" or "all".
    """
    return _kept_points(run.fingerprint, name, panel.name, _token(panel), part, run, panel)


def named(key: str, vectors: str, *settings: object) -> str:
    """Name a panel: the same view is called the same on every page, and no two alike.

    Examples
    --------
    >>> named("pca12", "embedding"), named("lda", "pixels", "all")
    ('pca12', 'lda:pixels:all')
    """
    more = [*([] if vectors == EMBEDDING else [vectors]), *map(str, settings)]
    return ":".join([key, *more])


def share_axes(explained: NDArray[np.float64], axes: tuple[int, ...], word: str) -> tuple[str, ...]:
    """Title axes with the share of the variance that each explains."""
    return tuple(f"{word} {axis + 1} ({explained[axis]:.0%})" for axis in axes)


def pca_panel(run: Run, name: str, key: str) -> Panel:
    """Draw one pair (or the first three) of the principal components."""
    view = views.overview(run, vectors=name)
    axes = (0, 1, 2) if key == "pca3d" else PCA_PAIRS[key]
    return Panel(
        named(key, name),
        PANELS[key],
        view.coordinates[:, list(axes)],
        share_axes(view.explained, axes, "PC"),
        note=f"{view.explained[list(axes)].sum():.0%} of the variance",
    )


def room_for_arrows(coordinates: NDArray[np.floating], tips: NDArray[np.floating]) -> float:
    """Say by what one factor all arrows of a panel can be longer and end among its points.

    Parameters
    ----------
    coordinates : ndarray of shape (n, k)
        Rows with NaN are passed over.
    tips : ndarray of shape (c, k)
        Where the arrows end that begin at 0.

    Returns
    -------
    float
        With it, the arrow that reaches farthest ends on the box around the points and the others
        within. 1 where there is no point, no arrow, or no room.

    Examples
    --------
    >>> room_for_arrows(np.array([[-4.0, -1], [4, 1]]), np.array([[2.0, 0], [0, -0.1]]))
    2.0
    """
    points = coordinates[np.isfinite(coordinates).all(axis=1)]
    ends = tips[np.isfinite(tips).all(axis=1)].astype(np.float64)
    if not len(points) or not len(ends):
        return 1.0
    # Where an arrow goes up an axis it may go as far as the points do there, and so downwards.
    room = np.where(ends > 0, points.max(axis=0), -points.min(axis=0)).astype(np.float64)
    times = np.divide(room, np.abs(ends), out=np.full_like(ends, np.inf), where=ends != 0)
    least = float(times.min())
    return least if 0 < least < np.inf else 1.0


def lda_panel(run: Run, name: str, *, part: str, shuffled: bool) -> Panel:
    """Draw the two directions that part the classes best."""
    view = discriminant(run, name, part=part, shuffled=shuffled)
    settings = [*([] if part == "train" else [part]), *(["shuffled"] if shuffled else [])]
    labels = " with shuffled labels" if shuffled else ""
    note = f"fitted on {FITTED_ON[part]}{labels}"
    return Panel(
        named("lda", name, *settings),
        "LDA, shuffled labels" if shuffled else "LDA",
        view.coordinates[:, :2],
        ("LD 1", "LD 2"),
        note=f"{note}; {view.note.removesuffix('.')}" if view.note else note,
    )


def umap_panel(run: Run, name: str, settings: UmapSettings) -> Panel | None:
    """Draw a UMAP layout that the run keeps; None where it was not computed yet."""
    kept = views.kept_umap(run, settings, vectors=name)
    if kept is None:
        return None
    axes = tuple(f"UMAP {k + 1}" for k in range(kept.shape[1]))
    others = [] if settings == UmapSettings() else [settings.key(run, name)]
    return Panel(
        named("umap", name, *others), "UMAP", kept, axes, note="axes have no meaning", ticks=False
    )
