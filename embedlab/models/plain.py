"""Vectors without a network: pixels and colour histograms, to compare embeddings with."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.dataset import Dataset, Skipped
from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.files import new_folder
from embedlab.home import home
from embedlab.models.extraction import content_key
from embedlab.models.lookahead import each_picture
from embedlab.progress import Progress, silent

MANY = 4000
MANY_SIDE = 32
BINS = 8
_CHUNK_BYTES = 24 * 2**20
_BATCH = 64
_VERSION = "plain-1"


@dataclass(frozen=True, eq=False)
class Plain:
    """One set of plain vectors.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32
    about : dict
        What they are, in JSON values: title, n_dims (of the vectors as people understand them),
        stored (columns kept), what (sentences).
    """

    vectors: NDArray[np.float32]
    about: dict[str, Any]


def plain_vectors(
    dataset: Dataset, preprocessing: Preprocessing, *, progress: Progress = silent
) -> dict[str, Plain]:
    """Compute every set of `PLAIN` for the pictures of a dataset, as the model sees them.

    The pictures are decoded once. The result is kept by content in ``home("cache", "plain")``.
    Beyond the result, memory stays below 300 MB for 3,670 pictures of 256 x 256.

    Parameters
    ----------
    dataset : Dataset
        n pictures that can all be decoded.
    preprocessing : Preprocessing
    progress : Progress

    Returns
    -------
    dict of name to Plain

    Raises
    ------
    EmbedlabError
        If a picture cannot be decoded.
    """
    key = content_key(dataset, _VERSION, json.dumps(preprocessing.to_dict()))
    folder = home("cache", "plain") / key
    if not folder.is_dir():
        with _Seen.of(dataset, preprocessing, progress=progress) as seen:
            made = {name: make(seen, progress) for name, make in PLAIN.items()}
        try:
            with new_folder(folder) as new:
                for name, plain in made.items():
                    np.save(new / f"{name}.npy", plain.vectors)
                    (new / f"{name}.json").write_text(json.dumps(plain.about), encoding="utf-8")
        except FileExistsError:  # another process was quicker with the same content
            return made
    return {
        name: Plain(
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False),
            json.loads((folder / f"{name}.json").read_text(encoding="utf-8")),
        )
        for name in PLAIN
    }


def histograms(seen: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Count colours: the square roots of the shares of 8 x 8 x 8 boxes of red, green and blue.

    With square roots the dot product of two pictures is the Bhattacharyya coefficient of their
    colour distributions and every vector has length 1 (Swain and Ballard 1991 for the joint
    histogram; Bhattacharyya 1943).

    Parameters
    ----------
    seen : ndarray of shape (n, height, width, 3), uint8

    Returns
    -------
    ndarray of shape (n, 512), float32
    """
    n = len(seen)
    level = (seen.reshape(n, -1, 3) >> 5).astype(np.intp)
    box = (level[..., 0] * BINS + level[..., 1]) * BINS + level[..., 2]
    box += np.arange(n)[:, None] * BINS**3
    counts = np.bincount(box.ravel(), minlength=n * BINS**3).reshape(n, BINS**3)
    return np.asarray(np.sqrt(counts / max(box.shape[1], 1)), np.float32)


def isometric(
    chunks: Iterable[NDArray[np.float32]], n: int, *, tolerance: float = 1e-7
) -> NDArray[np.float32]:
    """Give n long vectors at most n coordinates that keep every dot product.

    With X of shape (n, d) and d > n, the Gram matrix ``X @ X.T`` is all that dot products,
    norms, distances, cosines, means and principal components depend on. Its pivoted Cholesky
    factor Z (n, r), ``Z @ Z.T == X @ X.T``, is X in an orthonormal basis that Gram-Schmidt makes
    of the rows themselves (Golub and Van Loan, Matrix Computations, 4.2.8). Unlike an
    eigenvector basis it keeps each dot product to the precision of the two rows concerned, and
    takes n^3 / 3 steps. X itself is never held.

    Parameters
    ----------
    chunks : iterable of ndarrays of shape (n, any), float32
        Groups of columns of X, each used once.
    n : int
    tolerance : float
        What is left of a squared norm below this share of the largest is taken for rounding.

    Returns
    -------
    ndarray of shape (n, r), float32
        r is the rank of X.
    """
    from scipy.linalg.lapack import dpstrf

    gram = np.zeros((n, n))
    for chunk in chunks:
        gram += chunk @ chunk.T
    largest = float(gram.diagonal().max(initial=0.0))
    if largest <= 0:
        return np.zeros((n, 1), np.float32)
    # A symmetric matrix is its own transpose: this hands LAPACK its column order without a copy.
    factor, pivots, rank, _ = dpstrf(gram.T, tol=tolerance * largest, lower=1, overwrite_a=1)
    coordinates = np.zeros((n, int(rank)), np.float32)
    for column in range(int(rank)):
        coordinates[pivots[column:] - 1, column] = factor[column:, column]
    return coordinates


