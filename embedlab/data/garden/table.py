"""The garden's table: what a gardener wrote down, which the picture does not show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from embedlab.data.garden.factors import KINDS, pick

if TYPE_CHECKING:
    import pandas as pd

_PART = 100  # keeps the table's chances apart from the picture's

HEIGHT_CM: Mapping[str, tuple[float, float]] = {
    "daisy": (13, 0.35),
    "dandelion": (26, 0.30),
    "rose": (85, 0.32),
    "sunflower": (160, 0.28),
    "tulip": (38, 0.26),
}
"""Median height in cm and the spread of its logarithm."""

MONTH: Mapping[str, tuple[float, float]] = {
    "daisy": (6.2, 1.4),
    "dandelion": (5.4, 1.2),
    "rose": (7.0, 1.2),
    "sunflower": (8.3, 0.9),
    "tulip": (4.3, 0.7),
}
"""Mean and spread of the month in which the flower was seen, 1 to 12."""

SCENT: Mapping[str, Mapping[str, float]] = {
    "daisy": {"none": 0.45, "faint": 0.45, "sweet": 0.08, "strong": 0.02},
    "dandelion": {"none": 0.35, "faint": 0.45, "sweet": 0.18, "strong": 0.02},
    "rose": {"none": 0.10, "faint": 0.22, "sweet": 0.38, "strong": 0.30},
    "sunflower": {"none": 0.55, "faint": 0.38, "sweet": 0.06, "strong": 0.01},
    "tulip": {"none": 0.40, "faint": 0.35, "sweet": 0.20, "strong": 0.05},
}
"""How often each kind smells of what."""

SITE: Mapping[str, Mapping[str, float]] = {
    "daisy": {"lawn": 0.50, "bed": 0.20, "field": 0.15, "roadside": 0.10, "pot": 0.05},
    "dandelion": {"lawn": 0.40, "bed": 0.08, "field": 0.20, "roadside": 0.30, "pot": 0.02},
    "rose": {"lawn": 0.05, "bed": 0.65, "field": 0.03, "roadside": 0.05, "pot": 0.22},
    "sunflower": {"lawn": 0.05, "bed": 0.32, "field": 0.50, "roadside": 0.08, "pot": 0.05},
    "tulip": {"lawn": 0.10, "bed": 0.55, "field": 0.10, "roadside": 0.02, "pot": 0.23},
}
"""How often each kind grows where."""

SOIL: Mapping[str, Mapping[str, float]] = {
    "daisy": {"loam": 0.40, "clay": 0.25, "sand": 0.20, "chalk": 0.15},
    "dandelion": {"loam": 0.30, "clay": 0.40, "sand": 0.20, "chalk": 0.10},
    "rose": {"loam": 0.45, "clay": 0.40, "sand": 0.05, "chalk": 0.10},
    "sunflower": {"loam": 0.45, "clay": 0.20, "sand": 0.25, "chalk": 0.10},
    "tulip": {"loam": 0.40, "clay": 0.10, "sand": 0.40, "chalk": 0.10},
}
"""How often each kind grows on what."""

MISSING: Mapping[str, float] = {"height_cm": 0.06, "scent": 0.10, "soil": 0.08}
"""How often a cell was left empty, whatever the kind and the value."""


def table(n_each: int, *, seed: int = 0) -> pd.DataFrame:
    """Write the table of a garden.

    Given the kind, every column is independent of the picture and of the other columns; so a
    model that adds up what both say is close to the best there can be. Real tables are not
    so kind.

    Parameters
    ----------
    n_each : int
        Rows of each kind; row i belongs to picture i of ``garden(n_each=n_each, seed=seed)``.
    seed : int

    Returns
    -------
    DataFrame of 5 * n_each rows
        height_cm (float, some missing), month (int, 1 to 12), scent, site and soil (words;
        scent and soil some missing).
    """
    import pandas as pd

    rows = [_row(KINDS[i % len(KINDS)], seed, i) for i in range(n_each * len(KINDS))]
    return pd.DataFrame(rows, columns=["height_cm", "month", "scent", "site", "soil"])


def _row(kind: str, seed: int, index: int) -> dict[str, object]:
    rng = np.random.default_rng([seed, index, _PART])
    median, spread = HEIGHT_CM[kind]
    middle, width = MONTH[kind]
    row: dict[str, object] = {
        "height_cm": round(median * math.exp(rng.normal(0, spread)), 1),
        "month": min(max(round(float(rng.normal(middle, width))), 1), 12),
        "scent": pick(rng, SCENT[kind]),
        "site": pick(rng, SITE[kind]),
        "soil": pick(rng, SOIL[kind]),
    }
    for column, share in MISSING.items():
        if rng.random() < share:
            row[column] = None
    return row
