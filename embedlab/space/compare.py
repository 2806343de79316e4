"""Two ways to see the same pictures: where they agree, where they differ, who is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.space.scores import precision_at_k


@dataclass(frozen=True, eq=False)
class Disagreements:
    """How much of each picture's neighbourhood two representations share.

    Parameters
    ----------
    overlap : ndarray of shape (n,), float64
        Share of the neighbours that are on both lists, 0 to 1; NaN where either has none.
    rows : ndarray, int64
        The pictures that they disagree on most first.
    mean : float
        Of `overlap`; NaN of none.
    """

    overlap: NDArray[np.float64]
    rows: NDArray[np.int64]
    mean: float


def disagreements(knn_a: ArrayLike, knn_b: ArrayLike) -> Disagreements:
    """Compare two sets of neighbour lists of the same pictures.

    Parameters
    ----------
    knn_a, knn_b : array_like of shape (n, k), int
        Neighbours by each representation; -1 for none. Lists of different lengths are cut to
        the shorter.
    """
    a, b = np.asarray(knn_a), np.asarray(knn_b)
    k = min(a.shape[1], b.shape[1])
    a, b = a[:, :k], b[:, :k]
    there = (a >= 0).any(axis=1) & (b >= 0).any(axis=1)
    overlap = np.full(len(a), np.nan)
    shared = (a[there, :, None] == b[there, None, :]).any(axis=2)
    overlap[there] = shared.sum(axis=1) / max(k, 1)
    return Disagreements(overlap, _ordered(overlap), _mean(overlap))


@dataclass(frozen=True, eq=False)
class Contest:
    """On which pictures one representation finds more of the same class than the other.

    Parameters
    ----------
    advantage : ndarray of shape (n,), float64
        Same-class share of the first one's neighbours minus the second one's, -1 to 1; NaN
        where either has none.
    rows : ndarray, int64
        Those where the first one is ahead most come first, those where the second is, last.
    mean : float
    """

    advantage: NDArray[np.float64]
    rows: NDArray[np.int64]
    mean: float


def contest(labels: ArrayLike, knn_a: ArrayLike, knn_b: ArrayLike) -> Contest:
    """Ask of each picture which representation's neighbours share its class more.

    Parameters
    ----------
    labels : array_like of shape (n,), int
    knn_a, knn_b : array_like of shape (n, k), int
        Neighbours by each representation; -1 for none.
    """
    first, second = precision_at_k(labels, knn_a), precision_at_k(labels, knn_b)
    advantage = first.per_picture - second.per_picture
    return Contest(advantage, _ordered(-advantage), _mean(advantage))


def _ordered(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order rows by their values; equals so that the first few are from all over the rows.

    Rows often stand class by class. Multiples of the golden ratio, modulo 1, fill the unit
    interval evenly however many are taken.
    """
    spread = np.arange(len(values)) * ((5**0.5 - 1) / 2) % 1.0
    rows = np.lexsort((spread, values))
    return rows[np.isfinite(values[rows])]


def _mean(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


@dataclass(frozen=True, eq=False)
class Changes:
    """Which pictures two classifiers get right.

    Parameters
    ----------
    both, only_first, only_second, neither : ndarray, int64
        Rows that both, one or none of them gets right.
    p_value : float
        The chance that two equally good classifiers part at least so unevenly (McNemar's exact
        test); 1 where they part nowhere.
    """

    both: NDArray[np.int64]
    only_first: NDArray[np.int64]
    only_second: NDArray[np.int64]
    neither: NDArray[np.int64]
    p_value: float


def changes(labels: ArrayLike, first: ArrayLike, second: ArrayLike) -> Changes:
    """Sort pictures by which of two classifiers is right.

    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947), 153-157.

    Parameters
    ----------
    labels, first, second : array_like of shape (n,), int
        True classes and the two predictions.
    """
    from scipy.stats import binomtest

    truth = np.asarray(labels)
    a, b = np.asarray(first) == truth, np.asarray(second) == truth
    ahead, behind = int((a & ~b).sum()), int((~a & b).sum())
    return Changes(
        both=np.flatnonzero(a & b),
        only_first=np.flatnonzero(a & ~b),
        only_second=np.flatnonzero(~a & b),
        neither=np.flatnonzero(~a & ~b),
        p_value=float(binomtest(ahead, ahead + behind).pvalue) if ahead + behind else 1.0,
    )
