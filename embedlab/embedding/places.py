"""Places: folders on this machine or in an object store, by path or URI."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from embedlab.data.listing import PICTURE_SUFFIXES, Entry, is_hidden
from embedlab.errors import EmbedlabError
from embedlab.files import new_file

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_uri(text: str) -> bool:
    """Say whether a text names a place by URI, such as s3://bucket/photos."""
    return bool(_URI.match(text))


@dataclass(frozen=True, eq=False)
class Place:
    """A folder, wherever it is.

    Parameters
    ----------
    filesystem : pyarrow.fs.FileSystem
    path : str
        The folder, as the filesystem spells it.
    name : str
        As a person spells it.
    """

    filesystem: Any
    path: str
    name: str

    @classmethod
    def of(cls, text: str) -> Place:
        """Find a place by its path or URI.

        pyarrow knows file, s3, gs, abfs and hdfs; all other schemes are left to fsspec. Who may
        enter, and by which address, is said as these libraries want it: by environment
        variables or the URI's query.

        Raises
        ------
        EmbedlabError
            If nobody knows the scheme, or its package is missing.
        """
        from pyarrow import fs

        if not is_uri(text):
            path = Path(text).expanduser().absolute()
            return cls(fs.LocalFileSystem(), path.as_posix(), text)
        plain = text.partition("?")[0]
        try:
            filesystem, path = fs.FileSystem.from_uri(text)
            return cls(filesystem, path, plain)
        except (OSError, ValueError):
            pass  # perhaps fsspec knows it
        try:
            import fsspec

            found, path = fsspec.core.url_to_fs(text)
        except (ImportError, ValueError, OSError) as error:
            raise EmbedlabError(
                f"{plain} cannot be opened: {error}.",
                remedy="Give a path, or a URI that pyarrow or fsspec knows, such as s3:// or gs://.",
            ) from None
        return cls(fs.PyFileSystem(fs.FSSpecHandler(found)), path, plain)

    @property
    def folder(self) -> Path | None:
        """The folder on this machine; None elsewhere."""
        from pyarrow import fs

        return Path(self.path) if isinstance(self.filesystem, fs.LocalFileSystem) else None

    def at(self, name: str) -> str:
        """Spell the path of something in it."""
        return f"{self.path.rstrip('/')}/{name}"

    def read(self, name: str) -> bytes | None:
        """Read a file in it; None where there is none."""
        try:
            with self.filesystem.open_input_file(self.at(name)) as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None

    def write(self, name: str, data: Any) -> None:
        """Write a file in it: whole, or not at all.

        Object stores show a file when it is complete; on a disk it is written beside and renamed.
        """
        if self.folder is not None:
            with new_file(Path(self.at(name))) as path:
                path.write_bytes(data)
            return
        self.filesystem.create_dir(self.at(name).rpartition("/")[0], recursive=True)
        with self.filesystem.open_output_stream(self.at(name)) as file:
            file.write(data)

    def names(self, folder: str = "") -> list[str]:
        """Name the files that lie in it, or in a folder of it; empty where there is none."""
        from pyarrow import fs

        where = self.at(folder) if folder else self.path
        selector = fs.FileSelector(where, allow_not_found=True)
        found = self.filesystem.get_file_info(selector)
        return sorted(info.base_name for info in found if info.is_file)

    def remove(self, name: str) -> None:
        """Delete a file in it."""
        self.filesystem.delete_file(self.at(name))

    def remove_folder(self, name: str) -> None:
        """Delete a folder in it with all that it holds."""
        self.filesystem.delete_dir(self.at(name))


def walk_place(place: Place) -> Iterator[Entry]:
    """Go through all that lies below a place in an object store, a folder at a time.

    The rules are those of `embedlab.data.listing.walk_folder`, but for one: no file is opened to
    see whether it is a picture, so its name has to say so.

    Parameters
    ----------
    place : Place

    Yields
    ------
    Entry
        Its path is the picture's key, its stamp its size and time of change.

    Raises
    ------
    EmbedlabError
        If the place is not there or may not be read.
    """
    from pyarrow import fs

    top = place.path.rstrip("/")
    waiting = [top]
    while waiting:
        try:
            found = place.filesystem.get_file_info(fs.FileSelector(waiting.pop()))
        except OSError as error:
            raise EmbedlabError(
                f"{place.name} cannot be listed: {str(error).splitlines()[0]}",
                remedy="Check its name, its region, and that you may read it.",
            ) from None
        for info in found:
            id_ = info.path[len(top) + 1 :]
            path = Path(info.path)
            if is_hidden(info.base_name):
                yield Entry("hidden", id_, path)
            elif not info.is_file:
                yield Entry("folder", id_, path)
                waiting.append(info.path)
            elif path.as_posix() != info.path or not id_:
                yield Entry("refused", id_, path, "has a key that is no path")
            elif PurePosixPath(id_).suffix.lower() in PICTURE_SUFFIXES:
                yield Entry("picture", id_, path, stamp=f"{info.size}:{info.mtime_ns}")
            else:
                yield Entry("other", id_, path)


def stamp_of(path: Path) -> str:
    """Give a file's size and time of change; empty where it cannot be asked."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}"
