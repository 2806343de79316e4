"""Pictures in order, a chunk at a time, wherever they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from embedlab.data.archives import archive_kind, unpack
from embedlab.data.dataset import Dataset, Skipped
from embedlab.data.listing import Entry, Listing, walk_folder
from embedlab.data.sources import SOURCES, check_there, load_dataset
from embedlab.embedding.places import Place, is_uri, walk_place
from embedlab.embedding.spool import Spool
from embedlab.errors import EmbedlabError
from embedlab.progress import Progress, silent

STANDARD_INPUT = "-"
ARCHIVES = ("zip", "tar", "gzip", "bzip2", "xz")
_BLOCK = 1 << 16
_ENDING = re.compile(r"(\.tar)?\.[^.]+$")


class Stream(Protocol):
    """Pictures in a fixed order, of which a few at a time are looked at."""

    @property
    def name(self) -> str:
        """What people call them."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; empty where there are none."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for people."""
        ...

    def __len__(self) -> int: ...

    def chunk(self, start: int, stop: int) -> Dataset:
        """Give the pictures start..stop - 1 as a dataset, unchecked."""
        ...

    def skipped(self) -> Iterator[Skipped]:
        """Say which files were left out before any was read, and why."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class _Opened:
    """A dataset that is open already, as a stream."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self.name, self.classes, self.notes = dataset.name, dataset.classes, dataset.notes

    def __len__(self) -> int:
        return len(self._dataset)

    def chunk(self, start: int, stop: int) -> Dataset:
        return self._dataset.take(range(start, stop))

    def skipped(self) -> Iterator[Skipped]:
        return iter(self._dataset.skipped)

    def close(self) -> None:
        """Nothing is held."""


def check_source(source: str) -> None:
    """Refuse, as `open_stream` does, what there is not; without looking into what there is."""
    if source != STANDARD_INPUT:
        check_there(source)


def open_stream(
    source: str,
    spool: Path,
    *,
    lines: IO[bytes] | None = None,
    root: Path | None = None,
    limit: int | None = None,
    seed: int = 123,
    progress: Progress = silent,
) -> Stream:
    """Open pictures for one pass.

    Parameters
    ----------
    source : str
        What `load_dataset` takes, or "-" for a list of paths on `lines`. Folders, archives and
        lists are written to `spool` and take no memory a picture then; the names in an archive do
        until they are.
    spool : Path
        A file to list them in; an old one is replaced.
    lines : binary file, optional
        Paths, one a line, or each ended by a zero byte (``find -print0``).
    root, limit, seed, progress
        As for `load_dataset`.

    Returns
    -------
    Stream

    Raises
    ------
    EmbedlabError
        As from `load_dataset`.
    """
    path = Path(source).expanduser()
    if source == STANDARD_INPUT or (source not in SOURCES and path.exists()):
        if root is not None:
            raise EmbedlabError(
                f"Only named sets take --root, and {source} is none.", remedy="Leave it out."
            )
        if source == STANDARD_INPUT or path.is_dir():
            return open_spool(source, spool, lines=lines, limit=limit, seed=seed, progress=progress)
        if path.suffix.lower() != ".npz" and archive_kind(path) in ARCHIVES:
            listed = Spool(spool, _ENDING.sub("", path.name) or path.name)
            entries = _entries(unpack(path, progress=progress))
            listed.fill(entries, wrapped=True, limit=limit, seed=seed, progress=progress)
            return listed
    return _Opened(load_dataset(source, root=root, limit=limit, seed=seed, progress=progress))


def open_spool(
    source: str,
    spool: Path,
    *,
    lines: IO[bytes] | None = None,
    limit: int | None = None,
    seed: int = 123,
    progress: Progress = silent,
) -> Spool:
    """List pictures that lie in files of their own: in a folder, an object store, or a list.

    Parameters
    ----------
    source : str
        A folder, a URI that `embedlab.embedding.places.Place.of` takes, or "-".
    spool, lines, limit, seed, progress
        As for `open_stream`.

    Returns
    -------
    Spool

    Raises
    ------
    EmbedlabError
        If it is none of these, or holds no picture.
    """
    if source == STANDARD_INPUT:
        if lines is None:
            raise ValueError("give lines with '-'")
        listed = Spool(spool, "standard input")
        listed.fill_in_order(_paths(lines), limit=limit, seed=seed, progress=progress)
        return listed
    if is_uri(source):
        place = Place.of(source)
        entries, name = walk_place(place), place.path.rstrip("/").rpartition("/")[2]
    elif (path := Path(source).expanduser()).is_dir():
        entries, name = walk_folder(path), path.resolve().name
    else:
        raise EmbedlabError(
            f"{source} is no folder and no URI of one.",
            remedy="Give a folder of pictures, a URI such as s3://bucket/photos, or - for a list.",
        )
    listed = Spool(spool, name)
    listed.fill(entries, limit=limit, seed=seed, progress=progress)
    return listed


def _entries(listing: Listing) -> Iterator[Entry]:
    """Give what lies in an unpacked archive as `walk_folder` gives what lies in a folder."""
    yield from (Entry("folder", name, Path(name)) for name in listing.folders)
    yield from (Entry("picture", file.id, file.path) for file in listing.files)
    yield from (Entry("other", file.id, file.path) for file in listing.others)
    yield from (Entry("hidden", "", Path()) for _ in range(listing.hidden))
    for refused in listing.refused:
        yield Entry("refused", refused.id, Path(refused.id), refused.reason)


def _paths(lines: IO[bytes]) -> Iterator[bytes]:
    """Cut a stream of bytes at line ends, or at zero bytes where there are any."""
    block = lines.read(_BLOCK)
    end = b"\0" if b"\0" in block else b"\n"
    rest = b""
    while block:
        *whole, rest = (rest + block).split(end)
        yield from whole
        block = lines.read(_BLOCK)
    yield rest
