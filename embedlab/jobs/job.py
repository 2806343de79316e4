"""Job: a command line at work in another process, and the folder that tells about it."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from embedlab.errors import EmbedlabError
from embedlab.files import PARTIAL, new_folder, write_json
from embedlab.home import home
from embedlab.jobs.commands import sameness
from embedlab.jobs.failures import explain
from embedlab.jobs.launch import enqueue, launch
from embedlab.jobs.log import tail
from embedlab.jobs.processes import stop
from embedlab.jobs.record import (
    CANCELLED,
    ahead,
    as_mapping,
    in_line,
    is_active,
    is_job_id,
    job_folders,
    locked,
    read_json,
    read_record,
    write_record,
)
from embedlab.jobs.reserve import keep_reserve, release_reserve
from embedlab.jobs.status import Status, look

PROGRAM = ("-m", "embedlab")  # what Python runs with a job's arguments
_DISMISSED = "dismissed"
_REFUSED = ("jobs", "app")  # a job that waits for jobs, or never ends, would block the queue


@dataclass(frozen=True)
class Job:
    """A job, by its folder. All is read from the folder, so any process can look and act.

    Parameters
    ----------
    folder : Path
    """

    folder: Path

    @property
    def id(self) -> str:
        """The folder's name, such as 20261123-101512-3f2a: sortable, and safe in links."""
        return self.folder.name

    @cached_property
    def _asked(self) -> dict[str, Any]:
        return dict(as_mapping(read_json(self.folder / "job.json")))

    @property
    def title(self) -> str:
        """What people call the job."""
        return str(self._asked.get("title") or self.id)

    @property
    def arguments(self) -> tuple[str, ...]:
        """What stands after ``embedlab`` on the command line."""
        return tuple(self._asked.get("arguments", ()))

    @property
    def key(self) -> str:
        """What makes two jobs the same."""
        return str(self._asked.get("key", ""))

    @property
    def created(self) -> datetime:
        """When it was asked for (UTC), to the second."""
        return datetime.strptime(self.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)

    def status(self) -> Status:
        """See how the job stands.

        Raises
        ------
        EmbedlabError
            If it has been removed.
        """
        return look(self.folder)

    def ahead(self) -> list[Job]:
        """List the jobs that have their turn before this one, the next first."""
        return [Job(folder) for folder in ahead(self.folder)]

    def log_tail(self, lines: int = 40) -> list[str]:
        """Read the last lines that the job printed."""
        return tail(self.folder / "log.txt", lines)

    @property
    def dismissed(self) -> bool:
        """Whether somebody has seen how it ended and put it away; see `dismiss`."""
        return (self.folder / _DISMISSED).exists()

    def dismiss(self) -> None:
        """Put away a job that has ended: pages do not bring it up of their own accord any more.

        It stays in the list, and a link to it still shows it. Taking it up again undoes this.
        """
        with _in_words():
            (self.folder / _DISMISSED).touch()

    def cancel(self) -> None:
        """Stop the job, waiting or running, with every process that it started.

        A job that has ended already is left as it is.
        """
        with _in_words(), locked(self.folder.parent):
            record = read_record(self.folder)
            if record is None or not is_active(self.folder, record):
                return
            release_reserve(self.folder)
            write_record(self.folder, replace(record, state=CANCELLED, ended=time.time()))
        if record.host == platform.node():
            stop(record.processes)

    def resume(self) -> None:
        """Take up again a job that failed, was cancelled or lost; it waits for its turn anew.

        Raises
        ------
        EmbedlabError
            If it is active or done, or the same job is active under another id.
        """
        with _in_words(), locked(self.folder.parent):
            status = look(self.folder)
            if not status.resumable:
                raise EmbedlabError(
                    f"The job {self.id} is {status.state}.",
                    remedy="Only a job that failed, was cancelled or lost can be resumed.",
                )
            twin = _active_with_key(self.folder.parent, self.key)
            if twin is not None:
                raise EmbedlabError(
                    f"The same job is under way already as {twin.id}.",
                    remedy=f"Watch that one: embedlab jobs show {twin.id}.",
                )
            record = read_record(self.folder)
            keep_reserve(self.folder)
            for name in ("report.json", _DISMISSED):
                (self.folder / name).unlink(missing_ok=True)
            with (self.folder / "log.txt").open("a", encoding="utf-8") as log:
                log.write(f"--- resumed {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC ---\n")
            attempt = 1 if record is None else record.attempt + 1
            launch(self.folder, enqueue(self.folder, root=self.folder.parent, attempt=attempt))

    def remove(self) -> None:
        """Delete the job's folder, with its log and checkpoints; runs that it made stay.

        Raises
        ------
        EmbedlabError
            If the job waits or runs.
        """
        with _in_words(), locked(self.folder.parent):
            status = look(self.folder)
            if status.active:
                raise EmbedlabError(
                    f"The job {self.id} is {status.state}.",
                    remedy=f"Cancel it first: embedlab jobs cancel {self.id}.",
                )
            # Renamed first, so that nobody ever sees half of a job.
            doomed = self.folder.with_name(f"{PARTIAL}{self.id}")
            self.folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def start(arguments: Sequence[str], *, title: str, key: str | None = None) -> Job:
    """Ask for a job: ``start(["train", "garden"], title="Train on the garden")``.

    It waits until no other job runs and none was asked for before it. The same job asked for
    again while it waits or runs is one job.

    Parameters
    ----------
    arguments : sequence of str
        What a person would type after ``embedlab``. Relative paths start in this process's
        working folder.
    title : str
        What people call the job.
    key : str, optional
        What makes two jobs the same; by default what the command line comes to, however it is
        spelt and wherever its relative paths start.

    Returns
    -------
    Job

    Raises
    ------
    EmbedlabError
        If the arguments cannot be a job, or the job's folder cannot be written.
    """
    arguments = [str(argument) for argument in arguments]
    if not arguments or arguments[0] in _REFUSED:
        raise EmbedlabError(
            f"'embedlab {' '.join(arguments)}' cannot run as a job.",
            remedy="Give a command that works and ends, such as: train garden.",
        )
    cwd = str(Path.cwd())
    key = key or _key(arguments, Path(cwd))
    with _in_words():
        root = _root()
        with locked(root):
            twin = _active_with_key(root, key)
            if twin is not None:
                return twin
            job = Job(_free_folder(root))
            with new_folder(job.folder) as folder:
                (folder / "work").mkdir()
                keep_reserve(folder)
                asked = {"arguments": arguments, "title": title, "key": key, "cwd": cwd}
                write_json(folder / "job.json", {**asked, "program": PROGRAM})
                record = enqueue(folder, root=root, attempt=1)
            launch(job.folder, record)
            return job


