"""`embedlab runs`: list, show, pack, unpack and remove runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from embedlab.cli.reporting import reporting
from embedlab.errors import EmbedlabError

_BESIDE = 75  # columns of text that the list of runs takes beside the longest name


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the runs there are; subcommands show, export, import and remove one."""
    if ctx.invoked_subcommand is not None:
        return
    from embedlab.runs import list_runs, unreadable_runs

    rows = [_summary(run) for run in list_runs()]
    for error in unreadable_runs():
        click.echo(f"left out: {error}", err=True)
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Column, Table

    console = Console()
    # The name is what other commands take: it is shown whole, before all that `runs show` tells.
    longest = max((len(row["run"]) for row in rows), default=0)
    roomy = longest + _BESIDE <= console.width
    more = ("backbone", "made (UTC)") if roomy else ()
    table = Table(Column("run", overflow="fold"), "pictures", "dims", "validation\naccuracy", *more)
    for row in rows:
        accuracy = row["validation_accuracy"]
        table.add_row(
            str(row["run"]),
            f"{row['pictures']:,}",
            str(row["dimensions"]),
            "-" if accuracy is None else f"{accuracy:.1%}",
            *((str(row["backbone"]), str(row["created"])[:16].replace("T", " ")) if roomy else ()),
        )
    console.print(table)


def _summary(run: Any) -> dict[str, Any]:
    held = run.info.get("metrics", {}).get("validation", {})
    return {
        "run": run.id,
        "title": run.title,
        "pictures": run.n_items,
        "dimensions": run.info["n_dims"],
        "backbone": run.info["backbone"]["name"],
        "validation_accuracy": held["correct"] / held["total"] if held.get("total") else None,
        "created": run.info.get("created"),
        "folder": str(run.folder),
    }


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Print run.json of the run NAME: what was done, and what came out."""
    from embedlab.runs import open_run

    click.echo(json.dumps(open_run(name).info, indent=1, ensure_ascii=False))


@command.command()
@click.argument("name")
@click.argument("target", type=click.Path(path_type=Path), required=False)
def export(name: str, target: Path | None) -> None:
    """Pack the run NAME into one zip file that can be sent or put beside app.py."""
    from embedlab.packing import pack_run
    from embedlab.runs import open_run

    path = pack_run(open_run(name), target or Path(f"{Path(name).name}.zip"))
    click.echo(f"{path}  ({path.stat().st_size / 1e6:.1f} MB)")


@command.command("import")
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(archive: Path) -> None:
    """Unpack a zipped run ARCHIVE among the runs of this machine."""
    from embedlab.packing import unpack_run

    with reporting(quiet=True) as report:
        run = unpack_run(archive)
        report.result(run=run.id)
    click.echo(run.id)


@command.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """Delete the run NAME from this machine."""
    import shutil

    from embedlab.runs import BUILTIN, open_run

    run = open_run(name)
    if run.folder.parent == BUILTIN:
        raise EmbedlabError(
            f"The run {run.id} comes with embedlab.", remedy="It cannot be removed."
        )
    if not yes:
        click.confirm(f"Delete {run.folder}?", abort=True)
    shutil.rmtree(run.folder)
    click.echo(f"Removed {run.id}.")
