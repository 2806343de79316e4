"""The drawing tools: sheets of paint, and the frame that says where a head lies on them.

Everything is painted with arrays, not outlines: for each point of a petal its place along and
across the petal is known, and pigment and light follow from that. Only operations that IEEE 754
rounds exactly (+, -, *, /, square roots, floors, comparisons, table look-ups) touch the points,
so that processors agree on the result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]
"""Values for the points of a box of the canvas; float32 wherever points are painted."""

Box = tuple[slice, slice]
ALL: Box = (slice(None), slice(None))


def soft(values: Field) -> Field:
    """Clip to 0..1 and ease in and out: ``3 t^2 - 2 t^3``."""
    t = np.clip(values, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def fraction(values: Field) -> Field:
    """Give what is above the next lower whole number."""
    return values - np.floor(values)


class Sheet:
    """Paint on a window of the canvas: how much, which pigment, how well lit.

    Pigment (0..1, a place on a colour ramp) and light (1 is full light) are kept multiplied by
    the cover, so that soft edges do not darken.

    Parameters
    ----------
    left, top, right, bottom : int
        The window, in canvas pixels, right and bottom excluded.
    """

    def __init__(self, left: int, top: int, right: int, bottom: int) -> None:
        self.left, self.top, self.right, self.bottom = left, top, right, bottom
        shape = (max(bottom - top, 0), max(right - left, 0))
        self.pigment: Field = np.zeros(shape, np.float32)
        self.light: Field = np.zeros(shape, np.float32)
        self.cover: Field = np.zeros(shape, np.float32)

    def box(self, x: float, y: float, reach: float) -> Box:
        """Give the part of the window within `reach` canvas pixels of a point, maybe empty."""
        left, top = int(x - reach) - self.left, int(y - reach) - self.top
        size = int(2 * reach) + 2
        height, width = self.cover.shape
        return (
            slice(min(max(top, 0), height), min(max(top + size, 0), height)),
            slice(min(max(left, 0), width), min(max(left + size, 0), width)),
        )

    def points(self, box: Box) -> tuple[Field, Field]:
        """Give the middles of a box's pixels on the canvas: x of shape (w,), y of shape (h, 1)."""
        rows, cols = box
        height, width = self.cover.shape
        x = np.arange(*cols.indices(width)[:2], dtype=np.float32) + np.float32(self.left + 0.5)
        y = np.arange(*rows.indices(height)[:2], dtype=np.float32) + np.float32(self.top + 0.5)
        return x, y[:, None]

    def lay(self, box: Box, cover: Field, pigment: Field | float, light: Field) -> None:
        """Lay paint over what is there, within a box of the window."""
        keep = 1.0 - cover
        mine = self.pigment[box]
        mine *= keep
        mine += pigment * cover
        mine = self.light[box]
        mine *= keep
        mine += light * cover
        mine = self.cover[box]
        mine *= keep
        mine += cover

    def shade(self, box: Box, shadow: Field) -> None:
        """Take light away from what is there: 0 leaves it, 1 makes it black."""
        self.light[box] *= 1.0 - shadow


@dataclass(frozen=True)
class Frame:
    """Where a head sits on the canvas, and from where it is lit.

    Parameters
    ----------
    x, y, radius : float
        Centre and radius, in canvas pixels.
    turn, tilt : float
        Radians: turn in the plane, and how far the head looks away.
    sun : float
        Radians: the direction that the light comes from, on the canvas.
    side : int
        Side of the canvas.
    """

    x: float
    y: float
    radius: float
    turn: float
    tilt: float
    sun: float
    side: int

    def window(self, reach: float) -> Sheet:
        """Give a sheet for what lies within `reach` radii of the centre."""
        r = reach * self.radius + 2
        return Sheet(
            max(int(self.x - r), 0),
            max(int(self.y - r), 0),
            min(int(self.x + r) + 1, self.side),
            min(int(self.y + r) + 1, self.side),
        )

    def plane(
        self, sheet: Sheet, box: Box = ALL, *, lift: float = 0.0, cup: float = 0.0
    ) -> tuple[Field, Field]:
        """Give each pixel of a sheet, or of a box of it, its place on the head, in radii.

        Parameters
        ----------
        sheet : Sheet
        box : tuple of two slices
        lift : float
            Height of the layer above the head's plane, in radii.
        cup : float
            Rise of the layer for each radius outwards: petals that stand up (or hang, below 0).

        Returns
        -------
        x, y : ndarray of the box's shape, float32
        """
        across, down = sheet.points(box)
        across, down = across - self.x, down - self.y
        c, s = math.cos(self.turn) / self.radius, math.sin(self.turn) / self.radius
        squash, rise = math.cos(self.tilt), math.sin(self.tilt)
        x = across * c + down * s
        y = across * (-s / squash) + (down * c + lift * rise) * (1.0 / squash)
        if cup and rise > 0.05:
            # Each look at the cone's height corrects the place of the last one.
            seen = y
            for _ in range(2):
                y = seen + np.sqrt(x * x + y * y) * (cup * rise / squash)
        return x, y

    def spot(self, x: float, y: float, *, lift: float = 0.0) -> tuple[float, float]:
        """Say where on the canvas a point of the head lies: the way back from `plane`."""
        c, s = math.cos(self.turn), math.sin(self.turn)
        y = y * math.cos(self.tilt) - lift * math.sin(self.tilt)
        return self.x + self.radius * (x * c - y * s), self.y + self.radius * (x * s + y * c)

    @property
    def light(self) -> tuple[float, float]:
        """Direction towards the light, in the head's own plane."""
        return math.cos(self.sun - self.turn), math.sin(self.sun - self.turn)
