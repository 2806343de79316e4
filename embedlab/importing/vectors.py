"""Reading one's own vectors, and the table of paths and labels that belongs to them."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.cells import unquoted
from embedlab.data.table import read_table
from embedlab.embedding.formats import SIDECAR
from embedlab.embedding.outputs import check_whole
from embedlab.errors import EmbedlabError

ENDINGS = (".npy", ".npz", ".parquet")
VECTORS = ("embeddings", "embedding", "vectors", "vector", "features", "x", "X", "arr_0")
PATHS = ("path", "paths", "file", "filename", "file_name", "filepath", "image", "image_path", "id")
LABELS = ("label", "labels", "class", "category", "target", "y")
PREDICTIONS = ("prediction", "predictions", "predicted", "predicted_label", "pred")
IDS = ("id", "ids")
BUDGET = 8 << 30
_HOW = "numpy.save(FILE, vectors) with one row a picture"


@dataclass(frozen=True, eq=False)
class OwnVectors:
    """Vectors with what is known about each row.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32
    table : DataFrame of n rows
        Texts and numbers; may have no columns.
    """

    vectors: NDArray[np.float32]
    table: pd.DataFrame


def read_vectors(path: Path, table: Path | None = None, *, column: str | None = None) -> OwnVectors:
    """Read vectors and their table.

    Parameters
    ----------
    path : Path
        A .npy of shape (n, d); an .npz with one under a name of `VECTORS`, whose other arrays of
        length n are columns; or a .parquet with a column of vectors. What `embedlab embed` writes
        is read as it is.
    table : Path, optional
        CSV, TSV or Parquet with a row a vector, in their order. By default, beside x.npy, the
        table x.npy.csv that embed writes, or else x.csv.
    column : str, optional
        Which column of a .parquet, or array of an .npz, holds the vectors; by default the one that
        is called like one of `VECTORS`, or else the only one.

    Returns
    -------
    OwnVectors

    Raises
    ------
    EmbedlabError
        If there are no vectors, or several sets of them, the table has another number of rows, or
        embed was stopped while it put both in place.
    """
    if not path.is_file():
        raise EmbedlabError(f"There is no file {path}.")
    check_whole(path)
    kind = path.suffix.lower()
    if table is None and kind == ".npy":
        beside = (path.with_name(path.name + SIDECAR), path.with_suffix(".csv"))
        table = next((one for one in beside if one.exists()), None)
    try:
        vectors, frame = _READERS[kind](path, column)
    except (ValueError, OSError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise EmbedlabError(
            f"{path.name} cannot be read: {error}.", remedy=f"Write it again: {_HOW}."
        ) from None
    vectors = _checked(vectors, path.name)
    if table is not None:
        frame = read_table(table).frame.map(unquoted)
        if len(frame) != len(vectors):
            raise EmbedlabError(
                f"{table.name} has {len(frame):,} rows, and {path.name} has {len(vectors):,} "
                f"vectors (its shape is {vectors.shape}).",
                remedy="Give one row for each vector, in the same order.",
            )
    return OwnVectors(vectors, frame.reset_index(drop=True))


def find_column(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    """Find the first column of one of these names, whatever the case of its letters."""
    spelt = {str(name).lower(): str(name) for name in reversed(list(table.columns))}
    return next((spelt[name.lower()] for name in names if name.lower() in spelt), None)


def _read_npy(path: Path, column: str | None) -> tuple[NDArray[Any], pd.DataFrame]:
    if column is not None:
        raise EmbedlabError(f"{path.name} has no columns.", remedy="Leave --column out.")
    vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    return vectors, pd.DataFrame(index=range(len(vectors)))


def _read_npz(path: Path, column: str | None) -> tuple[NDArray[Any], pd.DataFrame]:
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > BUDGET:
        raise EmbedlabError(
            f"{path.name} unpacks to {size / 1e9:.1f} GB, more than the {BUDGET / 1e9:.1f} GB "
            "allowed.",
            remedy="Save the vectors as .npy, which stays on the disk.",
        )
    with np.load(path, allow_pickle=False) as arrays:
        found = [name for name in arrays.files if _is_matrix(arrays, name)]
        named = [name for name in VECTORS if name in arrays]
        if column is not None and column not in found:
            raise _wrong_column(path.name, "array", column, arrays.files, found)
        if column is None and not named:
            raise EmbedlabError(
                f"{path.name} holds {', '.join(arrays) or 'nothing'}, and none of them is called "
                f"{', '.join(VECTORS)}.",
                remedy=f"Say which holds the vectors: --column {found[0]}."
                if found
                else "numpy.savez(FILE, embeddings=vectors, paths=paths, labels=labels).",
            )
        name = named[0] if column is None else column
        vectors = arrays[name]
        others = {
            other.removesuffix("s") if other in {"ids", "paths", "labels"} else other: array
            for other in arrays
            if other != name and (array := arrays[other]).shape == vectors.shape[:1]
        }
    return vectors, pd.DataFrame(others, index=range(len(vectors)))


def _read_parquet(path: Path, column: str | None) -> tuple[NDArray[Any], pd.DataFrame]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(str(error).splitlines()[0]) from None
    lists = [field.name for field in table.schema if _is_list(field.type)]
    found = [name for name in lists if _is_number(table.schema.field(name).type.value_type)]
    if column is not None and column not in found:
        raise _wrong_column(path.name, "column", column, table.column_names, found)
    if not found:
        raise EmbedlabError(
            f"{path.name} has no column of vectors, only {', '.join(table.column_names)}.",
            remedy="Write each vector as a list of numbers in one column.",
        )
    named = [known for known in VECTORS if known in found]
    if column is None and not named and len(found) > 1:
        raise EmbedlabError(
            f"{path.name} has several columns of vectors: {', '.join(found)}.",
            remedy=f"Say which to take: --column {found[0]}.",
        )
    name = column or (named or found)[0]
    values = table.column(name).combine_chunks()
    lengths = values.value_lengths().to_numpy(zero_copy_only=False).astype(float)
    odd = np.flatnonzero(lengths != lengths[:1])
    if len(odd) or not len(lengths) or np.isnan(lengths[0]):
        where = f"row {odd[0]} has {lengths[odd[0]]:g}" if len(odd) else "there are no rows"
        raise EmbedlabError(
            f"The vectors in column {name!r} of {path.name} differ in length: "
            f"row 0 has {lengths[0] if len(lengths) else 0:g} numbers, {where}.",
            remedy="Give all of them the same length.",
        )
    flat = values.flatten().to_numpy(zero_copy_only=False)
    frame = table.drop_columns(lists).to_pandas(ignore_metadata=True)
    return flat.reshape(len(values), -1), frame


def _is_matrix(arrays: Any, name: str) -> bool:
    try:
        array = arrays[name]
    except ValueError:  # of Python objects, which are not read
        return False
    return array.ndim == 2 and array.dtype.kind in "fiu"


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    lists = (types.is_list, types.is_large_list, types.is_fixed_size_list)
    return any(is_one(kind) for is_one in lists)


def _is_number(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_floating(kind) or types.is_integer(kind))


def _wrong_column(
    file: str, what: str, name: str, there: list[str], found: list[str]
) -> EmbedlabError:
    """Say of a column, or an array, that it is not there or holds no vectors, and which do."""
    problem = f"The {what} {name!r} of {file} does not hold vectors"
    if name not in there:
        problem = f"{file} has no {what} {name!r}"
    if not found:
        return EmbedlabError(f"{problem}, and no other {what} holds vectors: {', '.join(there)}.")
    return EmbedlabError(f"{problem}.", remedy=f"Vectors are in: {', '.join(found)}.")


_READERS = {".npy": _read_npy, ".npz": _read_npz, ".parquet": _read_parquet}


def _checked(vectors: NDArray[Any], name: str) -> NDArray[np.float32]:
    if vectors.ndim != 2 or 0 in vectors.shape:
        raise EmbedlabError(
            f"The vectors in {name} have the shape {vectors.shape}, where (n, d) belongs: a row "
            "a picture.",
            remedy=f"{_HOW}.",
        )
    if vectors.dtype.kind not in "fiu":
        raise EmbedlabError(
            f"The vectors in {name} are of kind {vectors.dtype}, which are no numbers to compare.",
            remedy="Save them as float32.",
        )
    return np.asarray(vectors, np.float32)
