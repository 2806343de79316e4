"""Pictures of a network: its blocks with their shapes, and what its feature maps show."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
from numpy.typing import NDArray

from embedlab.figures.palette import COLOURS, NEUTRAL
from embedlab.figures.style import BLACK, finished, plain

BODY, HEAD = COLOURS[0], COLOURS[1]
COLOUR = {"input": NEUTRAL, "pooling": COLOURS[4], "embedding": COLOURS[2], "head": HEAD}
# In pixels: a line of text, what is between blocks, around the cut, and how high the pooling is.
LINE, GAP, CUT, POOLING = 18, 5, 34, 26


def steps(architecture: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Make the pooling between the last map and the vector a step of its own.

    Parameters
    ----------
    architecture : sequence of mappings
        In order: name, what, shape (with a batch of 1), parameters; "embedding" and "head" last.

    Returns
    -------
    list of dict
        With "pooling" before "embedding" where a map comes before it.

    Examples
    --------
    >>> rows = [
    ...     {"name": "stem", "what": "convolution", "shape": [1, 8, 4, 4], "parameters": 9},
    ...     {"name": "embedding", "what": "average", "shape": [1, 8], "parameters": 0},
    ... ]
    >>> [(row["name"], row["what"]) for row in steps(rows)]
    [('stem', 'convolution'), ('pooling', 'average'), ('embedding', 'the vector at the cut')]
    """
    found: list[dict[str, Any]] = []
    for row in map(dict, architecture):
        if row["name"] == "embedding" and found and len(found[-1]["shape"]) > 2:
            found.append({**row, "name": "pooling"})
            found.append({**row, "what": "the vector at the cut", "parameters": 0})
        else:
            found.append(row)
    return found


