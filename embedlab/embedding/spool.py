"""Spool: a list of pictures on disk, in the order of a dataset."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from embedlab.data.archives import file_digest
from embedlab.data.dataset import Dataset, Skipped
from embedlab.data.folders import arrange
from embedlab.data.listing import Entry, Found, Listing, natural_key
from embedlab.data.notes import count, named
from embedlab.data.pictures import decode
from embedlab.data.sampling import sample, sample_note
from embedlab.errors import EmbedlabError
from embedlab.files import same_file
from embedlab.progress import Progress, silent

_TABLES = """
CREATE TABLE found (folder INTEGER, name TEXT, id TEXT, path BLOB, stamp TEXT);
CREATE TABLE pictures (number INTEGER PRIMARY KEY, id TEXT, path BLOB, label INTEGER, stamp TEXT);
CREATE TABLE skipped (id TEXT, reason TEXT);
"""
_LOOSE = "It lies beside the class folders, so it has no class."
_REPORT_EVERY = 2000


@dataclass(frozen=True)
class Row:
    """A picture as it is listed: its id, its path, its class by number, and its stamp."""

    id: str
    path: Path
    label: int | None
    stamp: str


class Spool:
    """A list of picture files on disk: a million of them need no more memory than a thousand.

    Names, order and classes are those of `embedlab.data.folders.folder_dataset`. Memory is
    needed for each folder, not for each picture. No picture is opened before its chunk is asked
    for.

    Parameters
    ----------
    file : Path
        The list itself, an SQLite file; an old one is replaced.
    name : str
        What people call the pictures.
    """

    def __init__(self, file: Path, name: str) -> None:
        file.unlink(missing_ok=True)
        self.name = name
        self.classes: tuple[str, ...] = ()
        self.notes: tuple[str, ...] = ()
        self._length = 0
        self._list = sqlite3.connect(file)
        # It is made anew by every process, so nothing has to survive a crash.
        self._list.execute("PRAGMA journal_mode=OFF")
        self._list.execute("PRAGMA synchronous=OFF")
        self._list.execute("PRAGMA temp_store=FILE")
        self._list.executescript(_TABLES)
        self._list.create_function("as_counted", 1, natural_bytes, deterministic=True)

    def __len__(self) -> int:
        return self._length

    def close(self) -> None:
        """Let go of the file."""
        self._list.close()

    def fill(
        self,
        entries: Iterable[Entry],
        *,
        wrapped: bool = False,
        limit: int | None = None,
        seed: int = 123,
        progress: Progress = silent,
    ) -> None:
        """List what lies in a folder or an archive.

        Parameters
        ----------
        entries : iterable of Entry
            As `walk_folder` gives them.
        wrapped : bool
            As for `embedlab.data.folders.arrange`.
        limit : int, optional
            Keep a random sample of at most this many.
        seed : int
            Decides which sample.
        progress : Progress

        Raises
        ------
        EmbedlabError
            If there is no picture.
        """
        folders: list[str] = []
        first: dict[str, tuple[int, Found]] = {}
        others: list[str] = []
        counts = dict.fromkeys(("picture", "other", "folder", "hidden", "refused"), 0)
        for entry in entries:
            counts[entry.kind] += 1
            if entry.kind == "picture":
                folder, _, name = entry.id.rpartition("/")
                number, _ = first.setdefault(folder, (len(first), Found(entry.id, entry.path)))
                row = (number, name, entry.id, os.fsencode(entry.path), entry.stamp)
                self._list.execute("INSERT INTO found VALUES (?, ?, ?, ?, ?)", row)
                if counts["picture"] % _REPORT_EVERY == 0:
                    progress("listing pictures", counts["picture"], counts["picture"])
            elif entry.kind == "folder":
                folders.append(entry.id)
            elif entry.kind == "refused":
                self._skip(entry.id, entry.reason)
            elif entry.kind == "other" and len(others) < 3:
                others.append(entry.id)
        self._list.execute("CREATE INDEX by_folder ON found (folder, name)")
        # One picture of each folder is enough to tell classes from folders.
        examples = tuple(found for _, found in first.values())
        arranged = arrange(Listing(examples, folders=tuple(folders)), wrapped=wrapped)
        numbers = {found.path: (number, found.id) for number, found in first.values()}
        labels = arranged.labels
        self.classes = tuple(sorted(set(labels or ())))
        for place, file in enumerate(arranged.files):
            number, id_ = numbers[file.path]
            self._list.execute(
                "INSERT INTO pictures (id, path, label, stamp) "
                "SELECT substr(id, ?), path, ?, stamp FROM found "
                f"WHERE folder = ? ORDER BY {'name' if labels else 'as_counted(name)'}",
                (
                    len(id_) - len(file.id) + 1,
                    self.classes.index(labels[place]) if labels else None,
                    number,
                ),
            )
        for file in arranged.loose if labels else ():
            self._list.execute(
                "INSERT INTO skipped SELECT id, ? FROM found WHERE folder = ?",
                (_LOOSE, numbers[file.path][0]),
            )
        self._list.execute("DROP TABLE found")
        notes = []
        if counts["hidden"]:
            notes.append(f"Hidden files and folders left out: {counts['hidden']:,}.")
        if counts["other"]:
            more = f" and {counts['other'] - 3:,} more" if counts["other"] > 3 else ""
            notes.append(f"Files that are no pictures left out: {', '.join(others)}{more}.")
        if arranged.empty:
            notes.append(f"No pictures were found in these folders: {named(arranged.empty)}.")
        self._finish(notes, limit, seed)

    def fill_in_order(
        self,
        paths: Iterable[bytes],
        *,
        limit: int | None = None,
        seed: int = 123,
        progress: Progress = silent,
    ) -> None:
        """List given paths, in the order given and without classes.

        Parameters
        ----------
        paths : iterable of bytes
            As the file system spells them. A carriage return at the end is dropped, and so are
            empty ones.
        limit, seed, progress
            As for `fill`.

        Raises
        ------
        EmbedlabError
            If none of them is a file.
        """
        self._list.execute("CREATE UNIQUE INDEX once ON pictures (path)")
        for done, raw in enumerate(paths):
            given = raw.removesuffix(b"\r")
            if not given:
                continue
            path = Path(os.fsdecode(given))
            id_ = as_text(path)
            if not path.is_file():
                self._skip(id_, "is a folder" if path.is_dir() else "is no file that is here")
                continue
            try:
                row = (id_, os.fsencode(path))
                self._list.execute("INSERT INTO pictures (id, path) VALUES (?, ?)", row)
            except sqlite3.IntegrityError:
                self._skip(id_, "is listed twice; it is taken once")
            if done % _REPORT_EVERY == 0:
                progress("listing pictures", done, done)
        self._list.execute("DROP INDEX once")
        self._finish([], limit, seed)

    def rows(self, start: int, stop: int) -> list[Row]:
        """Give pictures start..stop - 1 as they are listed."""
        found = self._list.execute(
            "SELECT id, path, label, stamp FROM pictures "
            "WHERE number > ? AND number <= ? ORDER BY number",
            (start, stop),
        )
        return [
            Row(id_, Path(os.fsdecode(path)), None if label is None else int(label), stamp or "")
            for id_, path, label, stamp in found
        ]

    def chunk(self, start: int, stop: int) -> Dataset:
        """Give pictures start..stop - 1 as a dataset."""
        rows = self.rows(start, stop)
        return Dataset(
            name=self.name,
            ids=tuple(row.id for row in rows),
            pictures=_Files([row.path for row in rows]),
            labels=np.array([row.label for row in rows], np.int64) if self.classes else None,
            classes=self.classes,
        )

    def holds(self, file: Path) -> bool:
        """Say whether a file is one of the pictures."""
        end = os.fsencode(file.name)
        found = self._list.execute(
            "SELECT path FROM pictures WHERE substr(path, ?) = ?", (-len(end), end)
        )
        return any(same_file(Path(os.fsdecode(path)), file) for (path,) in found)

    def skipped(self) -> Iterator[Skipped]:
        """Say which files were left out before any was opened, and why."""
        rows = self._list.execute("SELECT id, reason FROM skipped ORDER BY rowid")
        return (Skipped(id_, reason) for id_, reason in rows)

    def _skip(self, id_: str, reason: str) -> None:
        self._list.execute("INSERT INTO skipped VALUES (?, ?)", (id_, reason))

    def _count(self, table: str) -> int:
        return int(self._list.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def _finish(self, notes: list[str], limit: int | None, seed: int) -> None:
        found = self._count("pictures")
        if not found:
            left = next(self.skipped(), None)
            raise EmbedlabError(
                f"There is no picture in {self.name} that can be used.",
                remedy=f"{count(self._count('skipped'), 'file')} left out; the first, {left.id}: "
                f"{left.reason}"
                if left
                else "It should hold pictures (JPEG, PNG, GIF, BMP, WebP, TIFF) or a folder for "
                "each class.",
            )
        if limit is not None:
            drawn = sample(found, limit=limit, seed=seed)
            self._list.execute("CREATE TABLE drawn (number INTEGER PRIMARY KEY)")
            self._list.executemany("INSERT INTO drawn VALUES (?)", ((i + 1,) for i in drawn))
            self._list.executescript(
                "CREATE TABLE kept (number INTEGER PRIMARY KEY, id, path, label, stamp);"
                "INSERT INTO kept (id, path, label, stamp) SELECT id, path, label, stamp "
                "FROM pictures JOIN drawn USING (number) ORDER BY number;"
                "DROP TABLE pictures; ALTER TABLE kept RENAME TO pictures;"
            )
            notes = [*notes, *sample_note(len(drawn), found, seed=seed)]
        self._length = self._count("pictures")
        self.notes = tuple(notes)
        self._list.commit()


def natural_bytes(name: str) -> bytes:
    """Spell `natural_key` so that comparing bytes compares keys: 2.jpg before 10.jpg."""
    parts, whole = natural_key(name)
    spelt = b"".join(
        b"\1" + length.to_bytes(2, "big") + text.encode() if i % 2 else text.encode() + b"\0"
        for i, (length, text) in enumerate(parts)
    )
    return spelt + b"\0" + whole.encode()


def as_text(path: Path) -> str:
    """Spell out bytes of a path that are not Unicode, so that it can be written anywhere."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@dataclass(frozen=True, eq=False)
class _Files:
    """Pictures in files that nobody has opened yet."""

    paths: Sequence[Path]

    def __len__(self) -> int:
        return len(self.paths)

    def open(self, index: int) -> Image.Image:
        return decode(self.paths[index])

    def digest(self, index: int) -> str:
        return file_digest(self.paths[index])

    def path(self, index: int) -> Path | None:
        return self.paths[index]
