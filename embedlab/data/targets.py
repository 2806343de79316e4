"""Targets: what is to be predicted, as classes or as a number."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.data.columns import holds, is_number, looks_like_classes, names_things
from embedlab.data.notes import count
from embedlab.errors import EmbedlabError

_MOST_CLASSES = 200


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be predicted.

    Parameters
    ----------
    name : str
    values : ndarray of shape (m,)
        int64 class indices, or float64 numbers.
    classes : tuple of str
        Empty for a number.
    rows : ndarray of shape (m,), int64
        The pictures that have a target, ascending.
    remarks : tuple of str
        What it was taken for and why, in sentences.
    """

    name: str
    values: NDArray[Any]
    classes: tuple[str, ...]
    rows: NDArray[np.int64]
    remarks: tuple[str, ...] = ()


def column_target(
    values: pd.Series,
    name: str,
    *,
    n_classes: int | None = None,
    log: bool = False,
    kind: str | None = None,
) -> Target:
    """Make a target of a column.

    Words are classes, and so are up to ten different whole numbers, and whole numbers in a column
    called zip, code or the like; other numbers are predicted as numbers, or cut into classes of
    about the same size where `n_classes` says so (3: terciles). The cuts are quantiles of all
    pictures: they are part of the question, not of the answer.

    Parameters
    ----------
    values : Series of n rows
        Pictures whose value is missing or infinite are left out. Texts are words, see
        `embedlab.data.quantities.understood`.
    name : str
    n_classes : int, optional
        Cut numbers into so many classes.
    log : bool
        Predict the natural logarithm of the number.
    kind : str, optional
        What a person knows better: "numeric" or "categorical".

    Returns
    -------
    Target

    Raises
    ------
    EmbedlabError
        If the column cannot be what is asked for.
    """
    number = is_number(values)
    if things := holds(values):
        raise EmbedlabError(
            f"The target {name!r} holds {things}.", remedy="Choose a column with single values."
        )
    if kind == "numeric" and not number:
        raise EmbedlabError(
            f"The target {name!r} holds words: it cannot be numeric.",
            remedy="Predict it as a class (without --numeric).",
        )
    if (n_classes or log) and not number:
        raise EmbedlabError(
            f"The target {name!r} holds words: it can be neither cut into classes nor logged.",
            remedy="Predict it as it is (without --classes and --log).",
        )
    if (n_classes or log) and kind == "categorical":
        raise EmbedlabError(
            f"The target {name!r} is to be categorical: its numbers are names, which can be "
            "neither cut into classes nor logged.",
            remedy="Let it be numeric, or predict it as it is (without --categorical, or without "
            "--classes and --log).",
        )
    there = np.isfinite(_floats(values)) if number else values.notna().to_numpy()
    rows = np.flatnonzero(there)
    given = values.iloc[rows]
    if given.nunique() < 2:
        raise EmbedlabError(
            f"The target {name!r} has {count(given.nunique(), 'different value')}: there is "
            "nothing to tell apart.",
            remedy="Choose another column.",
        )
    if n_classes:
        return _cut(_floats(given), name, n_classes, rows)
    if log:
        if (_floats(given) <= 0).any():
            raise EmbedlabError(
                f"The target {name!r} has values of 0 or less, which have no logarithm.",
                remedy="Predict it without the logarithm (without --log).",
            )
        return Target(f"log {name}", np.log(_floats(given)), (), rows)
    if kind == "numeric" or (kind is None and not looks_like_classes(given, name)):
        return Target(name, _floats(given), (), rows)
    codes, found = pd.factorize(given if number else given.astype(str), sort=True)
    as_number = f"As numeric (--numeric {shlex.quote(name)}) it is predicted as a number"
    if len(found) > min(_MOST_CLASSES, len(rows) / 2):
        raise EmbedlabError(
            f"The target {name!r} has {len(found):,} different values for {len(rows):,} pictures, "
            "too many for classes.",
            remedy=f"{as_number}; cut (--classes 3), as three classes."
            if number
            else "Choose a column with a few classes, or with numbers.",
        )
    names = [_spelt(value) if number else str(value) for value in found]
    why = "its name says that its numbers are names"
    if not names_things(name):
        why = "it has few different whole numbers"
    said = f"The target {name!r} is taken as {len(found):,} classes: {why}. {as_number}."
    remarks = (said,) if number and kind is None else ()
    return Target(name, codes.astype(np.int64), tuple(names), rows, remarks)


def _spelt(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.15g}"


def _cut(values: NDArray[np.float64], name: str, n: int, rows: NDArray[np.int64]) -> Target:
    edges = np.quantile(values, np.arange(1, n) / n) if n >= 2 else np.array([])
    if not 2 <= n <= 20 or len(np.unique(np.digitize(values, edges))) < n:
        raise EmbedlabError(
            f"The target {name!r} cannot be cut into {n} classes.", remedy="Take 2 to 20, or fewer."
        )
    texts = [f"{edge:,.0f}" if abs(edge) >= 1000 else f"{edge:.4g}" for edge in edges]
    between = [f"{low} to {high}" for low, high in pairwise(texts)]
    classes = (f"below {texts[0]}", *between, f"from {texts[-1]}")
    return Target(name, np.digitize(values, edges).astype(np.int64), classes, rows)


def _floats(values: pd.Series) -> NDArray[np.float64]:
    return values.to_numpy(np.float64, na_value=np.nan)
