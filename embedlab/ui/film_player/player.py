"""The Python side of the film player."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike, NDArray

from embedlab.figures.palette import class_style
from embedlab.ui.assets import bundle, media_url
from embedlab.ui.packing import pack
from embedlab.ui.picture_grid.grid import Thumbnails
from embedlab.ui.sprites import sheet, sprites

_FRONTEND = Path(__file__).parent / "frontend"
_BINARY = "application/octet-stream"
_component = st.components.v2.component(
    "embedlab.film_player",
    css=(_FRONTEND / "style.css").read_text(encoding="utf-8"),
    js=bundle(_FRONTEND / "player.js"),
)


def film_player(
    coordinates: ArrayLike,
    *,
    ids: Sequence[str],
    labels: ArrayLike,
    predictions: ArrayLike,
    classes: Sequence[str],
    steps: Sequence[int] | NDArray[Any],
    names: Sequence[str],
    token: str,
    key: str,
    notes: Sequence[str] = (),
    tips: ArrayLike | None = None,
    arrows: Sequence[int] | None = None,
    thumbnails: Thumbnails | Callable[[int], bytes] | None = None,
    zoom: Literal["whole", "each"] = "whole",
    follow: bool = False,
    picked: int | None = None,
    height: int = 440,
    label: str = "Film of the training",
) -> int | None:
    """Play pictures that move from moment to moment, with a slider and the pictures at hand.

    Points are filled where the prediction of that moment is right, hollow where it is wrong.

    Parameters
    ----------
    coordinates : array_like of shape (T, n, 2)
        Where the n pictures lie at each of T moments; finite.
    ids : sequence of str, length n
    labels : array_like of shape (n,), int
        Index into `classes`.
    predictions : array_like of shape (T, n), int
        Index into `classes`.
    classes : sequence of str, length c
    steps : sequence of int, length T
        Ascending; by them a film that grows finds its place again.
    names : sequence of str, length T
        What each moment is called ("epoch 2.5").
    token : str
        Stands for the pictures in their order; other pictures have another token.
    key : str
        The player's name, unique on the page.
    notes : sequence of str, length T, optional
        A few words to stand beside the moment's name.
    tips : array_like of shape (T, m, 2), optional
        Ends of arrows, from the origin: one for each class, or for those of `arrows`.
    arrows : sequence of int, length m, optional
        Index into `classes`, of each arrow; all classes by default.
    thumbnails : Pack, sequence of bytes, or callable, optional
        ``thumbnails[i]`` or ``thumbnails(i)`` is picture i, encoded as JPEG.
    zoom : "whole" or "each"
        One frame for all moments, but for those that need more room; or one that follows each
        moment's own extent.
    follow : bool
        Begin at the last moment and go on to later ones as they come.
    picked : int, optional
        The picture to ring.
    height : int
        Of the drawing, in CSS pixels.
    label : str
        The player's name for screen readers.

    Returns
    -------
    int or None
        The picture that was clicked last.
    """
    drawn = np.asarray(coordinates, np.float32)
    t, n = drawn.shape[:2]
    if not t == len(steps) == len(names) or n != len(ids):
        raise ValueError(f"{len(names)} names and {len(ids)} ids for a film of shape {drawn.shape}")
    ends = np.empty((t, 0, 2), np.float32) if tips is None else np.asarray(tips, np.float32)
    pointed = list(range(len(classes)) if arrows is None else arrows) if ends.size else []
    if ends.shape[1] != len(pointed):
        raise ValueError(f"tips of shape {ends.shape} for the arrows of {len(pointed)} classes")
    frames: dict[str, NDArray[Any]] = {
        "coordinates": drawn,
        "tips": ends,
        "predictions": np.asarray(predictions, np.uint16),
    }
    cast = pack({"labels": np.asarray(labels, np.uint16)}, ids=[str(id_) for id_ in ids])
    styles = [class_style(k) for k in range(len(classes))]
    value: Any = (st.session_state.get(key) or {}).get("picked")
    if isinstance(value, int) and 0 <= value < n:
        picked = value
    _component(
        key=key,
        data={
            "token": token,
            "key": key,
            "label": label,
            "height": height,
            "follow": follow,
            "zoom": zoom,
            "picked": picked,
            "arrows": pointed,
            "steps": [int(step) for step in steps],
            "names": list(names),
            "notes": list(notes) or [""] * t,
            "classes": [str(name) for name in classes],
            "colours": [style.colour for style in styles],
            "symbols": [style.symbol for style in styles],
            "cast": media_url(cast, _BINARY, f"{key}.cast"),
            "frames": media_url(pack(frames), _BINARY, f"{key}.frames"),
            "sheets": _sheets(token, n, thumbnails, key),
        },
        on_picked_change=lambda: None,
    )
    return picked


def _sheets(
    token: str, n: int, thumbnails: Thumbnails | Callable[[int], bytes] | None, key: str
) -> dict[str, Any] | None:
    if thumbnails is None or not n:
        return None
    pictures = sprites(token, n, thumbnails if callable(thumbnails) else thumbnails.__getitem__)
    urls = {}
    for number in range(pictures.n_sheets):
        made = sheet(pictures, number)
        urls[str(number)] = media_url(made.data, _BINARY, f"{key}.sheet.{number}", name=made.name)
    return {"per": pictures.per_sheet, "urls": urls}
