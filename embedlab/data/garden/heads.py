"""Heads made of whorls around a middle: daisy, sunflower, dandelion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from embedlab.data.garden.colours import Stops, flat, ramp, tinted
from embedlab.data.garden.factors import Flower
from embedlab.data.garden.pen import ALL, Field, Frame, Sheet, soft
from embedlab.data.garden.petals import Look, Whorl, paint_whorl
from embedlab.data.garden.texture import seeds

Layer = tuple[Sheet, Field, Field]
"""A painted sheet, and the ramps for full light and full shade."""

DAISY_DISCS = (
    (0.65, ((150, 84, 4), (232, 164, 14), (255, 222, 70))),
    (0.20, ((84, 86, 18), (166, 164, 42), (232, 222, 92))),
    (0.15, ((58, 30, 12), (128, 78, 28), (204, 140, 54))),
)
SUNFLOWER_DISCS = (
    (0.45, ((30, 14, 6), (88, 50, 18), (176, 112, 42))),
    (0.20, ((20, 10, 8), (62, 38, 22), (124, 78, 48))),
    (0.20, ((104, 62, 8), (192, 138, 26), (244, 198, 70))),
    (0.15, ((64, 66, 16), (132, 130, 40), (196, 178, 70))),
)


def daisy(flower: Flower, frame: Frame, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint two whorls of blunt straps around a domed disc."""
    body, shade = tinted(flower.hue, rng)
    n = flower.petals
    disc = float(rng.uniform(0.22, 0.36))
    half = math.pi / n * rng.uniform(0.74, 1.04)
    sheet = frame.window(1.15)
    for j, (length, dim) in enumerate(((1.0, 0.82), (0.96, 1.0))):
        whorl = Whorl(
            angle=(np.arange(n) + 0.5 * j) * (2 * math.pi / n) + rng.normal(0, 0.05, n),
            length=(length - disc * 0.7) * (1 + rng.normal(0, 0.05, n)),
            half_width=half * (1 + rng.normal(0, 0.07, n)),
            bend=rng.normal(0, 0.05, n),
            tone=rng.normal(0, 0.025, n),
            shape="strap",
            start=disc * 0.7,
            lift=0.03 * j,
            cup=0.45 * (0.45 - flower.openness),
        )
        look = Look(0.25, 0.95, groove=0.07, dusk=0.40, shadow=0.42, dim=dim, teeth=0.03)
        paint_whorl(sheet, frame, whorl, look)
    yield sheet, body, shade
    yield _disc(frame, disc, _choice(rng, DAISY_DISCS), 90, lift=0.10, rng=rng)


def sunflower(flower: Flower, frame: Frame, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint three whorls of pointed rays around a wide disc of seeds."""
    body, shade = tinted(flower.hue, rng)
    disc = float(rng.uniform(0.36, 0.54))
    start = disc * 0.8
    sheet = frame.window(1.18)
    whorls = ((1.0, 1.0, 0.76), (0.94, 1.0, 0.90), (0.86, 0.7, 1.02))
    for j, (length, share, dim) in enumerate(whorls):
        n = max(5, round(flower.petals * share))
        whorl = Whorl(
            angle=(np.arange(n) + 0.45 * j) * (2 * math.pi / n) + rng.normal(0, 0.07, n),
            length=(length - start) * (1 + rng.normal(0, 0.07, n)),
            half_width=math.pi / n * 1.05 * (1 + rng.normal(0, 0.08, n)),
            bend=rng.normal(0, 0.10, n),
            tone=rng.normal(0, 0.03, n),
            shape="point",
            start=start,
            lift=0.03 * j,
            cup=0.36 * (0.55 - flower.openness),
        )
        look = Look(0.12, 0.92, curl=0.55, bow=0.45, groove=0.10, shadow=0.5, dim=dim)
        paint_whorl(sheet, frame, whorl, look)
    yield sheet, body, shade
    yield _disc(frame, disc, _choice(rng, SUNFLOWER_DISCS), 190, lift=0.07, rng=rng)


_RINGS = (1.0, 0.93, 0.84, 0.74, 0.62, 0.49, 0.36, 0.22)


def dandelion(flower: Flower, frame: Frame, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint shrinking whorls of thin toothed rays, a cushion."""
    body, shade = tinted(flower.hue, rng)
    sheet = frame.window(1.2)
    total = sum(ring + 0.25 for ring in _RINGS)
    for j, ring in enumerate(_RINGS):
        n = max(9, round(flower.petals * 3.4 * (ring + 0.25) / total))
        t = j / (len(_RINGS) - 1)
        whorl = Whorl(
            angle=(np.arange(n) + rng.random()) * (2 * math.pi / n) + rng.normal(0, 0.05, n),
            length=ring * 0.98 * (1 + rng.normal(0, 0.075, n)),
            half_width=math.pi * ring / n * (0.74 + 0.10 * t) * (1 + rng.normal(0, 0.08, n)),
            bend=rng.normal(0, 0.08, n),
            tone=rng.normal(0, 0.06, n),
            shape="ray",
            start=0.02,
            lift=0.02 + 0.26 * t * (1 - 0.35 * t),
            cup=0.22 * (0.5 - flower.openness),
        )
        look = Look(
            root=0.05,
            tip=0.74 + 0.26 * t,
            curl=0.4,
            bow=0.55,
            dusk=0.58 - 0.14 * t,
            shadow=0.42,
            dim=0.84 + 0.22 * t - 0.30 * max(0.0, t - 0.7),
            teeth=0.035,
        )
        paint_whorl(sheet, frame, whorl, look)
    yield sheet, body, shade


def _disc(
    frame: Frame, radius: float, stops: Stops, count: int, *, lift: float, rng: np.random.Generator
) -> Layer:
    """Paint a domed disc of seeds."""
    sheet = frame.window(radius * 1.15 + lift)
    x, y = frame.plane(sheet, lift=lift)
    turn = rng.uniform(0, 2 * math.pi)
    c, s = math.cos(turn) / radius, math.sin(turn) / radius
    height = seeds(count)
    n = len(height)
    col = np.clip(((x * c + y * s) + 1.0) * (n / 2), 0, n - 1).astype(np.intp)
    row = np.clip(((y * c - x * s) + 1.0) * (n / 2), 0, n - 1).astype(np.intp)
    bump = height.take(row * n + col)
    sun_x, sun_y = frame.light
    out = np.sqrt(x * x + y * y) * (1.0 / radius)
    out2 = out * out
    facing = (x * sun_x + y * sun_y) * (1.0 / radius)
    cover = np.clip((1.03 - out) * (radius * frame.radius) + 0.5, 0.0, 1.0)
    heart = soft(1.0 - out2 * 5.0)
    pigment = 0.14 + 0.62 * bump * (0.45 + 0.55 * out2) + 0.22 * facing - 0.18 * heart
    light = 0.84 + 0.30 * facing * (0.4 + 0.6 * out2) - 0.30 * (1.0 - bump)
    light -= 0.30 * soft((out2 - 0.80) * 4.0) * (0.5 - 0.5 * facing)
    sheet.lay(ALL, cover, pigment, light)
    return sheet, ramp(stops), flat([0.25 * value for value in stops[0]])


def _choice(rng: np.random.Generator, options: Sequence[tuple[float, Stops]]) -> Stops:
    ends = np.cumsum([share for share, _ in options])
    return options[min(int(np.searchsorted(ends, rng.random())), len(options) - 1)][1]
