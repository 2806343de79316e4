"""How the work ended, from its exit status and its own report."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedlab.jobs.failures import SMALLER, vanished
from embedlab.jobs.log import tail
from embedlab.jobs.record import DONE, FAILED, LOST, as_mapping, read_json

_SAID = "embedlab: "


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: the state, and words for people."""

    state: str
    message: str = ""
    remedy: str = ""


def ending_of(folder: Path, code: int, *, starved: bool) -> Ending:
    """Say how the work ended.

    Parameters
    ----------
    folder : Path
        The job's folder, with the report of the work.
    code : int
        The exit status; on Linux and macOS, -N for an end by signal N.
    starved : bool
        Whether the system ended processes for want of memory meanwhile.

    Returns
    -------
    Ending
    """
    report: Mapping[str, Any] = as_mapping(read_json(folder / "report.json"))
    if report.get("outcome") in (DONE, FAILED):
        return Ending(
            str(report["outcome"]), str(report.get("message", "")), str(report.get("remedy", ""))
        )
    if code == 0:
        return Ending(DONE)
    name = _signal_name(code)
    if name:
        return _ended_by(name, folder, starved=starved)
    words = next((one for one in reversed(tail(folder / "log.txt")) if one.strip()), "")
    if words.startswith(_SAID):  # the command put it in words itself
        return Ending(FAILED, words.removeprefix(_SAID), "The log has more.")
    said = f": {words.strip()}" if words else "."
    return Ending(FAILED, f"The command ended with status {code}{said}", "The log has more.")


def _ended_by(name: str, folder: Path, *, starved: bool) -> Ending:
    if name == "SIGKILL":
        if starved:
            return Ending(FAILED, "The machine ran out of memory and ended the job.", SMALLER)
        return Ending(
            LOST,
            "The job's process was killed from outside, as the system does when memory runs out.",
            "Resume it: it goes on from its last checkpoint. If it happens again, choose a "
            "smaller batch or smaller pictures.",
        )
    if name in ("SIGTERM", "SIGHUP", "SIGINT"):
        gone = vanished(folder)
        return Ending(LOST, gone.problem, gone.remedy)
    return Ending(
        FAILED,
        f"The job's process crashed ({name}).",
        "Resume it; if it crashes again, the log may say where.",
    )


def _signal_name(code: int) -> str:
    if code >= 0:
        return ""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
