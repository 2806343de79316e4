"""Progress bars in the terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)


class Bars:
    """One bar a stage, on standard error; nothing at all when it is quiet or no terminal.

    Used as a context manager; inside, it is called like `embedlab.progress.Progress`.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}", style="dim"),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, stage: str, done: int, total: int, **facts: float) -> None:
        """Take one report."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total, facts="")
        text = "  ".join(f"{name} {value:.3g}" for name, value in facts.items())
        self._progress.update(self._tasks[stage], completed=done, total=total, facts=text)
