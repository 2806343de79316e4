"""Prototypes in maps, as arrows; of many, those that are most like the chosen one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError
from embedlab.figures.matrices import READABLE
from embedlab.figures.palette import class_style
from embedlab.runs import Head, Run
from embedlab.space.prototypes import (
    READINGS,
    Directions,
    Reading,
    arrows,
    closest_prototypes,
)
from embedlab.space.views import LinearView
from embedlab.ui import drawings
from embedlab.ui.fragments import fragment
from embedlab.ui.linked_map import Arrows, Panel, linked_map
from embedlab.ui.maps import run_points, selection
from embedlab.ui.text import plain

READING_TITLES: dict[Reading, str] = {"moves": "moves along w", "rises": "score rises"}


def readable(head: Head, class_: int) -> NDArray[np.int64]:
    """Give the classes whose prototypes are drawn: of many, those that are most like one."""
    c = len(head.classes)
    if c <= READABLE:
        return np.arange(c)
    st.markdown(
        f"Of the {c:,} classes, **{plain(head.classes[class_])}** and the {READABLE - 1} whose "
        "prototypes point most nearly where its own does."
    )
    return closest_prototypes(directions_of(head, np.arange(c)), class_, READABLE)


def directions_of(head: Head, classes: NDArray[np.int64]) -> Directions:
    """Give the prototypes of some classes."""
    names = tuple(head.classes[k] for k in classes)
    return Directions(head.weight[classes].astype(np.float64), names)


def _arrow_panel(
    panel: Panel,
    view: LinearView,
    head: Head,
    drawn: NDArray[np.int64],
    reading: Reading,
    reach: tuple[float, bool],
) -> Panel:
    """Add prototypes to a panel, as arrows from its origin.

    `reach` is how far they reach, as a share of the points' extent, and True; or else the plain
    factor and False.
    """
    flat = view.pick((0, 1))
    directions = directions_of(head, drawn)
    tips = arrows(flat, directions, reading=reading, scale=1.0)
    length, fit = reach
    factor = length * drawings.room_for_arrows(flat.coordinates, tips) if fit else length
    return replace(
        panel,
        arrows=Arrows(
            directions.names,
            factor * tips,
            [class_style(k).colour for k in drawn.tolist()],
            origin="0 is the mean of the data",
            note=f"arrows x{factor:,.3g}",
        ),
    )


def _arrow_length() -> tuple[float, bool]:
    """Choose how long arrows are drawn: a number, and whether it is fitted to each map."""
    plain_factor = st.toggle(
        "One factor for all maps",
        key="plain-factor",
        bind="query-params",
        help="Draws each prototype so many times longer in every map, also where the arrows then "
        "leave it. Otherwise each map has a factor of its own, which stands below it.",
    )
    if plain_factor:
        return st.slider(
            "Length of the arrows", 0.5, 20.0, 5.0, 0.5, key="scale", width=260, format="x%.1f"
        ), False
    reach = st.slider(
        "Length of the arrows",
        10,
        120,
        80,
        10,
        key="reach",
        width=260,
        format="%d %%",
        help="How far the farthest arrow reaches, from the origin to the edge of the points.",
    )
    return reach / 100, True


@fragment
def show_arrows(run: Run, head: Head, class_: int, part: str) -> None:
    """Show PCA and LDA with the prototypes as arrows."""
    drawn = readable(head, class_)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reading = st.segmented_control(
            "An arrow shows",
            list(READINGS),
            format_func=READING_TITLES.__getitem__,
            default="moves",
            required=True,
            key="reading",
            bind="query-params",
        )
        reach = _arrow_length()
    st.markdown(READINGS[reading])
    view = drawings.principal(run, "embedding")
    panel = drawings.pca_panel(run, "embedding", "pca12")
    panels = [_arrow_panel(panel, view, head, drawn, reading, reach)]
    if run.labels is not None:
        try:
            view = drawings.discriminant(run, "embedding")
            panel = drawings.lda_panel(run, "embedding", part="train", shuffled=False)
            panels.append(_arrow_panel(panel, view, head, drawn, reading, reach))
        except EmbedlabError as error:
            st.info(f"LDA: {plain(str(error))}", icon=":material/info:")
    state = linked_map(
        panels,
        points=run_points(run, "label" if run.labels is not None else "split", part=part),
        key="prototype-map",
        memory=f"run:{run.id}",
        height=400,
        label="Pictures and prototypes",
    )
    st.caption(
        "A prototype is a direction, not a point: only how it points counts, so all arrows of a "
        "map share one length factor. In PCA both readings agree; LDA's axes are not at right "
        "angles, so there they differ. UMAP has no axes, so it can have no arrows: there, a "
        "prototype is shown by the pictures that it ranks first, above."
    )
    selection(
        run, state, key="prototype-selection", hint="Click a dot, or draw a loop.", panels=panels
    )
