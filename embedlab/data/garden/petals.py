"""Petals: how they look, and how they are painted one by one or in whorls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from embedlab.data.garden.pen import Box, Field, Frame, Sheet, fraction, soft
from embedlab.data.garden.shapes import STEPS, outline

_BINS = 2048  # directions that a whorl tells apart


@dataclass(frozen=True)
class Look:
    """How petals take pigment and light.

    Parameters
    ----------
    root, tip : float
        Pigment at both ends.
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
        Depth of the notches in the tip, in radii.
    """

    root: float
    tip: float
    curl: float = 0.5
    bow: float = 0.4
    groove: float = 0.0
    dusk: float = 0.5
    shadow: float = 0.45
    dim: float = 1.0
    teeth: float = 0.0


@dataclass(frozen=True)
class Petals:
    """Points of a box, seen from the petal (or leaf) that each could belong to.

    Parameters
    ----------
    shape : str
        One of `embedlab.data.garden.shapes.SHAPES`.
    u, v : ndarray
        Place along (0 at the root, 1 at the tip) and across (0 in the middle, in radii).
    length, half_width : ndarray or float
        Of the petal, in radii.
    sun_along, sun_across : ndarray or float
        Direction towards the light, seen from the petal.
    """

    shape: str
    u: Field
    v: Field
    length: Field | float
    half_width: Field | float
    sun_along: Field | float
    sun_across: Field | float

    def edge(self) -> tuple[Field, Field]:
        """Measure how far points lie inside their petal.

        Returns
        -------
        gap : ndarray
            Distance to the edge in radii, above 0 inside.
        across : ndarray
            Place across as a share of the half width there, clipped to -1..1.
        """
        widths, slopes = outline(self.shape)
        step = np.clip(self.u * STEPS, 0, STEPS - 1).astype(np.intp)
        width = widths.take(step) * self.half_width
        slope = slopes.take(step) * (self.half_width / self.length)
        # The sideways gap is longer than the way to an edge that runs aslant.
        gap = (width - np.abs(self.v)) / np.sqrt(1.0 + slope * slope)
        gap = np.minimum(gap, np.minimum(self.u, 1.0 - self.u) * self.length)
        return gap, np.clip(self.v / (width + 1e-4), -1.0, 1.0)


def paint(
    sheet: Sheet, box: Box, petals: Petals, look: Look, *, radius: float, tone: Field | float = 0.0
) -> None:
    """Paint petals, and first their shadow on what lies beneath.

    Parameters
    ----------
    sheet, box
        Where to paint.
    petals, look
        What to paint.
    radius : float
        Pixels in a radius.
    tone : float or ndarray
        How much lighter the petal is than others.
    """
    u = petals.u
    gap, across = petals.edge()
    if look.teeth:
        notch = np.abs(fraction(across * 1.5) - 0.5)
        gap = np.minimum(gap, (1.0 - u) * petals.length - notch * look.teeth)
    rim = gap * radius
    if look.shadow:
        near = np.clip(1.0 + rim * (1.0 / (0.06 * radius + 0.5)), 0.0, 1.0)
        sheet.shade(box, near * near * (look.shadow * 0.9))
    u = np.clip(u, 0.0, 1.0)
    facing = petals.sun_across * across * look.curl + petals.sun_along * (u - 0.45) * look.bow
    light = (0.86 + tone) + 0.42 * facing
    light *= look.dim - (look.dim * look.dusk) * (1.0 - soft(u * 1.9))
    if look.groove:
        ridge = np.abs(across) - 0.42
        depth = np.maximum(1.0 - ridge * ridge * 28.0, 0.0)
        light -= look.groove * depth * (1.0 - u * 0.7)
    pigment = look.root + (look.tip - look.root) * u + 0.12 * facing
    sheet.lay(box, np.clip(rim + 0.5, 0.0, 1.0), pigment, light)


@dataclass(frozen=True)
class Whorl:
    """Petals around one centre, in the head's plane. Lengths in radii, angles in radians.

    Parameters
    ----------
    angle, length, half_width, bend, tone : ndarray of shape (n,)
        For each petal: direction, length, half width, sideways bend, and how much lighter it is.
    shape : str
        One of `embedlab.data.garden.shapes.SHAPES`.
    start : float
        Where petals begin, from the centre.
    lift, cup : float
        See `Frame.plane`.
    """

    angle: Field
    length: Field
    half_width: Field
    bend: Field
    tone: Field
    shape: str
    start: float = 0.0
    lift: float = 0.0
    cup: float = 0.0


def paint_whorl(sheet: Sheet, frame: Frame, whorl: Whorl, look: Look) -> None:
    """Paint a whorl: every other petal first, then the ones that lie over them."""
    reach = float(whorl.length.max()) + whorl.start + abs(whorl.lift) + 0.1 + abs(whorl.cup)
    box = sheet.box(frame.x, frame.y, reach * frame.radius)
    x, y = frame.plane(sheet, box, lift=whorl.lift, cup=whorl.cup)
    if not x.size:
        return
    # A stand-in for the angle without a slow arctangent: 0..4, monotone in the true angle.
    diamond = y / (np.abs(x) + np.abs(y) + 1e-6)
    diamond = np.where(x >= 0, diamond, 2.0 - diamond)
    place = np.clip((diamond + 1.0) * (_BINS / 4), 0, _BINS - 1).astype(np.intp)
    cos, sin = np.cos(whorl.angle), np.sin(whorl.angle)
    sun_x, sun_y = frame.light
    facts = np.stack([cos, sin, whorl.length, whorl.half_width, whorl.bend, whorl.tone])
    facts = facts.astype(np.float32)
    n = len(whorl.angle)
    for members in (np.arange(0, n, 2), np.arange(1, n, 2)):
        nearest = facts[:, members[_nearest(whorl.angle[members])]]
        c, s, length, half, bend, tone = (fact.take(place) for fact in nearest)
        out = x * c + y * s - whorl.start
        u = out / length
        v = y * c - x * s - bend * u * out
        sun = sun_x * c + sun_y * s, sun_y * c - sun_x * s
        petals = Petals(whorl.shape, u, v, length, half, *sun)
        paint(sheet, box, petals, look, radius=frame.radius, tone=tone)


def _nearest(angles: Field) -> NDArray[np.intp]:
    """For each bin of the diamond angle, say which of these directions is nearest."""
    turned = np.mod(angles, 2 * math.pi)
    order = np.argsort(turned, kind="stable")
    ring = turned[order]
    ahead = np.append(ring[1:], ring[0] + 2 * math.pi)
    slot = np.searchsorted((ring + ahead) / 2, _bin_angles())
    before_first = _bin_angles() < (ring[-1] + ring[0]) / 2 - math.pi
    return np.array(order[np.where(before_first, -1, slot % len(order))])


@cache
def _bin_angles() -> Field:
    """Give the true angle, 0 to 2 pi, of each bin's middle."""
    diamond = (np.arange(_BINS) + 0.5) * 4 / _BINS - 1
    right = diamond <= 1
    s = np.where(right, diamond, 2 - diamond)
    angles: Field = np.arctan2(s, np.where(right, 1, -1) * (1 - np.abs(s)))
    angles[angles < 0] += 2 * math.pi
    return angles
