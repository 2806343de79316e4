"""Status: how a job stands, as people see it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from embedlab.errors import EmbedlabError
from embedlab.jobs.failures import vanished
from embedlab.jobs.record import (
    ACTIVE,
    CANCELLED,
    DONE,
    FAILED,
    LOST,
    Record,
    as_mapping,
    as_number,
    is_active,
    read_json,
    read_record,
)

NOT_FACTS = ("at", "stage", "done", "total")  # what else a line of history.jsonl has


@dataclass(frozen=True)
class Status:
    """How a job stands at one moment. Times are seconds since 1970.

    Parameters
    ----------
    folder : Path
        The job's folder; checkpoints lie in ``folder / "work"``.
    state : str
        queued, running, done, failed, cancelled, or lost: its process is gone without a word.
    stage, done, total, facts
        The last report of the work, as `embedlab.progress.Progress` takes it.
    seconds_left : float or None
        How long the rest of this stage takes at the rate so far; None when it cannot be said.
    result : mapping
        What the work leaves behind, such as ``{"run": "flowers"}``.
    message, remedy : str
        Why it failed or is lost, and what to do.
    cause : str
        What there was too little of, "memory" or "disk"; empty for other endings.
    """

    folder: Path
    state: str
    stage: str = ""
    done: int = 0
    total: int = 0
    facts: Mapping[str, float] = field(default_factory=dict)
    seconds_left: float | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    remedy: str = ""
    cause: str = ""
    queued: float | None = None
    began: float | None = None
    ended: float | None = None

    @property
    def active(self) -> bool:
        """Whether the job waits or runs."""
        return self.state in ACTIVE

    @property
    def resumable(self) -> bool:
        """Whether the job can be taken up again."""
        return self.state in (FAILED, CANCELLED, LOST)

    @property
    def share(self) -> float:
        """The share of this stage that is done, 0 to 1."""
        return min(max(self.done / self.total, 0.0), 1.0) if self.total > 0 else 0.0

    @property
    def seconds(self) -> float | None:
        """How long the job has run, or ran."""
        if self.began is None or (self.ended is None and not self.active):
            return None
        return (self.ended or time.time()) - self.began

    def history(self) -> list[dict[str, Any]]:
        """Read the facts so far: a dict a reading with seconds, stage, done, total and facts."""
        return read_history(self.folder)

    def last_facts(self) -> dict[str, float]:
        """Give the facts of the last report that had some: validating, say, has none."""
        if self.facts:
            return dict(self.facts)
        readings = self.history()
        last = readings[-1] if readings else {}
        return _numbers({name: x for name, x in last.items() if name not in NOT_FACTS})

    def values(self) -> dict[str, Any]:
        """Give all fields as JSON values."""
        values = asdict(self)
        values["folder"] = str(self.folder)
        return values


def look(folder: Path) -> Status:
    """See how a job stands, from its files and from whether its processes live."""
    record = read_record(folder)
    for _ in range(3):
        active = is_active(folder, record)
        again = read_record(folder)
        if again == record:  # else it ended, or was taken up again, while we looked
            break
        record = again
    if record is None:
        if not (folder / "job.json").exists():
            raise EmbedlabError(
                f"The job {folder.name} has been removed.", remedy="List them: embedlab jobs list."
            )
        lost = vanished(folder)
        return Status(folder, LOST, message=lost.problem, remedy=lost.remedy)
    report = as_mapping(read_json(folder / "report.json"))
    if record.state in ACTIVE and not active:
        record = _settled(folder, record, report)
    elapsed, advanced = as_number(report.get("elapsed")), int(as_number(report.get("advanced")))
    done, total = int(as_number(report.get("done"))), int(as_number(report.get("total")))
    timed = record.state in ACTIVE and advanced > 0 and total >= done
    return Status(
        folder=folder,
        state=record.state,
        stage=str(report.get("stage", "")),
        done=done,
        total=total,
        facts=_numbers(as_mapping(report.get("facts"))),
        seconds_left=(total - done) * elapsed / advanced if timed else None,
        result=dict(as_mapping(report.get("result"))),
        message=record.message,
        remedy=record.remedy,
        cause=record.cause,
        queued=record.queued,
        began=record.began,
        ended=record.ended,
    )


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Keep what is a number: NaN is one, and is shown."""
    return {str(k): float(x) for k, x in values.items() if type(x) in (int, float)}


def _settled(folder: Path, record: Record, report: Mapping[str, Any]) -> Record:
    """Say how a job ended whose processes are gone while the record still calls it active."""
    outcome = report.get("outcome")
    if outcome in (DONE, FAILED):
        return replace(
            record,
            state=outcome,
            ended=as_number(report.get("at")) or None,
            message=str(report.get("message", "")),
            remedy=str(report.get("remedy", "")),
            cause=str(report.get("cause", "")),
        )
    lost = vanished(folder)
    return replace(record, state=LOST, message=lost.problem, remedy=lost.remedy)


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Read history.jsonl; a last line that is not whole yet is left out."""
    try:
        text = (folder / "history.jsonl").read_text(encoding="utf-8")
    except (OSError, ValueError):  # damaged
        return []
    readings = []
    for one in text.splitlines():
        try:
            reading = json.loads(one)
        except ValueError:
            continue
        if isinstance(reading, dict):
            whole = {name: as_number(reading.get(name)) for name in NOT_FACTS if name != "stage"}
            stage = str(reading.get("stage", ""))
            facts = {name: x for name, x in reading.items() if name not in NOT_FACTS}
            readings.append({**whole, "stage": stage, **_numbers(facts)})
    return readings
