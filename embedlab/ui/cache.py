"""What pages compute once and share: opened runs and indexes, keyed by content."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.runs import Run, list_runs
from embedlab.space.neighbours import NeighbourIndex, knn


@st.cache_resource(max_entries=64, show_spinner=False)
def _opened(folder: str, fingerprint: str, _run: Run) -> Run:
    return _run


def runs() -> dict[str, Run]:
    """Give the runs there are, by id, each opened once for all sessions."""
    return {run.id: _opened(str(run.folder), run.fingerprint, run) for run in list_runs()}


@st.cache_resource(max_entries=16, show_spinner="Preparing the vectors …")
def _index(fingerprint: str, name: str, metric: str, _run: Run) -> NeighbourIndex:
    return NeighbourIndex.of(_run.vectors(name), metric)


def index(run: Run, name: str, metric: str) -> NeighbourIndex:
    """Give the prepared index of one set of vectors under one metric."""
    return _index(run.fingerprint, name, metric, run)


@st.cache_resource(max_entries=32, show_spinner="Finding everybody's neighbours …")
def _neighbours(
    fingerprint: str, name: str, metric: str, k: int, part: str, _run: Run
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    rows = part_rows(_run, part)
    near = knn(np.asarray(_run.vectors(name)[rows]), k, metric)
    return rows, near


def neighbours(
    run: Run, name: str, metric: str, k: int, part: str
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Find the k nearest neighbours of every picture of one part within that part.

    Returns
    -------
    rows : ndarray of shape (m,), int64
        The rows of that part.
    near : ndarray of shape (m, k), int64
        Positions within `rows`, nearest first.
    """
    return _neighbours(run.fingerprint, name, metric, k, part, run)


def part_rows(run: Run, part: str) -> NDArray[np.int64]:
    """Give the rows of one part: "validation", "train" or "all"."""
    if part == "all":
        return np.arange(run.n_items)
    return np.flatnonzero(run.split == part)
