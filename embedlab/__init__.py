"""See what an image network has learned.

Importing embedlab is cheap: names below are fetched from their modules on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedlab.data.dataset import Dataset, split
    from embedlab.data.sources import load_dataset
    from embedlab.errors import EmbedlabError
    from embedlab.experiment import train
    from embedlab.runs import Run, list_runs, open_run

__version__ = "0.1.0"

_HOMES = {
    "Dataset": "embedlab.data.dataset",
    "split": "embedlab.data.dataset",
    "load_dataset": "embedlab.data.sources",
    "EmbedlabError": "embedlab.errors",
    "train": "embedlab.experiment",
    "Run": "embedlab.runs",
    "list_runs": "embedlab.runs",
    "open_run": "embedlab.runs",
}

__all__ = [
    "Dataset",
    "EmbedlabError",
    "Run",
    "__version__",
    "list_runs",
    "load_dataset",
    "open_run",
    "split",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'embedlab' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
