"""Vectors as strips of colours, to be compared by eye."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from embedlab.figures.style import DIVERGING, finished, plain, ticks

CELLS = 160  # so many colours beside each other can be told apart, on a phone too
MOST = 16 * CELLS  # so many colours of a vector are drawn at all
MEANS = 80  # so many are calm enough to be compared where each is an average
CUT = 0.99  # share of the values that have colours of their own; the few beyond share the last


def vector_strips(vectors: ArrayLike, names: Sequence[str]) -> go.Figure:
    """Draw vectors under one another on one scale: blue below 0, red above.

    Parameters
    ----------
    vectors : array_like of shape (m, d)
        Without negative values, the scale runs from dark at 0 to bright. Vectors longer than
        160 go on in further lines, each with all m under one another; of those longer than
        2,560, neighbouring dimensions are averaged.
    names : sequence of str, length m

    Returns
    -------
    plotly.graph_objects.Figure
    """
    values, ends = _means(np.asarray(vectors, np.float64), MOST)
    m, n = values.shape
    width = -(-n // max(-(-n // CELLS), 1))  # lines of equal length
    texts = [
        f"dimension {a:,}" if b - a == 1 else f"mean of the dimensions {a:,} to {b - 1:,}"
        for a, b in pairwise(ends)
    ]
    lines = range(0, n, width)
    rows = np.full((len(lines) * (m + 1) - 1, width), np.nan)
    hover = np.empty(rows.shape, object)
    labels = [""] * len(rows)
    for line, start in enumerate(lines):
        part = slice(start, start + width)
        for k, name in enumerate(names):
            row = line * (m + 1) + k
            rows[row, : len(texts[part])] = values[k, part]
            hover[row, : len(texts[part])] = texts[part]
            labels[row] = f"{ends[start]:,} {name}" if k == 0 and len(lines) > 1 else name
    title = f"dimension{_each(ends)}"
    if len(lines) > 1:
        title += f", {ends[width] - ends[0]:,} in a line"
    return _strips(rows, hover, labels, title, row=15 if len(lines) > 1 else 40)


def sorted_strips(
    vectors: ArrayLike, names: Sequence[str], order: ArrayLike, *, by: str
) -> go.Figure:
    """Draw vectors with their dimensions in another order, those of long vectors averaged.

    Parameters
    ----------
    vectors : array_like of shape (m, d)
    names : sequence of str, length m
    order : array_like of shape (d,), int
        The dimensions from left to right, for all vectors alike.
    by : str
        What they are ordered by, for the axis. Of more than 160 dimensions, neighbours are
        averaged to 80 colours.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    chosen = np.asarray(order)
    d = len(chosen)
    values, ends = _means(np.asarray(vectors, np.float64)[:, chosen], MEANS if d > CELLS else CELLS)
    texts = [
        f"dimension {chosen[a]:,}" if b - a == 1 else f"mean of {b - a:,} dimensions"
        for a, b in pairwise(ends)
    ]
    hover = np.tile(np.array(texts, object), (len(names), 1))
    title = f"dimensions by {plain(by)}, highest first{_each(ends)}"
    return _strips(values, hover, names, title, row=40)


def _means(values: NDArray[np.float64], most: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Average neighbouring columns until there are at most so many; say where each begins."""
    d = values.shape[1]
    ends = np.linspace(0, d, min(d, most) + 1).round().astype(np.int64)
    return np.add.reduceat(values, ends[:-1], axis=1) / np.diff(ends), ends


def _each(ends: NDArray[np.int64]) -> str:
    """Say of how many dimensions each colour is the mean, if of more than one."""
    sizes = sorted(set(np.diff(ends).tolist()))
    return "" if sizes == [1] else f", each colour the mean of {' or '.join(map(str, sizes))}"


def _strips(
    rows: NDArray[np.float64],
    hover: NDArray[np.object_],
    labels: Sequence[str],
    title: str,
    *,
    row: int,
) -> go.Figure:
    """Draw rows of colours; `row` is the height of one in pixels."""
    known = np.abs(rows[np.isfinite(rows)])
    limit = float(np.quantile(known, CUT, method="higher")) if known.size else 0.0
    limit = limit or float(known.max(initial=0)) or 1.0
    negative = bool((rows < 0).any())
    marks = [-limit, 0.0, limit] if negative else [0.0, limit / 2, limit]
    texts = [f"{mark:.2g}" for mark in marks]
    if known.max(initial=0) > limit:
        texts[-1] = f"≥ {texts[-1]}"
        texts[0] = f"≤ {texts[0]}" if negative else texts[0]
    figure = go.Figure(
        go.Heatmap(
            z=rows,
            y=list(range(len(rows))),
            customdata=hover,
            colorscale=DIVERGING if negative else "Viridis",
            zmin=-limit if negative else 0.0,
            zmax=limit,
            ygap=4 if row > 20 else 1,
            hoverongaps=False,
            colorbar={
                "orientation": "h",
                "thickness": 10,
                "len": 0.6,
                "y": 1.0,
                "yanchor": "bottom",
                "outlinewidth": 0,
                "tickvals": marks,
                "ticktext": texts,
            },
            hovertemplate="%{customdata}: %{z:.3f}<extra></extra>",
        )
    )
    # As a title of the axis it would lie on the colours: without ticks there is no room for it.
    figure.add_annotation(
        text=title,
        x=0.5,
        xref="paper",
        y=0,
        yref="paper",
        yanchor="top",
        yshift=-4,
        showarrow=False,
        font={"size": 12},
    )
    bare = {"showgrid": False, "zeroline": False, "showline": False}
    return finished(
        figure,
        height=100 + row * len(rows),
        margin={"l": 10, "r": 10, "t": 10, "b": 30},
        xaxis={"showticklabels": False, **bare},
        yaxis={**ticks(labels), **bare, "autorange": "reversed"},
    )
