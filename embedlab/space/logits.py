"""Logits: pictures ranked by a class's score, and one logit taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors
from embedlab.space.neighbours import NeighbourIndex, Ranking
from embedlab.space.prototypes import fit_dimensions


@dataclass(frozen=True, eq=False)
class Alignments:
    """How far every picture points along one class's prototype.

    Parameters
    ----------
    scores : ndarray of shape (n,), float64
        Dot product with the prototype: without the bias, and blind to the other classes.
    logits : ndarray of shape (n,), float64
        The score and the bias.
    probabilities : ndarray of shape (n,), float64
        Softmax over the logits of all classes.
    order : ndarray, int64
        Rows, the highest score first, then by row; without those that are not finite (NaN
        above).
    """

    scores: NDArray[np.float64]
    logits: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    order: NDArray[np.int64]

    def most(self, k: int) -> NDArray[np.int64]:
        """Give the k rows that point along the prototype most, the most first."""
        return self.order[: max(k, 0)]

    def least(self, k: int) -> NDArray[np.int64]:
        """Give the k rows that point along it least, the least first."""
        return self.order[::-1][: max(k, 0)]


def alignments(weight: ArrayLike, bias: ArrayLike, vectors: ArrayLike, class_: int) -> Alignments:
    """Score every picture by one class's prototype.

    Parameters
    ----------
    weight : array_like of shape (c, d)
        The head's rows.
    bias : array_like of shape (c,)
    vectors : array_like of shape (n, d)
    class_ : int
        The class, as a row of `weight`.
    """
    rows, offsets = np.asarray(weight, np.float64), np.asarray(bias, np.float64)
    matrix = _vectors.as_matrix(vectors)
    fit_dimensions(rows.shape[1], matrix.shape[1])
    good = _vectors.usable(matrix)
    products = np.full((len(matrix), len(rows)), np.nan)
    for part in _vectors.blocks(len(matrix), 8 * matrix.shape[1]):
        chosen = np.flatnonzero(good[part]) + part.start
        products[chosen] = matrix[chosen].astype(np.float64) @ rows.T
    logits = products + offsets
    powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    scores = products[:, class_]
    order = np.lexsort((np.arange(len(scores)), -scores))
    return Alignments(
        scores=scores,
        logits=logits[:, class_],
        probabilities=powers[:, class_] / powers.sum(axis=1),
        order=order[good[order]],
    )


@dataclass(frozen=True, eq=False)
class LogitParts:
    """One logit taken apart: |x| |w| cos + bias, and x_j w_j by dimension.

    Parameters
    ----------
    length_x, length_w : float
        Lengths of the picture's vector and of the prototype.
    cosine : float
        Of the angle between them; 0 if one of them is zero.
    dot : float
        Their product: the exact sum of `contributions`, rounded once.
    bias : float
    logit : float
        ``dot + bias``.
    contributions : ndarray of shape (d,), float64
        What each dimension adds.
    """

    length_x: float
    length_w: float
    cosine: float
    dot: float
    bias: float
    logit: float
    contributions: NDArray[np.float64]

    def top(self, k: int) -> NDArray[np.int64]:
        """Give the k dimensions that add or take most, the largest magnitude first."""
        return np.argsort(-np.abs(self.contributions), kind="stable")[: max(k, 0)]


def logit_parts(prototype: ArrayLike, bias: float, vector: ArrayLike) -> LogitParts:
    """Take the logit of one picture and one class apart.

    Parameters
    ----------
    prototype : array_like of shape (d,)
        The class's row of the head.
    bias : float
    vector : array_like of shape (d,)
        The picture's embedding.

    Raises
    ------
    EmbedlabError
        If the lengths differ or the vector is not finite.
    """
    w, x = np.asarray(prototype, np.float64), np.asarray(vector, np.float64)
    fit_dimensions(len(w), len(x))
    if not np.isfinite(x).all():
        raise EmbedlabError(
            "The picture's vector is not finite.", remedy="Embed the picture again."
        )
    contributions = x * w
    dot = fsum(contributions)
    length_x, length_w = float(np.linalg.norm(x)), float(np.linalg.norm(w))
    lengths = length_x * length_w
    cosine = min(max(dot / lengths, -1.0), 1.0) if lengths > 0 else 0.0
    offset = float(bias)
    return LogitParts(length_x, length_w, cosine, dot, offset, dot + offset, contributions)


def exciting(vectors: ArrayLike, dimension: int, k: int) -> Ranking:
    """Find the pictures in which one dimension is highest.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        Rows that are not finite are left out.
    dimension : int
    k : int

    Returns
    -------
    Ranking
        The highest first; scores are the values in that dimension.
    """
    matrix = _vectors.as_matrix(vectors)
    if not 0 <= dimension < matrix.shape[1]:
        raise EmbedlabError(
            f"There is no dimension {dimension}.",
            remedy=f"Dimensions are 0 to {matrix.shape[1] - 1}.",
        )
    unit = np.zeros(matrix.shape[1])
    unit[dimension] = 1
    return NeighbourIndex.of(matrix, "dot").nearest(unit, k)
