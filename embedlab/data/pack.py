"""Many small encoded pictures in one file, so that a page of them costs one read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError


class Pack:
    """Many small encoded pictures in one file, read without decoding.

    Parameters
    ----------
    folder : Path
        Where the pack lies.
    name : str
        ``NAME.bin`` holds the pictures one after the other, ``NAME.npy`` the (n + 1,) int64
        offsets at which they begin and the last one ends.
    """

    def __init__(self, folder: Path, name: str) -> None:
        try:
            self._offsets: NDArray[np.int64] = np.load(folder / f"{name}.npy", allow_pickle=False)
            size = (folder / f"{name}.bin").stat().st_size
        except (OSError, ValueError, EOFError) as error:
            raise EmbedlabError(
                f"The pictures {folder / name}.bin cannot be read: {error}.",
                remedy="Copy the run again from where it came.",
            ) from None
        if self._offsets[-1] != size:
            raise EmbedlabError(
                f"{folder / name}.bin has {size:,} bytes where {self._offsets[-1]:,} belong.",
                remedy="The run was copied only in part; copy it again.",
            )
        self._bytes: NDArray[np.uint8] = (
            np.memmap(folder / f"{name}.bin", dtype=np.uint8, mode="r")
            if size
            else np.empty(0, np.uint8)
        )

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: int) -> bytes:
        """Give picture `index`, encoded (JPEG)."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._bytes[self._offsets[index] : self._offsets[index + 1]].tobytes()

    @staticmethod
    def write(folder: Path, name: str, pictures: Iterable[bytes]) -> None:
        """Write a pack, one picture after the other."""
        offsets = [0]
        with (folder / f"{name}.bin").open("wb") as file:
            for picture in pictures:
                file.write(picture)
                offsets.append(offsets[-1] + len(picture))
        np.save(folder / f"{name}.npy", np.array(offsets, np.int64))
