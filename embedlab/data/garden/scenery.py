"""Backgrounds: meadow, sky, soil, wall, dark."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from embedlab.data.garden.colours import PALETTE
from embedlab.data.garden.pen import Field, soft
from embedlab.data.garden.texture import patch

RGB = NDArray[np.floating]


def _colour(rng: np.random.Generator, rgb: tuple[float, float, float], spread: float) -> Field:
    return (np.array(rgb) + rng.normal(0, spread, 3)).astype(np.float32)


def _mix(a: RGB, b: RGB | tuple[float, float, float], t: Field | float) -> Field:
    return np.asarray(a + (np.asarray(b, np.float32) - a) * np.float32(t), np.float32)


def _ramp_down(side: int) -> Field:
    return ((np.arange(side, dtype=np.float32) + 0.5) / side)[:, None, None]


def _dot(rgb: Field, x: float, y: float, r: float, colour: RGB, strength: float) -> None:
    """Lay a soft disc, as a far light out of focus."""
    side = len(rgb)
    left, right = max(int(x - r - 1), 0), min(int(x + r + 2), side)
    top, bottom = max(int(y - r - 1), 0), min(int(y + r + 2), side)
    if left >= right or top >= bottom:
        return
    dx = (np.arange(left, right) + 0.5 - x).astype(np.float32)
    dy = (np.arange(top, bottom) + 0.5 - y).astype(np.float32)[:, None]
    d = np.sqrt(dx * dx + dy * dy)
    cover = np.clip((r - d) * 0.8 + 0.5, 0, 1) * (0.75 + 0.25 * np.clip(d / r, 0, 1)) * strength
    part = rgb[top:bottom, left:right]
    part += (np.asarray(colour, np.float32) - part) * cover[..., None].astype(np.float32)


_GRASS_WIDTH = 640


@cache
def grass(height: int = 128, blades: int = 300) -> tuple[Field, Field]:
    """Draw a strip of grass that repeats sideways: cover and light, each (height, 640)."""
    k = 3
    rng = np.random.default_rng([height, blades])
    cover, light = (Image.new("L", (_GRASS_WIDTH * k, height * k)) for _ in range(2))
    pens = ImageDraw.Draw(cover), ImageDraw.Draw(light)
    for i in range(blades):
        x = rng.uniform(0, _GRASS_WIDTH * k)
        tall = rng.uniform(0.25, 0.95) * height * k * (1.0 - 0.45 * i / blades)
        sway, w = rng.normal(0, 0.13) * height * k, rng.uniform(1.0, 2.6) * k
        tone = int(rng.uniform(70, 235))
        foot = height * k + 4
        for shift in (-_GRASS_WIDTH * k, 0, _GRASS_WIDTH * k):
            a = x + shift
            bow = a + sway * 0.38
            tip = (a + sway, foot - tall)
            left = [(a - w, foot), (bow - w * 0.7, foot - tall * 0.6), tip]
            right = [tip, (bow + w * 0.7, foot - tall * 0.6), (a + w, foot)]
            pens[0].polygon(left + right, fill=255)
            pens[1].polygon(left + [(a, foot)], fill=tone)
            pens[1].polygon([(a, foot), *right], fill=int(tone * 0.78))
    return tuple(np.asarray(i.reduce(k), np.float32) / 255 for i in (cover, light))  # type: ignore[return-value]


def _grass_patch(rng: np.random.Generator, side: int, tall: float) -> tuple[Field, Field]:
    """Cut a square out of the strip; `tall` is how far up it reaches."""
    cover, light = grass()
    start = int(rng.integers(_GRASS_WIDTH))
    cols = (start + np.arange(side)) % _GRASS_WIDTH
    if rng.random() < 0.5:
        cols = cols[::-1]
    rows = np.clip(((np.arange(side) - side * (1 - tall)) / tall).astype(int), -1, side - 1)
    rows = rows * len(cover) // side
    box = np.ix_(np.clip(rows, 0, None), cols)
    c = cover[box] * (rows >= 0)[:, None]
    return c.astype(np.float32), light[box]


def meadow(rng: np.random.Generator, side: int) -> Field:
    """Grass in three depths, flowers far off."""
    far, near = _colour(rng, (140, 178, 84), 13), _colour(rng, (34, 78, 28), 9)
    rgb = _mix(far, near, _ramp_down(side) ** 2 * 0.5 + _ramp_down(side) * 0.5)
    rgb = rgb * (0.78 + 0.40 * patch(rng, side)[..., None])
    for _ in range(int(rng.integers(4, 18))):
        tip = np.array(PALETTE[list(PALETTE)[int(rng.integers(6))]][1])
        x, y, r = rng.uniform(0, side), rng.uniform(0, 0.8 * side), rng.uniform(0.012, 0.036) * side
        _dot(rgb, x, y, r, tip, float(rng.uniform(0.3, 0.75)))
    sunny = np.array((206, 222, 118), np.float32)
    for tall, depth in ((0.62, 0.30), (0.95, 0.75)):
        cover, light = _grass_patch(rng, side, tall)
        blade = _mix(_mix(far, near, depth), sunny, 0.12 + 0.25 * (1 - depth))
        colour = blade * (0.45 + 0.85 * light[..., None])
        rgb += (colour - rgb) * (cover[..., None] * np.float32(0.85))
    return rgb


def sky(rng: np.random.Generator, side: int) -> Field:
    """Clouds lit from above over far hills."""
    top, low = _colour(rng, (62, 126, 206), 16), _colour(rng, (192, 222, 244), 8)
    noise = patch(rng, side)
    rgb = _mix(top, low, _ramp_down(side) + 0.0 * noise[..., None])
    cloud = soft((noise - float(rng.uniform(0.44, 0.60))) * 4.2)
    above = np.roll(noise, 3, axis=0)
    lit = np.clip(0.93 + (noise - above) * 2.6, 0.74, 1.0)[..., None]
    white = np.array((255, 253, 249), np.float32) * lit
    rgb += (white - rgb) * (cloud * float(rng.uniform(0.5, 1.0)))[..., None]
    horizon = float(rng.uniform(0.72, 1.02)) * side
    ys = np.arange(side, dtype=np.float32)[:, None] + 0.5
    for j, colour in enumerate(((126, 160, 158), (84, 134, 72))):
        line = horizon + (0.06 * j - 0.05 + 0.16 * (patch(rng, side)[0] - 0.5)) * side
        hill = np.clip(ys - line, 0, 1)[..., None]
        shaded = (
            _colour(rng, colour, 6) * (1.06 - 0.35 * np.clip((ys - line) / side, 0, 1))[..., None]
        )
        rgb += (shaded - rgb) * hill
    return rgb


def soil(rng: np.random.Generator, side: int) -> Field:
    """Crumbs and pebbles, lit aslant."""
    light, dark = _colour(rng, (134, 98, 66), 11), np.array((48, 32, 22), np.float32)
    fine, rough = patch(rng, side, grain=4), patch(rng, side, grain=2)
    height = 0.55 * rough + 0.45 * fine
    slope = height - np.roll(height, (2, -2), axis=(0, 1))
    tone = soft((height - 0.22) * 1.7)
    rgb = _mix(dark, light, (tone * (1.12 - 0.35 * _ramp_down(side)[..., 0]))[..., None])
    rgb *= (1.0 + 2.0 * np.clip(slope, -0.22, 0.22))[..., None]
    for _ in range(int(rng.integers(8, 30))):
        x, y = rng.uniform(0, side, 2)
        r = float(rng.uniform(0.006, 0.026)) * side * (0.5 + y / side)
        stone = _mix(light, (196, 178, 150), float(rng.random()) * 0.7) * rng.uniform(0.6, 1.0)
        _dot(rgb, x, y + r * 0.5, r * 1.1, dark * 0.5, 0.6)
        _dot(rgb, x, y, r, stone, 0.95)
        _dot(rgb, x - r * 0.3, y - r * 0.3, r * 0.45, stone * 1.25, 0.5)
    return rgb


_STONES = ((176, 92, 66), (208, 192, 166), (150, 142, 134), (192, 128, 90))


def wall(rng: np.random.Generator, side: int) -> Field:
    """Bricks, weathered, each a little different, with a bevel that catches the light."""
    brick = _colour(rng, _STONES[int(rng.integers(4))], 9)
    mortar = _mix(brick, (226, 216, 200), 0.55)
    tall = float(rng.uniform(0.085, 0.15)) * side
    wide = tall * float(rng.uniform(2.1, 2.6))
    left, top = rng.uniform(0, wide), rng.uniform(0, tall)
    at = np.arange(side) + 0.5
    down = (at + top) / tall
    row = down.astype(int)
    along = (at[None, :] + left) / wide + 0.5 * (row[:, None] % 2)
    col = along.astype(int)
    tones = rng.normal(1.0, 0.09, (64, 64)).astype(np.float32)[row[:, None] % 64, col % 64]
    fx = ((along - col) * wide).astype(np.float32)
    fy = ((down - row) * tall).astype(np.float32)[:, None]
    joint = 0.011 * side
    inset = np.minimum(np.minimum(fx, wide - fx), np.minimum(fy, tall - fy)) - joint
    cover = np.clip(inset * 0.9 + 0.5, 0, 1)
    upper = np.clip(1 - (fy - joint) / (0.02 * side), 0, 1) * 0.16
    lower = np.clip(1 - (tall - fy - joint) / (0.02 * side), 0, 1) * -0.22
    rough = patch(rng, side, grain=4)
    face = brick * (tones * (1 + upper + lower) * (0.84 + 0.32 * rough))[..., None]
    rgb = mortar * (0.66 + 0.28 * rough)[..., None]
    rgb = rgb + (face - rgb) * cover[..., None]
    return np.asarray(rgb * (0.88 + 0.26 * patch(rng, side)[..., None]), np.float32)


_NIGHTS = ((32, 28, 48), (18, 34, 42), (46, 26, 32), (28, 32, 26))


def dark(rng: np.random.Generator, side: int) -> Field:
    """A dim room: one glow, a few lights out of focus."""
    hue = np.array(_NIGHTS[int(rng.integers(4))], np.float32)
    at = (np.arange(side, dtype=np.float32) + 0.5) / side
    x, y = (float(v) for v in rng.uniform(0.15, 0.85, 2))
    d2 = (at - x) ** 2 + ((at - y) ** 2)[:, None]
    glow = 1.0 / (1.0 + d2 * 7.0)
    rgb = hue * (0.35 + 1.5 * glow[..., None] * glow[..., None])
    rgb = rgb * (0.8 + 0.4 * patch(rng, side)[..., None])
    warm = hue * 2.4 + np.array((34, 28, 16), np.float32)
    for _ in range(int(rng.integers(0, 10))):
        px, py, r = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(0.02, 0.07) * side
        _dot(rgb, px, py, r, warm, float(rng.uniform(0.12, 0.34)))
    return rgb


def veil(rng: np.random.Generator, side: int) -> tuple[Field, Field]:
    """Draw blades of grass close to the lens: colours times cover, and cover."""
    k = 2
    image = Image.new("RGBA", (side * k, side * k))
    pen = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 5))):
        x, sway = rng.uniform(0, side * k), rng.normal(0, 0.18) * side * k
        w, h = rng.uniform(0.016, 0.036) * side * k, rng.uniform(0.35, 0.8) * side * k
        foot = side * k
        green = _mix(_colour(rng, (74, 122, 44), 10), (192, 216, 112), float(rng.random()) * 0.5)
        fill = (*(int(v) for v in np.clip(green, 0, 255)), 225)
        bow = x + sway * 0.4
        pen.polygon(
            [(x - w, foot), (bow - w * 0.7, foot - h * 0.6), (x + sway, foot - h),
             (bow + w * 0.7, foot - h * 0.6), (x + w, foot)], fill=fill,
        )  # fmt: skip
    image = image.convert("RGBa").reduce(k).filter(ImageFilter.GaussianBlur(rng.uniform(1.2, 2.6)))
    values = np.asarray(image, np.float32)
    return values[..., :3], values[..., 3] * np.float32(1 / 255)


SCENERY: dict[str, Callable[[np.random.Generator, int], Field]] = {
    "meadow": meadow,
    "sky": sky,
    "soil": soil,
    "wall": wall,
    "dark": dark,
}
"""Draws a background of side x side pixels: float32 (side, side, 3), 0..255 or so."""
