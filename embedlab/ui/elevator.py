"""The layer elevator: one slider through the depths of a body, the same pictures at each."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.figures.curves import Curve
from embedlab.figures.depth import depth_curves
from embedlab.layers import PIXELS, Depth, K, Layers
from embedlab.runs import Run
from embedlab.space.scores import Share
from embedlab.ui.fragments import fragment
from embedlab.ui.linked_map import Panel, linked_map
from embedlab.ui.maps import run_points, selection

SCORES = {"knn": f"{K} neighbours", "probe": "linear probe"}


@fragment
def elevator(
    run: Run, layers: Layers, maps: NDArray[np.float32], by: str, colour: str, part: str
) -> None:
    """Go up and down: the curves with the depth marked, and the same pictures there."""
    chart = st.container()
    depth = _choose_depth(layers)
    place = layers.depths.index(depth)
    with chart:
        _show_curves(layers, place)
    about, beside = st.columns([3, 2], gap="medium")
    with about:
        panel = Panel(
            f"elevator:{by}",
            f"{depth_title(depth)}, drawn by {by}",
            maps[place],
            note="" if depth.end else "turned so that it lies over the next depth",
            ticks=False,
        )
        state = linked_map(
            [panel],
            points=run_points(run, colour, part=part),
            key="elevator-map",
            memory=f"run:{run.id}",
            height=380,
            label=f"Map of the pictures at {depth_title(depth)}",
        )
    with beside:
        st.markdown(_numbers(depth))
        selection(
            run,
            state,
            key="elevator-selection",
            hint="Draw a loop around some pictures and ride up and down: do they stay together?",
            panels=[panel],
        )


def _choose_depth(layers: Layers) -> Depth:
    """Show the slider; a depth that another run has, or nobody, is forgotten."""
    titles = [depth_title(depth) for depth in layers.depths]
    if st.query_params.get("depth") not in (None, *titles):
        del st.query_params["depth"]
    if st.session_state.get("depth") not in (None, *titles):
        del st.session_state["depth"]
    chosen = st.select_slider("Depth", titles, value=titles[-1], key="depth", bind="query-params")
    return layers.depths[titles.index(chosen)]


def _show_curves(layers: Layers, place: int) -> None:
    lines = [line for score in SCORES if (line := _curve(layers, score)) is not None]
    reading = _dimensions(layers)
    if lines or reading:
        names = ["picture" if depth.name == PIXELS else depth.name for depth in layers.depths]
        st.plotly_chart(
            depth_curves(names, lines, reading, here=place),
            key="depth-curves",
            config={"displayModeBar": False},
        )
    if not lines:
        st.caption("Without classes there is no accuracy to draw.")


def _numbers(depth: Depth) -> str:
    """Say what a picture becomes at a depth, and what that is worth."""
    shape = " x ".join(map(str, depth.shape))
    how = "laid out in one row" if depth.name == PIXELS else "averaged over its places"
    text = f"{shape}, {how}: " if len(depth.shape) == 3 else ""
    lines = [f"{text}**{depth.n_dims:,}** numbers a picture"]
    for score, name in SCORES.items():
        share: Share | None = getattr(depth, score)
        if share is not None and share.total:
            lines.append(f"{name}: **{words(share)}**")
    if depth.dimension is not None:
        lines.append(f"intrinsic dimension: **{depth.dimension:.1f}**")
    return "  \n".join(lines)


def words(share: Share | None) -> str:
    """Write a share with its interval."""
    if share is None or not share.total:
        return "-"
    return "{:.1%} (95 %: {:.1%} to {:.1%})".format(share.value, *share.interval)


def depth_title(depth: Depth) -> str:
    """Name a depth for people."""
    if depth.name == PIXELS:
        return "picture"
    return f"{depth.name} (end)" if depth.end else depth.name


def _curve(layers: Layers, score: str) -> Curve | None:
    """Lay one score out against depth."""
    found = [
        (place, share)
        for place, depth in enumerate(layers.depths)
        if (share := getattr(depth, score)) is not None and share.total
    ]
    if not found:
        return None
    return Curve(
        SCORES[score],
        [place for place, _ in found],
        [share.value for _, share in found],
        [share.interval.low for _, share in found],
        [share.interval.high for _, share in found],
    )


def _dimensions(layers: Layers) -> Curve | None:
    """Lay the intrinsic dimension out against depth."""
    found = [
        (place, depth.dimension)
        for place, depth in enumerate(layers.depths)
        if depth.dimension is not None
    ]
    if not found:
        return None
    return Curve("dimension", [x for x, _ in found], [y for _, y in found])
