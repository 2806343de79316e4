"""What went wrong, in words for people: memory, disk, and everything else."""

from __future__ import annotations

import errno
import os
import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from embedlab.errors import EmbedlabError
from embedlab.files import PARTIAL, meant
from embedlab.jobs.commands import halved

MEMORY, DISK = "memory", "disk"
FREE = (
    "Free some space there (old jobs: embedlab jobs remove --ended), "
    "then resume the job, or try again."
)
_GPU_MEMORY = ("out of memory", "cublas_status_alloc_failed")
_MEMORY = (
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "failed to allocate memory",
)
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
# Libraries that write files themselves put the system's words into their own; torch counts bytes
# ("unexpected pos 128 vs 22"), and so does NumPy ("4096 requested and 512 written").
_FULL_WORDS = re.compile(
    r"no space left on device|not enough space on the disk|disk quota exceeded"
    r"|\bos error (28|112|122)\b|unexpected pos \d+ vs \d+|\d+ requested and \d+ written"
)
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_LOW = 16 * 2**20
_PROBE = 2**20


class Shortage(EmbedlabError):  # noqa: N818 (it is told by what there was too little of)
    """There was too little of something.

    Parameters
    ----------
    problem : str
    remedy : str
    of : str
        `MEMORY` or `DISK`.
    """

    def __init__(self, problem: str, *, of: str, remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.of = of


def explain(error: BaseException, arguments: Sequence[str] = ()) -> EmbedlabError | None:
    """Put an exception into words.

    The exceptions of torch, safetensors and pyarrow are told by their names and words, so that
    none of them need be imported.

    Parameters
    ----------
    error : BaseException
    arguments : sequence of str, optional
        Of the command that met it, so that a remedy can be given in its words.

    Returns
    -------
    EmbedlabError or None
        None where nothing better can be said than the exception says itself.

    Examples
    --------
    >>> print(explain(MemoryError()))  # doctest: +ELLIPSIS
    The job ran out of memory. Resuming will not do: start it again with smaller pictures, ...
    """
    if isinstance(error, EmbedlabError):
        return error
    text = str(error).lower()
    named = any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)
    if named or (isinstance(error, RuntimeError) and any(sign in text for sign in _GPU_MEMORY)):
        words = "The graphics card ran out of memory."
        remedy = f"Use the CPU, which is slower (--device cpu), or {smaller(arguments)}"
        return Shortage(words, of=MEMORY, remedy=remedy)
    if isinstance(error, MemoryError) or any(sign in text for sign in _MEMORY):
        words = "The job ran out of memory."
        return Shortage(words, of=MEMORY, remedy=f"Resuming will not do: {smaller(arguments)}")
    if (isinstance(error, OSError) and error.errno in _FULL) or _FULL_WORDS.search(text):
        return _disk_full(_file_of(error))
    if isinstance(error, OSError) and error.errno in _CLOSED and error.filename:
        return EmbedlabError(
            f"{error.filename} may not be written or read: {error.strerror}.",
            remedy="Change its permissions, or set EMBEDLAB_HOME to a folder of yours.",
        )
    return None


def smaller(arguments: Sequence[str]) -> str:
    """Say how to start a command again so that it needs less memory, as the end of a sentence.

    A job that is resumed does the very same again, so another one has to be started.
    """
    half = halved(arguments)
    if half is None:
        return "start it again with smaller pictures, or with fewer."
    return f"start it again with half the batch: {shlex.join(['embedlab', *half])}"


def is_full(folder: Path) -> bool:
    """Say whether not even a megabyte can be written to a folder: its disk, or a quota, is full."""
    probe = folder / f"{PARTIAL}probe-{os.getpid()}"
    try:
        if shutil.disk_usage(folder).free < _PROBE:
            return True
        with probe.open("wb", buffering=0) as file:
            whole = file.write(os.urandom(_PROBE)) == _PROBE
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in _FULL
    finally:
        probe.unlink(missing_ok=True)
    return not whole


def full_disk(folder: Path, ending: str) -> Shortage | None:
    """Say of work that ended without a word of its own that the disk is full; None if it is not.

    Parameters
    ----------
    folder : Path
        The job's.
    ending : str
        How the work ended, as a sentence.
    """
    if not is_full(folder):
        return None
    return Shortage(f"{ending} The disk that holds {folder} is full.", of=DISK, remedy=FREE)


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


def _file_of(error: BaseException) -> Path | None:
    """Name the file that was being written, and not its stand-in or the source of a copy."""
    named = meant(error) or getattr(error, "filename2", None) or getattr(error, "filename", None)
    return Path(os.fsdecode(named)) if isinstance(named, (str, bytes, Path)) else None


def _disk_full(file: Path | None) -> Shortage:
    if file is None:
        return Shortage("The disk is full.", of=DISK, remedy=FREE)
    try:
        left = f" {shutil.disk_usage(file.parent).free / 1e6:,.1f} MB are free there."
    except OSError:
        left = ""
    return Shortage(f"The disk is full. {file} could not be written.{left}", of=DISK, remedy=FREE)
