"""What carries the head: stem, leaves, thorns, and the green behind the petals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedlab.data.garden.colours import ramp
from embedlab.data.garden.factors import Flower
from embedlab.data.garden.heads import Layer
from embedlab.data.garden.pen import (
    Field,
    Frame,
    Look,
    Sheet,
    Whorl,
    edge,
    paint_whorl,
    soft,
)


@dataclass(frozen=True)
class Foliage:
    """How a kind's leaves grow. Lengths in head radii, angles in radians from the stem."""

    count: int
    shape: str
    length: tuple[float, float]
    half_width: float
    angle: tuple[float, float]
    first: float
    apart: float
    bend: float
    bluish: float = 0.0


FOLIAGE = {
    "daisy": Foliage(3, "spoon", (0.9, 1.35), 0.15, (0.5, 1.1), 1.35, 0.25, 0.20),
    "dandelion": Foliage(4, "tooth", (1.5, 2.1), 0.16, (0.45, 1.2), 1.9, 0.15, 0.25),
    "rose": Foliage(4, "oval", (0.8, 1.1), 0.27, (0.9, 1.4), 1.25, 0.36, 0.12),
    "sunflower": Foliage(3, "heart", (1.1, 1.5), 0.36, (0.9, 1.4), 1.25, 0.36, 0.14),
    "tulip": Foliage(3, "blade", (1.9, 2.6), 0.125, (0.12, 0.5), 2.1, 0.12, 0.16, 0.5),
}
_STEM = {"daisy": 0.035, "dandelion": 0.042, "rose": 0.045, "sunflower": 0.062, "tulip": 0.058}


@dataclass(frozen=True)
class Stem:
    """A stem that leaves the head at a slant and bows towards the ground."""

    x: float
    y: float
    slant: float
    bow: float
    half_width: float

    def at(self, y: NDArray[np.floating]) -> NDArray[np.floating]:
        """Give the stem's middle at these heights of the canvas."""
        down = y - self.y
        return self.x + down * (self.slant + self.bow * down)


def greens(rng: np.random.Generator, bluish: float) -> tuple[Field, Field]:
    """Give the ramps of one plant's green."""
    base = np.array((74.0, 124.0, 46.0)) + rng.normal(0, 10, 3)
    base += bluish * (np.array((84.0, 134.0, 104.0)) - base)
    lightest = base + 0.5 * (np.array((206.0, 224.0, 138.0)) - base)
    return ramp([base * 0.62, base, lightest]), ramp([base * np.array((0.14, 0.24, 0.20))] * 2)


def greenery(flower: Flower, frame: Frame, side: int) -> Layer:
    """Paint stem and leaves on a sheet of the whole canvas.

    Parameters
    ----------
    flower : Flower
    frame : Frame
        Where the head sits.
    side : int
        Side of the canvas in pixels.
    """
    rng = flower.chance(2)
    foliage = FOLIAGE[flower.kind]
    body, shade = greens(rng, foliage.bluish)
    sheet = Sheet(0, 0, side, side)
    stem = _stem(flower, frame, side, rng)
    sun = (math.cos(frame.sun), math.sin(frame.sun))
    leaves = list(_leaves(foliage, stem, frame, side, rng))
    for leaf in leaves[1:] if flower.leaves else ():
        _leaf(sheet, foliage, *leaf, sun)
    _paint_stem(sheet, stem, sun, thorns=flower.kind == "rose")
    for leaf in leaves[:1] if flower.leaves else ():
        _leaf(sheet, foliage, *leaf, sun)
    return sheet, body, shade


def bracts(flower: Flower, frame: Frame, side: int) -> Iterator[Layer]:
    """Paint the green leaflets that show behind a rose's or a sunflower's petals."""
    if flower.kind not in ("rose", "sunflower"):
        return
    rng = flower.chance(3)
    body, shade = greens(rng, 0.0)
    rose = flower.kind == "rose"
    n, reach, half = (5, 1.20, 0.17) if rose else (13, 1.06, 0.14)
    angle = np.arange(n) * (2 * math.pi / n) + rng.uniform(0, 6) + rng.normal(0, 0.1, n)
    whorl = Whorl(
        angle,
        reach * (1 + rng.normal(0, 0.06, n)),
        np.full(n, half),
        rng.normal(0, 0.1, n),
        rng.normal(0, 0.03, n),
        "heart" if rose else "point",
        start=0.0,
        lift=-0.05,
    )
    sheet = frame.window(side, 1.3)
    paint_whorl(sheet, frame, whorl, Look(0.1, 0.7, 0.4, 0.4, 0.05, 0.6, 0.3, 0.85))
    yield sheet, body, shade


def _stem(flower: Flower, frame: Frame, side: int, rng: np.random.Generator) -> Stem:
    lean = frame.turn
    x, y = frame.x, frame.y
    if flower.form == "cup":
        x, y = frame.spot(0.0, 0.80)
    slant = -math.tan(lean)
    length = max(side * 1.1 - y, side * 0.2)
    bow = (-0.42 * slant + rng.normal(0, 0.10)) / length
    half = max(_STEM[flower.kind] * frame.radius / (0.8 if flower.form == "cup" else 1.0), 1.0)
    return Stem(x, y, slant, bow, half)


