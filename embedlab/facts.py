"""What a run says of itself: its items, its scores, where its pictures come from, its versions."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.data.dataset import TRAIN, VALIDATION, Dataset, Skipped
from embedlab.data.listing import as_text
from embedlab.data.notes import count
from embedlab.models.recipes import settings_for
from embedlab.models.settings import TrainSettings
from embedlab.models.unusual import unusual
from embedlab.space.scores import Share, accuracy, confusion, recalls

TABLED = 100  # classes; of more, the matrix would be most of run.json, which is read all the time
_PACKAGES = ("numpy", "pillow", "torch", "torchvision", "onnxruntime", "scikit-learn")


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn logits of shape (n, c) into probabilities of shape (n, c), rows adding up to 1."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    odds = np.exp(shifted)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)


def items_table(
    dataset: Dataset,
    rows: NDArray[np.int64],
    parts: NDArray[np.str_],
    probabilities: NDArray[np.float32] | None = None,
) -> pd.DataFrame:
    """Lay out a row a picture, as items.parquet has them.

    Parameters
    ----------
    dataset : Dataset
    rows : ndarray of shape (m,), int64
        The dataset's pictures that are in the run, in this order.
    parts : ndarray of shape (m,), str
        "train" or "validation" for each.
    probabilities : ndarray of shape (m, c), float32, optional

    Returns
    -------
    DataFrame of m rows
        Columns id, path, digest (SHA-256 of the content), label, split, prediction, p.*,
        table.*, factor.* as far as known.
    """
    paths = [dataset.pictures.path(int(row)) for row in rows]
    columns: dict[str, Any] = {
        "id": [dataset.ids[row] for row in rows],
        "path": pd.array(
            [None if path is None else as_text(str(path)) for path in paths], "string"
        ),
        "digest": [dataset.pictures.digest(int(row)) for row in rows],
    }
    if dataset.labels is not None:
        columns["label"] = [dataset.classes[k] for k in dataset.labels[rows]]
    columns["split"] = parts
    if probabilities is not None:
        columns["prediction"] = [dataset.classes[k] for k in probabilities.argmax(axis=1)]
        for k, name in enumerate(dataset.classes):
            columns[f"p.{name}"] = probabilities[:, k]
    for prefix, table in (("table", dataset.table), ("factor", dataset.factors)):
        if table is not None:
            for name in table.columns:
                columns[f"{prefix}.{name}"] = table[name].iloc[rows].reset_index(drop=True)
    return pd.DataFrame(columns)


def scores(
    labels: NDArray[np.int64],
    predictions: NDArray[np.int64],
    parts: NDArray[np.str_],
    classes: tuple[str, ...],
) -> dict[str, Any]:
    """Score the predictions on both parts.

    Parameters
    ----------
    labels, predictions : ndarrays of shape (n,), int64
    parts : ndarray of shape (n,), str
    classes : tuple of str

    Returns
    -------
    dict
        For "validation" and "train", where they have pictures: correct, total, accuracy,
        interval (Wilson's, 95 %), recall (the same by class) and, of up to `TABLED` classes,
        confusion (rows are classes, columns predictions), which the items have in any case.
    """
    found = {}
    for part in (VALIDATION, TRAIN):
        there = parts == part
        if not there.any():
            continue
        matrix = confusion(labels[there], predictions[there], len(classes))
        found[part] = {
            **_share(accuracy(labels[there], predictions[there])),
            "recall": {
                name: _share(share) for name, share in zip(classes, recalls(matrix), strict=True)
            },
        }
        if len(classes) <= TABLED:
            found[part]["confusion"] = matrix.tolist()
    return found


def dataset_info(dataset: Dataset, failed: tuple[Skipped, ...] = ()) -> dict[str, Any]:
    """Say where the pictures come from and what was left out of them."""
    counts = (
        {}
        if dataset.labels is None
        else dict(
            zip(
                dataset.classes,
                np.bincount(dataset.labels, minlength=len(dataset.classes)).tolist(),
                strict=True,
            )
        )
    )
    return {
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "n": len(dataset),
        "classes": counts,
        "origin": dict(dataset.origin),
        "notes": list(dataset.notes),
        "skipped": [
            {"id": skipped.id, "reason": skipped.reason} for skipped in (*dataset.skipped, *failed)
        ],
    }


def versions() -> dict[str, str]:
    """Name the versions of what computed a run."""
    from embedlab import __version__

    found = {"embedlab": __version__, "python": python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def train_words(
    source: str,
    settings: TrainSettings,
    *,
    fraction: float = 0.2,
    split_seed: int = 123,
    stratify: bool = False,
    **options: Any,
) -> list[str]:
    """Write down the arguments of ``embedlab`` that train like this; what is usual is left out.

    Parameters
    ----------
    source : str
        As `embedlab.data.sources.load_dataset` takes it.
    settings : TrainSettings
    fraction, split_seed, stratify
        Of the split.
    **options
        Further options of the command, such as root, limit, name; None is left out.
    """
    words = ["train", source]
    defaults = settings_for(settings.backbone, {"freeze": settings.freeze})
    for name, value in settings.to_dict().items():
        if name == "backbone":
            words += ["--backbone", str(value)]
        elif name == "freeze":
            words += ["--freeze"] if value else []
        elif value != getattr(defaults, name):
            words += [f"--{name.replace('_', '-')}", str(value)]
    for option, value in options.items():
        if value is not None:
            words += [f"--{option}", str(value)]
    if fraction != 0.2:
        words += ["--validation", str(fraction)]
    if split_seed != 123:
        words += ["--split-seed", str(split_seed)]
    return [*words, *(["--stratify"] if stratify else [])]


def train_command(
    name: str,
    origin: Mapping[str, Any],
    settings: TrainSettings,
    *,
    fraction: float,
    split_seed: int,
    stratify: bool,
) -> str:
    """Write down the command line that trains the same again.

    Parameters
    ----------
    name, origin
        Of the dataset: what it is called, and where its pictures come from.
    settings : TrainSettings
    fraction, split_seed, stratify
        Of the split.
    """
    words = train_words(
        str(origin.get("path") or origin.get("source") or name),
        settings,
        fraction=fraction,
        split_seed=split_seed,
        stratify=stratify,
        root=origin.get("root"),
        limit=origin.get("limit"),
    )
    return shlex.join(["embedlab", *words])


def title_of(dataset: Dataset, backbone_title: str, settings: TrainSettings | None) -> str:
    """Name a run that nobody has named, also after what is not as usual in it.

    Parameters
    ----------
    dataset : Dataset
    backbone_title : str
    settings : TrainSettings, optional
        None where nothing was trained.
    """
    sample = [count(len(dataset), "picture")] if "limit" in dataset.origin else []
    if settings is None:
        return ", ".join([dataset.name, *sample, backbone_title])
    body = f"{backbone_title} until {settings.cut}" if settings.cut else backbone_title
    how = "head alone" if settings.freeze else "fine-tuned"
    return ", ".join([dataset.name, *sample, body, how, *unusual(settings)])


def _share(share: Share) -> dict[str, Any]:
    return {
        "correct": share.correct,
        "total": share.total,
        "accuracy": None if math.isnan(share.value) else share.value,
        "interval": list(share.interval),
    }
