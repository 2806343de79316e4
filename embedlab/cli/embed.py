"""`embedlab embed`: pictures in, a matrix out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedlab.cli.reporting import reporting
from embedlab.errors import EmbedlabError

if TYPE_CHECKING:
    from embedlab.embedding.embed import Embedded

FORMATS = ("npy", "npz", "parquet", "safetensors", "projector")
ENGINES = ("local", "ray")
# What --engine ray has no way to do, with the value that stands for "not asked for".
_LOCAL_ONLY = {
    "dimensions": None,
    "format_name": None,
    "umap": False,
    "plot": False,
    "root": None,
}


@click.command()
@click.argument("source", metavar="INPUT")
@click.argument("output")
@click.option(
    "--model",
    "-m",
    default="efficientnet_b0",
    show_default=True,
    help="A network, pixels, histogram, pca (of pixels), or run:NAME for the body of a run.",
)
@click.option("--dimensions", "-d", type=int, help="Reduce to so many by PCA. [pca: 50]")
@click.option("--layers", "-l", "layer", help="Cut the network here: a layer's name or index.")
@click.option("--resize", "size", type=int, help="Side of the pictures in pixels.")
@click.option("--weights", help="imagenet, random, or a .safetensors or .pth file.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    help="By default what OUTPUT ends in, else npy.",
)
@click.option("--compress", "-c", is_flag=True, help="Write less and wait longer: npz, parquet.")
@click.option("--umap", is_flag=True, help="Write a UMAP layout, OUTPUT_umap, too.")
@click.option("--plot", "-p", is_flag=True, help="Draw it as PNG, SVG and HTML beside OUTPUT.")
@click.option(
    "--seed", "-s", default=123, show_default=True, help="Of UMAP, random weights and samples."
)
@click.option("--batch-size", "-b", default=16, show_default=True, help="Pictures at a time.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option(
    "--root",
    type=click.Path(exists=True, path_type=Path),
    help="Where a named set's files already are.",
)
@click.option("--limit", type=int, help="Take only so many pictures, drawn by the seed.")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="ray: on a cluster, into a folder of Parquet files; folders and URIs such as s3://...",
)
@click.option("--workers", type=int, help="At most so many, with --engine ray.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bars.")
def command(
    source: str,
    output: str,
    engine: str,
    workers: int | None,
    as_json: bool,
    quiet: bool,
    **chosen: Any,
) -> None:
    """Embed the pictures of INPUT and write one row a picture to OUTPUT.

    INPUT is a folder (with a sub-folder for each class, or flat), a zip or tar of one, a .npy or
    .npz file, a named set (garden, digits, flowers, mnist, cifar10, ...), or - for a list of
    paths on standard input. Ids, paths and labels travel with the matrix.

    When it is stopped, the same command goes on from where it was.
    """
    work = _on_ray if engine == "ray" else _here
    try:
        with reporting(quiet=quiet) as report:
            made = work(
                source,
                output,
                workers=workers,
                **chosen,
                lines=sys.stdin.buffer if source == "-" else None,
                progress=report.progress,
                announce=lambda text: click.echo(f"note: {text}", err=True),
            )
            report.result(output=str(made.files[0]))
    except KeyboardInterrupt:
        click.echo("The same command goes on from here.", err=True)
        raise
    click.echo(json.dumps(_facts(made), ensure_ascii=False) if as_json else _summary(made))


def _here(source: str, output: str, *, workers: int | None, **chosen: Any) -> Embedded:
    from embedlab.embedding.embed import embed
    from embedlab.embedding.places import is_uri

    if workers is not None:
        raise EmbedlabError("--workers goes with --engine ray.", remedy="Leave it out.")
    if uri := next((one for one in (source, output) if is_uri(one)), None):
        raise EmbedlabError(
            f"{uri} is not on this machine.", remedy="Add --engine ray, which reads and writes it."
        )
    return embed(source, Path(output), **chosen)


def _on_ray(source: str, output: str, **chosen: Any) -> Embedded:
    from embedlab.embedding.spread import embed_on_ray

    for name, nothing in _LOCAL_ONLY.items():
        if chosen.pop(name) != nothing:
            raise EmbedlabError(
                f"--{name.removesuffix('_name')} does not go with --engine ray, which writes a "
                "folder of Parquet files and never holds all of them.",
                remedy="Leave it out, or take --limit and the local engine for a sample.",
            )
    return embed_on_ray(source, output, **chosen)


def _facts(made: Embedded) -> dict[str, Any]:
    layer = made.layer
    return {
        "input": made.name,
        "model": made.model,
        "input_shape": made.input_shape,
        "shape": made.shape,
        "umap_shape": made.umap_shape,
        "layer": {"name": layer.name, "index": layer.index, "shape": layer.shape}
        if layer
        else None,
        "files": [str(path) for path in made.files],
        "left_out": made.n_skipped,
        "first_left_out": [{"id": one.id, "reason": one.reason} for one in made.skipped],
        "notes": made.notes,
    }


def _summary(made: Embedded) -> str:
    lines = [f"left out: {one.id}: {one.reason}" for one in made.skipped]
    if made.n_skipped > len(made.skipped):
        lines.append(f"and {made.n_skipped - len(made.skipped):,} more were left out")
    lines.append(f"input     {made.input_shape}  {made.name}, as {made.model} sees it")
    lines.append(f"embedded  {made.shape}")
    if made.umap_shape:
        lines.append(f"umap      {made.umap_shape}")
    lines += [f"written   {path}" for path in made.files]
    return "\n".join(lines)
