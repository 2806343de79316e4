"""Heads made of whorls and discs: daisy, sunflower, dandelion and its seed clock."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from embedlab.data.garden.colours import ramp, tinted
from embedlab.data.garden.factors import Flower
from embedlab.data.garden.pen import ALL, Field, Frame, Look, Sheet, Whorl, paint_whorl, soft
from embedlab.data.garden.texture import GOLDEN, seeds

Layer = tuple[Sheet, Field, Field]

_DAISY_DISCS = (
    (0.65, [(150, 84, 4), (232, 164, 14), (255, 222, 70)]),
    (0.20, [(84, 86, 18), (166, 164, 42), (232, 222, 92)]),
    (0.15, [(58, 30, 12), (128, 78, 28), (204, 140, 54)]),
)
_SUNFLOWER_DISCS = (
    (0.45, [(26, 12, 6), (84, 48, 18), (168, 106, 40)]),
    (0.20, [(16, 8, 6), (58, 34, 20), (116, 72, 44)]),
    (0.20, [(104, 62, 8), (192, 138, 26), (244, 198, 70)]),
    (0.15, [(64, 66, 16), (132, 130, 40), (196, 178, 70)]),
)


def daisy(flower: Flower, frame: Frame, side: int, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint two whorls of blunt straps around a domed disc."""
    body, shade = tinted(flower.hue, rng)
    n = flower.petals
    disc = float(rng.uniform(0.22, 0.36))
    half = math.pi / n * rng.uniform(0.86, 1.06)
    cup = 0.42 * (flower.openness - 0.45) * -1.0
    sheet = frame.window(side, 1.12)
    for j, (length, dim) in enumerate(((1.0, 0.80), (0.96, 1.0))):
        angle = (np.arange(n) + 0.5 * j) * (2 * math.pi / n) + rng.normal(0, 0.05, n)
        size = 1 + rng.normal(0, 0.05, n)
        whorl = Whorl(
            angle,
            (length - disc * 0.7) * size,
            half * (1 + rng.normal(0, 0.07, n)),
            rng.normal(0, 0.05, n),
            rng.normal(0, 0.025, n),
            "strap",
            start=disc * 0.7,
            lift=0.03 * j,
            cup=cup,
        )
        paint_whorl(sheet, frame, whorl, Look(0.25, 0.95, 0.45, 0.5, 0.07, 0.42, 0.40, dim, 0.03))
    yield sheet, body, shade
    yield _disc(flower, frame, side, disc, _choose(rng, _DAISY_DISCS), 90, 0.10, rng)


