"""`embedlab doctor`: versions, device, memory, what is cached, what is missing."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--clear", is_flag=True, help="Remove what killed processes have left behind.")
def command(as_json: bool, clear: bool) -> None:
    """Say what works here, what is cached and what is missing."""
    if clear:
        from embedlab.leftovers import clear_leftovers

        clear_leftovers()
    from embedlab.doctor import examine

    report = examine()
    if as_json:
        click.echo(json.dumps(report, indent=1, ensure_ascii=False))
        return
    for section, lines in report.items():
        click.secho(section, bold=True)
        for name, value in lines.items():
            click.echo(f"  {name:<18} {value}")
