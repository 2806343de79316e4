"""What can be read off vectors by a simple model, scored on pictures that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors
from embedlab.space.neighbours import NeighbourIndex
from embedlab.space.scores import Interval, Share, accuracy
from embedlab.space.views import rows_to_fit

LONG = 2048  # longer vectors are turned into their first COMPONENTS principal components
COMPONENTS = 512
PENALTIES = (1.0, 10.0, 100.0, 1e3, 1e4)
RESAMPLES = 500


def knn_vote(labels: ArrayLike, knn_rows: ArrayLike) -> NDArray[np.int64]:
    """Let neighbours vote on the class.

    Parameters
    ----------
    labels : array_like of shape (n,), int
        Classes of the pictures that `knn_rows` names.
    knn_rows : array_like of shape (m, k), int
        Nearest first; -1 for none.

    Returns
    -------
    ndarray of shape (m,), int64
        The class with most votes; among equals, the one whose nearest voter is nearest. -1
        where there are no neighbours.
    """
    rows = np.asarray(knn_rows)
    m, k = rows.shape
    if k == 0:
        return np.full(m, -1, np.int64)
    votes = np.where(rows >= 0, np.asarray(labels, np.int64)[rows], -1)
    agreeing = (votes[:, :, None] == votes[:, None, :]).sum(axis=2)
    # argmax takes the first of equals, and the neighbours come nearest first.
    return np.asarray(votes[np.arange(m), agreeing.argmax(axis=1)])


def knn_accuracy(
    train_vectors: ArrayLike,
    train_labels: ArrayLike,
    vectors: ArrayLike,
    labels: ArrayLike,
    *,
    k: int = 10,
    metric: str = "cosine",
) -> Share:
    """Classify pictures by their nearest training pictures and count what is right.

    Parameters
    ----------
    train_vectors : array_like of shape (n, d)
    train_labels : array_like of shape (n,), int
    vectors : array_like of shape (m, d)
        Those that cannot be ranked are left out of the count.
    labels : array_like of shape (m,), int
    k : int
        How many neighbours vote; see `knn_vote`.
    metric : str
        A key of `embedlab.space.similarity.METRICS`.
    """
    near = NeighbourIndex.of(train_vectors, metric).nearest_of_each(vectors, k)
    guesses = knn_vote(train_labels, near.rows)
    there = guesses >= 0
    return accuracy(np.asarray(labels)[there], guesses[there])


def linear_probe(
    train_vectors: ArrayLike, train_labels: ArrayLike, vectors: ArrayLike, labels: ArrayLike
) -> Share:
    """Fit a linear classifier to some pictures' vectors and count what is right on others.

    scikit-learn's logistic regression (C = 0.1) on standardised dimensions; of vectors longer
    than 2,048, on the first 512 principal components of those. G. Alain, Y. Bengio,
    "Understanding intermediate layers using linear classifier probes" (2016), arXiv:1610.01644.

    Parameters
    ----------
    train_vectors : array_like of shape (n, d)
        Rows that are not finite are left out, here and below.
    train_labels : array_like of shape (n,), int
        With one class only, that class is the answer to everything.
    vectors : array_like of shape (m, d)
    labels : array_like of shape (m,), int
    """
    train, unseen = _vectors.as_matrix(train_vectors), _vectors.as_matrix(vectors)
    fitted, scored = rows_to_fit(train, None), rows_to_fit(unseen, None)
    guesses = classify_linearly(train[fitted], np.asarray(train_labels)[fitted], unseen[scored])
    return accuracy(np.asarray(labels)[scored], guesses)


@dataclass(frozen=True)
class ReadOff:
    """How well one known property of the pictures is read off their vectors.

    Parameters
    ----------
    kind : "category" or "number"
    score : float
        Category: accuracy. Number: R², the share of the variance that is explained, which is
        below 0 for guesses worse than the mean.
    interval : Interval
        Of the score, 95 %: Wilson's, or percentiles over 500 resamples of the held-out rows.
    baseline : float
        What needs no vectors: the most frequent category's share, or 0.
    n_held_out : int
        On how many pictures it was scored.
    """

    kind: Literal["category", "number"]
    score: float
    interval: Interval
    baseline: float
    n_held_out: int


def read_off(
    vectors: ArrayLike, values: ArrayLike, *, rows: ArrayLike, held_out: ArrayLike
) -> ReadOff:
    """Read a known property off vectors with a linear model, and score it on unseen pictures.

    Strings and booleans are categories (logistic regression as in `linear_probe`), everything
    else numbers (ridge regression, its penalty chosen by 3-fold cross-validation on `rows`).
    An angle should be given as its sine and its cosine.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
    values : array_like of shape (n,)
        Pictures whose value is missing (None, NaN) are left out.
    rows, held_out : array_like of int, or of shape (n,) and bool
        The pictures to fit on, and those to score.

    Raises
    ------
    EmbedlabError
        If too few pictures have a value, or all held-out numbers are equal.
    """
    import pandas as pd

    matrix, column = _vectors.as_matrix(vectors), np.asarray(values)
    known = ~pd.isna(column)
    fitted, scored = rows_to_fit(matrix, rows), rows_to_fit(matrix, held_out)
    fitted, scored = fitted[known[fitted]], scored[known[scored]]
    if len(fitted) < 2 or not len(scored):
        raise EmbedlabError(
            f"Too few pictures have this value: {len(fitted)} to fit on, {len(scored)} to score.",
            remedy="Choose another column, or a run with more pictures.",
        )
    if column.dtype.kind in "biufc" and column.dtype.kind != "b":
        return _read_number(matrix, column.astype(np.float64), fitted, scored)
    names = column.astype(str)
    guesses = classify_linearly(matrix[fitted], names[fitted], matrix[scored])
    right = accuracy(names[scored], guesses)
    found, counts = np.unique(names[fitted], return_counts=True)
    usual = found[counts.argmax()]
    baseline = float((names[scored] == usual).mean())
    return ReadOff("category", right.value, right.interval, baseline, right.total)


def classify_linearly(
    train: NDArray[np.float32], classes: NDArray[Any], unseen: NDArray[np.float32]
) -> NDArray[Any]:
    """Guess classes as `linear_probe` does: finite rows (n, d), n classes, (m, d); m guesses."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    if not len(train):
        raise EmbedlabError(
            "There is no picture with a finite vector to fit on.",
            remedy="Embed the pictures again, or choose another split.",
        )
    if not len(unseen) or len(np.unique(classes)) == 1:
        return np.repeat(classes[:1], len(unseen))
    model = make_pipeline(*_standardised(train), LogisticRegression(C=0.1, max_iter=1000, tol=1e-3))
    return np.asarray(model.fit(train, classes).predict(unseen))


