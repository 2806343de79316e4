"""Prototypes among themselves, and beside the means of the classes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from embedlab.figures.matrices import READABLE, cosine_table
from embedlab.runs import Head, Run
from embedlab.space.prototypes import (
    Points,
    class_means,
    mean_cosines,
    prototype_cosines,
)
from embedlab.space.vectors import mean, usable
from embedlab.ui.prototypes.arrows import directions_of, readable


def show_cosines(run: Run, head: Head, class_: int) -> None:
    """Compare the prototypes with each other and with the class means."""
    directions = directions_of(head, readable(head, class_))
    left, right = st.columns(2)
    with left:
        st.markdown("**Prototype with prototype**")
        st.plotly_chart(
            cosine_table(prototype_cosines(directions), directions.names, directions.names),
            key="cosines",
            config={"displayModeBar": False},
        )
    if run.labels is None:
        return
    train = run.split == "train"
    of = "training pictures" if train.any() else "pictures"  # an imported run may have none
    used = train if train.any() else np.full(run.n_items, True)
    means = class_means(run.embeddings[used], run.labels[used], run.classes)
    if len(means.names) > READABLE:  # as a rule the head's own classes; those that are drawn
        places = {name: place for place, name in enumerate(means.names)}
        there = [places[name] for name in directions.names if name in places]
        there = there or list(range(READABLE))
        means = Points(means.values[there], tuple(means.names[place] for place in there))
    centre = mean(run.embeddings, used & usable(run.embeddings))
    with right:
        st.markdown("**Prototype (down) with class mean (across)**")
        st.plotly_chart(
            cosine_table(
                mean_cosines(directions, means, centre=centre), directions.names, means.names
            ),
            key="mean-cosines",
            config={"displayModeBar": False},
        )
    st.caption(
        f"Class means are points and are centred on the mean of the {of}; prototypes "
        "are directions and are not. A high cosine on the diagonal says that the class lies where "
        "its prototype points; it is not 1, for a prototype also points away from the others."
    )
