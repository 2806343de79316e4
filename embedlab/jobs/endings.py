"""How the work ended, from its exit status and its own report."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedlab.jobs.failures import DISK, MEMORY, full_disk, smaller, vanished
from embedlab.jobs.log import tail
from embedlab.jobs.record import DONE, FAILED, LOST, arguments_of, as_mapping, read_json

_SAID = "embedlab: "


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: the state, words for people, and what there was too little of."""

    state: str
    message: str = ""
    remedy: str = ""
    cause: str = ""


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
            str(report["outcome"]),
            *(str(report.get(name, "")) for name in ("message", "remedy", "cause")),
        )
    if code == 0:
        return Ending(DONE)
    return _without_a_word(folder, code, starved=starved)


def _without_a_word(folder: Path, code: int, *, starved: bool) -> Ending:
    name = _signal_name(code)
    if name == "SIGKILL" and starved:
        words = "The machine ran out of memory and ended the job."
        remedy = f"Resuming will hardly do: {smaller(arguments_of(folder))}"
        return Ending(FAILED, words, remedy, MEMORY)
    how = f"crashed ({name})" if name else f"ended with status {code}"
    # A file that is mapped into memory says by SIGBUS that the disk is full; and who finds it
    # full may find no room to say so.
    if full := full_disk(folder, f"The job's process {how}."):
        return Ending(FAILED, full.problem, full.remedy, DISK)
    if name:
        return _ended_by(name, folder)
    words = next((one for one in reversed(tail(folder / "log.txt")) if one.strip()), "")
    if words.startswith(_SAID):  # the command put it in words itself
        return Ending(FAILED, words.removeprefix(_SAID), "The log has more.")
    said = f": {words.strip()}" if words else "."
    return Ending(FAILED, f"The command ended with status {code}{said}", "The log has more.")


def _ended_by(name: str, folder: Path) -> Ending:
    if name == "SIGKILL":
        return Ending(
            LOST,
            "The job's process was killed from outside, as the system does when memory runs out.",
            "Resume it: it goes on from its last checkpoint. If that happens again, "
            f"{smaller(arguments_of(folder))}",
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
