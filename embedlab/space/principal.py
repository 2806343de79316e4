"""PCA: the directions in which vectors vary most."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from embedlab.errors import EmbedlabError
from embedlab.space import vectors as _vectors
from embedlab.space.views import (
    LinearView,
    padded,
    placed,
    rows_to_fit,
    unplaced,
    with_fixed_signs,
)


def pca(vectors: ArrayLike, n_components: int = 6, *, rows: ArrayLike | None = None) -> LinearView:
    """Draw the directions in which the vectors vary most.

    scikit-learn's PCA on the raw vectors, as the head takes their raw dot products.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
    n_components : int
        How many axes; 1-2, 3-4 and 5-6 make three drawings. Axes beyond what the pictures span
        are flat (zeros, explaining 0), and the note says so.
    rows : array_like of int, or of shape (n,) and bool, optional
        The rows to fit on; all by default. All are placed.

    Returns
    -------
    LinearView
        Orthonormal axes, the strongest first; in each, the entry of largest magnitude is
        positive.

    Raises
    ------
    EmbedlabError
        If no row is finite.
    """
    matrix = _vectors.as_matrix(vectors)
    fitted = rows_to_fit(matrix, rows)
    axes, origin, explained = principal(matrix[fitted], n_components)
    flat = int((explained == 0).sum())
    note = ""
    if flat:
        pictures = f"These {len(fitted)} pictures span" if len(fitted) > 1 else "One picture spans"
        note = f"{pictures} {n_components - flat} dimensions; the last {flat} drawn here are flat."
    return LinearView(
        name="pca",
        coordinates=placed(matrix, axes, origin),
        unplaced=unplaced(matrix),
        axes=axes,
        origin=origin,
        explained=explained,
        fitted_rows=fitted,
        note=note,
    )


def principal(
    points: NDArray[np.float32] | NDArray[np.float64], n_components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Fit PCA: axes (d, k), origin (d,), explained (k,), with zeros where there is no variance."""
    from sklearn.decomposition import PCA

    n, d = points.shape
    if n == 0:
        raise EmbedlabError(
            "There is no picture with a finite vector to fit axes on.",
            remedy="Choose other rows, or embed the pictures again.",
        )
    origin = points.mean(axis=0, dtype=np.float64)
    centred = points - origin.astype(points.dtype)
    rank = min(n - 1, d, n_components)
    # Below this, what differs from the mean is float32's rounding of the vectors.
    if rank < 1 or np.abs(centred).max() <= 1e-6 * np.abs(origin).max():
        return np.zeros((d, n_components)), origin, np.zeros(n_components)
    model = PCA(rank, random_state=0, copy=False).fit(centred)
    components = np.asarray(model.components_, np.float64)
    explained = np.asarray(model.explained_variance_ratio_, np.float64)
    kept = explained > 1e-10
    axes = with_fixed_signs(np.where(kept[:, None], components, 0).T)
    return padded(axes, n_components), origin, padded(np.where(kept, explained, 0), n_components)
