"""Out-of-sample probabilities of a run: kept, computed on the spot, or by a job."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.jobs import start
from embedlab.runs import Run
from embedlab.ui.access import may_start_jobs
from embedlab.ui.job_panel import job_panel
from embedlab.views import kept_doubts, make_doubts

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
    if not may_start_jobs():
        st.info("This server does not compute; it shows what runs keep.", icon=":material/info:")
        return None
    if st.button("Look for doubtful labels", icon=":material/play_arrow:"):
        job = start(["check", run.id], title=f"Doubtful labels of {run.title}")
        st.session_state["doubts-job"] = job.id
    if (job_id := st.session_state.get("doubts-job")) is not None:
        job_panel(job_id)
    return None
