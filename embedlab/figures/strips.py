"""Vectors as strips of colours, to be compared by eye."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike


def vector_strips(vectors: ArrayLike, names: Sequence[str]) -> go.Figure:
    """Draw vectors under one another on one scale: blue below 0, red above.

    Parameters
    ----------
    vectors : array_like of shape (m, d)
    names : sequence of str, length m

    Returns
    -------
    plotly.graph_objects.Figure
    """
    values = np.asarray(vectors, np.float32)
    limit = float(np.abs(values).max()) or 1.0
    negative = bool((values < 0).any())
    figure = go.Figure(
        go.Heatmap(
            z=values,
            y=list(range(len(names))),
            colorscale="RdBu_r" if negative else "Cividis",
            zmin=-limit if negative else 0.0,
            zmax=limit,
            ygap=6,
            colorbar={"thickness": 10},
            hovertemplate="dimension %{x}: %{z:.3f}<extra></extra>",
        )
    )
    figure.update_yaxes(
        autorange="reversed",
        tickvals=list(range(len(names))),
        ticktext=[escape(name) for name in names],
        showgrid=False,
    )
    figure.update_xaxes(title="dimension", showgrid=False)
    figure.update_layout(
        height=90 + 46 * len(names),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure
