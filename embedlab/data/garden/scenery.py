"""Backgrounds: meadow, sky, soil, wall, dark; and the grass close to the lens.

Colours are float32 of shape (3, side, side), about 0..255.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from embedlab.data.garden.colours import PALETTE
from embedlab.data.garden.pen import Field, soft
from embedlab.data.garden.texture import grass_patch, patch

Colour = Field
"""Shape (3, 1, 1): the same everywhere."""


def _plain(rgb: Sequence[float] | Field) -> Colour:
    return np.array(rgb, np.float32).reshape(3, 1, 1)


def _near(rng: np.random.Generator, rgb: Sequence[float], spread: float) -> Colour:
    """Choose a colour near another."""
    return _plain(np.array(rgb) + rng.normal(0, spread, 3))


def _mix(a: Field, b: Field, share: Field | float) -> Field:
    return a + (b - a) * share


def _down(side: int) -> Field:
    """Run from 0 at the top to 1 at the bottom: shape (side, 1)."""
    return ((np.arange(side, dtype=np.float32) + 0.5) / side)[:, None]


def _dots(
    rgb: Field, dots: Sequence[tuple[float, float, float]], colour: Colour, strength: float
) -> None:
    """Lay discs (x, y, radius), brighter at the rim, as lights out of focus are."""
    side = rgb.shape[-1]
    for x, y, r in dots:
        left, right = max(int(x - r - 1), 0), min(int(x + r + 2), side)
        top, bottom = max(int(y - r - 1), 0), min(int(y + r + 2), side)
        if left >= right or top >= bottom:
            continue
        dx = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - x)
        dy = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - y))[:, None]
        out = np.sqrt(dx * dx + dy * dy)
        cover = np.clip((r - out) * 0.8 + 0.5, 0, 1)
        cover = cover * (0.75 + 0.25 * np.minimum(out * (1 / r), 1)) * strength
        part = rgb[:, top:bottom, left:right]
        part += (colour - part) * cover


def meadow(rng: np.random.Generator, side: int) -> Field:
    """Draw grass in two depths, and flowers far off."""
    far, near = _near(rng, (146, 182, 84), 13), _near(rng, (36, 82, 28), 9)
    down = _down(side)
    rgb = _mix(far, near, down * (0.5 + 0.5 * down)) * (0.78 + 0.40 * patch(rng, side))
    for _ in range(int(rng.integers(4, 18))):
        hue = list(PALETTE.values())[int(rng.integers(len(PALETTE)))]
        x, y = rng.uniform(0, side), rng.uniform(0, 0.8 * side)
        dot = (float(x), float(y), float(rng.uniform(0.012, 0.036)) * side)
        _dots(rgb, [dot], _plain(hue[1]), float(rng.uniform(0.3, 0.75)))
    sunny = _plain((206, 222, 118))
    for tall, depth in ((0.62, 0.30), (0.95, 0.75)):
        cover, light = grass_patch(rng, side, tall)
        blade = _mix(_mix(far, near, depth), sunny, 0.12 + 0.25 * (1 - depth))
        rgb += (blade * (0.45 + 0.85 * light) - rgb) * (cover * 0.85)
    return rgb


def sky(rng: np.random.Generator, side: int) -> Field:
    """Draw clouds lit from above, over far hills."""
    top, low = _near(rng, (62, 126, 206), 16), _near(rng, (192, 222, 244), 8)
    noise, down = patch(rng, side), _down(side)
    cloud = soft((noise - float(rng.uniform(0.44, 0.60))) * 4.2) * float(rng.uniform(0.5, 1.0))
    lit = np.clip(0.93 + (noise - np.roll(noise, 3, axis=0)) * 2.6, 0.74, 1.0)
    rgb = _mix(_mix(top, low, down), _plain((255, 253, 249)) * lit, cloud)
    horizon, ridges = float(rng.uniform(0.72, 1.02)), patch(rng, side)[:2]
    for ridge, offset, colour in zip(ridges, (-0.05, 0.01), _HILLS, strict=True):
        below = down - (horizon + offset + 0.16 * (ridge - 0.5))
        hill = _near(rng, colour, 6) * (1.06 - 0.35 * np.clip(below, 0, 1))
        rgb += (hill - rgb) * np.clip(below * side, 0, 1)
    return rgb


_HILLS = ((126, 160, 158), (84, 134, 72))


def soil(rng: np.random.Generator, side: int) -> Field:
    """Draw crumbs and pebbles, lit aslant."""
    light, dark = _near(rng, (138, 104, 74), 7), _plain((46, 32, 23))
    fine, crumbs, clods = (patch(rng, side, grain=grain) for grain in (31, 13, 5))
    height = 0.22 * fine + 0.40 * crumbs + 0.38 * clods
    slope = np.clip(height - np.roll(height, (1, -1), axis=(0, 1)), -0.25, 0.25)
    tone = soft((height - 0.20) * 1.7) * (1.10 - 0.34 * _down(side))
    rgb: Field = _mix(dark, light, tone) * (1.0 + 1.3 * slope)
    for _ in range(int(rng.integers(8, 30))):
        x, y = (float(v) for v in rng.uniform(0, side, 2))
        r = float(rng.uniform(0.006, 0.026)) * side * (0.5 + y / side)
        stone = _mix(light, _plain((196, 178, 150)), float(rng.random()) * 0.7)
        stone = stone * float(rng.uniform(0.6, 1.0))
        _dots(rgb, [(x, y + r * 0.5, r * 1.1)], dark * 0.5, 0.6)
        _dots(rgb, [(x, y, r)], stone, 0.95)
        _dots(rgb, [(x - r * 0.3, y - r * 0.3, r * 0.45)], stone * 1.25, 0.5)
    return rgb


_BRICKS = ((176, 92, 66), (208, 192, 166), (150, 142, 134), (192, 128, 90))


def wall(rng: np.random.Generator, side: int) -> Field:
    """Draw weathered bricks, each a little different, with edges that catch the light."""
    brick = _near(rng, _BRICKS[int(rng.integers(len(_BRICKS)))], 9)
    mortar = _mix(brick, _plain((226, 216, 200)), 0.55)
    tall = float(rng.uniform(0.085, 0.15)) * side
    wide = tall * float(rng.uniform(2.1, 2.6))
    left, top = rng.uniform(0, wide), rng.uniform(0, tall)
    at = np.arange(side) + 0.5
    row = ((at + top) / tall).astype(int)
    along = (at[None, :] + left) / wide + 0.5 * (row[:, None] % 2)
    col = along.astype(int)
    tones = rng.normal(1.0, 0.09, (64, 64)).astype(np.float32)[row[:, None] % 64, col % 64]
    fx = ((along - col) * wide).astype(np.float32)
    fy = (((at + top) / tall - row) * tall).astype(np.float32)[:, None]
    joint, bevel = 0.011 * side, 1 / (0.02 * side)
    inset = np.minimum(np.minimum(fx, wide - fx), np.minimum(fy, tall - fy)) - joint
    upper = np.clip(1 - (fy - joint) * bevel, 0, 1) * 0.16
    lower = np.clip(1 - (tall - fy - joint) * bevel, 0, 1) * 0.22
    rough = patch(rng, side, grain=4)
    face = brick * (tones * (1 + upper - lower) * (0.84 + 0.32 * rough))
    rgb: Field = _mix(mortar * (0.66 + 0.28 * rough), face, np.clip(inset * 0.9 + 0.5, 0, 1))
    rgb *= 0.88 + 0.26 * patch(rng, side)
    return rgb


_NIGHTS = ((34, 30, 54), (18, 38, 46), (52, 28, 36), (30, 36, 28))
_LIGHTS = ((255, 190, 110), (255, 226, 170), (150, 190, 255), (255, 150, 150))


def dark(rng: np.random.Generator, side: int) -> Field:
    """Draw a dim room: one glow, lights out of focus."""
    hue = _plain(_NIGHTS[int(rng.integers(len(_NIGHTS)))])
    at = _down(side)
    x, y = (float(v) for v in rng.uniform(0.15, 0.85, 2))
    across, down = at.T - x, at - y
    glow = 1.0 / (1.0 + (across * across + down * down) * 7.0)
    rgb = hue * ((0.35 + 1.6 * glow * glow) * (0.8 + 0.4 * patch(rng, side)))
    light = _plain(_LIGHTS[int(rng.integers(len(_LIGHTS)))])
    for _ in range(int(rng.integers(2, 13))):
        x, y = (float(v) for v in rng.uniform(0, side, 2))
        dot = (x, y, float(rng.uniform(0.02, 0.08)) * side)
        _dots(rgb, [dot], _mix(hue, light, 0.5), float(rng.uniform(0.08, 0.36)))
    return rgb


def veil(rng: np.random.Generator, side: int) -> tuple[Field, Field]:
    """Draw blades of grass close to the lens.

    Returns
    -------
    rgb : ndarray of shape (3, side, side), float32
        Colours times cover.
    cover : ndarray of shape (side, side), float32
    """
    dense = 2
    foot = side * dense
    image = Image.new("RGBA", (foot, foot))
    pen = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 5))):
        x, sway = rng.uniform(0, foot), rng.normal(0, 0.18) * foot
        w, h = rng.uniform(0.016, 0.036) * foot, rng.uniform(0.35, 0.8) * foot
        green = _mix(_near(rng, (74, 122, 44), 10), _plain((192, 216, 112)), rng.random() * 0.5)
        fill = (*(int(v) for v in np.clip(green.ravel(), 0, 255)), 225)
        bow = x + sway * 0.4
        left = [(x - w, foot), (bow - w * 0.7, foot - h * 0.6), (x + sway, foot - h)]
        pen.polygon([*left, (bow + w * 0.7, foot - h * 0.6), (x + w, foot)], fill=fill)
    image = image.convert("RGBa").reduce(dense)
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(1.2, 2.6))))
    values = np.asarray(image).transpose(2, 0, 1).astype(np.float32)
    return values[:3], values[3] * np.float32(1 / 255)


SCENERY: dict[str, Callable[[np.random.Generator, int], Field]] = {
    "meadow": meadow,
    "sky": sky,
    "soil": soil,
    "wall": wall,
    "dark": dark,
}
"""Draws a background of side x side pixels."""
