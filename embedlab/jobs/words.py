"""How a job stands, in words."""

from __future__ import annotations

from embedlab.jobs.job import Job
from embedlab.jobs.status import Status

UNITS = {"rate": "pictures/s"}  # readings that mean nothing without their unit


def as_text(name: str, value: float) -> str:
    """Write a reading as people read it: accuracies as percentages, all else in four digits.

    Examples
    --------
    >>> as_text("validation accuracy", 0.575), as_text("loss", 1.23456)
    ('57.5%', '1.235')
    """
    return f"{value:.1%}" if "accuracy" in name else f"{value:.4g}"


def progress_text(job: Job, status: Status) -> str:
    """Say in one line what a job waits for, how far it is, or why it ended."""
    if status.state == "queued":
        before = len(job.ahead())
        return f"{before} {'job' if before == 1 else 'jobs'} before it" if before else "starting"
    if status.message:
        return status.message
    parts = []
    if status.stage:
        parts.append(f"{status.stage} {status.done:,}/{status.total:,}")
    if status.seconds_left is not None:
        parts.append(f"{duration(status.seconds_left)} left")
    parts += [
        f"{as_text(name, value)} {UNITS[name]}"
        if name in UNITS
        else f"{name} {as_text(name, value)}"
        for name, value in status.facts.items()
    ]
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Write a time span: 42 s, 3 min 20 s, 2 h 5 min.

    Examples
    --------
    >>> duration(42.2), duration(200), duration(7500)
    ('42 s', '3 min 20 s', '2 h 5 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
