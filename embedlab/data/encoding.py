"""From columns to arrays: codes for names, standardised numbers, flags for what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.data.columns import Column, chosen

UNSEEN = 0  # the code of a name that the training rows do not have
_FARTHEST = 1e6  # deviations; a float32 holds no 1e60, which some row may have that was not seen
_MISSING = "\0missing"  # no cell of a table holds a zero byte


@dataclass(frozen=True, eq=False)
class Encoded:
    """A table as arrays. Row i belongs to picture i.

    Parameters
    ----------
    codes : ndarray of shape (n, k), int64
        Of the categorical columns; 0 stands for unseen.
    numbers : ndarray of shape (n, m), float32
        The numeric columns, standardised, 0 where missing, and at most a million deviations; then
        the flags, 1 where missing.
    """

    codes: NDArray[np.int64]
    numbers: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TableEncoder:
    """What the training rows say about names and scales; nothing else is ever asked.

    Parameters
    ----------
    vocabularies : dict of column name to dict of value to code
        Codes begin at 1. A missing value has a code of its own where training rows miss one.
    means, stds : dict of column name to float
        Of the finite training values.
    flagged : tuple of str
        Numeric columns that have missing values among the training rows, and so a flag.
    """

    vocabularies: dict[str, dict[str, int]]
    means: dict[str, float]
    stds: dict[str, float]
    flagged: tuple[str, ...]

    @classmethod
    def fit(
        cls, frame: pd.DataFrame, columns: Sequence[Column], rows: NDArray[np.int64]
    ) -> TableEncoder:
        """Learn vocabularies and scales from the training rows.

        Parameters
        ----------
        frame : DataFrame of n rows
        columns : sequence of Column
        rows : ndarray of int64
            The training rows; no other row is looked at.
        """
        seen = frame.iloc[rows]
        vocabularies = {
            name: {value: code for code, value in enumerate(sorted(set(_names(seen[name]))), 1)}
            for name in chosen(columns, "categorical")
        }
        means, stds, flagged = {}, {}, []
        for name in chosen(columns, "numeric"):
            values = _floats(seen[name])
            finite = values[np.isfinite(values)]
            means[name] = float(finite.mean()) if len(finite) else 0.0
            spread = float(finite.std()) if len(finite) else 0.0
            stds[name] = spread if spread > 1e-12 * max(abs(means[name]), 1e-300) else 1.0
            if len(finite) < len(values):
                flagged.append(name)
        return cls(vocabularies, means, stds, tuple(flagged))

    @property
    def cardinalities(self) -> list[int]:
        """How many different values each categorical column has, a missing one counted."""
        return [len(vocabulary) for vocabulary in self.vocabularies.values()]

    @property
    def n_numbers(self) -> int:
        """How many numbers there are a row, flags counted."""
        return len(self.means) + len(self.flagged)

    def encode(self, frame: pd.DataFrame) -> Encoded:
        """Turn any rows of the same columns into arrays."""
        n = len(frame)
        codes = [
            [vocabulary.get(value, UNSEEN) for value in _names(frame[name])]
            for name, vocabulary in self.vocabularies.items()
        ]
        raw = {name: _floats(frame[name]) for name in self.means}
        scaled = [
            np.where(np.isfinite(raw[name]), (raw[name] - mean) / self.stds[name], 0.0)
            for name, mean in self.means.items()
        ]
        scaled = [np.clip(values, -_FARTHEST, _FARTHEST) for values in scaled]
        flags = [(~np.isfinite(raw[name])).astype(np.float64) for name in self.flagged]
        return Encoded(
            np.array(codes, np.int64).reshape(len(codes), n).T,
            np.array([*scaled, *flags], np.float32).reshape(self.n_numbers, n).T,
        )


def _names(values: pd.Series) -> list[str]:
    """Write a column's values as names; 4 and 4.0 are one name, for a gap turns ints to floats."""
    return [
        _MISSING
        if pd.isna(value)
        else str(int(value))
        if isinstance(value, (float, np.floating)) and float(value).is_integer()
        else str(value)
        for value in values
    ]


def _floats(values: pd.Series) -> NDArray[np.float64]:
    return values.to_numpy(np.float64, na_value=np.nan)