def _key(arguments: Sequence[str], cwd: Path) -> str:
    text = json.dumps(sameness(arguments, cwd=cwd), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _free_folder(root: Path) -> Path:
    """Name a new job after the moment: date, time, and 65536ths of a second. Under the lock."""
    while True:
        now = time.time()
        moment = f"{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}"
        folder = root / f"{moment}-{int(now % 1 * 65536):04x}"
        if not folder.exists():
            return folder


def _active_with_key(root: Path, key: str) -> Job | None:
    return next((job for job in _in_line(root) if job.key == key), None)


def _in_line(root: Path) -> list[Job]:
    return [Job(folder) for folder, _ in in_line(root)]


def _root() -> Path:
    with _in_words():
        return home("jobs")


def list_jobs() -> list[Job]:
    """List the jobs there are, newest first."""
    return [Job(folder) for folder in reversed(job_folders(_root()))]


def queue() -> list[Job]:
    """List the jobs that run or wait, in the order of their turns."""
    return _in_line(_root())


def open_job(id_: str) -> Job:
    """Open a job by its id.

    Raises
    ------
    EmbedlabError
        If there is no such job.
    """
    folder = _root() / id_ if is_job_id(id_) else None
    if folder is None or not folder.is_dir():
        raise EmbedlabError(
            f"No job is called {id_[:80]!r}.", remedy="List them: embedlab jobs list."
        )
    return Job(folder)


def wait(job: Job, *, timeout: float | None = None) -> Status:
    """Wait until a job has ended, or `timeout` seconds have passed; say how it stands then."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        status = job.status()
        if not status.active or (deadline is not None and time.monotonic() >= deadline):
            return status
        time.sleep(0.1)


@contextmanager
def _in_words() -> Iterator[None]:
    """Say in words what the disk refuses."""
    try:
        yield
    except OSError as error:
        words = explain(error)
        if words is None:
            raise
        raise words from error
