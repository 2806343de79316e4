"""A little room on the disk, kept for the last words of a job that fills it."""

from __future__ import annotations

import os
from pathlib import Path

NAME = "reserve"
SIZE = 2**18


def keep_reserve(folder: Path) -> None:
    """Take a little room in a job's folder, if it is not taken yet.

    Raises
    ------
    OSError
        If there is none.
    """
    path = folder / NAME
    if not path.exists():
        path.write_bytes(os.urandom(SIZE))  # zeros would take no room on a disk that compresses


def release_reserve(folder: Path) -> None:
    """Make the room free, so that there is some to say how the job ended."""
    (folder / NAME).unlink(missing_ok=True)
