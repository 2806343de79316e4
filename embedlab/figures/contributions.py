"""A logit taken apart, as a waterfall: what each dimension adds, and the bias."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from embedlab.figures.palette import COLOURS, NEUTRAL
from embedlab.figures.style import finished

ADDS, TAKES = COLOURS[0], COLOURS[1]


def contributions(
    dimensions: Sequence[int], amounts: Sequence[float], *, rest: float, bias: float, logit: float
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
            text=[f"{value:+.2f}" for value in values[:-1]] + [f"<b>{values[-1]:.2f}</b>"],
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
