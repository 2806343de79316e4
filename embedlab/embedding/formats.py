"""FORMATS: how a matrix is written, with ids, paths and labels."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedlab.cells import quoted
from embedlab.embedding.ledger import Block
from embedlab.embedding.matrix import Matrix
from embedlab.embedding.projector import write_projector
from embedlab.embedding.thumbnails import Thumbnails
from embedlab.errors import EmbedlabError
from embedlab.files import new_file

if TYPE_CHECKING:
    import pyarrow as pa

SIDECAR = ".csv"
PARQUET = {False: "none", True: "zstd"}  # what --compress means for its columns


@dataclass(frozen=True)
class Format:
    """A way to write a matrix.

    Parameters
    ----------
    suffix : str
        What its files end in; a folder where it is empty.
    write : callable
        Takes the target, the matrix, whether to compress, and a giver of thumbnails; gives what
        was written.
    compresses : bool
        Whether it can be compressed.
    sidecar : str
        What is added to a file's name for the table of ids, paths and labels beside it; empty
        where the format holds them itself.
    """

    suffix: str
    write: Callable[[Path, Matrix, bool, Thumbnails], list[Path]]
    compresses: bool = False
    sidecar: str = ""


def choose_format(output: Path, name: str | None, *, compress: bool) -> tuple[Format, Path]:
    """Say how and where a matrix is written.

    Parameters
    ----------
    output : Path
        What was asked for; its suffix chooses the format where it is one of them.
    name : str, optional
        A key of `FORMATS`.
    compress : bool

    Returns
    -------
    Format
    target : Path
        The output, with the format's suffix where it has none.

    Raises
    ------
    EmbedlabError
        If name and suffix contradict each other, the output names no file, or the format does not
        compress.
    """
    if output.name in {"", ".."} or (output.is_dir() and name != "projector"):
        raise EmbedlabError(
            f"The output '{output}' is a folder.",
            remedy=f"Name a file: {output / 'embeddings'}{FORMATS[name or 'npy'].suffix}.",
        )
    own = output.suffix.lower().removeprefix(".")
    known = own if own in FORMATS and FORMATS[own].suffix else None
    if name is not None and known not in {None, name}:
        raise EmbedlabError(
            f"{output.name} ends in .{known}, and the format is to be {name}.",
            remedy=f"Leave --format out, or call it {output.stem}{FORMATS[name].suffix}.",
        )
    chosen = known or name or ("npz" if compress else "npy")
    form = FORMATS[chosen]
    if compress and not form.compresses:
        others = " or ".join(f".{key}" for key, other in FORMATS.items() if other.compresses)
        raise EmbedlabError(
            f"The format {chosen} cannot be compressed.",
            remedy=f"Leave --compress out, or write {others}.",
        )
    return form, output if known else output.with_name(output.name + form.suffix)


def _write_npy(target: Path, matrix: Matrix, compress: bool, _: Thumbnails) -> list[Path]:
    with new_file(target) as path, path.open("wb") as file:
        _stream_npy(file, matrix.shape, np.dtype(np.float32), _vectors(matrix))
    return [target, _write_sidecar(target, matrix)]


def _write_npz(target: Path, matrix: Matrix, compress: bool, _: Thumbnails) -> list[Path]:
    names = ("ids", "paths", "labels") if matrix.labelled else ("ids", "paths")
    widths = dict.fromkeys(names, 1)
    for block in matrix.blocks():
        for name in names:
            width = getattr(block, name).dtype.itemsize // 4
            widths[name] = max(widths[name], width)

    def member(name: str) -> zipfile.ZipInfo:
        # Without the time of day, so that equal matrices give equal files.
        found = zipfile.ZipInfo(f"{name}.npy")
        found.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        return found

    with new_file(target) as path, zipfile.ZipFile(path, "w") as archive:
        with archive.open(member("embeddings"), "w", force_zip64=True) as file:
            _stream_npy(file, matrix.shape, np.dtype(np.float32), _vectors(matrix))
        for name in names:
            texts = (getattr(block, name) for block in matrix.blocks())
            with archive.open(member(name), "w", force_zip64=True) as file:
                _stream_npy(file, (matrix.n,), np.dtype(f"<U{widths[name]}"), texts)
    return [target]


def _write_parquet(target: Path, matrix: Matrix, compress: bool, _: Thumbnails) -> list[Path]:
    from pyarrow import parquet

    schema = arrow_schema(matrix.d, labelled=matrix.labelled)
    with (
        new_file(target) as path,
        parquet.ParquetWriter(path, schema, compression=PARQUET[compress]) as writer,
    ):
        for block in matrix.blocks():
            writer.write_table(arrow_table(block, schema))
    return [target]


def arrow_schema(d: int, *, labelled: bool) -> pa.Schema:
    """Say what the columns of a Parquet file are: id, path, label, embedding of length d."""
    import pyarrow as pa

    fields = [("id", pa.string()), ("path", pa.string())]
    fields += [("label", pa.string())] if labelled else []
    return pa.schema([*fields, ("embedding", pa.list_(pa.float32(), d))])


def arrow_table(block: Block, schema: pa.Schema) -> pa.Table:
    """Turn rows into a table of such a schema."""
    import pyarrow as pa

    paths = [one or None for one in block.paths.tolist()]
    columns = [pa.array(block.ids.tolist(), pa.string()), pa.array(paths, pa.string())]
    if "label" in schema.names:
        columns.append(pa.array(block.labels.tolist(), pa.string()))
    d = schema.field("embedding").type.list_size
    flat = pa.array(np.ascontiguousarray(block.vectors, np.float32).ravel(), pa.float32())
    columns.append(pa.FixedSizeListArray.from_arrays(flat, d))
    return pa.Table.from_arrays(columns, schema=schema)


def _write_safetensors(target: Path, matrix: Matrix, compress: bool, _: Thumbnails) -> list[Path]:
    # The library writes tensors that lie in memory. The format is a length, JSON, and the numbers.
    size = 4 * prod(matrix.shape)
    tensor = {"dtype": "F32", "shape": list(matrix.shape), "data_offsets": [0, size]}
    head = json.dumps({"embeddings": tensor}).encode()
    head += b" " * (-len(head) % 8)
    with new_file(target) as path, path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for vectors in _vectors(matrix):
            file.write(np.ascontiguousarray(vectors, "<f4").data)
    return [target, _write_sidecar(target, matrix)]


def _vectors(matrix: Matrix) -> Iterator[NDArray[np.float32]]:
    return (block.vectors for block in matrix.blocks())


def _stream_npy(
    file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any], arrays: Iterable[NDArray[Any]]
) -> None:
    """Write a .npy of arrays that follow each other, none of which has to wait in memory."""
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(file, header)
    for array in arrays:
        file.write(np.ascontiguousarray(array, dtype).tobytes())


def _write_sidecar(target: Path, matrix: Matrix) -> Path:
    """Write ids, paths and labels beside a format that has no place for them."""
    sidecar = target.with_name(target.name + SIDECAR)
    columns = ("id", "path", "label") if matrix.labelled else ("id", "path")

    def rows() -> Iterator[tuple[str, ...]]:
        for block in matrix.blocks():
            texts = (block.ids.tolist(), block.paths.tolist(), block.labels.tolist())
            yield from zip(*texts[: len(columns)], strict=True)

    write_csv(sidecar, columns, rows())
    return sidecar


def write_csv(target: Path, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> int:
    """Write texts as CSV, none of which a spreadsheet runs; give the number of rows.

    Cells are those of `embedlab.cells`.
    """
    n = 0
    with new_file(target) as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([quoted(cell) for cell in row])
            n += 1
    return n


FORMATS: dict[str, Format] = {
    "npy": Format(".npy", _write_npy, sidecar=SIDECAR),
    "npz": Format(".npz", _write_npz, compresses=True),
    "parquet": Format(".parquet", _write_parquet, compresses=True),
    "safetensors": Format(".safetensors", _write_safetensors, sidecar=SIDECAR),
    "projector": Format("", write_projector),
}
