"""Which pictures are nearest: exact, by any measure, for one query or for all rows at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors
from embedlab.space.similarity import Metric, from_inner, metric_named

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
    metric : str
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    metric: str


@dataclass(frozen=True, eq=False)
class NeighbourIndex:
    """Vectors with what every query needs measured once. Make one with `NeighbourIndex.of`.

    The matrix itself is not copied: a memory-mapped one stays on disk.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32
    metric : str
    centre : ndarray of shape (d,), float64
        The mean of the usable rows for centred measures, and for distances, where it changes
        nothing but keeps the digits; else zeros.
    lengths : ndarray of shape (n,), float64
        Distance of each row from the centre; NaN for those in `unranked`.
    unranked : ndarray, int64
        Rows that no ranking holds: not finite or, for a cosine, zero.
    """

    vectors: NDArray[np.float32]
    metric: str
    centre: NDArray[np.float64]
    lengths: NDArray[np.float64]
    unranked: NDArray[np.int64]

    @classmethod
    def of(cls, vectors: ArrayLike, metric: str = "cosine") -> NeighbourIndex:
        """Measure what queries by this metric need.

        Parameters
        ----------
        vectors : array_like of shape (n, d)
        metric : str
            A key of `embedlab.space.similarity.METRICS`.
        """
        measure = metric_named(metric)
        matrix = _vectors.as_matrix(vectors)
        lengths = _vectors.norms(matrix)
        with np.errstate(invalid="ignore"):
            good = lengths <= _vectors.LARGEST_NORM
        centre = np.zeros(matrix.shape[1])
        if measure.centred or measure.kind == "euclidean":
            centre = _vectors.mean(matrix, good)
            around = _vectors.norms(matrix, centre)
            if measure.kind == "cosine":
                # A row that differs from the mean by rounding alone has no direction from it.
                good = good & (around > 1e-6 * lengths)
            lengths = around
        if measure.kind == "cosine":
            good = good & (lengths > 0)
        lengths[~good] = np.nan
        for array in (centre, lengths):
            array.flags.writeable = False
        return cls(matrix, metric, centre, lengths, np.flatnonzero(~good))

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def _measure(self) -> Metric:
        return metric_named(self.metric)

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
        vector = self._query(query)
        values = from_inner(
            self._measure,
            self._inner(vector[None])[0].astype(np.float64),
            np.asarray(np.linalg.norm(vector)),
            self.lengths,
        )
        if self._measure.kind == "euclidean":
            # |x|^2 + |q|^2 - 2 x.q loses its digits where x is close to q: there, subtract.
            scale = self.lengths**2 + float(vector @ vector)
            with np.errstate(invalid="ignore", over="ignore"):
                close = np.flatnonzero(values**2 < 1e-3 * scale)
            values[close] = self._exact(close, vector)
        values[self.unranked] = np.nan
        return values.astype(np.float32)

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

        Returns
        -------
        Neighbours
        """
        matrix = _vectors.as_matrix(queries)
        if matrix.shape[1] != self.vectors.shape[1]:
            raise self._other_length(matrix.shape[1])
        good = _vectors.usable(matrix)
        if self._measure.kind == "cosine":
            good &= _vectors.norms(matrix, self.centre) > 0
        return self._each(matrix, good, k, itself=False)

    def all_nearest(self, k: int) -> Neighbours:
        """Give the k nearest other rows of every row. See `knn`."""
        good = np.ones(len(self), bool)
        good[self.unranked] = False
        return self._each(self.vectors, good, k, itself=True)

    def _each(
        self, queries: NDArray[np.float32], good: NDArray[np.bool_], k: int, *, itself: bool
    ) -> Neighbours:
        candidates = len(self) - len(self.unranked) - int(itself)
        k = max(min(k, candidates), 0)
        rows = np.full((len(queries), k), -1, np.int64)
        scores = np.full((len(queries), k), np.nan, np.float32)
        usable_rows = np.flatnonzero(good)
        for part in _vectors.blocks(len(usable_rows), 16 * max(len(self), 1)):
            chosen = usable_rows[part]
            block = queries[chosen].astype(np.float64) - self.centre
            nearness = self._nearness(block)
            if itself:
                nearness[np.arange(len(chosen)), chosen] = -np.inf
            for at, best in enumerate(_shortlists(nearness, k, self._tolerance(block))):
                rows[chosen[at]], scores[chosen[at]] = self._decide(best, block[at], k)
        return Neighbours(rows, scores, self.metric)

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
        nearness = self._nearness(vector[None])
        if not nearest:
            nearness *= -1
        allowed = np.full(len(self), rows is None)
        if rows is not None:
            chosen = np.asarray(rows)
            allowed[chosen if chosen.dtype == bool else chosen.astype(np.int64)] = True
        allowed[self.unranked] = False
        if exclude_query and np.ndim(query) == 0:
            allowed[int(np.asarray(query))] = False
        nearness[:, ~allowed] = -np.inf
        k = max(min(k, int(allowed.sum())), 0)
        best = next(_shortlists(nearness, k, self._tolerance(vector[None])))
        return Ranking(*self._decide(best, vector, k, nearest=nearest))

    def _query(self, query: int | ArrayLike) -> NDArray[np.float64]:
        """Check a query and give it as seen from the centre."""
        if np.ndim(query) == 0:
            row = int(np.asarray(query))
            if not 0 <= row < len(self):
                raise EmbedlabError(
                    f"There is no row {row}.", remedy=f"Rows are 0 to {len(self) - 1}."
                )
            if row in self.unranked:
                raise EmbedlabError(
                    f"Row {row} cannot be a query by {self._measure.title.lower()}: its vector "
                    "is not finite, or is zero.",
                    remedy="Choose another picture.",
                )
            return np.asarray(self.vectors[row].astype(np.float64) - self.centre)
        vector = np.asarray(query, dtype=np.float64)
        if vector.shape != self.vectors.shape[1:]:
            raise self._other_length(vector.shape)
        vector = vector - self.centre
        length = np.linalg.norm(vector)
        if not length <= _vectors.LARGEST_NORM:
            raise EmbedlabError(
                "The query's vector is not finite.", remedy="Embed the picture again."
            )
        if length == 0 and self._measure.kind == "cosine":
            raise EmbedlabError(
                "The query's vector is zero: it has no direction and no cosine.",
                remedy="Compare by dot product or distance.",
            )
        return vector

    def _other_length(self, given: object) -> EmbedlabError:
        return EmbedlabError(
            f"The query has the length {given}; these vectors have {self.vectors.shape[1]}.",
            remedy="Embed the picture with the body that made the vectors.",
        )

    def _inner(self, queries: NDArray[np.float64]) -> NDArray[np.float32]:
        """Multiply centred queries (m, d) with the centred rows: shape (m, n), float32."""
        with np.errstate(invalid="ignore", over="ignore"):
            inner: NDArray[np.float32] = queries.astype(np.float32) @ self.vectors.T
        if self.centre.any():  # (x - c).q = x.q - c.q: the rows stay as they are
            inner -= (queries @ self.centre).astype(np.float32)[:, None]
        return inner

    def _nearness(self, queries: NDArray[np.float64]) -> NDArray[np.float32]:
        """Give numbers that order the rows as the measure does, high is near: (m, n)."""
        nearness = self._inner(queries)
        if self._measure.kind == "cosine":
            with np.errstate(divide="ignore", invalid="ignore"):
                nearness *= (1 / self.lengths).astype(np.float32)
        elif self._measure.kind == "euclidean":
            nearness -= (self.lengths**2 / 2).astype(np.float32)
        nearness[:, self.unranked] = -np.inf
        return nearness

    def _tolerance(self, queries: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bound float32's error in `_nearness`: shape (m,)."""
        lengths = np.linalg.norm(queries, axis=1)
        good = np.ones(len(self), bool)
        good[self.unranked] = False
        largest = self.lengths[good].max(initial=0)
        offset = 2 * float(np.linalg.norm(self.centre))
        error = 4e-7 * np.sqrt(self.vectors.shape[1]) * lengths
        if self._measure.kind == "cosine":
            return np.asarray(error * (1 + offset / self.lengths[good].min(initial=np.inf)))
        error *= largest + offset
        if self._measure.kind == "euclidean":
            error += 4e-7 * largest**2
        return np.asarray(error)

    def _exact(self, rows: NDArray[np.int64], query: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compare a centred query with some rows in float64; equal rows get equal scores."""
        values = np.empty(len(rows))
        for part in _vectors.blocks(len(rows), 16 * self.vectors.shape[1]):
            block = self.vectors[rows[part]].astype(np.float64) - self.centre
            if self._measure.kind == "euclidean":
                block -= query
                values[part] = np.sqrt(np.einsum("ij,ij->i", block, block))
            else:
                inner = np.einsum("ij,j->i", block, query)
                length = np.asarray(np.linalg.norm(query))
                values[part] = from_inner(self._measure, inner, length, self.lengths[rows[part]])
        return values

    def _decide(
        self, rows: NDArray[np.int64], query: NDArray[np.float64], k: int, *, nearest: bool = True
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Order a shortlist in float64 and keep the best k."""
        values = self._exact(rows, query)
        descending = nearest == self._measure.higher_is_nearer
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


def knn(vectors: ArrayLike, k: int, metric: str = "cosine") -> Neighbours:
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

    Returns
    -------
    Neighbours
        `rows` of shape (n, k). Lines of rows that cannot be ranked (not finite; zero under a
        cosine) hold -1, and no other line names them.
    """
    return NeighbourIndex.of(vectors, metric).all_nearest(k)
