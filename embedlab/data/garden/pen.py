"""The drawing tools: sheets of paint, petals on a stalk, whorls of petals.

Everything is painted with arrays, not outlines: for each point of a petal its place along and
across the petal is known, and pigment and light follow from that. Only operations that IEEE 754
rounds exactly (+, -, *, /, square roots, comparisons, table look-ups) touch the points, so that
processors agree on the result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Box = tuple[slice, slice]

_BINS = 2048  # directions that a whorl tells apart
_STEPS = 1024  # places along a petal that its outline tells apart


def soft(values: Field) -> Field:
    """Clip to 0..1 and ease in and out: ``3 t^2 - 2 t^3``."""
    t = np.clip(values, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


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

    @property
    def empty(self) -> bool:
        """Whether the window has no pixels."""
        return self.cover.size == 0

    def box(self, x: float, y: float, reach: float) -> Box:
        """Give the part of the window within `reach` canvas pixels of a point."""
        left, top = int(x - reach) - self.left, int(y - reach) - self.top
        size = int(2 * reach) + 2
        return (
            slice(max(top, 0), max(top + size, 0)),
            slice(max(left, 0), max(left + size, 0)),
        )

    def lay(self, box: Box, cover: Field, pigment: Field, light: Field) -> None:
        """Lay paint over what is there, within a box of the window."""
        keep = 1.0 - cover
        for mine, new in ((self.pigment, pigment), (self.light, light), (self.cover, None)):
            part = mine[box]
            part *= keep
            part += cover if new is None else new * cover

    def shade(self, box: Box, shadow: Field) -> None:
        """Take light away from what is there: 0 leaves it, 1 makes it black."""
        self.light[box] *= 1.0 - shadow


ALL = (slice(None), slice(None))


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
    """

    x: float
    y: float
    radius: float
    turn: float
    tilt: float
    sun: float

    def window(self, side: int, reach: float) -> Sheet:
        """Give a sheet for what lies within `reach` radii of the centre."""
        r = reach * self.radius + 2
        return Sheet(
            max(int(self.x - r), 0),
            max(int(self.y - r), 0),
            min(int(self.x + r) + 1, side),
            min(int(self.y + r) + 1, side),
        )

    def plane(self, sheet: Sheet, *, lift: float = 0.0, cup: float = 0.0) -> tuple[Field, Field]:
        """Give each pixel of a sheet its place on the head, in radii.

        Parameters
        ----------
        sheet : Sheet
        lift : float
            Height of the layer above the head's plane, in radii.
        cup : float
            Rise of the layer for each radius outwards: petals that stand up (or hang, below 0).

        Returns
        -------
        x, y : ndarray of the sheet's shape, float32
        """
        along = (np.arange(sheet.left, sheet.right) + 0.5 - self.x).astype(np.float32)
        down = (np.arange(sheet.top, sheet.bottom) + 0.5 - self.y).astype(np.float32)
        c, s = math.cos(self.turn) / self.radius, math.sin(self.turn) / self.radius
        squash, rise = math.cos(self.tilt), math.sin(self.tilt)
        x = along * c + (down * s)[:, None]
        flat = down * c
        y = (along * -s + (flat + lift * rise)[:, None]) * (1.0 / squash)
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


@cache
def outline(shape: str) -> tuple[Field, Field]:
    """Give the half width of a petal along its length, 0..1, and its slope.

    Returns
    -------
    width, slope : ndarray of shape (1024,), float32
        The half width, its largest being 1, and by how much it changes along the petal.
    """
    t = (np.arange(_STEPS) + 0.5) / _STEPS
    w = SHAPES[shape](t)
    w = w / w.max()
    return w.astype(np.float32), np.gradient(w, t).astype(np.float32)


def _blunt_end(t: NDArray[np.float64], start: float) -> NDArray[np.float64]:
    return np.sqrt(np.clip(1 - (np.clip(t - start, 0, None) / (1 - start)) ** 2, 0, 1))


