"""`embedlab import`: a run from what was trained or embedded elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from embedlab.cli.reporting import reporting


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("pictures", required=False)
@click.option("--backbone", "-m", help="Which network the weights are of.")
@click.option(
    "--classes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that names the rows of the head, a name a line.",
)
@click.option(
    "--table",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Paths and labels of the vectors: CSV, TSV or Parquet.",
)
@click.option("--column", help="Which column of a .parquet, or array of an .npz, has the vectors.")
@click.option(
    "--output",
    help="Where the embedding is in an ONNX file: an output, or a tensor or node inside.",
)
@click.option("--size", type=int, help="Side of the pictures in pixels.")
@click.option(
    "--normalise",
    "normalisation",
    help="Of the colours: imagenet, half (-1 to 1) or none (0 to 1).",
)
@click.option("--validation", type=float, help="Split as train does: the share for validation.")
@click.option("--split-seed", default=123, show_default=True, help="Of that split.")
@click.option(
    "--root",
    type=click.Path(exists=True, path_type=Path),
    help="Where a named set's files already are.",
)
@click.option("--limit", type=int, help="Take only so many pictures, drawn by the split's seed.")
@click.option("--name", "title", help="What the run is called.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
def command(
    file: Path,
    pictures: str | None,
    root: Path | None,
    limit: int | None,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Make a run of FILE and of PICTURES, to look at it as at any other.

    FILE holds weights of one of torchvision's networks (.safetensors, .pth), a network or its
    body as ONNX (.onnx), or vectors (.npy, .npz, .parquet). PICTURES is whatever train takes; for
    vectors, the folder that the paths in the table begin in.
    """
    from embedlab.importing.run import import_run
    from embedlab.jobs import current
    from embedlab.views import prepare

    with reporting(quiet=quiet) as report:
        run = import_run(file, pictures, root=root, limit=limit, progress=report.progress, **chosen)
        report.result(run=run.id)
        if current():  # whoever waits for a job will look at the run next
            prepare(run, progress=report.progress)
    if as_json:
        click.echo(json.dumps({"run": run.id, "folder": str(run.folder), **run.info["metrics"]}))
        return
    from embedlab.cli.train import summary

    for note in (*run.info["dataset"]["notes"], *run.info["notes"]):
        click.echo(f"note: {note}")
    click.echo(summary(run))
