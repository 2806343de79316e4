"""Maps before pooling: which channels a picture excites, and where a class's score comes from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def strongest_channels(feature_map: ArrayLike, k: int) -> NDArray[np.int64]:
    """Give the channels with the highest mean over the map, the highest first.

    Parameters
    ----------
    feature_map : array_like of shape (c, h, w)
    k : int
        Clamped to c.

    Returns
    -------
    ndarray of shape (k,), int64

    Examples
    --------
    >>> strongest_channels([[[0, 0]], [[1, 3]], [[1, 1]]], 2).tolist()
    [1, 2]
    """
    means = np.asarray(feature_map, np.float64).mean(axis=(1, 2))
    return np.argsort(-means, kind="stable")[:k].astype(np.int64)


def class_map(feature_map: ArrayLike, prototype: ArrayLike) -> NDArray[np.float64]:
    """Say how much each place of the map adds to a class's score.

    B. Zhou et al., "Learning deep features for discriminative localization" (2016). Where the
    embedding is the map's average over its places, the mean of the result plus the bias is the
    logit exactly, for averaging and the dot product are both linear.

    Parameters
    ----------
    feature_map : array_like of shape (c, h, w)
    prototype : array_like of shape (c,)
        The head's row of that class.

    Returns
    -------
    ndarray of shape (h, w), float64

    Examples
    --------
    >>> class_map([[[1.0, 0.0]], [[0.0, 2.0]]], [3.0, -1.0]).tolist()
    [[3.0, -2.0]]
    """
    scores: NDArray[np.float64] = np.einsum(
        "chw,c->hw", np.asarray(feature_map, np.float64), np.asarray(prototype, np.float64)
    )
    return scores


def is_average(feature_map: ArrayLike, embedding: ArrayLike, *, tolerance: float = 1e-4) -> bool:
    """Say whether an embedding is its map's average over all places.

    Parameters
    ----------
    feature_map : array_like of shape (c, h, w)
    embedding : array_like of shape (d,)
    tolerance : float
        Of the greatest difference, as a share of the greatest entry.

    Returns
    -------
    bool
    """
    means = np.asarray(feature_map, np.float64).mean(axis=(1, 2))
    vector = np.asarray(embedding, np.float64)
    if means.shape != vector.shape:
        return False
    return bool(np.abs(means - vector).max() <= tolerance * max(np.abs(vector).max(), 1e-12))
