"""Drawings of points in the plane: PNG and SVG to print, HTML to look at with the pictures."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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

    Returns
    -------
    list of Path
        A PNG, an SVG and an HTML page that needs no network.
    """
    block = matrix.gathered()
    names = {name: k for k, name in enumerate(matrix.classes)}
    labels = np.array([names.get(name, -1) for name in block.labels.tolist()])
    files = [beside(".png"), beside(".svg"), beside(".html")]
    _stills(block.vectors, labels, matrix.classes, files[:2], title=title, axes=axes)
    shown, said = np.arange(matrix.n), f"{matrix.n:,} pictures"
    if matrix.n > HTML_POINTS:
        shown = np.array(sample(matrix.n, limit=HTML_POINTS, seed=seed))
        said = f"{HTML_POINTS:,} of {matrix.n:,} pictures, drawn with seed {seed}"
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
    with rc_context({"text.parse_math": False, "svg.hashsalt": "embedlab", "svg.fonttype": "none"}):
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
                label=classes[label] if classes else None,
                rasterized=len(points) > SVG_POINTS,
            )
        ax.set_title(title)
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
    figure.update_layout(height=None, dragmode="pan")
    if len(classes) > LEGEND_CLASSES:
        figure.update_layout(showlegend=False)
    drawn = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        post_script=_HOVER,
        config={"responsive": True, "scrollZoom": True, "displaylogo": False},
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
  card.style.left = (x + 16 + width < innerWidth ? x + 16 : x - 16 - width) + "px";
  card.style.top = Math.max(0, Math.min(y + 16, innerHeight - height)) + "px";
});
plot.on("plotly_unhover", () => { card.hidden = true; });
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
  html, body {{ height: 100%; margin: 0; font: 14px system-ui, sans-serif; color: #222; }}
  body {{ display: flex; flex-direction: column; background: #fff; }}
  header {{ padding: 12px 20px 0; }}
  h1 {{ font-size: 18px; margin: 0 0 4px; }}
  p {{ margin: 0; color: #555; }}
  main {{ flex: 1; min-height: 0; }}
  main > div {{ height: 100%; }}
  #card {{ position: fixed; pointer-events: none; background: #fff; border: 1px solid #ccc;
    border-radius: 6px; padding: 8px; box-shadow: 0 2px 10px #0003; max-width: 240px; z-index: 9; }}
  #card img {{ display: block; height: 128px; margin: 0 auto 6px; image-rendering: auto; }}
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
