"""Another linear head on one body: settings, a second of fitting, and the head kept if wanted."""

from __future__ import annotations

import shlex
from dataclasses import asdict, replace

import numpy as np
import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.models.settings import SCHEDULES, HeadSettings
from embedlab.refitting import head_words, in_words
from embedlab.runs import Run
from embedlab.space.scores import Share
from embedlab.standby import Fitted, Standby
from embedlab.ui import cache
from embedlab.ui.access import may_start_jobs
from embedlab.ui.attempts import told
from embedlab.ui.clicks import clicked
from embedlab.ui.text import plain
from embedlab.ui.training_charts import training_charts

MOST = 12  # tried heads that stay on the page, the newest
SEEDS = 5
STEPS = 100_000  # of fitting, about half a minute: more is for the command line
_OPEN = "refit-open"


@st.cache_resource(max_entries=2, show_spinner=False, on_release=Standby.close)
def _standby(_home: str) -> Standby:
    return Standby()


def _helper() -> Standby:
    return _standby(str(home()))


@st.cache_resource(max_entries=64, show_spinner="Fitting a head; the first one waits for torch …")
def _fitted(fingerprint: str, _run: Run, settings: HeadSettings) -> Fitted:
    return _helper().fit(_run, settings)


def tried(run: Run) -> list[Fitted]:
    """Give the heads that were tried on this run's body, in this session, the oldest first."""
    if not may_start_jobs():
        return []
    found = []
    for settings in list(st.session_state.get(_slot(run), [])):
        try:
            found.append(_fitted(run.fingerprint, run, settings))
        except EmbedlabError as error:
            _drop(run, settings)  # said once; another click tries it again
            st.warning(
                f"{in_words(settings).capitalize()}: {plain(str(error))}", icon=":material/error:"
            )
    return found


