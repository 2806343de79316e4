"""How many dimensions vectors really use, and the same cloud in no more than it needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors
from embedlab.space.neighbours import knn


def intrinsic_dimension(vectors: ArrayLike, *, discard: float = 0.1) -> float:
    """Estimate the dimension of the surface that vectors lie on, from two neighbours each.

    TwoNN: for each point, the ratio of the distances to its second and to its first neighbour
    follows a Pareto law whose exponent is the dimension. E. Facco, M. d'Errico, A. Rodriguez,
    A. Laio, "Estimating the intrinsic dimension of datasets by a minimal neighborhood
    information", Scientific Reports 7, 12140 (2017).

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        Rows that are not finite, and all but one of equal rows, are left out.
    discard : float
        Share of the largest ratios that the fit leaves out, as the authors do.

    Raises
    ------
    EmbedlabError
        If fewer than ten different vectors remain, or their distances are all equal.
    """
    matrix = _vectors.as_matrix(vectors)
    different = np.unique(matrix[_vectors.usable(matrix)], axis=0)
    if len(different) < 10:
        raise EmbedlabError(
            f"The intrinsic dimension cannot be told from {len(different)} different vectors.",
            remedy="Ten are the least; some hundreds make it worth reading.",
        )
    near = knn(different, 2, "euclidean").scores.astype(np.float64)
    ratios = np.log(np.sort(near[near[:, 0] > 0, 1] / near[near[:, 0] > 0, 0]))
    n = len(ratios)
    # The largest ratio has an empirical distribution of 1, whose logarithm is infinite.
    kept = max(min(int(n * (1 - discard)), n - 1), 1)
    x, y = ratios[:kept], -np.log(1 - np.arange(1, kept + 1) / n)
    if not (x @ x) > 0:
        raise EmbedlabError(
            "The intrinsic dimension cannot be told: every vector has its two nearest at the "
            "same distance.",
            remedy="Look at the participation ratio.",
        )
    return float((x @ y) / (x @ x))


def participation_ratio(vectors: ArrayLike) -> float:
    r"""Count the directions among which the variance is spread.

    :math:`(\sum_i \lambda_i)^2 / \sum_i \lambda_i^2` over the eigenvalues of the covariance:
    m if m directions carry the same variance each and the others none.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        Rows that are not finite are left out.

    Returns
    -------
    float
        Between 1 and min(n - 1, d); 0 where all vectors are equal.
    """
    matrix = _vectors.as_matrix(vectors)
    good = _vectors.usable(matrix)
    centred = matrix[good] - _vectors.mean(matrix, good)
    n, d = centred.shape
    scatter = centred.T @ centred if d <= n else centred @ centred.T  # the same eigenvalues
    total, squares = float(np.trace(scatter)), float((scatter**2).sum())
    scale = float(np.abs(matrix[good]).max(initial=0))
    if total <= n * d * (1e-6 * scale) ** 2:
        return 0.0
    return total**2 / squares


def compact(vectors: ArrayLike) -> NDArray[np.float32]:
    """Turn a cloud of few long vectors so that it needs no more numbers than it has vectors.

    All dot products are kept, and with them all distances, cosines, centred or not, and
    everything that follows from them: neighbours, PCA, UMAP. 734 pictures of 256 x 256 x 3 numbers
    become a matrix of 734 x 734: 2.2 MB in place of 577. The input is read once, a block of
    dimensions at a time, and may lie on disk.

    The matrix of dot products is factored by LAPACK's pivoted Cholesky decomposition, which
    also takes matrices of lower rank.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        Of any real type; a memory-mapped array is not loaded whole.

    Returns
    -------
    ndarray of shape (n, r), float32
        r is at most min(n, d). The coordinates mean nothing by themselves. Rows that are not
        finite stay so: NaN.
    """
    from scipy.linalg.lapack import dpstrf

    array = np.asarray(vectors)
    if array.ndim != 2:
        return _vectors.as_matrix(array)
    n, d = array.shape
    gram = np.zeros((n, n))
    with np.errstate(invalid="ignore", over="ignore"):
        for columns in _vectors.blocks(d, 4 * n):
            block = np.ascontiguousarray(array[:, columns], dtype=np.float32)
            gram += block @ block.T
    bad = ~(np.diagonal(gram) <= _vectors.LARGEST_NORM**2)
    gram[bad] = gram[:, bad] = 0
    # Below this, what is left of a row is rounding of the float32 products.
    tolerance = 1e-6 * float(np.diagonal(gram).max(initial=0))
    factor, pivots, rank, _ = dpstrf(gram.T, tol=tolerance, lower=1, overwrite_a=1)
    turned = np.zeros((n, rank), np.float32)
    for row, pivot in enumerate(pivots - 1):
        length = min(row + 1, rank)
        turned[pivot, :length] = factor[row, :length]
    turned[bad] = np.nan
    return turned
