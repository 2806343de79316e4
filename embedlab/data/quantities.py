"""Quantities: numbers as people write them, with signs of money, units, and marks in thousands."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from embedlab.data.columns import (
    check_names,
    holds,
    is_number,
    is_whole,
    looks_like_classes,
    names_things,
)
from embedlab.data.listing import PICTURE_SUFFIXES
from embedlab.data.notes import count, named
from embedlab.errors import EmbedlabError

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "<na>", "null"})
MOST = 0.9  # of a column's cells must be numbers, or it does not hold quantities
HALF = 0.5  # of them are numbers: too few, but enough to speak of it
HARDLY = 0.1  # of them must be, where a person says that the column holds quantities
LARGEST = 1e100  # what is larger stands for no number, and its square for none at all
LONGEST = 15  # digits that a float64 holds; longer ones are names, not quantities
_SURE = 3  # cells, before marks that could be either are believed
_SIGNS = "$€£¥₹₩₽₺₪₫₱฿₦₴¢"
_CODES = ["USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN"]
_MONEY = rf"(?:[A-Z]{{0,3}}[{_SIGNS}]|{'|'.join(_CODES)})"
_BLANKS = " '’\u00a0\u2009\u202f"  # they stand between thousands and nowhere else
_FILE = "|".join(sorted(suffix.removeprefix(".") for suffix in PICTURE_SUFFIXES))
_CELL = (
    rf"^(?!.*\.(?i:{_FILE})$)"  # 12.png is not 12 of the unit png
    rf"(?P<minus>[-+−]?)\s*(?P<money>{_MONEY})?\s*(?P<less>[-+−]?)"
    rf"(?P<number>(?:\d[\d.,{_BLANKS}]*?|[.,]\d+?)(?:[eE][-+]?\d+)?)"
    rf"(?:(?<![.,])\s*(?P<unit>(?:[^\W\d_]|[%‰°′″{_SIGNS}]).{{0,30}}))?$"
)


@dataclass(frozen=True, eq=False)
class Reading:
    """A column, read as numbers as far as it holds them.

    Parameters
    ----------
    values : Series of n rows
        int64 or float64, NaN where there is no finite number; or the column as it was, if it
        does not hold quantities.
    remarks : tuple of str
        How it was read, and which cells were not, in sentences.
    """

    values: pd.Series
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Marks:
    """What the points and commas of a column mean.

    Parameters
    ----------
    numbers : Series of float64
        NaN where a cell is no number, or could be two.
    decimal, thousands : str
        The two marks.
    either : Series of bool
        Cells that could be two numbers, and nothing in the column says which.
    """

    numbers: pd.Series
    decimal: str
    thousands: str
    either: pd.Series


def quantities(values: pd.Series, name: str, *, told: bool = False) -> Reading:
    """Read a column as numbers, if nine tenths of the cells that are not empty are some.

    A cell may have a sign of money, a unit, and blanks, apostrophes, commas or points between
    thousands; all cells of a column are read in one way:

    - the unit is the one that most cells have, and cells with another unit or none are no
      numbers; only a sign of money may be missing here and there;
    - points and commas mean what most cells can be read by: 1,234.5 and 1,234,567 have commas
      between thousands, 1.234,5 and 1,5 and 0,125 a decimal comma;
    - where every cell could be either, as 1,234 can, they stand between thousands if it is money,
      or if at least three cells have them and half of these end in 00, or if no number above 999
      is without; a point alone is a decimal point but in money;
    - what then is undecided is no number.

    Cells that are no finite number are missing, and named with their rows, of which the first
    below the header is 1. Numbers with leading zeros (01234) or more than 15 digits are names, and
    make names of the column; where they are few, it is said.

    Parameters
    ----------
    values : Series of n rows
        Numbers or texts.
    name : str
        The column, for sentences.
    told : bool
        A person says that these are quantities: a tenth of the cells is enough.

    Returns
    -------
    Reading

    Raises
    ------
    EmbedlabError
        If a person says so, and hardly any cell is a number.
    """
    if is_number(values):
        return _finite(values, name)
    if not isinstance(values.dtype, (np.dtypes.ObjectDType, pd.StringDtype, pd.CategoricalDtype)):
        return Reading(values)
    text = values.astype(object).where(values.notna(), "").map(str).str.strip()
    cells = text[~text.str.lower().isin(MISSING)]
    if cells.empty:
        return Reading(values)
    shaped, coded = cells.str.match(_CELL), is_named(cells)
    if not told and (shaped.mean() < HALF or coded.any()):
        return Reading(values, _few_names(cells, coded, name))
    parts = cells.str.extract(_CELL)
    money, unit = _units(parts)
    usable = shaped & _of_one_kind(money[shaped], unit[shaped]).reindex(
        cells.index, fill_value=False
    )
    marks = _marks(parts["number"][usable], money=bool((money[usable] != "").any()))
    minus = parts[["minus", "less"]].isin(["-", "−"]).sum(axis=1) == 1
    numbers = marks.numbers.reindex(cells.index)
    numbers = numbers.where(~minus, -numbers)
    share = float(numbers.notna().mean())
    doubt = _doubt(marks, cells, name)
    if told and share < HARDLY:
        raise _no_numbers(cells, numbers, name, doubt)
    if not told and share < MOST:
        if not doubt and share >= HALF and not names_things(name):
            doubt = [
                f"Only {numbers.notna().sum():,} of {len(cells):,} cells of {name!r} are numbers; "
                f"as numeric (--numeric {shlex.quote(name)}), these are taken, and the others as "
                "missing."
            ]
        return Reading(values, tuple(doubt))
    remarks = [*_how(numbers, cells, unit, marks, parts["number"], name), *doubt]
    odd = cells[numbers.isna()]
    if len(odd):
        remarks.append(_left_out(odd, _places(values.index.isin(odd.index)), name))
    whole = len(cells) == len(values) and numbers.notna().all() and not (numbers % 1).any()
    read = numbers.astype(np.int64) if whole and numbers.abs().max() < 1e15 else numbers
    return Reading(read.reindex(values.index), tuple(remarks))


@dataclass(frozen=True, eq=False)
class Understood:
    """A table whose quantities are numbers.

    Parameters
    ----------
    frame : DataFrame of n rows
        Columns that hold quantities are int64 or float64, NaN where there is no finite number;
        others are as they were.
    remarks : dict of column name to tuple of str
        How a column was read, and what in it was not, in sentences.
    """

    frame: pd.DataFrame
    remarks: dict[str, tuple[str, ...]]


def understood(
    frame: pd.DataFrame,
    *,
    target: str | None = None,
    number: bool = False,
    kinds: Mapping[str, str] | None = None,
) -> Understood:
    """Read columns of numbers as people write them, as `quantities` reads them.

    Left as they are: columns that a person takes for names or ignores; whole numbers in a column
    called zip, code or the like; and a target that would have but a few different whole numbers,
    for these are classes, and so are the words among them.

    Parameters
    ----------
    frame : DataFrame of n rows
    target : str, optional
        The column to be predicted.
    number : bool
        The target is asked for as a number, and so is read as one where it can be.
    kinds : mapping of column name to key of `KINDS`, optional
        What a person knows better.

    Returns
    -------
    Understood

    Raises
    ------
    EmbedlabError
        If a column is named that there is not, or a kind; or if hardly any cell of a column that
        is said to be numeric is a number.
    """
    frame = frame.rename(columns=str)
    given = check_names(frame, target=target, kinds=kinds)
    read, remarks = frame.copy(deep=False), dict[str, tuple[str, ...]]()
    for name in map(str, frame.columns):
        told = given.get(name)
        if told in ("categorical", "ignore", "target") or holds(frame[name]):
            continue
        found = quantities(frame[name], name, told=told == "numeric")
        changed = is_number(found.values) and not is_number(frame[name])
        if changed and told is None and not (number and name == target):
            if is_whole(found.values) and names_things(name):
                continue
            if name == target and looks_like_classes(found.values):
                odd = frame[name][found.values.isna()].dropna().astype(str).unique()
                if len(odd):
                    remarks[name] = (
                        f"The target {name!r} has words among few whole numbers, and they are "
                        f"classes as well: {named([repr(word) for word in odd], shown=3)}. "
                        f"As numeric (--numeric {shlex.quote(name)}) it leaves them out.",
                    )
                continue
        read[name] = found.values
        if found.remarks:
            remarks[name] = found.remarks
    return Understood(read, remarks)


def is_named(cells: pd.Series) -> pd.Series:
    """Say which texts are numbers that serve as names: 01234, or more digits than a float holds."""
    return cells.str.fullmatch(rf"[+-]?(0\d[\d.]*|\d{{{LONGEST + 1},}})")


def _finite(values: pd.Series, name: str) -> Reading:
    infinite = np.abs(values.to_numpy(np.float64, na_value=np.nan)) > LARGEST
    if not infinite.any():
        return Reading(values)
    return Reading(values.mask(infinite), (_left_out(values[infinite], _places(infinite), name),))


def _places(there: ArrayLike) -> NDArray[np.int64]:
    """Count rows as people do, from 1."""
    return np.flatnonzero(there) + 1


def _few_names(cells: pd.Series, coded: pd.Series, name: str) -> tuple[str, ...]:
    """Say by which cells all numbers of a column became names, if these are few."""
    others = pd.to_numeric(cells[~coded], errors="coerce")
    if not coded.any() or others.notna().sum() < MOST * len(cells) or names_things(name):
        return ()
    why = f"{count(int(coded.sum()), 'cell')} of {len(cells):,} with leading zeros or many digits"
    return (
        f"{name!r} is taken for names because of {why}, such as {cells[coded].iloc[0]!r}; "
        f"as numeric (--numeric {shlex.quote(name)}), it has numbers.",
    )


def _units(parts: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Tell signs of money, before or behind the number, from other units."""
    money, unit = parts["money"].fillna(""), parts["unit"].fillna("").str.strip()
    behind = unit.str.fullmatch(_MONEY) & (money == "")
    return money.where(~behind, unit), unit.where(~behind, "")


