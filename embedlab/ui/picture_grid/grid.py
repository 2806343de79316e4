"""The Python side of the gallery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import streamlit as st

from embedlab.ui.assets import bundle, media_url

Mark = Literal["", "query", "same", "other", "right", "wrong"]

_FRONTEND = Path(__file__).parent / "frontend"
_component = st.components.v2.component(
    "embedlab.picture_grid",
    css=(_FRONTEND / "grid.css").read_text(encoding="utf-8"),
    js=bundle(_FRONTEND / "grid.js"),
)


class Thumbnails(Protocol):
    """Encoded pictures by row: a run's `Pack`, a list of bytes, ..."""

    def __getitem__(self, index: int, /) -> bytes:
        """Give one encoded picture."""
        ...


@dataclass(frozen=True)
class Caption:
    """What stands below a picture. All of it is text, never markup.

    Parameters
    ----------
    name : str
        What the picture is called.
    score : str
        A number that belongs to it, formatted.
    label : str
        Its class.
    colour, symbol : str
        The class's chip: a CSS colour, and a name from symbols.js ("circle", "square", ...).
    """

    name: str = ""
    score: str = ""
    label: str = ""
    colour: str = ""
    symbol: str = "circle"


def picture_grid(
    rows: Sequence[int],
    *,
    key: str,
    thumbnails: Thumbnails | Callable[[int], bytes],
    captions: Sequence[Caption] | None = None,
    marks: Sequence[Mark] | None = None,
    columns: int | Literal["auto"] = "auto",
    cell: int = 112,
    label: str = "Pictures",
    on_click: Callable[[int], None] | None = None,
) -> int | None:
    """Show pictures as a grid of buttons.

    Parameters
    ----------
    rows : sequence of int
        The pictures to show, in order.
    key : str
        The gallery's name, unique on the page.
    thumbnails : Pack, sequence of bytes, or callable
        ``thumbnails[row]`` or ``thumbnails(row)`` is the picture, encoded as JPEG.
    captions : sequence of Caption, optional
        One for each of `rows`.
    marks : sequence of str, optional
        One for each of `rows`: "query", "same" or "other" (class), "right", "wrong" or "".
    columns : int or "auto"
        At most so many columns; on a narrow screen there are fewer.
    cell : int
        A cell's least width in CSS pixels.
    label : str
        The gallery's name for screen readers.
    on_click : callable, optional
        Called with the row before the page runs again.

    Returns
    -------
    int or None
        The row that was clicked just now.
    """
    captions = captions if captions is not None else [Caption()] * len(rows)
    marks = marks if marks is not None else [""] * len(rows)
    if not len(rows) == len(captions) == len(marks):
        raise ValueError(f"{len(rows)} rows, {len(captions)} captions and {len(marks)} marks")
    picture = thumbnails if callable(thumbnails) else thumbnails.__getitem__
    cells = [
        {
            "row": int(row),
            "url": media_url(picture(int(row)), "image/jpeg", f"{key}.{place}"),
            "mark": mark,
            **vars(caption),
        }
        for place, (row, caption, mark) in enumerate(zip(rows, captions, marks, strict=True))
    ]
    shown = {item["row"] for item in cells}

    def clicked() -> int | None:
        value: Any = (st.session_state.get(key) or {}).get("picked")
        return value if isinstance(value, int) and value in shown else None

    def answer() -> None:
        row = clicked()
        if on_click is not None and row is not None:
            on_click(row)

    _component(
        key=key,
        data={
            "cells": cells,
            "columns": None if columns == "auto" else columns,
            "cell": cell,
            "label": label,
        },
        on_picked_change=answer,
    )
    return clicked()
