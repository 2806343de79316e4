"""A random sample of a set of pictures, the same on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedlab.asked import check_limit


def sample(n_items: int, *, limit: int | None, seed: int) -> list[int]:
    """Draw rows to keep, in their order: all of them, or `limit` at random.

    Parameters
    ----------
    n_items : int
    limit : int, optional
        At least 1; None keeps all.
    seed : int

    Returns
    -------
    list of int

    Raises
    ------
    EmbedlabError
        If the limit is below 1.
    """
    check_limit(limit)
    if limit is None or limit >= n_items:
        return list(range(n_items))
    drawn = np.random.default_rng(seed).choice(n_items, limit, replace=False)
    return [int(row) for row in np.sort(drawn)]


def sample_note(kept: int, n_items: int, *, seed: int) -> list[str]:
    """Say that a sample was drawn; nothing when all are kept."""
    if kept >= n_items:
        return []
    return [f"A sample of {kept:,} of {n_items:,} pictures, drawn with seed {seed}."]


def sample_origin(*, limit: int | None, seed: int) -> dict[str, Any]:
    """Give what a dataset's origin says about its sample."""
    return {} if limit is None else {"limit": limit, "sample_seed": seed}
