"""`embedlab check`: what is odd about a run's labels and pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from embedlab.cli.reporting import Report, reporting
from embedlab.errors import EmbedlabError

if TYPE_CHECKING:
    from embedlab.runs import Run

_NAMED = 12  # of each kind, in words


@click.command()
@click.argument("run")
@click.option(
    "--only",
    type=click.Choice(["labels", "pictures"]),
    help="Doubtful labels, or duplicates and outliers; both by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON for scripts.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
def command(run: str, only: str | None, as_json: bool, quiet: bool) -> None:
    """Look for doubtful labels in RUN, and for pictures that are there twice or like no other.

    A label is doubtful where classifiers that have not seen the picture firmly disagree with
    it. Two pictures leak where one is in training and its twin in validation. What takes long
    is kept in the run, where the page Mistakes finds it.
    """
    from embedlab.runs import open_run

    opened = open_run(run)
    found: dict[str, Any] = {}
    with reporting(quiet=quiet) as report:
        if only != "pictures":
            try:
                found |= _labels(opened, report)
            except EmbedlabError as error:
                if only == "labels":
                    raise
                found |= {"labels": None, "note": str(error)}
        if only != "labels":
            found |= _pictures(opened, report)
        report.result(run=opened.id)
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for line in _lines(found, opened):
        click.echo(line)


def _labels(run: Run, report: Report) -> dict[str, Any]:
    """Find the labels that are probably wrong, and say why there are none."""
    from embedlab.checks import make_doubts
    from embedlab.space.quality import label_issues

    probabilities = make_doubts(run, progress=report.progress)
    assert run.labels is not None
    issues = label_issues(run.labels, probabilities)
    rows = zip(issues.rows, issues.suggestions, issues.confidences, strict=True)
    return {
        "labels": [
            {
                "id": str(run.items["id"].iat[row]),
                "label": run.classes[run.labels[row]],
                "fits_better": run.classes[suggestion],
                "probability_of_label": round(float(confidence), 4),
            }
            for row, suggestion, confidence in rows
        ],
        "note": issues.note,
    }


def _pictures(run: Run, report: Report) -> dict[str, Any]:
    """Find the pictures that are there twice, and those that are like no other."""
    from embedlab.checks import make_nearest, twins
    from embedlab.space.oddities import outliers

    near = make_nearest(run, progress=report.progress)
    pairs, strangers = twins(run, near), outliers(run.embeddings, near=near)
    names = run.items["id"].astype(str).tolist()
    return {
        "pairs": [
            {
                "id": names[a],
                "twin": names[b],
                "same_content": exact,
                "distance": round(distance, 4),
                "leaks": bool(run.split[a] != run.split[b]),
            }
            for (a, b), exact, distance in zip(
                pairs.rows.tolist(), pairs.exact.tolist(), pairs.distances.tolist(), strict=True
            )
        ],
        "outliers": [
            {"id": names[row], "distance": round(float(strangers.scores[row]), 4)}
            for row in strangers.rows.tolist()
        ],
    }


def _lines(found: dict[str, Any], run: Run) -> Iterator[str]:
    """Say what was found: how much of each kind, and the worst of it by name."""
    if found.get("labels") is not None:
        count = len(found["labels"])
        yield f"Doubtful labels: {count:,} of {run.n_items:,}. {found['note']}".rstrip()
        yield from _worst(
            f"{one['id']}: labelled {one['label']} ({one['probability_of_label']:.0%}), "
            f"fits {one['fits_better']} better"
            for one in found["labels"]
        )
    elif "note" in found:
        yield found["note"]
    if "pairs" in found:
        leaking = sum(one["leaks"] for one in found["pairs"])
        yield f"Pairs that are the same or nearly: {len(found['pairs']):,}; {leaking:,} leak."
        yield from _worst(
            f"{one['id']} and {one['twin']}: "
            + ("the same content" if one["same_content"] else f"distance {one['distance']:.2f}")
            + (", one in training and one in validation" if one["leaks"] else "")
            for one in found["pairs"]
        )
    if found.get("outliers"):
        yield "Least like all others, in times the usual distance to the ten nearest:"
        yield from (f"  {one['id']}: {one['distance']:.2f}" for one in found["outliers"][:_NAMED])


def _worst(lines: Iterable[str]) -> Iterator[str]:
    """Give the first lines, and how many more there are."""
    rest = iter(lines)
    yield from (f"  {line}" for line in islice(rest, _NAMED))
    more = sum(1 for _ in rest)
    if more:
        yield f"  and {more:,} more, which --json lists"
