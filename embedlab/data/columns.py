"""Columns: what each column of a table is good for, and which one gives the answer away."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError

Kind = Literal["numeric", "categorical", "ignore", "target"]
KINDS: dict[str, str] = {
    "numeric": "a quantity: more is more",
    "categorical": "a name: equal or different, nothing between",
    "ignore": "left out",
    "target": "what is to be predicted",
}
FEW = 10  # whole numbers with at most so many different values may be classes
LEAK = 0.95  # a column that alone scores as well as this is said to give the target away,
FIFTH = 0.2  # if it makes at most so many of the errors of always naming the most frequent class
_NUMBERED_NAMES = re.compile(r"(^|_|\b)(zip|zipcode|zip_code|postcode|postal|plz|code|id)(_|\b|$)")


@dataclass(frozen=True)
class Column:
    """One column of a table, and what becomes of it.

    Parameters
    ----------
    name : str
    kind : str
        A key of `KINDS`.
    why : str
        Why it is taken for that.
    n_missing : int
        Rows without a value.
    n_distinct : int
        Different values, not counting missing ones.
    remarks : tuple of str
        Sentences for people.
    """

    name: str
    kind: Kind
    why: str
    n_missing: int
    n_distinct: int
    remarks: tuple[str, ...] = ()


def check_names(
    frame: pd.DataFrame, *, target: str | None = None, kinds: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Check that the columns that a person names are there; give what is said of each.

    Parameters
    ----------
    frame : DataFrame
    target : str, optional
    kinds : mapping of column name to key of `KINDS`, optional

    Returns
    -------
    dict of column name to key of `KINDS`

    Raises
    ------
    EmbedlabError
        If a column is named that there is not, or a kind; or if the target is to be ignored.
    """
    given = dict(kinds or {})
    for name in [*given, *([] if target is None else [target])]:
        if name not in frame:
            raise EmbedlabError(
                f"The table has no column {name!r}.",
                remedy=f"It has: {', '.join(map(str, frame.columns))}.",
            )
    for kind in given.values():
        if kind not in KINDS:
            raise EmbedlabError(
                f"{kind!r} is no kind of column.", remedy=f"Kinds: {', '.join(KINDS)}."
            )
    if target is not None and given.get(target) == "ignore":
        raise EmbedlabError(
            f"Column {target!r} cannot both be predicted and be ignored.",
            remedy="Say only one of these.",
        )
    return given


def detect(
    frame: pd.DataFrame, *, target: str | None = None, kinds: Mapping[str, str] | None = None
) -> tuple[Column, ...]:
    """Say of each column what it is good for.

    Texts and truth values are categorical, numbers numeric. Whole numbers whose column is called
    zip, code or the like are names. Columns that are constant, empty, dates, lists, or different
    in every row (but for quantities) are ignored. Infinite numbers count as missing.

    Parameters
    ----------
    frame : DataFrame of n rows
        Missing values are NaN or None; texts are words, see `embedlab.data.quantities.understood`.
    target : str, optional
        The column to be predicted.
    kinds : mapping of column name to key of `KINDS`, optional
        What a person knows better: it overrules what is found.

    Returns
    -------
    tuple of Column
        In the table's order.

    Raises
    ------
    EmbedlabError
        If a column is named that there is not, or a kind, or a kind that the column cannot be.
    """
    given = check_names(frame, target=target, kinds=kinds)
    if target is not None:
        given[target] = "target"
    return tuple(_column(str(name), frame[name], given.get(str(name))) for name in frame)


def chosen(columns: Sequence[Column], kind: Kind) -> list[str]:
    """Give the names of the columns of one kind."""
    return [column.name for column in columns if column.kind == kind]


