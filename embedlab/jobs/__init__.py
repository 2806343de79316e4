"""Long work in another process: start, watch, cancel, take up again.

A job is a command line that a person could type after ``embedlab``. It has an id and a folder,
outlives the tab and the server that started it, and one runs at a time.
"""

from embedlab.jobs.child import ChildReport, current
from embedlab.jobs.job import Job, list_jobs, open_job, queue, start, wait
from embedlab.jobs.status import Status

__all__ = [
    "ChildReport",
    "Job",
    "Status",
    "current",
    "list_jobs",
    "open_job",
    "queue",
    "start",
    "wait",
]
