"""Whom long work reports to: its job's folder when it runs as a job, else bars in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from embedlab.cli.progress import Bars
from embedlab.jobs import ChildReport, current
from embedlab.progress import Progress

if TYPE_CHECKING:
    from embedlab.data.dataset import Skipped

_SHOWN = 20  # pictures that were left out, by name


class Report(Protocol):
    """What a command needs to tell how far it is and what it made."""

    @property
    def progress(self) -> Progress:
        """Take reports of how far the work is."""
        ...

    @property
    def work(self) -> Path | None:
        """A folder for checkpoints that outlives the process, where there is one."""
        ...

    def result(self, **values: Any) -> None:
        """Note what the work leaves behind."""
        ...


@dataclass(frozen=True)
class _Terminal:
    progress: Progress
    work: Path | None = None

    def result(self, **values: Any) -> None:
        """In a terminal, the command itself says what it made."""


def left_out(skipped: Sequence[Skipped]) -> list[str]:
    """Say which pictures were damaged or refused, a line each; of many, the first twenty."""
    lines = [f"left out: {one.id}: {one.reason}" for one in skipped[:_SHOWN]]
    if len(skipped) > _SHOWN:
        lines.append(f"and {len(skipped) - _SHOWN:,} more were left out; run.json lists them")
    return lines


@contextmanager
def reporting(*, quiet: bool = False) -> Iterator[Report]:
    """Open the report of a command.

    Parameters
    ----------
    quiet : bool
        No bars in the terminal.

    Yields
    ------
    Report
    """
    folder = current()
    if folder is not None:
        with ChildReport(folder) as report:
            yield report
    else:
        with Bars(quiet=quiet) as bars:
            yield _Terminal(bars)