def is_number(values: pd.Series) -> bool:
    """Say whether a column holds numbers (truth values are none)."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def is_whole(values: pd.Series) -> bool:
    """Say whether a column holds whole numbers only, but for those that are missing."""
    return is_number(values) and bool((_finite(values).astype(np.float64) % 1 == 0).all())


def names_things(name: str) -> bool:
    """Say whether a column is called zip, code or the like, so that its numbers are names."""
    return _NUMBERED_NAMES.search(name.lower()) is not None


def holds(values: pd.Series) -> str:
    """Say which things that are no single values a column holds: lists, records, or ""."""
    if not pd.api.types.is_object_dtype(values):
        return ""
    if any(isinstance(value, (list, tuple, set, np.ndarray)) for value in values):
        return "lists"
    return "records" if any(isinstance(value, dict) for value in values) else ""


def looks_like_classes(values: pd.Series, name: str = "") -> bool:
    """Say whether a target is rather a class than a quantity.

    Words are, a few different whole numbers, and whole numbers in a column called zip, code or
    the like.
    """
    if not is_number(values):
        return True
    return is_whole(values) and (_finite(values).nunique() <= FEW or names_things(name))


def _finite(values: pd.Series) -> pd.Series:
    """Leave missing and infinite values out."""
    there = values.notna().to_numpy()
    if is_number(values):
        there = np.isfinite(values.to_numpy(np.float64, na_value=np.nan))
    return values.loc[there]


def _column(name: str, values: pd.Series, told: str | None) -> Column:
    if things := holds(values):
        return _of_things(name, values, told, things)
    given = _finite(values)
    kind, why = _kind(name, given)
    found = Column(name, kind, why, len(values) - len(given), given.nunique())
    remarks = []
    if found.n_missing:
        remarks.append(f"{name!r} is missing in {found.n_missing:,} of {len(values):,} rows.")
    if told is not None:
        if told == "numeric" and not is_number(values):
            raise EmbedlabError(
                f"Column {name!r} holds words, such as {str(given.iloc[0])!r}; it cannot be "
                "numeric."
                if len(given)
                else f"Column {name!r} is empty; it cannot be numeric.",
                remedy="Take it as categorical, or ignore it.",
            )
        found = replace(found, kind=cast(Kind, told), why="you said so")
    elif found.kind == "ignore":
        remarks.append(f"{name!r} is left out: {found.why}.")
    return replace(found, remarks=tuple(remarks))


def _of_things(name: str, values: pd.Series, told: str | None, things: str) -> Column:
    """Leave out a column whose cells hold several values each."""
    if told not in (None, "ignore"):
        raise EmbedlabError(
            f"Column {name!r} holds {things}; it cannot be {told}.",
            remedy="Write what counts in them into columns of their own.",
        )
    given, why = values.dropna(), f"it holds {things}"
    remarks = (f"{name!r} is left out: {why}.",)
    n_missing = len(values) - len(given)
    return Column(name, "ignore", why, n_missing, given.map(repr).nunique(), remarks)


def _kind(name: str, given: pd.Series) -> tuple[Kind, str]:
    """Judge a column by its name and the values that are there."""
    n, distinct, number = len(given), given.nunique(), is_number(given)
    whole = is_whole(given)
    coded = whole and names_things(name)
    counts = whole and distinct == n and (coded or float(given.max() - given.min()) < 2 * n)
    dated = pd.api.types.is_datetime64_any_dtype(given)
    ignored = {
        "it has no values": n == 0,
        "it is constant": distinct == 1,
        "it holds dates; give year or month as numbers": dated,
        "every row has another value, like a name": not number and distinct == n,
        "it has almost as many values as rows": not number and distinct > max(FEW, n / 2),
        "it numbers the rows": counts,
    }
    for why, fits in ignored.items():
        if fits:
            return "ignore", why
    if coded:
        return "categorical", "its name says that its numbers are names"
    return ("numeric", "it holds numbers") if number else ("categorical", "it holds words")


@dataclass(frozen=True)
class Leak:
    """A column that alone predicts the target.

    Parameters
    ----------
    column : str
    score : float
        Accuracy, or R², of a decision tree that sees this column only, on rows it has not seen.
    """

    column: str
    score: float

    def sentence(self) -> str:
        """Warn of it."""
        return (
            f"Column {self.column!r} alone predicts the target ({self.score:.0%}). Would you know "
            "it before you know the answer? If not, ignore it: it gives the answer away."
        )


def leaks(
    frame: pd.DataFrame, columns: Sequence[Column], target: NDArray[Any], *, classes: bool
) -> list[Leak]:
    """Find columns each of which alone predicts the target.

    A decision tree is asked, by 3-fold cross-validation; for a number that is predicted from a
    number, Spearman's rank correlation as well, squared. Where the target is a class, each fold
    has its share of every class, and who always names the most frequent one is often right too:
    a column is only said to predict the target if it makes at most a fifth of these errors.

    Parameters
    ----------
    frame : DataFrame of n rows
    columns : sequence of Column
        As `detect` gives them; those that are ignored are not asked.
    target : ndarray of shape (n,)
        Class indices, or numbers. A class with one picture is not asked for.
    classes : bool
        Whether the target is a class.

    Returns
    -------
    list of Leak
        The most telling one first.
    """
    target = np.asarray(target)
    if classes:
        _, codes, sizes = np.unique(target, return_inverse=True, return_counts=True)
        asked = np.flatnonzero(sizes[codes] > 1)
    else:
        asked = np.flatnonzero(np.isfinite(target))
    y = target[asked]
    if len(y) < 12 or len(np.unique(y)) < 2:
        return []
    found = []
    for column in columns:
        if column.kind not in ("numeric", "categorical"):
            continue
        values = frame[column.name].iloc[asked]
        if column.kind == "numeric":
            numbers = values.to_numpy(np.float64, na_value=np.nan)
            ranks = pd.Series(np.where(np.isfinite(numbers), numbers, np.nan)).rank()
            x = np.asarray(ranks, np.float64)  # a tree asks no more, and in float32
        else:
            x = pd.factorize(values)[0].astype(np.float64)
        score = _told_class(x, y) if classes else _told_number(x, y, column.kind == "numeric")
        if score >= LEAK:
            found.append(Leak(column.name, score))
    return sorted(found, key=lambda leak: -leak.score)


def _told_class(x: NDArray[np.float64], y: NDArray[Any]) -> float:
    """Give a tree's accuracy, or 0 where naming the most frequent class is nearly as good."""
    from sklearn.model_selection import PredefinedSplit, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    order = np.lexsort((np.random.default_rng(0).random(len(y)), y))
    folds = np.empty(len(y), np.int64)
    folds[order] = np.arange(len(y)) % 3
    tree = DecisionTreeClassifier(random_state=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes")
        wrong = cross_val_predict(tree, x[:, None], y, cv=PredefinedSplit(folds)) != y
    _, sizes = np.unique(y, return_counts=True)
    return float(1 - wrong.mean()) if wrong.sum() <= FIFTH * (len(y) - sizes.max()) else 0.0


def _told_number(x: NDArray[np.float64], y: NDArray[Any], ranks: bool) -> float:
    """Give a tree's R², or the squared correlation of the ranks if it is more."""
    from scipy.stats import spearmanr
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.tree import DecisionTreeRegressor

    folds = KFold(3, shuffle=True, random_state=0)
    tree = DecisionTreeRegressor(random_state=0)
    score = float(cross_val_score(tree, x[:, None], y, cv=folds).mean())
    there = np.isfinite(x)
    some = ranks and there.mean() > 0.5
    if some and min(len(np.unique(some_of[there])) for some_of in (x, y)) > 1:
        score = max(score, float(spearmanr(x[there], y[there]).statistic) ** 2)
    return score
