"""`embedlab heads`: other heads on the embeddings of a run, compared, and kept if wanted."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import click

from embedlab.cli.reporting import reporting
from embedlab.errors import EmbedlabError

if TYPE_CHECKING:
    from embedlab.refitting import Refit
    from embedlab.runs import Run
    from embedlab.space.scores import Share


@click.command()
@click.argument("name")
@click.option(
    "--learning-rate", "--lr", "rates", type=float, multiple=True, help="[default: 0.001]"
)
@click.option("--seed", "-s", "seeds", type=int, multiple=True, help="[default: 123]")
@click.option("--epochs", type=int, help="How often each embedding is seen. [default: 20]")
@click.option("--batch-size", "-b", type=int, help="[default: 16]")
@click.option("--schedule", help="constant or one-cycle.")
@click.option("--label-smoothing", type=float, help="[default: 0]")
@click.option("--weight-decay", type=float, help="[default: 0]")
@click.option(
    "--others/--no-others",
    default=True,
    help="Also class means, nearest neighbours, logistic regression and LDA.",
)
@click.option("--keep", is_flag=True, help="Keep each linear head as a run of its own.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
def command(
    name: str,
    rates: tuple[float, ...],
    seeds: tuple[int, ...],
    others: bool,
    keep: bool,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Fit other heads to the embeddings of the run NAME, whose body stays as it is.

    Learning rates and seeds may be given several times: a linear head is fitted with each
    together. All are scored on the run's validation pictures.
    """
    from embedlab.models.settings import HeadSettings
    from embedlab.refitting import in_words, refit
    from embedlab.refitting import keep as keep_run
    from embedlab.runs import open_run

    run = open_run(name)
    given = {key: value for key, value in chosen.items() if value is not None}
    usual = HeadSettings(**given)
    asked = dict.fromkeys(
        HeadSettings(**{**given, "learning_rate": rate, "seed": seed})
        for rate, seed in product(rates or (usual.learning_rate,), seeds or (usual.seed,))
    )
    failed: dict[str, EmbedlabError] = {}
    kept: list[str] = []
    rows: list[dict[str, Any]] = []
    with reporting(quiet=quiet) as report:
        if (own := _own(run)) is not None:
            rows.append(own)
        for settings in asked:
            try:
                found = refit(run, settings, progress=report.progress)
            except EmbedlabError as error:  # one rate may be too high for all seeds, others not
                if len(asked) == 1:
                    raise
                failed[in_words(settings)] = error
                continue
            rows.append(_row(found))
            if keep:
                kept.append(keep_run(found).id)
                rows[-1]["run"] = kept[-1]
                report.result(runs=kept, run=kept[-1])
        if len(failed) == len(asked):
            raise next(iter(failed.values()))
        if others:
            rows += _others(run)
        _show(rows, kept, as_json=as_json)
        if failed:
            said, first = next(iter(failed.items()))
            raise EmbedlabError(
                f"{len(failed)} of {len(asked)} heads could not be fitted, the first with "
                f"{said}: {first.problem}",
                remedy=first.remedy,
            )


def _own(run: Run) -> dict[str, Any] | None:
    """Score the run's own head, where it has one for these classes."""
    from embedlab.space.scores import accuracy

    if run.head is None or run.labels is None or run.head.classes != run.classes:
        return None
    held = run.split == "validation"
    guesses = run.head.logits(run.embeddings[held]).argmax(axis=1)
    return _scored("own head", accuracy(run.labels[held], guesses))


def _row(found: Refit) -> dict[str, Any]:
    from dataclasses import asdict

    from embedlab.refitting import in_words

    row = _scored(f"linear, {in_words(found.settings)}", found.share, found.seconds)
    return {**row, "settings": asdict(found.settings)}


def _others(run: Run) -> list[dict[str, Any]]:
    from embedlab.space.heads import HEADS, compare_heads

    assert run.labels is not None
    contest = compare_heads(
        run.embeddings,
        run.labels,
        rows=run.split == "train",
        held_out=run.split == "validation",
    )
    return [_scored(HEADS[one.name].title, one.share, one.seconds) for one in contest.scores]


def _scored(head: str, share: Share, seconds: float | None = None) -> dict[str, Any]:
    return {
        "head": head,
        "correct": share.correct,
        "total": share.total,
        "accuracy": share.value if share.total else None,
        "interval": list(share.interval) if share.total else None,
        "seconds": None if seconds is None else round(seconds, 3),
    }


def _show(rows: list[dict[str, Any]], kept: list[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    _print(rows)
    for id_ in kept:
        click.echo(f"kept as {id_}")


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(Column("head", overflow="fold"), "right", "accuracy", "95 % interval", "took")
    for row in rows:
        scored = row["total"] > 0
        table.add_row(
            row["head"],
            f"{row['correct']} of {row['total']}",
            f"{row['accuracy']:.1%}" if scored else "-",
            "{:.1%} to {:.1%}".format(*row["interval"]) if scored else "-",
            "" if row["seconds"] is None else f"{row['seconds']:.2f} s",
        )
    Console().print(table)
