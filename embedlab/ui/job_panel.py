"""A job on a page, as it is watched. A page looks; the work is elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.jobs import Job, Status, open_job, start
from embedlab.jobs.commands import batch_of, halved
from embedlab.jobs.failures import MEMORY
from embedlab.jobs.words import UNITS, as_text, duration
from embedlab.ui import cache
from embedlab.ui.access import may_start_jobs
from embedlab.ui.attempts import told
from embedlab.ui.in_view import call_into_view, stand_in_view
from embedlab.ui.text import plain

PARAMETER = "job"
STATES = {
    "queued": ("Waiting", "hourglass_empty"),
    "running": ("Running", "progress_activity"),
    "done": ("Done", "check_circle"),
    "failed": ("Failed", "error"),
    "cancelled": ("Cancelled", "cancel"),
    "lost": ("Lost", "link_off"),
}


def chosen_job() -> Job | None:
    """Give the job that the page's address asks for with ``?job=ID``; say when there is none."""
    asked = st.query_params.get(PARAMETER)
    if asked is None:
        return None
    try:
        return open_job(asked)
    except EmbedlabError:
        del st.query_params[PARAMETER]
        st.warning(
            f"The link asks for a job called {plain(asked[:80])}, which is not on this machine.",
            icon=":material/link_off:",
        )
        return None


def job_panel(
    id_: str,
    *,
    curves: Callable[[Status], None] | None = None,
    again: Callable[[list[str], str], None] | None = None,
) -> Status | None:
    """Watch one job: what it does, how far it is, how long it still takes; cancel or resume it.

    While the job waits or runs, the panel alone is drawn anew each second. When it has ended,
    the whole page is run once more.

    Parameters
    ----------
    id_ : str
        The job's id.
    curves : function of a Status, optional
        Draws what there is so far, below the bar. ``status.history()`` has the readings,
        ``status.folder / "work"`` what the work left there.
    again : function of arguments and a title, optional
        Starts another job in the place of this one. With it, a job that ran out of memory is
        offered again with half the batch.

    Returns
    -------
    Status or None
        How the job stood when the page was run; None when it is not there any more.
    """
    try:
        job = open_job(id_)
        before = job.status()
    except EmbedlabError as error:
        st.warning(plain(str(error)), icon=":material/link_off:")
        return None

    @st.fragment(run_every=1.0 if before.active else None)
    def panel() -> None:
        try:
            status = job.status()
        except EmbedlabError as error:  # removed in another tab
            st.warning(plain(str(error)), icon=":material/link_off:")
            return
        if status.active != before.active:
            st.rerun()
        _draw(job, status, curves, again)

    panel()
    return before


def start_watched(words: list[str], title: str) -> None:
    """Start a job, in the callback of a button, and watch it; say so if it cannot be started."""
    started(words, title)


def started(words: list[str], title: str) -> bool:
    """Start a job, in answer to a click, and put it into the address; say so if it cannot be.

    Parameters
    ----------
    words : list of str
        What would be typed after ``embedlab``.
    title : str

    Returns
    -------
    bool
        Whether it was started: then the page has to be drawn again, for its panel stands above.
    """
    with told():
        watch(start(words, title=title))
        return True
    return False


def watch_for_run(job: Job, *, page: str, label: str) -> None:
    """Watch a job that makes a run; when it is done, lead to the run.

    Parameters
    ----------
    job : Job
    page : str
        The page to look at it with: its file's name.
    label : str
        What the link says.
    """
    try:
        status = job.status()
    except EmbedlabError as error:
        st.warning(plain(str(error)), icon=":material/link_off:")
        return
    stand_in_view(job.id)
    made = cache.runs().get(str(status.result.get("run", "")))
    if status.state == "done" and made is not None:
        st.success(f"**{plain(made.title)}** is ready.", icon=":material/check_circle:")
        st.page_link(
            f"pages/{page}.py",
            label=label,
            icon=":material/arrow_forward:",
            query_params={"run": made.id},
        )
    job_panel(job.id)


