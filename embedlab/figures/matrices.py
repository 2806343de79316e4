"""Tables of numbers as coloured squares: cosines, and a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray


def cosine_table(values: ArrayLike, rows: Sequence[str], columns: Sequence[str]) -> go.Figure:
    """Draw cosines as a table: red towards 1, blue towards -1.

    Parameters
    ----------
    values : array_like of shape (r, c)
        Cosines, -1 to 1.
    rows, columns : sequences of str
        Names of the rows, from the top, and of the columns.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    matrix = np.asarray(values, np.float64)
    texts = [[f"{value:.2f}" for value in line] for line in matrix]
    return _table(
        matrix,
        texts,
        rows,
        columns,
        colorscale="RdBu_r",
        zmin=-1,
        zmax=1,
        hovertemplate="%{y} with %{x}: %{z:.4f}<extra></extra>",
    )


def confusion(matrix: ArrayLike, classes: Sequence[str]) -> go.Figure:
    """Draw a confusion matrix: true classes down, predicted ones across.

    Parameters
    ----------
    matrix : array_like of shape (c, c), int
        Row k counts the pictures of class k by what was predicted.
    classes : sequence of str

    Returns
    -------
    plotly.graph_objects.Figure
        Shaded by the share of each row, so that rare classes are seen too.
    """
    counts = np.asarray(matrix)
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.where(totals > 0, totals, 1)
    texts = [[f"{count:,}" if count else "" for count in line] for line in counts]
    figure = _table(
        shares,
        texts,
        classes,
        classes,
        colorscale="Blues",
        zmin=0,
        zmax=1,
        customdata=counts,
        hovertemplate="true %{y}, predicted %{x}: %{customdata} (%{z:.0%} of its class)"
        "<extra></extra>",
    )
    figure.update_xaxes(title="predicted")
    figure.update_yaxes(title="true")
    return figure


def _table(
    values: NDArray[np.float64],
    texts: list[list[str]],
    rows: Sequence[str],
    columns: Sequence[str],
    **options: Any,
) -> go.Figure:
    # Names may repeat or be cut, so places are numbers and names stand at the ticks.
    figure = go.Figure(
        go.Heatmap(
            z=values,
            text=texts,
            texttemplate="%{text}" if values.size <= 900 else None,
            showscale=False,
            xgap=2,
            ygap=2,
            **options,
        )
    )
    for axis, names in ((figure.update_xaxes, columns), (figure.update_yaxes, rows)):
        axis(
            tickvals=list(range(len(names))),
            ticktext=[escape(name if len(name) <= 18 else f"{name[:17]}…") for name in names],
            showgrid=False,
            zeroline=False,
        )
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(
        height=90 + 42 * max(2, min(len(rows), 20)),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure
