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

INPUT, BODY, EMBEDDING, HEAD = NEUTRAL, COLOURS[0], COLOURS[2], COLOURS[1]
FLAT = 9  # so many labels stand beside each other without overlapping


def blocks(architecture: Sequence[Mapping[str, Any]], *, batch: int = 1) -> go.Figure:
    """Draw a network as blocks: as high as the map's side, as wide as it has channels.

    Parameters
    ----------
    architecture : sequence of mappings
        In order: name, what, shape (with a batch of 1), parameters; "embedding" and "head" last.
    batch : int
        The batch that the shapes are written for.

    Returns
    -------
    plotly.graph_objects.Figure
        Heights and widths are logarithms: 256 to 8 is a long way.
    """
    figure = go.Figure()
    left, cut = 0.0, None
    for row in architecture:
        channels, side = (
            int(row["shape"][1]),
            (int(row["shape"][-1]) if len(row["shape"]) == 4 else 1),
        )
        width, height = 0.35 + 0.16 * math.log2(1 + channels), 0.5 + math.log2(side)
        shape = [batch, *row["shape"][1:]]
        colour = {"input": INPUT, "embedding": EMBEDDING, "head": HEAD}.get(row["name"], BODY)
        if row["name"] == "head":
            cut = left - 0.15
        text = (
            f"<b>{escape(str(row['name']))}</b><br>{escape(str(row['what']))}<br>"
            f"{shape}<br>{row['parameters']:,} parameters<extra></extra>"
        )
        figure.add_trace(
            go.Scatter(
                x=[left, left + width, left + width, left, left],
                y=[-height / 2, -height / 2, height / 2, height / 2, -height / 2],
                fill="toself",
                mode="lines",
                line={"color": colour, "width": 1},
                fillcolor=colour,
                opacity=0.75,
                hoveron="fills",
                text=text,
                hoverinfo="text",
                showlegend=False,
            )
        )
        label = " x ".join(map(str, row["shape"][1:]))
        figure.add_annotation(
            x=left + width / 2,
            y=-4.7,
            text=f"{escape(str(row['name']))}<br><b>{label}</b>",
            textangle=0 if len(architecture) <= FLAT else -40,
            showarrow=False,
            xanchor="center" if len(architecture) <= FLAT else "right",
            yanchor="top",
            font={"size": 12},
        )
        left += width + 0.3
    if cut is not None:
        figure.add_vline(x=cut, line={"dash": "dash", "width": 2, "color": HEAD})
        figure.add_annotation(
            x=cut,
            y=5.2,
            text="← body   cut   head →",
            showarrow=False,
            xanchor="right",
            xshift=60,
            bgcolor=HEAD,
            borderpad=3,
            font={"color": "white", "size": 12},
        )
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True, range=[-7.8, 6.0])
    figure.update_layout(
        height=360,
        margin={"l": 30, "r": 10, "t": 10, "b": 10},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure


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
    return _square(figure, values.shape[1], values.shape[0], title, height=170)


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
