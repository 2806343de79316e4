"""UMAP: a view that keeps neighbours together, at the price of axes that mean anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.progress import Progress, silent
from embedlab.space import vectors as _vectors
from embedlab.space.neighbours import NeighbourIndex
from embedlab.space.principal import pca
from embedlab.space.views import View

FEWEST = 4
UMAP_METRICS = ("cosine", "euclidean")


def umap(
    vectors: ArrayLike,
    *,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    metric: str = "cosine",
    seed: int = 0,
    n_components: int = 2,
    n_epochs: int | None = None,
    progress: Progress = silent,
) -> View:
    """Draw the pictures so that neighbours stay neighbours.

    umap-learn's graph and layout, given exact neighbours and started from PCA; so the same
    seed gives the same view in every process. L. McInnes, J. Healy, J. Melville, "UMAP:
    Uniform Manifold Approximation and Projection for Dimension Reduction" (2018),
    arXiv:1802.03426.

    The first use on a machine compiles for up to a minute; the compiled code is kept in
    embedlab's home.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
    n_neighbors : int
        Size of the neighbourhoods, the picture itself included; at least 2, clamped to n - 1.
        Small keeps detail, large keeps the whole.
    min_dist : float
        How close points may lie in the drawing, 0 to 1.
    metric : "cosine" or "euclidean"
        What makes neighbours.
    seed : int
        Any, 0 as well.
    n_components : int
        2 or 3.
    n_epochs : int, optional
        How long the layout is improved. By default 500 up to 1,000 pictures, 200 beyond.
    progress : Progress

    Returns
    -------
    View
        Rows that are not finite (or zero, under the cosine) are unplaced. Of fewer than four
        others the view is PCA's, and the note says so.

    Raises
    ------
    EmbedlabError
        If a setting is out of its range.
    """
    _check(n_neighbors, min_dist, metric, n_components, n_epochs)
    matrix = _vectors.as_matrix(vectors)
    index = NeighbourIndex.of(matrix, metric)
    rows = np.flatnonzero(index.comparison.ranked)
    n = len(rows)
    coordinates = np.full((len(matrix), n_components), np.nan, np.float32)
    note = ""
    if n < FEWEST:
        note = f"UMAP needs {FEWEST} pictures, and there are {n}: this is PCA."
        if n:
            coordinates[rows] = pca(matrix[rows], n_components).coordinates
    else:
        progress("finding neighbours", 0, 3)
        graph_of, embed, curve = _compiled()
        size = min(n_neighbors, n - 1)
        near, distances = _neighbourhoods(index, rows, size)
        progress("weighing neighbours", 1, 3)
        random = np.random.RandomState(seed % 2**32)
        shape_only = np.empty((n, 0), np.float32)
        graph, *_ = graph_of(
            shape_only, size, random, metric, knn_indices=near, knn_dists=distances
        )
        progress("laying out", 2, 3)
        a, b = curve(1.0, min_dist)
        start = _start(matrix[rows], n_components, seed)
        epochs = n_epochs or (500 if n <= 1000 else 200)
        layout, _ = embed(
            shape_only,
            graph,
            n_components,
            initial_alpha=1.0,
            a=a,
            b=b,
            gamma=1.0,
            negative_sample_rate=5,
            n_epochs=epochs,
            init=start,
            random_state=random,
            metric=metric,
            metric_kwds={},
            densmap=False,
            densmap_kwds={},
            output_dens=False,
            parallel=False,
        )
        coordinates[rows] = layout - layout.mean(axis=0)
        progress("laying out", 3, 3)
    if not np.isfinite(coordinates[rows]).all():
        raise EmbedlabError(
            "UMAP's layout ran away to infinity on these vectors.",
            remedy="Try another min_dist or n_neighbors, or look at PCA.",
        )
    return View(name="umap", coordinates=coordinates, unplaced=index.unranked, note=note)


def _check(
    n_neighbors: int, min_dist: float, metric: str, n_components: int, n_epochs: int | None
) -> None:
    allowed = {
        "n_neighbors": (n_neighbors, n_neighbors >= 2, "2 or more"),
        "min_dist": (min_dist, 0 <= min_dist <= 1, "from 0 to 1"),
        "metric": (metric, metric in UMAP_METRICS, " or ".join(UMAP_METRICS)),
        "n_components": (n_components, n_components in (2, 3), "2 or 3"),
        "n_epochs": (n_epochs, n_epochs is None or n_epochs >= 1, "1 or more"),
    }
    for name, (value, good, range_) in allowed.items():
        if not good:
            raise EmbedlabError(f"UMAP's {name} is {value!r}.", remedy=f"It must be {range_}.")


def _neighbourhoods(
    index: NeighbourIndex, rows: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Give each row's neighbourhood as umap-learn counts it: itself first, as 0..len(rows) - 1."""
    found = index.all_nearest(size - 1)
    position = np.full(len(index), -1, np.int64)
    position[rows] = np.arange(len(rows))
    near = np.hstack([np.arange(len(rows))[:, None], position[found.rows[rows]]])
    away = found.scores[rows]
    if index.comparison.metric.kind == "cosine":
        away = np.maximum(1 - away, 0)
    return near, np.hstack([np.zeros((len(rows), 1), np.float32), away])


def _start(vectors: NDArray[np.float32], n_components: int, seed: int) -> NDArray[np.float32]:
    """Start from PCA, ten units wide, with a little noise that parts equal pictures."""
    start = pca(vectors, n_components).coordinates.astype(np.float64)
    start *= 10 / max(np.abs(start).max(), 1e-30)
    noise = np.random.default_rng(seed % 2**32).normal(scale=1e-4, size=start.shape)
    return np.asarray(start + noise, np.float32)


def _compiled() -> tuple[Any, Any, Any]:
    """Import umap-learn so that the code that numba compiles for it is kept on disk."""
    with _numba_keeps_code():
        from umap.umap_ import find_ab_params, fuzzy_simplicial_set, simplicial_set_embedding
    return fuzzy_simplicial_set, simplicial_set_embedding, find_ab_params


@contextmanager
def _numba_keeps_code() -> Iterator[None]:
    # numba asks where to keep code when a function is decorated, which is during the import.
    import numba

    config: Any = numba.config
    folder, njit = config.CACHE_DIR, numba.njit

    def keeping(*args: Any, **options: Any) -> Any:
        return njit(*args, **{"cache": True, **options})

    if not os.environ.get("NUMBA_CACHE_DIR"):
        config.CACHE_DIR = str(home("cache", "numba"))
    numba.njit = keeping
    try:
        yield
    finally:
        config.CACHE_DIR, numba.njit = folder, njit
