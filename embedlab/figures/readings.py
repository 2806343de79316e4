"""How well known factors are read off several representations."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from embedlab.figures.palette import class_style

PATTERNS = ("", "/", "x", ".", "+")


def read_off_bars(
    factors: Sequence[str],
    representations: Sequence[str],
    scores: Sequence[Sequence[float]],
    intervals: Sequence[Sequence[tuple[float, float]]],
    baselines: Sequence[float],
) -> go.Figure:
    """Draw scores as groups of bars, one group a factor, with intervals and baselines.

    Parameters
    ----------
    factors : sequence of str, f of them
    representations : sequence of str, r of them
    scores : f sequences of r floats
        Accuracies or R². Values below 0 are drawn as 0; hovering tells them.
    intervals : f sequences of r pairs
    baselines : sequence of float, f of them
        What needs no picture at all: drawn as a line across the group; 0 is left out.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = go.Figure()
    names = [escape(str(factor)) for factor in factors]
    for place, title in enumerate(representations):
        values = [line[place] for line in scores]
        shown = [max(value, 0.0) for value in values]
        low = [max(pair[place][0], 0.0) for pair in intervals]
        high = [max(pair[place][1], 0.0) for pair in intervals]
        figure.add_trace(
            go.Bar(
                x=names,
                y=shown,
                name=title,
                marker={
                    "color": class_style(place).colour,
                    "pattern": {"shape": PATTERNS[place % len(PATTERNS)]},
                },
                error_y={
                    "array": [max(h - v, 0) for h, v in zip(high, shown, strict=True)],
                    "arrayminus": [max(v - lo, 0) for lo, v in zip(low, shown, strict=True)],
                    "thickness": 1,
                },
                customdata=values,
                hovertemplate="%{x}: %{customdata:.2f}<extra>" + escape(title) + "</extra>",
            )
        )
    for place, baseline in enumerate(baselines):
        if baseline > 0:
            figure.add_shape(
                type="line",
                x0=place - 0.42,
                x1=place + 0.42,
                y0=baseline,
                y1=baseline,
                line={"color": "#808080", "width": 2, "dash": "dot"},
            )
    figure.update_layout(
        barmode="group",
        height=300,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.15},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        yaxis={"range": [0, 1.02]},
    )
    return figure
