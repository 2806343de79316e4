"""Processes: whether the one that was meant still lives, how to start and how to stop one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

# On Windows: a console of its own, unseen, which closing the server's window does not reach.
NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)


@dataclass(frozen=True)
class Identity:
    """A process on this machine: its number, and when it was born.

    Numbers are given out again after a process ended; number and birth together are not.

    Parameters
    ----------
    pid : int
    born : str
        On Linux the boot's id and the clock ticks from boot to birth, which stay the same when
        somebody sets the clock; elsewhere seconds since 1970.
    """

    pid: int
    born: str


def identify(pid: int) -> Identity | None:
    """Identify the process of this number; None when there is none, or only its remains."""
    born = _born(pid)
    return None if born is None else Identity(pid, born)


def identify_started(pid: int) -> Identity:
    """Identify a process that was just started, also when it has ended already."""
    return identify(pid) or Identity(pid, "0")


def is_alive(identity: Identity) -> bool:
    """Say whether this very process still runs. A zombie does not."""
    born = _born(identity.pid)
    if born is None:
        return False
    if sys.platform == "linux":
        return born == identity.born
    # psutil adds up the start time from the system's clock; allow for a clock that is adjusted.
    return abs(float(born) - float(identity.born)) < 2


def _born(pid: int) -> str | None:
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks
        return None if fields[0] in "ZX" else f"{_boot()} {fields[19]}"
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{process.create_time():.2f}"
    except psutil.Error:
        return None


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:  # some containers hide it
        return "boot"


def start_detached(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path
) -> Identity:
    """Start a process that outlives this one, its terminal and its session.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        Its working folder.
    environment : mapping of str to str
    log : Path
        What it prints is added to this file.

    Returns
    -------
    Identity
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            creationflags=NO_WINDOW,
            start_new_session=True,  # Windows has no sessions and takes no notice
        )
    identity = identify_started(process.pid)
    # Somebody has to collect its exit, or its number stays taken as long as this process lives.
    threading.Thread(target=process.wait, name=f"wait-{process.pid}", daemon=True).start()
    return identity


def stop(identities: Iterable[Identity], *, patience: float = 3.0) -> None:
    """End processes with all that they started: politely first, by force after `patience` seconds.

    The first identity is taken for the leader of the session that `start_detached` opened, so
    that also grandchildren whose parent is gone are found. The calling process is spared.
    """
    known = list(identities)
    family: set[Identity] = set()
    for identity in filter(is_alive, known):
        family.add(identity)
        family.update(filter(None, map(identify, _descendants(identity.pid))))
        if _session(identity.pid) == known[0].pid:
            members = (pid for pid in psutil.pids() if _session(pid) == known[0].pid)
            family.update(filter(None, map(identify, members)))
    family = {one for one in family if one.pid != os.getpid()}
    for action in ("terminate", "kill"):
        for one in filter(is_alive, family):
            try:
                getattr(psutil.Process(one.pid), action)()
            except psutil.Error:  # gone already, or somebody else's
                continue
        deadline = time.monotonic() + patience
        while any(map(is_alive, family)) and time.monotonic() < deadline:
            time.sleep(0.02)


def _descendants(pid: int) -> list[int]:
    try:
        return [one.pid for one in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def _session(pid: int) -> int | None:
    if sys.platform == "win32":
        return None
    try:
        return os.getsid(pid)
    except OSError:
        return None
