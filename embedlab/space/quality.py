"""What is wrong with the labels: confident errors, and labels that are probably wrong."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.progress import Progress, silent
from embedlab.space import vectors as _vectors

STRENGTHS = (0.1, 0.01, 0.001)


@dataclass(frozen=True, eq=False)
class Errors:
    """Pictures that were taken for another class, the most confident mistake first.

    Parameters
    ----------
    rows : ndarray of shape (m,), int64
    predictions : ndarray of shape (m,), int64
        What each was taken for.
    confidences : ndarray of shape (m,), float64
        The probability of that.
    """

    rows: NDArray[np.int64]
    predictions: NDArray[np.int64]
    confidences: NDArray[np.float64]


def most_confident_errors(labels: ArrayLike, probabilities: ArrayLike) -> Errors:
    """Find the pictures whose most probable class is not theirs.

    Parameters
    ----------
    labels : array_like of shape (n,), int
    probabilities : array_like of shape (n, c)
        Pictures with NaN among theirs are left out.
    """
    shares = np.asarray(probabilities, np.float64)
    known = ~np.isnan(shares).any(axis=1)
    predictions = np.where(known, np.nan_to_num(shares).argmax(axis=1), -1)
    wrong = np.flatnonzero(known & (predictions != np.asarray(labels)))
    confidences = shares[wrong, predictions[wrong]]
    order = np.lexsort((wrong, -confidences))
    return Errors(wrong[order], predictions[wrong[order]], confidences[order])


def out_of_sample_probabilities(
    vectors: ArrayLike,
    labels: ArrayLike,
    n_classes: int,
    *,
    folds: int = 5,
    seed: int = 0,
    progress: Progress = silent,
) -> NDArray[np.float64]:
    """Ask for each picture a classifier that has not seen it.

    scikit-learn's logistic regression on standardised vectors, fitted on all but one of the
    folds and asked about that one, in turn. Of three strengths of its penalty, the one whose
    answers have the lowest log loss is kept, so that probabilities are neither too sure nor
    too shy.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
    labels : array_like of shape (n,), int in 0..n_classes - 1
    n_classes : int
    folds : int
        At least 2; clamped to the size of the largest class.
    seed : int
        Of the dealing into folds.
    progress : Progress

    Returns
    -------
    ndarray of shape (n, n_classes), float64
        NaN for pictures that nothing can be said about: those whose vector is not finite, and
        those that are the only one of their class.

    Raises
    ------
    EmbedlabError
        If fewer than two classes have two pictures.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    matrix, classes = _vectors.as_matrix(vectors), np.asarray(labels, np.int64)
    good = _vectors.usable(matrix)
    counts = np.bincount(classes[good], minlength=n_classes)
    rows = np.flatnonzero(good & (counts[classes] > 1))
    if (counts > 1).sum() < 2:
        raise EmbedlabError(
            "Labels can be doubted only where at least two classes have two pictures each; here "
            f"{(counts > 1).sum() or 'no'} class{'' if (counts > 1).sum() == 1 else 'es'} "
            f"{'has' if (counts > 1).sum() == 1 else 'have'}.",
            remedy="Add pictures to the small classes.",
        )
    parts = StratifiedKFold(min(max(folds, 2), int(counts.max())), shuffle=True, random_state=seed)
    shares = np.full((len(matrix), n_classes), np.nan)
    with warnings.catch_warnings():
        # A class smaller than the number of folds is missing from some of them, as it must be.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        dealt = list(parts.split(rows, classes[rows]))
    best, least = shares, np.inf
    for step, strength in enumerate(STRENGTHS):
        progress("asking about unseen pictures", step, len(STRENGTHS))
        tried = np.full_like(shares, np.nan)
        for seen, unseen in dealt:
            model = make_pipeline(
                StandardScaler(), LogisticRegression(C=strength, max_iter=1000, tol=1e-3)
            ).fit(matrix[rows[seen]], classes[rows[seen]])
            answers = np.zeros((len(unseen), n_classes))
            answers[:, model.classes_] = model.predict_proba(matrix[rows[unseen]])
            tried[rows[unseen]] = answers / answers.sum(axis=1, keepdims=True)
        loss = -float(np.log(np.maximum(tried[rows, classes[rows]], 1e-12)).mean())
        if loss < least:
            best, least = tried, loss
    progress("asking about unseen pictures", len(STRENGTHS), len(STRENGTHS))
    return best


@dataclass(frozen=True, eq=False)
class LabelIssues:
    """Pictures whose label is probably wrong, the most doubtful first.

    Parameters
    ----------
    rows : ndarray of shape (m,), int64
    suggestions : ndarray of shape (m,), int64
        The class that fits better.
    confidences : ndarray of shape (m,), float64
        Probability of the given label, low for all of these.
    note : str
        Why there are none, where none could be looked for.
    """

    rows: NDArray[np.int64]
    suggestions: NDArray[np.int64]
    confidences: NDArray[np.float64]
    note: str = ""


def label_issues(labels: ArrayLike, probabilities: ArrayLike) -> LabelIssues:
    """Find labels that are probably wrong, with the package cleanlab.

    Confident learning: C. Northcutt, L. Jiang, I. Chuang, "Confident learning: estimating
    uncertainty in dataset labels", Journal of Artificial Intelligence Research 70 (2021),
    1373-1411.

    Parameters
    ----------
    labels : array_like of shape (n,), int
    probabilities : array_like of shape (n, c)
        From classifiers that have not seen the picture: `out_of_sample_probabilities`.
        Pictures with NaN among theirs are left out.
    """
    classes, shares = np.asarray(labels, np.int64), np.asarray(probabilities, np.float64)
    known = np.flatnonzero(~np.isnan(shares).any(axis=1))
    there, given = np.unique(classes[known], return_inverse=True)
    nothing = np.empty(0, np.int64)
    if len(there) < 2:
        note = "Labels can be doubted only where pictures of two classes have probabilities."
        return LabelIssues(nothing, nothing, np.empty(0), note)
    from cleanlab.filter import find_label_issues

    asked = np.maximum(shares[np.ix_(known, there)], 1e-12)
    asked /= asked.sum(axis=1, keepdims=True)
    found = find_label_issues(given, asked, return_indices_ranked_by="self_confidence", n_jobs=1)
    found = np.asarray(found, np.int64)
    suggestions = asked[found].argmax(axis=1)
    doubted = suggestions != given[found]  # cleanlab may also name pictures that it is unsure of
    found, suggestions = found[doubted], suggestions[doubted]
    return LabelIssues(known[found], there[suggestions], asked[found, given[found]])
