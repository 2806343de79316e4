"""Curves over steps, epochs or depth, and the variance that axes explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from embedlab.figures.palette import COLOURS, NEUTRAL, class_style
from embedlab.figures.style import finished, plain

DASHES = ("solid", "dash", "dot", "dashdot")
READINGS = {
    "loss": ("loss", "validation_loss"),
    "accuracy": ("accuracy", "validation_accuracy"),
}


@dataclass(frozen=True)
class Curve:
    """One line of a chart.

    Parameters
    ----------
    name : str
    x, y : sequences of float, of one length
    low, high : sequences of float, optional
        An interval for each point: drawn as whiskers.
    style : int, optional
        The class whose colour and symbol it has; by default one by its place.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    style: int | None = None


def curves(
    lines: Sequence[Curve],
    *,
    x_title: str,
    y_title: str,
    share: bool = False,
    log: bool = False,
    names_of_x: Sequence[str] = (),
    height: int = 300,
) -> go.Figure:
    """Draw lines with their points, each with a colour, a symbol and a dash of its own.

    Parameters
    ----------
    lines : sequence of Curve
    x_title, y_title : str
    share : bool
        Whether values are shares, drawn as per cent from 0 to 100.
    log : bool
        Whether the values stand on a logarithmic axis.
    names_of_x : sequence of str, optional
        What stands under 0, 1, 2, ... in place of the numbers, such as names of layers.
    height : int
        In pixels.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = go.Figure()
    for place, line in enumerate(lines):
        style = class_style(place if line.style is None else line.style)
        whiskers: dict[str, Any] = {}
        if line.low is not None and line.high is not None:
            whiskers["error_y"] = {
                "array": [h - y for h, y in zip(line.high, line.y, strict=True)],
                "arrayminus": [y - lo for lo, y in zip(line.low, line.y, strict=True)],
                "thickness": 1.2,
                "width": 3,
            }
        number = "%{y:.1%}" if share else "%{y:.4g}"
        figure.add_trace(
            go.Scatter(
                x=list(line.x),
                y=list(line.y),
                name=plain(line.name),
                mode="lines+markers" if len(line.x) <= 60 else "lines",
                line={"color": style.colour, "dash": DASHES[place % len(DASHES)], "width": 2},
                marker={"symbol": style.symbol, "size": 8},
                hovertemplate="%{x}: " + number + "<extra>%{fullData.name}</extra>",
                **whiskers,
            )
        )
    x_axis: dict[str, Any] = {"title": {"text": plain(x_title)}}
    if names_of_x:
        texts = [plain(name, 24) for name in names_of_x]
        x_axis |= {"tickvals": list(range(len(texts))), "ticktext": texts}
    return finished(
        figure,
        height=height,
        showlegend=len(lines) > 1,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        xaxis=x_axis,
        yaxis={
            "title": {"text": plain(y_title)},
            **({"tickformat": ".0%", "range": [0, 1.02]} if share else {}),
            **({"type": "log"} if log else {}),
        },
    )


def training_curves(
    history: Sequence[Mapping[str, Any]], reading: str, *, log: bool = False, height: int = 300
) -> go.Figure:
    """Draw what training reported, against epochs.

    Parameters
    ----------
    history : sequence of mappings
        A run's history: lines with epoch and loss, accuracy, validation_loss,
        validation_accuracy as far as known; other lines are passed over. Where there are reports
        within the epochs, the means of whole epochs are left out.
    reading : "loss" or "accuracy"
    log : bool
        Whether values stand on a logarithmic axis, on which small losses can be told apart.
    height : int
        In pixels.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    training, validation = READINGS[reading]
    dated = [line for line in history if "epoch" in line]
    within = [line for line in dated if line.get("event") != "epoch"]
    fine = within if any(training in line for line in within) else dated
    lines = []
    for name, key, source in (("training", training, fine), ("validation", validation, dated)):
        points = [(line["epoch"], line[key]) for line in source if key in line]
        if points:
            x, y = zip(*points, strict=True)
            lines.append(Curve(name, x, y))
    return curves(
        lines,
        x_title="epoch",
        y_title=reading,
        share=reading == "accuracy",
        log=log,
        height=height,
    )


def scree(explained: Sequence[float], *, drawn: int = 6, prefix: str = "PC") -> go.Figure:
    """Draw the share of the variance that each axis explains.

    Parameters
    ----------
    explained : sequence of float
    drawn : int
        How many of the first axes the maps show: in colour.
    prefix : str
        What axes are called: PC 1, PC 2, ...

    Returns
    -------
    plotly.graph_objects.Figure
    """
    shares = [float(share) for share in explained]
    names = [f"{plain(prefix)} {place + 1}" for place in range(len(shares))]
    figure = go.Figure(
        go.Bar(
            x=names,
            y=shares,
            marker={"color": [COLOURS[0] if k < drawn else NEUTRAL for k in range(len(shares))]},
            hovertemplate="%{x}: %{y:.2%} of the variance<extra></extra>",
        )
    )
    return finished(
        figure,
        height=240,
        xaxis={"showgrid": False},
        yaxis={"title": {"text": "share of the variance"}, "tickformat": ".0%"},
    )
