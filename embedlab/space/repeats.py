"""Scores over several splits: their mean, and how far it can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from embedlab.space.scores import Interval


@dataclass(frozen=True)
class Repeated:
    """A score that was measured several times.

    Parameters
    ----------
    scores : tuple of float
        One a split.
    mean : float
    interval : Interval
        Of the mean, 95 %.
    """

    scores: tuple[float, ...]
    mean: float
    interval: Interval


def repeated(scores: ArrayLike, *, held_out: float) -> Repeated:
    """Bound the mean of scores that come from several random splits of the same pictures.

    The splits share most of their training pictures, so their scores are not independent and
    the plain standard error is too small. C. Nadeau, Y. Bengio, "Inference for the
    generalization error", Machine Learning 52 (2003), 239-281: the variance of the mean of J
    scores is taken as ``(1/J + n_test/n_train)`` times the variance between them; the interval is
    Student's with J - 1 degrees of freedom.

    Parameters
    ----------
    scores : array_like of shape (J,)
        Also differences of scores on the same splits.
    held_out : float
        The share of the pictures that each split holds out.

    Returns
    -------
    Repeated
        With one score only, nothing is known of the spread: the interval is infinite.

    Examples
    --------
    >>> r = repeated([0.7, 0.8, 0.75, 0.72, 0.78], held_out=0.2)
    >>> f"{r.mean:.2f} ({r.interval.low:.2f} to {r.interval.high:.2f})"
    '0.75 (0.67 to 0.83)'
    """
    values = np.asarray(scores, np.float64)
    mean = float(values.mean())
    j = len(values)
    if j < 2:
        return Repeated(tuple(values.tolist()), mean, Interval(-math.inf, math.inf))
    from scipy.stats import t

    variance = (1 / j + held_out / (1 - held_out)) * values.var(ddof=1)
    half = float(t.ppf(0.975, j - 1)) * math.sqrt(variance)
    return Repeated(tuple(values.tolist()), mean, Interval(mean - half, mean + half))
