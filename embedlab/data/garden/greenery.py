"""What carries the head: stem, leaves, thorns, and the green behind the petals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from embedlab.data.garden.colours import flat, ramp
from embedlab.data.garden.factors import Flower
from embedlab.data.garden.heads import Layer
from embedlab.data.garden.pen import Field, Frame, Sheet, fraction, soft
from embedlab.data.garden.petals import Look, Petals, Whorl, paint_whorl


@dataclass(frozen=True)
class Foliage:
    """How a kind's stem and leaves grow. Lengths in head radii, angles in radians.

    Parameters
    ----------
    stem : float
        Half width of the stem.
    count, shape
        How many leaves there are; one of `embedlab.data.garden.shapes.SHAPES`.
    length, half_width
        Shortest and longest leaf; half width as a share of the length.
    angle : tuple of 2 floats
        Least and largest angle between leaf and stem.
    first, apart : float
        How far below the head the first leaf grows, and each further one below the last.
    bend : float
        How far a leaf hangs over.
    bluish : float
        0 for grass green, 1 for the bluish green of tulips.
    """

    stem: float
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
    "daisy": Foliage(0.035, 3, "spoon", (0.9, 1.35), 0.15, (0.5, 1.1), 1.35, 0.25, 0.20),
    "dandelion": Foliage(0.042, 4, "lobes", (1.5, 2.2), 0.15, (0.45, 1.2), 1.9, 0.15, 0.25),
    "rose": Foliage(0.045, 4, "saw", (0.8, 1.1), 0.27, (0.9, 1.4), 1.25, 0.36, 0.12),
    "sunflower": Foliage(0.062, 3, "heart", (1.1, 1.5), 0.34, (0.9, 1.4), 1.25, 0.36, 0.14),
    "tulip": Foliage(0.058, 3, "blade", (1.9, 2.6), 0.125, (0.12, 0.5), 2.1, 0.12, 0.16, 0.5),
}


@dataclass(frozen=True)
class Stem:
    """A stem that leaves the head at a slant and bows towards the ground; canvas pixels."""

    x: float
    y: float
    slant: float
    bow: float
    half_width: float

    def middle(self, down: Field) -> Field:
        """Give x so many pixels below the stem's upper end."""
        return self.x + down * (self.slant + self.bow * down)


@dataclass(frozen=True)
class Leaf:
    """A leaf: its root on the canvas, its direction in radians, its length in pixels."""

    x: float
    y: float
    angle: float
    length: float
    bend: float


def greenery(flower: Flower, frame: Frame) -> Layer:
    """Paint stem and leaves on a sheet of the whole canvas; one leaf lies before the stem."""
    rng = flower.chance(2)
    foliage = FOLIAGE[flower.kind]
    body, shade = _greens(rng, foliage.bluish)
    sheet = Sheet(0, 0, frame.side, frame.side)
    stem = _stem(flower, frame, rng)
    front, *behind = _leaves(foliage, stem, frame, rng)
    sun = math.cos(frame.sun), math.sin(frame.sun)
    if flower.leaves:
        for leaf in behind:
            _paint_leaf(sheet, foliage, leaf, sun)
    _paint_stem(sheet, stem, sun[0], thorns=flower.kind == "rose")
    if flower.leaves:
        _paint_leaf(sheet, foliage, front, sun)
    return sheet, body, shade


def bracts(flower: Flower, frame: Frame) -> Iterator[Layer]:
    """Paint the green leaflets that show behind a rose's or a sunflower's petals."""
    if flower.kind not in ("rose", "sunflower"):
        return
    rng = flower.chance(3)
    body, shade = _greens(rng, 0.0)
    n, reach, half, shape = (
        (5, 1.10, 0.16, "heart") if flower.kind == "rose" else (13, 1.06, 0.14, "point")
    )
    whorl = Whorl(
        angle=np.arange(n) * (2 * math.pi / n) + rng.uniform(0, 6) + rng.normal(0, 0.1, n),
        length=reach * (1 + rng.normal(0, 0.06, n)),
        half_width=np.full(n, half),
        bend=rng.normal(0, 0.1, n),
        tone=rng.normal(0, 0.03, n),
        shape=shape,
        lift=-0.05,
    )
    sheet = frame.window(1.35)
    look = Look(0.1, 0.7, curl=0.4, groove=0.05, dusk=0.6, shadow=0.3, dim=0.85)
    paint_whorl(sheet, frame, whorl, look)
    yield sheet, body, shade


def _greens(rng: np.random.Generator, bluish: float) -> tuple[Field, Field]:
    """Give the ramps of one plant's green."""
    base = np.array((76.0, 128.0, 46.0)) + rng.normal(0, 10, 3)
    base += bluish * (np.array((84.0, 136.0, 104.0)) - base)
    lightest = base + 0.5 * (np.array((206.0, 224.0, 138.0)) - base)
    return ramp([base * 0.64, base, lightest]), flat(base * np.array((0.16, 0.26, 0.22)))