def _draw(
    job: Job,
    status: Status,
    curves: Callable[[Status], None] | None,
    again: Callable[[list[str], str], None] | None,
) -> None:
    # Each part has its place in each state: what is drawn below it is then the same element as
    # before to the browser, which keeps the chosen tab and the film that plays.
    with st.container(border=True, key=f"job-{job.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"#### {plain(job.title)}", width="stretch")
            st.caption(state_words(status), width="content")
            _controls(job, status)
            if again is not None and status.cause == MEMORY and may_start_jobs():
                _offer_half(job, again)
        with st.container(key=f"job-state-{job.id}"):
            _draw_state(job, status)
        with st.container(key=f"job-readings-{job.id}"):
            if status.state != "done":  # the last step's are no result
                _readings(status)
        with st.container(key=f"job-curves-{job.id}"):
            if curves is not None and status.stage:
                curves(status)
        with st.container(key=f"job-end-{job.id}"):
            if status.state in ("failed", "lost"):
                st.error(
                    f"{plain(status.message)}\n\n{plain(status.remedy)}", icon=":material/error:"
                )
        lines = job.log_tail()
        if lines:
            with st.expander(
                "What it printed", icon=":material/terminal:", key=f"job-log-{job.id}"
            ):
                st.code("\n".join(lines), language=None, height=240)


def _draw_state(job: Job, status: Status) -> None:
    if status.state == "queued":
        before = job.ahead()
        waits = f"Waits for {plain(before[0].title)}." if before else "Starting …"
        more = f" {len(before)} jobs are before it." if len(before) > 1 else ""
        st.info(f"{waits}{more}", icon=":material/hourglass_empty:")
    elif status.stage:
        st.progress(status.share, text=_step(status))
    elif status.state == "running":
        st.progress(0.0, text="Getting ready …")


def state_words(status: Status) -> str:
    """Say how a job stands and for how long, with its icon; Markdown."""
    word, icon = STATES[status.state]
    if status.state == "running" and status.seconds is not None:
        word = f"{word} for {duration(status.seconds)}"
    elif status.state == "done" and status.seconds is not None:
        word = f"{word} in {duration(status.seconds)}"
    return f":material/{icon}: {word}"


def _step(status: Status) -> str:
    text = f"{plain(status.stage)} · {status.done:,} of {status.total:,}"
    if status.seconds_left is not None:
        text += f" · about {duration(status.seconds_left)} left"
    return text


def _readings(status: Status) -> None:
    facts = status.last_facts()
    if facts:
        with st.container(horizontal=True):
            for name, value in facts.items():
                st.metric(plain(UNITS.get(name, name)), as_text(name, value), width=130)


def _controls(job: Job, status: Status) -> None:
    if not may_start_jobs():
        return
    if status.active:
        action_button("Cancel", "stop", job, job.cancel)
    elif status.resumable:
        kind: Literal["primary", "secondary"] = "primary" if not status.cause else "secondary"
        action_button("Resume", "play_arrow", job, job.resume, kind=kind)


def retitled(title: str, word: str, value: int | None) -> str:
    """Name a job like another one but for a number: its batch or its seed.

    Examples
    --------
    >>> retitled("Train it, batch 16, seed 5", "batch", 8)
    'Train it, seed 5, batch 8'
    """
    return re.sub(rf", {word} \d+(?=,|$)", "", title) + f", {word} {value}"


def _offer_half(job: Job, again: Callable[[list[str], str], None]) -> None:
    words = halved(job.arguments)
    if words is None:
        return
    batch = batch_of(words)
    title = retitled(job.title, "batch", batch)
    st.button(
        f"Start again with batch {batch}",
        key=f"half-{job.id}",
        icon=":material/play_arrow:",
        type="primary",
        help="From the beginning: another batch is another training.",
        on_click=again,
        args=(words, title),
    )


def action_button(
    label: str,
    icon: str,
    job: Job,
    action: Callable[[], None],
    *,
    kind: Literal["primary", "secondary"] = "secondary",
    hint: str | None = None,
) -> None:
    """Offer to do something with a job; what prevents it is said."""
    # Callbacks run before anything is drawn: a click is not lost when a panel that draws itself
    # anew at that moment asks for a run of the whole page.
    st.button(
        label,
        key=f"{label.lower()}-{job.id}",
        icon=f":material/{icon}:",
        type=kind,
        help=hint,
        on_click=_act,
        args=(action,),
    )


def _act(action: Callable[[], None]) -> None:
    with told():
        action()


def watch(job: Job) -> None:
    """Put a job into the address, in answer to a click; its panel stands above all forms."""
    st.query_params[PARAMETER] = job.id
    call_into_view(job.id)
