"""Runs: a folder each, that holds all that was found out about one set of pictures."""

from embedlab.runs.finding import (
    list_runs,
    new_run_folder,
    open_run,
    run_folders,
    unreadable_runs,
)
from embedlab.runs.run import BUILTIN, EMBEDDING, Head, Run
from embedlab.runs.saving import check_free, save_run

__all__ = [
    "BUILTIN",
    "EMBEDDING",
    "Head",
    "Run",
    "check_free",
    "list_runs",
    "new_run_folder",
    "open_run",
    "run_folders",
    "save_run",
    "unreadable_runs",
]