def refit_form(run: Run) -> None:
    """Let people try the linear head with other settings."""
    words = ["embedlab", "heads", run.id]
    if not may_start_jobs():
        st.caption("Other learning rates and seeds, on a machine of your own:")
        st.code(shlex.join([*words, "--learning-rate", "0.01"]), language="bash")
        return
    with st.expander(
        "Fit the linear head with other settings",
        icon=":material/tune:",
        key=_OPEN,
        on_change=_wake,
    ):
        wrong = False
        try:
            settings = _choose()
            st.caption(
                "The same on the command line, where rates and seeds may be given several times:"
            )
            st.code(shlex.join([*words, *head_words(settings)]), language="bash", wrap_lines=True)
        except EmbedlabError as error:  # the buttons stay, and cannot be clicked
            st.warning(plain(str(error)), icon=":material/error:")
            wrong, settings = True, HeadSettings()
        n = int((run.split == "train").sum())
        steps = settings.epochs * -(-n // settings.batch_size)
        if steps > STEPS:
            st.warning(
                f"{n:,} pictures {settings.epochs:,} times, {settings.batch_size} at once, are "
                f"{steps:,} steps, and more than {STEPS:,} take too long for a page. Take larger "
                "batches or fewer epochs, or the command line.",
                icon=":material/hourglass_top:",
            )
        with st.container(horizontal=True):
            once = clicked(
                "Fit it",
                type="primary",
                icon=":material/play_arrow:",
                key="refit-start",
                disabled=wrong or steps > STEPS,
            )
            often = clicked(
                f"Fit it from {SEEDS} seeds",
                icon=":material/casino:",
                key="refit-seeds",
                disabled=wrong or steps * SEEDS > STEPS,
                help="How far the seed alone moves the accuracy: the order of the pictures, and "
                "what the head begins from.",
            )
        if once or often:
            for seed in range(settings.seed, settings.seed + (SEEDS if often else 1)):
                _try(run, replace(settings, seed=seed))
            st.rerun()


def show_tried(run: Run, heads: list[Fitted], shares: list[Share]) -> None:
    """Say how the tried heads did and learned, and offer to keep them.

    Parameters
    ----------
    run : Run
    heads : list of Fitted
        As `tried` gives them.
    shares : list of Share
        How many validation pictures each tells rightly.
    """
    if not heads:
        return
    kept: dict[str, str] = st.session_state.setdefault(f"{_slot(run)}-kept", {})
    st.subheader("Tried here", anchor=False)
    for head, share in reversed(list(zip(heads, shares, strict=True))):
        name = in_words(head.settings)
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            low, high = share.interval
            st.markdown(
                f"**Linear, {name}**: {share.correct} of {share.total}, **{share.value:.1%}** "
                f"(95 %: {low:.1%} to {high:.1%})",
                width="stretch",
            )
            made = cache.runs().get(kept.get(name, ""))
            if made is not None:
                st.page_link(
                    "pages/home.py",
                    label="Look at the run",
                    icon=":material/arrow_forward:",
                    query_params={"run": made.id},
                    width="content",
                )
            else:
                st.button(
                    "Keep as a run",
                    icon=":material/save:",
                    key=f"keep-{run.id}-{name}",
                    help="A run of its own, with the same body, to be set beside this one.",
                    on_click=_keep,
                    args=(run, head.settings, name),
                )
            st.button(
                "Put away",
                icon=":material/close:",
                key=f"drop-{run.id}-{name}",
                on_click=_drop,
                args=(run, head.settings),
            )
    for words in spreads(heads, shares):
        st.markdown(words)
    if len(heads) > 1:
        st.caption(
            "The best of several owes part of its lead to luck, the more of it the more are tried: "
            "see whether it lasts with other seeds."
        )
    newest = heads[-1]
    with st.expander(f"How it learned: {in_words(newest.settings)}", icon=":material/show_chart:"):
        training_charts(newest.history, key="refit-charts", side_by_side=True)


def spreads(heads: list[Fitted], shares: list[Share]) -> list[str]:
    """Say how far the seed moved the accuracy, where heads differ in nothing else."""
    groups: dict[HeadSettings, list[float]] = {}
    for head, share in zip(heads, shares, strict=True):
        seedless = replace(head.settings, seed=HeadSettings().seed)
        groups.setdefault(seedless, []).append(share.value)
    return [
        f"Linear, {in_words(settings)}, {len(values)} seeds: mean **{np.mean(values):.1%}**, "
        f"standard deviation {100 * np.std(values, ddof=1):.1f} points, "
        f"{min(values):.1%} to {max(values):.1%}."
        for settings, values in groups.items()
        if len(values) > 1
    ]


def _choose() -> HeadSettings:
    usual = asdict(HeadSettings())
    # Without bounds: a browser does not send what is beyond them, and the settings say it better.
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rate = st.number_input(
            "Learning rate",
            value=usual["learning_rate"],
            format="%g",
            step=1e-3,
            key="refit-rate",
            width=150,
        )
        epochs = st.number_input("Epochs", value=usual["epochs"], key="refit-epochs", width=150)
        seed = st.number_input("Seed", value=usual["seed"], key="refit-seed", width=150)
        batch = st.number_input("Batch", value=usual["batch_size"], key="refit-batch", width=150)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        smoothing = st.number_input(
            "Label smoothing", value=usual["label_smoothing"], key="refit-smoothing", width=150
        )
        decay = st.number_input(
            "Weight decay",
            value=usual["weight_decay"],
            format="%g",
            step=1e-3,
            key="refit-decay",
            width=150,
        )
        schedule = st.selectbox(
            "Learning rate over time",
            list(SCHEDULES),
            index=list(SCHEDULES).index(usual["schedule"]),
            format_func=lambda name: f"{name}: {SCHEDULES[name]}",
            key="refit-schedule",
            width=316,
        )
    return HeadSettings(
        epochs=int(epochs),
        learning_rate=float(rate),
        batch_size=int(batch),
        seed=int(seed),
        label_smoothing=float(smoothing),
        schedule=schedule,
        weight_decay=float(decay),
    )


def _slot(run: Run) -> str:
    return f"refit-tried-{run.fingerprint}"


def _wake() -> None:
    """Let torch be loaded while people choose."""
    if st.session_state.get(_OPEN):
        _helper().wake()


def _try(run: Run, settings: HeadSettings) -> None:
    others = [one for one in st.session_state.get(_slot(run), []) if one != settings]
    st.session_state[_slot(run)] = [*others, settings][-MOST:]


def _drop(run: Run, settings: HeadSettings) -> None:
    st.session_state[_slot(run)] = [
        one for one in st.session_state.get(_slot(run), []) if one != settings
    ]


def _keep(run: Run, settings: HeadSettings, name: str) -> None:
    with told():
        st.session_state[f"{_slot(run)}-kept"][name] = _helper().keep(run, settings)
