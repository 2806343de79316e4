"""How alike vectors are: tables of a few rows, samples of many pairs, random triples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors
from embedlab.space.metrics import METRICS, Metric, from_inner, metric_named

__all__ = [
    "METRICS",
    "Metric",
    "WithinBetween",
    "odd_one_out",
    "pairwise",
    "random_triples",
    "within_between",
]


def _paired(
    vectors: NDArray[np.float32],
    metric: Metric,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    centre: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Compare row a[i] with row b[i] for every i, in float64."""
    values = np.empty(len(a))
    for part in _vectors.blocks(len(a), 32 * vectors.shape[1]):
        left = vectors[a[part]].astype(np.float64)
        right = vectors[b[part]].astype(np.float64)
        if centre is not None:
            left -= centre
            right -= centre
        if metric.kind == "euclidean":
            values[part] = np.linalg.norm(left - right, axis=1)
        else:
            inner = np.einsum("ij,ij->i", left, right)
            lengths = np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1)
            values[part] = from_inner(metric, inner, *lengths)
    return values


def pairwise(vectors: ArrayLike, rows: ArrayLike, metric: str = "cosine") -> NDArray[np.float64]:
    """Compare a few rows with each other.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        All vectors; their mean is the centre of the centred measures.
    rows : array_like of shape (m,), int
        The rows to compare.
    metric : str
        A key of `METRICS`.

    Returns
    -------
    ndarray of shape (m, m), float64
        Entry (i, j) compares rows[i] with rows[j].

    Raises
    ------
    EmbedlabError
        If a row is not finite or, for a cosine, zero.
    """
    measure = metric_named(metric)
    matrix = _vectors.as_matrix(vectors)
    chosen = np.asarray(rows, dtype=np.int64)
    _vectors.refuse_unusable(matrix[chosen], "Comparing")
    centre = _vectors.mean(matrix, _vectors.usable(matrix)) if measure.centred else None
    m = len(chosen)
    a, b = np.repeat(chosen, m), np.tile(chosen, m)
    table = _paired(matrix, measure, a, b, centre).reshape(m, m)
    if np.isnan(table).any():
        zero = chosen[np.isnan(np.diagonal(table))]
        raise EmbedlabError(
            f"Row {_vectors.named(zero)} is zero: it has no direction and no cosine.",
            remedy="Compare by dot product or distance.",
        )
    return table


@dataclass(frozen=True, eq=False)
class WithinBetween:
    """Likeness of pairs drawn at random, within classes and between them.

    Parameters
    ----------
    within, between : ndarray, float64
        One value a pair; empty where there is no such pair (every class has one picture, or
        there is one class).
    """

    within: NDArray[np.float64]
    between: NDArray[np.float64]

    @property
    def overlap(self) -> float:
        """The chance that a pair from between classes has the higher value; ties count half.

        One half means that the values tell nothing; for the cosine of a good representation
        it is near 0. It is the area under the ROC curve, or one minus it (Mann-Whitney).
        NaN where one of the two is empty.
        """
        if not len(self.within) or not len(self.between):
            return float("nan")
        order = np.sort(self.within)
        below = np.searchsorted(order, self.between, side="left")
        upto = np.searchsorted(order, self.between, side="right")
        return float((below + upto).mean() / (2 * len(order)))


def within_between(
    vectors: ArrayLike,
    labels: ArrayLike,
    metric: str = "cosine",
    *,
    n_pairs: int = 5000,
    seed: int = 0,
    centre: ArrayLike | None = None,
) -> WithinBetween:
    """Compare pairs of one class, and pairs of two classes.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
    labels : array_like of shape (n,), int
    metric : str
        A key of `METRICS`.
    n_pairs : int
        How many pairs of each sort. Where there are no more than that, each is taken once;
        else pairs are drawn with replacement, every pair of two pictures equally likely.
    seed : int
    centre : array_like of shape (d,), optional
        As for `embedlab.space.neighbours.knn`.

    Returns
    -------
    WithinBetween
        Pairs with an unusable row (not finite; zero under a cosine) are left out.
    """
    measure = metric_named(metric)
    matrix = _vectors.as_matrix(vectors)
    classes = np.asarray(labels)
    good = _vectors.usable(matrix)
    middle = None
    if measure.centred:
        middle = _vectors.mean(matrix, good) if centre is None else np.asarray(centre, np.float64)
    rows = np.flatnonzero(good)
    rng = np.random.default_rng(seed)
    values = {}
    for same in (True, False):
        a, b = _pairs(rows, classes[rows], same, n_pairs, rng)
        found = _paired(matrix, measure, a, b, middle)
        values[same] = found[np.isfinite(found)]
    return WithinBetween(within=values[True], between=values[False])


def _pairs(
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    same: bool,
    n_pairs: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    n = len(rows)
    _, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    n_same = int((counts * (counts - 1) // 2).sum())
    available = n_same if same else n * (n - 1) // 2 - n_same
    if available == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if available <= n_pairs and n <= 2000:
        i, j = np.triu_indices(n, 1)
        keep = (inverse[i] == inverse[j]) == same
        return rows[i[keep]], rows[j[keep]]
    # The first picture is drawn as often as it is in such a pair, the second among its partners.
    # Sorted by class, the partners of one class are a run of rows, and the rest wraps around.
    order = np.argsort(inverse, kind="stable")
    start = np.concatenate([[0], np.cumsum(counts)[:-1]])
    partners = counts - 1 if same else n - counts
    weight = counts * partners
    group = rng.choice(len(counts), size=n_pairs, p=weight / weight.sum())
    place = rng.integers(counts[group])
    step = rng.integers(partners[group])
    if same:
        other = start[group] + (place + 1 + step) % counts[group]
    else:
        other = (start[group] + counts[group] + step) % n
    return rows[order[start[group] + place]], rows[order[other]]


def random_triples(labels: ArrayLike, count: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Draw triples A, B, C of pictures: A and B of one class, C of another.

    Parameters
    ----------
    labels : array_like of shape (n,), int
        With all labels equal (pictures without classes), or all different, the triples are
        any three different pictures.
    count : int
        How many triples.
    seed : int

    Returns
    -------
    ndarray of shape (count, 3), int64
        Rows; of shape (0, 3) where there are fewer than three pictures.
    """
    classes = np.asarray(labels)
    n = len(classes)
    if n < 3:
        return np.empty((0, 3), np.int64)
    rng = np.random.default_rng(seed)
    all_rows = np.arange(n)
    if len(np.unique(classes)) in (1, n):
        return np.stack([rng.choice(n, size=3, replace=False) for _ in range(count)])
    a, b = _pairs(all_rows, classes, True, count, rng)
    drawn = rng.integers(len(a), size=count)
    a, b = a[drawn], b[drawn]
    c = [rng.choice(np.flatnonzero(classes != classes[row])) for row in a]
    return np.stack([a, b, np.array(c, np.int64)], axis=1)


def odd_one_out(
    vectors: ArrayLike,
    triples: ArrayLike,
    metric: str = "cosine",
    *,
    centre: ArrayLike | None = None,
) -> float:
    """Say how often a measure finds A and B nearer than A and C.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
    triples : array_like of shape (m, 3), int
        Rows A, B, C, such as `random_triples` draws.
    metric : str
        A key of `METRICS`.
    centre : array_like of shape (d,), optional
        As for `embedlab.space.neighbours.knn`.

    Returns
    -------
    float
        A share, 0 to 1: one half is chance, and a tie counts half. Triples with a row that cannot
        be compared (not finite; zero under a cosine) are left out; NaN if none is left.
    """
    measure = metric_named(metric)
    matrix = _vectors.as_matrix(vectors)
    a, b, c = np.asarray(triples, np.int64).reshape(-1, 3).T
    middle = None
    if measure.centred and centre is None:
        middle = _vectors.mean(matrix, _vectors.usable(matrix))
    elif measure.centred:
        middle = np.asarray(centre, np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        to_b = _paired(matrix, measure, a, b, middle)
        to_c = _paired(matrix, measure, a, c, middle)
    known = np.isfinite(to_b) & np.isfinite(to_c)
    ahead = (to_b - to_c)[known] * (1 if measure.higher_is_nearer else -1)
    return float(((ahead > 0) + (ahead == 0) / 2).mean()) if len(ahead) else float("nan")
