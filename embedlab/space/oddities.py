"""What is odd about the pictures: some are there twice, some leak, some are like no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space.neighbours import Neighbours, knn


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pictures that are the same, or nearly.

    Parameters
    ----------
    rows : ndarray of shape (m, 2), int64
        The lower row first; equal content first, then by distance.
    distances : ndarray of shape (m,), float64
        Euclidean, in units of the median picture's distance to its nearest other.
    exact : ndarray of shape (m,), bool
        Whether the content of the two pictures is the same.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]
    exact: NDArray[np.bool_]

    def take(self, chosen: NDArray[np.bool_]) -> Pairs:
        """Give the pairs of a mask."""
        return Pairs(self.rows[chosen], self.distances[chosen], self.exact[chosen])


def near_duplicates(
    vectors: ArrayLike,
    *,
    digests: Sequence[str] | None = None,
    closer_than: float = 1 / 3,
    k: int = 10,
    near: Neighbours | None = None,
) -> Pairs:
    """Find pictures that lie much closer together than pictures do here.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        Rows that are not finite pair by digest only.
    digests : sequence of str, length n, optional
        Digests of the pictures' content; equal ones are exact duplicates. Empty for a picture
        whose content is not known.
    closer_than : float
        What counts as near: a share of the median distance of a picture to its nearest other.
    k : int
        How many neighbours of each picture are looked at.
    near : Neighbours, optional
        Each picture's k nearest by Euclidean distance, where they are known already.
    """
    near = near or knn(vectors, k, "euclidean")
    nearest = near.scores[:, 0] if near.scores.shape[1] else np.empty(0, np.float32)
    nearest = nearest[np.isfinite(nearest)]
    unit = float(np.median(nearest)) if len(nearest) else 0.0
    pairs: dict[tuple[int, int], tuple[bool, float]] = {}
    if digests is not None:
        first: dict[str, int] = {}
        for row, digest in enumerate(digests):
            if digest and (twin := first.setdefault(digest, row)) != row:
                pairs[twin, row] = (True, 0.0)
    for row, column in np.argwhere(near.scores <= closer_than * unit):
        a, b = sorted((int(row), int(near.rows[row, column])))
        exact = digests is not None and bool(digests[a]) and digests[a] == digests[b]
        away = float(near.scores[row, column]) / unit if unit > 0 else 0.0
        if not exact:
            pairs[a, b] = (False, away)
    order = sorted(pairs, key=lambda pair: (not pairs[pair][0], pairs[pair][1], pair))
    return Pairs(
        np.array(order, np.int64).reshape(-1, 2),
        np.array([pairs[pair][1] for pair in order], np.float64),
        np.array([pairs[pair][0] for pair in order], bool),
    )


def leaks(pairs: Pairs, split: ArrayLike) -> Pairs:
    """Keep the pairs whose two pictures lie in different parts.

    Parameters
    ----------
    pairs : Pairs
    split : array_like of shape (n,), str
        "train" or "validation".
    """
    parts = np.asarray(split)
    return pairs.take(parts[pairs.rows[:, 0]] != parts[pairs.rows[:, 1]])


@dataclass(frozen=True, eq=False)
class Outliers:
    """How far each picture is from all others.

    Parameters
    ----------
    scores : ndarray of shape (n,), float64
        Mean distance to the k nearest, in units of the median picture's: 1 is usual, 2 is far.
        NaN for pictures whose vectors are not finite.
    rows : ndarray, int64
        The farthest first.
    """

    scores: NDArray[np.float64]
    rows: NDArray[np.int64]


def outliers(
    vectors: ArrayLike, *, k: int = 10, metric: str = "euclidean", near: Neighbours | None = None
) -> Outliers:
    """Find pictures that are like no other.

    The mean distance to the k nearest neighbours: F. Angiulli, C. Pizzuti, "Fast outlier
    detection in high dimensional spaces", PKDD 2002.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
    k : int
        Clamped to n - 1.
    metric : "euclidean" or "cosine"
        Under the cosine, the distance is 1 - cosine.
    near : Neighbours, optional
        Each picture's k nearest by this metric, where they are known already.
    """
    if metric not in ("euclidean", "cosine"):
        raise EmbedlabError(f"{metric!r} is no distance.", remedy="Choose euclidean or cosine.")
    near = near or knn(vectors, k, metric)
    scores = np.full(len(near.rows), np.nan)
    if near.scores.shape[1]:
        away = near.scores if metric == "euclidean" else np.maximum(1 - near.scores, 0)
        scores = away.mean(axis=1, dtype=np.float64)
        unit = float(np.nanmedian(scores)) if np.isfinite(scores).any() else 0.0
        scores = scores / unit if unit > 0 else np.where(np.isnan(scores), np.nan, 1.0)
    rows = np.lexsort((np.arange(len(scores)), -scores))
    return Outliers(scores, rows[np.isfinite(scores[rows])])
