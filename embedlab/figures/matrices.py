"""Tables of numbers as coloured squares: cosines, and a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from embedlab.figures.style import BLACK, DIVERGING, WHITE, finished, ticks

READABLE = 24  # classes beyond which their names would lie upon each other
TEXTS = 900  # squares beyond which their numbers would not be readable
CELL = 42  # side of a square in pixels, as far as there is room
FILL = "0, 119, 170"  # the palette's blue
FULL = 0.85  # share from which that blue wants white text, on light pages too
CHOSEN = "#D55E00"  # the frame of a cell that is chosen, on light blue and dark


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
    return _table(
        matrix,
        [[f"{value:.2f}" for value in line] for line in matrix],
        rows,
        columns,
        white=_dark(matrix),
        plain_text=BLACK,
        colorscale=DIVERGING,
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
    figure = _table(
        shares,
        [[f"{count:,}" if count else "" for count in line] for line in counts],
        classes,
        classes,
        white=shares > FULL,
        # From nearly clear, so that an empty cell is as light or dark as the page.
        colorscale=[[0, f"rgba({FILL}, 0.06)"], [1, f"rgba({FILL}, 1)"]],
        zmin=0,
        zmax=1,
        customdata=counts,
        hovertemplate="true %{y}, predicted %{x}: %{customdata} (%{z:.0%} of its class)"
        "<extra></extra>",
    )
    # A heatmap's cells cannot be selected. Unseen squares over them can, wherever a click falls.
    n = len(counts)
    down, across = np.divmod(np.arange(n * n), max(n, 1))
    figure.add_trace(
        go.Scatter(
            x=across,
            y=down,
            mode="markers",
            marker={"symbol": "square-open", "size": CELL - 8, "opacity": 0, "color": CHOSEN},
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 0}},
            customdata=counts.ravel(),
            text=[f"{share:.0%}" for share in shares.ravel()],
            hovertemplate="true %{y}, predicted %{x}: %{customdata} (%{text} of its class)"
            "<extra></extra>",
            showlegend=False,
        )
    )
    return figure.update_layout(
        hoverdistance=-1,
        xaxis={"title": {"text": "predicted"}, "range": [-0.5, n - 0.5]},
        yaxis={"title": {"text": "true"}, "range": [n - 0.5, -0.5], "autorange": False},
    )


def _dark(cosines: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which cells of the diverging scale are too dark for black text."""
    from plotly.colors import sample_colorscale, unlabel_rgb

    flat = np.clip((np.nan_to_num(cosines).ravel() + 1) / 2, 0, 1)
    colours = np.array([unlabel_rgb(colour) for colour in sample_colorscale(DIVERGING, flat)])
    linear = (colours.reshape(-1, 3) / 255) ** 2.2
    # At this luminance black and white text stand out alike (WCAG's contrast).
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722] < 0.198).reshape(cosines.shape)


def _table(
    values: NDArray[np.float64],
    texts: list[list[str]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    white: NDArray[np.bool_],
    plain_text: str | None = None,
    **options: Any,
) -> go.Figure:
    """Draw a table; where `white` is, its text is white, else as `plain_text` says or the page."""
    figure = go.Figure()
    for mask, colour in ((~white, plain_text), (white, WHITE)):
        figure.add_trace(
            go.Heatmap(
                z=np.where(mask, values, np.nan),
                text=np.where(mask, texts, "").tolist(),
                texttemplate="%{text}" if values.size <= TEXTS else None,
                textfont={"color": colour} if colour else None,
                hoverongaps=False,
                showscale=False,
                xgap=2,
                ygap=2,
                **options,
            )
        )
    bare = {"showgrid": False, "zeroline": False, "showline": False}
    return finished(
        figure,
        height=90 + CELL * max(2, min(len(rows), 20)),
        xaxis={**ticks(columns), **bare, "autotickangles": [0, 40, 90]},
        yaxis={**ticks(rows), **bare, "autorange": "reversed"},
    )
