"""A page that watches a job and shows the queue, for tests."""

import streamlit as st

from embedlab.ui.job_panel import chosen_job, job_panel
from embedlab.ui.job_queue import queue_panel

st.session_state["page runs"] = st.session_state.get("page runs", 0) + 1


def curves(status):
    """Say how many readings there are."""
    st.caption(f"{len(status.history())} readings")


job = chosen_job()
if job is not None:
    status = job_panel(job.id, curves=curves)
    st.write(f"The page knows: {status.state if status else 'nothing'}")
st.subheader("Queue")
queue_panel()