SHAPES = {
    "strap": lambda t: np.minimum(1, t * 3 + 0.3) * (0.70 + 0.30 * t) * _blunt_end(t, 0.78),
    "point": lambda t: np.clip(np.sin(math.pi * (t**0.72 * 0.86 + 0.14)), 0, None) ** 0.85,
    "ray": lambda t: (0.5 + 0.5 * t) * _blunt_end(t, 0.93),
    "tepal": lambda t: t**0.62 * (1 - t) ** 0.55,
    "egg": lambda t: (0.10 + t) ** 0.55 * (1 - t) ** 0.42,
    "blade": lambda t: np.sin(math.pi * t**0.7) + 0.05 * (1 - t),
    "heart": lambda t: (t + 0.02) ** 0.4 * (1 - t) ** 0.8,
    "oval": lambda t: np.sin(math.pi * t**0.85) * (1 + 0.09 * np.sin(t * 44) * np.sqrt(t)),
    "spoon": lambda t: (
        np.where(t < 0.45, 0.3, 0.3 + np.sin(math.pi * (t - 0.45) * 1.75)) * _blunt_end(t, 0.8)
    ),
    "tooth": lambda t: (
        (0.25 + 1.1 * t * (1 - t) + 0.6 * (t * 5.2 % 1) * t**0.5) * _blunt_end(t, 0.8)
    ),
}
"""Outlines of petals and leaves: half width, up to a factor, for a place 0..1 along them."""


def edge(
    shape: str, u: Field, v: Field, length: Field | float, half_width: Field | float
) -> tuple[Field, Field]:
    """Measure how far points lie inside a petal or a leaf.

    Parameters
    ----------
    shape : str
        One of `SHAPES`.
    u : ndarray, float32
        Place along the petal: 0 at its root, 1 at its tip.
    v : ndarray, float32
        Place across, in the unit of `length`.
    length, half_width : float or ndarray
        Of the petal.

    Returns
    -------
    gap : ndarray, float32
        Distance to the edge, above 0 inside, in the unit of `length`.
    across : ndarray, float32
        Place across as a share of the half width there, clipped to -1..1.
    """
    widths, slopes = outline(shape)
    step = np.clip(u * _STEPS, 0, _STEPS - 1).astype(np.int32)
    width = widths[step] * half_width
    slope = slopes[step] * (half_width / length)
    # Sideways gap, made shorter where the edge runs aslant.
    gap = (width - np.abs(v)) / np.sqrt(1.0 + slope * slope)
    gap = np.minimum(gap, np.minimum(u, 1.0 - u) * length)
    return gap, np.clip(v / (width + 1e-4), -1.0, 1.0)


@dataclass(frozen=True)
class Look:
    """How the petals of a whorl take pigment and light.

    Parameters
    ----------
    root, end : float
        Pigment at the root and at the tip.
    curl : float
        How strongly a petal is arched across (below 0: a trough).
    bow : float
        How strongly its tip turns away from the viewer (below 0: towards).
    groove : float
        Depth of the two grooves along it.
    dusk : float
        How dark the root is.
    shadow : float
        How dark the shadow is that it casts on what lies beneath.
    dim : float
        Factor on all light: lower whorls get less.
    teeth : float
        Depth of the notches in the tip.
    """

    root: float = 0.1
    end: float = 0.9
    curl: float = 0.5
    bow: float = 0.4
    groove: float = 0.06
    dusk: float = 0.5
    shadow: float = 0.45
    dim: float = 1.0
    teeth: float = 0.0


@dataclass(frozen=True)
class Whorl:
    """Petals around one centre, in the head's plane. Lengths in radii, angles in radians.

    Parameters
    ----------
    angle, length, half_width, bend, tone : ndarray of shape (n,)
        For each petal: direction, length, half width, sideways bend, and how much lighter it is.
    shape : str
        One of `SHAPES`.
    start : float
        Where petals begin, from the centre.
    lift, cup : float
        See `Frame.plane`.
    """

    angle: NDArray[np.float64]
    length: NDArray[np.float64]
    half_width: NDArray[np.float64]
    bend: NDArray[np.float64]
    tone: NDArray[np.float64]
    shape: str
    start: float = 0.0
    lift: float = 0.0
    cup: float = 0.0


def paint_whorl(sheet: Sheet, frame: Frame, whorl: Whorl, look: Look) -> None:
    """Paint a whorl: every other petal first, then the ones that lie over them."""
    x, y = frame.plane(sheet, lift=whorl.lift, cup=whorl.cup)
    # A quarter-turn's angle without a slow arctangent; 0..4, monotone in the true angle.
    diamond = y / (np.abs(x) + np.abs(y) + 1e-6)
    diamond = np.where(x >= 0, diamond, 2.0 - diamond)
    place = ((diamond + 1.0) * (_BINS / 4)).astype(np.int32)
    np.clip(place, 0, _BINS - 1, out=place)
    n = len(whorl.angle)
    halves = (np.arange(0, n, 2), np.arange(1, n, 2)) if n > 1 else (np.arange(n),)
    for members in halves:
        nearest = _nearest(whorl.angle[members])
        _paint_petals(sheet, frame, whorl, look, (x, y), members[nearest][place])


