"""The dandelion's seed clock: a ball of parachutes, some of them flown."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from embedlab.data.garden.colours import flat, ramp, tinted
from embedlab.data.garden.factors import Flower
from embedlab.data.garden.heads import Layer
from embedlab.data.garden.pen import ALL, Field, Frame, Sheet
from embedlab.data.garden.texture import GOLDEN

_SEEDS, _HAIRS = 96, 11
_CORE = 0.125


def clock(flower: Flower, frame: Frame, rng: np.random.Generator) -> Iterator[Layer]:
    """Paint haze, the far half of the ball, the near half, and the core that holds them."""
    flown = (0.0, 0.1, 0.35)[int(np.searchsorted((0.5, 0.8), rng.random()))]
    kept = rng.random(_SEEDS) >= flown
    sheet = frame.window(1.06)
    if sheet.cover.size:
        x, y = sheet.points(ALL)
        x, y = (x - frame.x) * (1 / frame.radius), (y - frame.y) * (1 / frame.radius)
        far, near = _parachutes(sheet, frame, kept)
        out2 = x * x + y * y
        inside = np.clip((1.0 - np.sqrt(out2)) * 6.0, 0.0, 1.0)
        light = 0.80 + 0.24 * (x * math.cos(frame.sun) + y * math.sin(frame.sun))
        sheet.lay(ALL, inside * (0.14 + 0.20 * out2) * float(kept.mean()), 0.9, light)
        sheet.lay(ALL, far * 0.75, 1.0, light * 0.86)
        sheet.lay(ALL, near, 1.0, light * 1.08)
    _, shade = tinted("white", rng)
    yield sheet, ramp([(198, 200, 204), (236, 238, 240), (255, 255, 255)]), shade
    yield _core(frame)


def _parachutes(sheet: Sheet, frame: Frame, kept: NDArray[np.bool_]) -> tuple[Field, Field]:
    """Draw stalks and hairs, the ball's far half and its near half: how much they cover."""
    height, width = sheet.cover.shape
    dense = 2  # thin lines are drawn larger and reduced
    halves = [Image.new("L", (width * dense, height * dense)) for _ in range(2)]
    pens = [ImageDraw.Draw(half) for half in halves]
    r = frame.radius * dense
    x0, y0 = (frame.x - sheet.left) * dense, (frame.y - sheet.top) * dense
    sun_x, sun_y = math.cos(frame.sun), math.sin(frame.sun)
    spread = [(math.cos(2 * math.pi * k / _HAIRS), math.sin(2 * math.pi * k / _HAIRS))
              for k in range(_HAIRS)]  # fmt: skip
    for i in range(_SEEDS - 1, -1, -1):
        if not kept[i]:
            continue
        z = 1 - 2 * (i + 0.5) / _SEEDS
        out, angle = math.sqrt(1 - z * z), i * GOLDEN + frame.turn
        x, y = out * math.cos(angle), out * math.sin(angle)
        strength = (0.78 + 0.22 * z) * (0.86 + 0.14 * (x * sun_x + y * sun_y))
        pen = pens[z > -0.1]
        px, py = x0 + r * 0.78 * x, y0 + r * 0.78 * y
        stalk = [(x0 + r * 0.1 * x, y0 + r * 0.1 * y), (px, py)]
        pen.line(stalk, fill=int(150 * strength), width=max(1, round(r * 0.014)))
        reach = r * 0.22 * (0.45 + 0.55 * abs(z))
        c, s = math.cos(i), math.sin(i)
        tx, ty = px + r * 0.10 * x, py + r * 0.10 * y
        fan = []
        for a, b in spread:
            fan += [(px, py), (tx + reach * (a * c - b * s), ty + reach * (a * s + b * c))]
        pen.line(fan, fill=int(225 * strength), width=max(1, round(r * 0.008)))
        dot = r * 0.02
        pen.ellipse([px - dot, py - dot, px + dot, py + dot], fill=int(245 * strength))
    far, near = (np.asarray(half.reduce(dense), np.float32) / np.float32(255) for half in halves)
    return far, near


def _core(frame: Frame) -> Layer:
    sheet = frame.window(0.2)
    x, y = frame.plane(sheet)
    out = np.sqrt(x * x + y * y) * (1 / _CORE)
    sun_x, sun_y = frame.light
    cover = np.clip((1.0 - out) * (frame.radius * _CORE) + 0.5, 0.0, 1.0)
    sheet.lay(ALL, cover, np.clip(0.9 - out, 0.0, 1.0), 0.75 + 2.6 * (x * sun_x + y * sun_y))
    return sheet, ramp([(96, 70, 40), (150, 118, 72), (196, 170, 120)]), flat((40, 26, 16))
