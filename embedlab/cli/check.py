"""`embedlab check`: look for labels that are probably wrong."""

from __future__ import annotations

import json

import click

from embedlab.cli.reporting import reporting


@click.command()
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
def command(run: str, as_json: bool, quiet: bool) -> None:
    """Ask of each picture of RUN classifiers that have not seen it; name the doubtful labels."""
    from embedlab.runs import open_run
    from embedlab.space.quality import label_issues
    from embedlab.views import make_doubts

    opened = open_run(run)
    with reporting(quiet=quiet) as report:
        probabilities = make_doubts(opened, progress=report.progress)
        report.result(run=opened.id)
    assert opened.labels is not None
    found = label_issues(opened.labels, probabilities)
    rows = [
        {
            "id": str(opened.items["id"].iat[row]),
            "label": opened.classes[opened.labels[row]],
            "fits_better": opened.classes[suggestion],
            "probability_of_label": round(float(confidence), 4),
        }
        for row, suggestion, confidence in zip(
            found.rows, found.suggestions, found.confidences, strict=True
        )
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for line in rows:
        click.echo(
            f"{line['id']}: labelled {line['label']} ({line['probability_of_label']:.0%}), "
            f"fits {line['fits_better']} better"
        )
    click.echo(f"{len(rows)} of {opened.n_items:,} labels are doubtful. {found.note}".strip())
