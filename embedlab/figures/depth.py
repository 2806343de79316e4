"""What each depth of a network is worth: accuracy with bands, and a second reading below it."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from embedlab.figures.curves import DASHES, Curve
from embedlab.figures.palette import NEUTRAL, class_style
from embedlab.figures.style import finished, plain, ticks


def depth_curves(
    names: Sequence[str],
    accuracies: Sequence[Curve],
    reading: Curve | None = None,
    *,
    here: int | None = None,
    height: int = 340,
) -> go.Figure:
    """Draw shares against depth, each with its interval as a band, over one shared axis.

    Parameters
    ----------
    names : sequence of str, length m
        The depths, from the picture to the body's end.
    accuracies : sequence of Curve
        Shares, drawn as per cent; x counts the depths from 0.
    reading : Curve, optional
        Something else that changes with depth, on a scale of its own below.
    here : int, optional
        The depth that is looked at: a line through all panels.
    height : int
        In pixels.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = int(bool(accuracies)) + int(reading is not None)
    shares = [0.64, 0.36] if rows == 2 else [1.0]
    figure = make_subplots(
        rows=max(rows, 1), cols=1, shared_xaxes=True, row_heights=shares, vertical_spacing=0.1
    )
    for place, line in enumerate(accuracies):
        _add(figure, line, place, row=1, percent=True)
    if reading is not None:
        _add(figure, reading, len(accuracies), row=rows, percent=False)
    if here is not None:
        figure.add_vline(x=here, line={"color": NEUTRAL, "width": 9}, opacity=0.25, layer="below")
    finished(
        figure,
        height=height,
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    figure.update_xaxes(
        **ticks(names, 20), range=[-0.4, len(names) - 0.6], fixedrange=True, zeroline=False
    )
    figure.update_yaxes(fixedrange=True)
    if accuracies:
        title = {"text": "fresh pictures right"}
        figure.update_yaxes(row=1, tickformat=".0%", title=title)
    if reading is not None:
        title = {"text": plain(reading.name, 18)}
        figure.update_yaxes(row=rows, title=title, rangemode="tozero")
    return figure


def _add(figure: go.Figure, line: Curve, place: int, *, row: int, percent: bool) -> None:
    style = class_style(place)
    name = plain(line.name)
    if line.low is not None and line.high is not None:
        figure.add_trace(
            go.Scatter(
                x=[*line.x, *reversed(line.x)],
                y=[*line.high, *reversed(line.low)],
                fill="toself",
                fillcolor=style.colour,
                opacity=0.16,
                line={"width": 0},
                mode="lines",
                hoverinfo="skip",
                showlegend=False,
                legendgroup=name,
            ),
            row=row,
            col=1,
        )
    bands = zip(line.low or line.y, line.high or line.y, strict=True)
    between = "%{y:.1%} (95 %: %{customdata[0]:.1%} to %{customdata[1]:.1%})"
    figure.add_trace(
        go.Scatter(
            x=list(line.x),
            y=list(line.y),
            customdata=[list(band) for band in bands],
            name=name,
            legendgroup=name,
            showlegend=percent,
            mode="lines+markers",
            line={"color": style.colour, "dash": DASHES[place % len(DASHES)], "width": 2},
            marker={"symbol": style.symbol, "size": 8},
            hovertemplate=(between if percent else "%{y:.1f}") + "<extra>%{fullData.name}</extra>",
        ),
        row=row,
        col=1,
    )
