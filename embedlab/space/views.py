"""View: where the pictures lie in two or more drawn dimensions. LinearView: one with axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors


@dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """Coordinates of pictures, one row a picture.

    Parameters
    ----------
    name : str
        A key of `embedlab.space.projections.PROJECTIONS`: how it was made.
    coordinates : ndarray of shape (n, k), float32
        NaN for pictures in `unplaced`.
    unplaced : ndarray, int64
        Rows whose vectors are not finite.
    note : str
        What people should know about this very view, such as a flat axis; often empty.
    """

    name: str
    coordinates: NDArray[np.float32]
    unplaced: NDArray[np.int64]
    note: str = ""

    def __post_init__(self) -> None:
        self.coordinates.flags.writeable = False


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearView(View):
    """A view whose coordinates are ``(x - origin) @ axes``: it has directions, so arrows.

    Parameters
    ----------
    axes : ndarray of shape (d, k), float64
        One column an axis. Orthonormal for PCA, not for LDA. The entry with the largest
        magnitude in each is positive, so signs do not depend on the solver. A column of zeros
        is an axis that the data have not.
    origin : ndarray of shape (d,), float64
        What is drawn at 0: the mean of the fitted rows.
    explained : ndarray of shape (k,), float64, or None
        Share of the variance (PCA) or of the variance between classes (LDA) on each axis.
    fitted_rows : ndarray, int64
        The rows that the axes were fitted on.
    """

    axes: NDArray[np.float64]
    origin: NDArray[np.float64]
    explained: NDArray[np.float64] | None
    fitted_rows: NDArray[np.int64]

    def __post_init__(self) -> None:
        super().__post_init__()
        (d, k), n = self.axes.shape, len(self.coordinates)
        if self.origin.shape != (d,) or self.coordinates.shape != (n, k):
            raise ValueError(
                f"axes of shape ({d}, {k}) take an origin of shape ({d},) and coordinates of "
                f"shape (n, {k}); given {self.origin.shape} and {self.coordinates.shape}"
            )
        for array in (self.axes, self.origin, self.explained, self.fitted_rows):
            if array is not None:
                array.flags.writeable = False

    def place(self, points: ArrayLike) -> NDArray[np.float32]:
        """Say where other points lie: class means, a new picture.

        Parameters
        ----------
        points : array_like of shape (m, d)
            Points, not directions: they are centred like the data.

        Returns
        -------
        ndarray of shape (m, k), float32
        """
        matrix = _vectors.as_matrix(points)
        if matrix.shape[1] != len(self.origin):
            raise EmbedlabError(
                f"The points have {matrix.shape[1]} dimensions; this view was fitted on "
                f"{len(self.origin)}.",
                remedy="Embed them with the body that made the vectors.",
            )
        return placed(matrix, self.axes, self.origin)

    def pick(self, columns: Sequence[int]) -> LinearView:
        """Give the view of some axes only: ``view.pick([2, 3])`` draws dimensions 3 and 4."""
        chosen = list(columns)
        return replace(
            self,
            coordinates=self.coordinates[:, chosen],
            axes=self.axes[:, chosen],
            explained=None if self.explained is None else self.explained[chosen],
        )


def placed(
    vectors: NDArray[np.float32], axes: NDArray[np.float64], origin: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Project rows: ``(vectors - origin) @ axes``, shape (n, k); NaN for unusable rows."""
    coordinates = np.empty((len(vectors), axes.shape[1]), np.float32)
    for rows in _vectors.blocks(len(vectors), 8 * vectors.shape[1]):
        with np.errstate(invalid="ignore", over="ignore"):
            coordinates[rows] = (vectors[rows].astype(np.float64) - origin) @ axes
    coordinates[~np.isfinite(coordinates).all(axis=1)] = np.nan
    return coordinates


def rows_to_fit(vectors: NDArray[np.float32], rows: ArrayLike | None) -> NDArray[np.int64]:
    """Give the usable ones among `rows` (int, or bool of shape (n,)); of all by default."""
    good = _vectors.usable(vectors)
    if rows is None:
        return np.flatnonzero(good)
    chosen = np.asarray(rows)
    if chosen.dtype == bool:
        chosen = np.flatnonzero(chosen)
    chosen = chosen.astype(np.int64)
    return np.asarray(chosen[good[chosen]])


def unplaced(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """Give the rows that no view can place."""
    return np.flatnonzero(~_vectors.usable(vectors))


def with_fixed_signs(axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn each column so that its entry of largest magnitude, the first of equals, is positive."""
    if not axes.size:
        return axes
    # Rounding decides between entries that are equal but for it; so it is taken off first.
    magnitude = np.round(np.abs(axes) / np.maximum(np.abs(axes).max(axis=0), 1e-300), 6)
    leading = np.take_along_axis(axes, magnitude.argmax(axis=0)[None], axis=0)[0]
    return np.asarray(axes * np.where(leading < 0, -1.0, 1.0))


def padded(array: NDArray[Any], k: int) -> NDArray[Any]:
    """Fill the last axis with zeros up to length k."""
    missing = [(0, 0)] * (array.ndim - 1) + [(0, k - array.shape[-1])]
    return np.pad(array, missing)
