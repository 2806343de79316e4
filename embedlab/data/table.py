"""Tables that come with pictures: read as they are found, joined where names agree."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from embedlab.data.columns import is_number
from embedlab.data.joining import Joined, JoinReport, join
from embedlab.data.notes import count, named
from embedlab.data.quantities import LONGEST, MISSING, is_named
from embedlab.errors import EmbedlabError

__all__ = ["JoinReport", "Joined", "Table", "join", "read_table"]

_DELIMITERS = (",", ";", "\t", "|")
_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Parameters
    ----------
    frame : DataFrame
        Columns that hold nothing but plain numbers are int64 or float64, others are text, or of
        a Parquet file what they are. Missing values are NaN.
    notes : tuple of str
        What was done to it, in sentences.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_table(path: Path) -> Table:
    """Read a CSV, TSV or Parquet file.

    Of a text, the delimiter (comma, semicolon, tab, bar) is the one that cuts all lines alike;
    the encoding is what its first bytes say, else UTF-8, else Windows-1252. Numbers may have a
    decimal comma where the delimiter is none, if some cell of the column leaves no doubt of it:
    1,5 does, and 1,234 does not. Numbers with leading zeros (01234) and whole ones of more than
    15 digits stay text, and so do columns with anything but plain numbers, which
    `embedlab.data.quantities.understood` looks at. Empty cells and NA, N/A, NaN, null are missing.
    Blanks around the names of columns are taken off.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Table

    Raises
    ------
    EmbedlabError
        If it is no table, its rows differ in length, or two columns have one name.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4)
            size = path.stat().st_size
            if size > _MOST_BYTES:
                raise EmbedlabError(
                    f"{path.name} has {size / 1e9:.1f} GB, too much for a table.",
                    remedy="Keep the columns and rows that belong to the pictures.",
                )
            data = b"" if head == b"PAR1" else head + file.read()
    except OSError as error:
        raise EmbedlabError(
            f"The table {path} cannot be read: {error.strerror or error}.",
            remedy="Check its name and that you may open it.",
        ) from error
    if head == b"PAR1":
        return _checked(_read_parquet(path), path.name, [])
    if head[:4] == b"PK\x03\x04" or head == b"\xd0\xcf\x11\xe0":
        raise EmbedlabError(f"{path.name} is a workbook.", remedy="Save its sheet as CSV first.")
    text, notes = _as_text(data, path.name)
    delimiter = _delimiter(text)
    frame = _read_text(text, delimiter, path.name)
    for column in frame:
        cells = frame[column]
        frame[column] = _typed(cells, decimal_comma=delimiter != ",")
        if delimiter == ";" and is_number(frame[column]):
            notes += _on_points(cells, str(column))
    return _checked(frame, path.name, notes)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
        _named_once(table.column_names, path.name)
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise EmbedlabError(
            f"{path.name} is damaged: {str(error).splitlines()[0]}.", remedy="Write it again."
        ) from error
    for field in table.schema:
        if pyarrow.types.is_decimal(field.type):
            frame[field.name] = _without_decimals(frame[field.name])
    return frame


def _without_decimals(column: pd.Series) -> pd.Series:
    """Turn Python's decimals into numbers, but whole ones too long for a float64 into texts."""
    given = column.dropna()
    if all(value == int(value) for value in given):
        if any(abs(value) >= 10**LONGEST for value in given):
            return column.map(lambda value: str(int(value)), na_action="ignore")
        if len(given) == len(column):
            return column.astype(np.int64)
    return column.astype(np.float64)


def _as_text(data: bytes, name: str) -> tuple[str, list[str]]:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace"), []
    if b"\0" in data:
        raise EmbedlabError(f"{name} is no text.", remedy="Give a CSV, TSV or Parquet file.")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        note = f"{name} is not UTF-8; it was read as Windows-1252. Check letters with accents."
        return data.decode("cp1252", "replace"), [note]


def _delimiter(text: str) -> str:
    """Find the delimiter that cuts most lines into as many cells as the header, and into many."""

    def score(delimiter: str) -> tuple[float, int]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            widths = [len(row) for row in islice(reader, 200) if row]
        except csv.Error:
            return 0, 0
        if not widths or widths[0] == 1:
            return 0, 0
        return sum(width == widths[0] for width in widths) / len(widths), widths[0]

    return max(_DELIMITERS, key=score)


