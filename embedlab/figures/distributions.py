"""How values spread: within classes against between them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

WITHIN, BETWEEN = "#0072B2", "#D55E00"
BINS = 60


def histogram_pair(within: ArrayLike, between: ArrayLike, *, title: str) -> go.Figure:
    """Draw two histograms on one scale, each as shares of its own pairs.

    Parameters
    ----------
    within, between : array_like of shape (m,)
        Values of pairs of one class, and of pairs of two.
    title : str
        What the values are, for the axis.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = go.Figure()
    values = np.concatenate([np.asarray(within, np.float64), np.asarray(between, np.float64)])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    bins = {"start": low, "end": high, "size": (high - low or 1.0) / BINS}
    series = (("same class", within, WITHIN, "/"), ("two classes", between, BETWEEN, ""))
    for name, data, colour, pattern in series:
        figure.add_trace(
            go.Histogram(
                x=np.asarray(data, np.float32),
                name=name,
                xbins=bins,
                histnorm="probability",
                opacity=0.65,
                marker={"color": colour, "pattern": {"shape": pattern}},
                hovertemplate="%{x}: %{y:.1%} of the pairs<extra>" + name + "</extra>",
            )
        )
    figure.update_layout(
        barmode="overlay",
        height=280,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.12},
        xaxis={"title": title},
        yaxis={"title": "share of the pairs", "tickformat": ".0%"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure
