"""Settings that suit a backbone, taken where a person has not chosen otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from embedlab.models.backbones import DEFAULT
from embedlab.models.settings import TrainSettings

# The small net begins from nothing and sees few, small pictures: it needs many passes, changed
# pictures and a learning rate that rises and falls.
RECIPES: dict[str, dict[str, Any]] = {
    "small": {
        "epochs": 44,
        "learning_rate": 4e-3,
        "batch_size": 32,
        "label_smoothing": 0.05,
        "augment": "gentle",
        "schedule": "one-cycle",
    },
}

Task = Literal["train", "fuse"]
_SMALL_PICTURES = ("garden", "digits")
_FOR_SMALL_PICTURES: dict[Task, str] = {"train": "small", "fuse": "histogram"}


def backbone_for(source: str | None, task: Task) -> str:
    """Name the backbone that suits pictures where a person has not chosen one.

    Parameters
    ----------
    source : str, optional
        As `embedlab.data.sources.load_dataset` takes it, as far as known.
    task : "train" or "fuse"
        Small pictures are quickly trained on, and fused with a table without any network.

    Examples
    --------
    >>> backbone_for("digits", "train"), backbone_for("digits", "fuse")
    ('small', 'histogram')
    >>> backbone_for("my_photos", "train")
    'efficientnet_b0'
    """
    return _FOR_SMALL_PICTURES[task] if source in _SMALL_PICTURES else DEFAULT


def settings_for(backbone: str, chosen: Mapping[str, Any]) -> TrainSettings:
    """Fill in what a person has not chosen.

    Parameters
    ----------
    backbone : str
        A network of `BACKBONES`.
    chosen : mapping
        Settings by name; None stands for not chosen.

    Returns
    -------
    TrainSettings
        What was chosen, else the backbone's recipe, else the notebook's defaults. A frozen body
        takes no recipe: its head is fitted on embeddings that do not change.

    Raises
    ------
    EmbedlabError
        If a value is out of its range.

    Examples
    --------
    >>> settings_for("small", {"epochs": 10}).epochs
    10
    >>> settings_for("small", {}).schedule
    'one-cycle'
    """
    wanted = {name: value for name, value in chosen.items() if value is not None}
    recipe = {} if wanted.get("freeze") else RECIPES.get(backbone, {})
    return TrainSettings(**{"backbone": backbone, **recipe, **wanted})
