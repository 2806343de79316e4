"""One picture: background, plant, lens and light."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from embedlab.data.garden import heads, rose, tulip
from embedlab.data.garden.colours import colour
from embedlab.data.garden.factors import Flower
from embedlab.data.garden.greenery import bracts, greenery
from embedlab.data.garden.heads import Layer
from embedlab.data.garden.pen import Field, Frame
from embedlab.data.garden.scenery import SCENERY, veil
from embedlab.data.garden.texture import smoothed

SIDE = 128
"""Side of a picture, in pixels."""
_DENSE = 2
_CUP = 0.80

HEADS = {
    ("daisy", "flower"): heads.daisy,
    ("dandelion", "flower"): heads.dandelion,
    ("dandelion", "clock"): heads.clock,
    ("rose", "flower"): rose.rose,
    ("sunflower", "flower"): heads.sunflower,
    ("tulip", "cup"): tulip.cup,
    ("tulip", "star"): tulip.star,
}
"""Paints the head of each kind and form."""

Premultiplied = tuple[Field, Field]


def draw(flower: Flower) -> NDArray[np.uint8]:
    """Draw a picture from its recipe.

    Parameters
    ----------
    flower : Flower
        As `flower(index, seed=seed)` grows it, or changed with `dataclasses.replace`.

    Returns
    -------
    ndarray of shape (128, 128, 3), uint8
    """
    rgb = SCENERY[flower.background](flower.chance(4), SIDE)
    rgb = _blurred(rgb, flower.background_blur)
    plant = _plant(flower)
    if flower.companion:
        rgb = _over(rgb, _companion(plant, flower))
    image = _image(plant)
    if flower.blur:
        image = image.filter(ImageFilter.GaussianBlur(flower.blur))
    rgb = _over(rgb, _fields(image))
    if flower.grass:
        rgb = _over(rgb, veil(flower.chance(5), SIDE))
    return _exposed(rgb, flower)


def _plant(flower: Flower) -> Premultiplied:
    """Paint stem, leaves and head at twice the size, and reduce."""
    side = SIDE * _DENSE
    cup = flower.form == "cup"
    frame = Frame(
        x=flower.x * side,
        y=flower.y * side,
        radius=flower.size * side * (_CUP if cup else 1.0),
        turn=math.radians(flower.rotation_deg),
        tilt=math.radians(0.0 if flower.form in ("cup", "clock") else flower.tilt_deg),
        sun=math.radians(flower.light_angle_deg),
    )
    rgb, cover = np.zeros((side, side, 3), np.float32), np.zeros((side, side), np.float32)
    for layer in bracts(flower, frame, side):
        _lay(rgb, cover, layer)
    painted = HEADS[flower.kind, flower.form]
    for layer in painted(flower, frame, side, flower.chance(1)):
        _lay(rgb, cover, layer)
    green = greenery(flower, frame, side)
    _cast_shadow(green, cover, frame)
    green_rgb, green_cover = colour(*green)
    keep = 1.0 - cover
    rgb += green_rgb * keep[..., None]
    cover += green_cover * keep
    return _reduced(rgb), _reduced(cover)


def _lay(rgb: Field, cover: Field, layer: Layer) -> None:
    sheet = layer[0]
    if sheet.empty:
        return
    top_rgb, top_cover = colour(*layer)
    box = (slice(sheet.top, sheet.bottom), slice(sheet.left, sheet.right))
    keep = 1.0 - top_cover
    rgb[box] *= keep[..., None]
    rgb[box] += top_rgb
    cover[box] *= keep
    cover[box] += top_cover


def _cast_shadow(green: Layer, head: Field, frame: Frame) -> None:
    """Let the head throw its shadow on stem and leaves, down and away from the light."""
    shadow = smoothed(head[::2, ::2], 0.05 * frame.radius + 1)
    down = int(0.07 * frame.radius) + 1
    aside = int(-math.cos(frame.sun) * 0.06 * frame.radius)
    shadow = np.roll(shadow, (down, aside), axis=(0, 1))
    shadow[:down] = 0
    green[0].light *= 1.0 - 0.55 * shadow.repeat(2, axis=0).repeat(2, axis=1)


def _reduced(field: Field) -> Field:
    """Average squares of 2 x 2."""
    return (field[::2, ::2] + field[1::2, ::2] + field[::2, 1::2] + field[1::2, 1::2]) * 0.25


def _companion(plant: Premultiplied, flower: Flower) -> Premultiplied:
    """Set the same plant behind, smaller, out of focus."""
    rng = flower.chance(6)
    size = int(SIDE * rng.uniform(0.45, 0.70))
    image = _image(plant).resize((size, size), Image.Resampling.BILINEAR)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    side = -0.12 if rng.random() < 0.5 else 0.62
    at = (int((side + rng.uniform(-0.05, 0.05)) * SIDE), int(rng.uniform(0.32, 0.60) * SIDE))
    behind = Image.new("RGBa", (SIDE, SIDE))
    behind.paste(image, at)
    return _fields(behind.filter(ImageFilter.GaussianBlur(rng.uniform(1.0, 3.0))))


def _image(plant: Premultiplied) -> Image.Image:
    values = np.concatenate([plant[0], plant[1][..., None] * 255.0], axis=-1)
    bytes_ = (np.clip(values, 0, 255) + 0.5).astype(np.uint8)
    return Image.frombuffer("RGBa", bytes_.shape[1::-1], bytes_.tobytes(), "raw", "RGBa", 0, 1)


def _fields(image: Image.Image) -> Premultiplied:
    values = np.asarray(image, np.float32)
    return values[..., :3], values[..., 3] * np.float32(1 / 255)


def _over(below: Field, above: Premultiplied) -> Field:
    return below * (1.0 - above[1])[..., None] + above[0]


def _blurred(rgb: Field, radius: float) -> Field:
    image = Image.fromarray((np.clip(rgb, 0, 255) + 0.5).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32)


def _exposed(rgb: Field, flower: Flower) -> NDArray[np.uint8]:
    """Light the scene from one side, darken the corners, tint it, add grain."""
    at = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE - 0.5
    angle = math.radians(flower.light_angle_deg)
    across, down = at[None, :], at[:, None]
    slope = 1.0 + 0.24 * (across * math.cos(angle) + down * math.sin(angle))
    corners = 1.0 - 0.40 * (across * across + down * down)
    warmth = flower.warmth
    tint = np.array((1 + 0.09 * warmth, 1 + 0.015 * warmth, 1 - 0.11 * warmth), np.float32)
    gain = (slope * corners * (flower.light * 1.05))[..., None] * tint
    rgb = rgb * gain.astype(np.float32)
    if flower.noise:
        grain = flower.chance(7).standard_normal(rgb.shape, dtype=np.float32)
        rgb += grain * np.float32(flower.noise)
    return (np.clip(rgb, 0, 255) + 0.5).astype(np.uint8)
