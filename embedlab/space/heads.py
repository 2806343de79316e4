"""HEADS: ways to name a class from an embedding, to see how much of the accuracy is the head's."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.space import vectors as _vectors
from embedlab.space.neighbours import NeighbourIndex
from embedlab.space.principal import principal
from embedlab.space.probes import classify_linearly, knn_vote
from embedlab.space.scores import Share, accuracy
from embedlab.space.views import placed, rows_to_fit

NEIGHBOURS = 10
MOST = 10_000  # pictures to fit on, and to score: more cost seconds and change little
LDA_DIMS, LDA_COMPONENTS = 2048, 512
Guess = Callable[[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]], NDArray[np.int64]]


@dataclass(frozen=True)
class HeadKind:
    """A way to name a class.

    Parameters
    ----------
    title : str
    explanation : str
        What it does, in a sentence.
    guess : callable
        Takes training vectors (n, d) with classes (n,) and unseen vectors (m, d), all finite;
        gives classes (m,), -1 where it knows none.
    """

    title: str
    explanation: str
    guess: Guess


@dataclass(frozen=True, eq=False)
class HeadScore:
    """How one head did.

    Parameters
    ----------
    name : str
        A key of `HEADS`.
    guesses : ndarray of shape (m,), int64
        Of the scored rows.
    share : Share
        How many of them are right.
    seconds : float
        What fitting and guessing took.
    """

    name: str
    guesses: NDArray[np.int64]
    share: Share
    seconds: float


@dataclass(frozen=True, eq=False)
class HeadContest:
    """Several heads on the same vectors.

    Parameters
    ----------
    fitted, scored : ndarrays, int64
        The rows that every head was fitted on, and those that it was scored on.
    scores : tuple of HeadScore
        In the order asked for.
    """

    fitted: NDArray[np.int64]
    scored: NDArray[np.int64]
    scores: tuple[HeadScore, ...]


def compare_heads(
    vectors: ArrayLike,
    labels: ArrayLike,
    *,
    rows: ArrayLike,
    held_out: ArrayLike,
    names: Sequence[str] | None = None,
    seed: int = 0,
) -> HeadContest:
    """Fit several heads to the same embeddings and score them on pictures they have not seen.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        Rows that are not finite are left out.
    labels : array_like of shape (n,), int
    rows, held_out : array_like of int, or of shape (n,) and bool
        The pictures to fit on, and those to score. Of more than 10,000, so many are drawn.
    names : sequence of str, optional
        Keys of `HEADS`; all by default.
    seed : int
        Of the draw.

    Returns
    -------
    HeadContest
        Without scores where there is nothing to fit on or to score.
    """
    matrix, classes = _vectors.as_matrix(vectors), np.asarray(labels, np.int64)
    fitted = _drawn(rows_to_fit(matrix, rows), seed)
    scored = _drawn(rows_to_fit(matrix, held_out), seed)
    if not len(fitted) or not len(scored):
        return HeadContest(fitted, scored, ())
    train, unseen = matrix[fitted], matrix[scored]
    scores = []
    for name in names or HEADS:
        started = time.perf_counter()
        guesses = HEADS[name].guess(train, classes[fitted], unseen)
        seconds = time.perf_counter() - started
        scores.append(HeadScore(name, guesses, accuracy(classes[scored], guesses), seconds))
    return HeadContest(fitted, scored, tuple(scores))


def _drawn(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    if len(rows) <= MOST:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MOST, replace=False))


def _by_mean(
    train: NDArray[np.float32], classes: NDArray[np.int64], unseen: NDArray[np.float32]
) -> NDArray[np.int64]:
    known = np.unique(classes)
    means = np.stack([train[classes == k].mean(axis=0, dtype=np.float64) for k in known])
    # |x - m|^2 without |x|^2, which is the same for every class.
    distances = (means**2).sum(axis=1) - 2 * (unseen.astype(np.float64) @ means.T)
    return np.asarray(known[distances.argmin(axis=1)])


def _by_neighbours(
    train: NDArray[np.float32], classes: NDArray[np.int64], unseen: NDArray[np.float32]
) -> NDArray[np.int64]:
    near = NeighbourIndex.of(train, "cosine").nearest_of_each(unseen, NEIGHBOURS)
    return knn_vote(classes, near.rows)


def _by_regression(
    train: NDArray[np.float32], classes: NDArray[np.int64], unseen: NDArray[np.float32]
) -> NDArray[np.int64]:
    return np.asarray(classify_linearly(train, classes, unseen), np.int64)


def _by_discriminant(
    train: NDArray[np.float32], classes: NDArray[np.int64], unseen: NDArray[np.float32]
) -> NDArray[np.int64]:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    known, inverse, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if len(known) == 1:
        return np.repeat(known, len(unseen))
    means = np.stack([train[classes == k].mean(axis=0) for k in known])
    spread = np.abs(train - means[inverse]).max()
    if counts.min() < 2 or spread <= 1e-6 * np.abs(train).max():
        return _by_mean(train, classes, unseen)  # no spread within the classes to measure by
    if train.shape[1] > LDA_DIMS:
        axes, origin, _ = principal(train, min(LDA_COMPONENTS, len(train) - 1))
        train, unseen = placed(train, axes, origin), placed(unseen, axes, origin)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    return np.asarray(model.fit(train, classes).predict(unseen), np.int64)


HEADS: Mapping[str, HeadKind] = {
    "means": HeadKind(
        "Class means", "The class whose mean embedding is nearest. Nothing is fitted.", _by_mean
    ),
    "neighbours": HeadKind(
        f"{NEIGHBOURS} nearest neighbours",
        "The training pictures that are nearest by cosine vote.",
        _by_neighbours,
    ),
    "regression": HeadKind(
        "Logistic regression",
        "A linear head like the trained one, fitted to the end by scikit-learn.",
        _by_regression,
    ),
    "discriminant": HeadKind(
        "LDA",
        "Class means, with distances measured by the spread within the classes (Ledoit and Wolf's "
        "estimate). With a class of one picture there is none: then as the class means.",
        _by_discriminant,
    ),
}