def _of_one_kind(money: pd.Series, unit: pd.Series) -> pd.Series:
    """Say which cells have the unit that most have, and its sign of money or none."""
    if money.empty:
        return money.astype(bool)
    sign = money[money != ""].mode()
    paid = money.isin(["", *sign[:1]])
    return paid & unit.isin(unit.mode()[:1])


def _marks(number: pd.Series, *, money: bool) -> _Marks:
    """Decide by all cells of a column what its points and commas mean."""
    point, comma = _read(number, ".", ","), _read(number, ",", ".")
    none = pd.Series(False, number.index)
    if point.notna().sum() != comma.notna().sum():
        if point.notna().sum() > comma.notna().sum():
            return _Marks(point, ".", ",", none)
        return _Marks(comma, ",", ".", none)
    either = point.notna() & comma.notna() & (point != comma)
    with_comma = either & number.str.contains(",", regex=False)
    with_point = either & ~with_comma
    if not with_comma.any():  # a computer's own way to write, but nobody's for money
        if money and with_point.any():
            return _Marks(comma, ",", ".", none)
        return _Marks(point, ".", ",", none)
    bare = number[number.str.fullmatch(r"\d+")]
    small = bare.empty or bare.str.len().max() < 4
    round_ = number[with_comma].str.endswith("00").mean() >= 0.5
    thousands = money or (with_comma.sum() >= _SURE and (small or round_))
    if thousands and not with_point.any() and not comma[point.isna()].notna().any():
        return _Marks(point, ".", ",", none)
    return _Marks(point.mask(either), ".", ",", either)


