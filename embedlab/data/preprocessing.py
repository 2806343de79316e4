"""What is done to a picture before a network sees it; it travels with the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


@dataclass(frozen=True)
class Preprocessing:
    """Resize the shorter side, crop the middle, scale to 0..1, standardise each channel.

    Equal, to the last bit of the 8-bit picture, to torchvision's ``Resize(resize)``,
    ``CenterCrop(size)`` on a PIL picture; the channel statistics follow in float32.

    Parameters
    ----------
    size : int
        Side of the square that the network is given, in pixels.
    resize : int
        Length of the shorter side before the crop, in pixels; at least `size`.
    interpolation : str
        "nearest", "bilinear" or "bicubic".
    mean, std : tuple of 3 floats
        Channel statistics (red, green, blue) of values in 0..1.
    """

    size: int
    resize: int
    interpolation: str = "bicubic"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def __post_init__(self) -> None:
        if self.interpolation not in INTERPOLATIONS:
            allowed = ", ".join(INTERPOLATIONS)
            raise ValueError(f"interpolation is {self.interpolation!r}; allowed: {allowed}")
        if not 1 <= self.size <= self.resize:
            raise ValueError(f"size is {self.size}; it must lie in 1..resize ({self.resize})")
        object.__setattr__(self, "mean", tuple(map(float, self.mean)))
        object.__setattr__(self, "std", tuple(map(float, self.std)))

    def see(self, picture: Image.Image) -> NDArray[np.uint8]:
        """Resize and crop: what the model sees, while people can still look at it.

        Parameters
        ----------
        picture : PIL.Image.Image
            Mode RGB, any size.

        Returns
        -------
        ndarray of shape (size, size, 3), uint8
        """
        width, height = picture.size
        short, long = min(width, height), max(width, height)
        scaled = int(self.resize * long / short)
        target = (self.resize, scaled) if width <= height else (scaled, self.resize)
        if target != picture.size:
            picture = picture.resize(target, INTERPOLATIONS[self.interpolation])
        left = round((target[0] - self.size) / 2.0)
        top = round((target[1] - self.size) / 2.0)
        picture = picture.crop((left, top, left + self.size, top + self.size))
        return np.asarray(picture, dtype=np.uint8)

    def normalise(self, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scale and standardise a batch.

        Parameters
        ----------
        seen : ndarray of shape (n, size, size, 3), uint8
            Pictures as `see` gives them.

        Returns
        -------
        ndarray of shape (n, 3, size, size), float32
            ``(seen / 255 - mean) / std``, channels first.
        """
        mean = np.array(self.mean, np.float32)
        std = np.array(self.std, np.float32)
        values = seen.astype(np.float32)
        values /= np.float32(255)
        values -= mean
        values /= std
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2))

    def to_dict(self) -> dict[str, Any]:
        """Give a mapping of JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Read what `to_dict` wrote."""
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})
