"""Drawings of points in the plane: PNG and SVG to print, HTML to look at with the pictures."""

from __future__ import annotations

import base64
import html
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedlab.data.notes import count
from embedlab.data.sampling import sample
from embedlab.embedding.ledger import Block
from embedlab.embedding.matrix import Matrix
from embedlab.embedding.thumbnails import Thumbnails
from embedlab.figures.palette import COLOURS, ClassStyle, class_style
from embedlab.files import new_file

# A page with so many pictures of 64 px has about 30 MB.
HTML_POINTS = 10_000
# An SVG with more marks than this is slow to open, so they become one picture in it.
SVG_POINTS = 20_000
LEGEND_CLASSES = 30
TITLE, NAME = 90, 32  # letters that fit above the points, and beside them
FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR"),
    *("PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "Arial Unicode MS"),
    *("Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "WenQuanYi Zen Hei"),
    *("Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Thai"),
)
_MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "triangle-down": "v",
    "cross": "P",
    "x": "X",
    "star": "*",
    "pentagon": "p",
    "hexagon": "h",
    "triangle-left": "<",
    "triangle-right": ">",
}


def draw(
    matrix: Matrix,
    thumbnails: Thumbnails,
    beside: Callable[[str], Path],
    *,
    title: str,
    axes: tuple[str, ...] = (),
    seed: int = 123,
    say: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Draw points in the plane, coloured by class.

    Parameters
    ----------
    matrix : Matrix
        With two columns.
    thumbnails : callable
        Gives encoded pictures by their numbers in the stream.
    beside : callable
        Gives a path for an ending, such as ".png".
    title : str
    axes : tuple of 2 str
        What the columns are called; none where they mean nothing, and so have no numbers.
    seed : int
        Decides which points the HTML page shows where there are more than 10,000.
    say : callable
        Told what a person should know about the drawings.

    Returns
    -------
    list of Path
        A PNG, an SVG and an HTML page that needs no network.
    """
    block = matrix.gathered()
    names = {name: k for k, name in enumerate(matrix.classes)}
    labels = np.array([names.get(name, -1) for name in block.labels.tolist()])
    files = [beside(".png"), beside(".svg"), beside(".html")]
    with warnings.catch_warnings(record=True) as met:
        warnings.simplefilter("always")
        _stills(block.vectors, labels, matrix.classes, files[:2], title=title, axes=axes)
    if any("missing from font" in str(one.message) for one in met):
        say(
            "No font of this machine has all letters of the names, so the PNG has boxes for some; "
            "SVG and HTML are drawn with the fonts of whoever looks at them."
        )
    shown, said = np.arange(matrix.n), count(matrix.n, "picture")
    if matrix.n > HTML_POINTS:
        shown = np.array(sample(matrix.n, limit=HTML_POINTS, seed=seed))
        said = f"{HTML_POINTS:,} of {matrix.n:,} pictures, drawn with seed {seed}"
    if len(matrix.classes) > LEGEND_CLASSES:
        said += f", {_unnamed(matrix.classes)}"
    kept = np.zeros(matrix.n, bool)
    kept[shown] = True
    pictures = [base64.b64encode(one).decode() for one in thumbnails(matrix.numbers[kept])]
    page = _page(
        block.take(kept),
        labels[kept],
        matrix.classes,
        pictures,
        title=title,
        said=said,
        axes=axes,
    )
    with new_file(files[2]) as path:
        path.write_text(page, encoding="utf-8")
    return files


def _unnamed(classes: tuple[str, ...]) -> str:
    return f"{len(classes):,} classes, too many to name"


def _short(name: str, limit: int) -> str:
    """Cut a name, which spreads over several lines otherwise, or over the drawing."""
    words = " ".join(name.split())
    return words if len(words) <= limit else f"{words[: limit - 1]}…"


def _fonts() -> list[str]:
    """Name the fonts of this machine that have letters which the usual one has not."""
    from matplotlib.font_manager import fontManager

    there = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in FONTS if name in there)]


def _stills(
    points: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    files: list[Path],
    *,
    title: str,
    axes: tuple[str, ...],
) -> None:
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = float(np.clip(20_000 / max(len(points), 1), 3, 36))
    # Names of classes and files are no mathematics, and equal matrices give equal files.
    with rc_context(
        {
            "text.parse_math": False,
            "svg.hashsalt": "embedlab",
            "svg.fonttype": "none",
            "font.family": _fonts(),
        }
    ):
        figure = Figure(figsize=(9, 6.5), layout="constrained")
        FigureCanvasAgg(figure)
        ax = figure.add_subplot()
        for label in np.unique(labels).tolist():
            style = class_style(label) if classes else ClassStyle(COLOURS[0], "circle")
            rows = labels == label
            ax.scatter(
                points[rows, 0],
                points[rows, 1],
                s=size,
                c=style.colour,
                marker=_MARKERS[style.symbol],
                linewidths=0,
                alpha=0.8,
                label=_short(classes[label], NAME) if classes else None,
                rasterized=len(points) > SVG_POINTS,
            )
        many = len(classes) > LEGEND_CLASSES
        ax.set_title(_short(title, TITLE) + (f"\n{_unnamed(classes)}" if many else ""), wrap=True)
        if axes:
            ax.set(xlabel=axes[0], ylabel=axes[1])
        else:
            ax.set(xticks=[], yticks=[])
        ax.set_aspect("equal", adjustable="datalim")
        ax.spines[["top", "right"] if axes else ["top", "right", "bottom", "left"]].set_visible(
            False
        )
        if 0 < len(classes) <= LEGEND_CLASSES:
            figure.legend(loc="outside right upper", frameon=False, markerscale=4 / size**0.5)
        for target in files:
            with new_file(target) as path:
                kind = target.suffix.removeprefix(".")
                metadata = {"Date": None} if kind == "svg" else None
                figure.savefig(path, format=kind, dpi=150, metadata=metadata)


def _page(
    block: Block,
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    pictures: list[str],
    *,
    title: str,
    said: str,
    axes: tuple[str, ...],
) -> str:
    from embedlab.figures.maps import scatter_map

    given = labels if classes else None
    figure = scatter_map(block.vectors, given, classes, axis_titles=axes)
    figure.update_traces(hovertemplate=None, hoverinfo="none")
    quiet = {"orientation": "v", "bgcolor": "rgba(255,255,255,0.8)"}
    tools = {**quiet, "color": "#767676", "activecolor": "#222"}
    figure.update_layout(height=None, dragmode="pan", modebar=tools)
    if len(classes) > LEGEND_CLASSES:
        figure.update_layout(showlegend=False)
    drawn = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        post_script=_HOVER,
        config={
            "responsive": True,
            "scrollZoom": True,
            "displaylogo": False,
            "showSendToCloud": False,  # nobody's pictures go to a server by a click
        },
        default_height="100%",
    )
    known = {"ids": block.ids.tolist(), "labels": block.labels.tolist(), "pictures": pictures}
    return _PAGE.format(
        title=html.escape(title),
        said=html.escape(said),
        # A name must not end the script that holds it.
        known=json.dumps(known).replace("<", "\\u003c"),
        drawn=drawn,
    )


_HOVER = """
const plot = document.getElementById("{plot_id}");
const known = JSON.parse(document.getElementById("known").textContent);
const card = document.getElementById("card");
const [picture, name, label] = card.children;
plot.on("plotly_hover", (event) => {
  const row = event.points[0].customdata;
  picture.src = "data:image/jpeg;base64," + known.pictures[row];
  name.textContent = known.ids[row];
  label.textContent = known.labels[row];
  card.hidden = false;
  const { clientX: x, clientY: y } = event.event;
  const { width, height } = card.getBoundingClientRect();
  const left = x + 16 + width < innerWidth ? x + 16 : x - 16 - width;
  card.style.left = Math.max(0, Math.min(left, innerWidth - width)) + "px";
  card.style.top = Math.max(0, Math.min(y + 16, innerHeight - height)) + "px";
});
plot.on("plotly_unhover", () => { card.hidden = true; });
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  html, body {{ height: 100%; margin: 0; font: 14px system-ui, sans-serif; color: #222; }}
  body {{ display: flex; flex-direction: column; background: #fff; }}
  header {{ padding: 12px 20px 0; }}
  h1 {{ font-size: 18px; margin: 0 0 4px; overflow-wrap: anywhere; }}
  p {{ margin: 0; color: #555; }}
  main {{ flex: 1; min-height: 0; }}
  main > div {{ height: 100%; }}
  #card {{ position: fixed; pointer-events: none; background: #fff; border: 1px solid #ccc;
    border-radius: 6px; padding: 8px; box-shadow: 0 2px 10px #0003; max-width: 240px; z-index: 9;
    box-sizing: border-box; max-height: 100vh; overflow: hidden; }}
  #card img {{ display: block; height: 128px; max-width: 100%; object-fit: contain;
    margin: 0 auto 6px; }}
  #card div {{ overflow-wrap: anywhere; }}
  #card div:last-child {{ color: #555; }}
</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{said}. Point at one to see it; scroll to zoom, drag to move.</p>
</header>
<div id="card" hidden><img alt=""><div></div><div></div></div>
<script type="application/json" id="known">{known}</script>
<main>{drawn}</main>
</body>
</html>
"""
