"""The film of a training: a few pictures' embeddings, the head and its answers, over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WITHIN_FIRST_EPOCH = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
MOST_EPOCHS = 24


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a training.

    Parameters
    ----------
    step : int
        Optimiser steps done so far.
    epoch : float
        The same in epochs.
    embeddings : ndarray of shape (n, d), float16
        Of the probe pictures.
    weight : ndarray of shape (c, d), float32
    bias : ndarray of shape (c,), float32
        The head.
    probabilities : ndarray of shape (n, c), float16
    """

    step: int
    epoch: float
    embeddings: NDArray[np.float16]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    probabilities: NDArray[np.float16]


def film_arrays(
    rows: NDArray[np.int64], film: Sequence[Snapshot]
) -> dict[str, NDArray[np.generic]]:
    """Stack the moments of a training, as film.npz keeps them.

    Parameters
    ----------
    rows : ndarray of shape (n,), int64
        Which items the probe pictures are.
    film : sequence of T Snapshots

    Returns
    -------
    dict of str to ndarray
        rows (n,), steps (T,) int64, epochs (T,) float32, embeddings (T, n, d) float16,
        weights (T, c, d) and biases (T, c) float32, probabilities (T, n, c) float16.
    """
    return {
        "rows": np.asarray(rows, np.int64),
        "steps": np.array([shot.step for shot in film], np.int64),
        "epochs": np.array([shot.epoch for shot in film], np.float32),
        "embeddings": np.stack([shot.embeddings for shot in film]),
        "weights": np.stack([shot.weight for shot in film]),
        "biases": np.stack([shot.bias for shot in film]),
        "probabilities": np.stack([shot.probabilities for shot in film]),
    }


def moments(epochs: int, steps_an_epoch: int) -> list[int]:
    """Choose the steps after which a snapshot is taken: more of them early, when most happens.

    Parameters
    ----------
    epochs, steps_an_epoch : int

    Returns
    -------
    list of int
        0, up to four within the first epoch, then the ends of up to 24 epochs, the last among
        them.
    """
    early = {round(share * steps_an_epoch) for share in WITHIN_FIRST_EPOCH}
    if epochs <= MOST_EPOCHS:
        ends = set(range(1, epochs + 1))
    else:
        ends = set(np.geomspace(1, epochs, MOST_EPOCHS).round().astype(int).tolist())
    return sorted({0} | early | {end * steps_an_epoch for end in ends})


def choose_probe(labels: NDArray[np.int64], rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Take pictures of all classes in turn, the first of each class first.

    Parameters
    ----------
    labels : ndarray of shape (N,), int64
        Of all pictures.
    rows : ndarray of shape (m,), int64
        Which of them may be taken.
    n : int
        How many at most.

    Returns
    -------
    ndarray of shape (min(m, n),), int64
        Ascending.
    """
    own = labels[rows]
    turn = np.empty(len(rows), np.int64)
    for label in np.unique(own):
        members = np.flatnonzero(own == label)
        turn[members] = np.arange(len(members))
    return np.sort(rows[np.argsort(turn, kind="stable")[:n]])
