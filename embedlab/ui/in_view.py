"""What a click has brought to a page is brought into view, wherever the button stood."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

_CALLED = "called-into-view"
_component = st.components.v2.component(
    "embedlab.in_view",
    js=(Path(__file__).parent / "frontend" / "in_view.js").read_text(encoding="utf-8"),
)


def call_into_view(name: str) -> None:
    """Ask, in answer to a click, for something to be seen.

    Parameters
    ----------
    name : str
        What `stand_in_view` is told where it is drawn.
    """
    st.session_state[_CALLED] = (name, time.monotonic())


def called_into_view() -> tuple[str, float] | None:
    """Give what was asked for last, and when."""
    called: tuple[str, float] | None = st.session_state.get(_CALLED)
    return called


def stand_in_view(name: str) -> None:
    """Mark the place above what may be asked for; where it was, the page is scrolled to it."""
    called = called_into_view()
    if called is not None and called[0] == name:
        _component(key=f"in-view-{name}", data={"call": f"{name} {called[1]}"}, height=1)
