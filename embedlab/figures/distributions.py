"""How values spread: within classes against between them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from embedlab.figures.palette import COLOURS
from embedlab.figures.style import finished, plain

WITHIN, BETWEEN = COLOURS[0], COLOURS[1]
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
    size = ((high - low) or 1.0) / BINS
    bins = {"start": low, "end": high + size, "size": size}
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
    return finished(
        figure,
        height=280,
        barmode="overlay",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": {"text": plain(title)}},
        yaxis={"title": {"text": "share of the pairs"}, "tickformat": ".0%"},
    )
