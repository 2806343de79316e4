"""Putting a job in the queue and starting its runner."""

from __future__ import annotations

import os
import platform
import sys
import time
from dataclasses import replace
from pathlib import Path

import embedlab
from embedlab.home import home
from embedlab.jobs.processes import identify, start_detached
from embedlab.jobs.record import (
    FAILED,
    QUEUED,
    Record,
    as_mapping,
    next_ticket,
    read_json,
    write_record,
)


def enqueue(folder: Path, *, root: Path, attempt: int) -> Record:
    """Put a job, in `folder`, at the end of the queue of `root`. The caller holds the lock."""
    record = Record(
        state=QUEUED,
        attempt=attempt,
        ticket=next_ticket(root),
        host=platform.node(),
        queued=time.time(),
        starter=identify(os.getpid()),
    )
    write_record(folder, record)
    return record


def launch(folder: Path, record: Record) -> None:
    """Start the runner of a job that is in the queue. The caller holds the lock."""
    cwd = Path(str(as_mapping(read_json(folder / "job.json"))["cwd"]))
    try:
        runner = start_detached(
            [sys.executable, "-m", "embedlab.jobs.runner", str(folder), str(record.attempt)],
            folder=cwd if cwd.is_dir() else folder,
            environment=child_environment(),
            log=folder / "log.txt",
        )
        write_record(folder, replace(record, processes=(runner,)))
    except BaseException:
        write_record(folder, replace(record, state=FAILED, message="The job was not started."))
        raise


def child_environment() -> dict[str, str]:
    """Give the environment of a process that works beside this one, for the same home."""
    package = str(Path(embedlab.__file__).parent.parent)
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "EMBEDLAB_HOME": str(home().absolute()),
        "PYTHONPATH": os.pathsep.join(paths),  # a checkout works without being installed
        "PYTHONSAFEPATH": "1",  # a torch.py among somebody's pictures is not run
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "NO_COLOR": "1",
    }
