"""What a session remembers of its maps, over reruns and from page to page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.ui.linked_map.values import Groups, MapState, Points
from embedlab.ui.packing import bits_to_rows, rows_to_bits


def _slot(memory: str) -> str:
    return f"linked_map:{memory}"


def recall(points: Points, *, memory: str) -> dict[str, Any]:
    """Give the kept state of a map in the form that the browser takes.

    A selection of another set of pictures is forgotten.
    """
    kept: dict[str, Any] = st.session_state.get(_slot(memory), {})
    if kept.get("token") != points.token:
        kept = {"token": points.token, "revision": "", "bits": "", "clicked": None}
        st.session_state[_slot(memory)] = kept
    return kept


def keep(sent: Any, points: Points, *, memory: str) -> None:
    """Take over what the browser sent; anything that is not well formed is passed over."""
    if not isinstance(sent, Mapping) or sent.get("token") != points.token:
        return
    try:
        rows = bits_to_rows(str(sent.get("bits", "")), len(points)) if sent.get("bits") else ()
    except ValueError:
        return
    clicked = sent.get("clicked")
    hidden = sent.get("hidden")
    views = sent.get("views")
    st.session_state[_slot(memory)] = {
        "token": points.token,
        "revision": str(sent.get("revision", ""))[:32],
        "bits": sent["bits"] if len(rows) else "",
        "clicked": clicked if isinstance(clicked, int) and 0 <= clicked < len(points) else None,
        "hidden": hidden if isinstance(hidden, Mapping) else {},
        "views": views if isinstance(views, Mapping) else {},
    }


def select(
    points: Points,
    rows: Sequence[int] | NDArray[Any],
    *,
    memory: str,
    clicked: int | None = None,
) -> None:
    """Select rows on every map that shares a memory, as if a person had done it.

    Parameters
    ----------
    points : Points
    rows : sequence of int
        The rows to select; none clears the selection.
    memory : str
        What `linked_map` was given.
    clicked : int, optional
        The row in focus.
    """
    chosen = np.unique(np.asarray(rows, np.int64))
    if chosen.size and not (chosen[0] >= 0 and chosen[-1] < len(points)):
        raise ValueError(f"rows of {len(points)} points lie between 0 and {len(points) - 1}")
    st.session_state[_slot(memory)] = {
        **recall(points, memory=memory),
        "bits": rows_to_bits(chosen, len(points)) if chosen.size else "",
        "clicked": clicked,
        "revision": secrets.token_hex(6),
    }


def map_state(points: Points, *, memory: str) -> MapState:
    """Give what the person has done on the maps that share a memory."""
    kept = recall(points, memory=memory)
    rows = bits_to_rows(kept["bits"], len(points)) if kept["bits"] else np.empty(0, np.int64)
    hidden: tuple[str, ...] = ()
    if isinstance(points.colour, Groups):
        off = kept.get("hidden", {}).get(points.colour.label, ())
        hidden = tuple(name for name in points.colour.names if name in off)
    return MapState(rows, kept["clicked"], hidden, kept.get("views", {}))
