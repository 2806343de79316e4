"""TrainSettings and HeadSettings: all that decides a training, checked where it is made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from embedlab.errors import EmbedlabError
from embedlab.models.backbones import DEFAULT, backbone
from embedlab.models.known_cuts import cut_name

AUGMENTATIONS = {
    "none": "every picture as it is",
    "flip": "half of the pictures mirrored left to right",
    "gentle": "mirrored, moved and scaled by up to a tenth, turned by up to 15 degrees, "
    "lighter or darker, colours shifted a little",
}
SCHEDULES = {
    "constant": "the same learning rate throughout",
    "one-cycle": "up to the learning rate over the first third, then down to nearly nothing",
}
EPOCHS, FROZEN_EPOCHS = 1, 20
USUAL = -1  # so many epochs as suit


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained. The defaults are those of the notebook this began with.

    Parameters
    ----------
    backbone : str
        A network of `BACKBONES`.
    weights : str, optional
        "imagenet", "random", a name of torchvision's or a file; None is the backbone's default.
    freeze : bool
        Keep the body as it is and train the head alone.
    cut : str, optional
        Where the body ends, as for `embedlab.models.known_cuts.cut_name`: the network has no
        layers after it but its head. None is the end, where the backbone's head begins.
    epochs : int
        How often each picture is seen. By default 1, or 20 for a head on a frozen body, where
        all of them cost far less than one pass of the pictures through the body.
    learning_rate : float
        Of Adam; the peak of a one-cycle schedule.
    batch_size : int
    size : int, optional
        Side of the pictures in pixels; None is the backbone's default (256 for most).
    seed : int
        Of the head, the order of the pictures, augmentation and dropout.
    label_smoothing : float
        Share of the target that is spread over all classes, at least 0 and below 1.
    augment : str
        A key of `AUGMENTATIONS`.
    schedule : str
        A key of `SCHEDULES`.
    weight_decay : float
        Decoupled (AdamW); with 0 this is Adam.
    probe : int
        How many pictures are followed through the training for its film; 0 for no film.

    Raises
    ------
    EmbedlabError
        If a value is out of its range; the message names the setting.
    """

    backbone: str = DEFAULT
    weights: str | None = None
    freeze: bool = False
    cut: str | None = None
    epochs: int = USUAL
    learning_rate: float = 1e-3
    batch_size: int = 16
    size: int | None = None
    seed: int = 123
    label_smoothing: float = 0.0
    augment: str = "none"
    schedule: str = "constant"
    weight_decay: float = 0.0
    probe: int = 200

    def __post_init__(self) -> None:
        if isinstance(self.weights, Path):
            object.__setattr__(self, "weights", str(self.weights))
        if self.epochs == USUAL:
            object.__setattr__(self, "epochs", FROZEN_EPOCHS if self.freeze else EPOCHS)
        known = backbone(self.backbone)
        _check_steps(self)
        _within("probe", self.probe, 0, 5_000)
        if self.size is not None:
            _within("size", self.size, 8, 2048)
        _one_of("augment", self.augment, AUGMENTATIONS)
        if known.kind == "plain":
            raise EmbedlabError(
                f"{known.title} is no network: there is nothing to train in it.",
                remedy=f"Take a network, such as {DEFAULT} or small.",
            )
        object.__setattr__(self, "cut", cut_name(known.name, self.cut))

    def to_dict(self) -> dict[str, Any]:
        """Give a mapping of JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainSettings:
        """Read what `to_dict` wrote.

        Raises
        ------
        EmbedlabError
            If there is a setting that is none.
        """
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise EmbedlabError(
                    f"There is no setting called {name!r}.", remedy=f"There are {', '.join(known)}."
                )
        return cls(**values)


@dataclass(frozen=True)
class HeadSettings:
    """How a head is fitted to embeddings that do not change.

    Parameters
    ----------
    epochs, learning_rate, batch_size, seed, label_smoothing, schedule, weight_decay
        As of `TrainSettings`; the defaults are those of a head on a frozen body.

    Raises
    ------
    EmbedlabError
        If a value is out of its range; the message names the setting.
    """

    epochs: int = FROZEN_EPOCHS
    learning_rate: float = 1e-3
    batch_size: int = 16
    seed: int = 123
    label_smoothing: float = 0.0
    schedule: str = "constant"
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check_steps(self)


def _check_steps(settings: TrainSettings | HeadSettings) -> None:
    """Check what decides the steps of a training, whatever is trained."""
    _within("epochs", settings.epochs, 1, 100_000)
    _within("batch_size", settings.batch_size, 1, 65_536)
    _within("seed", settings.seed, 0, 2**32 - 1)
    if settings.learning_rate == 0:
        raise _bad("learning_rate", 0, "a number above 0")
    _within("learning_rate", settings.learning_rate, 0.0, 100.0)
    _within("weight_decay", settings.weight_decay, 0.0, 100.0)
    _within("label_smoothing", settings.label_smoothing, 0.0, 0.99)
    _one_of("schedule", settings.schedule, SCHEDULES)


def _one_of(name: str, value: str, allowed: Mapping[str, str]) -> None:
    if value not in allowed:
        raise _bad(name, repr(value), f"one of {', '.join(allowed)}")


def _within(name: str, value: float, low: float, high: float) -> None:
    whole = isinstance(low, int)
    kind_fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not kind_fits or not math.isfinite(value) or not low <= value <= high:
        raise _bad(name, value, f"{'a whole' if whole else 'a'} number from {low} to {high}")


def _bad(name: str, value: object, allowed: str) -> EmbedlabError:
    return EmbedlabError(f"{name} is {value}.", remedy=f"It must be {allowed}.")
