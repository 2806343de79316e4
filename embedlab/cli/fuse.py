"""`embedlab fuse`: pictures and a table in; what the table adds, and a run, out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from embedlab.cli.reporting import left_out, reporting
from embedlab.errors import EmbedlabError


@click.command()
@click.argument("pictures")
@click.argument("table", required=False, type=click.Path(path_type=Path))
@click.option("--target", help="The column to predict. [default: the pictures' own classes]")
@click.option("--classes", type=int, help="Cut a target of numbers into so many classes.")
@click.option("--log", is_flag=True, help="Predict the target's logarithm.")
@click.option("--key", help="The column that names the pictures.")
@click.option("--numeric", multiple=True, help="Take this column, or the target, for a quantity.")
@click.option("--categorical", multiple=True, help="Take this column, or the target, for names.")
@click.option("--ignore", multiple=True, help="Leave this column out.")
@click.option("--backbone", "-m", help="What the pictures go through.")
@click.option("--weights", help="imagenet, random, or a .safetensors or .pth file.")
@click.option("--size", type=int, help="Side of the pictures in pixels.")
@click.option("--seeds", default=5, show_default=True, help="How many splits to repeat it on.")
@click.option("--hidden", default=64, show_default=True, help="Width of the table branch.")
@click.option("--dropout", default=0.2, show_default=True)
@click.option("--picture-dropout", default=0.0, show_default=True, help="Of the picture's vector.")
@click.option(
    "--modality-dropout",
    default=0.0,
    show_default=True,
    help="The share of the pictures that go without one branch in a step of training.",
)
@click.option("--batch-norm", is_flag=True, help="In the table branch.")
@click.option("--fusion", default="concatenated", show_default=True, help="concatenated or gated.")
@click.option("--learning-rate", "--lr", default=1e-3, show_default=True)
@click.option("--weight-decay", default=1e-2, show_default=True)
@click.option("--epochs", default=100, show_default=True, help="At most; it stops early.")
@click.option(
    "--search",
    default=8,
    show_default=True,
    help="How many settings each network may choose from: these, and others at random.",
)
@click.option(
    "--fine-tune",
    default=0,
    show_default=True,
    help="Train the pictures' body along for so many epochs more.",
)
@click.option("--body-learning-rate", "--body-lr", default=1e-4, show_default=True)
@click.option(
    "--augment", default="none", show_default=True, help="With --fine-tune: none, flip or gentle."
)
@click.option(
    "--root",
    type=click.Path(exists=True, path_type=Path),
    help="Where a named set's files already are.",
)
@click.option("--limit", type=int, help="Take only so many pictures.")
@click.option("--name", help="What the run is called.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
def command(
    pictures: str,
    table: Path | None,
    target: str | None,
    classes: int | None,
    log: bool,
    key: str | None,
    numeric: tuple[str, ...],
    categorical: tuple[str, ...],
    ignore: tuple[str, ...],
    backbone: str | None,
    weights: str | None,
    size: int | None,
    seeds: int,
    search: int,
    root: Path | None,
    limit: int | None,
    name: str | None,
    device: str,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Train on PICTURES alone, TABLE alone, both, and both with the table shuffled; compare.

    PICTURES is what `embedlab train` takes. TABLE is a CSV, TSV or Parquet file with a column
    that names the pictures; without it, the table that came with the pictures (garden).
    """
    from embedlab.data.sources import load_dataset
    from embedlab.data.table import read_table

    kinds: dict[str, str] = {}
    for kind, columns in (("numeric", numeric), ("categorical", categorical), ("ignore", ignore)):
        for column in columns:
            if kinds.setdefault(column, kind) != kind:
                raise EmbedlabError(
                    f"Column {column!r} is said to be both {kinds[column]} and {kind}.",
                    remedy="Say only one of these.",
                )
    read = read_table(table) if table is not None else None
    with reporting(quiet=quiet) as report:
        from embedlab.assembling import assemble
        from embedlab.fusing import fuse
        from embedlab.models.fusion_settings import FusionSettings
        from embedlab.models.recipes import backbone_for

        settings = FusionSettings(**chosen)
        dataset = load_dataset(pictures, root=root, limit=limit, progress=report.progress)
        assembled = assemble(
            dataset,
            read.frame if read else None,
            target=target,
            n_classes=classes,
            log=log,
            kinds=kinds,
            key=key,
        )
        notes = [*(read.notes if read else ()), *assembled.joined, *assembled.warnings]
        if not as_json:
            for note in [*left_out(dataset.skipped), *notes]:
                click.echo(note, err=True)
        run = fuse(
            assembled,
            backbone=backbone or backbone_for(pictures, "fuse"),
            weights=weights,
            size=size,
            settings=settings,
            seeds=seeds,
            search=search,
            title=name,
            device=device,
            words=["embedlab", *sys.argv[1:]],
            progress=report.progress,
        )
        report.result(run=run.id)
    found = run.info["fusion"]
    if as_json:
        answer = {"run": run.id, "folder": str(run.folder), "notes": notes, **found}
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(results(found))
    click.echo(f"kept in {run.folder}")


def results(found: dict[str, Any]) -> str:
    """Lay the results out for a terminal: a line an arm, the verdict, the columns."""
    lines = []
    for metric in found["metrics"]:
        lines.append(f"{metric} over {len(found['seeds'])} splits, with 95 % intervals")
        for arm in found["arms"].values():
            low, high = arm[metric]["interval"]
            lines.append(f"  {arm['title']:<28}{arm[metric]['mean']:6.3f}  {low:.3f} to {high:.3f}")
    lines.append(found["verdict"])
    lines.append(f"lost in {found['metrics'][0]} when a column is shuffled:")
    lines += [f"  {name:<28}{drop:+6.3f}" for name, drop in found["importance"].items()]
    return "\n".join(lines)
