"""Ledger: what is finished of a matrix, a file a chunk, named by what it was made of."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedlab.data.dataset import Skipped
from embedlab.errors import EmbedlabError
from embedlab.files import PARTIAL, new_file

if TYPE_CHECKING:
    from filelock import FileLock

Texts = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Block:
    """Neighbouring rows of a matrix, with what is known about each.

    Parameters
    ----------
    vectors : ndarray of shape (m, d), float32
    ids, paths, labels : ndarrays of shape (m,), str
        A path is empty where a picture lies in no file of its own, a label where there are no
        classes.
    """

    vectors: NDArray[np.float32]
    ids: Texts
    paths: Texts
    labels: Texts

    def __post_init__(self) -> None:
        lengths = [len(x) for x in (self.vectors, self.ids, self.paths, self.labels)]
        if len(set(lengths)) > 1 or self.vectors.ndim != 2:
            raise ValueError(f"rows differ: vectors {self.vectors.shape}, {lengths}")

    def take(self, kept: NDArray[np.bool_]) -> Block:
        """Give the rows that are kept."""
        return Block(self.vectors[kept], self.ids[kept], self.paths[kept], self.labels[kept])


@dataclass(frozen=True, eq=False)
class Part:
    """What came of one chunk of pictures.

    Parameters
    ----------
    block : Block
        Those that were embedded.
    numbers : ndarray of shape (m,), int64
        Their places in the chunk, ascending.
    skipped : sequence of Skipped
        The others, and why.
    """

    block: Block
    numbers: NDArray[np.int64]
    skipped: Sequence[Skipped]


class Ledger:
    """A folder beside the matrix in which parts lie until all of them are there.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, key: str) -> Part | None:
        """Read a part; None where it is not there, or not whole."""
        path = self._path(key)
        try:
            with np.load(path, allow_pickle=False) as kept:
                return Part(
                    Block(kept["vectors"], kept["ids"], kept["paths"], kept["labels"]),
                    kept["numbers"],
                    [Skipped(str(id_), str(why)) for id_, why in kept["skipped"]],
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            path.unlink(missing_ok=True)
            return None

    def keep(self, key: str, part: Part) -> None:
        """Write a part, whole or not at all."""
        block = part.block
        with new_file(self._path(key)) as path, path.open("wb") as file:
            np.savez(
                file,
                allow_pickle=False,
                vectors=block.vectors,
                ids=block.ids,
                paths=block.paths,
                labels=block.labels,
                numbers=part.numbers,
                skipped=np.array([(s.id, s.reason) for s in part.skipped], str).reshape(-1, 2),
            )

    def parts(self, keys: Sequence[str]) -> Iterator[Part]:
        """Give finished parts in order, one in memory at a time."""
        for key in keys:
            part = self.find(key)
            if part is None:
                raise EmbedlabError(
                    f"A finished part has vanished from {self.folder}.",
                    remedy="Run the same command again; it makes what is missing.",
                )
            yield part

    def _path(self, key: str) -> Path:
        return self.folder / f"{key[:40]}.npz"


@contextmanager
def ledger_beside(output: Path) -> Iterator[Ledger]:
    """Give the ledger of an output; it stays when the work is stopped and goes when it is done.

    Parameters
    ----------
    output : Path
        Where the matrix will be.

    Yields
    ------
    Ledger

    Raises
    ------
    EmbedlabError
        If another process is making the same output.
    """
    from filelock import FileLock, Timeout

    folder = output.with_name(f"{PARTIAL}{output.name}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise EmbedlabError(
            f"{output} is being made by another process.", remedy="Wait for it, or stop it."
        ) from None
    except OSError as error:
        raise EmbedlabError(
            f"Nothing can be written beside {output}: {error.strerror or error}.",
            remedy="Choose another place for the output.",
        ) from None
    try:
        yield Ledger(folder)
    except BaseException:
        # Whoever comes next must not find half of it, so the lock is let go last.
        if not any(folder.glob("*.npz")):  # nothing to go on from
            _remove(folder, lock)
        else:
            lock.release()
        raise
    _remove(folder, lock)


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    if os.name == "nt":  # where an open file cannot be removed, and so neither its folder
        shutil.rmtree(folder, ignore_errors=True)