def _nearest(angles: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each bin of the diamond angle, which of these directions is nearest."""
    bins = _bin_angles()
    apart = np.abs((bins[:, None] - angles[None, :] + math.pi) % (2 * math.pi) - math.pi)
    return np.asarray(apart.argmin(axis=1))


@cache
def _bin_angles() -> NDArray[np.float64]:
    diamond = (np.arange(_BINS) + 0.5) * 4 / _BINS - 1
    right = diamond <= 1
    s = np.where(right, diamond, 2 - diamond)
    return np.arctan2(s, np.where(right, 1, -1) * (1 - np.abs(s)))


def _paint_petals(
    sheet: Sheet,
    frame: Frame,
    whorl: Whorl,
    look: Look,
    plane: tuple[Field, Field],
    owner: NDArray[np.int64],
) -> None:
    """Paint petals that do not overlap; `owner` says which petal each pixel could belong to."""
    x, y = plane
    cos, sin = np.cos(whorl.angle), np.sin(whorl.angle)
    sun_x, sun_y = frame.light
    params = np.stack(
        [
            cos,
            sin,
            1 / whorl.length,
            whorl.half_width,
            whorl.bend * whorl.length,
            whorl.tone,
            sun_x * cos + sun_y * sin,
            sun_y * cos - sun_x * sin,
        ]
    ).astype(np.float32)
    cos_, sin_, per_length, half, bend, tone, sun_along, sun_across = params[:, owner]
    u = ((x * cos_ + y * sin_) - whorl.start) * per_length
    v = (y * cos_ - x * sin_) - bend * u * u
    paint_blade(
        sheet,
        ALL,
        look,
        whorl.shape,
        frame.radius,
        (u, v),
        (1.0 / per_length, half),
        (sun_along, sun_across),
        tone,
    )


def paint_blade(
    sheet: Sheet,
    box: Box,
    look: Look,
    shape: str,
    radius: float,
    place: tuple[Field, Field],
    extent: tuple[Field | float, Field | float],
    sun: tuple[Field | float, Field | float],
    tone: Field | float = 0.0,
) -> None:
    """Paint petals or leaves whose lengthwise place `u` (0..1) and sideways place `v` is known.

    Parameters
    ----------
    sheet, box
        Where to paint.
    look, shape
        What it looks like; one of `SHAPES`.
    radius : float
        Pixels in a unit of `v` and of `extent`.
    place : u, v
        Fields of the box's shape: along (0..1) and across (in radii).
    extent : length, half_width
        In radii.
    sun : along, across
        Components of the direction towards the light.
    tone : float or field
        How much lighter the petal is than others.
    """
    u, v = place
    length, half = extent
    gap, across = edge(shape, u, v, length, half)
    if look.teeth:
        notch = np.abs((across * 1.5) % 1.0 - 0.5)
        gap = np.minimum(gap, (1.0 - u) * length - notch * look.teeth)
    rim = gap * radius
    if look.shadow:
        reach = 0.055 * radius + 1.0
        near = np.clip(1.0 + rim * (1.0 / reach), 0.0, 1.0)
        sheet.shade(box, near * near * (look.shadow * 0.9))
    cover = np.clip(rim + 0.5, 0.0, 1.0)
    u = np.clip(u, 0.0, 1.0)
    along, sideways = sun
    facing = sideways * across * look.curl + along * (u - 0.45) * look.bow
    light = 0.86 + 0.42 * facing
    light *= 1.0 - look.dusk * (1.0 - soft(u * 1.9))
    if look.groove:
        a = np.abs(across)
        ridge = (a - 0.42) * (a - 0.42) * 28.0
        light -= look.groove * np.clip(1.0 - ridge, 0.0, 1.0) * (1.0 - u * 0.7)
    light *= look.dim
    light += tone
    pigment = look.root + (look.end - look.root) * u + 0.12 * facing
    sheet.lay(box, cover, pigment, light)
