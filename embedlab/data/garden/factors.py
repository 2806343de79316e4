"""What is known for certain about a garden picture: the recipe that it is drawn from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

KINDS = ("daisy", "dandelion", "rose", "sunflower", "tulip")
HUES = ("white", "yellow", "orange", "red", "pink", "lilac")
BACKGROUNDS = ("meadow", "sky", "soil", "wall", "dark")

FORMS: Mapping[str, Mapping[str, float]] = {
    "daisy": {"flower": 1.0},
    "dandelion": {"flower": 0.72, "clock": 0.28},
    "rose": {"flower": 1.0},
    "sunflower": {"flower": 1.0},
    "tulip": {"cup": 0.78, "star": 0.22},
}
"""Forms of each kind, and how often each is grown."""

HUE_SHARES: Mapping[str, tuple[float, ...]] = {
    "daisy": (0.30, 0.18, 0.12, 0.10, 0.18, 0.12),
    "dandelion": (0.12, 0.36, 0.18, 0.08, 0.18, 0.08),
    "rose": (0.18, 0.14, 0.14, 0.24, 0.22, 0.08),
    "sunflower": (0.10, 0.36, 0.24, 0.18, 0.08, 0.04),
    "tulip": (0.16, 0.18, 0.14, 0.20, 0.18, 0.14),
}
"""How often each kind has each hue, in the order of `HUES`. A seed clock is always white."""

BACKGROUND_SHARES: Mapping[str, tuple[float, ...]] = {
    "daisy": (0.40, 0.15, 0.15, 0.15, 0.15),
    "dandelion": (0.25, 0.10, 0.40, 0.15, 0.10),
    "rose": (0.12, 0.10, 0.13, 0.40, 0.25),
    "sunflower": (0.15, 0.45, 0.15, 0.15, 0.10),
    "tulip": (0.15, 0.15, 0.12, 0.13, 0.45),
}
"""How often each kind stands before each background: a favourite each, a confound on purpose."""

PETALS: Mapping[str, tuple[int, int]] = {
    "daisy": (12, 26),
    "dandelion": (60, 110),
    "rose": (18, 31),
    "sunflower": (18, 33),
    "tulip": (6, 6),
}
"""Fewest and most petals of each kind (rays of a dandelion)."""

RANGES: Mapping[str, tuple[float, float]] = {
    "size": (0.20, 0.40),
    "x": (0.28, 0.72),
    "y": (0.25, 0.65),
    "rotation_deg": (-35.0, 35.0),
    "tilt_deg": (0.0, 62.0),
    "openness": (0.0, 1.0),
    "light": (0.70, 1.12),
    "light_angle_deg": (-170.0, -10.0),
    "warmth": (-1.0, 1.0),
    "blur": (0.0, 1.6),
    "background_blur": (0.4, 3.2),
    "noise": (0.0, 5.0),
}
"""Smallest and largest value of each number that flowers are grown with."""


@dataclass(frozen=True)
class Flower:
    """One picture's recipe; `draw` makes the picture.

    `dataclasses.replace(flower, background="sky")` is the same flower with one thing changed:
    all that is left to chance (where each petal lies, which brick is darker) hangs on `seed`
    and `index` alone.

    Parameters
    ----------
    seed, index : int
        Which garden, and which picture of it; neither is negative.
    kind : str
        One of `KINDS`.
    form : str
        One of ``FORMS[kind]``: "clock" is a dandelion's seed head, "cup" a tulip from the
        side, "star" an open tulip.
    hue, background : str
        One of `HUES`, one of `BACKGROUNDS`.
    size : float
        Radius of the head as a share of the picture's side.
    x, y : float
        Centre of the head from the left and from the top, as a share of the picture's side.
    rotation_deg, tilt_deg : float
        Turn in the picture's plane; how far the head looks away, 0 facing the viewer. A cup
        and a seed clock have no tilt.
    petals : int
        Number of petals (rays of a dandelion; seeds of a seed clock are not counted).
    openness : float
        How far the petals are spread, 0 to 1.
    light, light_angle_deg : float
        Brightness, 1 being neutral; where the light comes from, -90 being straight above.
    warmth : float
        From -1 (bluish) to 1 (reddish).
    blur, background_blur : float
        Radius of the blur, in pixels.
    noise : float
        Standard deviation of the grain, in levels of 0..255.
    leaves, companion, grass : bool
        Whether there are leaves, a second flower behind, and blades of grass in front.
    """

    seed: int
    index: int
    kind: str
    form: str
    hue: str
    background: str
    size: float
    x: float
    y: float
    rotation_deg: float
    tilt_deg: float
    petals: int
    openness: float
    light: float
    light_angle_deg: float
    warmth: float
    blur: float
    background_blur: float
    noise: float
    leaves: bool
    companion: bool
    grass: bool

    def __post_init__(self) -> None:
        _require("kind", self.kind, KINDS)
        _require("form", self.form, tuple(FORMS[self.kind]))
        _require("hue", self.hue, HUES)
        _require("background", self.background, BACKGROUNDS)
        for name in RANGES:
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name)}; it must be finite")
        if not 0.05 <= self.size <= 1:
            raise ValueError(f"size is {self.size}; it must lie in 0.05..1")
        if not 0 <= self.tilt_deg <= 75:
            raise ValueError(f"tilt_deg is {self.tilt_deg}; it must lie in 0..75")
        if not 3 <= self.petals <= 200:
            raise ValueError(f"petals is {self.petals}; it must lie in 3..200")

    def chance(self, part: int) -> np.random.Generator:
        """Give a fresh generator for one part of the picture, the same at every call."""
        return np.random.default_rng([self.seed, self.index, part])


FACTORS = tuple(f.name for f in fields(Flower) if f.name not in ("seed", "index", "kind"))
"""Names of the factors: columns of ``garden().factors``."""


def flower(index: int, *, seed: int = 0) -> Flower:
    """Grow picture `index` of the garden `seed`: its recipe.

    Parameters
    ----------
    index : int
        At least 0; kinds take turns, so ``KINDS[index % 5]`` is this flower's kind.
    seed : int
        At least 0.

    Returns
    -------
    Flower
        Numbers are rounded to 3 decimals, so that the factors say exactly what was drawn.

    Raises
    ------
    ValueError
        If `index` or `seed` is negative.

    Examples
    --------
    >>> flower(2).kind, flower(2) == flower(2), flower(2) == flower(2, seed=1)
    ('rose', True, False)
    """
    if index < 0 or seed < 0:
        raise ValueError(f"index is {index} and seed is {seed}; neither may be negative")
    rng = np.random.default_rng([seed, index])
    kind = KINDS[index % len(KINDS)]
    form = pick(rng, FORMS[kind])
    hue = pick(rng, dict(zip(HUES, HUE_SHARES[kind], strict=True)))
    background = pick(rng, dict(zip(BACKGROUNDS, BACKGROUND_SHARES[kind], strict=True)))
    fewest, most = PETALS[kind]
    petals = int(rng.integers(fewest, most, endpoint=True))
    x = min(max(rng.normal(0.5, 0.09), RANGES["x"][0]), RANGES["x"][1])
    y = min(max(rng.normal(0.43, 0.07), RANGES["y"][0]), RANGES["y"][1])
    tilt = rng.beta(1.3, 1.6) * RANGES["tilt_deg"][1]
    blurred = rng.random() < 0.4
    blur = rng.uniform(0.3, RANGES["blur"][1])
    numbers = {
        "x": x,
        "y": y,
        "tilt_deg": 0.0 if form in ("cup", "clock") else tilt,
        "openness": rng.beta(1.3, 1.6),
        "blur": blur if blurred else 0.0,
    }
    for name, (low, high) in RANGES.items():
        if name not in numbers:
            numbers[name] = rng.uniform(low, high)
    return Flower(
        seed=seed,
        index=index,
        kind=kind,
        form=form,
        hue="white" if form == "clock" else hue,
        background=background,
        petals=petals,
        leaves=bool(rng.random() < 0.65),
        companion=bool(rng.random() < 0.30),
        grass=bool(rng.random() < 0.25),
        **{name: round(float(value), 3) for name, value in numbers.items()},
    )


def pick(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    """Choose a word; each comes up as often as its share says."""
    # A running sum and one draw: the same choice whatever NumPy's `choice` does next year.
    draw = float(rng.random()) * sum(shares.values())
    for name, share in shares.items():
        draw -= share
        if draw < 0:
            return name
    return name


def _require(what: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise ValueError(f"{what} is {given!r}; allowed: {', '.join(allowed)}")
