"""What is not as usual, in the names of runs that nobody has named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from embedlab.data.sources import load_dataset
from embedlab.facts import title_of
from embedlab.models.backbones import BACKBONES
from embedlab.models.recipes import settings_for
from embedlab.models.settings import HeadSettings
from embedlab.models.unusual import unusual

from .made_pictures import coloured

NETWORKS = [name for name, entry in BACKBONES.items() if entry.kind != "plain"]


@pytest.mark.parametrize("freeze", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_usual_is_not_spoken_of(name: str, freeze: bool) -> None:
    usual = settings_for(name, {"freeze": freeze})
    assert unusual(usual) == []
    entry = BACKBONES[name]
    told = replace(usual, size=entry.size, weights=entry.weights)
    assert unusual(told) == [], "what the backbone takes of itself, said in so many words"


@pytest.mark.parametrize(
    ("backbone", "chosen", "words"),
    [
        ("mobilenet_v2", {"epochs": 3, "learning_rate": 3e-4}, "3 epochs, learning rate 0.0003"),
        ("mobilenet_v2", {"size": 128, "seed": 5}, "128 px, seed 5"),
        ("mobilenet_v2", {"freeze": True, "epochs": 1}, "1 epoch"),
        ("mobilenet_v2", {"weights": "random", "augment": "flip"}, "random weights, changed: flip"),
        ("mobilenet_v2", {"weights": "place/mine.pth"}, "weights mine"),
        ("small", {"epochs": 1, "schedule": "constant"}, "1 epoch, constant"),
        ("small", {"weight_decay": 0.01, "label_smoothing": 0.0}, "smoothing 0, decay 0.01"),
    ],
)
def test_what_is_not_as_usual_stands_in_the_title(
    backbone: str, chosen: dict[str, Any], words: str
) -> None:
    settings = settings_for(backbone, chosen)
    how = "head alone" if settings.freeze else "fine-tuned"
    assert title_of(coloured(4), "A net", settings) == f"coloured, A net, {how}, {words}"


def test_a_sample_stands_in_the_title_whether_trained_or_not() -> None:
    few = load_dataset("digits", limit=40)
    assert title_of(few, "Pixels", None) == "digits, 40 pictures, Pixels"
    usual = settings_for("small", {})
    assert title_of(few, "Small net", usual) == "digits, 40 pictures, Small net, fine-tuned"


def test_a_head_is_compared_with_the_usual_head() -> None:
    assert unusual(HeadSettings()) == []
    assert unusual(HeadSettings(epochs=44, batch_size=32)) == ["44 epochs", "batch 32"]
