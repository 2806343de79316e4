"""Columns: what each column of a table is good for, and which one gives the answer away."""

from __future__ import annotations

import re
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
LEAK = 0.95  # a column that alone scores as well as this is said to give the target away
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


def detect(
    frame: pd.DataFrame, *, target: str | None = None, kinds: Mapping[str, str] | None = None
) -> tuple[Column, ...]:
    """Say of each column what it is good for.

    Texts and truth values are categorical, numbers numeric. Whole numbers whose column is called
    zip, code or the like are names. Columns that are constant, empty, dates, or different in
    every row (but for quantities) are ignored.

    Parameters
    ----------
    frame : DataFrame of n rows
        Missing values are NaN or None.
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
        If a column is named that there is not, or a kind.
    """
    given = dict(kinds or {})
    if target is not None:
        given[target] = "target"
    for name, kind in given.items():
        if name not in frame:
            raise EmbedlabError(
                f"The table has no column {name!r}.",
                remedy=f"It has: {', '.join(map(str, frame.columns))}.",
            )
        if kind not in KINDS:
            raise EmbedlabError(
                f"{kind!r} is no kind of column.", remedy=f"Kinds: {', '.join(KINDS)}."
            )
    return tuple(_column(str(name), frame[name], given.get(str(name))) for name in frame)


def chosen(columns: Sequence[Column], kind: Kind) -> list[str]:
    """Give the names of the columns of one kind."""
    return [column.name for column in columns if column.kind == kind]


def is_number(values: pd.Series) -> bool:
    """Say whether a column holds numbers (truth values are none)."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def looks_like_classes(values: pd.Series) -> bool:
    """Say whether a target is rather a class than a quantity: words, or a few whole numbers."""
    given = values.dropna()
    if not is_number(values):
        return True
    return given.nunique() <= FEW and bool(np.equal(np.mod(given, 1), 0).all())


def _column(name: str, values: pd.Series, told: str | None) -> Column:
    given = values.dropna()
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


def _kind(name: str, given: pd.Series) -> tuple[Kind, str]:
    """Judge a column by its name and the values that are there."""
    n, distinct, number = len(given), given.nunique(), is_number(given)
    whole = number and bool(np.equal(np.mod(given.astype(np.float64), 1), 0).all())
    named = whole and _NUMBERED_NAMES.search(name.lower()) is not None
    counts = whole and distinct == n and (named or float(given.max() - given.min()) < 2 * n)
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
    if named:
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
    number, Spearman's rank correlation as well, squared.

    Parameters
    ----------
    frame : DataFrame of n rows
    columns : sequence of Column
        As `detect` gives them; those that are ignored are not asked.
    target : ndarray of shape (n,)
        Class indices, or numbers.
    classes : bool
        Whether the target is a class.

    Returns
    -------
    list of Leak
        The most telling one first.
    """
    from scipy.stats import spearmanr
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    tree = DecisionTreeClassifier if classes else DecisionTreeRegressor
    folds = KFold(3, shuffle=True, random_state=0)
    if len(target) < 12:
        return []
    _, sizes = np.unique(target, return_counts=True)
    if classes and sizes.max() >= LEAK * len(target):
        return []  # whoever always says the same is right as often
    found = []
    for column in columns:
        if column.kind not in ("numeric", "categorical"):
            continue
        values = frame[column.name]
        if column.kind == "numeric":
            x = values.to_numpy(np.float64, na_value=np.nan)
            x = np.where(np.isfinite(x), x, np.nan)
        else:
            x = pd.factorize(values)[0].astype(np.float64)
        scores = cross_val_score(tree(random_state=0), x[:, None], target, cv=folds)
        score = float(scores.mean())
        there = np.isfinite(x)
        if not classes and column.kind == "numeric" and there.mean() > 0.5:
            score = max(score, float(spearmanr(x[there], target[there]).statistic) ** 2)
        if score >= LEAK:
            found.append(Leak(column.name, score))
    return sorted(found, key=lambda leak: -leak.score)
