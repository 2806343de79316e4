"""The form that starts a training: what to train on, how, what it needs, how long it takes."""

from __future__ import annotations

import shlex

import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.estimate import arithmetic_speed, estimate, in_words
from embedlab.facts import train_words
from embedlab.home import home
from embedlab.jobs import open_job
from embedlab.models.backbones import BACKBONES
from embedlab.ui.backbones import where_weights_are
from embedlab.ui.clicks import clicked
from embedlab.ui.job_button import begin
from embedlab.ui.job_panel import job_panel, started
from embedlab.ui.text import plain
from embedlab.ui.train_settings import Plan, choose_plan
from embedlab.ui.train_source import Chosen, choose_source

_MEASURING = "measure-job"  # its id, in the session
UNKNOWN = 1000  # pictures that are spoken of where their number is not known beforehand


def train_form() -> None:
    """Show the form. Its button starts a training, which the page's address then names."""
    chosen = choose_source()
    plan = choose_plan(chosen.source if chosen else None)
    if chosen is None or plan is None:
        clicked("Start training", icon=":material/play_arrow:", key="train-start", disabled=True)
        return
    words = train_words(chosen.source, plan.settings, **plan.options())
    with st.container(border=True):
        _say_needs(chosen, plan)
        _say_time(chosen, plan, words)
    st.caption("The same on the command line:")
    st.code(shlex.join(["embedlab", *words]), language="bash", wrap_lines=True)
    how = ", head alone" if plan.settings.freeze else ""
    title = BACKBONES[plan.settings.backbone].title
    title += f" until {plan.settings.cut}" if plan.settings.cut else ""
    unnamed = ", ".join([f"Train {title} on {chosen.title}{how}", *plan.differences()])
    if clicked(
        "Start training", type="primary", icon=":material/play_arrow:", key="train-start"
    ) and started(words, f"Train {plan.name}{how}" if plan.name else unnamed):
        st.rerun()


def _say_needs(chosen: Chosen, plan: Plan) -> None:
    settings = plan.settings
    backbone = BACKBONES[settings.backbone]
    lines = []
    if chosen.pictures is not None:
        n = min(chosen.pictures, plan.limit or chosen.pictures)
        lines.append(f":material/photo_library: {n:,} pictures of {chosen.classes} classes.")
    if chosen.source == "garden" and not any(home("cache", "garden").iterdir()):
        lines.append(":material/brush: They are drawn first, once: about half a minute.")
    if chosen.download:
        lines.append(
            f":material/download: The pictures, {chosen.download / 1e6:.0f} MB, are downloaded and "
            "verified first, once."
        )
    if settings.weights is None and backbone.kind == "torchvision":
        lines.append(where_weights_are(backbone))
    elif settings.weights == "random" or backbone.kind == "small":
        lines.append(
            ":material/casino: It begins from random weights"
            + (
                ": its frozen body has learned nothing. As a control, that tells something."
                if settings.freeze
                else "."
                if backbone.kind == "small"
                else ", and learns little from a few thousand pictures."
            )
        )
    st.markdown("  \n".join(lines))


@st.cache_data(ttl=600, show_spinner=False)
def _speed() -> float:
    return arithmetic_speed()


def _say_time(chosen: Chosen, plan: Plan, words: list[str]) -> None:
    n = chosen.pictures if chosen.pictures is not None else UNKNOWN
    n = min(n, plan.limit or n)
    found = estimate(plan.settings, n, fraction=plan.fraction, speed=_speed(), device=plan.device)
    each = "" if chosen.pictures is not None else f" for {UNKNOWN:,} pictures"
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        if found.device:
            st.markdown(
                f":material/schedule: **{in_words(found).capitalize()}**{each}, as measured on "
                f"this machine ({plain(found.device)})."
            )
        else:
            st.markdown(
                f":material/schedule: **{in_words(found).capitalize()}**{each}, guessed from the "
                "network's arithmetic and this processor's speed; a graphics card is many times "
                "faster."
            )
        if plan.settings.freeze:
            st.caption("Less if these pictures have gone through this body before.")
    with right:
        # Also where it was measured: another program may have been at work then.
        if clicked(
            "Measure again" if found.device else "Measure it",
            icon=":material/timer:",
            key="train-measure",
            help="A few steps on random pictures: seconds.",
        ):
            title = f"Time {BACKBONES[plan.settings.backbone].title}"
            begin(_MEASURING, [*words, "--how-long"], title)
    _watch_measuring()


def _watch_measuring() -> None:
    id_ = st.session_state.get(_MEASURING)
    try:
        if id_ is not None and open_job(id_).status().state != "done":
            job_panel(id_)
    except EmbedlabError:  # removed in another tab
        del st.session_state[_MEASURING]
