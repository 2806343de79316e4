"""What went wrong, in words for people: memory, disk, and everything else."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from embedlab.errors import EmbedlabError

SMALLER = "Choose a smaller batch or smaller pictures, then resume the job."
_GPU_MEMORY = ("out of memory", "cublas_status_alloc_failed")
_MEMORY = (
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "failed to allocate memory",
)
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_LOW = 16 * 2**20


def explain(error: BaseException) -> EmbedlabError | None:
    """Put an exception into words.

    torch's exceptions are told by their names, so that torch need not be imported.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    EmbedlabError or None
        None where nothing better can be said than the exception says itself.

    Examples
    --------
    >>> print(explain(MemoryError()))  # doctest: +ELLIPSIS
    The job ran out of memory. Choose a smaller batch or smaller pictures, ...
    """
    if isinstance(error, EmbedlabError):
        return error
    text = str(error).lower()
    named = any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)
    if named or (isinstance(error, RuntimeError) and any(sign in text for sign in _GPU_MEMORY)):
        return EmbedlabError(
            "The graphics card ran out of memory.",
            remedy=f"{SMALLER} If the smallest batch is too large, use the CPU: --device cpu.",
        )
    if isinstance(error, MemoryError) or any(sign in text for sign in _MEMORY):
        return EmbedlabError("The job ran out of memory.", remedy=SMALLER)
    if isinstance(error, OSError) and error.errno in _FULL:
        where = f" {error.filename} could not be written." if error.filename else ""
        return EmbedlabError(
            f"The disk is full.{where}",
            remedy="Free some space (old jobs: embedlab jobs remove --ended), then resume.",
        )
    if isinstance(error, OSError) and error.errno in _CLOSED and error.filename:
        return EmbedlabError(
            f"{error.filename} may not be written or read: {error.strerror}.",
            remedy="Change its permissions, or set EMBEDLAB_HOME to a folder of yours.",
        )
    return None


def vanished(folder: Path) -> EmbedlabError:
    """Say that a job's process is gone without a word, and what may be behind it."""
    problem = "The job's process is gone: it was killed, or the machine went down."
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        free = _LOW
    if free < _LOW:
        problem += f" The disk that holds its folder is full ({free / 2**20:.0f} MiB free)."
    return EmbedlabError(problem, remedy="Resume it: it goes on from its last checkpoint.")
