"""Pictures that are there twice, and pictures that are like no other."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from embedlab.checks import NEAR, kept_nearest, twins
from embedlab.jobs.words import duration
from embedlab.runs import EMBEDDING, Run
from embedlab.space.neighbours import Neighbours
from embedlab.space.oddities import Outliers, Pairs, leaks, outliers
from embedlab.ui import cache
from embedlab.ui.closer import look_at
from embedlab.ui.export import export_buttons
from embedlab.ui.gallery import gallery
from embedlab.ui.job_button import job_button

PATIENCE = 10.0  # seconds that a page may take itself
# Measured on two cores: multiply-adds a second, and numbers a second of which the least are found.
MULTIPLIED, SORTED = 5.7e10, 1.2e8


def show_oddities(run: Run) -> None:
    """Show duplicates and outliers, at once or, of very many pictures, when asked to."""
    st.header("Pictures that are there twice, or like no other", anchor=False)
    near = _nearest(run)
    if near is not None:
        st.subheader("There twice", anchor=False)
        _show_twins(run, near)
        st.subheader("Like no other", anchor=False)
        _show_strangers(run, near)


@st.cache_resource(max_entries=8, show_spinner="Looking for pictures that are there twice …")
def _twins(fingerprint: str, _run: Run, _near: Neighbours) -> Pairs:
    """Find exact and near duplicates."""
    return twins(_run, _near)


@st.cache_resource(max_entries=8, show_spinner="Looking for pictures that are like no other …")
def _strangers(fingerprint: str, _run: Run, _near: Neighbours) -> Outliers:
    """Find outliers."""
    return outliers(_run.embeddings, near=_near)


def _nearest(run: Run) -> Neighbours | None:
    """Compare every picture with all others: kept, at once, or by a job where it takes long."""
    kept = kept_nearest(run)
    if kept is not None:
        return kept
    n, d = run.embeddings.shape
    seconds = n**2 * (d / MULTIPLIED + 1 / SORTED)
    if seconds < PATIENCE:
        return cache.neighbours(run, EMBEDDING, "euclidean", NEAR, "all")
    st.markdown(
        f"To compare all {n:,} pictures with each other takes about {duration(seconds)} on "
        "two cores."
    )
    job_button(
        "Compare all pictures",
        ["check", run.id, "--only", "pictures"],
        run=run,
        title=f"Duplicates and outliers of {run.title}",
    )
    return None


def _show_twins(run: Run, near: Neighbours) -> None:
    """Show pairs of pictures that are the same or nearly, those that leak first."""
    pairs = _twins(run.fingerprint, run, near)
    if not len(pairs.rows):
        st.success("No two pictures are nearly the same.", icon=":material/check:")
        return
    leaking = leaks(pairs, run.split)
    leak = "leaks" if len(leaking.rows) == 1 else "leak"
    st.markdown(
        f"**{int(pairs.exact.sum())}** exact and **{int((~pairs.exact).sum())}** near pairs; "
        + (
            f"**{len(leaking.rows)}** of them {leak}: one of the two is in training, the other in "
            "validation, so the validation accuracy is flattered."
            if len(leaking.rows)
            else "none of them has one in training and the other in validation."
        )
    )
    if run.labels is not None:
        apart = pairs.exact & (run.labels[pairs.rows[:, 0]] != run.labels[pairs.rows[:, 1]])
        if apart.any():
            count = int(apart.sum())
            st.markdown(
                f"**{count}** of the exact ones {'is' if count == 1 else 'are'} said to be of two "
                "different classes: one of the two labels is wrong."
            )
    only = st.toggle(
        "Only the leaks", key="only-leaks", bind="query-params", disabled=not len(leaking.rows)
    )
    shown = leaking if only else pairs
    cells: list[DeltaGenerator] = []
    for place, (a, b) in enumerate(shown.rows[:12].tolist()):
        # Line by line, so that one below the other, on a narrow screen, they are in order too.
        cells = cells or list(st.columns(4))
        with cells.pop(0).container(border=True):
            words = (
                "same content" if shown.exact[place] else f"distance {shown.distances[place]:.2f}"
            )
            clicked = gallery(
                run,
                [a, b],
                key=f"twin-{place}",
                scores=[str(run.split[a]), str(run.split[b])],
                cell=60,
                columns=2,
                label=words,
            )
            look_at(run, clicked)
            if run.labels is not None and run.labels[a] != run.labels[b]:
                words += ", two classes"
            st.caption(words)
    words = f"The first 12 of {len(shown.rows):,} pairs. " if len(shown.rows) > 12 else ""
    st.caption(f"{words}Distances in units of the usual distance to the nearest other picture.")
    export_buttons(
        run,
        shown.rows[:, 0],
        name="pairs",
        twin=run.items["id"].iloc[shown.rows[:, 1]].tolist(),
        exact=shown.exact,
        distance=shown.distances,
    )


def _show_strangers(run: Run, near: Neighbours) -> None:
    """Show the pictures that are farthest from all others."""
    found = _strangers(run.fingerprint, run, near)
    top = found.rows[:12]
    clicked = gallery(
        run,
        top.tolist(),
        key="outliers",
        scores=[f"{found.scores[row]:.1f}" for row in top],
        label="Outliers",
    )
    look_at(run, clicked)
    st.caption(
        "Below each: its mean distance to its ten nearest; 1 is usual, 2 is far. "
        f"The {len(top)} farthest of {len(found.rows):,}."
    )
    export_buttons(run, found.rows[:200], name="outliers", distance=found.scores[found.rows[:200]])
