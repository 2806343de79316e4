"""How long work says how far it is, to a bar in a terminal, a job's status file or nobody."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called now and then by long work.

    `stage` says in words what is being done ("drawing pictures"), `done` and `total` count
    its steps, and `facts` carry readings of that moment (loss=0.41, accuracy=0.83).
    """

    def __call__(self, stage: str, done: int, total: int, **facts: float) -> None:
        """Take one report."""
        ...


def silent(stage: str, done: int, total: int, **facts: float) -> None:
    """Report to nobody."""
