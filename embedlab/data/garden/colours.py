"""Colours: the ramps that pigment and light are looked up on."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from embedlab.data.garden.pen import Field, Sheet

RGB = tuple[float, float, float]

# Shade, root, body, tip.
PALETTE: dict[str, tuple[RGB, RGB, RGB]] = {
    "white": ((214, 212, 196), (244, 242, 232), (255, 255, 252)),
    "yellow": ((226, 150, 10), (250, 200, 26), (255, 230, 88)),
    "orange": ((204, 72, 6), (244, 122, 22), (255, 176, 74)),
    "red": ((134, 8, 22), (200, 22, 34), (236, 62, 58)),
    "pink": ((196, 54, 112), (236, 118, 160), (255, 192, 212)),
    "lilac": ((98, 58, 158), (146, 104, 204), (206, 176, 242)),
}
SHADE: dict[str, RGB] = {
    "white": (120, 126, 152),
    "yellow": (142, 74, 6),
    "orange": (112, 26, 6),
    "red": (48, 0, 14),
    "pink": (98, 14, 62),
    "lilac": (44, 22, 92),
}
_RAMP = 256


def tinted(hue: str, rng: np.random.Generator) -> tuple[Field, Field]:
    """Give a hue's ramps, slightly different for every flower.

    Returns
    -------
    body, shade : ndarray of shape (256, 3), float32
        Colour for each pigment in full light and in full shade, 0..255.
    """
    drift = rng.normal(0, 7, 3)
    gain = rng.uniform(0.95, 1.04)
    stops = [(np.array(c) + drift) * gain for c in PALETTE[hue]]
    return ramp(stops), ramp([(np.array(SHADE[hue]) + drift * 0.5) * gain] * 2)


def ramp(stops: list[NDArray[np.float64]] | list[RGB]) -> Field:
    """Run through colours at equal steps: shape (256, 3), float32."""
    colours = np.clip(np.array(stops, np.float64), 0, 255)
    at = np.linspace(0, 1, _RAMP)
    knots = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(at, knots, colours[:, k]) for k in range(3)], 1).astype(np.float32)


@cache
def _gloss() -> Field:
    """How far light beyond 1 drives a colour towards white."""
    return np.linspace(0, 1, _RAMP, dtype=np.float32)


def colour(sheet: Sheet, body: Field, shade: Field) -> tuple[Field, Field]:
    """Turn a sheet of paint into colours.

    Returns
    -------
    rgb : ndarray of shape (h, w, 3), float32
        Colours times cover, 0..255.
    cover : ndarray of shape (h, w), float32
    """
    cover = sheet.cover
    per = 1.0 / np.maximum(cover, 1e-4)
    pigment = np.clip(sheet.pigment * per * (_RAMP - 1), 0, _RAMP - 1).astype(np.int32)
    light = sheet.light * per
    lit = np.clip(light, 0.0, 1.0)[..., None]
    dark = shade[pigment]
    rgb = dark + (body[pigment] - dark) * lit
    over = np.clip(light - 1.0, 0.0, 0.6)[..., None]
    rgb += (255.0 - rgb) * over
    return rgb * cover[..., None], cover
