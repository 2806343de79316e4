"""The tulip: a cup seen from the side, or a star seen from above."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from embedlab.data.garden.colours import flat, ramp, tinted
from embedlab.data.garden.factors import Flower
from embedlab.data.garden.heads import Layer
from embedlab.data.garden.pen import ALL, Frame, Sheet, fraction, soft
from embedlab.data.garden.petals import Look, Petals, Whorl, paint_whorl

_FOOT = 0.88  # where the cup stands on its stem, below the head's centre, in radii


@dataclass(frozen=True)
class CupPetal:
    """One petal of the cup. Lengths in radii, the lean in radians."""

    lean: float
    half_width: float
    height: float
    bend: float
    tone: float


def cup(flower: Flower, frame: Frame, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint six petals around the cup: three behind, two at the sides, one before."""
    body, shade = tinted(flower.hue, rng)
    sheet = frame.window(1.35)
    wide, side_light = 0.12 + 0.88 * flower.openness, frame.light[0]
    streak = float(rng.uniform(0.0, 0.07))
    front = float(rng.normal(0, 0.05))
    for petal in (
        CupPetal(-0.02, 0.50, 1.74, 0.0, -0.34),
        CupPetal(-0.22 - wide * 0.28, 0.42, 1.71, 0.03, -0.24 - 0.10 * side_light),
        CupPetal(0.22 + wide * 0.28, 0.42, 1.71, -0.03, -0.24 + 0.10 * side_light),
        CupPetal(-0.28 - wide * 0.42, 0.46, 1.74, 0.17 - wide * 0.12, -0.04 - 0.14 * side_light),
        CupPetal(0.28 + wide * 0.42, 0.46, 1.74, -0.17 + wide * 0.12, -0.04 + 0.14 * side_light),
        CupPetal(front, 0.54, 1.64 - 0.14 * wide, 0.0, 0.02),
    ):
        _cup_petal(sheet, frame, petal, streak=streak, shake=float(rng.normal(0, 0.02)))
    yield sheet, body, shade


def _cup_petal(sheet: Sheet, frame: Frame, petal: CupPetal, *, streak: float, shake: float) -> None:
    angle = -math.pi / 2 + petal.lean + shake
    cos, sin = math.cos(angle), math.sin(angle)
    middle = petal.height * 0.5
    spot = frame.spot(middle * cos, _FOOT + middle * sin)
    box = sheet.box(*spot, (middle * 1.04 + 0.25) * frame.radius)
    x, y = frame.plane(sheet, box)
    if not x.size:
        return
    y = y - _FOOT
    u = (x * cos + y * sin) * (1 / petal.height)
    v = y * cos - x * sin - petal.bend * petal.height * u * u
    sun_x, sun_y = frame.light
    sideways = sun_y * cos - sun_x * sin
    seen = Petals("egg", u, v, petal.height, petal.half_width, 0.0, sideways)
    gap, across = seen.edge()
    near = np.clip(1.0 + gap * (1 / 0.11), 0.0, 1.0)
    sheet.shade(box, near * near * 0.42)
    u = np.clip(u, 0.0, 1.0)
    width = np.abs(across)
    bulge = across * (0.55 + 0.45 * width)
    rim = np.maximum(1.0 - gap * (1 / 0.05), 0.0)
    light = (0.82 + petal.tone) + 0.24 * sideways * bulge - 0.16 * bulge * bulge
    light += 0.16 * soft(u * 1.25) - 0.26 * soft(1.0 - u * 3.2) + 0.10 * rim * u
    # A seam along the middle, and the faint flames of the petal's veins.
    light -= 0.06 * np.maximum(1.0 - width * 7.0, 0.0) * (1.0 - u)
    flame = np.abs(fraction(across * 3.0 + u * 0.35) - 0.5) - 0.25
    light += (2.0 * streak) * flame * (1.0 - width)
    pigment = 0.16 + 0.52 * u + 0.22 * rim * u + 0.14 * sideways * bulge
    sheet.lay(box, np.clip(gap * frame.radius + 0.5, 0.0, 1.0), pigment, light)


def star(flower: Flower, frame: Frame, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint an open tulip from above: two whorls, a blotched heart, six stamens."""
    body, shade = tinted(flower.hue, rng)
    sheet = frame.window(1.25)
    dark = bool(rng.random() < 0.6)
    n = max(2, flower.petals // 2)
    turn = float(rng.uniform(0, 2 * math.pi))
    for j in range(2):
        whorl = Whorl(
            angle=turn + (np.arange(n) + 0.5 * j) * (2 * math.pi / n) + rng.normal(0, 0.05, n),
            length=(1.10 - 0.06 * j) * (1 + rng.normal(0, 0.03, n)),
            half_width=0.55 * math.sin(math.pi / n) * (1 + rng.normal(0, 0.04, n)),
            bend=rng.normal(0, 0.04, n),
            tone=rng.normal(0, 0.02, n),
            shape="tepal",
            lift=0.05 * j,
            cup=0.36 * (0.7 - flower.openness),
        )
        look = Look(0.10, 0.95, 0.46, 0.55, groove=0.05, dusk=0.30, dim=0.88 + 0.12 * j)
        paint_whorl(sheet, frame, whorl, look)
    yield sheet, body, shade
    yield _blotch(frame, turn, dark=dark)
    yield _stamens(frame, turn, dark=dark)


def _blotch(frame: Frame, turn: float, *, dark: bool) -> Layer:
    """Paint the heart's stain, with a lobe on each petal."""
    sheet = frame.window(0.5)
    x, y = frame.plane(sheet, lift=0.05)
    out = np.sqrt(x * x + y * y) + 1e-4
    c, s = math.cos(turn), math.sin(turn)
    cos, sin = (x * c + y * s) / out, (y * c - x * s) / out
    # Six lobes: cos 6a = cos^2 3a - sin^2 3a, and both of these from cos a and sin a.
    cos3, sin3 = cos * (4.0 * cos * cos - 3.0), sin * (3.0 - 4.0 * sin * sin)
    lobes = cos3 * cos3 - sin3 * sin3
    stain = soft((0.30 + 0.05 * lobes - out) * 9.0) * (0.92 if dark else 0.85)
    sheet.lay(ALL, stain, 0.5 - out, np.full_like(out, 0.9))
    stops = ((28, 14, 30), (52, 30, 58)) if dark else ((214, 160, 24), (246, 220, 90))
    return sheet, ramp(stops), flat([0.4 * value for value in stops[0]])


def _stamens(frame: Frame, turn: float, *, dark: bool) -> Layer:
    """Paint six stamens and the pistil."""
    sheet = frame.window(0.45)
    whorl = Whorl(
        angle=turn + 0.3 + np.arange(6) * (math.pi / 3),
        length=np.full(6, 0.26),
        half_width=np.full(6, 0.042),
        bend=np.zeros(6),
        tone=np.zeros(6),
        shape="ray",
        start=0.03,
        lift=0.10,
    )
    paint_whorl(sheet, frame, whorl, Look(0.0, 1.0, bow=0.3, dusk=0.0, shadow=0.4))
    x, y = frame.plane(sheet, lift=0.16)
    sun_x, sun_y = frame.light
    cover = np.clip((0.075 - np.sqrt(x * x + y * y)) * frame.radius + 0.5, 0.0, 1.0)
    sheet.lay(ALL, cover, 1.0, 0.85 + 3.0 * (x * sun_x + y * sun_y))
    tip = (58, 40, 52) if dark else (196, 132, 16)
    return sheet, ramp((tip, tip, (206, 214, 130))), flat((30, 20, 24))
