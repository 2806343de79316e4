"""The rose: broad petals laid one over another, each a lip of light above its own shade."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from embedlab.data.garden.colours import tinted
from embedlab.data.garden.factors import Flower
from embedlab.data.garden.heads import Layer
from embedlab.data.garden.pen import Field, Frame, Sheet, soft

_FULL = (6, 5, 5, 4, 4, 3, 3)
_RADII = (1.0, 0.88, 0.75, 0.61, 0.47, 0.33, 0.20)


def rose(flower: Flower, frame: Frame, side: int, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint whorls of petals, from the outermost inwards."""
    body, shade = tinted(flower.hue, rng)
    sheet = frame.window(side, 1.15)
    if sheet.empty:
        return
    share = flower.petals / sum(_FULL)
    phase = rng.uniform(0, 2 * math.pi)
    gather = 1.0 - 0.18 * (1 - flower.openness)
    for j, radius in enumerate(_RADII):
        n = max(2, round(_FULL[j] * share))
        t = j / (len(_RADII) - 1)
        phase += math.pi / n + rng.normal(0, 0.15)
        reach = radius * (gather if j < 3 else 1.0) if j else radius
        lift = 0.40 * t * (1 - 0.25 * t)
        plane = frame.plane(sheet, lift=lift)
        for i in range(n):
            angle = phase + 2 * math.pi * i / n + rng.normal(0, 0.09)
            _petal(sheet, frame, plane, angle, reach * (1 + rng.normal(0, 0.03)), n, t, lift, rng)
    yield sheet, body, shade


def _petal(
    sheet: Sheet,
    frame: Frame,
    plane: tuple[Field, Field],
    angle: float,
    reach: float,
    n: int,
    depth: float,
    lift: float,
    rng: np.random.Generator,
) -> None:
    """Paint one petal; `depth` is 0 for the outermost, 1 for the heart."""
    length = reach * 0.64
    width = reach * (math.sin(math.pi / n) * 1.30 if n > 2 else 1.05)
    centre = reach - length
    cos, sin = math.cos(angle), math.sin(angle)
    wave3, wave5 = (float(v) for v in rng.normal(0, (0.030, 0.018)))
    lip = float(rng.uniform(0.02, 0.07))
    tone = float(rng.normal(0, 0.03))
    spot = frame.spot(centre * cos, centre * sin, lift=lift)
    box = sheet.box(*spot, max(length, width) * 1.22 * frame.radius + 2)
    x, y = plane[0][box], plane[1][box]
    if x.size == 0:
        return
    along = (x * cos + y * sin - centre) * (1 / length)
    across = (y * cos - x * sin) * (1 / width)
    rho = np.sqrt(along * along + across * across) + 1e-4
    c, s = along / rho, across / rho
    s2 = s * s
    # Waves of three and five swells round the edge, and a lip drawn out to a soft point.
    edge = 1.0 + wave3 * s * (3.0 - 4.0 * s2) + wave5 * s * (5.0 + s2 * (16.0 * s2 - 20.0))
    forward = np.maximum(c, 0.0)
    f2 = forward * forward
    edge += lip * f2 * f2 * f2 * f2 - 0.05 * f2
    inside = edge - rho
    gap = inside * min(length, width)
    near = np.clip(1.0 + gap * (1 / 0.085), 0.0, 1.0)
    sun_x, sun_y = frame.light
    facing = (sun_x * cos + sun_y * sin) * c + (sun_y * cos - sun_x * sin) * s
    sheet.shade(box, near * near * (0.58 - 0.16 * facing))
    cover = np.clip(gap * frame.radius + 0.5, 0.0, 1.0)
    # From the rim inwards: a rolled lip that catches the light, then the fall into the cup.
    fall = soft(np.maximum(along * 0.62 + 0.30, 0.0))
    roll = np.clip(1.0 - np.abs(gap - 0.030) * (1 / 0.034), 0.0, 1.0)
    light = (0.40 + 0.50 * fall) * (1.0 - 0.16 * depth) - 0.17 * facing * (1.0 - fall) + tone
    light += (0.26 + 0.22 * facing) * roll * (0.35 + 0.65 * forward)
    light += 0.10 * facing * fall
    light -= 0.10 * np.abs(across) * (1.0 - roll)
    pigment = 0.22 + 0.50 * fall + 0.30 * roll + 0.06 * facing - 0.10 * depth
    sheet.lay(box, cover, pigment, light)
