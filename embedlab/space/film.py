"""Where a film's pictures lie at each of its moments, and where the head's rows point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.space.fidelity import align
from embedlab.space.principal import pca


@dataclass(frozen=True, eq=False)
class FilmView:
    """A film drawn in a plane.

    Parameters
    ----------
    coordinates : ndarray of shape (T, n, 2), float32
        Where the pictures lie at each moment.
    tips : ndarray of shape (T, c, 2), float32
        Where the head's rows, as directions from the origin, end; in the same units.
    shown : ndarray of shape (T,), float64
        Share of each moment's variance that lies in the plane.
    """

    coordinates: NDArray[np.float32]
    tips: NDArray[np.float32]
    shown: NDArray[np.float64]


def fixed_view(embeddings: ArrayLike, weights: ArrayLike) -> FilmView:
    """Draw all moments in one plane: the first two principal components of all of them together.

    What moves has moved, and distances can be compared over time. The origin is the mean of all
    pictures at all moments.

    Parameters
    ----------
    embeddings : array_like of shape (T, n, d)
    weights : array_like of shape (T, c, d)
        The head's rows.
    """
    vectors, rows = np.asarray(embeddings, np.float32), np.asarray(weights, np.float32)
    t, n, d = vectors.shape
    view = pca(vectors.reshape(t * n, d), 2)
    coordinates = view.coordinates.reshape(t, n, 2)
    return FilmView(
        coordinates, (rows @ view.axes).astype(np.float32), _share(vectors, coordinates)
    )


def following_view(
    embeddings: ArrayLike, weights: ArrayLike, *, before: ArrayLike | None = None
) -> FilmView:
    """Draw each moment in its own best plane, turned so that it continues the moment before.

    Each moment's first two principal components, laid over those of the moment before by a
    rotation (see `embedlab.space.fidelity.align`), which does not change the drawing itself. The
    origin is the mean of the pictures at that moment.

    Parameters
    ----------
    embeddings : array_like of shape (T, n, d)
    weights : array_like of shape (T, c, d)
    before : array_like of shape (n, 2), optional
        A drawing of the same pictures that the first moment continues.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    vectors, rows = np.asarray(embeddings, np.float32), np.asarray(weights, np.float32)
    coordinates = np.empty((*vectors.shape[:2], 2), np.float32)
    tips = np.empty((*rows.shape[:2], 2), np.float32)
    last = None if before is None else np.asarray(before, np.float32)
    # Matrices this small lose far more to waiting for a second thread than they win by it.
    with threadpool_limits(1, user_api="blas"):
        for moment, (points, directions) in enumerate(zip(vectors, rows, strict=True)):
            view = pca(points, 2)
            coordinates[moment], tips[moment] = view.coordinates, directions @ view.axes
            if last is not None:
                turn = align(last, view.coordinates, scale=False).rotation
                coordinates[moment] = coordinates[moment] @ turn
                tips[moment] = tips[moment] @ turn
            last = coordinates[moment]
    return FilmView(coordinates, tips, _share(vectors, coordinates))


def _share(vectors: NDArray[np.float32], coordinates: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compare the spread in the plane with that in all dimensions, moment by moment."""
    whole = vectors.var(axis=1, dtype=np.float64).sum(axis=1)
    drawn = coordinates.var(axis=1, dtype=np.float64).sum(axis=1)
    return np.asarray(drawn / np.where(whole > 0, whole, 1))
