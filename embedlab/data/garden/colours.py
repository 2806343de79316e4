"""Colours: the ramps that pigment and light are looked up on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embedlab.data.garden.pen import Field, Sheet

PALETTE: dict[str, tuple[tuple[int, int, int], ...]] = {
    "white": ((216, 214, 198), (246, 244, 234), (255, 255, 252)),
    "yellow": ((232, 158, 8), (252, 204, 28), (255, 232, 92)),
    "orange": ((222, 84, 4), (248, 128, 22), (255, 180, 78)),
    "red": ((140, 8, 22), (204, 22, 34), (238, 66, 60)),
    "pink": ((206, 60, 118), (240, 122, 164), (255, 196, 214)),
    "lilac": ((104, 62, 166), (152, 110, 210), (210, 180, 244)),
}
"""Each hue in full light: root, body, tip of a petal."""

SHADE: dict[str, tuple[int, int, int]] = {
    "white": (120, 126, 152),
    "yellow": (156, 82, 4),
    "orange": (140, 30, 2),
    "red": (52, 0, 14),
    "pink": (112, 16, 70),
    "lilac": (48, 24, 98),
}
"""Each hue in full shade."""

_STEPS = 256
Stops = Sequence[Sequence[float] | NDArray[np.float64]]


def ramp(stops: Stops) -> Field:
    """Run through colours at equal steps: shape (3, 256), float32, values 0..255."""
    colours = np.clip(np.array([list(stop) for stop in stops], np.float64), 0, 255)
    at = np.linspace(0, 1, _STEPS)
    knots = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(at, knots, colours[:, k]) for k in range(3)]).astype(np.float32)


def flat(colour: Sequence[float] | NDArray[np.float64]) -> Field:
    """Give a ramp of one colour."""
    return np.repeat(np.clip(np.array(colour, np.float32), 0, 255)[:, None], _STEPS, axis=1)


def tinted(hue: str, rng: np.random.Generator) -> tuple[Field, Field]:
    """Give a hue's ramps, slightly different for every flower.

    Returns
    -------
    body, shade : ndarray of shape (3, 256), float32
        Colour for each pigment in full light and in full shade, 0..255.
    """
    drift, gain = rng.normal(0, 7, 3), rng.uniform(0.95, 1.04)
    stops = [(np.array(stop) + drift) * gain for stop in PALETTE[hue]]
    return ramp(stops), flat((np.array(SHADE[hue]) + drift * 0.5) * gain)


def colour(sheet: Sheet, body: Field, shade: Field) -> Field:
    """Turn a sheet of paint into colours.

    Returns
    -------
    ndarray of shape (3, h, w), float32
        Colours times cover, 0..255.
    """
    per = 1.0 / np.maximum(sheet.cover, 1e-4)
    pigment = np.clip(sheet.pigment * per * (_STEPS - 1), 0, _STEPS - 1).astype(np.intp)
    light = sheet.light * per
    lit = np.clip(light, 0.0, 1.0)
    # Light beyond 1 drives a colour towards white.
    gloss = np.clip(light - 1.0, 0.0, 0.6)
    dull = (1.0 - gloss) * sheet.cover
    gloss = gloss * (255.0 * sheet.cover)
    rgb = np.empty((3, *light.shape), np.float32)
    for channel, (bright, dark) in enumerate(zip(body, shade, strict=True)):
        low = dark.take(pigment)
        rgb[channel] = (low + (bright.take(pigment) - low) * lit) * dull + gloss
    return rgb