def _read(number: pd.Series, decimal: str, thousands: str) -> pd.Series:
    """Read numbers without signs or units, NaN where they are not written in this way."""
    fraction = rf"(?:\{decimal}\d*)?"
    grouped = rf"[1-9]\d{{0,2}}([{thousands}{_BLANKS}])\d{{3}}(?:\1\d{{3}})*{fraction}"
    plain = rf"(?:\d+{fraction}|\{decimal}\d+)(?:[eE][-+]?\d+)?"
    found = number.str.fullmatch(plain) | number.str.fullmatch(grouped)
    text = number.where(found).str.replace(rf"[\{thousands}{_BLANKS}]", "", regex=True)
    read = pd.to_numeric(text.str.replace(decimal, ".", regex=False), errors="coerce")
    return read.astype(np.float64).where(read.abs() <= LARGEST)


def _doubt(marks: _Marks, cells: pd.Series, name: str) -> list[str]:
    """Say of cells that could be two numbers why they are none."""
    if not marks.either.any():
        return []
    cell = cells[marks.either.index[marks.either][0]]
    return [
        f"In {name!r}, {cell!r} may have a decimal comma or one between thousands, and no other "
        "cell says which: write such numbers without marks between thousands."
    ]


def _how(
    numbers: pd.Series,
    cells: pd.Series,
    unit: pd.Series,
    marks: _Marks,
    number: pd.Series,
    name: str,
) -> list[str]:
    """Say how cells that are not written as computers write numbers were read."""
    read = numbers.notna()
    plain = pd.to_numeric(cells.where(read), errors="coerce") == numbers
    if (plain | ~read).all():
        return []
    number = number[read]
    words = {",": "commas", ".": "points"}
    grouped = number.str.contains(marks.thousands, regex=False)
    blanks = number.str.contains(rf"[{_BLANKS}]")
    comma = number.str.contains(",", regex=False) & (marks.decimal == ",")
    ways = {
        f"{words[marks.thousands]} between thousands": grouped,
        "blanks or apostrophes between thousands": blanks,
        "a decimal comma": comma,
    }
    said = [way for way, cells_so in ways.items() if cells_so.any()]
    off = unit[read].iloc[0]
    telling = next((cells_so for cells_so in ways.values() if cells_so.any()), ~plain[read])
    first = telling.index[telling][0]
    return [
        f"{name!r} was read as numbers"
        + (f" with {' and '.join(said)}" if said else "")
        + (f", without the unit {off!r}" if off else "")
        + f": {cells[first]!r} is {numbers[first]:.15g}."
    ]


def _left_out(odd: pd.Series, rows: NDArray[np.int64], name: str) -> str:
    first = ~odd.duplicated().to_numpy()
    places = zip(odd[first], rows[first], strict=True)
    said = [f"{str(cell)!r} in row {row:,}" for cell, row in places]
    examples = named(said, shown=3)
    are = count(len(odd), f"cell of {name!r} is", f"cells of {name!r} are")
    return f"{are} no finite number and taken as missing: {examples}."


def _no_numbers(cells: pd.Series, numbers: pd.Series, name: str, doubt: list[str]) -> EmbedlabError:
    remedy = "Take it as categorical, or ignore it."
    if doubt:
        return EmbedlabError(f"Column {name!r} cannot be numeric.", remedy=doubt[0])
    n, odd = int(numbers.notna().sum()), cells[numbers.isna()].iloc[0]
    if not n:
        return EmbedlabError(
            f"Column {name!r} holds words, such as {odd!r}; it cannot be numeric.", remedy=remedy
        )
    return EmbedlabError(
        f"Only {n:,} of {len(cells):,} cells of column {name!r} are numbers, and {odd!r} is none; "
        "it cannot be numeric.",
        remedy=remedy,
    )
