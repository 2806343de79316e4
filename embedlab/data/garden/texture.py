"""Surfaces that do not depend on the picture, made once in a process: seeds, clouds, grass."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from embedlab.data.garden.pen import Field, soft

GOLDEN = math.pi * (3 - math.sqrt(5))
"""The angle between a seed and the next on a flower's disc (Vogel 1979)."""


@cache
def seeds(count: int, side: int = 176) -> Field:
    """Draw a disc of seeds on a golden-angle spiral.

    Returns
    -------
    ndarray of shape (side, side), float32
        0 between seeds, 1 on top of one. The disc fills the square.
    """
    at = (np.arange(side) + 0.5) / side * 2 - 1
    height = np.zeros((side, side), np.float32)
    for i in range(count):
        q = math.sqrt((i + 0.5) / count)
        x, y = q * math.cos(i * GOLDEN) * 0.97, q * math.sin(i * GOLDEN) * 0.97
        r = 1.35 / math.sqrt(count) * (0.8 + 0.35 * q)
        cols = np.flatnonzero(np.abs(at - x) < r)
        rows = np.flatnonzero(np.abs(at - y) < r)
        box = np.ix_(rows, cols)
        d = ((at[cols] - x)[None, :] ** 2 + (at[rows] - y)[:, None] ** 2) / (r * r)
        height[box] = np.maximum(height[box], np.clip(1 - d, 0, 1).astype(np.float32))
    return height


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
    step = np.arange(side) * grain
    rows, cols = (top + step) % n, (left + step) % n
    flips = int(rng.integers(8))
    rows = rows[::-1] if flips & 1 else rows
    cols = cols[::-1] if flips & 2 else cols
    square = noise.take((rows * n)[:, None] + cols)
    return square.T if flips & 4 else square


_GRASS_WIDTH = 640


@cache
def grass(height: int = 128, blades: int = 300) -> tuple[Field, Field]:
    """Draw a strip of grass that repeats sideways.

    Returns
    -------
    cover, light : ndarray of shape (height, 640), float32
        Both 0..1.
    """
    dense = 3
    wide, foot = _GRASS_WIDTH * dense, height * dense + 4
    cover, light = (Image.new("L", (wide, height * dense)) for _ in range(2))
    cover_pen, light_pen = ImageDraw.Draw(cover), ImageDraw.Draw(light)
    rng = np.random.default_rng([height, blades])
    for i in range(blades):
        x, sway = rng.uniform(0, wide), rng.normal(0, 0.13) * height * dense
        tall = rng.uniform(0.25, 0.95) * height * dense * (1.0 - 0.45 * i / blades)
        w, tone = rng.uniform(1.0, 2.6) * dense, int(rng.uniform(70, 235))
        for root in (x - wide, x, x + wide):
            bow, knee = root + sway * 0.38, foot - tall * 0.6
            tip = (root + sway, foot - tall)
            left = [(root - w, foot), (bow - w * 0.7, knee), tip]
            right = [tip, (bow + w * 0.7, knee), (root + w, foot)]
            cover_pen.polygon([*left, *right], fill=255)
            light_pen.polygon([*left, (root, foot)], fill=tone)
            light_pen.polygon([(root, foot), *right], fill=int(tone * 0.78))
    scale = np.float32(1 / 255)
    return (
        np.asarray(cover.reduce(dense), np.float32) * scale,
        np.asarray(light.reduce(dense), np.float32) * scale,
    )


def grass_patch(rng: np.random.Generator, side: int, tall: float) -> tuple[Field, Field]:
    """Cut a square out of the strip; `tall` is the share of it that the grass may reach."""
    cover, light = grass()
    cols = (int(rng.integers(_GRASS_WIDTH)) + np.arange(side)) % _GRASS_WIDTH
    cols = cols[::-1] if rng.random() < 0.5 else cols
    bare = round(side * (1 - tall))
    rows = np.clip((np.arange(side) - bare) * len(cover) // (side - bare), 0, len(cover) - 1)
    place = (rows * _GRASS_WIDTH)[:, None] + cols
    grown = cover.take(place)
    grown[:bare] = 0
    return grown, light.take(place)


def smoothed(field: Field, radius: float) -> Field:
    """Blur values of 0..1 by a box applied twice, at 8 bits."""
    image = Image.fromarray((np.clip(field, 0, 1) * 255 + 0.5).astype(np.uint8))
    image = image.filter(ImageFilter.BoxBlur(radius)).filter(ImageFilter.BoxBlur(radius))
    return np.asarray(image).astype(np.float32) * np.float32(1 / 255)
