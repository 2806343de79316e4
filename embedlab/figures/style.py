"""What all figures share: a quiet template for light and dark, and text that stays text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape
from typing import Any

import plotly.graph_objects as go

from embedlab.figures.palette import COLOURS

CLEAR = "rgba(0,0,0,0)"
DIVERGING, RISING = "RdBu_r", "Cividis"
# Of text on colours, in light and dark. Not quite black and white, so that the app can tell them
# from what plotly chose by itself.
BLACK, WHITE = "rgb(17, 23, 21)", "rgb(254, 254, 254)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@cache
def template(*, dark: bool = False) -> go.layout.Template:
    """Give the look of all figures.

    Figures are made for light pages, on a clear background; for a dark one::

        figure.update_layout(template=template(dark=True))

    Parameters
    ----------
    dark : bool
        Whether the page is dark.
    """
    text, grid, line = (
        ("#D5DCD8", "#2B3733", "#55625D") if dark else ("#3A4642", "#E6EBE8", "#A9B3AF")
    )
    axis = {
        "gridcolor": grid,
        "linecolor": line,
        "zerolinecolor": line,
        "zerolinewidth": 1,
        "ticks": "",
        "automargin": True,
        "title": {"standoff": 8},
    }
    scene = {**{key: axis[key] for key in ("gridcolor", "linecolor", "zerolinecolor")}}
    scene |= {"backgroundcolor": CLEAR, "showbackground": False}
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": text},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "colorway": list(COLOURS),
            "xaxis": axis,
            "yaxis": axis,
            "scene": {"xaxis": scene, "yaxis": scene, "zaxis": scene},
            "hoverlabel": {
                "bgcolor": "#1B2421" if dark else "#FFFFFF",
                "bordercolor": line,
                "font": {"family": FONT, "color": text},
            },
            "legend": {"itemsizing": "constant", "bgcolor": CLEAR},
            "separators": ".,",
        }
    )


def finished(figure: go.Figure, *, height: int, **layout: Any) -> go.Figure:
    """Give a figure the shared look, a height in pixels and its own layout."""
    figure.update_layout(
        template=template(),
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )
    return figure.update_layout(**layout)


def plain(text: object, limit: int = 40) -> str:
    """Make a name safe for a figure, where plotly would read markup or a formula.

    Parameters
    ----------
    text : object
        A name of a class, file or column, by whomever.
    limit : int
        Longer names lose their middle: what tells names apart is often at the end.

    Examples
    --------
    >>> plain("<b>rose</b> & $x$")
    '&lt;b&gt;rose&lt;/b&gt; &amp; &#36;x&#36;'
    >>> plain("flower_photos, MobileNetV2, fine-tuned (second)", 24)
    'flower_photos, …(second)'
    """
    words = " ".join(str(text).split())
    end = (limit - 1) * 3 // 8
    short = words if len(words) <= limit else f"{words[: limit - 1 - end]}…{words[-end:]}"
    return escape(short, quote=False).replace("$", "&#36;")


def ticks(names: Iterable[object], limit: int = 18) -> dict[str, Any]:
    """Put names at the places 0, 1, 2, ... of an axis; names may repeat or be cut."""
    texts = [plain(name, limit) for name in names]
    return {
        "tickmode": "array",
        "tickvals": list(range(len(texts))),
        "ticktext": texts,
        "ticklabeloverflow": "allow",
    }
