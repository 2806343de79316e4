"""The tulip: a cup seen from the side, or a star seen from above."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from embedlab.data.garden.colours import ramp, tinted
from embedlab.data.garden.factors import Flower
from embedlab.data.garden.heads import Layer
from embedlab.data.garden.pen import ALL, Field, Frame, Look, Sheet, Whorl, edge, paint_whorl, soft


def cup(flower: Flower, frame: Frame, side: int, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint six petals that stand around the cup: three behind, two at the sides, one before."""
    body, shade = tinted(flower.hue, rng)
    sheet = frame.window(side, 1.35)
    if sheet.empty:
        return
    wide = flower.openness
    sun = frame.light[0]
    streak = float(rng.uniform(0.0, 0.06))
    plane = frame.plane(sheet)
    front = rng.normal(0, 0.05)
    for lean, half, height, bend, tone in (
        (-0.02, 0.50, 1.72, 0.0, -0.34),
        (-0.22 - wide * 0.28, 0.42, 1.70, 0.03, -0.24 - 0.10 * sun),
        (0.22 + wide * 0.28, 0.42, 1.70, -0.03, -0.24 + 0.10 * sun),
        (-0.30 - wide * 0.42, 0.45, 1.72, 0.17 - wide * 0.10, -0.04 - 0.14 * sun),
        (0.30 + wide * 0.42, 0.45, 1.72, -0.17 + wide * 0.10, -0.04 + 0.14 * sun),
        (front, 0.54, 1.62 - 0.16 * wide, 0.0, 0.02),
    ):
        _cup_petal(
            sheet, frame, plane, lean + rng.normal(0, 0.02), half, height, bend, tone, streak
        )
    yield sheet, body, shade


def _cup_petal(
    sheet: Sheet,
    frame: Frame,
    plane: tuple[Field, Field],
    lean: float,
    half: float,
    height: float,
    bend: float,
    tone: float,
    streak: float,
) -> None:
    x, y = plane
    angle = -math.pi / 2 + lean
    cos, sin = math.cos(angle), math.sin(angle)
    foot = y - 0.86
    u = (x * cos + foot * sin) * (1 / height)
    v = foot * cos - x * sin - bend * height * u * u
    gap, across = edge("egg", u, v, height, half)
    near = np.clip(1.0 + gap * (1 / 0.11), 0.0, 1.0)
    sheet.shade(ALL, near * near * 0.42)
    cover = np.clip(gap * frame.radius + 0.5, 0.0, 1.0)
    u = np.clip(u, 0.0, 1.0)
    sun_x, sun_y = frame.light
    sideways = sun_y * cos - sun_x * sin
    round_ = across * (0.55 + 0.45 * np.abs(across))
    light = 0.80 + 0.24 * sideways * round_ - 0.16 * round_ * round_ + tone
    light += 0.16 * soft(u * 1.25) - 0.30 * soft(1.0 - u * 3.2)
    rib = np.clip(1.0 - np.abs(across) * 7.0, 0.0, 1.0)
    light -= 0.05 * rib * (1.0 - u)
    flame = np.abs((across * 3.0 + u * 0.35) % 1.0 - 0.5)
    light += streak * (flame - 0.25) * 2.0 * (1.0 - np.abs(across))
    rim = np.clip(1.0 - gap * (1 / 0.05), 0.0, 1.0)
    light += 0.10 * rim * u
    pigment = 0.16 + 0.52 * u + 0.22 * rim * u + 0.14 * sideways * round_
    sheet.lay(ALL, cover, pigment, light)


def star(flower: Flower, frame: Frame, side: int, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint an open tulip from above: two whorls of three, a blotched heart, six stamens."""
    body, shade = tinted(flower.hue, rng)
    sheet = frame.window(side, 1.2)
    dark = bool(rng.random() < 0.6)
    n = max(3, flower.petals // 2)
    cup_ = 0.30 * (0.7 - flower.openness)
    turn = rng.uniform(0, 2 * math.pi)
    half = 1.18 * math.sin(math.pi / n) * 0.52
    for j in range(2):
        angle = turn + (np.arange(n) + 0.5 * j) * (2 * math.pi / n) + rng.normal(0, 0.05, n)
        whorl = Whorl(
            angle,
            (1.10 - 0.08 * j) * (1 + rng.normal(0, 0.03, n)),
            half * (1 + rng.normal(0, 0.04, n)),
            rng.normal(0, 0.04, n),
            rng.normal(0, 0.02, n),
            "tepal",
            start=0.0,
            lift=0.05 * j,
            cup=cup_,
        )
        paint_whorl(
            sheet,
            frame,
            whorl,
            Look(0.10, 0.95, 0.42, 0.55, 0.05, 0.30, 0.45, 0.9 + 0.1 * j),
        )
    yield sheet, body, shade
    heart = frame.window(side, 0.5)
    x, y = frame.plane(heart, lift=0.05)
    r = np.sqrt(x * x + y * y)
    # Six lobes of the blotch follow the petals: cos 6a by the chord's powers.
    c, s = math.cos(turn), math.sin(turn)
    cx, cy = (x * c + y * s) / (r + 1e-4), (y * c - x * s) / (r + 1e-4)
    cos3 = cx * (4.0 * cx * cx - 3.0)
    sin3 = cy * (3.0 - 4.0 * cy * cy)
    lobes = cos3 * cos3 - sin3 * sin3
    blotch = soft((0.30 + 0.05 * lobes - r) * 9.0)
    heart.lay(ALL, blotch * (0.92 if dark else 0.85), 0.5 - r, np.full_like(r, 0.9))
    stops = [(28, 14, 30), (52, 30, 58)] if dark else [(214, 160, 24), (246, 220, 90)]
    yield heart, ramp(stops), ramp([tuple(0.4 * v for v in stops[0])] * 2)
    yield _stamens(frame, side, turn, dark)


def _stamens(frame: Frame, side: int, turn: float, dark: bool) -> Layer:
    sheet = frame.window(side, 0.4)
    six = np.arange(6)
    whorl = Whorl(
        turn + 0.3 + six * math.pi / 3,
        np.full(6, 0.26),
        np.full(6, 0.042),
        six * 0.0,
        six * 0.0,
        "ray",
        start=0.03,
        lift=0.10,
    )
    paint_whorl(sheet, frame, whorl, Look(0.0, 1.0, 0.5, 0.3, 0.0, 0.0, 0.4))
    x, y = frame.plane(sheet, lift=0.16)
    d = np.sqrt(x * x + y * y) * (1 / 0.075)
    sx, sy = frame.light
    sheet.lay(
        ALL,
        np.clip((1 - d) * frame.radius * 0.075 + 0.5, 0, 1),
        np.full_like(d, 1.0),
        0.85 + 3.0 * (x * sx + y * sy),
    )
    tip = (58, 40, 52) if dark else (196, 132, 16)
    return sheet, ramp([tip, tip, (206, 214, 130)]), ramp([(30, 20, 24)] * 2)
