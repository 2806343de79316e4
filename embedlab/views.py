"""What is computed of a run once, kept in it, and found again by its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError
from embedlab.progress import Progress, silent
from embedlab.runs import EMBEDDING, Run

if TYPE_CHECKING:
    from embedlab.space.projections import ScoredLda


@dataclass(frozen=True)
class UmapSettings:
    """How UMAP is asked to lay pictures out.

    Parameters
    ----------
    n_neighbors : int
        How many neighbours count as near: few show detail, many the whole.
    min_dist : float
        How close points may lie in the picture, 0 to 1.
    metric : str
        "cosine" or "euclidean".
    seed : int
        The same seed gives the same layout; 0 is a seed like any other.
    n_components : int
        2 or 3.
    """

    n_neighbors: int = 15
    min_dist: float = 0.1
    metric: str = "cosine"
    seed: int = 0
    n_components: int = 2

    def key(self, run: Run, vectors: str = EMBEDDING) -> str:
        """Name the view by its content: what the run shows, the vectors, the settings."""
        text = json.dumps([run.views_of, vectors, asdict(self)], sort_keys=True)
        return f"umap-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def kept_umap(
    run: Run, settings: UmapSettings | None = None, *, vectors: str = EMBEDDING
) -> NDArray[np.float32] | None:
    """Read a UMAP layout that was computed before.

    Returns
    -------
    ndarray of shape (n_items, n_components), float32, or None
    """
    kept = run.load_projection((settings or UmapSettings()).key(run, vectors))
    return None if kept is None else kept["coordinates"]


def make_umap(
    run: Run,
    settings: UmapSettings | None = None,
    *,
    vectors: str = EMBEDDING,
    progress: Progress = silent,
) -> NDArray[np.float32]:
    """Compute a UMAP layout of all pictures and keep it in the run.

    Slow on first use (10 to 30 s, compiling); meant for a job's process.

    Returns
    -------
    ndarray of shape (n_items, n_components), float32
    """
    settings = settings or UmapSettings()
    kept = kept_umap(run, settings, vectors=vectors)
    if kept is not None:
        return kept
    from embedlab.space.projections import umap

    coordinates = umap(run.vectors(vectors), **asdict(settings), progress=progress).coordinates
    run.save_projection(
        settings.key(run, vectors),
        coordinates=coordinates,
        settings=np.array(json.dumps({"vectors": vectors, **asdict(settings)})),
    )
    return coordinates


AXES = 6  # of PCA that are kept: three maps of two


@dataclass(frozen=True, eq=False)
class Overview:
    """The first six principal components of all pictures: what the pages draw.

    Parameters
    ----------
    coordinates : ndarray of shape (n_items, 6), float32
    explained : ndarray of shape (6,), float64
        Share of the variance on each axis.
    """

    coordinates: NDArray[np.float32]
    explained: NDArray[np.float64]


def overview(run: Run, *, vectors: str = EMBEDDING) -> Overview:
    """Draw all pictures by PCA; computed once and kept, so that a first view needs no fitting.

    Parameters
    ----------
    run : Run
    vectors : str
        A name from the run's `vector_sets`.

    Returns
    -------
    Overview

    Raises
    ------
    EmbedlabError
        If no picture has a finite vector.
    """
    text = json.dumps([run.views_of, vectors, "overview", 2])
    key = f"overview-{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    kept = run.load_projection(key)
    if kept is None:
        from embedlab.space.projections import pca

        view = pca(run.vectors(vectors), AXES)
        explained = np.zeros(AXES) if view.explained is None else view.explained
        kept = {"coordinates": view.coordinates, "explained": explained}
        run.save_projection(key, **kept)
    return Overview(kept["coordinates"], kept["explained"])


def discriminant(
    run: Run, *, vectors: str = EMBEDDING, part: str = "train", shuffled: bool = False
) -> ScoredLda:
    """Draw all pictures by LDA; computed once and kept, for it can take half a minute.

    Parameters
    ----------
    run : Run
        One with classes.
    vectors : str
        A name from the run's `vector_sets`.
    part : str
        What LDA is fitted on: "train", "validation" or "all". The other pictures are the unseen
        ones that it is scored on.
    shuffled : bool
        Shuffle the labels first. With both, ``LdaControl.of(true, shuffled)`` is the control
        that shows how far LDA over-fits.

    Returns
    -------
    ScoredLda

    Raises
    ------
    EmbedlabError
        If the run has no classes, or that part too few pictures of them.
    """
    from embedlab.space.projections import LinearView, ScoredLda, scored_lda
    from embedlab.space.scores import Share

    if run.labels is None:
        raise EmbedlabError(
            f"The run {run.id} has no classes that LDA could part.",
            remedy="Look at PCA, or choose a run of labelled pictures.",
        )
    text = json.dumps([run.views_of, vectors, "lda", part, shuffled, 1])
    key = f"lda-{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    kept = run.load_projection(key)
    if kept is not None:
        fitted, held_out = (Share(*pair) for pair in kept.pop("right").tolist())
        note = str(kept.pop("note"))
        return ScoredLda(LinearView(name="lda", note=note, **kept), fitted, held_out)
    rows = np.full(run.n_items, True) if part == "all" else run.split == part
    found = scored_lda(
        run.vectors(vectors),
        run.labels,
        rows=rows,
        held_out=~rows,
        shuffle_seed=0 if shuffled else None,
    )
    arrays = ("coordinates", "unplaced", "axes", "origin", "explained", "fitted_rows")
    run.save_projection(
        key,
        note=np.array(found.view.note),
        right=np.array([[s.correct, s.total] for s in (found.fitted, found.held_out)]),
        **{name: getattr(found.view, name) for name in arrays},
    )
    return found


def prepare(run: Run, *, progress: Progress = silent) -> None:
    """Compute and keep what is looked at first and takes a while: PCA, LDA and its control.

    Parameters
    ----------
    run : Run
        What cannot be drawn of it is passed over; pages say why.
    progress : Progress
    """
    sets = [name for name in (EMBEDDING, "pixels") if name in run.vector_sets]
    drawings: list[Callable[[], object]] = [partial(overview, run, vectors=name) for name in sets]
    if run.labels is not None:
        drawings += [partial(discriminant, run, shuffled=shuffled) for shuffled in (False, True)]
    for done, draw in enumerate(drawings):
        progress("drawing the first maps", done, len(drawings))
        with suppress(EmbedlabError):
            draw()
    progress("drawing the first maps", len(drawings), len(drawings))
