"""The loss and the accuracy of a training, as charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from embedlab.figures.curves import READINGS, training_curves


def training_charts(
    history: Sequence[Mapping[str, Any]], *, key: str, side_by_side: bool = False, height: int = 260
) -> None:
    """Draw what a training reported: its loss, on a logarithmic axis on demand, and its accuracy.

    Parameters
    ----------
    history : sequence of mappings
        As `embedlab.figures.curves.training_curves` takes it.
    key : str
        Unique on the page.
    side_by_side : bool
        Beside each other, where there is room for that, or each on a tab.
    height : int
        Of a chart, in pixels.
    """
    readings = [
        one
        for one, names in READINGS.items()
        if any(name in line for line in history for name in names)
    ]
    if not readings:
        return
    places = (
        st.columns(len(readings), gap="medium")
        if side_by_side
        else st.tabs([one.title() for one in readings], key=f"{key}-tabs")
    )
    for place, reading in zip(places, readings, strict=True):
        with place:
            log = reading == "loss" and st.session_state.get(f"{key}-log", False)
            st.plotly_chart(
                training_curves(history, reading, log=log, height=height),
                key=f"{key}-{reading}",
                config={"displayModeBar": False},
            )
            if reading == "loss":
                st.toggle("Logarithmic", key=f"{key}-log", help="Tells small losses apart.")
