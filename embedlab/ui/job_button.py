"""A button that starts a job from a page, and the job, watched in its place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from embedlab.jobs import queue, start
from embedlab.runs import Run
from embedlab.ui.access import may_start_jobs
from embedlab.ui.attempts import told
from embedlab.ui.job_panel import job_panel


def job_button(label: str, words: Sequence[str], *, run: Run, title: str) -> None:
    """Offer to start a job, and show in its place how far it is while it is under way.

    When it has ended, the whole page is run once more, and finds what the job made.

    Parameters
    ----------
    label : str
        What the button says.
    words : sequence of str
        The command line, after ``embedlab``.
    run : Run
        What it is about. Another run that is called the same later on has no such job.
    title : str
        What the job is called in lists.
    """
    slot = f"job:{run.fingerprint}:{' '.join(words)}"
    if (job_id := watched(slot, words)) is not None:
        status = job_panel(job_id, again=partial(begin, slot))
        if status is not None and status.active:
            return
    if not may_start_jobs():
        st.info("This server does not compute; it shows what runs keep.", icon=":material/info:")
        return
    # A callback runs before anything is drawn, so that no rerun loses the click.
    st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        key=f"{slot}:start",
        on_click=begin,
        args=(slot, words, title),
    )


def watched(slot: str, words: Sequence[str]) -> str | None:
    """Give the id of a job that was started here, or of the same that is under way already.

    Visitors of a public server are not shown what others have started.

    Parameters
    ----------
    slot : str
        Where in the session's state the id is noted.
    words : sequence of str
        The command line, after ``embedlab``.
    """
    if (
        slot not in st.session_state and may_start_jobs()
    ):  # the page was loaded anew, or another tab began it
        with told():
            for job in queue():
                if job.arguments == tuple(words):
                    st.session_state[slot] = job.id
    found: str | None = st.session_state.get(slot)
    return found


def begin(slot: str, words: Sequence[str], title: str) -> None:
    """Start a job and note its id in the session; say why it cannot be.

    Parameters
    ----------
    slot : str
        Where in the session's state the id is noted.
    words : sequence of str
        The command line, after ``embedlab``.
    title : str
        What the job is called in lists.
    """
    with told():
        st.session_state[slot] = start(words, title=title).id
