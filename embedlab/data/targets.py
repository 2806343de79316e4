"""Targets: what is to be predicted, as classes or as a number."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.data.columns import is_number, looks_like_classes
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
    """

    name: str
    values: NDArray[Any]
    classes: tuple[str, ...]
    rows: NDArray[np.int64]


def column_target(
    values: pd.Series, name: str, *, n_classes: int | None = None, log: bool = False
) -> Target:
    """Make a target of a column.

    Words, and up to ten different whole numbers, are classes; other numbers are predicted as
    numbers, or cut into classes of about the same size where `n_classes` says so (3: terciles).
    The cuts are quantiles of all pictures: they are part of the question, not of the answer.

    Parameters
    ----------
    values : Series of n rows
        Pictures whose value is missing are left out.
    name : str
    n_classes : int, optional
        Cut numbers into so many classes.
    log : bool
        Predict the natural logarithm of the number.

    Returns
    -------
    Target

    Raises
    ------
    EmbedlabError
        If the column cannot be what is asked for.
    """
    number = is_number(values)
    if (n_classes or log) and not number:
        raise EmbedlabError(
            f"The target {name!r} holds words: it can be neither cut into classes nor logged.",
            remedy="Leave --classes and --log out.",
        )
    there = np.isfinite(_floats(values)) if number else values.notna().to_numpy()
    rows = np.flatnonzero(there)
    given = values.iloc[rows]
    if given.nunique() < 2:
        raise EmbedlabError(
            f"The target {name!r} has {given.nunique()} different values: there is nothing to "
            "tell apart.",
            remedy="Choose another column.",
        )
    if n_classes:
        return _cut(_floats(given), name, n_classes, rows)
    if log:
        if (_floats(given) <= 0).any():
            raise EmbedlabError(
                f"The target {name!r} has values of 0 or less, which have no logarithm.",
                remedy="Leave --log out.",
            )
        return Target(f"log {name}", np.log(_floats(given)), (), rows)
    if not looks_like_classes(given):
        return Target(name, _floats(given), (), rows)
    codes, found = pd.factorize(given if number else given.astype(str), sort=True)
    if len(found) > min(_MOST_CLASSES, len(rows) / 2):
        raise EmbedlabError(
            f"The target {name!r} has {len(found):,} different values for {len(rows):,} pictures.",
            remedy="Choose a column with a few classes, or with numbers.",
        )
    names = [f"{value:g}" if number else str(value) for value in found]
    return Target(name, codes.astype(np.int64), tuple(names), rows)


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
