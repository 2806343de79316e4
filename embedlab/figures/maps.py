"""Maps: pictures as points, a colour and a symbol a class, with arrows where there are axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from embedlab.figures.palette import NEUTRAL, ClassStyle, class_style
from embedlab.figures.style import finished, plain

NOBODY = -1
MANY = 1000  # beyond it, points are drawn by the graphics card
_IN_3D = {"circle", "square", "diamond", "cross"}  # of those that plotly draws well in 3-D


def scatter_map(
    coordinates: ArrayLike,
    labels: ArrayLike | None = None,
    classes: Sequence[str] = (),
    *,
    names: Sequence[str] | None = None,
    arrows: ArrayLike | None = None,
    arrow_classes: Sequence[int] | None = None,
    axis_titles: Sequence[str] = (),
    height: int = 520,
) -> go.Figure:
    """Draw pictures as points.

    Parameters
    ----------
    coordinates : array_like of shape (n, 2) or (n, 3)
        Pictures without finite coordinates are not drawn.
    labels : array_like of shape (n,), int, optional
        Index into `classes`, or -1 for none; a trace a class. Without labels all points look
        alike.
    classes : sequence of str
    names : sequence of str, length n, optional
        What hovering says of each picture; its number by default.
    arrows : array_like of shape (c, k), optional
        Tips of arrows from the origin.
    arrow_classes : sequence of int, length c, optional
        The class of each arrow; 0, 1, 2, ... by default.
    axis_titles : sequence of str
        None where axes mean nothing: then they have no numbers either.
    height : int
        In pixels.

    Returns
    -------
    plotly.graph_objects.Figure
        Both axes have one scale. The numbers of the pictures are in `customdata`, one a point.
    """
    points = np.asarray(coordinates, np.float32)
    solid = points.shape[1] == 3
    drawn = np.isfinite(points).all(axis=1)
    of_row = np.full(len(points), NOBODY) if labels is None else np.asarray(labels)
    texts = None if names is None else np.array([plain(name, 80) for name in names], object)
    kind = go.Scatter3d if solid else go.Scattergl if len(points) > MANY else go.Scatter
    n_classes = 0 if labels is None else max(len(classes), int(of_row.max(initial=NOBODY)) + 1)
    known = dict(enumerate(classes))
    groups = [(label, plain(known.get(label, label))) for label in range(n_classes)]
    if labels is None or (of_row < 0).any():
        groups.append((NOBODY, "pictures" if labels is None else "no class"))
    traces = []
    for label, name in groups:
        rows = np.flatnonzero(drawn & (of_row == label if label >= 0 else of_row < 0))
        if not len(rows):
            continue
        style = class_style(label) if label >= 0 else ClassStyle(NEUTRAL, "circle")
        traces.append(
            kind(
                **dict(zip("xyz", points[rows].T, strict=False)),
                mode="markers",
                name=name,
                marker={
                    "color": style.colour,
                    "symbol": style.symbol if not solid or style.symbol in _IN_3D else "circle",
                    "size": _size(len(points), solid),
                    "opacity": 0.85 if len(points) <= MANY else 0.7,
                },
                customdata=rows.astype(np.int32),
                text=None if texts is None else texts[rows],
                hovertemplate=("picture %{customdata}" if texts is None else "%{text}")
                + "<extra>%{fullData.name}</extra>",
            )
        )
    figure = go.Figure(traces)
    if arrows is not None:
        tips = np.asarray(arrows, np.float64)
        owners = range(len(tips)) if arrow_classes is None else arrow_classes
        _add_arrows(figure, tips, list(owners), classes)
    finished(figure, height=height, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
    _title_axes(figure, axis_titles, solid)
    return figure


def _size(n: int, solid: bool) -> float:
    return (4.0 if n <= MANY else 2.5) if solid else (8.0 if n <= MANY else 4.0)


def _add_arrows(
    figure: go.Figure, tips: NDArray[np.float64], owners: list[int], classes: Sequence[str]
) -> None:
    for tip, owner in zip(tips, owners, strict=True):
        colour = class_style(owner).colour
        name = plain(classes[owner], 18) if owner < len(classes) else str(owner)
        if len(tip) == 3:
            figure.add_trace(
                go.Scatter3d(
                    **{axis: [0.0, float(end)] for axis, end in zip("xyz", tip, strict=True)},
                    mode="lines+text",
                    text=["", name],
                    line={"color": colour, "width": 6},
                    showlegend=False,
                    hoverinfo="skip",
                )
            )
            continue
        figure.add_annotation(
            x=float(tip[0]),
            y=float(tip[1]),
            ax=0,
            ay=0,
            xref="x",
            yref="y",
            axref="x",
            ayref="y",
            text="",
            arrowcolor=colour,
            arrowwidth=2.5,
            arrowhead=2,
            showarrow=True,
        )
        # An arrow does not stretch the axes; an unseen point at its tip, which has the name, does.
        figure.add_trace(
            go.Scatter(
                x=[float(tip[0])],
                y=[float(tip[1])],
                mode="text",
                text=[f"<b>{name}</b>"],
                textposition=_away(tip),
                textfont={"color": colour, "size": 14, "shadow": "auto"},
                showlegend=False,
                hoverinfo="skip",
                cliponaxis=False,
            )
        )


def _away(tip: NDArray[np.float64]) -> str:
    x, y = float(tip[0]), float(tip[1])
    if abs(x) > 2 * abs(y):
        return "middle right" if x > 0 else "middle left"
    return "top center" if y > 0 else "bottom center"


def _title_axes(figure: go.Figure, titles: Sequence[str], solid: bool) -> None:
    bare = not titles
    for place, axis in enumerate("xyz" if solid else "xy"):
        look: dict[str, Any] = {
            "title": {"text": "" if bare else plain(titles[place])},
            "showticklabels": not bare,
            "zeroline": not bare,
        }
        if solid:
            figure.update_layout({"scene": {f"{axis}axis": look, "aspectmode": "data"}})
        else:
            figure.update_layout({f"{axis}axis": look})
    if not solid:
        figure.update_yaxes(scaleanchor="x", scaleratio=1)
