"""Two ways to be alike, mixed: vectors whose dot product is a weighted mean of two cosines."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors


def mixed(first: ArrayLike, second: ArrayLike, share: float) -> NDArray[np.float32]:
    r"""Join two sets of vectors of the same pictures so that their cosines mix.

    Row i is :math:`[\sqrt{1 - s}\, a_i / |a_i| \,;\, \sqrt{s}\, b_i / |b_i|]`, so the dot product
    of rows i and j is :math:`(1 - s) \cos(a_i, a_j) + s \cos(b_i, b_j)`.

    Parameters
    ----------
    first : array_like of shape (n, d)
    second : array_like of shape (n, e)
    share : float
        How much the second one counts, 0 to 1.

    Returns
    -------
    ndarray of shape (n, d + e), float32
        A row is NaN where one that counts has no direction: it is zero or not finite.

    Raises
    ------
    EmbedlabError
        If the lengths differ or the share is not in 0..1.

    Examples
    --------
    >>> rows = mixed([[3.0, 0.0], [0.0, 2.0]], [[1.0], [5.0]], 0.25)
    >>> float((rows[0] @ rows[1]).round(6))  # 0.75 * 0 + 0.25 * 1
    0.25
    """
    a, b = _vectors.as_matrix(first), _vectors.as_matrix(second)
    if len(a) != len(b):
        raise EmbedlabError(f"{len(a)} and {len(b)} vectors cannot be mixed.")
    if not 0 <= share <= 1:
        raise EmbedlabError(f"The share is {share}.", remedy="It lies between 0 and 1.")
    parts = [_scaled(a, 1 - share), _scaled(b, share)]
    return np.concatenate(parts, axis=1)


def _scaled(vectors: NDArray[np.float32], weight: float) -> NDArray[np.float32]:
    """Bring rows to the length sqrt(weight)."""
    if weight == 0:
        return np.zeros_like(vectors)
    lengths = _vectors.norms(vectors)
    lengths[~_vectors.usable(vectors) | (lengths == 0)] = np.nan
    with np.errstate(invalid="ignore"):
        return np.asarray(vectors * (np.sqrt(weight) / lengths)[:, None], np.float32)