def _stem(flower: Flower, frame: Frame, rng: np.random.Generator) -> Stem:
    cup = flower.form == "cup"
    x, y = frame.spot(0.0, 0.80) if cup else (frame.x, frame.y)
    slant = -math.tan(frame.turn)
    length = max(frame.side * 1.1 - y, frame.side * 0.2)
    bow = (-0.42 * slant + float(rng.normal(0, 0.10))) / length
    half = FOLIAGE[flower.kind].stem * frame.radius * (1.25 if cup else 1.0)
    return Stem(x, y, slant, bow, max(half, 0.5))


def _paint_stem(sheet: Sheet, stem: Stem, sun: float, *, thorns: bool) -> None:
    first = min(max(int(stem.y - 1), 0), sheet.bottom)
    rows = np.arange(first, sheet.bottom) + 0.5
    if not rows.size:
        return
    middle, margin = stem.middle(rows - stem.y), 4 * stem.half_width + 2
    left = min(max(int(middle.min() - margin), 0), sheet.right)
    right = min(max(int(middle.max() + margin), 0), sheet.right)
    box = (slice(first, sheet.bottom), slice(left, right))
    x, _ = sheet.points(box)
    down = ((rows - stem.y) / sheet.bottom).astype(np.float32)[:, None]
    slope = (stem.slant + 2 * stem.bow * sheet.bottom * down).astype(np.float32)
    off = (x - middle.astype(np.float32)[:, None]) / np.sqrt(1.0 + slope * slope)
    half = stem.half_width * (1.0 + 0.12 * down)
    if thorns:
        beat = down * (sheet.bottom / (5.2 * stem.half_width))
        side = np.where(fraction(beat * 0.5) < 0.5, 1.0, -1.0).astype(np.float32)
        spike = np.clip(1.0 - np.abs(fraction(beat) - 0.5) * 7.0, 0.0, 1.0)
        half = np.where(off * side > 0, half * (1.0 + 1.9 * spike), half)
    across = np.clip(off / half, -1.0, 1.0)
    light = 0.84 + (0.42 * sun) * across - 0.22 * across * across
    cover = np.clip(half - np.abs(off) + 0.5, 0.0, 1.0)
    sheet.lay(box, cover, 0.55 + (0.25 * sun) * across, light)


def _leaves(foliage: Foliage, stem: Stem, frame: Frame, rng: np.random.Generator) -> Iterator[Leaf]:
    """Choose where leaves grow: left and right by turns."""
    hand = 1 if rng.random() < 0.5 else -1
    for i in range(foliage.count):
        hand = -hand
        down = frame.radius * (foliage.first + foliage.apart * i + rng.uniform(0, 0.2))
        down = min(float(down) * 0.9, frame.side * 1.02 - stem.y)
        yield Leaf(
            x=float(stem.middle(np.array(down))),
            y=stem.y + down,
            angle=-math.pi / 2 + hand * float(rng.uniform(*foliage.angle)),
            length=frame.radius * float(rng.uniform(*foliage.length)),
            bend=hand * foliage.bend,
        )


def _paint_leaf(sheet: Sheet, foliage: Foliage, leaf: Leaf, sun: tuple[float, float]) -> None:
    """Paint two halves like a half-open book, a bright midrib, veins outwards and forwards."""
    cos, sin = math.cos(leaf.angle), math.sin(leaf.angle)
    length = leaf.length
    tip = leaf.bend / 2
    box = sheet.box(
        leaf.x + length * (0.5 * cos - tip * sin),
        leaf.y + length * (0.5 * sin + tip * cos),
        (0.52 + foliage.half_width + abs(tip)) * length + 2,
    )
    x, y = sheet.points(box)
    x, y = (x - leaf.x) * (1 / length), (y - leaf.y) * (1 / length)
    u = x * cos + y * sin
    if not u.size:
        return
    v = y * cos - x * sin - leaf.bend * u * u
    sideways = sun[1] * cos - sun[0] * sin
    gap, across = Petals(foliage.shape, u, v, 1.0, foliage.half_width, 0.0, sideways).edge()
    gap = gap * length
    near = np.clip(1.0 + gap * (1.0 / (1.0 + 0.03 * length)), 0.0, 1.0)
    sheet.shade(box, near * near * 0.35)
    u = np.clip(u, 0.0, 1.0)
    out = np.abs(across)
    book = np.clip(across * 5.0, -1.0, 1.0) * sideways
    rib = np.maximum(1.0 - out * (2.6 + 3.0 * u), 0.0)
    vein = np.maximum(1.0 - np.abs(fraction(u * 7.0 - out * 1.1) - 0.5) * 5.0, 0.0)
    light = 0.80 + 0.20 * book - 0.12 * out + 0.12 * soft(u * 1.4)
    light += 0.05 * vein * (1.0 - out) + 0.09 * rib - 0.30 * (1.0 - soft(u * 5.0))
    sheet.lay(box, np.clip(gap + 0.5, 0.0, 1.0), 0.44 + 0.24 * rib + 0.14 * book, light)
