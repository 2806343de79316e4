"""What comparing runs computes once for all sessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.pairing import Pairing, pair
from embedlab.runs import EMBEDDING, Run
from embedlab.space.compare import Disagreements, disagreements
from embedlab.space.heads import HeadContest, compare_heads
from embedlab.space.neighbours import knn
from embedlab.space.projections import Alignment, align
from embedlab.space.scores import Precision, precision_at_k
from embedlab.ui import cache

MOST = 4000  # shared pictures whose neighbours are compared; more are drawn by lot


@st.cache_resource(max_entries=16, show_spinner="Finding the pictures that both runs have …")
def _paired(first: str, second: str, _runs: tuple[Run, Run]) -> Pairing:
    return pair(*_runs)


def paired(first: Run, second: Run) -> Pairing:
    """Find the pictures that two runs share."""
    return _paired(first.fingerprint, second.fingerprint, (first, second))


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """The neighbours of shared pictures in both runs, among the shared pictures.

    Parameters
    ----------
    pairing : Pairing of m pictures
        Whose neighbours were looked for.
    agreement : Disagreements
        By place in `pairing`.
    precisions : tuple of 2 Precisions, or None
        How often a neighbour has the class, in each run; None without classes.
    """

    pairing: Pairing
    agreement: Disagreements
    precisions: tuple[Precision, Precision] | None


@st.cache_resource(max_entries=8, show_spinner="Comparing everybody's neighbours …")
def _neighbourhoods(
    first: str, second: str, metric: str, k: int, token: str, _runs: tuple[Run, Run], _of: Pairing
) -> Neighbourhoods:
    if len(_of) > MOST:
        drawn = np.random.default_rng(0).choice(len(_of), MOST, replace=False)
        _of = _of.take(np.sort(drawn))
    rows = (_of.first, _of.second)
    lists = [
        knn(np.asarray(run.vectors(EMBEDDING)[own]), k, metric).rows
        for run, own in zip(_runs, rows, strict=True)
    ]
    precisions = None
    if all(run.labels is not None for run in _runs):
        one, two = (
            precision_at_k(run.labels[own], near)  # type: ignore[index]
            for run, own, near in zip(_runs, rows, lists, strict=True)
        )
        precisions = (one, two)
    return Neighbourhoods(_of, disagreements(*lists), precisions)


def neighbourhoods(
    first: Run, second: Run, pairing: Pairing, *, metric: str, k: int
) -> Neighbourhoods:
    """Compare the k nearest neighbours of shared pictures, each among the shared ones."""
    token = f"{len(pairing)} {pairing.first.sum()} {pairing.second.sum()}"
    return _neighbourhoods(
        first.fingerprint, second.fingerprint, metric, k, token, (first, second), pairing
    )


def laid_over(
    first: Run, second: Run, pairing: Pairing, own: NDArray[np.float32], other: NDArray[np.float32]
) -> Alignment:
    """Turn the second run's drawing over the first one's, row by row of the first run.

    Parameters
    ----------
    first, second : Run
    pairing : Pairing
        All pictures that they share.
    own, other : ndarray of shape (n_items, 2), float32
        The drawings.

    Returns
    -------
    Alignment
        `coordinates` has a row for each picture of the first run, NaN for those that the second
        does not have.
    """
    moving = np.full((first.n_items, other.shape[1]), np.nan, np.float32)
    moving[pairing.first] = other[pairing.second]
    return align(own, moving)


@st.cache_resource(max_entries=8, show_spinner="Fitting other heads …")
def _heads(fingerprint: str, name: str, _run: Run) -> HeadContest:
    assert _run.labels is not None
    return compare_heads(
        _run.vectors(name),
        _run.labels,
        rows=cache.part_rows(_run, "train"),
        held_out=cache.part_rows(_run, "validation"),
    )


def other_heads(run: Run, name: str = EMBEDDING) -> HeadContest:
    """Fit other heads to a run's vectors; the run has labels."""
    return _heads(run.fingerprint, name, run)
