"""Outlines of petals and leaves."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

STEPS = 1024
"""Places along a petal that its outline tells apart."""


@cache
def outline(shape: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the half width of a petal along its length, and its slope.

    Returns
    -------
    width, slope : ndarray of shape (1024,), float32
        The half width, its largest being 1, and by how much it changes along the petal
        (at most 6: the very tip is measured along the petal).
    """
    t = (np.arange(STEPS) + 0.5) / STEPS
    width = SHAPES[shape](t)
    width = width / width.max()
    slope = np.clip(np.gradient(width, t), -6, 6)
    return width.astype(np.float32), slope.astype(np.float32)


Along = NDArray[np.float64]


def _rounded(t: Along, start: float) -> Along:
    """Fall to 0 at the tip along a quarter of an ellipse that begins at `start`."""
    return np.asarray(np.sqrt(np.clip(1 - (np.clip(t - start, 0, None) / (1 - start)) ** 2, 0, 1)))


def _strap(t: Along) -> Along:
    return np.minimum(1, t * 3 + 0.3) * (0.70 + 0.30 * t) * _rounded(t, 0.78)


def _point(t: Along) -> Along:
    return np.asarray(np.clip(np.sin(math.pi * (t**0.72 * 0.86 + 0.14)), 0, None) ** 0.85)


def _ray(t: Along) -> Along:
    return np.asarray((0.42 + 0.58 * t) * _rounded(t, 0.9))


def _tepal(t: Along) -> Along:
    return np.asarray((t + 0.01) ** 0.78 * (1 - t) ** 0.74 * (1 + 0.5 * t))


def _egg(t: Along) -> Along:
    return np.asarray((t + 0.015) ** 0.48 * (1 - t) ** 0.54)


def _blade(t: Along) -> Along:
    return np.asarray(np.sin(math.pi * t**0.7) + 0.05 * (1 - t))


def _heart(t: Along) -> Along:
    return np.asarray((t + 0.02) ** 0.4 * (1 - t) ** 0.8)


def _saw(t: Along) -> Along:
    return np.asarray(np.sin(math.pi * t**0.85) * (1 + 0.10 * np.sin(t * 50) * np.sqrt(t)))


def _spoon(t: Along) -> Along:
    swell = np.clip(np.sin(math.pi * np.clip((t - 0.35) / 0.75, 0, 1)), 0, None)
    return np.asarray((0.22 + swell**1.3) * _rounded(t, 0.75))


def _lobes(t: Along) -> Along:
    # Lobes that lean back to the root, as a dandelion's do, and grow towards the tip.
    beat = (t * 5.2 + 0.2) % 1
    lobe = np.minimum(1, (1 - beat) * 1.15) * np.minimum(1, beat * 6)
    return np.asarray((0.30 + 0.70 * lobe * (0.35 + 0.65 * t)) * _rounded(t, 0.55))


SHAPES: dict[str, Callable[[Along], Along]] = {
    "strap": _strap,
    "point": _point,
    "ray": _ray,
    "tepal": _tepal,
    "egg": _egg,
    "blade": _blade,
    "heart": _heart,
    "saw": _saw,
    "spoon": _spoon,
    "lobes": _lobes,
}
"""Half width, up to a factor, for places 0..1 along a petal or a leaf."""