def blocks(architecture: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw a network from top to bottom: as wide as the map's side, as thick as it has channels.

    Every block has its name on the left and the shape of its output, for one picture, on the
    right, so that nothing overlaps on a narrow screen either.

    Parameters
    ----------
    architecture : sequence of mappings
        In order: name, what, shape (with a batch of 1), parameters; "embedding" and "head" last.

    Returns
    -------
    plotly.graph_objects.Figure
        Widths and thicknesses are logarithms: 256 to 8 is a long way.
    """
    rows = steps(architecture)
    sides = [_side(row["shape"]) for row in rows]
    widths = [_width(side) / _width(max(sides, default=1)) for side in sides]
    figure = go.Figure()
    y, cut, places = 0.0, None, []
    for row in rows:
        if row["name"] == "head":
            cut, y = y + CUT / 2, y + CUT
        thick = POOLING if row["name"] == "pooling" else _thickness(row["shape"])
        room = max(thick, LINE)
        places.append((y + (room - thick) / 2, thick))
        y += room + GAP
    for k, (row, (top, thick)) in enumerate(zip(rows, places, strict=True)):
        above = widths[k - 1] if row["name"] == "pooling" else widths[k]
        figure.add_trace(_block(row, top, thick, above, widths[k]))
        for text, side in ((plain(row["name"], 14), 0), (_shape(row["shape"]), 1)):
            figure.add_annotation(
                x=side,
                xref="paper",
                xanchor="left" if side else "right",
                xshift=8 if side else -8,
                y=top + thick / 2,
                yanchor="middle",
                text=f"<b>{text}</b>" if side else text,
                showarrow=False,
                font={"size": 12},
            )
    if cut is not None:
        figure.add_hline(y=cut, line={"dash": "dash", "width": 2, "color": HEAD})
        figure.add_annotation(
            x=0.5,
            xref="paper",
            y=cut,
            yanchor="middle",
            text="↑ body · cut · head ↓",
            showarrow=False,
            bgcolor=HEAD,
            borderpad=3,
            font={"color": BLACK, "size": 12},
        )
    figure.update_xaxes(visible=False, fixedrange=True, range=[-0.5, 0.5])
    figure.update_yaxes(visible=False, fixedrange=True, range=[y, -GAP])
    return finished(
        figure, height=round(y) + 20, margin={"l": 104, "r": 104, "t": 10, "b": 10, "pad": 0}
    )


def _block(
    row: Mapping[str, Any], top: float, thick: float, above: float, below: float
) -> go.Scatter:
    """Draw one block; the pooling's sides lean from the width above to that below."""
    a, b = above / 2, below / 2
    colour = COLOUR.get(row["name"], BODY)
    return go.Scatter(
        x=[-a, a, b, -b, -a],
        y=[top, top, top + thick, top + thick, top],
        fill="toself",
        mode="lines",
        line={"color": colour, "width": 1},
        fillcolor=colour,
        opacity=0.85,
        hoveron="fills",
        text=f"<b>{plain(row['name'])}</b><br>{plain(row['what'], 90)}<br>"
        f"{_shape(row['shape'])}<br>{row['parameters']:,} parameters",
        hoverinfo="text",
        showlegend=False,
    )


def _shape(shape: Sequence[int]) -> str:
    """Write what comes out for one picture: the batch, which is first, is left out."""
    return " x ".join(map(str, shape[1:]))


def _side(shape: Sequence[int]) -> float:
    """Give the side of a map, also where its places lie in a row; 1 of a vector."""
    return float(shape[-1]) if len(shape) == 4 else shape[1] ** 0.5 if len(shape) == 3 else 1.0


def _width(side: float) -> float:
    return 0.6 + math.log2(max(side, 1.0))


def _thickness(shape: Sequence[int]) -> float:
    channels = shape[2] if len(shape) == 3 else shape[1]
    return 2 + 2.6 * math.log2(1 + channels)


def overlay(picture: bytes, values: NDArray[Any], *, title: str) -> go.Figure:
    """Lay a map of values, blue for less and red for more, over the picture they belong to.

    Parameters
    ----------
    picture : bytes
        The square picture that the model saw, as JPEG.
    values : ndarray of shape (h, w)
        The first row is the top of the picture.
    title : str

    Returns
    -------
    plotly.graph_objects.Figure
        The scale is symmetric about 0.
    """
    h, w = values.shape
    limit = float(abs(values).max()) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=values,
            colorscale="RdBu_r",
            zmin=-limit,
            zmax=limit,
            opacity=0.55,
            zsmooth="best" if min(h, w) > 2 else False,
            hovertemplate="row %{y}, column %{x}: %{z:.3f}<extra></extra>",
            colorbar={"thickness": 12, "len": 0.8},
        )
    )
    source = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    figure.add_layout_image(
        source=source,
        x=-0.5,
        y=-0.5,
        sizex=w,
        sizey=h,
        xref="x",
        yref="y",
        sizing="stretch",
        layer="below",
    )
    return _square(figure, w, h, title)


def channel(values: NDArray[Any], *, title: str) -> go.Figure:
    """Draw one channel of a feature map, dark for silent, bright for excited.

    Parameters
    ----------
    values : ndarray of shape (h, w)
    title : str
    """
    figure = go.Figure(
        go.Heatmap(
            z=values,
            colorscale="Cividis",
            showscale=False,
            hovertemplate="row %{y}, column %{x}: %{z:.3f}<extra></extra>",
        )
    )
    return _square(figure, values.shape[1], values.shape[0], title, height=150)


def _square(figure: go.Figure, w: int, h: int, title: str, height: int = 330) -> go.Figure:
    figure.update_xaxes(visible=False, range=[-0.5, w - 0.5], constrain="domain")
    figure.update_yaxes(visible=False, range=[h - 0.5, -0.5], scaleanchor="x", constrain="domain")
    figure.update_layout(
        title={"text": escape(title), "font": {"size": 13}, "x": 0.02, "y": 0.98},
        height=height,
        margin={"l": 4, "r": 4, "t": 28, "b": 4},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure
