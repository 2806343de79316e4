"""On which of the shared pictures only one of two runs is right."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.pairing import Pairing, answers, held_out
from embedlab.runs import Run
from embedlab.space.compare import changes
from embedlab.space.scores import accuracy
from embedlab.ui.closer import look_at
from embedlab.ui.export import export_buttons
from embedlab.ui.frame import run_name
from embedlab.ui.gallery import caption
from embedlab.ui.picture_grid import picture_grid
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
        order, sure = _surest_first(
            wrong,
            (found.pairing.second if wrong is second else found.pairing.first)[rows],
            [found.names[k] for k in guesses[rows]],
        )
        order = rows[order]
        shown = order[:SHOWN]
        clicked = picture_grid(
            found.pairing.first[shown].tolist(),
            key=f"only-{right.id}-{wrong.id}",
            thumbnails=first.thumbnails,
            captions=[
                caption(
                    first,
                    int(found.pairing.first[place]),
                    f"not {found.names[guesses[place]]}" + (f", {share:.0%}" if share >= 0 else ""),
                )
                for place, share in zip(shown, sure, strict=False)
            ],
            cell=104,
            label=title,
        )
        look_at(first, clicked)
        if len(rows) > SHOWN:
            st.caption(f"The first {SHOWN} of {len(rows):,}.")
        export_buttons(
            first,
            found.pairing.first[order],
            name=f"only-{right.id}",
            taken_for=[found.names[guesses[place]] for place in order],
            confidence=sure,
        )
    st.caption(
        "Below each picture: its class, and what the other run took it for, and how surely if it "
        "says so: the surest mistakes come first."
    )


def _surest_first(
    run: Run, rows: NDArray[np.int64], guesses: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Order pictures by how sure a run is of what it takes them for; NaN where it does not say."""
    sure = np.full(len(rows), np.nan)
    if run.probabilities is not None:
        columns = {name: k for k, name in enumerate(run.classes)}
        for place, (row, name) in enumerate(zip(rows, guesses, strict=True)):
            if name in columns:
                sure[place] = run.probabilities[row, columns[name]]
    order = np.argsort(-sure, kind="stable")
    return order, sure[order]
