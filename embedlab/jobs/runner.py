"""The process that stands beside a job: it waits for the job's turn, then starts and watches it.

Being another process than the work, it sees how the work ended, whatever ended it. Should the
runner itself be killed, the work goes on, keeps its place in the queue, and says itself how it
ended.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from embedlab.errors import EmbedlabError
from embedlab.jobs.child import ATTEMPT_VARIABLE, JOB_VARIABLE
from embedlab.jobs.endings import Ending, ending_of
from embedlab.jobs.failures import MEMORY, Shortage, explain, smaller
from embedlab.jobs.memory import (
    LIMIT_VARIABLE,
    memory_limit,
    memory_used,
    out_of_memory_kills,
    prefer_as_victim,
)
from embedlab.jobs.processes import NO_WINDOW, identify_started, stop
from embedlab.jobs.record import (
    BEAT_SECONDS,
    DONE,
    FAILED,
    QUEUED,
    RUNNING,
    ahead,
    arguments_of,
    as_mapping,
    beat,
    heartbeat_age,
    is_active,
    locked,
    read_json,
    read_record,
    write_record,
)
from embedlab.jobs.reserve import release_reserve
from embedlab.leftovers import clear_leftovers

_LOOK_SECONDS = 0.25
_PATIENCE = 3600.0


def run(folder: Path, attempt: int) -> None:
    """Wait for the turn of a job, do its work in a process of its own, write down the end."""
    try:
        limit, kills = memory_limit(), out_of_memory_kills()
        worker = _start_in_turn(folder, attempt)
        if worker is None:
            return
        too_much = _watch(folder, attempt, worker, limit)
        if too_much:
            ending = Ending(
                FAILED,
                f"The job needed more than {limit / 1e9:.3g} GB of memory, its limit here.",
                f"Set a higher limit ({LIMIT_VARIABLE}, in bytes) and resume it, or "
                f"{smaller(arguments_of(folder))}",
                MEMORY,
            )
        else:
            starved = out_of_memory_kills() > kills
            ending = ending_of(folder, worker.returncode, starved=starved)
    except Exception as error:
        words = explain(error) or EmbedlabError(
            f"The job could not be started: {type(error).__name__}: {error}.",
            remedy="The log has more.",
        )
        cause = words.of if isinstance(words, Shortage) else ""
        _conclude(folder, attempt, Ending(FAILED, words.problem, words.remedy, cause))
        raise
    _conclude(folder, attempt, ending)


def _start_in_turn(folder: Path, attempt: int) -> subprocess.Popen[bytes] | None:
    """Wait until no job is ahead, then start the work; None when the job was cancelled."""
    while True:
        with locked(folder.parent, patience=_PATIENCE):
            record = read_record(folder)
            if record is None or (record.state, record.attempt) != (QUEUED, attempt):
                return None
            before = ahead(folder)
            if not before:
                worker = _start(folder, attempt)
                processes = (*record.processes, identify_started(worker.pid))
                try:
                    write_record(
                        folder,
                        replace(record, state=RUNNING, began=time.time(), processes=processes),
                    )
                except BaseException:
                    worker.kill()
                    raise
                return worker
        # Only the next in line is watched, so that a long queue costs no more than a short one.
        while is_active(before[0], read_record(before[0])):
            record = read_record(folder)
            if record is None or (record.state, record.attempt) != (QUEUED, attempt):
                return None
            _beat_now_and_then(folder)
            time.sleep(_LOOK_SECONDS)


def _start(folder: Path, attempt: int) -> subprocess.Popen[bytes]:
    job = as_mapping(read_json(folder / "job.json"))
    # The runner's own output, the log, is inherited; nothing is asked of a person.
    worker = subprocess.Popen(
        [sys.executable, *job["program"], *job["arguments"]],
        stdin=subprocess.DEVNULL,
        env={**os.environ, JOB_VARIABLE: str(folder), ATTEMPT_VARIABLE: str(attempt)},
        creationflags=NO_WINDOW,
    )
    prefer_as_victim(worker.pid)
    return worker


def _watch(folder: Path, attempt: int, worker: subprocess.Popen[bytes], limit: int) -> bool:
    """Wait for the end of the work; say whether it was ended for taking too much memory."""
    while True:
        try:
            worker.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        else:
            return False
        _beat_now_and_then(folder)
        too_much = memory_used(worker.pid) > limit
        record = read_record(folder)
        # Whoever cancels also ends the processes, unless they may not or are elsewhere.
        unwanted = record is None or (record.state, record.attempt) != (RUNNING, attempt)
        if too_much or unwanted:
            stop([identify_started(worker.pid)])
            worker.wait()
            return too_much


def _beat_now_and_then(folder: Path) -> None:
    if heartbeat_age(folder) > BEAT_SECONDS:
        beat(folder)


def _conclude(folder: Path, attempt: int, ending: Ending) -> None:
    release_reserve(folder)
    with locked(folder.parent, patience=_PATIENCE):
        record = read_record(folder)
        if record is None or record.attempt != attempt or record.state not in (QUEUED, RUNNING):
            return
        write_record(
            folder,
            replace(
                record,
                state=ending.state,
                ended=time.time(),
                message=ending.message,
                remedy=ending.remedy,
                cause=ending.cause,
            ),
        )
    if ending.state == DONE:  # the checkpoints have served
        shutil.rmtree(folder / "work", ignore_errors=True)
    with suppress(OSError, EmbedlabError):  # nobody waits for this, so it may take its time
        clear_leftovers()


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
