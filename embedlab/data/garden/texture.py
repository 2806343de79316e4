"""Surfaces that do not depend on the picture, made once in a process: seeds, clouds, grass."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.garden.pen import Field, soft

GOLDEN = math.pi * (3 - math.sqrt(5))
"""The angle between a seed and the next on a flower's disc (Vogel 1979)."""


@cache
def seeds(count: int, side: int = 176) -> tuple[Field, Field]:
    """Draw a disc of seeds on a golden-angle spiral.

    Returns
    -------
    height : ndarray of shape (side, side), float32
        0 between seeds, 1 on top of one. The disc fills the square.
    centre : ndarray of shape (side, side), float32
        How far from the disc's centre the seed lies that a pixel belongs to, 0..1.
    """
    at = (np.arange(side) + 0.5) / side * 2 - 1
    height = np.zeros((side, side), np.float32)
    centre = np.sqrt(at[None, :] ** 2 + at[:, None] ** 2).astype(np.float32)
    for i in range(count):
        q = math.sqrt((i + 0.5) / count)
        x, y = q * math.cos(i * GOLDEN) * 0.97, q * math.sin(i * GOLDEN) * 0.97
        r = 1.35 / math.sqrt(count) * (0.8 + 0.35 * q)
        cols = np.flatnonzero(np.abs(at - x) < r)
        rows = np.flatnonzero(np.abs(at - y) < r)
        box = np.ix_(rows, cols)
        d = ((at[cols] - x)[None, :] ** 2 + (at[rows] - y)[:, None] ** 2) / (r * r)
        height[box] = np.maximum(height[box], np.clip(1 - d, 0, 1).astype(np.float32))
    return height, np.minimum(centre, 1)


@cache
def clouds(side: int = 512, cells: int = 4, octaves: int = 6) -> Field:
    """Make tileable noise of many sizes (value noise, each octave half as strong).

    Returns
    -------
    ndarray of shape (side, side), float32
        Spread over 0..1.
    """
    rng = np.random.default_rng([side, cells, octaves])
    total = np.zeros((side, side), np.float32)
    for octave in range(octaves):
        n = cells * 2**octave
        grid = rng.random((n, n)).astype(np.float32)
        at = np.arange(side) * (n / side)
        low = at.astype(int)
        t = soft((at - low).astype(np.float32))
        high = (low + 1) % n
        rows = grid[low] * (1 - t)[:, None] + grid[high] * t[:, None]
        total += (rows[:, low] * (1 - t) + rows[:, high] * t) * 0.5**octave
    total -= total.min()
    return np.asarray(total / total.max(), dtype=np.float32)


def patch(rng: np.random.Generator, side: int, *, grain: int = 1) -> Field:
    """Cut a square out of the noise, at a place and in a mirroring left to chance.

    Parameters
    ----------
    rng : Generator
    side : int
        Side of the square.
    grain : int
        Every how many pixels are taken: 1 is smooth, 4 rough.
    """
    noise = clouds()
    n = len(noise)
    top, left = (int(v) for v in rng.integers(0, n, 2))
    rows = (top + grain * np.arange(side)) % n
    cols = (left + grain * np.arange(side)) % n
    turn, mirror = int(rng.integers(4)), bool(rng.integers(2))
    square = np.rot90(noise[np.ix_(rows, cols)], turn)
    return np.ascontiguousarray(square[:, ::-1] if mirror else square)


def smoothed(field: Field, radius: float) -> Field:
    """Blur values of 0..1 by a box applied twice, at 8 bits."""
    image = Image.fromarray((np.clip(field, 0, 1) * 255 + 0.5).astype(np.uint8))
    from PIL import ImageFilter

    image = image.filter(ImageFilter.BoxBlur(radius)).filter(ImageFilter.BoxBlur(radius))
    return np.asarray(image, dtype=np.float32) * np.float32(1 / 255)


Stops = list[tuple[float, float, float]] | list[NDArray[np.float64]]
