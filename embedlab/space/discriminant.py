"""LDA: the directions that part the classes best, and a control that shows when it over-fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors
from embedlab.space.principal import principal
from embedlab.space.scores import Share, accuracy
from embedlab.space.views import (
    LinearView,
    padded,
    placed,
    rows_to_fit,
    unplaced,
    with_fixed_signs,
)

LDA_DIMS = 2048  # LDA's time grows with the cube of its dimensions: longer vectors are turned
LDA_COMPONENTS = 512  # into their first principal components
LDA_ROWS = 10_000

# A fitted model, the orthonormal basis (d, r) it was fitted in if any, and the origin.
_Solution = tuple[Any, NDArray[np.float64] | None, NDArray[np.float64]]


def lda(
    vectors: ArrayLike,
    labels: ArrayLike,
    *,
    rows: ArrayLike | None = None,
    n_components: int = 2,
    shrinkage: str | None = "auto",
    shuffle_seed: int | None = None,
) -> LinearView:
    """Draw the directions that part the classes best, measured by the spread within them.

    scikit-learn's LinearDiscriminantAnalysis. Vectors longer than 2,048 are first turned into
    their first 512 principal components; the axes given are for the raw vectors all the same.
    Of more than 10,000 rows, so many are drawn to fit on.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
    labels : array_like of shape (n,), int
    rows : array_like of int, or of shape (n,) and bool, optional
        The rows to fit on; all by default. All are placed. Points that were fitted on look
        better parted than they are: draw others.
    n_components : int
        How many axes.
    shrinkage : "auto" or None
        "auto" is Ledoit and Wolf's estimate, which keeps many dimensions and few pictures from
        being over-fitted. None fits the sample's covariance as it is.
    shuffle_seed : int, optional
        Shuffle the labels of the fitted rows first: a control in which no class can be parted,
        except by over-fitting.

    Returns
    -------
    LinearView
        Axes of unit spread within the classes, not orthonormal; in each, the entry of largest
        magnitude is positive. C classes have C - 1 axes. Further ones, such as the second of two
        classes, are the first principal components of what the others leave, at the same
        scale and explaining 0; the note says so.

    Raises
    ------
    EmbedlabError
        If fewer than two classes are among the rows, or no class has two pictures.
    """
    matrix = _vectors.as_matrix(vectors)
    fitted, classes = _training(matrix, labels, rows, shuffle_seed)
    solution = _fit_lda(matrix[fitted], classes, shrinkage)
    return _view(matrix, fitted, classes, solution, n_components)


def _view(
    matrix: NDArray[np.float32],
    fitted: NDArray[np.int64],
    classes: NDArray[np.int64],
    solution: _Solution,
    n_components: int,
) -> LinearView:
    """Draw a solution's axes, and as many principal ones of what they leave as are missing."""
    model, basis, origin = solution
    found = min(n_components, len(model.classes_) - 1, model.scalings_.shape[1])
    axes = model.scalings_[:, :found] if basis is None else basis @ model.scalings_[:, :found]
    # scikit-learn's shares sum to more than 1 under shrinkage, where estimates are not consistent.
    ratios = np.maximum(np.asarray(model.explained_variance_ratio_, np.float64), 0)
    explained = ratios[:found] / max(ratios.sum(), 1e-300)
    note = ""
    if found < n_components:
        rest = _rest(matrix[fitted], classes, axes, origin, n_components - found)
        axes = np.hstack([axes, rest])
        drawn = "axis is" if found == n_components - 1 else "axes are"
        note = (
            f"{len(model.classes_)} classes have {found} discriminant "
            f"{'axis' if found == 1 else 'axes'}; the other {drawn} PCA of what "
            f"{'it leaves' if found == 1 else 'they leave'}."
        )
    axes = with_fixed_signs(axes)
    return LinearView(
        name="lda",
        coordinates=placed(matrix, axes, origin),
        unplaced=unplaced(matrix),
        axes=axes,
        origin=origin,
        explained=padded(explained, n_components),
        fitted_rows=fitted,
        note=note,
    )


@dataclass(frozen=True, eq=False)
class ScoredLda:
    """A view by LDA, and how often LDA names the right class.

    Parameters
    ----------
    view : LinearView
    fitted : Share
        On the rows that it was fitted on; where their labels were shuffled, against those.
    held_out : Share
        On other rows, against their true labels.
    """

    view: LinearView
    fitted: Share
    held_out: Share


def scored_lda(
    vectors: ArrayLike,
    labels: ArrayLike,
    *,
    rows: ArrayLike,
    held_out: ArrayLike,
    n_components: int = 2,
    shrinkage: str | None = "auto",
    shuffle_seed: int | None = None,
) -> ScoredLda:
    """Fit LDA once, to draw it and to count right classes on seen and unseen rows.

    Parameters
    ----------
    vectors, labels, n_components, shrinkage, shuffle_seed
        As in `lda`.
    rows, held_out : array_like of int, or of shape (n,) and bool
        The rows to fit on, and the unseen ones.

    Returns
    -------
    ScoredLda

    Raises
    ------
    EmbedlabError
        As in `lda`.
    """
    matrix = _vectors.as_matrix(vectors)
    unseen = rows_to_fit(matrix, held_out)
    fitted, classes = _training(matrix, labels, rows, shuffle_seed)
    solution = model, basis, origin = _fit_lda(matrix[fitted], classes, shrinkage)
    shares = []
    for chosen, expected in ((fitted, classes), (unseen, np.asarray(labels)[unseen])):
        points = _within(matrix[chosen] - origin, basis)
        shares.append(accuracy(expected, model.predict(points) if len(points) else []))
    return ScoredLda(_view(matrix, fitted, classes, solution, n_components), *shares)


