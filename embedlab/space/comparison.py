"""How queries compare with all rows of a matrix: fast in float32, decided in float64."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors
from embedlab.space.metrics import Metric, from_inner, metric_named

_ROUNDING = 4e-7  # a few units in the last place of float32


@dataclass(frozen=True, eq=False)
class Comparison:
    """Vectors, with all that queries need measured once. The matrix itself is not copied.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32
        A memory-mapped one stays on disk.
    metric : Metric
    centre : ndarray of shape (d,), float64
        The mean of the usable rows for centred measures, and for distances, where it changes
        nothing but keeps the digits; else zeros.
    lengths : ndarray of shape (n,), float64
        Distance of each row from the centre; NaN for those in `unranked`.
    unranked : ndarray, int64
        Rows that cannot be compared: not finite or, for a cosine, zero.
    """

    vectors: NDArray[np.float32]
    metric: Metric
    centre: NDArray[np.float64]
    lengths: NDArray[np.float64]
    unranked: NDArray[np.int64]

    @classmethod
    def of(cls, vectors: ArrayLike, metric: str, *, centre: ArrayLike | None = None) -> Comparison:
        """Measure vectors of shape (n, d) for queries by a key of `METRICS`.

        `centre`, of shape (d,), is what centred measures count from in place of the mean of
        these rows; it changes nothing in the others.
        """
        measure = metric_named(metric)
        matrix = _vectors.as_matrix(vectors)
        lengths = _vectors.norms(matrix)
        with np.errstate(invalid="ignore"):
            good = lengths <= _vectors.LARGEST_NORM
        middle = np.zeros(matrix.shape[1])
        if measure.centred or measure.kind == "euclidean":
            given = centre is not None and measure.centred
            middle = np.array(centre, np.float64) if given else _vectors.mean(matrix, good)
            around = _vectors.norms(matrix, middle)
            if measure.kind == "cosine":
                # A row that differs from the mean by rounding alone has no direction from it.
                good = good & (around > 1e-6 * lengths)
            lengths = around
        if measure.kind == "cosine":
            good = good & (lengths > 0)
        lengths[~good] = np.nan
        unranked = np.flatnonzero(~good)
        for array in (middle, lengths, unranked):
            array.flags.writeable = False
        return cls(matrix, measure, middle, lengths, unranked)

    @cached_property
    def ranked(self) -> NDArray[np.bool_]:
        """Which rows can be compared: shape (n,)."""
        return ~np.isnan(self.lengths)

    def row(self, row: int) -> NDArray[np.float64]:
        """Give a row as a query: shape (d,), as seen from the centre."""
        if not 0 <= row < len(self.vectors):
            raise EmbedlabError(
                f"There is no row {row}.", remedy=f"Rows are 0 to {len(self.vectors) - 1}."
            )
        if not self.ranked[row]:
            raise EmbedlabError(
                f"Row {row} cannot be a query by {self.metric.phrase}: its vector is not "
                "finite, or is zero.",
                remedy="Choose another picture.",
            )
        return np.asarray(self.vectors[row].astype(np.float64) - self.centre)

    def outsider(self, query: ArrayLike) -> NDArray[np.float64]:
        """Check a vector from elsewhere and give it as seen from the centre: shape (d,)."""
        vector = np.asarray(query, dtype=np.float64)
        if vector.ndim != 1:
            raise EmbedlabError(
                f"A query has the shape {vector.shape}.", remedy="Give a row or a vector."
            )
        self.check_length(len(vector))
        vector = vector - self.centre
        length = np.linalg.norm(vector)
        if not length <= _vectors.LARGEST_NORM:
            raise EmbedlabError(
                "The query's vector is not finite.", remedy="Embed the picture again."
            )
        if length == 0 and self.metric.kind == "cosine":
            raise EmbedlabError(
                "The query's vector is zero: it has no direction and no cosine.",
                remedy="Compare by dot product or distance.",
            )
        return vector

    def check_length(self, length: int) -> None:
        """Refuse queries of another length than d."""
        if length != self.vectors.shape[1]:
            raise EmbedlabError(
                f"The query has {length} dimensions; these vectors have {self.vectors.shape[1]}.",
                remedy="Embed the picture with the body that made the vectors.",
            )

    def inner(self, queries: NDArray[np.float64]) -> NDArray[np.float32]:
        """Multiply centred queries (m, d) with the centred rows: shape (m, n), float32."""
        with np.errstate(invalid="ignore", over="ignore"):
            inner: NDArray[np.float32] = queries.astype(np.float32) @ self.vectors.T
            if self._offset:  # (x - c).q = x.q - c.q: the rows stay as they are
                inner -= (queries @ self.centre).astype(np.float32)[:, None]
        return inner

    def nearness(self, queries: NDArray[np.float64]) -> NDArray[np.float32]:
        """Give numbers that order the rows as the measure does, high is near: (m, n), float32.

        Rows in `unranked` get -inf.
        """
        nearness = self.inner(queries)
        if self.metric.kind == "cosine":
            nearness *= self._divisors
        elif self.metric.kind == "euclidean":
            nearness -= self._half_squares
        if len(self.unranked):
            nearness[:, self.unranked] = -np.inf
        return nearness

    def tolerance(self, queries: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bound the error of `nearness`: shape (m,)."""
        error = _ROUNDING * np.sqrt(self.vectors.shape[1]) * np.linalg.norm(queries, axis=1)
        shortest, longest = self._extremes
        if self.metric.kind == "cosine":
            return np.asarray(error * (1 + self._offset / shortest))
        error *= longest + self._offset
        if self.metric.kind == "euclidean":
            error += _ROUNDING * longest**2
        return np.asarray(error)

    def scores(self, query: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compare one centred query with every row; NaN for those in `unranked`."""
        length = np.asarray(np.linalg.norm(query))
        inner = self.inner(query[None])[0].astype(np.float64)
        values = from_inner(self.metric, inner, length, self.lengths)
        if self.metric.kind == "euclidean":
            # |x|^2 + |q|^2 - 2 x.q loses its digits where x is close to q: there, subtract.
            close = np.flatnonzero(values**2 < 1e-3 * (self.lengths**2 + length**2))
            values[close] = self.exact(close, query)
        values[self.unranked] = np.nan
        return values

    def exact(self, rows: NDArray[np.int64], query: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compare a centred query with some rows in float64; equal rows get equal scores."""
        values = np.empty(len(rows))
        length = np.asarray(np.linalg.norm(query))
        for part in _vectors.blocks(len(rows), 16 * self.vectors.shape[1]):
            block = self.vectors[rows[part]].astype(np.float64)
            block -= self.centre
            if self.metric.kind == "euclidean":
                block -= query
                values[part] = np.sqrt(np.einsum("ij,ij->i", block, block))
            else:
                inner = np.einsum("ij,j->i", block, query)
                values[part] = from_inner(self.metric, inner, length, self.lengths[rows[part]])
        return values

    @cached_property
    def _offset(self) -> float:
        return 2 * float(np.linalg.norm(self.centre))

    @cached_property
    def _extremes(self) -> tuple[float, float]:
        lengths = self.lengths[self.ranked]
        return float(lengths.min(initial=np.inf)), float(lengths.max(initial=0))

    @cached_property
    def _divisors(self) -> NDArray[np.float32]:
        return np.asarray(1 / self.lengths, np.float32)

    @cached_property
    def _half_squares(self) -> NDArray[np.float32]:
        return np.asarray(self.lengths**2 / 2, np.float32)
