"""On which of the shared pictures only one of two runs is right."""

from __future__ import annotations

import streamlit as st

from embedlab.pairing import Pairing, answers, held_out
from embedlab.runs import Run
from embedlab.space.compare import changes
from embedlab.space.scores import accuracy
from embedlab.ui.frame import run_name
from embedlab.ui.gallery import caption
from embedlab.ui.picture_grid import picture_grid
from embedlab.ui.state import choose_row
from embedlab.ui.text import plain

SHOWN = 18


def p_text(p: float) -> str:
    """Write a p-value: three digits, and small ones as small."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def show_sides(first: Run, second: Run, pairing: Pairing) -> None:
    """Count on which shared pictures only one of two runs is right, and show them."""
    unseen = held_out(first, second, pairing)
    found = answers(first, second, unseen)
    if found is None:
        st.info("One of the two has no labels or no head, so there is nobody to be right.")
        return
    if not len(found.labels):
        st.info(
            "No picture is a validation picture in both runs, so there is none that neither was "
            "trained on. Train them with the same seed of the split.",
            icon=":material/info:",
        )
        return
    sides = changes(found.labels, found.first, found.second)
    shares = [accuracy(found.labels, guesses) for guesses in (found.first, found.second)]
    disputed = (
        f" {found.n_disputed} that they label differently are left out."
        if (found.n_disputed)
        else ""
    )
    st.markdown(
        f"On the **{len(found.labels):,}** pictures that neither was trained on: "
        + ", ".join(
            f"{plain(run_name(run))} **{share.value:.1%}** ({share.correct:,})"
            for run, share in zip((first, second), shares, strict=True)
        )
        + f".{disputed}"
    )
    with st.container(horizontal=True):
        for word, rows in (
            ("Both right", sides.both),
            ("Only the first", sides.only_first),
            ("Only the second", sides.only_second),
            ("Neither", sides.neither),
        ):
            st.metric(word, f"{len(rows):,}", width=150)
        st.metric(
            "McNemar's p",
            p_text(sides.p_value),
            width=150,
            help="If the two were equally good, the pictures that only one gets right would fall "
            "to either side like coins. p is the chance of a split at least this uneven. Only "
            "these pictures count: intervals that overlap do not mean that there is no "
            "difference, because both runs were asked about the same pictures.",
        )
    for title, rows, right, wrong, guesses in (
        (f"Only {plain(run_name(first))} is right", sides.only_first, first, second, found.second),
        (f"Only {plain(run_name(second))} is right", sides.only_second, second, first, found.first),
    ):
        st.markdown(f"**{title}: {len(rows)}**")
        if not len(rows):
            st.caption("Not one picture.")
            continue
        shown = rows[:SHOWN]
        picture_grid(
            found.pairing.first[shown].tolist(),
            key=f"only-{right.id}-{wrong.id}",
            thumbnails=first.thumbnails,
            captions=[
                caption(
                    first, int(found.pairing.first[place]), f"not {found.names[guesses[place]]}"
                )
                for place in shown
            ],
            cell=104,
            label=title,
            on_click=lambda row: choose_row(first, row),
        )
        if len(rows) > SHOWN:
            st.caption(f"The first {SHOWN}.")
    st.caption("Below each picture: its class, and what the other run took it for.")
