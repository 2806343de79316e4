"""Shares with their intervals, one under the other."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from embedlab.figures.palette import COLOURS
from embedlab.figures.style import finished, plain


def share_intervals(
    names: Sequence[str],
    shares: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    *,
    title: str,
) -> go.Figure:
    """Draw shares as points with whiskers, the first name on top.

    Parameters
    ----------
    names : sequence of str, length m
    shares : sequence of float, length m
    intervals : sequence of pairs, length m
    title : str
        What the shares are, for the axis.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = go.Figure(
        go.Scatter(
            x=[float(share) for share in shares],
            y=list(range(len(names))),
            mode="markers",
            marker={"size": 11, "color": COLOURS[0]},
            error_x={
                "array": [high - share for share, (_, high) in zip(shares, intervals, strict=True)],
                "arrayminus": [
                    share - low for share, (low, _) in zip(shares, intervals, strict=True)
                ],
                "thickness": 1.6,
                "width": 6,
                "color": COLOURS[0],
            },
            customdata=[[low, high] for low, high in intervals],
            hovertemplate="%{x:.1%} (95 %: %{customdata[0]:.1%} to %{customdata[1]:.1%})"
            "<extra></extra>",
        )
    )
    # Above its point, a name may be as long as the figure is wide.
    for place, name in enumerate(names):
        figure.add_annotation(
            text=plain(name, 44),
            x=0,
            xref="paper",
            xanchor="left",
            y=place,
            yanchor="bottom",
            yshift=8,
            showarrow=False,
            font={"size": 12},
        )
    low = min((pair[0] for pair in intervals), default=0.0)
    high = max((pair[1] for pair in intervals), default=1.0)
    room = 0.05 * max(high - low, 0.05)
    return finished(
        figure,
        height=80 + 46 * max(len(names), 1),
        showlegend=False,
        xaxis={
            "title": {"text": title, "font": {"size": 12}},
            "tickformat": ".0%",
            "nticks": 6,
            "range": [max(low - room, -0.01), min(high + room, 1.01)],
        },
        yaxis={
            "range": [len(names) - 0.6, -0.8],
            "showgrid": False,
            "showticklabels": False,
            "zeroline": False,
        },
    )