def _read_number(
    matrix: NDArray[np.float32],
    values: NDArray[np.float64],
    fitted: NDArray[np.int64],
    scored: NDArray[np.int64],
) -> ReadOff:
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV, KFold
    from sklearn.pipeline import make_pipeline

    truth = values[scored]
    if len(scored) < 2 or truth.std() <= 1e-12 * np.abs(truth).max(initial=1):
        raise EmbedlabError(
            f"All {len(scored)} held-out pictures have the same value: there is nothing to "
            "explain.",
            remedy="Choose another column.",
        )
    centre, unit = values[fitted].mean(), values[fitted].std() or 1.0
    model = make_pipeline(*_standardised(matrix[fitted]), Ridge())
    if len(fitted) >= 6:
        folds = KFold(3, shuffle=True, random_state=0)
        error = "neg_mean_squared_error"
        penalties = {"ridge__alpha": PENALTIES}
        model = GridSearchCV(model, penalties, cv=folds, scoring=error)
    guesses = model.fit(matrix[fitted], (values[fitted] - centre) / unit).predict(matrix[scored])
    score, interval = explained(truth, centre + guesses * unit)
    return ReadOff("number", score, interval, 0.0, len(scored))


def explained(truth: ArrayLike, guesses: ArrayLike) -> tuple[float, Interval]:
    """Measure the share of the variance that guesses explain: R².

    Parameters
    ----------
    truth, guesses : array_like of shape (m,)
        Of held-out pictures. The truth is not constant.

    Returns
    -------
    score : float
        Below 0 for guesses worse than the mean.
    interval : Interval
        The middle 95 % of 500 resamples of the pictures.
    """
    values = np.asarray(truth, np.float64)
    missed = (values - np.asarray(guesses, np.float64)) ** 2
    score = 1 - missed.sum() / ((values - values.mean()) ** 2).sum()
    drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    spread = values[drawn].var(axis=1) * len(values)
    told = spread > 1e-12 * spread.max()
    scores = 1 - missed[drawn].sum(axis=1)[told] / spread[told]
    low, high = np.percentile(scores, [2.5, 97.5])
    return float(score), Interval(float(low), float(high))


def _standardised(train: NDArray[np.float32]) -> list[Any]:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    n, d = train.shape
    steps: list[Any] = [StandardScaler()]
    if d > LONG:
        # Penalised linear models do not feel the rotation; only the last components are lost.
        # Two thirds, because that is what three-fold cross-validation fits on.
        steps.append(PCA(min(COMPONENTS, d, 2 * n // 3), random_state=0))
    return steps
