"""Parts: a matrix as a folder of Parquet files, each of which any machine can make by itself."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from embedlab.data.dataset import Dataset, Skipped
from embedlab.data.decoding import check_bytes, decode
from embedlab.data.pictures import FilePictures
from embedlab.embedding.embedder import Embedder
from embedlab.embedding.formats import PARQUET, arrow_schema, arrow_table
from embedlab.embedding.pipeline import CHUNK, embed_part
from embedlab.embedding.places import Place, stamp_of
from embedlab.embedding.spool import Row, Spool
from embedlab.progress import Progress, silent

MOST, FEWEST = 16 * CHUNK, CHUNK  # pictures in a part; the most are 20 MB at 1,280 dimensions
_PARTS = 64  # that there should be at least, so that they can be dealt out
_PART_BYTES = 2**27  # at the most, where vectors are long
LISTING = "_listing"  # readers of Parquet folders pass over names that begin with _
_LISTED_TOGETHER = 64  # parts
_LISTED = ("id", "path", "label", "stamp")
_SKIPPED = b"embedlab.skipped"
_NAME = re.compile(r"part-(\d{6})-([0-9a-f]{16})\.parquet")
_THREADS = 16  # that wait for an object store


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be made, from what, and where. It travels to the machines that do the work.

    Parameters
    ----------
    source : Place
        Where the pictures are, or where their paths begin.
    output : Place
        The folder of parts.
    name : str
        What people call the pictures.
    classes : tuple of str
    n_dims : int
        Length d of a vector.
    names : tuple of str
        The file of each part. A name holds a digest of all that decides what is in it.
    compress : bool
    """

    source: Place
    output: Place
    name: str
    classes: tuple[str, ...]
    n_dims: int
    names: tuple[str, ...]
    compress: bool

    def make(
        self, k: int, embedder: Embedder, *, batch_size: int, n_threads: int
    ) -> tuple[int, int]:
        """Make part k and put it into the output.

        Parameters
        ----------
        k : int
        embedder : Embedder
        batch_size : int
        n_threads : int
            That decode pictures.

        Returns
        -------
        n_rows, n_skipped : int
        """
        import pyarrow as pa
        from pyarrow import parquet

        schema = arrow_schema(self.n_dims, labelled=bool(self.classes))
        skipped: list[Skipped] = []
        tables = [schema.empty_table()]
        rows = self._rows(k)
        for start in range(0, len(rows), CHUNK):
            dataset = self._dataset(rows[start : start + CHUNK])
            part = embed_part(embedder, dataset, batch_size, n_threads=n_threads)
            skipped += part.skipped
            if len(part.numbers):
                tables.append(arrow_table(part.block, schema))
        said = json.dumps([(one.id, one.reason) for one in skipped])
        table = pa.concat_tables(tables).replace_schema_metadata({_SKIPPED: said.encode()})
        file = io.BytesIO()
        parquet.write_table(table, file, compression=PARQUET[self.compress])
        self.output.write(self.names[k], file.getbuffer())
        return table.num_rows, len(skipped)

    def _rows(self, k: int) -> list[Row]:
        from pyarrow import parquet

        data = self.output.read(_listing(k // _LISTED_TOGETHER))
        if data is None:
            raise FileNotFoundError(f"the listing of part {k} has vanished from {self.output.name}")
        table = parquet.ParquetFile(io.BytesIO(data)).read_row_group(k % _LISTED_TOGETHER)
        columns = (table[name].to_pylist() for name in _LISTED)
        return [
            Row(id_, Path(os.fsdecode(path)), label, stamp)
            for id_, path, label, stamp in zip(*columns, strict=True)
        ]

    def _dataset(self, rows: Sequence[Row]) -> Dataset:
        folder, stamps = self.source.folder, [row.stamp for row in rows]
        return Dataset(
            name=self.name,
            ids=tuple(row.id for row in rows),
            pictures=_Stored(self.source, [row.path for row in rows])
            if folder is None
            else FilePictures([folder / row.path for row in rows], stamps),
            labels=np.array([row.label for row in rows], np.int64) if self.classes else None,
            classes=self.classes,
        )


@dataclass(frozen=True, eq=False)
class _Stored:
    """Pictures in an object store."""

    place: Place
    keys: Sequence[Path]

    def __len__(self) -> int:
        return len(self.keys)

    def open(self, index: int) -> Image.Image:
        key = self.keys[index]
        with self.place.filesystem.open_input_file(key.as_posix()) as file:
            check_bytes(file.size(), key.name)
            return decode(bytes(file.read()))

    def digest(self, index: int) -> str:
        raise NotImplementedError("its stamp stands for it")

    def path(self, index: int) -> Path | None:
        return self.keys[index]


def part_size(n_pictures: int, n_dims: int) -> int:
    """Say how many pictures a part has: few where there are few, or where vectors are long.

    It hangs on nothing else, so that a cluster of another size goes on with the same parts.

    Examples
    --------
    >>> part_size(3_670, 1280), part_size(1_000_000, 1280), part_size(1_000_000, 196_608)
    (256, 4096, 256)
    """
    wanted = min(n_pictures // _PARTS, _PART_BYTES // (4 * n_dims), MOST)
    return max(FEWEST, wanted // CHUNK * CHUNK)


def list_parts(
    spool: Spool, output: Place, key: str, *, size: int, progress: Progress = silent
) -> tuple[str, ...]:
    """Write down which picture belongs to which part; give the parts' names.

    Parameters
    ----------
    spool : Spool
    output : Place
        The lists go into its folder `LISTING`.
    key : str
        Stands for all besides the pictures that decides what a part holds.
    size : int
        Pictures in a part.
    progress : Progress

    Returns
    -------
    tuple of str
    """
    import pyarrow as pa
    from pyarrow import parquet

    columns = (pa.string(), pa.binary(), pa.int64(), pa.string())
    schema = pa.schema(list(zip(_LISTED, columns, strict=True)))
    names: list[str] = []
    for first in range(0, len(spool), size * _LISTED_TOGETHER):
        file = io.BytesIO()
        with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            for start in range(first, min(first + size * _LISTED_TOGETHER, len(spool)), size):
                rows = [_stamped(row) for row in spool.rows(start, start + size)]
                lines = [(r.id, os.fsencode(r.path), r.label, r.stamp) for r in rows]
                table = pa.Table.from_pylist(
                    [dict(zip(_LISTED, line, strict=True)) for line in lines], schema
                )
                writer.write_table(table, row_group_size=size)
                names.append(_name(len(names), key, rows, spool.classes))
                progress("listing pictures", start + len(rows), len(spool))
        output.write(_listing((len(names) - 1) // _LISTED_TOGETHER), file.getbuffer())
    return tuple(names)


@dataclass(frozen=True)
class Finished:
    """What a finished part says of itself: how many rows it has, and what was left out of it."""

    n_rows: int
    skipped: tuple[Skipped, ...]


def finished(output: Place, names: Sequence[str]) -> dict[str, Finished]:
    """Read what the finished ones among some parts say of themselves; damaged ones are not there.

    Parameters
    ----------
    output : Place
    names : sequence of str

    Returns
    -------
    dict of str to Finished
    """
    there = set(output.names())
    with ThreadPoolExecutor(_THREADS) as pool:
        wanted = [name for name in names if name in there]
        found = zip(wanted, pool.map(lambda name: _read(output, name), wanted), strict=True)
        return {name: part for name, part in found if part is not None}


def drop_old_parts(output: Place, names: Sequence[str]) -> int:
    """Delete parts that no plan asks for any more; give their number."""
    old = [name for name in set(output.names()) - set(names) if _NAME.fullmatch(name)]
    for name in old:
        output.remove(name)
    return len(old)


def _read(output: Place, name: str) -> Finished | None:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with output.filesystem.open_input_file(output.at(name)) as file:
            about = parquet.read_metadata(file)
        said: list[Any] = json.loads(about.metadata[_SKIPPED])
    except (OSError, pa.ArrowInvalid, KeyError, TypeError, ValueError):
        return None
    return Finished(about.num_rows, tuple(Skipped(id_, reason) for id_, reason in said))


def _stamped(row: Row) -> Row:
    return row if row.stamp else Row(row.id, row.path, row.label, stamp_of(row.path))


def _name(k: int, key: str, rows: Sequence[Row], classes: Sequence[str]) -> str:
    digest = hashlib.sha256(f"{key}\n".encode())
    for row in rows:
        label = "" if row.label is None else classes[row.label]
        facts = (row.id.encode(), os.fsencode(row.path), label.encode(), row.stamp.encode())
        digest.update(b"\0".join(facts) + b"\n")
    return f"part-{k:06d}-{digest.hexdigest()[:16]}.parquet"


def _listing(k: int) -> str:
    return f"{LISTING}/{k:06d}.parquet"
