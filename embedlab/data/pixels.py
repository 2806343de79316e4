"""Turn arrays of numbers into 8-bit pictures, by stated rules and never by guessing."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError

BUDGET = 4 << 30
_CHUNK_BYTES = 64 << 20


def as_pictures(
    array: NDArray[Any], *, name: str = "The array", budget: int = BUDGET
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Turn an array of numbers into 8-bit pictures.

    Shapes: (n, h, w) and (n, h, w, 1) are grey, (n, h, w, 3) is RGB, (n, h, w, 4) is RGBA and is
    laid on white. Channels first, (n, 1, h, w) or (n, 3, h, w), are recognised where the last
    axis cannot be the channels. Values: integers and floats in 0..255 stay (rounded), floats in
    0..1 are multiplied by 255, integers in 0..65535 by 255/65535, booleans become 0 and 255;
    other ranges are refused.

    Parameters
    ----------
    array : ndarray
        Integers, floats or booleans.
    name : str
        What errors call it.
    budget : int
        Bytes that the result may need, where it is not a view.

    Returns
    -------
    images : ndarray of shape (n, height, width) or (n, height, width, 3), uint8
        A view of `array` where nothing had to be computed.
    notes : tuple of str
        How it was understood.

    Raises
    ------
    EmbedlabError
        If the shape or the values are no pictures, or the result is beyond the budget.
    """
    pictures, notes = _channels_last(array, name)
    colours = pictures.shape[3] if pictures.ndim == 4 else 1
    if pictures.dtype == np.uint8 and colours != 4:
        return pictures, tuple(notes)
    needed = prod(pictures.shape[:3]) * min(colours, 3)
    if needed > budget:
        raise EmbedlabError(
            f"{name} needs {needed / 1e9:.3g} GB of memory as pictures, more than the "
            f"{budget / 1e9:.3g} GB allowed.",
            remedy="Save it as uint8 in a .npy, which is read from the disk piece by piece.",
        )
    low, high = _range(pictures, name)
    factor = _factor(pictures.dtype, low, high, name)
    if high <= 16 and factor == 1:
        notes.append(f"The greatest value is {high:g} of 255, so the pictures are nearly black.")
    images = np.empty(pictures.shape[:3] + ((3,) if colours > 1 else ()), np.uint8)
    for rows in _chunks(pictures):
        values = pictures[rows].astype(np.float64) * factor
        if colours == 4:
            alpha = values[..., 3:] / 255
            values = values[..., :3] * alpha + 255 * (1 - alpha)
        images[rows] = np.rint(values)
    return images, tuple(notes)


def _channels_last(array: NDArray[Any], name: str) -> tuple[NDArray[Any], list[str]]:
    """Give a view of shape (n, h, w), (n, h, w, 3) or (n, h, w, 4)."""
    shape = array.shape
    if array.dtype.kind not in "buif":
        raise EmbedlabError(
            f"{name} holds values of kind {array.dtype}, which are no pixels.",
            remedy="Save whole numbers or floats; uint8 is best.",
        )
    if 0 in shape:
        raise EmbedlabError(
            f"{name} has shape {shape}: there is no picture in it.",
            remedy="Give at least one picture.",
        )
    if len(shape) == 3 and shape[2] in {1, 3, 4} and shape[1] > 4:
        raise EmbedlabError(
            f"{name} has shape {shape}: that is one picture, not {shape[0]:,} grey ones.",
            remedy="Save several pictures as (n, height, width, 3), or one as (1, height, width, "
            "3): numpy.save(file, picture[None]).",
        )
    if len(shape) == 3:
        return array, [f"Taken as {shape[0]:,} grey pictures of {shape[2]} x {shape[1]} pixels."]
    last = len(shape) == 4 and shape[3] in {1, 3, 4}
    first = len(shape) == 4 and shape[1] in {1, 3}
    if last and not first:
        return (array[..., 0] if shape[3] == 1 else array), []
    if first and not last:
        array = array[:, 0] if shape[1] == 1 else array.transpose(0, 2, 3, 1)
        return array, ["The second axis was taken for the colour channels."]
    problem = (
        "its second and its last axis could both be the colours" if last else "no pictures' shape"
    )
    raise EmbedlabError(
        f"{name} has shape {shape}: {problem}.",
        remedy="Pictures are (n, height, width) in grey or (n, height, width, 3) in colour.",
    )


def _range(pictures: NDArray[Any], name: str) -> tuple[float, float]:
    """Find the least and the greatest value; name the first picture that has none."""
    low, high = np.inf, -np.inf
    for rows in _chunks(pictures):
        part = pictures[rows]
        if part.dtype.kind == "f":
            bad = ~np.isfinite(part).reshape(len(part), -1).all(axis=1)
            if bad.any():
                raise EmbedlabError(
                    f"{name} holds NaN or infinite values, first in picture "
                    f"{rows.start + int(bad.argmax())} (counted from 0).",
                    remedy="Leave that picture out, or replace them: numpy.nan_to_num.",
                )
        low, high = min(low, float(part.min())), max(high, float(part.max()))
    return low, high


def _factor(dtype: np.dtype[Any], low: float, high: float, name: str) -> float:
    """Give the factor that brings values to 0..255."""
    if dtype.kind == "b":
        return 255.0
    if low >= 0 and dtype.kind == "f" and high <= 1:
        return 255.0
    if low >= 0 and high <= 255:
        return 1.0
    if low >= 0 and dtype.kind in "ui" and high <= 65535:
        return 255 / 65535
    raise EmbedlabError(
        f"The values of {name} range from {low:g} to {high:g}.",
        remedy="Scale them first: whole numbers 0..255 or 0..65535, or floats 0..1.",
    )


def _chunks(array: NDArray[Any]) -> Iterator[slice]:
    step = max(1, _CHUNK_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), step):
        yield slice(start, min(start + step, len(array)))
