"""Parts of an extraction: up to 256 neighbouring pictures each, in memory or as a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embedlab.data.dataset import Skipped
from embedlab.data.pack import Pack
from embedlab.errors import EmbedlabError
from embedlab.files import new_folder

PART = 256


class Encoded(Protocol):
    """Encoded pictures by number."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> bytes: ...


@dataclass
class Part:
    """What came of some pictures that follow each other.

    Parameters
    ----------
    rows : list of int, length m
        The dataset's rows that were embedded, ascending.
    embeddings : list of ndarrays of shape (any, d), float32
        Together of m rows.
    thumbnails, inputs : Encoded, length m
    failed : list of Skipped
    """

    rows: list[int] = field(default_factory=list)
    embeddings: list[NDArray[np.float32]] = field(default_factory=list)
    thumbnails: Encoded = field(default_factory=list)
    inputs: Encoded = field(default_factory=list)
    failed: list[Skipped] = field(default_factory=list)

    def save(self, work: Path, start: int) -> Part:
        """Keep the part that begins at row `start`; give the kept one, which takes no memory.

        A part with failures is not kept: a file that cannot be read now may be there tomorrow.
        """
        if self.failed:
            return self
        try:
            with new_folder(_folder(work, start)) as folder:
                np.save(folder / "embeddings.npy", np.concatenate(self.embeddings))
                Pack.write(folder, "thumbnails", each(self.thumbnails))
                Pack.write(folder, "inputs", each(self.inputs))
        except FileExistsError:  # another process was quicker with the same content
            return self
        return Part.load(work, start, len(self.rows)) or self

    @staticmethod
    def load(work: Path, start: int, n: int) -> Part | None:
        """Open the kept part of rows start..start + n - 1; None where it is not there whole."""
        folder = _folder(work, start)
        if not folder.is_dir():
            return None
        try:
            vectors = np.load(folder / "embeddings.npy", mmap_mode="r", allow_pickle=False)
            thumbnails, inputs = Pack(folder, "thumbnails"), Pack(folder, "inputs")
            if {len(vectors), len(thumbnails), len(inputs)} == {n}:
                return Part(list(range(start, start + n)), [vectors], thumbnails, inputs)
        except (OSError, ValueError, EmbedlabError):
            pass
        shutil.rmtree(folder)
        return None


class Chained(Sequence[bytes]):
    """Encoded pictures of several parts, one after the other."""

    def __init__(self, links: list[Encoded]) -> None:
        self._links = links
        self._ends = np.cumsum([0, *(len(link) for link in links)])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> bytes:  # type: ignore[override]
        """Give picture `index`."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        link = int(np.searchsorted(self._ends, index, side="right")) - 1
        return self._links[link][index - int(self._ends[link])]


def each(pictures: Encoded) -> Iterator[bytes]:
    """Give them in order."""
    return (pictures[i] for i in range(len(pictures)))


def _folder(work: Path, start: int) -> Path:
    return work / f"part-{start:08d}"
