"""Write beside, then rename: a file or folder on disk is old or new, never half."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PARTIAL = ".partial-"
FORGOTTEN_SECONDS = 86_400.0
_NOTE = "while writing "
_OURS = re.compile(re.escape(PARTIAL) + r"[0-9a-f]{8}-")


def _beside(target: Path) -> Path:
    return target.with_name(f"{PARTIAL}{uuid.uuid4().hex[:8]}-{target.name}"[:200])


def _sync(path: Path) -> None:
    """Flush a file (or, where the system allows it, a folder's entries) to the disk."""
    flags = os.O_RDONLY
    try:
        handle = os.open(path, flags)
    except (PermissionError, IsADirectoryError):  # folders cannot be opened on Windows
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def put_in_place(beside: Path, target: Path) -> None:
    """Put a finished file in the place of another, or a finished folder where nothing is.

    Parameters
    ----------
    beside, target : Path
        On one disk. Somebody on Windows may be reading `target`.
    """
    _rename(beside, target)
    _sync(target.parent)


def _rename(beside: Path, target: Path) -> None:
    for pause in (0.01, 0.03, 0.1, 0.3, 1.0):
        try:
            beside.replace(target)
            return
        except PermissionError:
            if os.name != "nt":
                raise
            time.sleep(pause)
    beside.replace(target)


def same_file(path: Path, other: Path) -> bool:
    """Say whether two paths lead to one file or folder that is there."""
    try:
        return path.samefile(other)
    except OSError:
        return False


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Give a path to write to; on leaving the block, the file takes its place at `target`.

    Parameters
    ----------
    target : Path
        Where the finished file belongs. An older file there is replaced in one step. When the
        block raises, the older file stays and the new one is dropped.

    Yields
    ------
    Path
        A path in the same folder.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(target)
    try:
        yield beside
        _sync(beside)
        put_in_place(beside, target)
    except BaseException as error:
        error.add_note(f"{_NOTE}{target}")
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill; on leaving the block, it takes its place at `target`.

    What a killed process has left of the same folder is removed.

    Parameters
    ----------
    target : Path
        Where the finished folder belongs. It must not exist yet.

    Yields
    ------
    Path
        An empty folder beside `target`.

    Raises
    ------
    FileExistsError
        If there is something at `target`, also when it came while the block ran.
    """
    if target.exists():
        raise FileExistsError(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_what_was_left_of(target)
    beside = _beside(target)
    with _claimed(beside):
        beside.mkdir()
        try:
            yield beside
            for path in beside.rglob("*"):
                _sync(path)
            _sync(beside)
            if target.exists():
                raise FileExistsError(target)
            beside.rename(target)
            _sync(target.parent)
        except BaseException as error:
            error.add_note(f"{_NOTE}{target}")
            shutil.rmtree(beside, ignore_errors=True)
            raise


@contextmanager
def passing_folder(place: Path) -> Iterator[Path]:
    """Give an empty folder that is removed on leaving the block.

    What a killed process has left of such a folder is removed by the next.

    Parameters
    ----------
    place : Path
        The folder that it is in.

    Yields
    ------
    Path
    """
    target = place / "passing"
    _remove_what_was_left_of(target)
    folder = _beside(target)
    with _claimed(folder):
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_what_was_left_of(target: Path) -> None:
    named = f"{PARTIAL}*-{glob.escape(target.name)}"
    for left in (*target.parent.glob(named), *target.parent.glob(f"{named}.lock")):
        if (left.is_dir() or left.suffix == ".lock") and is_left_behind(left):
            remove_left_behind(left)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Hold a lock as long as a folder is being filled; the system lets go of it at a kill."""
    from filelock import FileLock

    lock = FileLock(_lock_of(folder))
    with lock:
        try:
            yield
        finally:
            with suppress(OSError):  # Windows keeps a file that is open
                _lock_of(folder).unlink(missing_ok=True)


def is_left_behind(path: Path) -> bool:
    """Say whether a file or folder was begun beside its place by a process that is gone.

    Whoever fills a folder holds a lock beside it, so that is known at once. A file has none, nor
    had the folders of earlier versions: they count when nothing was written to them for a day.
    """
    from filelock import FileLock, Timeout

    if not _OURS.match(path.name):
        return False
    lock = path if path.name.endswith(".lock") else _lock_of(path)
    try:
        if lock.exists():
            with FileLock(lock, timeout=0):
                return True
        inside = path.rglob("*") if path.is_dir() else ()
        newest = max(one.lstat().st_mtime for one in (path, *inside))
    except (OSError, Timeout):  # it took its place just now, or somebody is at it
        return False
    return float(newest) < time.time() - FORGOTTEN_SECONDS


def remove_left_behind(path: Path) -> None:
    """Remove what `is_left_behind` found, with its lock; what cannot be removed stays."""
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        if not path.exists():
            _lock_of(path).unlink(missing_ok=True)


def meant(error: BaseException) -> Path | None:
    """Give the file or folder that was being written when an error came; None when none was.

    The error itself, if it names a file at all, names the one beside it.

    Examples
    --------
    >>> try:
    ...     with new_file(Path("/tmp") / "meant.txt"):
    ...         raise OSError("no more room")
    ... except OSError as error:
    ...     print(meant(error))
    /tmp/meant.txt
    """
    notes = (note for note in getattr(error, "__notes__", ()) if note.startswith(_NOTE))
    first = next(notes, None)
    return None if first is None else Path(first.removeprefix(_NOTE))


def write_json(target: Path, value: Any) -> None:
    """Write a value as JSON, beside and renamed."""
    with new_file(target) as path:
        path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
