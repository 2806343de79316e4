"""Vectors as strips of colours, to be compared by eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from embedlab.figures.style import DIVERGING, RISING, finished, ticks


def vector_strips(vectors: ArrayLike, names: Sequence[str]) -> go.Figure:
    """Draw vectors under one another on one scale: blue below 0, red above.

    Parameters
    ----------
    vectors : array_like of shape (m, d)
        Without negative values, the scale runs from dark at 0 to bright.
    names : sequence of str, length m

    Returns
    -------
    plotly.graph_objects.Figure
    """
    values = np.asarray(vectors, np.float32)
    limit = float(np.nanmax(np.abs(values), initial=0)) or 1.0
    negative = bool((values < 0).any())
    figure = go.Figure(
        go.Heatmap(
            z=values,
            y=list(range(len(names))),
            colorscale=DIVERGING if negative else RISING,
            zmin=-limit if negative else 0.0,
            zmax=limit,
            ygap=6,
            colorbar={"thickness": 10, "outlinewidth": 0},
            hovertemplate="dimension %{x}: %{z:.3f}<extra></extra>",
        )
    )
    bare = {"showgrid": False, "zeroline": False}
    return finished(
        figure,
        height=90 + 46 * len(names),
        xaxis={"title": {"text": "dimension"}, **bare},
        yaxis={**ticks(names), **bare, "autorange": "reversed"},
    )
