"""Which pictures are nearest: exact, by any measure, for one query or for all rows at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.progress import Progress, silent
from embedlab.space import vectors as _vectors
from embedlab.space.comparison import Comparison

_SPARE = 4  # candidates beyond k that float32 picks, before float64 decides


@dataclass(frozen=True, eq=False)
class Ranking:
    """Rows in order, best first, with their scores.

    Parameters
    ----------
    rows : ndarray of shape (k,), int64
    scores : ndarray of shape (k,), float32
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest rows of each of m queries.

    Parameters
    ----------
    rows : ndarray of shape (m, k), int64
        Nearest first. -1 in the whole line of a query that cannot be ranked.
    scores : ndarray of shape (m, k), float32
        NaN where `rows` is -1.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class NeighbourIndex:
    """Vectors made ready for queries. Make one with `NeighbourIndex.of`."""

    comparison: Comparison

    @classmethod
    def of(cls, vectors: ArrayLike, metric: str = "cosine") -> NeighbourIndex:
        """Measure once what queries by this metric need.

        Parameters
        ----------
        vectors : array_like of shape (n, d)
            A memory-mapped matrix is not copied and stays on disk.
        metric : str
            A key of `embedlab.space.similarity.METRICS`.
        """
        return cls(Comparison.of(vectors, metric))

    def __len__(self) -> int:
        return len(self.comparison.vectors)

    @property
    def unranked(self) -> NDArray[np.int64]:
        """Rows that no ranking holds: not finite or, for a cosine, zero."""
        return self.comparison.unranked

    def scores(self, query: int | ArrayLike) -> NDArray[np.float32]:
        """Compare one query with every row.

        Parameters
        ----------
        query : int or array_like of shape (d,)
            A row, or a vector from elsewhere.

        Returns
        -------
        ndarray of shape (n,), float32
            NaN for the rows in `unranked`.

        Raises
        ------
        EmbedlabError
            If the query cannot be compared: no such row, another length, not finite, zero
            under a cosine.
        """
        return self.comparison.scores(self._query(query)).astype(np.float32)

    def nearest(
        self,
        query: int | ArrayLike,
        k: int,
        *,
        rows: ArrayLike | None = None,
        exclude_query: bool = True,
    ) -> Ranking:
        """Give the k rows most like a query.

        Parameters
        ----------
        query : int or array_like of shape (d,)
        k : int
            Clamped to the number of rows that can be ranked.
        rows : array_like of int, or of shape (n,) and bool, optional
            The rows to choose from; all by default.
        exclude_query : bool
            Whether a query that is a row is left out.

        Returns
        -------
        Ranking
            Equal scores (in float64) are ordered by row, so results are stable.
        """
        return self._ranking(query, k, rows, exclude_query, nearest=True)

    def farthest(
        self,
        query: int | ArrayLike,
        k: int,
        *,
        rows: ArrayLike | None = None,
        exclude_query: bool = True,
    ) -> Ranking:
        """Give the k rows least like a query, the least like first. See `nearest`."""
        return self._ranking(query, k, rows, exclude_query, nearest=False)

    def nearest_of_each(self, queries: ArrayLike, k: int) -> Neighbours:
        """Give the k nearest rows of each of many vectors from elsewhere.

        Parameters
        ----------
        queries : array_like of shape (m, d)
            Those that are not finite, or zero under a cosine, get a line of -1.
        k : int
            Clamped to the number of rows that can be ranked.

        Returns
        -------
        Neighbours
        """
        matrix = _vectors.as_matrix(queries)
        self.comparison.check_length(matrix.shape[1])
        good = _vectors.usable(matrix)
        if self.comparison.metric.kind == "cosine":
            good &= _vectors.norms(matrix, self.comparison.centre) > 0
        return self._each(matrix, good, k, itself=False)

    def all_nearest(self, k: int, *, progress: Progress = silent) -> Neighbours:
        """Give the k nearest other rows of every row. See `knn`."""
        comparison = self.comparison
        return self._each(comparison.vectors, comparison.ranked, k, itself=True, progress=progress)

    def _query(self, query: int | ArrayLike) -> NDArray[np.float64]:
        if np.ndim(query) == 0:
            return self.comparison.row(int(np.asarray(query)))
        return self.comparison.outsider(query)

    def _ranking(
        self,
        query: int | ArrayLike,
        k: int,
        rows: ArrayLike | None,
        exclude_query: bool,
        *,
        nearest: bool,
    ) -> Ranking:
        vector = self._query(query)
        allowed = self.comparison.ranked.copy()
        if rows is not None:
            chosen = np.asarray(rows)
            among = np.zeros(len(self), bool)
            among[chosen if chosen.dtype == bool else chosen.astype(np.int64)] = True
            allowed &= among
        if exclude_query and np.ndim(query) == 0:
            allowed[int(np.asarray(query))] = False
        nearness = self.comparison.nearness(vector[None])
        if not nearest:
            nearness *= -1
        nearness[:, ~allowed] = -np.inf
        k = max(min(k, int(allowed.sum())), 0)
        best = next(_shortlists(nearness, k, self.comparison.tolerance(vector[None])))
        return Ranking(*self._decide(best, vector, k, nearest=nearest))

    def _each(
        self,
        queries: NDArray[np.float32],
        good: NDArray[np.bool_],
        k: int,
        *,
        itself: bool,
        progress: Progress = silent,
    ) -> Neighbours:
        comparison = self.comparison
        k = max(min(k, int(comparison.ranked.sum()) - int(itself)), 0)
        rows = np.full((len(queries), k), -1, np.int64)
        scores = np.full((len(queries), k), np.nan, np.float32)
        usable_rows = np.flatnonzero(good)
        for part in _vectors.blocks(len(usable_rows), 16 * max(len(self), 1)):
            chosen = usable_rows[part]
            progress("comparing pictures", part.start, len(usable_rows))
            block = queries[chosen].astype(np.float64) - comparison.centre
            nearness = comparison.nearness(block)
            if itself:
                nearness[np.arange(len(chosen)), chosen] = -np.inf
            for at, best in enumerate(_shortlists(nearness, k, comparison.tolerance(block))):
                rows[chosen[at]], scores[chosen[at]] = self._decide(best, block[at], k)
        progress("comparing pictures", len(usable_rows), len(usable_rows))
        return Neighbours(rows, scores)

    def _decide(
        self, rows: NDArray[np.int64], query: NDArray[np.float64], k: int, *, nearest: bool = True
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Order a shortlist in float64 and keep the best k."""
        values = self.comparison.exact(rows, query)
        descending = nearest == self.comparison.metric.higher_is_nearer
        best = np.lexsort((rows, -values if descending else values))[:k]
        return rows[best], values[best].astype(np.float32)


def _shortlists(
    nearness: NDArray[np.float32], k: int, tolerance: NDArray[np.float64]
) -> Iterator[NDArray[np.int64]]:
    """Give, for each line, every column that may belong to its k largest: sorted columns."""
    m, n = nearness.shape
    size = min(k + _SPARE, n)
    if k == 0:
        yield from (np.empty(0, np.int64) for _ in range(m))
        return
    top = np.argpartition(nearness, n - size, axis=1)[:, n - size :]
    values = np.take_along_axis(nearness, top, axis=1)
    kth = np.partition(values, size - k, axis=1)[:, size - k]
    border = kth - 2 * tolerance
    for line in range(m):
        if size < n and values[line].min() >= border[line]:
            # More columns may tie with the k-th than were picked: take them all.
            yield np.flatnonzero(nearness[line] >= border[line])
        else:
            yield np.sort(top[line][np.isfinite(values[line])])


def knn(
    vectors: ArrayLike,
    k: int,
    metric: str = "cosine",
    *,
    centre: ArrayLike | None = None,
    progress: Progress = silent,
) -> Neighbours:
    """Find the k nearest other rows of every row, exactly, in bounded memory.

    Similarities are computed in blocks of at most 64 MB in float32; the order among the best
    is decided in float64, and by row where that ties.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
    k : int
        Clamped to the number of other rows that can be ranked.
    metric : str
        A key of `embedlab.space.similarity.METRICS`.
    centre : array_like of shape (d,), optional
        What centred measures count from: the mean of all pictures, where these rows are a part
        of them. The mean of these rows by default.
    progress : Progress

    Returns
    -------
    Neighbours
        `rows` of shape (n, k). Lines of rows that cannot be ranked (not finite; zero under a
        cosine) hold -1, and no other line names them.
    """
    index = NeighbourIndex(Comparison.of(vectors, metric, centre=centre))
    return index.all_nearest(k, progress=progress)