def sunflower(flower: Flower, frame: Frame, side: int, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint three whorls of pointed rays around a wide disc of seeds."""
    body, shade = tinted(flower.hue, rng)
    disc = float(rng.uniform(0.36, 0.54))
    cup = 0.30 * (0.55 - flower.openness)
    sheet = frame.window(side, 1.15)
    for j, (length, share, dim) in enumerate(
        ((1.0, 1.0, 0.74), (0.94, 1.0, 0.88), (0.86, 0.7, 1.0))
    ):
        n = max(5, round(flower.petals * share))
        angle = (np.arange(n) + 0.45 * j) * (2 * math.pi / n) + rng.normal(0, 0.07, n)
        start = disc * 0.8
        size = 1 + rng.normal(0, 0.07, n)
        whorl = Whorl(
            angle,
            (length - start) * size,
            math.pi / n * 1.05 * (1 + rng.normal(0, 0.08, n)),
            rng.normal(0, 0.10, n),
            rng.normal(0, 0.03, n),
            "point",
            start=start,
            lift=0.03 * j,
            cup=cup,
        )
        paint_whorl(sheet, frame, whorl, Look(0.12, 0.92, 0.55, 0.45, 0.10, 0.5, 0.5, dim))
    yield sheet, body, shade
    yield _disc(flower, frame, side, disc, _choose(rng, _SUNFLOWER_DISCS), 190, 0.07, rng)


def dandelion(flower: Flower, frame: Frame, side: int, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint shrinking whorls of thin toothed rays, a cushion."""
    body, shade = tinted(flower.hue, rng)
    sheet = frame.window(side, 1.12)
    rings = (1.0, 0.92, 0.82, 0.71, 0.59, 0.47, 0.35, 0.23)
    total = sum(r + 0.25 for r in rings)
    for j, reach in enumerate(rings):
        n = max(9, round(flower.petals * 2.5 * (reach + 0.25) / total))
        t = j / (len(rings) - 1)
        angle = (np.arange(n) + rng.random()) * (2 * math.pi / n) + rng.normal(0, 0.05, n)
        length = reach * (1 + rng.normal(0, 0.055, n))
        half = math.pi * reach / n * (0.62 + 0.12 * t) * (1 + rng.normal(0, 0.08, n))
        whorl = Whorl(
            angle,
            length * 0.97,
            half,
            rng.normal(0, 0.07, n),
            rng.normal(0, 0.05, n),
            "ray",
            start=0.02,
            lift=0.02 + 0.26 * t * (1 - 0.35 * t),
            cup=0.12 * (0.5 - flower.openness),
        )
        look = Look(
            root=0.0,
            end=0.72 + 0.26 * t,
            curl=0.35,
            bow=0.55,
            groove=0.0,
            dusk=0.62,
            shadow=0.44,
            dim=0.82 + 0.20 * t - 0.10 * max(0.0, t - 0.7),
            teeth=0.045,
        )
        paint_whorl(sheet, frame, whorl, look)
    yield sheet, body, shade


def clock(flower: Flower, frame: Frame, side: int, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint a sphere of seeds on parachutes, some of them flown."""
    sheet = frame.window(side, 1.06)
    if sheet.empty:
        return
    height, width = sheet.cover.shape
    x0, y0, r = frame.x - sheet.left, frame.y - sheet.top, frame.radius
    far, near = (Image.new("L", (width, height)) for _ in range(2))
    pens = ImageDraw.Draw(far), ImageDraw.Draw(near)
    flown = float(rng.choice([0.0, 0.1, 0.35], p=[0.5, 0.3, 0.2]))
    count = 96
    lost = rng.random(count) < flown
    sun = (math.cos(frame.sun), math.sin(frame.sun))
    order = []
    for i in range(count):
        z = 1 - 2 * (i + 0.5) / count
        out = math.sqrt(1 - z * z)
        a = i * GOLDEN + frame.turn
        order.append((z, out * math.cos(a), out * math.sin(a), i))
    for z, x, y, i in sorted(order):
        if lost[i]:
            continue
        pen = pens[z > -0.1]
        lit = 0.5 + 0.5 * (x * sun[0] + y * sun[1])
        strength = (0.55 + 0.45 * (z + 1) / 2) * (0.72 + 0.28 * lit)
        px, py = x0 + r * 0.78 * x, y0 + r * 0.78 * y
        pen.line(
            [(x0 + r * 0.1 * x, y0 + r * 0.1 * y), (px, py)],
            fill=int(150 * strength),
            width=max(1, round(r * 0.014)),
        )
        fan = []
        reach = r * 0.22
        for k in range(11):
            b = 2 * math.pi * k / 11 + i
            spread = reach * (0.45 + 0.55 * abs(z))
            fan += [
                (px, py),
                (
                    px + r * 0.10 * x + spread * math.cos(b),
                    py + r * 0.10 * y + spread * math.sin(b),
                ),
            ]
        pen.line(fan, fill=int(225 * strength), width=1)
        dot = r * 0.02
        pen.ellipse([px - dot, py - dot, px + dot, py + dot], fill=int(245 * strength))
    xs = (np.arange(width, dtype=np.float32) + 0.5 - np.float32(x0)) / np.float32(r)
    ys = ((np.arange(height, dtype=np.float32) + 0.5 - np.float32(y0)) / np.float32(r))[:, None]
    d2 = xs * xs + ys * ys
    inside = np.clip((1.0 - np.sqrt(d2)) * 6.0, 0, 1)
    lit = 0.80 + 0.24 * (xs * np.float32(sun[0]) + ys * np.float32(sun[1]))
    haze = inside * (0.16 + 0.20 * d2)
    for image, dim, k in ((far, 0.86, 0.75), (near, 1.06, 1.0)):
        lines = np.asarray(image, np.float32) * np.float32(k / 255)
        if image is far:
            sheet.lay(ALL, haze, np.full_like(haze, 0.9), lit * 0.98)
        sheet.lay(ALL, lines, np.full_like(haze, 1.0), lit * dim)
    _, shade = tinted("white", rng)
    yield sheet, ramp([(198, 200, 204), (236, 238, 240), (255, 255, 255)]), shade
    core = frame.window(side, 0.2)
    xs, ys = frame.plane(core)
    d = np.sqrt(xs * xs + ys * ys) * (1 / 0.125)
    sx, sy = frame.light
    core.lay(
        ALL,
        np.clip((1 - d) * frame.radius * 0.125 + 0.5, 0, 1),
        np.clip(0.9 - d, 0, 1),
        0.75 + 2.6 * (xs * sx + ys * sy),
    )
    yield core, ramp([(96, 70, 40), (150, 118, 72), (196, 170, 120)]), ramp([(40, 26, 16)] * 2)


def _disc(
    flower: Flower,
    frame: Frame,
    side: int,
    radius: float,
    stops: list[tuple[float, float, float]],
    count: int,
    lift: float,
    rng: np.random.Generator,
) -> Layer:
    """Paint a domed disc of seeds."""
    sheet = frame.window(side, radius * 1.15 + lift)
    x, y = frame.plane(sheet, lift=lift)
    turn = rng.uniform(0, 2 * math.pi)
    c, s = math.cos(turn) / radius, math.sin(turn) / radius
    height, centre = seeds(count)
    n = len(height)
    col = np.clip(((x * c + y * s) + 1.0) * (n / 2), 0, n - 1).astype(np.int32)
    row = np.clip(((y * c - x * s) + 1.0) * (n / 2), 0, n - 1).astype(np.int32)
    bump, d = height[row, col], centre[row, col]
    sx, sy = frame.light
    q2 = (x * x + y * y) * (1.0 / (radius * radius))
    facing = (x * sx + y * sy) * (1.0 / radius)
    cover = np.clip((1.0 - np.sqrt(q2)) * radius * frame.radius + 0.5, 0.0, 1.0)
    cover = np.where(d < 1.0, cover, np.clip((1.04 - np.sqrt(q2)) * radius * frame.radius, 0, 1))
    heart = soft(1.0 - q2 * 5.0)
    pigment = 0.12 + 0.62 * bump * (0.45 + 0.55 * q2) + 0.22 * facing - 0.18 * heart
    light = 0.80 + 0.30 * facing * (0.4 + 0.6 * q2) - 0.30 * (1.0 - bump)
    light -= 0.30 * soft((q2 - 0.80) * 4.0) * (0.5 - 0.5 * facing)
    sheet.lay(ALL, cover, pigment, light)
    dark = [tuple(0.25 * v for v in stops[0])] * 2
    return sheet, ramp(stops), ramp(dark)


def _choose(rng: np.random.Generator, options):  # type: ignore[no-untyped-def]
    draw = float(rng.random())
    for share, stops in options:
        draw -= share
        if draw < 0:
            return stops
    return options[-1][1]
