"""The film of a training: a few pictures' embeddings, the head and its answers, over time."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError

FILM_BYTES = 2**30  # more than any film of ours
WITHIN_FIRST_EPOCH = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
MOST_EPOCHS = 24


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a training.

    Parameters
    ----------
    rows : ndarray of shape (n,), int64
        Which of the dataset's pictures the probe is.
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

    rows: NDArray[np.int64]
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


@dataclass(frozen=True, eq=False)
class Film:
    """A training, told by T moments of n pictures.

    Parameters
    ----------
    rows : ndarray of shape (n,), int64
        Which items of the run the pictures are.
    steps : ndarray of shape (T,), int64
    epochs : ndarray of shape (T,), float32
    embeddings : ndarray of shape (T, n, d), float16
    weights : ndarray of shape (T, c, d), float32
    biases : ndarray of shape (T, c), float32
    probabilities : ndarray of shape (T, n, c), float16
    """

    rows: NDArray[np.int64]
    steps: NDArray[np.int64]
    epochs: NDArray[np.float32]
    embeddings: NDArray[np.float16]
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    probabilities: NDArray[np.float16]

    def __post_init__(self) -> None:
        if self.embeddings.ndim != 3 or self.probabilities.ndim != 3:
            raise ValueError("a film's embeddings and probabilities have three axes")
        (t, n, d), c = self.embeddings.shape, self.probabilities.shape[2]
        expected = {
            "rows": (n,),
            "steps": (t,),
            "epochs": (t,),
            "weights": (t, c, d),
            "biases": (t, c),
            "probabilities": (t, n, c),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, not {shape}")

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def predictions(self) -> NDArray[np.int64]:
        """The likeliest class of each picture at each moment: shape (T, n)."""
        return np.asarray(self.probabilities.argmax(axis=2), np.int64)


def read_film(path: Path, *, n_items: int, n_classes: int) -> Film | None:
    """Read the film of a run, or give None where it has none.

    Parameters
    ----------
    path : Path
        The run's film.npz.
    n_items, n_classes : int
        Of the run.

    Raises
    ------
    EmbedlabError
        If the file is damaged, or belongs to other pictures.
    """
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > FILM_BYTES:
                raise ValueError("it is larger than a film can be")
        with np.load(path, allow_pickle=False) as arrays:
            film = Film(**{name: arrays[name] for name in arrays.files})
        if film.rows.size and not 0 <= film.rows.min() <= film.rows.max() < n_items:
            raise ValueError(f"it shows pictures that are not among the run's {n_items}")
        if film.probabilities.shape[2] != n_classes or not len(film) or not len(film.rows):
            raise ValueError(f"its arrays have shapes {film.probabilities.shape}")
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise EmbedlabError(
            f"The film {path} cannot be shown: {error}.",
            remedy="Copy the run again from where it came, or delete the file.",
        ) from None
    return film


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
