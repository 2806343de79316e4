"""The side of the work: what a command does to report when it runs as a job."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from embedlab.files import write_json
from embedlab.jobs.failures import Shortage, explain, full_disk
from embedlab.jobs.processes import identify
from embedlab.jobs.record import (
    ACTIVE,
    BEAT_SECONDS,
    DONE,
    FAILED,
    RUNNING,
    arguments_of,
    beat,
    locked,
    read_record,
    write_record,
)
from embedlab.jobs.reserve import release_reserve

JOB_VARIABLE = "EMBEDLAB_JOB"
ATTEMPT_VARIABLE = "EMBEDLAB_JOB_ATTEMPT"
_WRITE_SECONDS = 0.4


def current() -> Path | None:
    """Give the folder of the job that this process runs as; None when it is no job."""
    text = os.environ.get(JOB_VARIABLE)
    folder = Path(text) if text else None
    return folder if folder is not None and (folder / "job.json").is_file() else None


class ChildReport:
    """Tells a job's folder how far the work is and how it ended. A context manager.

    What goes wrong inside the block is written down in words, and raised again: as an
    `EmbedlabError` where it can be put into words, else as it is.

    Parameters
    ----------
    folder : Path
        The job's folder, as `current` gives it.

    Examples
    --------
    ::

        with ChildReport(folder) as report:
            run = train(dataset, progress=report.progress, checkpoints=report.work)
            report.result(run=run.id)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self._values: dict[str, Any] = {}
        self._stage_began = (0.0, 0)
        self._result: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._changed = False
        self._in_history: dict[str, Any] = self._values
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_writing, name="report", daemon=True)

    def __enter__(self) -> Self:
        self._join()
        self.work.mkdir(exist_ok=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        words = None
        if error is None:
            release_reserve(self.folder)
            self._write(outcome=DONE)
        elif isinstance(error, Exception):  # else Ctrl-C or exit: the runner sees how it ended
            said = f"{type(error).__name__}: {error}"
            words = explain(error, arguments_of(self.folder)) or full_disk(self.folder, f"{said}.")
            release_reserve(self.folder)
            self._write(
                outcome=FAILED,
                message=words.problem if words else f"Unforeseen: {said}",
                remedy=words.remedy if words else "The log says where it happened.",
                cause=words.of if isinstance(words, Shortage) else "",
            )
        if words is not None and words is not error:
            raise words from error

    def progress(self, stage: str, done: int, total: int, **facts: float) -> None:
        """Take one report; an `embedlab.progress.Progress`. It costs microseconds."""
        now = time.monotonic()
        with self._lock:
            if stage != self._values.get("stage") or done < self._values["done"]:
                self._stage_began = (now, done)
            self._values = {
                "stage": stage,
                "done": int(done),
                "total": int(total),
                "elapsed": now - self._stage_began[0],
                "advanced": int(done) - self._stage_began[1],
                "facts": {name: float(value) for name, value in facts.items()},
            }
            self._changed = True

    def result(self, **values: Any) -> None:
        """Note what the work leaves behind: ``report.result(run="flowers")``. JSON values."""
        json.dumps(values)  # what cannot be kept is the caller's error, raised to the caller
        with self._lock:
            self._result.update(values)
            self._changed = True

    def _join(self) -> None:
        """Make sure that the record knows this process.

        It does not when the runner was killed in the moment between starting this process and
        writing it down. If the job was cancelled or taken up again since, this process ends.
        """
        me, attempt = identify(os.getpid()), os.environ.get(ATTEMPT_VARIABLE)
        if me is None or attempt is None or not (self.folder / "status.json").exists():
            return
        with locked(self.folder.parent):
            record = read_record(self.folder)
            if record is None or record.attempt != int(attempt) or record.state not in ACTIVE:
                sys.exit("This attempt of the job is no longer wanted.")
            if me not in record.processes:
                processes = (*record.processes, me)
                began = record.began or time.time()
                write_record(
                    self.folder,
                    replace(record, state=RUNNING, began=began, processes=processes),
                )

    def _keep_writing(self) -> None:
        """Write at a bearable pace, so that neither the work nor the disk waits for reports."""
        beaten = 0.0
        while not self._ended.wait(_WRITE_SECONDS):
            if time.monotonic() - beaten > BEAT_SECONDS:
                beat(self.folder)
                beaten = time.monotonic()
            if self._changed:
                self._write()

    def _write(self, **ending: str) -> None:
        with self._lock:
            values, result, self._changed = self._values, dict(self._result), False
        report = {**values, "result": result, "at": time.time(), **ending}
        try:
            write_json(self.folder / "report.json", report)
            if values.get("facts") and values is not self._in_history:
                self._add_to_history(values)
                self._in_history = values
        except OSError as error:  # a disk that is full now may have space again soon
            if ending:
                print(f"The job's last report could not be written: {error}", file=sys.stderr)

    def _add_to_history(self, values: dict[str, Any]) -> None:
        facts = {name: x for name, x in values["facts"].items() if math.isfinite(x)}
        reading = {name: values[name] for name in ("stage", "done", "total")}
        line = json.dumps({"at": round(time.time(), 3), **reading, **facts}, ensure_ascii=False)
        with (self.folder / "history.jsonl").open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
