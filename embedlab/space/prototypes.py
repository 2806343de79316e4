"""Prototypes: the head's rows, which are directions; class means, which are points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors
from embedlab.space.views import LinearView

Reading = Literal["moves", "rises"]
READINGS: dict[Reading, str] = {
    "moves": "Where a picture goes in this drawing when its vector moves along the prototype.",
    "rises": "Where in this drawing the class's score rises fastest.",
}


@dataclass(frozen=True, eq=False)
class Directions:
    """Directions in the embedding space, such as the rows of a head. They are never centred.

    Parameters
    ----------
    values : ndarray of shape (c, d)
    names : tuple of str, length c
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _named_rows(self.values, self.names, "directions"))


@dataclass(frozen=True, eq=False)
class Points:
    """Points in the embedding space, such as class means. They are centred like the pictures.

    Parameters
    ----------
    values : ndarray of shape (c, d)
    names : tuple of str, length c
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _named_rows(self.values, self.names, "points"))


def _named_rows(values: ArrayLike, names: Sequence[str], what: str) -> NDArray[np.float64]:
    rows = np.array(values, np.float64)
    if rows.ndim != 2 or len(rows) != len(names):
        raise ValueError(f"{len(names)} names for {what} of shape {rows.shape}")
    if not np.isfinite(rows).all():
        bad = [names[k] for k in np.flatnonzero(~np.isfinite(rows).all(axis=1)).tolist()]
        raise EmbedlabError(
            f"The {what} of {', '.join(bad)} are not finite.", remedy="Train the head again."
        )
    rows.flags.writeable = False
    return rows


def class_means(vectors: ArrayLike, labels: ArrayLike, classes: Sequence[str]) -> Points:
    """Average the vectors of each class.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        Rows that are not finite are left out.
    labels : array_like of shape (n,), int
        Index into `classes`.
    classes : sequence of str

    Returns
    -------
    Points
        One for each class that has a picture, under its name.
    """
    matrix, of_row = _vectors.as_matrix(vectors), np.asarray(labels)
    good = _vectors.usable(matrix)
    there = [k for k in range(len(classes)) if (good & (of_row == k)).any()]
    means = [_vectors.mean(matrix, good & (of_row == k)) for k in there]
    return Points(
        np.reshape(means, (len(there), matrix.shape[1])), tuple(classes[k] for k in there)
    )


def arrows(
    view: LinearView, directions: Directions, *, reading: Reading = "moves", scale: float = 5.0
) -> NDArray[np.float64]:
    r"""Draw directions in a view: arrows from its origin.

    A view draws :math:`y = A^\top (x - o)`, where the columns of :math:`A` are its axes.

    "moves": when a picture moves by :math:`w`, its point moves by :math:`A^\top w`. The origin
    drops out, so nothing is centred.

    "rises": a point :math:`y` of the drawing stands for the vector
    :math:`\hat{x}(y) = o + A (A^\top A)^{-1} y`, the nearest to the origin of all that are drawn
    there. Its score is :math:`w \cdot \hat{x}(y)`, and the gradient of that with respect to
    :math:`y` is :math:`(A^\top A)^{-1} A^\top w`. PCA's axes are orthonormal,
    :math:`A^\top A = I`, and the two readings agree; LDA's are not, and they differ.

    Parameters
    ----------
    view : LinearView
        With the axes that are drawn, and no others: see `LinearView.pick`.
    directions : Directions
        c directions of d dimensions.
    reading : "moves" or "rises"
    scale : float
        How much longer to draw the arrows: their length has no unit that pictures share.

    Returns
    -------
    ndarray of shape (c, k), float64
        Tips of arrows that begin at the origin.
    """
    if not isinstance(directions, Directions):
        raise TypeError("arrows are drawn for directions; place points with LinearView.place")
    if reading not in READINGS:
        raise EmbedlabError(
            f"There is no reading called {reading!r}.", remedy=f"Choose {' or '.join(READINGS)}."
        )
    fit_dimensions(directions.values.shape[1], len(view.origin))
    if reading == "moves":
        tips = directions.values @ view.axes
    else:
        tips = directions.values @ np.linalg.pinv(view.axes, rcond=1e-9).T
    return np.asarray(scale * tips)


def fit_dimensions(given: int, expected: int) -> None:
    """Refuse prototypes of other dimensions than the vectors'."""
    if given != expected:
        raise EmbedlabError(
            f"The prototypes have {given} dimensions, the vectors {expected}.",
            remedy="Use the vectors that the head was trained on.",
        )


def _cosines(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compare each row of a with each of b; a zero row is at right angles to all: 0."""
    lengths = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)
    inner = a @ b.T
    cosines = np.divide(inner, lengths, out=np.zeros_like(inner), where=lengths > 0)
    return np.asarray(np.clip(cosines, -1, 1))


def prototype_cosines(directions: Directions) -> NDArray[np.float64]:
    """Compare the prototypes with each other: cosines, shape (c, c)."""
    return _cosines(directions.values, directions.values)


def closest_prototypes(directions: Directions, row: int, most: int) -> NDArray[np.int64]:
    """Rank the prototypes by their cosine with one of them.

    Parameters
    ----------
    directions : Directions
        c of them.
    row : int
        Of that one.
    most : int

    Returns
    -------
    ndarray of shape (min(c, most),), int64
        That one itself first, whatever its length; ties in the order of the rows.
    """
    cosines = _cosines(directions.values[[row]], directions.values)[0]
    cosines[row] = np.inf
    return np.argsort(-cosines, kind="stable")[:most].astype(np.int64)


def mean_cosines(
    directions: Directions, means: Points, *, centre: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Compare prototypes with class means.

    Parameters
    ----------
    directions : Directions
        c of them.
    means : Points
        m of them.
    centre : array_like of shape (d,), optional
        What is taken off the means first. Give the mean of all pictures (a view's `origin`) to
        compare with where each class lies from the middle; without it, the cosine is with the
        mean as seen from zero, most of which all classes share.

    Returns
    -------
    ndarray of shape (c, m), float64
    """
    fit_dimensions(directions.values.shape[1], means.values.shape[1])
    offset = np.zeros(means.values.shape[1]) if centre is None else np.asarray(centre, np.float64)
    return _cosines(directions.values, means.values - offset)
