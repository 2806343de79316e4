"""FusionSettings: how pictures and a table are fused, and others to try."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from embedlab.errors import EmbedlabError
from embedlab.models.settings import AUGMENTATIONS

FUSIONS = {
    "concatenated": "the branches side by side, through one linear layer",
    "gated": "each branch through a layer of its own, mixed by a gate that sees both",
}


@dataclass(frozen=True)
class FusionSettings:
    """How a fusion is built and trained.

    Parameters
    ----------
    hidden : int
        Width of the table branch's first layer, at least 2; its second has half of it.
    width : int
        Length of the fused embedding.
    fusion : str
        A key of `FUSIONS`.
    dropout : float
        In the table branch and before the head.
    picture_dropout : float
        Of the picture's vector before the branches meet: it is long, and soon learnt by heart.
    modality_dropout : float
        The share of the pictures that go without one of their branches in a step of training, so
        that the network cannot lean on one alone.
    batch_norm : bool
        In the table branch, after each linear layer.
    learning_rate, weight_decay : float
        Of AdamW.
    batch_size : int
    epochs : int
        At most so many.
    patience : int
        Stop when the loss on the tuning pictures has not sunk for so many epochs.
    fine_tune : int
        For so many epochs more, at most, the body is trained together with all the rest.
    body_learning_rate : float
        Of the body, then; the rest learns at a tenth of `learning_rate`.
    augment : str
        What is done to the pictures, then: a key of `embedlab.models.settings.AUGMENTATIONS`.
    """

    hidden: int = 64
    width: int = 256
    fusion: str = "concatenated"
    dropout: float = 0.2
    picture_dropout: float = 0.0
    modality_dropout: float = 0.0
    batch_norm: bool = False
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    batch_size: int = 32
    epochs: int = 100
    patience: int = 10
    fine_tune: int = 0
    body_learning_rate: float = 1e-4
    augment: str = "none"

    def __post_init__(self) -> None:
        fits = {
            "hidden": 2 <= self.hidden <= 8192,
            "width": 1 <= self.width <= 8192,
            "fusion": self.fusion in FUSIONS,
            "dropout": 0 <= self.dropout < 1,
            "picture_dropout": 0 <= self.picture_dropout < 1,
            "modality_dropout": 0 <= self.modality_dropout < 1,
            "learning_rate": 0 < self.learning_rate <= 1,
            "weight_decay": 0 <= self.weight_decay <= 10,
            "batch_size": 2 <= self.batch_size <= 65_536,
            "epochs": 1 <= self.epochs <= 100_000,
            "patience": self.patience >= 1,
            "fine_tune": 0 <= self.fine_tune <= 1000,
            "body_learning_rate": 0 < self.body_learning_rate <= 1,
            "augment": self.augment in AUGMENTATIONS,
        }
        for name, fine in fits.items():
            if not fine:
                raise EmbedlabError(
                    f"{name} is {getattr(self, name)}.", remedy=f"{_RANGES[name]} is possible."
                )

    def to_dict(self) -> dict[str, Any]:
        """Give a mapping of JSON values."""
        return asdict(self)


_RANGES = {
    "hidden": "2 to 8192",
    "width": "1 to 8192",
    "fusion": f"One of {', '.join(FUSIONS)}",
    "dropout": "0 to below 1",
    "picture_dropout": "0 to below 1",
    "modality_dropout": "0 to below 1",
    "learning_rate": "Above 0 to 1",
    "weight_decay": "0 to 10",
    "batch_size": "2 to 65536",
    "epochs": "1 to 100000",
    "patience": "1 or more",
    "fine_tune": "0 to 1000",
    "body_learning_rate": "Above 0 to 1",
    "augment": f"One of {', '.join(AUGMENTATIONS)}",
}


def candidates(settings: FusionSettings, n: int, seed: int) -> list[FusionSettings]:
    """Draw settings to choose from: those given, and n - 1 others at random.

    Parameters
    ----------
    settings : FusionSettings
        What is not searched stays as it is here.
    n : int
        At least 1.
    seed : int

    Returns
    -------
    list of FusionSettings, length n
    """
    from scipy.stats import loguniform
    from sklearn.model_selection import ParameterSampler

    space = {
        "hidden": [32, 64, 128],
        "fusion": list(FUSIONS),
        "dropout": [0.0, 0.2, 0.4],
        "picture_dropout": [0.0, 0.5, 0.8],
        "modality_dropout": [0.0, 0.0, 0.5],
        "learning_rate": loguniform(5e-4, 5e-3),
        "weight_decay": [0.01, 0.1, 1.0, 5.0],
    }
    drawn = ParameterSampler(space, n - 1, random_state=seed) if n > 1 else ()
    return [settings, *(replace(settings, **_plain(one)) for one in drawn)]


def _plain(drawn: dict[str, Any]) -> dict[str, Any]:
    return {k: float(f"{v:.3g}") if isinstance(v, float) else v for k, v in drawn.items()}