def _paint_stem(sheet: Sheet, stem: Stem, sun: tuple[float, float], *, thorns: bool) -> None:
    side = sheet.right
    ys = np.arange(side) + 0.5
    first = int(np.clip(stem.y - 1, 0, side))
    if first >= side:
        return
    ys = ys[first:]
    middle = stem.at(ys)
    left = int(np.clip(middle.min() - 4 * stem.half_width - 2, 0, side))
    right = int(np.clip(middle.max() + 4 * stem.half_width + 2, 0, side))
    if right <= left:
        return
    box = (slice(first, side), slice(left, right))
    slope = np.gradient(middle, ys)[:, None].astype(np.float32)
    off = (np.arange(left, right)[None, :] + 0.5 - middle[:, None]).astype(np.float32)
    off /= np.sqrt(1.0 + slope * slope)
    half = np.float32(stem.half_width) * (1.0 + 0.12 * ((ys - stem.y) / side)).astype(np.float32)
    half = half[:, None]
    if thorns:
        step = 5.2 * stem.half_width
        beat = (((ys - stem.y) / step) % 1.0).astype(np.float32)[:, None]
        turn = np.where(((ys - stem.y) / step % 2.0) < 1.0, 1.0, -1.0).astype(np.float32)[:, None]
        spike = 1.0 + 1.9 * np.clip(1.0 - np.abs(beat - 0.5) * 7.0, 0.0, 1.0)
        half = np.where(off * turn > 0, half * spike, half)
    across = np.clip(off / half, -1.0, 1.0)
    cover = np.clip(half - np.abs(off) + 0.5, 0.0, 1.0)
    light = 0.80 + 0.42 * across * np.float32(sun[0]) - 0.22 * across * across
    sheet.lay(box, cover, 0.55 + 0.25 * across * np.float32(sun[0]), light)


def _leaves(
    foliage: Foliage, stem: Stem, frame: Frame, side: int, rng: np.random.Generator
) -> Iterator[tuple[float, float, float, float, float]]:
    """Choose for each leaf: x, y, direction, length in pixels, bend."""
    first_side = 1 if rng.random() < 0.5 else -1
    for i in range(foliage.count):
        hand = first_side * (1 if i % 2 else -1)
        down = frame.radius * (foliage.first + foliage.apart * i + rng.uniform(0, 0.2))
        y = min(stem.y + down * 0.9, side * 1.02)
        length = frame.radius * rng.uniform(*foliage.length)
        angle = -math.pi / 2 + hand * rng.uniform(*foliage.angle)
        yield float(stem.at(np.array(y))), y, angle, length, hand * foliage.bend


def _leaf(
    sheet: Sheet,
    foliage: Foliage,
    x: float,
    y: float,
    angle: float,
    length: float,
    bend: float,
    sun: tuple[float, float],
) -> None:
    cos, sin = math.cos(angle), math.sin(angle)
    box = sheet.box(x + 0.5 * length * cos, y + 0.5 * length * sin, 0.72 * length + 3)
    rows, cols = box[0].indices(sheet.bottom), box[1].indices(sheet.right)
    if rows[1] <= rows[0] or cols[1] <= cols[0]:
        return
    dx = ((np.arange(cols[0], cols[1]) + 0.5 - x) / length).astype(np.float32)
    dy = ((np.arange(rows[0], rows[1]) + 0.5 - y) / length).astype(np.float32)[:, None]
    u = dx * cos + dy * sin
    v = dy * cos - dx * sin - bend * u * u
    gap, across = edge(foliage.shape, u, v, 1.0, foliage.half_width)
    gap = gap * length
    near = np.clip(1.0 + gap * (1.0 / (2.0 + 0.03 * length)), 0.0, 1.0)
    sheet.shade(box, near * near * 0.35)
    u = np.clip(u, 0.0, 1.0)
    a = np.abs(across)
    sideways = sun[1] * cos - sun[0] * sin
    # Two halves like a half-open book, a bright midrib, veins that run outwards and forwards.
    half = np.clip(across * 5.0, -1.0, 1.0)
    light = 0.78 + 0.20 * half * sideways - 0.12 * a + 0.12 * soft(u * 1.4)
    vein = np.clip(1.0 - np.abs((u * 7.0 - a * 1.1) % 1.0 - 0.5) * 5.0, 0.0, 1.0)
    rib = np.clip(1.0 - a * (4.0 + 8.0 * u), 0.0, 1.0)
    light += 0.05 * vein * (1.0 - a) + 0.12 * rib
    light -= 0.30 * (1.0 - soft(u * 5.0))
    sheet.lay(box, np.clip(gap + 0.5, 0.0, 1.0), 0.42 + 0.30 * rib + 0.14 * half * sideways, light)
