"""Shares with their intervals: of classes, of settings, of factors read off representations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from embedlab.figures.palette import COLOURS, NEUTRAL, class_style
from embedlab.figures.style import finished, plain, ticks

PATTERNS = ("", "/", "x", ".", "+")


def bars_with_intervals(
    names: Sequence[str],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    *,
    baseline: float | None = None,
    title: str = "",
    colours: Sequence[str] | None = None,
    share: bool = True,
) -> go.Figure:
    """Draw scores as horizontal bars with the intervals that they may lie in.

    Parameters
    ----------
    names : sequence of str, n of them
        From the top.
    values : sequence of float, length n
        NaN, a share of none, is left out.
    intervals : sequence of (low, high), length n
        Of shares they are cut at 0 and 1.
    baseline : float, optional
        What chance, or the simplest guess, would reach: drawn as a line.
    title : str
        What the shares are.
    colours : sequence of str, length n, optional
        Of the classes, where the bars are classes.
    share : bool
        Whether the scores lie between 0 and 1, drawn as per cent; others, such as R², have an
        axis that holds them all, up to 1.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    low, high = zip(*intervals, strict=True) if intervals else ((), ())
    if share:
        low, high = tuple(max(x, 0.0) for x in low), tuple(min(x, 1.0) for x in high)
    number = ".1%" if share else ".3f"
    figure = go.Figure(
        go.Bar(
            x=list(values),
            y=list(range(len(names))),
            orientation="h",
            marker={"color": list(colours) if colours else COLOURS[0]},
            error_x={
                "array": [max(h - v, 0) for h, v in zip(high, values, strict=True)],
                "arrayminus": [max(v - lo, 0) for lo, v in zip(low, values, strict=True)],
                "thickness": 1.5,
                "color": NEUTRAL,
            },
            customdata=list(zip(low, high, strict=True)),
            hovertemplate="%{y}: %{x:N} (%{customdata[0]:N} to %{customdata[1]:N})"
            "<extra></extra>".replace("N", number),
        )
    )
    if baseline is not None:
        figure.add_vline(x=baseline, line={"dash": "dot", "width": 2, "color": NEUTRAL})
    return finished(
        figure,
        height=70 + 34 * max(len(names), 1),
        bargap=0.35,
        xaxis={
            "title": {"text": plain(title)},
            "tickformat": ".0%" if share else ".2g",
            "range": [0 if share else _least([*low, *values]), 1.005],
        },
        yaxis={**ticks(names, 28), "autorange": "reversed", "showgrid": False},
    )


def _least(values: Sequence[float]) -> float:
    """Say where an axis begins that holds all values, and 0."""
    return 1.05 * min([0.0, *(value for value in values if math.isfinite(value))])


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
    for place, title in enumerate(representations):
        values = [line[place] for line in scores]
        shown = [max(value, 0.0) for value in values]
        low = [max(pair[place][0], 0.0) for pair in intervals]
        high = [max(pair[place][1], 0.0) for pair in intervals]
        figure.add_trace(
            go.Bar(
                x=list(range(len(factors))),
                y=shown,
                name=plain(title),
                marker={
                    "color": class_style(place).colour,
                    "pattern": {"shape": PATTERNS[place % len(PATTERNS)]},
                },
                error_y={
                    "array": [max(h - v, 0) for h, v in zip(high, shown, strict=True)],
                    "arrayminus": [max(v - lo, 0) for lo, v in zip(low, shown, strict=True)],
                    "thickness": 1,
                    "color": NEUTRAL,
                },
                customdata=values,
                hovertemplate="%{x}: %{customdata:.2f}<extra>%{fullData.name}</extra>",
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
                line={"color": NEUTRAL, "width": 2, "dash": "dot"},
            )
    return finished(
        figure,
        height=300,
        barmode="group",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        xaxis={**ticks(factors), "showgrid": False},
        yaxis={"range": [0, 1.02]},
    )
