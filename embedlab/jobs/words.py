"""How a job stands, in words."""

from __future__ import annotations

from embedlab.jobs.job import Job
from embedlab.jobs.status import Status

UNITS = {"rate": "pictures/s"}  # readings that mean nothing without their unit


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
        f"{value:.3g} {UNITS[name]}" if name in UNITS else f"{name} {value:.3g}"
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
