"""Answers taken apart: what each dimension adds to a logit, what each branch adds to an answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from embedlab.figures.palette import COLOURS, NEUTRAL
from embedlab.figures.style import finished, ticks

ADDS, TAKES = COLOURS[0], COLOURS[1]


def contributions(
    dimensions: Sequence[int],
    amounts: Sequence[float],
    *,
    rest: float,
    bias: float,
    logit: float,
    digits: int = 2,
) -> go.Figure:
    """Draw how a logit adds up.

    Parameters
    ----------
    dimensions : sequence of int, k of them
        Those that are shown one by one.
    amounts : sequence of float, length k
        What each adds.
    rest : float
        What all other dimensions add together.
    bias, logit : float
        The class's bias, and the sum of all.
    digits : int
        Decimals of the labels. Give amounts that add up when they are rounded so.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    names = [f"dim {dimension}" for dimension in dimensions]
    values = [float(amount) for amount in amounts]
    names += ["all others", "bias", "<b>logit</b>"]
    values += [float(rest), float(bias), float(logit)]
    figure = go.Figure(
        go.Waterfall(
            x=names,
            y=values,
            measure=["relative"] * (len(values) - 1) + ["total"],
            text=[f"{value:+.{digits}f}" for value in values[:-1]]
            + [f"<b>{values[-1]:.{digits}f}</b>"],
            textposition="outside",
            cliponaxis=False,
            increasing={"marker": {"color": ADDS}},
            decreasing={"marker": {"color": TAKES}},
            totals={"marker": {"color": NEUTRAL}},
            connector={"line": {"color": NEUTRAL, "width": 1, "dash": "dot"}},
            hovertemplate="%{x}: %{delta:+.6f}, then %{final:.6f}<extra></extra>",
        )
    )
    return finished(
        figure,
        height=320,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        showlegend=False,
        xaxis={"showgrid": False},
        yaxis={"title": {"text": "sum so far"}},
    )


def branch_bars(
    names: Sequence[str], base: ArrayLike, picture: ArrayLike, table: ArrayLike
) -> go.Figure:
    """Draw what two branches add to the answers of a fused network, for one picture.

    Parameters
    ----------
    names : sequence of str, c of them
        Classes, or the one number that is predicted.
    base : array_like of shape (c,)
        The answers when neither branch says anything of its own.
    picture, table : array_like of shape (c,)
        What each branch adds.

    Returns
    -------
    plotly.graph_objects.Figure
        A row of bars for each name, and a mark at the sum.
    """
    parts = {"picture": np.asarray(picture), "table": np.asarray(table)}
    whole = np.asarray(base) + sum(parts.values())
    places = list(range(len(names)))
    figure = go.Figure()
    for place, (name, values) in enumerate({"on average": np.asarray(base), **parts}.items()):
        figure.add_trace(
            go.Bar(
                x=values.tolist(),
                y=places,
                orientation="h",
                name=name,
                marker={
                    "color": (NEUTRAL, *COLOURS)[place],
                    "pattern": {"shape": ("", "/", ".")[place]},
                },
                hovertemplate=f"{name}: %{{x:+.3f}}<extra></extra>",
            )
        )
    figure.add_trace(
        go.Scatter(
            x=whole.tolist(),
            y=places,
            mode="markers",
            name="the answer",
            marker={"symbol": "diamond", "size": 11, "color": COLOURS[3]},
            hovertemplate="the answer: %{x:.3f}<extra></extra>",
        )
    )
    return finished(
        figure,
        height=110 + 44 * len(names),
        barmode="group",
        bargap=0.25,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": {"text": "adds to the answer"}, "zeroline": True},
        yaxis={**ticks(names), "autorange": "reversed", "showgrid": False},
    )


def answers(
    names: Sequence[str],
    logits: ArrayLike,
    probabilities: ArrayLike,
    colours: Sequence[str],
) -> go.Figure:
    """Draw what a head says of one picture: each class's logit, and its probability beside it.

    Parameters
    ----------
    names : sequence of str, c of them
        Classes, from the top.
    logits, probabilities : array_like of shape (c,)
    colours : sequence of str, c of them
        CSS colours of the classes.

    Returns
    -------
    plotly.graph_objects.Figure
        Two fields that share the classes' names.
    """
    scores, shares = np.asarray(logits, np.float64), np.asarray(probabilities, np.float64)
    places = list(range(len(names)))
    figure = go.Figure()
    for axis, values, texts in (
        ("x", scores, [f"{value:,.2f}" for value in scores]),
        ("x2", shares, [f"{share:.0%}" for share in shares]),
    ):
        figure.add_trace(
            go.Bar(
                x=values,
                y=places,
                xaxis=axis,
                orientation="h",
                marker={"color": list(colours)},
                text=texts,
                textposition="outside",
                textangle=0,
                cliponaxis=False,
                hovertemplate="%{y}: %{text}<extra></extra>",
                showlegend=False,
            )
        )
    low, high = min(scores.min(initial=0), 0.0), max(scores.max(initial=0), 0.0)
    room = 0.3 * ((high - low) or 1.0)  # for the numbers at the ends of the bars
    bare = {"showgrid": False, "showticklabels": False, "fixedrange": True, "side": "top"}
    return finished(
        figure,
        height=70 + 30 * max(len(names), 2),
        bargap=0.3,
        xaxis={
            "domain": [0.0, 0.54],
            "range": [low - (room if low < 0 else 0), high + room],
            "title": {"text": "logit"},
            **bare,
        },
        xaxis2={
            "domain": [0.6, 1.0],
            "range": [0, 1.3],
            "anchor": "y",
            "title": {"text": "probability"},
            **bare,
        },
        yaxis={**ticks(names), "autorange": "reversed", "showgrid": False, "fixedrange": True},
    )
