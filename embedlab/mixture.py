"""Mixture: neighbours by picture and table together, from one alone to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.data.columns import detect, is_number
from embedlab.runs import EMBEDDING, Run
from embedlab.signal import TABLE, encoded_table, has_table, table_of
from embedlab.space.mixing import mixed
from embedlab.space.neighbours import NeighbourIndex
from embedlab.space.probes import explained, knn_vote
from embedlab.space.scores import Interval, accuracy

K = 10  # neighbours that vote
SHARES = tuple(round(0.1 * i, 1) for i in range(11))


@dataclass(frozen=True, eq=False)
class Point:
    """How well neighbours tell the target when the table counts so much.

    Parameters
    ----------
    share : float
        How much the table counts, 0 to 1.
    score : float
        Accuracy; for a number, R².
    interval : Interval
        Of the score, 95 %.
    """

    share: float
    score: float
    interval: Interval


def picture_and_table(
    run: Run, vectors: str = EMBEDDING
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Give the vectors by which pictures, and their rows of the table, are alike.

    Those of a fused run are its two branches; those of another run with a table, one of its sets
    of vectors and the table's columns, standardised, names as ones and zeros. None without a table.

    Parameters
    ----------
    run : Run
    vectors : str
        What the pictures of a run that is not fused are known by.

    Returns
    -------
    picture : ndarray of shape (n, d), float32
    table : ndarray of shape (n, e), float32
    """
    if {"picture", "table"} <= set(run.vector_sets):
        return run.vectors("picture"), run.vectors("table")
    if not has_table(run):
        return None
    frame = table_of(run)
    rows = np.flatnonzero(run.split == "train")
    rows = rows if len(rows) else np.arange(run.n_items)
    table = encoded_table(frame, detect(frame.iloc[rows]), rows)
    return (run.vectors(vectors), table) if table.shape[1] else None


def mixture(run: Run, share: float, vectors: str = EMBEDDING) -> NDArray[np.float32]:
    """Give the vectors whose dot products mix both likenesses; see `embedlab.space.mixing.mixed`.

    Parameters
    ----------
    run : Run
        With a table.
    share : float
        How much the table counts, 0 to 1.
    vectors : str
        As for `picture_and_table`.
    """
    both = picture_and_table(run, vectors)
    if both is None:
        raise ValueError(f"the run {run.id} has no table")
    return mixed(*both, share)


def target_of(run: Run) -> pd.Series | None:
    """Give what neighbours are asked to tell: the class, or the number that a fusion predicts."""
    if run.labels is not None:
        return run.items["label"]
    name = f"{TABLE}{run.info.get('fusion', {}).get('target', '')}"
    return run.items[name] if name in run.items and is_number(run.items[name]) else None


def mixture_curve(
    run: Run, vectors: str = EMBEDDING, *, shares: Sequence[float] = SHARES, k: int = K
) -> list[Point] | None:
    """Let the nearest training pictures tell the target of the validation pictures.

    Parameters
    ----------
    run : Run
    vectors : str
        As for `picture_and_table`.
    shares : sequence of float
        How much the table counts.
    k : int
        How many neighbours vote, or are averaged.

    Returns
    -------
    list of Point, or None
        One for each share; None without a table, a target, or one of the two parts.
    """
    target, both = target_of(run), picture_and_table(run, vectors)
    train, held = (np.flatnonzero(run.split == part) for part in ("train", "validation"))
    if target is None or both is None or len(train) < 2 or len(held) < 2:
        return None
    return [_point(run, target, mixed(*both, share), share, train, held, k) for share in shares]


def _point(
    run: Run,
    target: pd.Series,
    vectors: NDArray[np.float32],
    share: float,
    train: NDArray[np.int64],
    held: NDArray[np.int64],
    k: int,
) -> Point:
    near = NeighbourIndex.of(vectors[train], "dot").nearest_of_each(vectors[held], k)
    there = (near.rows >= 0).all(axis=1)
    if run.labels is not None:
        guesses = knn_vote(run.labels[train], near.rows[there])
        found = accuracy(run.labels[held][there], guesses)
        return Point(share, found.value, found.interval)
    values = target.to_numpy(np.float64, na_value=np.nan)
    truth, guesses = values[held][there], values[train][near.rows[there]].mean(axis=1)
    return Point(share, *explained(truth, guesses))
