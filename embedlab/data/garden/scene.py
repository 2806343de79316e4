"""One picture: background, plant, lens and light."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from embedlab.data.garden.clock import clock
from embedlab.data.garden.colours import colour
from embedlab.data.garden.factors import Flower
from embedlab.data.garden.greenery import bracts, greenery
from embedlab.data.garden.heads import Layer, daisy, dandelion, sunflower
from embedlab.data.garden.pen import Field, Frame
from embedlab.data.garden.rose import rose
from embedlab.data.garden.scenery import SCENERY, veil
from embedlab.data.garden.texture import smoothed
from embedlab.data.garden.tulip import cup, star

SIDE = 128
"""Side of a picture, in pixels."""
_CUP = 0.80  # a cup looks as large as other heads at this share of their radius

# Each part of a picture has chances of its own, so that changing one leaves the others.
_HEAD, _SCENERY, _VEIL, _COMPANION, _GRAIN = 1, 4, 5, 6, 7

Premultiplied = tuple[Field, Field]
"""Colours (3, h, w) times cover, and cover (h, w)."""


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
    rgb = SCENERY[flower.background](flower.chance(_SCENERY), SIDE)
    rgb = _fields(_blurred(_image(rgb), flower.background_blur))
    plant = _plant(flower)
    picture = _image(np.concatenate([plant[0], plant[1][None] * 255]))
    if flower.companion:
        _lay_over(rgb, _companion(picture, flower.chance(_COMPANION)))
    if flower.blur:
        blurred = _fields(_blurred(picture, flower.blur))
        plant = blurred[:3], blurred[3] * np.float32(1 / 255)
    _lay_over(rgb, plant)
    if flower.grass:
        _lay_over(rgb, veil(flower.chance(_VEIL), SIDE))
    return _exposed(rgb, flower)


def _plant(flower: Flower) -> Premultiplied:
    """Paint head, stem and leaves; the head lies on top, so its shadow is known before them."""
    frame = Frame(
        x=flower.x * SIDE,
        y=flower.y * SIDE,
        radius=flower.size * SIDE * (_CUP if flower.form == "cup" else 1.0),
        turn=math.radians(flower.rotation_deg),
        tilt=0.0 if flower.form in ("cup", "clock") else math.radians(flower.tilt_deg),
        sun=math.radians(flower.light_angle_deg),
        side=SIDE,
    )
    rgb, cover = np.zeros((3, SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32)
    for layer in bracts(flower, frame):
        _lay(rgb, cover, layer)
    for layer in HEADS[flower.kind, flower.form](flower, frame, flower.chance(_HEAD)):
        _lay(rgb, cover, layer)
    green = greenery(flower, frame)
    _cast_shadow(green, cover, frame)
    keep = 1.0 - cover
    rgb += colour(*green) * keep
    cover += green[0].cover * keep
    return rgb, cover


def _lay(rgb: Field, cover: Field, layer: Layer) -> None:
    """Lay a painted sheet over what is on the canvas."""
    sheet = layer[0]
    if sheet.cover.size:
        rows, cols = slice(sheet.top, sheet.bottom), slice(sheet.left, sheet.right)
        _lay_over(rgb[:, rows, cols], (colour(*layer), sheet.cover))
        part = cover[rows, cols]
        part += sheet.cover * (1.0 - part)


def _cast_shadow(green: Layer, head: Field, frame: Frame) -> None:
    """Let the head throw its shadow on stem and leaves, down and away from the light."""
    shadow = smoothed(head, 0.05 * frame.radius + 0.5)
    down = int(0.07 * frame.radius) + 1
    aside = round(-math.cos(frame.sun) * 0.06 * frame.radius)
    shadow = np.roll(shadow, (down, aside), axis=(0, 1))
    shadow[:down] = 0
    green[0].light *= 1.0 - 0.55 * shadow


def _companion(plant: Image.Image, rng: np.random.Generator) -> Premultiplied:
    """Set the same plant behind, smaller and out of focus."""
    size = int(SIDE * rng.uniform(0.45, 0.70))
    image = plant.resize((size, size), Image.Resampling.BILINEAR)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    left = -0.12 if rng.random() < 0.5 else 0.62
    at = (int((left + rng.uniform(-0.05, 0.05)) * SIDE), int(rng.uniform(0.32, 0.60) * SIDE))
    behind = Image.new("RGBa", (SIDE, SIDE))
    behind.paste(image, at)
    values = _fields(_blurred(behind, float(rng.uniform(1.0, 3.0))))
    return values[:3], values[3] * np.float32(1 / 255)


def _lay_over(below: Field, above: Premultiplied) -> None:
    below *= 1.0 - above[1]
    below += above[0]


def _image(values: Field) -> Image.Image:
    """Make a picture, RGB or premultiplied RGBa, of fields (3 or 4, h, w)."""
    mode = "RGB" if len(values) == 3 else "RGBa"
    levels = (np.clip(values, 0, 255) + 0.5).astype(np.uint8).transpose(1, 2, 0)
    return Image.frombytes(mode, (levels.shape[1], levels.shape[0]), levels.tobytes())


def _fields(image: Image.Image) -> Field:
    return np.asarray(image).transpose(2, 0, 1).astype(np.float32, order="C")


def _blurred(image: Image.Image, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def _exposed(rgb: Field, flower: Flower) -> NDArray[np.uint8]:
    """Light the scene from one side, darken the corners, tint it, add grain."""
    at = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE - 0.5
    across, down = at, at[:, None]
    angle = math.radians(flower.light_angle_deg)
    slope = 1.0 + 0.24 * (across * math.cos(angle) + down * math.sin(angle))
    corners = 1.0 - 0.40 * (across * across + down * down)
    gain = slope * corners * (flower.light * 1.08)
    warmth = flower.warmth
    tint = np.array((1 + 0.09 * warmth, 1 + 0.015 * warmth, 1 - 0.11 * warmth), np.float32)
    rgb = rgb * gain * tint[:, None, None]
    if flower.noise:
        rgb += _grain(flower.chance(_GRAIN), rgb.shape) * np.float32(flower.noise)
    return (np.clip(rgb, 0, 255) + 0.5).astype(np.uint8).transpose(1, 2, 0).copy()


def _grain(rng: np.random.Generator, shape: tuple[int, ...]) -> Field:
    """Give nearly normal noise of spread 1: the sum of three bytes, centred and scaled."""
    three = rng.integers(0, 256, (3, *shape), dtype=np.uint8)
    total = three[0].astype(np.float32) + three[1] + three[2]
    centred: Field = total - np.float32(382.5)
    return centred * np.float32(1 / math.sqrt(3 * (256**2 - 1) / 12))


HEADS: dict[tuple[str, str], Callable[[Flower, Frame, np.random.Generator], Iterator[Layer]]] = {
    ("daisy", "flower"): daisy,
    ("dandelion", "flower"): dandelion,
    ("dandelion", "clock"): clock,
    ("rose", "flower"): rose,
    ("sunflower", "flower"): sunflower,
    ("tulip", "cup"): cup,
    ("tulip", "star"): star,
}
"""Paints the head of each kind and form."""