class _Seen:
    """Small or big pictures of one size, on disk, in groups of columns.

    Reading a group of columns of every picture is one read in one piece, which is what the Gram
    matrix is summed from.
    """

    def __init__(self, n: int, side: int, preprocessing: Preprocessing, file: IO[bytes]) -> None:
        self.n, self.side, self.preprocessing = n, side, preprocessing
        self.n_dims = 3 * side * side
        width = max(1, _CHUNK_BYTES // (12 * max(n, 1))) * 3
        self._starts = [*range(0, self.n_dims, width), self.n_dims]
        self._file = file
        self.histograms = np.zeros((n, BINS**3), np.float32)

    @classmethod
    def of(cls, dataset: Dataset, preprocessing: Preprocessing, *, progress: Progress) -> _Seen:
        n = len(dataset)
        side = preprocessing.size if n <= MANY else min(preprocessing.size, MANY_SIDE)
        # Not the system's temporary folder: that one may lie in memory.
        file = tempfile.TemporaryFile(dir=home("cache", "plain"))  # noqa: SIM115 (closed by exit)
        seen = cls(n, side, preprocessing, file)
        batch: list[NDArray[np.uint8]] = []
        for row, found in each_picture(dataset, range(n), preprocessing.see):
            if isinstance(found, Skipped):
                file.close()
                raise EmbedlabError(f"{found.id} cannot be decoded: {found.reason}")
            seen.histograms[row] = histograms(found[None])[0]
            batch.append(_shrink(found, side))
            if len(batch) == _BATCH or row == n - 1:
                seen._write(row + 1 - len(batch), np.stack(batch).reshape(len(batch), -1))
                batch = []
                progress("reading pixels", row + 1, n)
        return seen

    def __enter__(self) -> _Seen:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _write(self, row: int, pixels: NDArray[np.uint8]) -> None:
        for start, stop in zip(self._starts, self._starts[1:], strict=False):
            self._file.seek(start * self.n + row * (stop - start))
            self._file.write(np.ascontiguousarray(pixels[:, start:stop]).data)

    def chunks(self, progress: Progress) -> Iterator[NDArray[np.float32]]:
        """Give the normalised pixels, a group of columns of all pictures at a time."""
        mean = np.array(self.preprocessing.mean, np.float32)
        std = np.array(self.preprocessing.std, np.float32)
        for start, stop in zip(self._starts, self._starts[1:], strict=False):
            self._file.seek(start * self.n)
            raw = self._file.read((stop - start) * self.n)
            values = np.frombuffer(raw, np.uint8).astype(np.float32).reshape(self.n, -1, 3)
            values /= np.float32(255)
            values -= mean
            values /= std
            yield values.reshape(self.n, -1)
            progress("comparing pixels", stop, self.n_dims)


def _shrink(seen: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if len(seen) == side:
        return seen
    small = Image.fromarray(seen).resize((side, side), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.uint8)


def _pixels(seen: _Seen, progress: Progress) -> Plain:
    fewer = (
        f" With more than {MANY:,} pictures, pixels are compared at {seen.side} px."
        if seen.side != seen.preprocessing.size
        else ""
    )
    kept = seen.n_dims > seen.n
    vectors = (
        isometric(seen.chunks(progress), seen.n)
        if kept
        else np.concatenate(list(seen.chunks(progress)), axis=1)
    )
    what = (
        f"What the model sees, {seen.side} x {seen.side} pixels of red, green and blue, "
        f"standardised and laid out in one row of {seen.n_dims:,} numbers.{fewer}"
    )
    how = (
        f" Kept as {vectors.shape[1]:,} coordinates that give the same dot products, lengths, "
        "distances, means and principal components."
    )
    about = {
        "title": "Pixels",
        "n_dims": seen.n_dims,
        "stored": int(vectors.shape[1]),
        "isometric": kept,
        "side": seen.side,
        "what": what + (how if kept else ""),
    }
    return Plain(vectors, about)


def _histogram(seen: _Seen, progress: Progress) -> Plain:
    about = {
        "title": "Colour histogram",
        "n_dims": BINS**3,
        "stored": BINS**3,
        "what": "Square roots of the shares of 8 x 8 x 8 boxes of red, green and blue in what "
        "the model sees; where a colour stands plays no part.",
    }
    return Plain(seen.histograms, about)


PLAIN: dict[str, Callable[[_Seen, Progress], Plain]] = {
    "pixels": _pixels,
    "histogram": _histogram,
}


def plain_files(made: dict[str, Plain], folder: Path) -> dict[str, Path]:
    """Write sets of vectors below `folder`, named as a run names them (see `save_run`)."""
    files = {}
    for name, plain in made.items():
        for suffix in ("npy", "json"):
            files[f"vectors/{name}.{suffix}"] = folder / f"{name}.{suffix}"
        np.save(folder / f"{name}.npy", np.asarray(plain.vectors, np.float32))
        (folder / f"{name}.json").write_text(json.dumps(plain.about), encoding="utf-8")
    return files