def _read_text(text: str, delimiter: str, name: str) -> pd.DataFrame:
    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    _named_once(header, name)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            dtype=str,
            keep_default_na=False,
            encoding_errors="replace",
            low_memory=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise EmbedlabError(
            f"{name} is no table that can be read: {str(error).strip().splitlines()[-1]}.",
            remedy="All rows need as many cells as the header; quote cells that hold commas.",
        ) from error
    # pandas takes the first column for an index when the rows are longer than the header.
    if not isinstance(frame.index, pd.RangeIndex):
        raise EmbedlabError(
            f"The rows of {name} have more cells than its header.",
            remedy="Give every column a name.",
        )
    _check_rows(text, delimiter, name, len(header))
    return frame


def _named_once(columns: Iterable[str], name: str) -> None:
    """Check that no two columns have one name, but for blanks around it."""
    columns = [column.strip() for column in columns]
    twice = [column for column, n in Counter(columns).items() if n > 1 and column]
    if twice:
        raise EmbedlabError(
            f"{name} has several columns called {twice[0]!r}, blanks around names not counted.",
            remedy="Give each a name of its own.",
        )


def _check_rows(text: str, delimiter: str, name: str, width: int) -> None:
    """Find rows that are too short, which pandas fills up in silence."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if len(row) < width and "".join(row).strip():
                raise EmbedlabError(
                    f"Line {reader.line_num:,} of {name} has {count(len(row), 'cell')}, and the "
                    f"header has {width:,}.",
                    remedy="All rows need as many cells as the header; leave empty ones empty.",
                )
    except csv.Error as error:
        raise EmbedlabError(
            f"Line {reader.line_num:,} of {name} cannot be read: {error}.",
            remedy="Keep the columns that belong to the pictures.",
        ) from error


def _typed(column: pd.Series, *, decimal_comma: bool) -> pd.Series:
    """Turn a column of texts into numbers where all of them are; mark what is missing."""
    text = column.fillna("").astype(str).str.strip()
    missing = text.str.lower().isin(MISSING)
    given = text[~missing]
    if decimal_comma and not given.str.contains(".", regex=False).any():
        telling = given.str.fullmatch(r"[+-]?(\d+,(\d{1,2}|\d{4,})|(0|\d{4,}),\d+)")
        if telling.any():  # 1,234 may be a thousand and more
            given = given.str.replace(r"^([+-]?\d+),(\d+)$", r"\1.\2", regex=True)
    numbers = pd.to_numeric(given, errors="coerce")
    if len(given) and not is_named(given).any() and np.isfinite(numbers).all():
        return numbers.reindex(column.index)
    return text.mask(missing)


def _on_points(cells: pd.Series, name: str) -> list[str]:
    """Say how 350.000 was read, in a file whose writer may have a comma for decimals."""
    marked = cells[cells.str.contains(".", regex=False)]
    if len(marked) < 3 or not marked.str.fullmatch(r"\s*[+-]?[1-9]\d{0,2}\.\d{3}\s*").all():
        return []
    first = marked.iloc[0].strip()
    return [
        f"{name!r} was read with a decimal point: {first!r} is {float(first):g}. If it stands "
        "between thousands, write the numbers without."
    ]


def _checked(frame: pd.DataFrame, name: str, notes: list[str]) -> Table:
    if frame.empty:
        raise EmbedlabError(
            f"{name} has no rows.", remedy="Its first line names the columns, others are rows."
        )
    given = [str(column) for column in frame.columns]
    frame.columns = [column.strip() or f"Unnamed: {i}" for i, column in enumerate(given)]
    padded = [repr(column.strip()) for column in given if column != column.strip() != ""]
    if padded:
        what = "this name of a column" if len(padded) == 1 else "these names of columns"
        notes.append(f"Blanks around {what} were taken off: {named(padded)}.")
    unnamed = [name for name in map(str, frame.columns) if name.startswith("Unnamed: ")]
    counting = np.arange(len(frame))
    for column in unnamed:
        if any(np.array_equal(frame[column], counting + start) for start in (0, 1)):
            frame = frame.drop(columns=column)
            notes.append("A column without a name that only counts the rows was left out.")
    return Table(frame, tuple(notes))
