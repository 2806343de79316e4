"""`embedlab project`: lay a run's pictures out with UMAP."""

from __future__ import annotations

import click

from embedlab.cli.reporting import reporting


@click.command()
@click.argument("run")
@click.option("--vectors", default="embedding", show_default=True, help="Which vectors of the run.")
@click.option("--neighbours", "-k", default=15, show_default=True, help="How many count as near.")
@click.option("--min-dist", default=0.1, show_default=True, help="How close points may lie.")
@click.option("--metric", default="cosine", show_default=True, help="cosine or euclidean.")
@click.option("--seed", "-s", default=0, show_default=True, help="The same seed, the same layout.")
@click.option("--dimensions", "-d", default=2, show_default=True, help="2 or 3.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
def command(
    run: str,
    vectors: str,
    neighbours: int,
    min_dist: float,
    metric: str,
    seed: int,
    dimensions: int,
    quiet: bool,
) -> None:
    """Lay the pictures of RUN out with UMAP and keep the layout in the run."""
    from embedlab.runs import open_run
    from embedlab.views import UmapSettings, make_umap

    settings = UmapSettings(neighbours, min_dist, metric, seed, dimensions)
    with reporting(quiet=quiet) as report:
        opened = open_run(run)
        coordinates = make_umap(opened, settings, vectors=vectors, progress=report.progress)
        report.result(run=opened.id, key=settings.key(opened, vectors))
    click.echo(f"{opened.id}: {coordinates.shape}, kept as {settings.key(opened, vectors)}")
