"""Settings that suit a backbone, taken where a person has not chosen otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
