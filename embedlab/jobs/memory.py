"""Memory: how much a job may take, how much it takes, and whether the system ran out of it.

The limit is held by looking at what is resident, not with RLIMIT_AS: address space says little
here, as importing torch alone maps 3 GB of it to use half a GB.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from embedlab.errors import EmbedlabError

LIMIT_VARIABLE = "EMBEDLAB_MEMORY_LIMIT"
SHARE = 0.8
_CGROUPS = Path("/sys/fs/cgroup")


def memory_limit() -> int:
    """Give the bytes that a job may take: EMBEDLAB_MEMORY_LIMIT, or 80 % of the memory here.

    Raises
    ------
    EmbedlabError
        If the variable is set to something that is no number of bytes.
    """
    text = os.environ.get(LIMIT_VARIABLE)
    if not text:
        return int(SHARE * machine_memory())
    try:
        limit = int(float(text))
    except (ValueError, OverflowError):
        limit = 0
    if limit <= 0:
        raise EmbedlabError(
            f"{LIMIT_VARIABLE} is {text!r}, which is no number of bytes.",
            remedy="Set it to a number such as 8e9, or unset it.",
        )
    return limit


def machine_memory() -> int:
    """Give the bytes of memory there are: the machine's or, if smaller, its container's."""
    return min(int(psutil.virtual_memory().total), *_container_limits(), 2**63)


def _container_limits() -> Iterator[int]:
    """Yield the limits of the control groups that this process is in (Linux)."""
    try:
        groups = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if controllers == "":  # version 2
            root, name = _CGROUPS, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = _CGROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        own = root / path.lstrip("/")
        for folder in (own, *own.parents):
            if not folder.is_relative_to(root):
                break
            try:
                yield int((folder / name).read_text(encoding="ascii"))
            except (OSError, ValueError):  # "max", or a container that shows only its root
                continue


def memory_used(pid: int) -> int:
    """Give the bytes that a process and its descendants hold in memory, 0 when it is gone.

    Mapped files are left out where the system tells them apart: it can drop them at any time.
    """
    try:
        process = psutil.Process(pid)
        family = (process, *process.children(recursive=True))
    except psutil.Error:
        return 0
    total = 0
    for one in family:
        try:
            info = one.memory_info()
        except psutil.Error:
            continue
        if sys.platform == "linux":
            total += int(info.rss) - int(info.shared)
        else:  # on Windows, what was swapped out is still the job's
            total += int(getattr(info, "private", info.rss))
    return total


def prefer_as_victim(pid: int) -> None:
    """Ask Linux to end this process first when memory runs out, and so not the app."""
    if sys.platform == "linux":
        try:
            Path(f"/proc/{pid}/oom_score_adj").write_text("500", encoding="ascii")
        except OSError:
            return


def out_of_memory_kills() -> int:
    """Count the processes that this system has ended for want of memory since it started."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
