"""`embedlab train`: pictures in, a run out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedlab.cli.reporting import left_out, reporting

CHOSEN = (  # the options that are settings of the training
    "weights",
    "freeze",
    "cut",
    "epochs",
    "learning_rate",
    "batch_size",
    "size",
    "seed",
    "augment",
    "schedule",
    "label_smoothing",
    "weight_decay",
    "probe",
)

if TYPE_CHECKING:
    from embedlab.models.settings import TrainSettings


@click.command()
@click.argument("source")
@click.option(
    "--backbone",
    "-m",
    help="The network. By default small for drawn pictures and "
    "digits, efficientnet_b0 for all else.",
)
@click.option("--weights", help="imagenet, random, or a .safetensors or .pth file.")
@click.option("--freeze/--no-freeze", default=None, help="Train the head alone.")
@click.option("--cut", help="Where the body ends: a layer's name or index; nothing follows it.")
@click.option("--epochs", type=int, help="How often each picture is seen.")
@click.option("--learning-rate", "--lr", type=float, help="Of Adam. [default: 0.001]")
@click.option("--batch-size", "-b", type=int, help="[default: 16]")
@click.option("--size", type=int, help="Side of the pictures in pixels.")
@click.option("--seed", "-s", type=int, help="Of the training. [default: 123]")
@click.option("--augment", help="none, flip or gentle.")
@click.option("--schedule", help="constant or one-cycle.")
@click.option("--label-smoothing", type=float, help="[default: 0]")
@click.option("--weight-decay", type=float, help="[default: 0]")
@click.option("--probe", type=int, help="How many pictures its film follows. [default: 200]")
@click.option("--validation", default=0.2, show_default=True, help="Share kept for validation.")
@click.option("--split-seed", default=123, show_default=True, help="Of the split.")
@click.option("--stratify", is_flag=True, help="Split each class by itself.")
@click.option(
    "--root",
    type=click.Path(exists=True, path_type=Path),
    help="Where a named set's files already are.",
)
@click.option("--limit", type=int, help="Take only so many pictures, drawn by the split's seed.")
@click.option("--name", help="What the run is called.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--how-long", is_flag=True, help="Measure how long it would take, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
def command(
    source: str,
    backbone: str | None,
    validation: float,
    split_seed: int,
    stratify: bool,
    root: Path | None,
    limit: int | None,
    name: str | None,
    device: str,
    how_long: bool,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Train a classifier on the pictures of SOURCE and keep all that it learned as a run.

    SOURCE is a named set (garden, digits, flowers, mnist, cifar10, ...), a folder with one
    sub-folder a class, a zip or tar of one, or a .npz file of arrays.
    """
    from embedlab.asked import check_share
    from embedlab.data.sources import load_dataset

    settings = resolved(source, backbone, chosen)
    check_share(validation)
    if how_long:
        _say_how_long(source, settings, limit, validation, device, as_json=as_json, quiet=quiet)
        return
    with reporting(quiet=quiet) as report:
        from embedlab.estimate import learn_from
        from embedlab.experiment import train
        from embedlab.jobs import current
        from embedlab.live import FOLDER, LiveWriter
        from embedlab.views import prepare

        dataset = load_dataset(
            source, root=root, limit=limit, seed=split_seed, progress=report.progress
        )
        job = current()
        live = LiveWriter(job / FOLDER, dataset, epochs=settings.epochs) if job else None
        if job:  # torch takes its time to import
            report.progress("preparing the network", 0, 1)
        run = train(
            dataset,
            settings=settings,
            fraction=validation,
            split_seed=split_seed,
            stratify=stratify,
            title=name,
            device=device,
            work=report.work,
            progress=report.progress,
            on_epoch=live.epoch if live else None,
            on_snapshot=live.snapshot if live else None,
            # Whoever waits for a job will look at the run next.
            afterwards=partial(prepare, progress=report.progress) if job else None,
        )
        learn_from(settings, run.info, run.history, device)
        report.result(run=run.id)
    if as_json:
        click.echo(json.dumps({"run": run.id, "folder": str(run.folder), **run.info["metrics"]}))
        return
    for note in dataset.notes:
        click.echo(f"note: {note}")
    for line in left_out(dataset.skipped):
        click.echo(line)
    click.echo(summary(run))


def resolved(source: str, backbone: str | None, chosen: Mapping[str, Any]) -> TrainSettings:
    """Fill in the settings that were not chosen, as suits the pictures and the backbone.

    Raises
    ------
    EmbedlabError
        If a value is out of its range.
    """
    from embedlab.models.recipes import backbone_for, settings_for

    return settings_for(backbone or backbone_for(source, "train"), chosen)


def _say_how_long(
    source: str,
    settings: TrainSettings,
    limit: int | None,
    validation: float,
    device: str,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    from embedlab.estimate import count_pictures, estimate, in_words, measure

    with reporting(quiet=quiet) as report:
        counted = count_pictures(source)
        cost = measure(settings, device=device, progress=report.progress)
        n = min(counted[0] if counted else 1000, limit or 10**9)
        found = estimate(settings, n, fraction=validation, device=device)
        report.result(**asdict(cost), low=found.low, high=found.high, pictures=n)
    if as_json:
        click.echo(json.dumps({**asdict(cost), **asdict(found), "pictures": n}))
        return
    click.echo(
        f"on {cost.device}: {1e3 * cost.learn:.3g} ms to learn from a picture, "
        f"{1e3 * cost.embed:.3g} ms to embed it"
    )
    click.echo(f"{n:,} pictures of {source}: {in_words(found)}, downloads not counted")


def summary(run: Any) -> str:
    """Sum a run up for a terminal."""
    from embedlab.space.scores import wilson

    lines = [f"run {run.id}: {run.n_items:,} pictures, embeddings {run.embeddings.shape}"]
    held = run.info.get("metrics", {}).get("validation", {})
    if held.get("total"):
        low, high = wilson(held["correct"], held["total"])
        share = held["correct"] / held["total"]
        lines.append(
            f"validation accuracy {share:.4f} ({held['correct']}/{held['total']}), "
            f"95 % interval {low:.3f} to {high:.3f}"
        )
    lines.append(f"kept in {run.folder}")
    lines.append(f"look at it: embedlab app, then choose {run.title}")
    return "\n".join(lines)
