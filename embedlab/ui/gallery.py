"""Galleries of a run's pictures, with class, score and what else should stand below each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from embedlab.figures.palette import class_style
from embedlab.runs import Run
from embedlab.ui import cache
from embedlab.ui.picture_grid import Caption, picture_grid
from embedlab.ui.picture_grid.grid import Mark


def gallery(
    run: Run,
    rows: Sequence[int],
    *,
    key: str,
    scores: Sequence[str] | None = None,
    query_label: int | None = None,
    marks: Sequence[Mark] | None = None,
    seen: bool = False,
    crisp: bool = False,
    cell: int = 112,
    columns: int | Literal["auto"] = "auto",
    label: str = "Pictures",
    on_click: Callable[[int], None] | None = None,
) -> int | None:
    """Show some of a run's pictures; a click gives the picture's row.

    Parameters
    ----------
    run : Run
    rows : sequence of int
        The pictures, in order.
    key : str
        The gallery's name, unique on the page.
    scores : sequence of str, optional
        A formatted number to stand below each picture.
    query_label : int, optional
        A class: pictures of it are marked as the same, others as other.
    marks : sequence of str, optional
        Marks of one's own, one a picture, instead of `query_label`.
    seen : bool
        Show what the model saw in place of the original pictures.
    crisp : bool
        Show large copies of the originals, where these are at hand: for a picture or two.
    cell : int
        A cell's least width in CSS pixels.
    columns : int or "auto"
        At most so many columns.
    label : str
        The gallery's name for screen readers.
    on_click : callable, optional
        Called with the row before the page runs again.

    Returns
    -------
    int or None
        The row that was clicked just now.
    """
    if marks is None and query_label is not None and run.labels is not None:
        marks = ["same" if run.labels[row] == query_label else "other" for row in rows]
    small = run.inputs if seen and run.inputs is not None else run.thumbnails
    return picture_grid(
        rows,
        key=key,
        thumbnails=partial(cache.crisp, run) if crisp and not seen else small,
        captions=[
            caption(run, row, "" if scores is None else scores[i]) for i, row in enumerate(rows)
        ],
        marks=marks,
        cell=cell,
        columns=columns,
        label=label,
        on_click=on_click,
    )


def caption(run: Run, row: int, score: str = "") -> Caption:
    """Say what one picture is: its name, its class with colour and symbol, and a score."""
    name = str(run.items["id"].iat[row])
    if run.labels is None:
        return Caption(name=name, score=score)
    k = int(run.labels[row])
    style = class_style(k)
    return Caption(
        name=name, score=score, label=run.classes[k], colour=style.colour, symbol=style.symbol
    )
