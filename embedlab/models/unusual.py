"""Which settings of a training are not as usual, in words: they tell runs and jobs apart."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from embedlab.data.notes import count
from embedlab.models.backbones import backbone
from embedlab.models.recipes import settings_for
from embedlab.models.settings import HeadSettings, TrainSettings

# What a head has as well comes last: a new head on the same body says it anew.
_WORDS = {
    "weights": "{}",
    "size": "{} px",
    "augment": "changed: {}",
    "epochs": "{}",
    "learning_rate": "learning rate {}",
    "schedule": "{}",
    "batch_size": "batch {}",
    "label_smoothing": "smoothing {}",
    "weight_decay": "decay {}",
    "seed": "seed {}",
}


def unusual(settings: TrainSettings | HeadSettings) -> list[str]:
    """Say which settings are not as usual, in a word or two each.

    Parameters
    ----------
    settings : TrainSettings or HeadSettings
        Backbone, cut, freeze and film are not spoken of.

    Returns
    -------
    list of str
        Usual is what `embedlab.models.recipes.settings_for` fills in, for this backbone, frozen
        or not; of a `HeadSettings`, its defaults.

    Examples
    --------
    >>> unusual(TrainSettings("resnet18", size=128, epochs=3, learning_rate=3e-4))
    ['128 px', '3 epochs', 'learning rate 0.0003']
    >>> unusual(HeadSettings(seed=5)), unusual(HeadSettings())
    (['seed 5'], [])
    """
    if isinstance(settings, HeadSettings):
        return _different(asdict(settings), asdict(HeadSettings()))
    usual = settings_for(settings.backbone, {"freeze": settings.freeze})
    return _different(_resolved(settings), _resolved(usual))


def _different(asked: dict[str, Any], usual: dict[str, Any]) -> list[str]:
    return [
        words.format(count(asked[name], "epoch") if name == "epochs" else _short(asked[name]))
        for name, words in _WORDS.items()
        if name in asked and asked[name] != usual[name]
    ]


def _resolved(settings: TrainSettings) -> dict[str, Any]:
    """Put what a backbone takes of itself where nothing was asked for; name weights in words."""
    known = backbone(settings.backbone)
    kind = settings.weights or known.weights
    weights = f"{kind} weights" if kind in ("imagenet", "random") else f"weights {Path(kind).stem}"
    return {**asdict(settings), "weights": weights, "size": settings.size or known.size}


def _short(value: float | str) -> str:
    """Write a number as short as it can be told from others."""
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value)
