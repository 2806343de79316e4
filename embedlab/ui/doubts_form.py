"""Out-of-sample probabilities of a run: kept, computed on the spot, or by a job."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.checks import kept_doubts, make_doubts
from embedlab.runs import Run
from embedlab.ui.job_button import job_button

QUICK = 200_000  # numbers in the embedding matrix that are fitted within a second or two


@st.cache_resource(max_entries=8, show_spinner="Asking classifiers about unseen pictures …")
def _now(fingerprint: str, _run: Run) -> NDArray[np.float64]:
    return make_doubts(_run)


def doubts(run: Run) -> NDArray[np.float64] | None:
    """Give the probabilities, or show how to get them and give None.

    Raises
    ------
    EmbedlabError
        If no label of this run can be doubted.
    """
    kept = kept_doubts(run)
    if kept is not None:
        return kept
    if run.embeddings.size <= QUICK:
        return _now(run.fingerprint, run)
    job_button(
        "Look for doubtful labels",
        ["check", run.id, "--only", "labels"],
        run=run,
        title=f"Doubtful labels of {run.title}",
    )
    return None
