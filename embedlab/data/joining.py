"""Find the row of each picture, and report what found none."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.data.columns import holds
from embedlab.data.listing import PICTURE_SUFFIXES
from embedlab.data.notes import count, named
from embedlab.errors import EmbedlabError

NONE, SEVERAL = -1, -2  # in place of the picture that a row names


@dataclass(frozen=True)
class JoinReport:
    """How a table met the pictures.

    Parameters
    ----------
    key : str
        The column that names the pictures.
    way : str
        What of a name was compared: a key of `WAYS`.
    matched : int
        Pictures that have a row.
    pictures_only : tuple of str
        Ids of pictures without a row.
    rows_only : tuple of str
        Keys of rows without a picture.
    doubles : tuple of str
        Keys that several rows have with different contents: their pictures get no row.
    nameless : int
        Rows without a key.
    ambiguous : tuple of str
        Keys that several pictures share, each once: none of these pictures gets the row.
    """

    key: str
    way: str
    matched: int
    pictures_only: tuple[str, ...] = ()
    rows_only: tuple[str, ...] = ()
    doubles: tuple[str, ...] = ()
    nameless: int = 0
    ambiguous: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """Say all that in words."""
        said = [
            f"{count(self.matched, 'picture has a row', 'pictures have a row')}, found by the "
            f"{self.way} in column {self.key!r}."
        ]
        if names := self.pictures_only:
            said.append(
                f"{count(len(names), 'picture has', 'pictures have')} no row: {named(names)}."
            )
        if names := self.rows_only:
            said.append(f"{count(len(names), 'row has', 'rows have')} no picture: {named(names)}.")
        if self.doubles:
            said.append(
                f"{count(len(self.doubles), 'name is', 'names are')} on several rows that differ, "
                f"so none of these was taken: {named(self.doubles)}."
            )
        if names := self.ambiguous:
            are = count(len(names), "name is", "names are")
            said.append(
                f"{are} shared by several pictures, so none of these got a row: {named(names)}. "
                "Write their folders as well."
            )
        if self.nameless:
            said.append(f"{count(self.nameless, 'row names', 'rows name')} no picture at all.")
        return said


@dataclass(frozen=True)
class Joined:
    """A table brought into the order of the pictures.

    Parameters
    ----------
    frame : DataFrame of n rows
        Row i belongs to picture i; all NaN where it has none. The key column is left out.
    report : JoinReport
    rows : ndarray of shape (n,), int64
        The table's row of each picture; -1 where it has none.
    """

    frame: pd.DataFrame
    report: JoinReport
    rows: NDArray[np.int64]


def join(table: pd.DataFrame, ids: Sequence[str], *, key: str | None = None) -> Joined:
    """Bring a table's rows into the order of the pictures.

    A row belongs to a picture when its key is the picture's path; or else its folder and file
    name; or its file name; or its file name without the ending; or one of these but for the case
    of the letters: the first of these that most pictures are found by, taking only names that no
    two pictures share.

    Parameters
    ----------
    table : DataFrame
        A row a picture, in any order; see `embedlab.data.table.read_table`.
    ids : sequence of str, length n
        The pictures' ids.
    key : str, optional
        The column that names the pictures. Without it, the column that finds most pictures, each
        once, is taken, as long as it finds half of the pictures or uses half of the rows.

    Returns
    -------
    Joined

    Raises
    ------
    EmbedlabError
        If there is no such column, or none that names pictures.
    """
    if key is not None and key not in table:
        raise EmbedlabError(
            f"The table has no column {key!r}.", remedy=f"It has: {', '.join(table.columns)}."
        )
    columns = [key] if key is not None else _may_name(table)
    names = {column: [_plain(value) for value in table[column]] for column in columns}
    matches = [
        _Match.of(names[column], column, way, places, fold)
        for fold in (False, True)
        for way, compared in WAYS.items()
        for places in [_places(ids, compared, fold)]
        for column in columns
    ]
    closest = max(matches, key=lambda match: match.n_pictures, default=None)
    if closest is None or not closest.n_pictures:
        raise _no_key(table, ids, columns, matches)
    if key is not None:
        return _joined(table, ids, closest)
    best = max(matches, key=lambda match: match.worth)
    half = 2 * best.n_pictures >= len(ids) or 2 * best.n_rows >= len(table)
    if best.worth <= 0 or not half:
        raise EmbedlabError(
            f"No column names the pictures: {closest.column!r} comes closest, with "
            f"{count(closest.n_pictures, 'picture')} of {len(ids):,} on "
            f"{count(closest.n_rows, 'row')}.",
            remedy="Say which column does (key=...), or check the names in it.",
        )
    return _joined(table, ids, best)


@dataclass(frozen=True)
class _Match:
    """Which picture each row names, in one column and one way; NONE or SEVERAL."""

    column: str
    way: str
    names: list[str]
    pictures: NDArray[np.int64]

    @classmethod
    def of(
        cls, names: list[str], column: str, way: str, places: dict[str, int], fold: bool
    ) -> _Match:
        found = [
            places.get(_canon(name, WAYS[way], fold), NONE) if name else NONE for name in names
        ]
        return cls(column, way, names, np.array(found, np.int64))

    @property
    def n_pictures(self) -> int:
        return len(set(self.pictures.tolist()) - {NONE, SEVERAL})

    @property
    def n_rows(self) -> int:
        return int((self.pictures >= 0).sum())

    @property
    def ambiguous(self) -> tuple[str, ...]:
        """Names that several pictures share, each once."""
        several = zip(self.names, self.pictures, strict=True)
        return tuple(dict.fromkeys(name for name, k in several if k == SEVERAL))

    @property
    def worth(self) -> int:
        """Count pictures, less the rows that name a picture once more.

        A column of small numbers meets 1.jpg, 2.jpg, 3.jpg by chance, but again and again.
        """
        return 2 * self.n_pictures - self.n_rows


def _joined(table: pd.DataFrame, ids: Sequence[str], match: _Match) -> Joined:
    values = table.drop(columns=match.column).reset_index(drop=True)
    rows = np.full(len(ids), -1, np.int64)
    doubles: dict[int, str] = {}
    for row, picture in enumerate(match.pictures):
        if picture < 0:
            continue
        if rows[picture] >= 0 and not values.iloc[rows[picture]].equals(values.iloc[row]):
            doubles[picture] = match.names[row]
        rows[picture] = row
    rows[list(doubles)] = -1
    report = JoinReport(
        key=match.column,
        way=match.way,
        matched=int((rows >= 0).sum()),
        pictures_only=tuple(id_ for i, id_ in enumerate(ids) if rows[i] < 0 and i not in doubles),
        rows_only=tuple(
            name for name, k in zip(match.names, match.pictures, strict=True) if name and k == NONE
        ),
        doubles=tuple(doubles.values()),
        nameless=sum(not name for name in match.names),
        ambiguous=match.ambiguous,
    )
    return Joined(values.reindex(rows).reset_index(drop=True), report, rows)


def _may_name(table: pd.DataFrame) -> list[str]:
    """List the columns that can be a key: texts and whole numbers."""
    kinds = (pd.api.types.is_float_dtype, pd.api.types.is_bool_dtype, holds)
    return [str(column) for column in table if not any(kind(table[column]) for kind in kinds)]


def _plain(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    text = unicodedata.normalize("NFC", str(value)).strip().replace("\\", "/")
    return text.removeprefix("./")


def _canon(name: str, way: Callable[[str], str], fold: bool) -> str:
    name = way(name)
    return name.casefold() if fold else name


def _places(ids: Sequence[str], way: Callable[[str], str], fold: bool) -> dict[str, int]:
    """Index pictures by what is compared; SEVERAL where some have it in common."""
    names = [_canon(_plain(id_), way, fold) for id_ in ids]
    shared = Counter(names)
    return {name: i if shared[name] == 1 else SEVERAL for i, name in enumerate(names)}


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in PICTURE_SUFFIXES else path.name


def _no_key(
    table: pd.DataFrame, ids: Sequence[str], columns: Sequence[str], matches: Sequence[_Match]
) -> EmbedlabError:
    shared = max(matches, key=lambda match: len(match.ambiguous), default=None)
    if shared is not None and shared.ambiguous and 2 * len(shared.ambiguous) >= len(table):
        return EmbedlabError(
            f"The names in column {shared.column!r}, such as {shared.ambiguous[0]!r}, are shared "
            "by several pictures each.",
            remedy=f"Write their folders as well, as in {ids[0]!r}.",
        )
    where = f"column {columns[0]!r}" if len(columns) == 1 else "any column"
    given = [_plain(table[column].iloc[0]) for column in columns[:3]]
    return EmbedlabError(
        f"Not one picture is named in {where} of the table.",
        remedy=f"Pictures are called like {ids[0]!r}; the table has "
        f"{', '.join(map(repr, given)) or 'numbers only'}.",
    )


WAYS: dict[str, Callable[[str], str]] = {
    "path": lambda name: name,
    "folder and file name": lambda name: "/".join(name.split("/")[-2:]),
    "file name": lambda name: name.rpartition("/")[2],
    "file name without ending": _stem,
}
