"""How far a drawing can be trusted, and how two drawings are laid over each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors

SAMPLE = 3000


def neighbours_kept(knn_rows: ArrayLike, coordinates: ArrayLike, k: int) -> NDArray[np.float64]:
    """Say of each picture how many of its true neighbours are near it in the drawing too.

    Parameters
    ----------
    knn_rows : array_like of shape (n, m), int
        True neighbours, nearest first, as `embedlab.space.neighbours.knn` gives them; the
        first k are taken.
    coordinates : array_like of shape (n, 2) or (n, 3)
    k : int
        Clamped to m.

    Returns
    -------
    ndarray of shape (n,), float64
        Share of the k true neighbours among the k nearest points of the drawing, 0 to 1. NaN
        for pictures that are not drawn or have no neighbours. Chance is k / (n - 1).
    """
    from scipy.spatial import cKDTree

    true, drawn = np.asarray(knn_rows), np.asarray(coordinates, np.float64)
    true = true[:, :k]
    kept = np.full(len(drawn), np.nan)
    there = np.isfinite(drawn).all(axis=1)
    scored = np.flatnonzero(there & (true >= 0).any(axis=1))
    k = min(true.shape[1], int(there.sum()) - 1)
    if k < 1 or not len(scored):
        return kept
    rows = np.flatnonzero(there)
    # Among equal points the picture itself may come in any place, or not at all: ask for one more.
    _, near = cKDTree(drawn[rows]).query(drawn[scored], k=k + 1)
    near = rows[near]
    itself = near == scored[:, None]
    itself[~itself.any(axis=1), -1] = True
    near = near[~itself].reshape(len(scored), k)
    shared = (true[scored, :, None] == near[:, None, :]).any(axis=2)
    kept[scored] = shared.sum(axis=1) / np.maximum((true[scored] >= 0).sum(axis=1), 1)
    return kept


def trustworthiness(
    vectors: ArrayLike,
    coordinates: ArrayLike,
    *,
    k: int = 15,
    metric: str = "euclidean",
    seed: int = 0,
) -> float:
    """Say how rarely a drawing shows as neighbours what are none.

    scikit-learn's measure. J. Venna, S. Kaski, "Neighborhood preservation in nonlinear
    projection methods: an experimental study" (2001).

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        Of more than 3,000 rows, so many are drawn at random.
    coordinates : array_like of shape (n, 2) or (n, 3)
    k : int
        Size of the neighbourhoods; clamped to what the measure is defined for, below n / 2.
    metric : "euclidean" or "cosine"
    seed : int
        Of the draw.

    Returns
    -------
    float
        1 is perfect; about 0.5 is chance.

    Raises
    ------
    EmbedlabError
        If fewer than four pictures are drawn.
    """
    from sklearn.manifold import trustworthiness as measure

    matrix, drawn = _vectors.as_matrix(vectors), np.asarray(coordinates)
    good = _vectors.usable(matrix) & np.isfinite(drawn).all(axis=1)
    rows = np.flatnonzero(good)
    if len(rows) < 4:
        raise EmbedlabError(
            f"Trustworthiness needs four pictures, and {len(rows)} are drawn.",
            remedy="Add pictures; with so few, look at the distances themselves.",
        )
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))
    k = min(k, (len(rows) - 1) // 2)
    return float(measure(matrix[rows], drawn[rows], n_neighbors=k, metric=metric))


@dataclass(frozen=True, eq=False)
class Alignment:
    """One drawing laid over another.

    Parameters
    ----------
    coordinates : ndarray of shape (n, k), float32
        The moving drawing, turned (and mirrored where that fits better), shifted and scaled.
    rotation : ndarray of shape (k, k), float64
        Orthogonal.
    scale : float
    remaining : float
        The squared distance that is left, as a share of the reference's spread: 0 where the
        two are the same drawing, 1 where they have nothing in common.
    """

    coordinates: NDArray[np.float32]
    rotation: NDArray[np.float64]
    scale: float
    remaining: float


def align(reference: ArrayLike, moving: ArrayLike, *, scale: bool = True) -> Alignment:
    """Turn, shift and scale a drawing so that it lies over another one of the same pictures.

    Orthogonal Procrustes by SciPy. P. H. Schönemann, "A generalized solution of the orthogonal
    Procrustes problem", Psychometrika 31 (1966), 1-10.

    Parameters
    ----------
    reference, moving : array_like of shape (n, k)
        Row i of both is the same picture. Rows that are not finite in either are not fitted;
        those of `moving` that are finite are moved all the same.
    scale : bool
        Whether the size may change too.
    """
    from scipy.linalg import orthogonal_procrustes

    fixed, free = np.asarray(reference, np.float64), np.asarray(moving, np.float64)
    if fixed.shape != free.shape:
        raise EmbedlabError(
            f"Drawings of the shapes {fixed.shape} and {free.shape} cannot be laid over each "
            "other.",
            remedy="Take the same pictures and as many axes from both.",
        )
    both = np.isfinite(fixed).all(axis=1) & np.isfinite(free).all(axis=1)
    if not both.any():
        raise EmbedlabError(
            "No picture is drawn in both.", remedy="Compare runs of the same pictures."
        )
    centre, origin = fixed[both].mean(axis=0), free[both].mean(axis=0)
    target, source = fixed[both] - centre, free[both] - origin
    rotation, agreement = orthogonal_procrustes(source, target)
    size = float((source**2).sum())
    factor = agreement / size if scale and size > 0 else 1.0
    moved = (free - origin) @ rotation * factor + centre
    spread = float((target**2).sum())
    left = float(((moved[both] - fixed[both]) ** 2).sum())
    remaining = left / spread if spread > 0 else float(left > 0)
    return Alignment(moved.astype(np.float32), np.asarray(rotation), float(factor), remaining)
