"""Scores with their uncertainty: accuracy, confusion, precision among neighbours, hubs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


def wilson(correct: float, total: int, confidence: float = 0.95) -> Interval:
    """Bound a share that was seen in a sample.

    Wilson's score interval: E. B. Wilson, "Probable inference, the law of succession, and
    statistical inference", Journal of the American Statistical Association 22 (1927), 209-212.

    Parameters
    ----------
    correct : float
        How many of the sample; at most `total`.
    total : int
        Size of the sample. Nothing is known from none: the interval is then (0, 1).
    confidence : float

    Examples
    --------
    >>> low, high = wilson(633, 734)
    >>> f"{low:.3f} to {high:.3f}"
    '0.836 to 0.885'
    """
    if total <= 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = correct / total
    scale = 1 + z * z / total
    middle = (share + z * z / (2 * total)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    # At the ends of the scale, rounding must not leave 1e-17 where the bound is 0.
    low = 0.0 if correct <= 0 else max(middle - half, 0.0)
    return Interval(low, 1.0 if correct >= total else min(middle + half, 1.0))


@dataclass(frozen=True)
class Share:
    """So many out of so many.

    Parameters
    ----------
    correct : int
    total : int
    """

    correct: int
    total: int

    @property
    def value(self) -> float:
        """The share itself; NaN of none."""
        return self.correct / self.total if self.total else math.nan

    @property
    def interval(self) -> Interval:
        """Wilson's 95 % interval."""
        return wilson(self.correct, self.total)


def accuracy(labels: ArrayLike, predictions: ArrayLike) -> Share:
    """Count the predictions that are right; both of shape (n,)."""
    right = np.asarray(labels) == np.asarray(predictions)
    return Share(int(right.sum()), int(right.size))


def confusion(labels: ArrayLike, predictions: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """Count pictures by class and prediction.

    Parameters
    ----------
    labels, predictions : array_like of shape (n,), int in 0..n_classes - 1
    n_classes : int

    Returns
    -------
    ndarray of shape (n_classes, n_classes), int64
        Entry (i, j): pictures of class i that were taken for class j.
    """
    cells = np.asarray(labels, np.int64) * n_classes + np.asarray(predictions, np.int64)
    counts = np.bincount(cells, minlength=n_classes * n_classes)
    return counts.reshape(n_classes, n_classes).astype(np.int64)


def commonest_confusions(matrix: ArrayLike) -> NDArray[np.int64]:
    """List the mistakes that are made, by how often.

    Parameters
    ----------
    matrix : array_like of shape (c, c), int
        As `confusion` gives it.

    Returns
    -------
    ndarray of shape (m, 3), int64
        Class, what it is taken for, and the number of pictures; the most first, ties in the order
        of the classes.

    Examples
    --------
    >>> commonest_confusions([[5, 1, 0], [0, 4, 3], [0, 0, 6]]).tolist()
    [[1, 2, 3], [0, 1, 1]]
    """
    wrong = np.array(matrix, np.int64)
    np.fill_diagonal(wrong, 0)
    true, predicted = np.nonzero(wrong)
    counts = wrong[true, predicted]
    order = np.argsort(-counts, kind="stable")
    return np.stack([true, predicted, counts], axis=1)[order].astype(np.int64)


def most_confused(matrix: ArrayLike, most: int) -> NDArray[np.int64]:
    """Choose the classes between which the commonest mistakes are made.

    Parameters
    ----------
    matrix : array_like of shape (c, c), int
    most : int
        How many classes, 2 or more. Where too few are mistaken, the first of the others fill up.

    Returns
    -------
    ndarray of shape (min(c, most),), int64
        In the order of the classes.

    Examples
    --------
    >>> most_confused([[5, 0, 1, 0], [0, 4, 0, 0], [0, 0, 6, 0], [0, 2, 0, 9]], 2).tolist()
    [1, 3]
    """
    c = len(np.asarray(matrix))
    chosen: dict[int, None] = {}
    if c > most:
        for true, predicted, _ in commonest_confusions(matrix).tolist():
            if len(chosen.keys() | {true, predicted}) > most:
                break
            chosen |= {true: None, predicted: None}
    rest = (k for k in range(c) if k not in chosen)
    filled = [*chosen, *(k for k, _ in zip(rest, range(most - len(chosen)), strict=False))]
    return np.array(sorted(filled), np.int64)


def recalls(matrix: ArrayLike) -> list[Share]:
    """Say of each class how many of its pictures were recognised, from a confusion matrix."""
    counts = np.asarray(matrix)
    return [Share(int(row[k]), int(row.sum())) for k, row in enumerate(counts)]


@dataclass(frozen=True, eq=False)
class Precision:
    """How many of the neighbours share the query's class.

    Parameters
    ----------
    per_picture : ndarray of shape (n,), float64
        NaN for pictures without neighbours.
    mean : float
        NaN if there are none.
    interval : Interval
        Of the mean, 95 %.
    chance : float
        What neighbours picked at random would reach.
    """

    per_picture: NDArray[np.float64]
    mean: float
    interval: Interval
    chance: float


def precision_at_k(labels: ArrayLike, knn_rows: ArrayLike) -> Precision:
    """Score neighbour lists by class.

    Parameters
    ----------
    labels : array_like of shape (n,), int
    knn_rows : array_like of shape (n, k), int
        Neighbours of each picture; -1 for none.

    Returns
    -------
    Precision
        The interval takes the n pictures for independent and each one's precision for a yes
        or no, whose variance no share of the same mean exceeds: it is on the wide side.
    """
    classes, rows = np.asarray(labels), np.asarray(knn_rows)
    there = rows >= 0
    same = (classes[rows] == classes[:, None]) & there
    counts = there.sum(axis=1)
    per_picture = np.full(len(classes), np.nan)
    np.divide(same.sum(axis=1), counts, out=per_picture, where=counts > 0)
    scored = per_picture[counts > 0]
    _, sizes = np.unique(classes, return_counts=True)
    n = len(classes)
    chance = float((sizes * (sizes - 1)).sum() / (n * (n - 1))) if n > 1 else math.nan
    mean = float(scored.mean()) if len(scored) else math.nan
    interval = wilson(float(scored.sum()), len(scored))
    return Precision(per_picture, mean, interval, chance)


@dataclass(frozen=True, eq=False)
class Hubs:
    """How often each picture is among the neighbours of others.

    Parameters
    ----------
    occurrences : ndarray of shape (n,), int64
    rows : ndarray of shape (n,), int64
        All rows, the most frequent neighbour first.
    skewness : float
        Third standardised moment of `occurrences`: near 0 when all pictures are named about
        equally often, large when a few hubs are everybody's neighbour.
    """

    occurrences: NDArray[np.int64]
    rows: NDArray[np.int64]
    skewness: float


def hubs(knn_rows: ArrayLike, n: int) -> Hubs:
    """Count k-occurrences.

    M. Radovanović, A. Nanopoulos, M. Ivanović, "Hubs in space: popular nearest neighbors in
    high-dimensional data", Journal of Machine Learning Research 11 (2010), 2487-2531.

    Parameters
    ----------
    knn_rows : array_like of shape (m, k), int
        Neighbour lists; -1 for none.
    n : int
        How many pictures there are.
    """
    rows = np.asarray(knn_rows)
    occurrences = np.bincount(rows[rows >= 0], minlength=n).astype(np.int64)
    spread = occurrences.std()
    deviation = occurrences - occurrences.mean()
    skewness = float((deviation**3).mean() / spread**3) if spread > 0 else 0.0
    return Hubs(occurrences, np.argsort(-occurrences, kind="stable"), skewness)