@dataclass(frozen=True)
class LdaControl:
    """How often LDA names the right class, with true labels and with shuffled ones.

    Parameters
    ----------
    fitted, held_out : Share
        On the rows that it was fitted on, and on others.
    shuffled_fitted, shuffled_held_out : Share
        The same after the fitted rows' labels were shuffled; scored against the shuffled labels
        on the fitted rows, the true ones on the others. What the first exceeds the second by
        is over-fitting.
    """

    fitted: Share
    held_out: Share
    shuffled_fitted: Share
    shuffled_held_out: Share

    @classmethod
    def of(cls, true: ScoredLda, shuffled: ScoredLda) -> LdaControl:
        """Put what was counted with true labels beside the same with shuffled ones."""
        return cls(true.fitted, true.held_out, shuffled.fitted, shuffled.held_out)


def lda_control(
    vectors: ArrayLike,
    labels: ArrayLike,
    *,
    rows: ArrayLike,
    held_out: ArrayLike,
    shrinkage: str | None = "auto",
    seed: int = 0,
) -> LdaControl:
    """Fit LDA to true and to shuffled labels and count right classes on seen and unseen rows.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
    labels : array_like of shape (n,), int
    rows, held_out : array_like of int, or of shape (n,) and bool
        The rows to fit on, and the unseen ones.
    shrinkage : "auto" or None
        As in `lda`.
    seed : int
        Of the shuffling.
    """
    true, shuffled = (
        scored_lda(
            vectors,
            labels,
            rows=rows,
            held_out=held_out,
            shrinkage=shrinkage,
            shuffle_seed=shuffle_seed,
        )
        for shuffle_seed in (None, seed)
    )
    return LdaControl.of(true, shuffled)


def _training(
    matrix: NDArray[np.float32],
    labels: ArrayLike,
    rows: ArrayLike | None,
    shuffle_seed: int | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose the rows to fit on and their labels: usable, and of classes with two or more."""
    fitted = rows_to_fit(matrix, rows)
    if len(fitted) > LDA_ROWS:
        chosen = np.random.default_rng(0).choice(len(fitted), LDA_ROWS, replace=False)
        fitted = fitted[np.sort(chosen)]
    classes = np.asarray(labels)[fitted]
    if shuffle_seed is not None:
        classes = np.random.default_rng(shuffle_seed).permutation(classes)
    names, counts = np.unique(classes, return_counts=True)
    enough = np.isin(classes, names[counts > 1])
    if len(names[counts > 1]) < 2:
        raise EmbedlabError(
            f"LDA needs two classes of at least two pictures each; among the {len(fitted)} "
            f"pictures to fit on there {'is' if (counts > 1).sum() == 1 else 'are'} "
            f"{(counts > 1).sum() or 'none'}.",
            remedy="Fit it on more pictures, or look at PCA.",
        )
    return fitted[enough], classes[enough]


def _fit_lda(
    points: NDArray[np.float32], classes: NDArray[np.int64], shrinkage: str | None
) -> _Solution:
    """Fit LDA to points of shape (n, d)."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    n, d = points.shape
    origin = points.mean(axis=0, dtype=np.float64)
    centred = points - origin
    basis = None
    if d > LDA_DIMS:
        basis, _, _ = principal(centred, min(LDA_COMPONENTS, n - 1))
        basis = basis[:, basis.any(axis=0)]
    if shrinkage is None:
        model = LinearDiscriminantAnalysis(solver="svd")
    else:
        model = LinearDiscriminantAnalysis(solver="eigen", shrinkage=shrinkage)
    try:
        if np.abs(centred).max() <= 1e-6 * np.abs(origin).max():
            raise np.linalg.LinAlgError("all vectors are equal")
        model.fit(_within(centred, basis), classes)
    except np.linalg.LinAlgError as error:
        raise EmbedlabError(
            f"LDA has no solution on these {n} pictures: {error}.",
            remedy="Fit it on more pictures, or look at PCA.",
        ) from None
    return model, basis, origin


def _within(centred: NDArray[np.float64], basis: NDArray[np.float64] | None) -> NDArray[np.float64]:
    return centred if basis is None else centred @ basis


def _rest(
    points: NDArray[np.float32],
    classes: NDArray[np.int64],
    axes: NDArray[np.float64],
    origin: NDArray[np.float64],
    k: int,
) -> NDArray[np.float64]:
    """Find k principal axes of what given axes leave, of unit spread within the classes."""
    directions, _ = np.linalg.qr(axes)
    centred = points - origin
    others, _, _ = principal(centred - centred @ directions @ directions.T, k)
    drawn = centred @ others
    for label in np.unique(classes):
        drawn[classes == label] -= drawn[classes == label].mean(axis=0)
    spread = drawn.std(axis=0)
    return np.asarray(others / np.where(spread > 0, spread, 1))
