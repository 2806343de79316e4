"""A job's folder: what lies in it, and its record, which says how the job stands.

    job.json        what was asked for: arguments, title, key, working folder
    status.json     the record: state, place in the queue, processes, last words
    report.json     what the work itself says: stage, steps, facts, result, outcome
    history.jsonl   the facts over time, a line a reading
    log.txt         what was printed
    heartbeat       touched every few seconds while the job waits or runs
    reserve         room that is made free for the last report, on a disk that is full
    dismissed       there once somebody has put the ended job away
    work/           checkpoints

Each JSON file is written beside and renamed. Only the work writes the report. The record is
written by whoever starts, runs or cancels the job, under the lock that all jobs share.
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from embedlab.errors import EmbedlabError
from embedlab.files import write_json
from embedlab.jobs.processes import Identity, is_alive

QUEUED, RUNNING = "queued", "running"
DONE, FAILED, CANCELLED, LOST = "done", "failed", "cancelled", "lost"
ACTIVE = (QUEUED, RUNNING)
STATES = (*ACTIVE, DONE, FAILED, CANCELLED, LOST)

BEAT_SECONDS = 5.0
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
_STALE_SECONDS = 60.0


@dataclass(frozen=True)
class Record:
    """How a job stands, as status.json keeps it. Times are seconds since 1970.

    Parameters
    ----------
    state : str
        queued, running, done, failed, cancelled or lost.
    attempt : int
        1 at first, one more each time the job is taken up again.
    ticket : int
        The place in the order of turns; higher is later.
    host : str
        The machine that the processes are on.
    starter : Identity, optional
        The process that is starting the job, until `processes` are known.
    processes : tuple of Identity
        The runner, which waits for the job's turn and watches it, then the work itself.
    cause : str
        What there was too little of, "memory" or "disk"; empty for other endings.
    """

    state: str
    attempt: int
    ticket: int
    host: str
    queued: float
    starter: Identity | None = None
    processes: tuple[Identity, ...] = ()
    began: float | None = None
    ended: float | None = None
    message: str = ""
    remedy: str = ""
    cause: str = ""


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None when the file is missing or was damaged by a power cut."""
    for pause in (0.01, 0.05, 0.2, None):
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        except PermissionError:  # on Windows: at this moment the file is being replaced
            if pause is None or os.name != "nt":
                raise
            time.sleep(pause)
        else:
            return value if isinstance(value, dict) else None
    return None


def read_record(folder: Path) -> Record | None:
    """Read how a job stands; None when that cannot be read."""
    values = read_json(folder / "status.json")
    if values is None:
        return None
    # A field that a later embedlab added is passed over.
    known = {one.name: values[one.name] for one in fields(Record) if one.name in values}
    known |= {name: int(as_number(known.get(name))) for name in ("attempt", "ticket")}
    known |= {name: as_number(known.get(name)) or None for name in ("began", "ended")}
    known |= {name: str(known.get(name, "")) for name in ("host", "message", "remedy", "cause")}
    known["queued"] = as_number(known.get("queued"))
    if known.get("state") not in STATES:
        return None
    try:
        starter = known.pop("starter")
        processes = known.pop("processes")
        return Record(
            **known,
            starter=None if starter is None else Identity(**starter),
            processes=tuple(Identity(**one) for one in processes),
        )
    except (KeyError, TypeError):
        return None


def write_record(folder: Path, record: Record) -> None:
    """Write how a job stands. The caller holds the lock."""
    write_json(folder / "status.json", asdict(record))


def is_active(folder: Path, record: Record | None) -> bool:
    """Say whether a job waits or runs, that is, whether a process of its own lives."""
    if record is None or record.state not in ACTIVE:
        return False
    if record.host != platform.node():  # processes of another machine cannot be asked
        return heartbeat_age(folder) < _STALE_SECONDS
    if record.processes:
        return any(is_alive(one) for one in record.processes)
    return record.starter is not None and is_alive(record.starter)


def arguments_of(folder: Path) -> tuple[str, ...]:
    """Read what stands after ``embedlab`` on a job's command line."""
    asked = read_json(folder / "job.json") or {}
    return tuple(str(word) for word in asked.get("arguments") or ())


def beat(folder: Path) -> None:
    """Leave a sign of life."""
    try:
        (folder / "heartbeat").touch()
    except OSError:  # a full disk must not end the work
        return


def heartbeat_age(folder: Path) -> float:
    """Give the seconds since the last sign of life; infinity when there was none."""
    try:
        return time.time() - (folder / "heartbeat").stat().st_mtime
    except OSError:
        return float("inf")


def is_job_id(name: str) -> bool:
    """Say whether a name has the form of a job's id, such as 20261123-101512-3f2a."""
    return _ID.fullmatch(name) is not None


def job_folders(root: Path) -> list[Path]:
    """List the folders of all jobs, oldest first."""
    return sorted(path for path in root.iterdir() if is_job_id(path.name))


def in_line(root: Path) -> list[tuple[Path, Record]]:
    """List the jobs that run or wait, in the order of their turns."""
    found = [(folder, read_record(folder)) for folder in job_folders(root)]
    live = [(folder, rec) for folder, rec in found if rec is not None and is_active(folder, rec)]
    return sorted(live, key=lambda one: (one[1].state != RUNNING, one[1].ticket))


def ahead(folder: Path) -> list[Path]:
    """List the jobs that this one, if it is queued, has to wait for, the next in turn first."""
    own = read_record(folder)
    if own is None or own.state != QUEUED:
        return []
    return [
        other
        for other, record in in_line(folder.parent)
        if other != folder and (record.state == RUNNING or record.ticket < own.ticket)
    ]


def next_ticket(root: Path) -> int:
    """Give a place at the end of the queue. The caller holds the lock."""
    records = (read_record(folder) for folder in job_folders(root))
    return 1 + max((record.ticket for record in records if record is not None), default=0)


@contextmanager
def locked(root: Path, *, patience: float = 30.0) -> Iterator[None]:
    """Hold the lock under which records change; it is held for moments only.

    Raises
    ------
    EmbedlabError
        If others hold it for `patience` seconds.
    """
    lock = FileLock(root / ".lock")
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise EmbedlabError(
            f"Another process has held {root / '.lock'} for {patience:.0f} seconds.",
            remedy="End the embedlab process that hangs, then try again.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def as_number(value: Any) -> float:
    """Take a finite number from JSON that may hold anything; 0 for all else.

    Examples
    --------
    >>> as_number(3), as_number("abc"), as_number(None), as_number(float("nan"))
    (3, 0.0, 0.0, 0.0)
    """
    fine = isinstance(value, (int, float)) and math.isfinite(value)
    return value if fine else 0.0


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Take a mapping from JSON that may hold anything."""
    return value if isinstance(value, dict) else {}
