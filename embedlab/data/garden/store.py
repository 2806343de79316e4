"""Drawn pictures on disk: one file, opened memory-mapped, each picture with its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.garden.factors import flower
from embedlab.data.garden.scene import SIDE, draw

ROW = np.dtype([("digest", "u1", 32), ("picture", "u1", (SIDE, SIDE, 3))])
"""One picture on disk: SHA-256 of its bytes, then its bytes. A digest of zeros: not drawn yet."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Garden pictures from a file (the `Pictures` protocol).

    A picture whose bytes no longer fit their digest is drawn again when it is opened.

    Parameters
    ----------
    rows : ndarray of shape (n,), dtype `ROW`
        Usually memory-mapped, read-only.
    seed : int
        The garden's.
    """

    rows: NDArray[np.void]
    seed: int

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def array(self) -> NDArray[np.uint8]:
        """All pictures: ndarray of shape (n, 128, 128, 3), uint8, read-only, as they lie there."""
        return np.asarray(self.rows["picture"])

    def open(self, index: int) -> Image.Image:
        """Decode picture `index`."""
        picture = np.array(self.rows["picture"][index])
        if hashlib.sha256(picture.data).digest() != self.rows["digest"][index].tobytes():
            picture = draw(flower(index, seed=self.seed))
        return Image.fromarray(picture)

    def digest(self, index: int) -> str:
        """Give the SHA-256 of picture `index`."""
        return bytes(self.rows["digest"][index]).hex()

    def path(self, index: int) -> Path | None:
        """Garden pictures are no files."""
        return None


def paint_row(rows: NDArray[np.void], index: int, *, seed: int) -> None:
    """Draw picture `index` into its row; the digest, which says that it is done, goes last."""
    picture = draw(flower(index, seed=seed))
    rows["picture"][index] = picture
    rows["digest"][index] = np.frombuffer(hashlib.sha256(picture.data).digest(), np.uint8)


def done(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Say which pictures are drawn: shape (n,)."""
    return np.array(rows["digest"].any(axis=1))


def key() -> str:
    """Name what the pictures hang on besides seed and number: this code, NumPy, Pillow."""
    digest = hashlib.sha256(f"{np.__version__} {PIL.__version__}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]


def opened(path: Path, n_pictures: int) -> NDArray[np.void] | None:
    """Open a finished file, or give None where it is missing, damaged or unfinished."""
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if rows.dtype != ROW or rows.shape != (n_pictures,) or not done(rows).all():
        return None
    opened_rows: NDArray[np.void] = rows
    return opened_rows
