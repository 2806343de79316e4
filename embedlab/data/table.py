"""Tables that come with pictures: read as they are found, joined where names agree."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from embedlab.data.joining import Joined, JoinReport, join
from embedlab.errors import EmbedlabError

__all__ = ["JoinReport", "Joined", "Table", "join", "read_table"]

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "<na>", "null"})
_DELIMITERS = (",", ";", "\t", "|")
_MOST_BYTES = 1 << 30
_LONGEST_NUMBER = 15  # digits that a float64 holds; longer ones are names, not quantities


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Parameters
    ----------
    frame : DataFrame
        Columns that hold nothing but numbers are int64 or float64, others are text. Missing
        values are NaN.
    notes : tuple of str
        What was done to it, in sentences.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_table(path: Path) -> Table:
    """Read a CSV, TSV or Parquet file.

    Of a text, the delimiter (comma, semicolon, tab, bar) is the one that cuts all lines alike;
    the encoding is what its first bytes say, else UTF-8, else Windows-1252. Numbers may have a
    decimal comma where the delimiter is none. Numbers with leading zeros (01234) and whole ones of
    more than 15 digits stay text. Empty cells and NA, N/A, NaN, null are missing.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Table

    Raises
    ------
    EmbedlabError
        If it is no table, or its rows differ in length.
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
        frame[column] = _typed(frame[column], decimal_comma=delimiter != ",")
    return _checked(frame, path.name, notes)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow
    import pyarrow.parquet

    try:
        frame: pd.DataFrame = pyarrow.parquet.read_table(path).to_pandas(ignore_metadata=True)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise EmbedlabError(
            f"{path.name} is damaged: {str(error).splitlines()[0]}.", remedy="Write it again."
        ) from error
    return frame


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
    twice = [column for column, n in Counter(header).items() if n > 1 and column]
    if twice:
        raise EmbedlabError(
            f"{name} has several columns called {twice[0]!r}.",
            remedy="Give each a name of its own.",
        )
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
    return frame


def _typed(column: pd.Series, *, decimal_comma: bool) -> pd.Series:
    """Turn a column of texts into numbers where all of them are; mark what is missing."""
    text = column.fillna("").astype(str).str.strip()
    missing = text.str.lower().isin(MISSING)
    given = text[~missing]
    if decimal_comma:
        given = given.str.replace(r"^([+-]?\d+),(\d+)$", r"\1.\2", regex=True)
    named = given.str.match(rf"[+-]?(0\d|\d{{{_LONGEST_NUMBER + 1},}}$)")
    numbers = pd.to_numeric(given, errors="coerce")
    if len(given) and not named.any() and np.isfinite(numbers).all():
        return numbers.reindex(column.index)
    return text.mask(missing)


def _checked(frame: pd.DataFrame, name: str, notes: list[str]) -> Table:
    if frame.empty:
        raise EmbedlabError(
            f"{name} has no rows.", remedy="Its first line names the columns, others are rows."
        )
    frame = frame.rename(columns=str)
    unnamed = [name for name in map(str, frame.columns) if name.startswith("Unnamed: ")]
    counting = np.arange(len(frame))
    for column in unnamed:
        if any(np.array_equal(frame[column], counting + start) for start in (0, 1)):
            frame = frame.drop(columns=column)
            notes.append("A column without a name that only counts the rows was left out.")
    return Table(frame, tuple(notes))
