"""The rose: broad petals laid one over another, each a lip of light above its own shade."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from embedlab.data.garden.colours import tinted
from embedlab.data.garden.factors import Flower
from embedlab.data.garden.heads import Layer
from embedlab.data.garden.pen import Frame, Sheet, soft

_COUNTS = (6, 5, 5, 4, 4, 3, 3)
_RADII = (1.0, 0.88, 0.75, 0.61, 0.47, 0.33, 0.20)


@dataclass(frozen=True)
class RosePetal:
    """One petal. Lengths in radii, the angle in radians.

    Parameters
    ----------
    angle, reach, half_width : float
        Where its lip points, how far out the lip lies, how broad the petal is.
    depth : float
        0 for the outermost petals, 1 for the heart.
    lift : float
        Height above the head's plane.
    waves : tuple of 2 floats
        Height of the three and of the five swells round its edge.
    lip : float
        How far the lip is drawn out to a point.
    tone : float
        How much lighter it is than others.
    """

    angle: float
    reach: float
    half_width: float
    depth: float
    lift: float
    waves: tuple[float, float]
    lip: float
    tone: float


def rose(flower: Flower, frame: Frame, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint whorls of petals, from the outermost inwards."""
    body, shade = tinted(flower.hue, rng)
    sheet = frame.window(1.2)
    for petal in _petals(flower, rng):
        _paint(sheet, frame, petal)
    yield sheet, body, shade


def _petals(flower: Flower, rng: np.random.Generator) -> Iterator[RosePetal]:
    phase = rng.uniform(0, 2 * math.pi)
    for j, (count, radius) in enumerate(zip(_COUNTS, _RADII, strict=True)):
        n = max(2, round(count * flower.petals / sum(_COUNTS)))
        depth = j / (len(_RADII) - 1)
        # A flower that opens lets its inner petals spread.
        reach = radius * (1.0 - 0.20 * (1.0 - flower.openness) * min(1.0, 3 * depth))
        phase += math.pi / n + rng.normal(0, 0.15)
        for i in range(n):
            length = reach * float(1 + rng.normal(0, 0.03))
            yield RosePetal(
                angle=float(phase + 2 * math.pi * i / n + rng.normal(0, 0.09)),
                reach=length,
                half_width=length * (math.sin(math.pi / n) * 1.30 if n > 2 else 1.05),
                depth=depth,
                lift=0.40 * depth * (1 - 0.25 * depth),
                waves=(float(rng.normal(0, 0.030)), float(rng.normal(0, 0.018))),
                lip=float(rng.uniform(0.02, 0.07)),
                tone=float(rng.normal(0, 0.03)),
            )


def _paint(sheet: Sheet, frame: Frame, petal: RosePetal) -> None:
    half_length = petal.reach * 0.64
    centre = petal.reach - half_length
    cos, sin = math.cos(petal.angle), math.sin(petal.angle)
    broad, narrow = max(half_length, petal.half_width), min(half_length, petal.half_width)
    spot = frame.spot(centre * cos, centre * sin, lift=petal.lift)
    box = sheet.box(*spot, broad * 1.22 * frame.radius + 2)
    x, y = frame.plane(sheet, box, lift=petal.lift)
    if not x.size:
        return
    along = (x * cos + y * sin - centre) * (1 / half_length)
    across = (y * cos - x * sin) * (1 / petal.half_width)
    out = np.sqrt(along * along + across * across) + 1e-4
    c, s = along / out, across / out
    s2 = s * s
    forward = np.maximum(c, 0.0)
    f2 = forward * forward
    # sin 3a and sin 5a from sin a; the lip is a power of cos a.
    wave3, wave5 = petal.waves
    edge = (1.0 + wave3 * s * (3.0 - 4.0 * s2)) + wave5 * s * (5.0 + s2 * (16.0 * s2 - 20.0))
    f4 = f2 * f2
    edge += petal.lip * f4 * f4 - 0.05 * f2
    gap = (edge - out) * narrow
    sun_x, sun_y = frame.light
    facing = (sun_x * cos + sun_y * sin) * c + (sun_y * cos - sun_x * sin) * s
    near = np.clip(1.0 + gap * (1 / 0.085), 0.0, 1.0)
    sheet.shade(box, near * near * (0.55 - 0.16 * facing))
    # From the rim inwards: a rolled lip that catches the light, then the fall into the cup.
    fall = soft(along * 0.62 + 0.30)
    roll = np.maximum(1.0 - np.abs(gap - 0.030) * (1 / 0.034), 0.0)
    depth = petal.depth
    light = (0.44 + 0.50 * fall) * (1.0 - 0.14 * depth) + petal.tone
    light += facing * (0.27 * fall - 0.17) + (0.26 + 0.22 * facing) * roll * (0.35 + 0.65 * forward)
    light -= 0.10 * np.abs(across) * (1.0 - roll)
    pigment = (0.24 - 0.10 * depth) + 0.50 * fall + 0.30 * roll + 0.06 * facing
    sheet.lay(box, np.clip(gap * frame.radius + 0.5, 0.0, 1.0), pigment, light)
