"""What the TensorBoard projector loads: two tables, a sheet of pictures, and what is where."""

from __future__ import annotations

import io
from collections.abc import Iterator
from math import ceil, sqrt
from pathlib import Path

import numpy as np
from PIL import Image

from embedlab.embedding.matrix import Matrix
from embedlab.embedding.thumbnails import Thumbnails
from embedlab.errors import EmbedlabError
from embedlab.files import new_folder

# Browsers draw sheets up to this side everywhere; larger ones only on some graphics cards.
SHEET = 4096
LARGEST, SMALLEST = 64, 8


def tile_side(n: int) -> int:
    """Say how large the pictures of a sheet of n are, in pixels; 0 where too many for a sheet.

    Examples
    --------
    >>> tile_side(100), tile_side(10_000), tile_side(1_000_000)
    (64, 40, 0)
    """
    side = min(LARGEST, SHEET // max(1, ceil(sqrt(n))))
    return side if side >= SMALLEST else 0


def write_projector(
    target: Path, matrix: Matrix, compress: bool, thumbnails: Thumbnails
) -> list[Path]:
    """Write a folder that ``tensorboard --logdir FOLDER`` opens.

    vectors.tsv has a row a picture; metadata.tsv its id, path and label; sprite.png the pictures
    row by row; projector_config.pbtxt says so. The two tables can be loaded at
    projector.tensorflow.org as well. There is no sheet for more than 262,144 pictures.

    Parameters
    ----------
    target : Path
        The folder, which must not exist yet.
    matrix : Matrix
    compress : bool
        Not used: the projector reads plain text.
    thumbnails : callable
        Gives encoded pictures by their numbers in the stream.

    Returns
    -------
    list of Path
        The folder.
    """
    columns = ("id", "path", "label") if matrix.labelled else ("id", "path")
    side = tile_side(matrix.n)
    try:
        with new_folder(target) as folder:
            with (
                (folder / "vectors.tsv").open("w", encoding="ascii", newline="\n") as vectors,
                (folder / "metadata.tsv").open("w", encoding="utf-8", newline="\n") as metadata,
            ):
                metadata.write("\t".join(columns) + "\n")
                for block in matrix.blocks():
                    np.savetxt(vectors, block.vectors, fmt="%.9g", delimiter="\t")
                    texts = (block.ids, block.paths, block.labels)[: len(columns)]
                    for row in zip(*(text.tolist() for text in texts), strict=True):
                        metadata.write("\t".join(map(_cell, row)) + "\n")
            if side:
                _sheet(thumbnails(matrix.numbers), matrix.n, side).save(folder / "sprite.png")
            (folder / "projector_config.pbtxt").write_text(_config(side), encoding="ascii")
    except FileExistsError:
        raise EmbedlabError(
            f"There is something at {target} already.",
            remedy="Remove it, or choose another name for the output.",
        ) from None
    return [target]


def _cell(text: str) -> str:
    """Give a text without what ends cells and rows; an empty one would look like no row."""
    return text.translate({9: " ", 10: " ", 13: " "}) or "-"


def _sheet(thumbnails: Iterator[bytes], n: int, side: int) -> Image.Image:
    across = ceil(sqrt(n))
    sheet = Image.new("RGB", (across * side, ceil(n / across) * side), (255, 255, 255))
    for k, encoded in enumerate(thumbnails):
        with Image.open(io.BytesIO(encoded)) as picture:
            # The projector cuts the sheet into squares, so pictures are cropped to them.
            short = min(picture.size)
            left, top = (picture.width - short) // 2, (picture.height - short) // 2
            square = picture.crop((left, top, left + short, top + short))
            sheet.paste(square.resize((side, side)), (k % across * side, k // across * side))
    return sheet


def _config(side: int) -> str:
    sprite = (
        f'  sprite {{\n    image_path: "sprite.png"\n    single_image_dim: {side}\n'
        f"    single_image_dim: {side}\n  }}\n"
        if side
        else ""
    )
    return (
        'embeddings {\n  tensor_name: "embedding"\n  tensor_path: "vectors.tsv"\n'
        f'  metadata_path: "metadata.tsv"\n{sprite}}}\n'
    )
