"""The linked map: several panels over one set of points, one selection over all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.ui.assets import bundle, media_url
from embedlab.ui.linked_map import memory as memories
from embedlab.ui.linked_map.values import Arrows, Groups, MapState, Panel, Points, Scale
from embedlab.ui.sprites import Sprites, sheet, sprites

_FRONTEND = Path(__file__).parent / "frontend"
_BINARY = "application/octet-stream"
_OFFERED_AT_ONCE = 48 << 20  # bytes; larger sets come sheet by sheet when a picture is wanted
_LATE_KEPT = 8

_map = st.components.v2.component(
    "embedlab.linked_map",
    css=(_FRONTEND / "style.css").read_text(encoding="utf-8"),
    js=bundle(_FRONTEND / "map.js"),
)
_late = st.components.v2.component(
    "embedlab.late_sheets", js=(_FRONTEND / "late.js").read_text(encoding="utf-8")
)


def linked_map(
    panels: Sequence[Panel],
    *,
    points: Points,
    key: str,
    selected: Sequence[int] | NDArray[Any] | None = None,
    memory: str | None = None,
    height: int = 420,
    lines: NDArray[Any] | None = None,
    pictures: bool = False,
    on_select: Callable[[MapState], None] | None = None,
    label: str = "Map of the pictures",
) -> MapState:
    """Show the same points in several panels, with their pictures at hand.

    Hovering shows a point's picture and captions; click, lasso and box select, Shift adds; the
    legend filters. Everything works by mouse, touch and keyboard.

    Parameters
    ----------
    panels : sequence of Panel
        Two- and three-dimensional views of the points, in any mixture.
    points : Points
    key : str
        The map's name, unique on the page.
    selected : sequence of int, optional
        Rows to select, put into effect when it is not what was passed the last time; None leaves
        the selection as it is. For a selection that comes from elsewhere: a link, a cell of a
        table.
    memory : str, optional
        Maps with the same memory, on whichever page, share selection, legend and zoom:
        ``f"run:{run.id}"``. By default a map shares with itself only.
    height : int
        A panel's height in CSS pixels.
    lines : ndarray of shape (m, 2), int, optional
        Pairs of rows to join in all panels: a point and its true neighbours. What was clicked is
        known before the map is drawn, from `map_state`.
    pictures : bool
        Begin with pictures in place of points, as the toolbar offers them.
    on_select : callable, optional
        Called with the new state before the page runs again.
    label : str
        The map's name for screen readers.

    Returns
    -------
    MapState
        The selection now, also when it was made on another page.

    Examples
    --------
    ::

        state = linked_map(
            [Panel("pca", "PCA 1-2", scores[:, :2], ("PC 1", "PC 2"))],
            points=Points(run.items["id"], run.fingerprint, thumbnails=run.thumbnails),
            key="map",
            memory=f"run:{run.id}",
        )
        st.write(f"{len(state.selected)} pictures selected")
    """
    n = len(points)
    for panel in panels:
        if len(panel.coordinates) != n:
            raise ValueError(
                f"panel {panel.name!r} has {len(panel.coordinates)} rows for {n} points"
            )
    if len({panel.name for panel in panels}) != len(panels):
        raise ValueError("the panels of a map have different names")
    memory = memory or key
    _take_over(selected, points, key=key, memory=memory)
    _hear(points, key=key, memory=memory)

    def answer() -> None:
        _hear(points, key=key, memory=memory)
        if on_select is not None:
            on_select(memories.map_state(points, memory=memory))

    thumbnails = _sprites(points)
    late = thumbnails is not None and thumbnails.n_bytes > _OFFERED_AT_ONCE
    _map(
        key=key,
        data={
            "token": points.token,
            "n": n,
            "memory": memory,
            "label": label,
            "height": height,
            "pictures": pictures,
            "panels": [_panel_data(panel, key) for panel in panels],
            "colour": _colour_data(points.colour, key),
            "captions": media_url(points.packed_captions, _BINARY, f"{key}.captions"),
            "visible": media_url(points.packed_visible, _BINARY, f"{key}.visible")
            if points.packed_visible is not None
            else None,
            "lines": [] if lines is None else np.asarray(lines, np.int64).ravel().tolist(),
            "sheets": None
            if thumbnails is None
            else {
                "per": thumbnails.per_sheet,
                "urls": {} if late else _offer(range(thumbnails.n_sheets), thumbnails, key),
            },
            "state": memories.recall(points, memory=memory),
        },
        on_map_change=answer,
    )
    if thumbnails is not None and late:
        _late_sheets(thumbnails, f"{key}.late")
    return memories.map_state(points, memory=memory)


def _take_over(
    selected: Sequence[int] | NDArray[Any] | None, points: Points, *, key: str, memory: str
) -> None:
    slot = f"linked_map:{key}:passed"
    if selected is None:
        st.session_state.pop(slot, None)
        return
    asked = (points.token, *np.asarray(selected, np.int64).tolist())
    mark = hash(asked)
    if st.session_state.get(slot) != mark:
        st.session_state[slot] = mark
        memories.select(points, selected, memory=memory)


def _hear(points: Points, *, key: str, memory: str) -> None:
    """Take over what the browser has sent since the last time."""
    sent = (st.session_state.get(key) or {}).get("map")
    slot = f"linked_map:{key}:heard"
    if isinstance(sent, Mapping) and st.session_state.get(slot) != sent.get("revision"):
        st.session_state[slot] = sent.get("revision")
        memories.keep(sent, points, memory=memory)


def _panel_data(panel: Panel, key: str) -> dict[str, Any]:
    return {
        "name": panel.name,
        "title": panel.title,
        "note": panel.note,
        "axes": list(panel.axes),
        "ticks": panel.ticks,
        "dims": panel.n_dims,
        "url": media_url(panel.packed, _BINARY, f"{key}.panel.{panel.name}"),
        "arrows": None if panel.arrows is None else _arrow_data(panel.arrows),
    }


def _arrow_data(arrows: Arrows) -> dict[str, Any]:
    known = np.flatnonzero(np.isfinite(arrows.vectors).all(axis=1)).tolist()
    return {
        "names": [str(arrows.names[k]) for k in known],
        "vectors": arrows.vectors[known].astype(float).ravel().tolist(),
        "colours": [arrows.colours[k] for k in known] if arrows.colours else [],
        "origin": arrows.origin,
        "note": arrows.note,
    }


def _colour_data(colour: Groups | Scale | None, key: str) -> dict[str, Any] | None:
    if colour is None:
        return None
    about: dict[str, Any] = {
        "label": colour.label,
        "url": media_url(colour.packed, _BINARY, f"{key}.colour"),
    }
    if isinstance(colour, Groups):
        return about | {
            "names": [str(name) for name in colour.names],
            "colours": list(colour.colours),
            "symbols": list(colour.symbols),
        }
    from plotly.colors import sequential

    return about | {
        "limits": list(colour.limits),
        "beyond": list(colour.beyond),
        "stops": list(sequential.Viridis),
    }


def _sprites(points: Points) -> Sprites | None:
    source = points.thumbnails
    if source is None or not len(points):
        return None
    picture = source if callable(source) else source.__getitem__
    return sprites(points.token, len(points), picture)


def _offer(numbers: Sequence[int], pictures: Sprites, slot: str) -> dict[str, str]:
    """Give the addresses of sheets, by number."""
    urls = {}
    for place, number in enumerate(numbers):
        made = sheet(pictures, number)
        urls[str(number)] = media_url(made.data, _BINARY, f"{slot}.sheet.{place}", name=made.name)
    return urls


@st.fragment
def _late_sheets(pictures: Sprites, key: str) -> None:
    """Hand out sheets when the map asks for them, without a run of the page."""
    slot = f"linked_map:{key}"
    asked = (st.session_state.get(key) or {}).get("wanted") or ()
    known = range(pictures.n_sheets)
    kept = [k for k in st.session_state.get(slot, ()) if k in known and k not in asked]
    wanted = [*kept, *(k for k in asked if isinstance(k, int) and k in known)][-_LATE_KEPT:]
    st.session_state[slot] = wanted
    _late(
        key=key,
        data={"token": pictures.token, "urls": _offer(wanted, pictures, key)},
        on_wanted_change=lambda: None,
    )
