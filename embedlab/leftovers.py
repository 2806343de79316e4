"""What killed processes have left in embedlab's home, and nobody will finish."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from embedlab.files import PARTIAL, is_left_behind, remove_left_behind
from embedlab.home import home

_DEEP = 4  # folders below the home; a run's pictures or a dataset's need not be looked through
_PASSED_OVER = ("datasets", "numba")


def find_leftovers() -> list[Path]:
    """List files and folders in the home that processes began and, being killed, did not finish.

    Those that a living process is writing are not among them, nor is what a stopped training or
    embedding will go on from.

    Returns
    -------
    list of Path
        Half-written files and folders, and the checkpoints of jobs that are done.
    """
    return [*_half_written(home(), _DEEP), *_served(home("jobs"))]


def clear_leftovers() -> list[Path]:
    """Remove what `find_leftovers` finds; give what is gone."""
    found = find_leftovers()
    for path in found:
        if path.name == "work":
            shutil.rmtree(path, ignore_errors=True)
        else:
            remove_left_behind(path)
    return [path for path in found if not path.exists()]


def _half_written(folder: Path, deep: int) -> Iterator[Path]:
    try:
        children = sorted(folder.iterdir())
    except OSError:  # gone meanwhile, or closed to us
        return
    for path in children:
        if path.name.startswith(PARTIAL):
            if is_left_behind(path) or _is_doomed_job(path):
                yield path
        elif deep > 1 and path.name not in _PASSED_OVER and _is_folder(path):
            yield from _half_written(path, deep - 1)


def _is_folder(path: Path) -> bool:
    with suppress(OSError):
        return path.is_dir() and not path.is_symlink()
    return False


def _is_doomed_job(path: Path) -> bool:
    """Say whether this is a job that was being removed; removing it twice does no harm."""
    from embedlab.jobs.record import is_job_id

    return path.parent.name == "jobs" and is_job_id(path.name.removeprefix(PARTIAL))


def _served(jobs: Path) -> Iterator[Path]:
    """Yield the checkpoints of jobs that are done: whoever deletes them was killed before."""
    from embedlab.errors import EmbedlabError
    from embedlab.jobs.record import DONE, job_folders
    from embedlab.jobs.status import look

    for folder in job_folders(jobs):
        with suppress(EmbedlabError, OSError):  # removed just now
            if (folder / "work").exists() and look(folder).state == DONE:
                yield folder / "work"


def size_of(path: Path) -> int:
    """Give the bytes of a file, or of all files of a folder."""
    total = 0
    for one in [path, *path.rglob("*")]:
        with suppress(OSError):  # gone meanwhile
            total += one.lstat().st_size if not one.is_dir() else 0
    return total
