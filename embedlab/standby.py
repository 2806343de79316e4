"""Standby: a process beside this one that has torch loaded, and fits heads without delay.

Looking at runs needs no torch, so a server of pages does without; starting it for each head would
take seconds where fitting takes a fraction of one. One process stands by while heads are tried.
It ends with the process that started it, or when nobody has asked for anything for a while.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.jobs.failures import MEMORY, Shortage, explain
from embedlab.jobs.launch import child_environment
from embedlab.jobs.processes import NO_WINDOW
from embedlab.models.settings import HeadSettings
from embedlab.runs import Run

IDLE_SECONDS = 600.0


@dataclass(frozen=True, eq=False)
class Fitted:
    """A head that was fitted in the process that stands by.

    Parameters
    ----------
    settings : HeadSettings
    guesses : ndarray of shape (n_items,), int64
        The class that it gives each of the run's pictures.
    history : list of dict
        A line an epoch, as `embedlab.refitting.Refit` has them.
    seconds : float
        What fitting took.
    """

    settings: HeadSettings
    guesses: NDArray[np.int64]
    history: list[dict[str, Any]]
    seconds: float


class Standby:
    """A process that fits heads, one request at a time; threads may share it.

    Parameters
    ----------
    idle : float
        After so many seconds without a request it ends; the next request starts it anew.
    """

    def __init__(self, *, idle: float = IDLE_SECONDS) -> None:
        self._idle = idle
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def wake(self) -> None:
        """Start the process, if it does not run, and do not wait until it is ready.

        Where it cannot be started, whoever asks it for a head is told.
        """
        if self._lock.acquire(blocking=False):  # otherwise it is at work, and so awake
            try:
                self._start()
            except EmbedlabError:
                pass
            finally:
                self._lock.release()

    def fit(self, run: Run, settings: HeadSettings) -> Fitted:
        """Fit a head to a run's embeddings, as `embedlab.refitting.refit` does.

        Raises
        ------
        EmbedlabError
            As from `embedlab.refitting.refit`, or if the process ends.
        """
        found = self._ask("fit", run, settings)
        return Fitted(
            settings,
            np.array(found["guesses"], np.int64),
            list(found["history"]),
            float(found["seconds"]),
        )

    def keep(self, run: Run, settings: HeadSettings) -> str:
        """Keep such a head as a run, as `embedlab.refitting.keep` does; give the run's name.

        Raises
        ------
        EmbedlabError
            As from `embedlab.refitting.keep`, or if the process ends.
        """
        return str(self._ask("keep", run, settings)["run"])

    def close(self) -> None:
        """Let the process end."""
        with self._lock:
            if self._process is not None:
                _end(self._process)
            self._process = None

    def _ask(self, what: str, run: Run, settings: HeadSettings) -> Mapping[str, Any]:
        request = {"do": what, "run": str(run.folder.absolute()), "settings": asdict(settings)}
        with self._lock:
            # It may have ended, having idled, in the very moment in which it was asked.
            answer = self._exchange(request) or self._exchange(request)
        if answer is None:
            raise EmbedlabError(
                "The process that fits heads ended before it answered.",
                remedy=f"Memory may be short; {_log()} has what it said last.",
            )
        if "error" in answer:
            problem, remedy = answer["error"]
            raise EmbedlabError(problem, remedy=remedy)
        return answer

    def _exchange(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        process = self._start()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (OSError, ValueError):
            line = ""
        if not line.endswith("\n"):  # it ended before it had said all
            _end(process)
            self._process = None
            return None
        return dict(json.loads(line))

    def _start(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            with _opened_log() as log:
                try:
                    self._process = subprocess.Popen(
                        [sys.executable, "-m", "embedlab.standby", str(self._idle)],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=log,
                        encoding="utf-8",
                        env=child_environment(),
                        creationflags=NO_WINDOW,
                    )
                except OSError as error:
                    raise EmbedlabError(
                        f"The process that fits heads cannot be started: {error}.",
                        remedy="Try again, or fit heads on the command line: embedlab heads.",
                    ) from None
            weakref.finalize(self, _end, self._process)
        return self._process


def _log() -> Path:
    return home("cache") / "standby.txt"


def _opened_log() -> IO[str]:
    try:
        return _log().open("w", encoding="utf-8")
    except OSError:  # a home that is read-only, or full; fitting writes nothing
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 (on Windows, no path)


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        try:
            if pipe is not None:
                pipe.close()  # at the end of its input it ends
        except OSError:
            continue
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def serve(requests: IO[str], answers: IO[str], *, idle: float) -> None:
    """Answer requests, a line of JSON each, until there are no more or nobody has asked for long.

    Parameters
    ----------
    requests, answers : text files
    idle : float
        Seconds.
    """
    _warm_up()
    clock = _wind(idle)
    for line in requests:
        clock.cancel()
        answers.write(json.dumps(_answer(json.loads(line))) + "\n")
        answers.flush()
        clock = _wind(idle)
    clock.cancel()


def _wind(idle: float) -> threading.Timer:
    # Nothing is half-done while it waits, and a thread cannot end a process more gently.
    clock = threading.Timer(idle, os._exit, args=(0,))
    clock.daemon = True
    clock.start()
    return clock


def _warm_up() -> None:
    """Fit a small head, so that all that the first one needs is loaded before it is asked for."""
    from embedlab.models.frozen import fit_new_head

    embeddings, labels = np.eye(4, dtype=np.float32), np.arange(4) % 2
    fit_new_head(embeddings, labels, 2, HeadSettings(epochs=1))


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    from embedlab.refitting import keep, refit

    try:
        found = refit(Run(Path(request["run"])), HeadSettings(**request["settings"]))
        if request["do"] == "keep":
            return {"run": keep(found).id}
        return {
            "guesses": found.guesses.tolist(),
            "history": found.history,
            "seconds": found.seconds,
        }
    except Exception as error:
        told = explain(error)
        if isinstance(told, Shortage) and told.of == MEMORY:
            told = EmbedlabError(
                "Memory did not suffice for a head on these embeddings.",
                remedy="Close other programs, then try again.",
            )
        if told is None:
            import traceback

            traceback.print_exc()
            said = f"Unforeseen: {type(error).__name__}: {error}."
            told = EmbedlabError(said, remedy=f"{_log()} says where it happened.")
        return {"error": [told.problem, told.remedy]}


def main() -> None:
    """Serve the process that started this one."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever prints, prints into the log
    serve(sys.stdin, answers, idle=float(sys.argv[1]))


if __name__ == "__main__":
    main()
