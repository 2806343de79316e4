"""What lies in a folder: its files by name and path, without following links out of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from embedlab.data.dataset import Skipped
from embedlab.data.formats import looks_like_picture
from embedlab.errors import EmbedlabError

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".webp", ".tif", ".tiff"}
    | {".heic", ".heif", ".avif", ".svg", ".eps", ".jp2", ".jxl"}
)
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


@dataclass(frozen=True)
class Found:
    """A file that may be a picture.

    Parameters
    ----------
    id : str
        Its path below the root, with forward slashes, always valid Unicode.
    path : Path
        Where it lies on this machine.
    """

    id: str
    path: Path


@dataclass(frozen=True)
class Entry:
    """One thing that lies in a folder.

    Parameters
    ----------
    kind : "picture", "other", "folder", "hidden" or "refused"
        A picture is what is called like one or begins like one.
    id : str
        As in `Found`.
    path : Path
        As in `Found`.
    reason : str
        Why it is refused.
    stamp : str
        Its size and time of change, where the listing tells them at no cost.
    """

    kind: Literal["picture", "other", "folder", "hidden", "refused"]
    id: str
    path: Path
    reason: str = ""
    stamp: str = ""


@dataclass(frozen=True)
class Listing:
    """What lies in a folder or an unpacked archive.

    Parameters
    ----------
    files : tuple of Found
        What is or claims to be a picture, in no particular order.
    others : tuple of Found
        Other files: texts, tables.
    folders : tuple of str
        All folders below the root, empty ones too, with forward slashes.
    hidden : int
        How many hidden files and folders were left out, and what operating systems strew.
    refused : tuple of Skipped
        Links that lead out, files that cannot be opened, and why.
    """

    files: tuple[Found, ...]
    others: tuple[Found, ...] = ()
    folders: tuple[str, ...] = ()
    hidden: int = 0
    refused: tuple[Skipped, ...] = ()

    def below(self, folder: str) -> Listing:
        """Give the listing of one folder in it, with ids that begin there."""
        start = f"{folder}/"

        def cut(files: tuple[Found, ...]) -> tuple[Found, ...]:
            return tuple(
                Found(file.id[len(start) :], file.path)
                for file in files
                if file.id.startswith(start)
            )

        folders = tuple(name[len(start) :] for name in self.folders if name.startswith(start))
        return Listing(cut(self.files), cut(self.others), folders, self.hidden, self.refused)


def list_folder(root: Path) -> Listing:
    """Find all files below a folder.

    Links to files inside the root are taken; links that lead out, links to folders, and what is
    no regular file are refused and listed. Hidden files are counted and left out.

    Parameters
    ----------
    root : Path
        An existing folder.

    Returns
    -------
    Listing

    Raises
    ------
    EmbedlabError
        If the folder is missing or cannot be read.
    """
    files: list[Found] = []
    others: list[Found] = []
    folders: list[str] = []
    refused: list[Skipped] = []
    hidden = 0
    for entry in walk_folder(root):
        if entry.kind == "refused":
            refused.append(Skipped(entry.id, entry.reason))
        elif entry.kind == "hidden":
            hidden += 1
        elif entry.kind == "folder":
            folders.append(entry.id)
        else:
            found = Found(entry.id, entry.path)
            (files if entry.kind == "picture" else others).append(found)
    return Listing(tuple(files), tuple(others), tuple(folders), hidden, tuple(refused))


def walk_folder(root: Path) -> Iterator[Entry]:
    """Go through all that lies below a folder, in no particular order, holding none of it.

    Parameters
    ----------
    root : Path
        An existing folder.

    Yields
    ------
    Entry
        By the rules of `list_folder`.

    Raises
    ------
    EmbedlabError
        If the folder is missing or cannot be read.
    """
    try:
        base = root.resolve(strict=True)
        os.scandir(base).close()
    except OSError as error:
        raise EmbedlabError(
            f"The folder {root} cannot be read: {error.strerror or error}.",
            remedy="Check its name and that you may open it.",
        ) from error
    for entry, id_ in _walk(base):
        if isinstance(entry, OSError):
            yield Entry("refused", id_, base, f"cannot be opened: {entry.strerror or entry}")
            continue
        path = Path(entry.path)
        if is_hidden(entry.name):
            yield Entry("hidden", id_, path)
        elif entry.is_dir(follow_symlinks=False):
            yield Entry("folder", id_, path)
        elif reason := _refusal(entry, base):
            yield Entry("refused", id_, path, reason)
        else:
            yield Entry("picture" if may_be_picture(Found(id_, path)) else "other", id_, path)


def is_hidden(name: str) -> bool:
    """Say whether a file or folder of this name is kept out of people's sight."""
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


def may_be_picture(file: Found) -> bool:
    """Say whether a file is called like a picture or begins like one."""
    if Path(file.id).suffix.lower() in PICTURE_SUFFIXES:
        return True
    try:
        with file.path.open("rb") as opened:
            return looks_like_picture(opened.read(32))
    except OSError:
        return False


def natural_key(name: str) -> tuple[tuple[tuple[int, str], ...], str]:
    """Sort as people count: 2.jpg before 10.jpg, whatever the case of the letters."""
    parts = re.split(r"([0-9]+)", name.casefold())
    for i in range(1, len(parts), 2):
        parts[i] = parts[i].lstrip("0")
    # Numbers of more digits are greater, so that none has to be computed, however long it is.
    return tuple((len(part) if i % 2 else 0, part) for i, part in enumerate(parts)), name


def as_text(name: str) -> str:
    """Spell out bytes that are not Unicode, so that a name can be written anywhere."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _walk(root: Path) -> Iterator[tuple[os.DirEntry[str] | OSError, str]]:
    """Go through all entries below a folder, hidden folders and links unopened."""
    waiting = [(str(root), "")]
    while waiting:
        folder, prefix = waiting.pop()
        try:
            with os.scandir(folder) as opened:
                for entry in opened:
                    id_ = prefix + as_text(entry.name)
                    yield entry, id_
                    if entry.is_dir(follow_symlinks=False) and not is_hidden(entry.name):
                        waiting.append((entry.path, f"{id_}/"))
        except OSError as error:
            yield error, prefix.rstrip("/")


def _refusal(entry: os.DirEntry[str], base: Path) -> str:
    """Say why an entry is not taken; empty when it is."""
    if not entry.is_symlink():
        return "" if entry.is_file() else "is no regular file"
    try:
        target = Path(entry.path).resolve(strict=True)
    except (OSError, RuntimeError):
        return "is a link that leads nowhere"
    if not target.is_relative_to(base):
        return "is a link that leads out of the folder; copy what it points to into the folder"
    return "" if target.is_file() else "is a link to a folder; links to folders are not followed"
