"""The queue on a page: the jobs that run and wait, in their order, and those that ended last."""

from __future__ import annotations

import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.jobs import Job, Status, list_jobs, queue
from embedlab.jobs.words import progress_text
from embedlab.ui.access import may_start_jobs
from embedlab.ui.in_view import called_into_view
from embedlab.ui.job_panel import PARAMETER, action_button, state_words, watch
from embedlab.ui.text import plain

_RECENT = 5


def queue_panel() -> None:
    """Show the jobs that run and wait, in their order, and those that ended last.

    When one has ended, is removed or is to be watched, the whole page is run once more.
    """
    shown = _around()

    @st.fragment(run_every=2.0 if queue() else None)
    def panel() -> None:
        if _around() != shown:
            st.rerun()
        waiting = queue()
        ended = [job for job in list_jobs() if job not in waiting][:_RECENT]
        if not waiting and not ended:
            st.caption("No job has been started on this machine yet.")
        for job in [*waiting, *ended]:
            try:
                _row(job, job.status())
            except EmbedlabError:  # removed in another tab
                continue

    panel()


def _around() -> tuple[object, ...]:
    """Give what the rest of a page may depend on: the watched job, the ended ones, any active."""
    waiting = queue()
    ended = {job.id for job in list_jobs() if job not in waiting}
    return st.query_params.get(PARAMETER), called_into_view(), ended, bool(waiting)


def _row(job: Job, status: Status) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center", border=True, key=f"row-{job.id}"
    ):
        st.markdown(f"**{plain(job.title)}**", width="stretch")
        st.caption(plain(progress_text(job, status)), width="stretch")
        st.caption(state_words(status), width="content")
        action_button("Watch", "visibility", job, lambda: watch(job))
        if not status.active and may_start_jobs():
            action_button("Remove", "delete", job, job.remove, hint="The runs that it made stay.")
