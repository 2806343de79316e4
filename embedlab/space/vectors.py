"""What every measure asks of a set of vectors first: its shape, its unusable rows, its mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError

BLOCK_BYTES = 64 * 2**20
LARGEST_NORM = 1e18  # beyond it, squares leave the range of float32


def as_matrix(vectors: ArrayLike) -> NDArray[np.float32]:
    """See vectors as one float32 matrix, without a copy where they are one.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        A memory-mapped, read-only array stays one.

    Returns
    -------
    ndarray of shape (n, d), float32

    Raises
    ------
    EmbedlabError
        If the array has not two axes.
    """
    matrix = np.asarray(vectors)
    if matrix.ndim != 2:
        raise EmbedlabError(
            f"Vectors have the shape {matrix.shape}; a matrix of shape (n, d) is needed.",
            remedy="One row a picture: vectors.reshape(len(vectors), -1).",
        )
    if matrix.dtype == np.float32:
        return matrix
    with np.errstate(over="ignore"):  # too large for float32 is inf, and found as such
        return matrix.astype(np.float32)


def blocks(n: int, row_bytes: int, budget: int = BLOCK_BYTES) -> Iterator[slice]:
    """Cut rows 0..n-1 into slices that take no more than `budget` bytes each."""
    step = max(1, budget // max(row_bytes, 1))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def norms(
    vectors: NDArray[np.float32], centre: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Measure each row's length, from `centre` if given: shape (n,), float64."""
    lengths = np.empty(len(vectors))
    with np.errstate(invalid="ignore", over="ignore"):
        for rows in blocks(len(vectors), 8 * vectors.shape[1]):
            block = vectors[rows].astype(np.float64)
            if centre is not None:
                block -= centre
            lengths[rows] = np.sqrt(np.einsum("ij,ij->i", block, block))
    return lengths


def usable(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say which rows hold numbers to work with: finite, and no longer than 1e18.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32

    Returns
    -------
    ndarray of shape (n,), bool
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(norms(vectors) <= LARGEST_NORM)  # False for NaN


def mean(vectors: NDArray[np.float32], rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Average the rows of a mask in float64: shape (d,); zeros where the mask is empty."""
    total = np.zeros(vectors.shape[1])
    for block in blocks(len(vectors), 8 * vectors.shape[1]):
        total += vectors[block][rows[block]].sum(axis=0, dtype=np.float64)
    return np.asarray(total / max(int(rows.sum()), 1))


def named(rows: NDArray[Any], limit: int = 5) -> str:
    """Name rows in a sentence: "3, 8, 11 and 4 more"."""
    first = ", ".join(str(int(row)) for row in rows[:limit])
    return first if len(rows) <= limit else f"{first} and {len(rows) - limit} more"


def refuse_unusable(vectors: NDArray[np.float32], purpose: str) -> None:
    """Raise an EmbedlabError that names the rows which are NaN, infinite or beyond float32."""
    bad = np.flatnonzero(~usable(vectors))
    if len(bad):
        raise EmbedlabError(
            f"{purpose} needs finite vectors; {len(bad)} of {len(vectors)} rows are not: "
            f"{named(bad)}.",
            remedy="Leave these rows out, or embed their pictures again.",
        )
