"""Matrix: rows that are read from disk a block at a time; and its reduction by PCA."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embedlab.data.notes import count
from embedlab.embedding.ledger import Block, Ledger
from embedlab.embedding.pipeline import CHUNK
from embedlab.errors import EmbedlabError
from embedlab.progress import Progress, silent
from embedlab.space.views import padded, with_fixed_signs

# Of so many columns the covariance still fits into memory (134 MB).
WIDEST = 4096
# scikit-learn's IncrementalPCA forgets, after each batch, all but the axes that it keeps; with
# some to spare, those that are wanted come out nearly as from all rows at once.
SPARE = 32
_BATCH = 256
_Axes = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Matrix:
    """Rows in blocks.

    Parameters
    ----------
    n, d : int
        Its shape.
    classes : tuple of str
        Names of the classes; empty where the rows have none.
    numbers : ndarray of shape (n,), int64
        Which picture of the stream each row is, ascending.
    blocks : callable
        Begins a new pass over the rows: an iterator of Block.
    """

    n: int
    d: int
    classes: tuple[str, ...]
    numbers: NDArray[np.int64]
    blocks: Callable[[], Iterator[Block]]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.n, self.d

    @property
    def labelled(self) -> bool:
        """Whether the rows have classes."""
        return bool(self.classes)

    @classmethod
    def of(cls, ledger: Ledger, keys: Sequence[str], *, classes: tuple[str, ...]) -> Matrix:
        """Open what a ledger holds."""

        def blocks() -> Iterator[Block]:
            return (part.block for part in ledger.parts(keys) if len(part.numbers))

        numbers, d = [], 0
        for k, part in enumerate(ledger.parts(keys)):
            numbers.append(part.numbers + k * CHUNK)
            d = d or part.block.vectors.shape[1]
        rows = np.concatenate(numbers)
        return cls(len(rows), d, classes, rows, blocks)

    def take(self, kept: NDArray[np.bool_]) -> Matrix:
        """Give the matrix of some rows: `kept` is of shape (n,)."""

        def blocks() -> Iterator[Block]:
            row = 0
            for block in self.blocks():
                here = kept[row : row + len(block.ids)]
                row += len(block.ids)
                if here.any():
                    yield block.take(here)

        return replace(self, n=int(kept.sum()), numbers=self.numbers[kept], blocks=blocks)

    def gathered(self) -> Block:
        """Read all rows into memory."""
        found = list(self.blocks())
        return Block(
            np.concatenate([block.vectors for block in found]),
            np.concatenate([block.ids for block in found]),
            np.concatenate([block.paths for block in found]),
            np.concatenate([block.labels for block in found]),
        )


@dataclass(frozen=True, eq=False)
class Reduced:
    """A matrix in fewer dimensions.

    Parameters
    ----------
    matrix : Matrix
    kept : float
        Share of the variance that is left.
    notes : tuple of str
        Sentences for people.
    """

    matrix: Matrix
    kept: float
    notes: tuple[str, ...]


def reduce(matrix: Matrix, dimensions: int, *, progress: Progress = silent) -> Reduced:
    """Reduce a matrix to its first principal components, in two passes over its rows.

    Up to 4,096 columns, PCA is that of all rows: the eigenvectors of their covariance, which is
    summed block by block. Wider matrices are left to scikit-learn's IncrementalPCA (D. Ross,
    J. Lim, R.-S. Lin, M.-H. Yang, "Incremental learning for robust visual tracking", 2008), which
    comes close. In each axis the entry of largest magnitude is positive.

    Parameters
    ----------
    matrix : Matrix
    dimensions : int
        From 1 to the matrix's own. Columns beyond what the rows span are zeros.
    progress : Progress

    Returns
    -------
    Reduced

    Raises
    ------
    EmbedlabError
        If `dimensions` is out of its range.
    """
    check_dimensions(dimensions, matrix.d)
    find = _exactly if matrix.d <= WIDEST else _in_pieces
    axes, origin, share = find(matrix, min(dimensions, matrix.n), progress)
    spanned = share > 1e-10
    axes = padded(with_fixed_signs(np.where(spanned, axes, 0)), dimensions)

    def blocks() -> Iterator[Block]:
        for block in matrix.blocks():
            vectors = (block.vectors.astype(np.float64) - origin) @ axes
            yield replace(block, vectors=vectors.astype(np.float32))

    kept, flat = float(share.sum()), dimensions - int(spanned.sum())
    notes = [f"PCA: {dimensions:,} of {matrix.d:,} dimensions hold {kept:.1%} of the variance."]
    if flat:
        notes.append(
            f"{count(matrix.n, 'picture spans', 'pictures span')} {dimensions - flat:,} "
            f"dimensions; the last {flat:,} columns are zeros."
        )
    return Reduced(replace(matrix, d=dimensions, blocks=blocks), kept, tuple(notes))


def check_dimensions(wanted: int, d: int) -> None:
    """Refuse to reduce vectors of length d to none, or to more numbers than they have."""
    if not 1 <= wanted <= d:
        raise EmbedlabError(
            f"{wanted:,} dimensions were asked for, and the vectors have {d:,}.",
            remedy=f"Ask for 1 to {d:,}, or leave --dimensions out to keep all.",
        )


def _exactly(matrix: Matrix, k: int, progress: Progress) -> _Axes:
    """Find k principal axes (d, k), the mean (d,) and each axis's share of the variance (k,)."""
    from scipy.linalg import eigh

    scatter, total = np.zeros((matrix.d, matrix.d)), np.zeros(matrix.d)
    # Counted from a point among them, sums of squares of vectors far from 0 keep their digits.
    start, done = next(matrix.blocks()).vectors[0].astype(np.float64), 0
    for block in matrix.blocks():
        away = block.vectors - start
        total += away.sum(axis=0)
        scatter += away.T @ away
        done += len(away)
        progress("finding principal components", done, matrix.n)
    mean = total / matrix.n
    scatter -= matrix.n * np.outer(mean, mean)
    variance = max(float(np.trace(scatter)), 1e-300)
    found, axes = eigh(scatter, subset_by_index=[matrix.d - k, matrix.d - 1], overwrite_a=True)
    return axes[:, ::-1], start + mean, np.maximum(found[::-1], 0) / variance


def _in_pieces(matrix: Matrix, k: int, progress: Progress) -> _Axes:
    """Do nearly the same without a matrix of (d, d)."""
    from sklearn.decomposition import IncrementalPCA
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    wanted = min(k + SPARE, matrix.n, matrix.d)
    model, done = IncrementalPCA(wanted), 0
    for rows in _batches(matrix, max(_BATCH, wanted)):
        # More threads only wait for each other over pieces this small; one picture has no variance.
        with threadpool_limits(1), np.errstate(invalid="ignore"):
            model.partial_fit(rows.astype(np.float64))
        done += len(rows)
        progress("finding principal components", done, matrix.n)
    share = np.nan_to_num(model.explained_variance_ratio_[:k])
    return model.components_[:k].T, model.mean_, share


def _batches(matrix: Matrix, size: int) -> Iterator[NDArray[np.float32]]:
    """Give rows in batches of `size`; a shorter last one joins the one before it."""
    waiting: list[NDArray[np.float32]] = []
    left = matrix.n
    for block in matrix.blocks():
        for start in range(0, len(block.vectors), size):
            waiting.append(block.vectors[start : start + size])
            left -= len(waiting[-1])
            if sum(map(len, waiting)) >= size and left >= size:
                yield np.concatenate(waiting)
                waiting = []
    if waiting:
        yield np.concatenate(waiting)
