"""`embedlab layers`: what each depth of a run's body is worth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from embedlab.cli.reporting import reporting

if TYPE_CHECKING:
    from embedlab.layers import Layers
    from embedlab.space.scores import Share


@click.command()
@click.argument("run")
@click.option("--size", type=int, help="Side of the pictures in pixels. [default: the run's own]")
@click.option("--umap", is_flag=True, help="Also lay every depth out with UMAP.")
@click.option("--batch-size", "-b", default=16, show_default=True, help="Pictures at a time.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
def command(
    run: str,
    size: int | None,
    umap: bool,
    batch_size: int,
    device: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Cut the body of RUN at every depth, keep the vectors there, and score them."""
    from embedlab.layers import make_layers
    from embedlab.runs import open_run
    from embedlab.views import make_umap

    opened = open_run(run)
    with reporting(quiet=quiet) as report:
        layers = make_layers(
            opened, size=size, batch_size=batch_size, device=device, progress=report.progress
        )
        for depth in layers.depths if umap else ():
            make_umap(opened, vectors=depth.vectors, progress=report.progress)
        report.result(run=opened.id, size=layers.size)
    if as_json:
        click.echo(json.dumps(_as_json(layers), indent=1, ensure_ascii=False))
        return
    _print(layers)


def _as_json(layers: Layers) -> dict[str, object]:
    return {
        "size": layers.size,
        "fitted": layers.n_fitted,
        "scored": layers.n_scored,
        "from_small_copies": layers.n_small,
        "depths": [
            {
                "cut": depth.name,
                "vectors": depth.vectors,
                "shape": list(depth.shape),
                "dimensions": depth.n_dims,
                "knn": _share(depth.knn),
                "probe": _share(depth.probe),
                "intrinsic_dimension": depth.dimension,
            }
            for depth in layers.depths
        ],
    }


def _share(share: Share | None) -> dict[str, object] | None:
    if share is None or not share.total:
        return None
    interval = list(share.interval)
    return {**vars(share), "accuracy": share.value, "interval": interval}


def _print(layers: Layers) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("cut", "shape", "numbers", "nearest 10", "linear", "dim.")
    for depth in layers.depths:
        table.add_row(
            f"{depth.name} (end)" if depth.end else depth.name,
            " x ".join(map(str, depth.shape)),
            f"{depth.n_dims:,}",
            _words(depth.knn),
            _words(depth.probe),
            "-" if depth.dimension is None else f"{depth.dimension:.1f}",
        )
    Console().print(table)
    click.echo(
        f"Pictures of {layers.size} px. Fitted on {layers.n_fitted:,} pictures, scored on "
        f"{layers.n_scored:,} others, 95 % intervals; dim. is the intrinsic dimension."
    )
    if layers.n_small:
        click.echo(f"note: of {layers.n_small:,} pictures only the run's small copy was at hand.")


def _words(share: Share | None) -> str:
    if share is None or not share.total:
        return "-"
    low, high = share.interval
    return f"{share.value:.1%} ({low:.0%}-{high:.0%})"
