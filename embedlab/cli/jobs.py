"""`embedlab jobs`: start, list, show, cancel, resume and remove jobs."""

from __future__ import annotations

import json
import time
from collections import deque
from typing import Any

import click

from embedlab.errors import EmbedlabError
from embedlab.jobs import Job, Status, list_jobs, open_job
from embedlab.jobs import start as start_job
from embedlab.jobs.words import duration, progress_text


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Long work in the background, one job at a time. Alone, it lists the jobs."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_, as_json=as_json)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def list_(as_json: bool = False) -> None:
    """List the jobs there are, newest first."""
    jobs = [(job, job.status()) for job in list_jobs()]
    if as_json:
        click.echo(json.dumps([_values(*one) for one in jobs], indent=1, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("job", "title", "state", "progress")
    for job, status in jobs:
        table.add_row(job.id, Text(job.title), status.state, Text(progress_text(job, status)))
    Console().print(table)


def _values(job: Job, status: Status) -> dict[str, Any]:
    asked = {"id": job.id, "title": job.title, "arguments": list(job.arguments)}
    return {**asked, **status.values()}


@command.command(context_settings={"ignore_unknown_options": True})
@click.option("--title", help="What people call the job; by default, its command line.")
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED)
def start(title: str | None, arguments: tuple[str, ...]) -> None:
    """Run `embedlab ARGUMENTS` as a job: embedlab jobs start -- train garden."""
    import shlex

    click.echo(start_job(arguments, title=title or f"embedlab {shlex.join(arguments)}").id)


@command.command()
@click.argument("id_", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def show(id_: str, as_json: bool) -> None:
    """Say how the job ID stands."""
    import shlex

    job = open_job(id_)
    status = job.status()
    if as_json:
        click.echo(json.dumps(_values(job, status), indent=1, ensure_ascii=False))
        return
    lines = {
        "title": job.title,
        "command": f"embedlab {shlex.join(job.arguments)}",
        "state": status.state,
        "progress": progress_text(job, status),
        "remedy": status.remedy,
        "ran for": "" if status.seconds is None else duration(status.seconds),
        "result": ", ".join(f"{name} {value}" for name, value in status.result.items()),
        "folder": str(job.folder),
    }
    for name, text in lines.items():
        if text:
            click.echo(f"{name:<9} {text}")


@command.command()
@click.argument("id_", metavar="ID")
@click.option("-n", "--lines", default=40, show_default=True, help="How many lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
def log(id_: str, lines: int, follow: bool) -> None:
    """Print what the job ID printed."""
    job = open_job(id_)
    path = job.folder / "log.txt"
    if not follow or not path.exists():
        for one in job.log_tail(lines):
            click.echo(one)
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for one in deque(file, maxlen=lines):
            click.echo(one, nl=False)
        active = True
        while active:
            time.sleep(0.3)
            active = job.status().active
            click.echo(file.read(), nl=False)


@command.command()
@click.argument("id_", metavar="ID")
def cancel(id_: str) -> None:
    """Stop the job ID, whether it waits or runs."""
    job = open_job(id_)
    job.cancel()
    click.echo(f"{job.id} is {job.status().state}.")


@command.command()
@click.argument("id_", metavar="ID")
def resume(id_: str) -> None:
    """Take up the job ID again, which failed, was cancelled or lost."""
    job = open_job(id_)
    job.resume()
    click.echo(f"{job.id} is {job.status().state}.")


@command.command()
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--ended", is_flag=True, help="Remove every job that has ended.")
def remove(ids: tuple[str, ...], ended: bool) -> None:
    """Delete jobs with their logs and checkpoints; the runs that they made stay."""
    jobs = [open_job(id_) for id_ in ids]
    if ended:
        jobs += [job for job in list_jobs() if job.id not in ids and not job.status().active]
    elif not jobs:
        raise EmbedlabError("No job was named.", remedy="Give ids, or --ended.")
    for job in jobs:
        job.remove()
        click.echo(f"Removed {job.id}.")
