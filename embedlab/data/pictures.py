"""Pictures by number, in files or in an array, and their thumbnails."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.decoding import MAX_PIXELS, PictureError, decode

__all__ = [
    "MAX_PIXELS",
    "SIDE",
    "ArrayPictures",
    "FilePictures",
    "PictureError",
    "decode",
    "thumbnail",
    "thumbnail_of",
]

SIDE = 128


def thumbnail(picture: Image.Image, *, side: int = SIDE) -> bytes:
    """Encode a small copy of a picture as JPEG, without metadata.

    Parameters
    ----------
    picture : PIL.Image.Image
        Mode RGB.
    side : int
        The longer side of the copy is at most this, in pixels. Smaller pictures keep their size.

    Returns
    -------
    bytes
        About 4 kB for a photograph at 128 pixels.
    """
    small = picture.copy()
    small.info = {}
    small.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    # Halved colour resolution shows in pictures of a few dozen pixels, where it saves nothing.
    subsampling = 0 if max(small.size) <= 64 else 2
    file = io.BytesIO()
    small.save(file, "JPEG", quality=85, optimize=True, subsampling=subsampling)
    return file.getvalue()


def thumbnail_of(data: bytes | Path, *, side: int = SIDE) -> bytes:
    """Make a thumbnail of an encoded picture, decoding no more of it than is needed.

    Parameters
    ----------
    data : bytes or Path
        An encoded picture, or the file that holds one.
    side : int
        As in `thumbnail`.

    Returns
    -------
    bytes
        JPEG.

    Raises
    ------
    PictureError
        As from `decode`.
    """
    return thumbnail(decode(data, at_least=2 * side), side=side)


@dataclass(frozen=True, eq=False)
class FilePictures:
    """Pictures in files.

    Parameters
    ----------
    paths : sequence of Path, length n
    digests : sequence of str, length n
        SHA-256 of each file's bytes.
    """

    paths: Sequence[Path]
    digests: Sequence[str]

    def __post_init__(self) -> None:
        if len(self.paths) != len(self.digests):
            raise ValueError(f"{len(self.digests)} digests for {len(self.paths)} paths")

    def __len__(self) -> int:
        return len(self.paths)

    def open(self, index: int) -> Image.Image:
        """Decode picture `index`; see `decode`."""
        return decode(self.paths[index])

    def digest(self, index: int) -> str:
        """Give the SHA-256 of file `index`, 64 hexadecimal digits."""
        return self.digests[index]

    def path(self, index: int) -> Path | None:
        """Say which file picture `index` lies in."""
        return self.paths[index]


@dataclass(frozen=True, eq=False)
class ArrayPictures:
    """Pictures in an array, which may be memory-mapped.

    Parameters
    ----------
    array : ndarray of shape (n, height, width) or (n, height, width, 3), uint8
        Grey pictures are repeated to RGB when they are opened.
    """

    array: NDArray[np.uint8]

    def __post_init__(self) -> None:
        shape = self.array.shape
        grey, colour = len(shape) == 3, len(shape) == 4 and shape[3] == 3
        if self.array.dtype != np.uint8 or not (grey or colour):
            raise ValueError(
                "pictures are uint8 of shape (n, height, width) or (n, height, width, 3); "
                f"given {self.array.dtype} of shape {shape}"
            )

    def __len__(self) -> int:
        return len(self.array)

    def open(self, index: int) -> Image.Image:
        """Give picture `index`: mode RGB, as large as the array has it."""
        return Image.fromarray(np.ascontiguousarray(self.array[index])).convert("RGB")

    def digest(self, index: int) -> str:
        """Give the SHA-256 of picture `index`'s shape and values, 64 hexadecimal digits."""
        one = np.ascontiguousarray(self.array[index])
        return hashlib.sha256(f"{one.shape}".encode() + one.tobytes()).hexdigest()

    def path(self, index: int) -> Path | None:
        """Say that picture `index` lies in no file of its own."""
        return None
