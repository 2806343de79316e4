"""What all imports have in common: the parts of the pictures, the scores, the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedlab.data.dataset import TRAIN, VALIDATION, Dataset, Skipped, split
from embedlab.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.facts import dataset_info, items_table, scores, softmax, versions
from embedlab.home import home
from embedlab.runs import Head, Run, new_run_folder, save_run

_HALF, _NONE, _ONE = (0.5,) * 3, (0.0,) * 3, (1.0,) * 3
# How a network wants colours: what is taken off, and what the rest is divided by.
NORMALISATIONS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD),
    "half": (_HALF, _HALF),
    "none": (_NONE, _ONE),
}


def check_normalisation(name: str | None) -> None:
    """Refuse what is no key of `NORMALISATIONS`."""
    if name is not None and name not in NORMALISATIONS:
        raise EmbedlabError(
            f"No normalisation is called {name!r}.",
            remedy=f"There are: {', '.join(NORMALISATIONS)}.",
        )


def normalised(preprocessing: Preprocessing, name: str | None) -> Preprocessing:
    """Give the preprocessing with other channel statistics, a key of `NORMALISATIONS`."""
    if name is None:
        return preprocessing
    check_normalisation(name)
    mean, std = NORMALISATIONS[name]
    return Preprocessing.from_dict({**preprocessing.to_dict(), "mean": mean, "std": std})


def assumed(preprocessing: Preprocessing, size: int | None, normalisation: str | None) -> list[str]:
    """Say how pictures were seen as far as nobody has said how: files of networks do not tell."""
    colours = next(
        (name for name, (mean, _) in NORMALISATIONS.items() if tuple(mean) == preprocessing.mean),
        "other",
    )
    guessed = [
        words
        for words, asked in (
            (f"resized to {preprocessing.size} px", size),
            (f"with colours normalised by {colours!r}", normalisation),
        )
        if asked is None
    ]
    if not guessed:
        return []
    return [
        f"Pictures were seen {' and '.join(guessed)}, as is usual. If the network was trained "
        "otherwise, import it again and say so: it then sees better."
    ]


def parts_of(
    dataset: Dataset,
    rows: NDArray[np.int64],
    *,
    validation: float | None = None,
    split_seed: int = 123,
) -> tuple[NDArray[np.str_], dict[str, Any], str]:
    """Say which pictures count as validation, and how that is known.

    Parameters
    ----------
    dataset : Dataset
    rows : ndarray of shape (m,), int64
        Its pictures that are in the run.
    validation : float, optional
        Split the dataset as `embedlab train` would: the share that was kept for validation.
        Without it, the dataset's column "split" or "part" says; without that, all count as
        validation, for none is known to have been trained on.
    split_seed : int

    Returns
    -------
    parts : ndarray of shape (m,), str
    facts : dict
        As a run's "split" has them.
    note : str
        For people; may be empty.
    """
    facts: dict[str, Any] = {"fraction": validation, "seed": None, "stratified": False}
    column = _said(dataset)
    note = ""
    if validation is not None:
        facts["seed"] = split_seed
        parts = split(len(dataset), fraction=validation, seed=split_seed)[rows]
    elif column is not None:
        parts = np.where(column, TRAIN, VALIDATION)[rows]
    else:
        parts = np.full(len(rows), VALIDATION)
        note = (
            "Which pictures the network was trained on is not known; all count as validation, so "
            "scores may flatter it."
        )
    facts |= {part: int((parts == part).sum()) for part in (TRAIN, VALIDATION)}
    return parts, facts, note


def _said(dataset: Dataset) -> NDArray[np.bool_] | None:
    """Read from the dataset's table which pictures are training pictures."""
    for name in ("split", "part"):
        if dataset.table is not None and name in dataset.table:
            values = dataset.table[name].astype("string").fillna("").str.lower()
            train = values.str.startswith("train").to_numpy(bool)
            if train.any():
                return np.asarray(train)
    return None


def judged(
    dataset: Dataset,
    rows: NDArray[np.int64],
    embeddings: NDArray[np.float32],
    parts: NDArray[np.str_],
    head: Head | None,
) -> tuple[NDArray[np.float32] | None, dict[str, Any]]:
    """Give probabilities and scores where the head's classes are the dataset's."""
    if head is None or dataset.labels is None or head.classes != dataset.classes:
        return None, {}
    probabilities = softmax(head.logits(embeddings))
    truth, guess = dataset.labels[rows], probabilities.argmax(axis=1)
    return probabilities, scores(truth, guess, parts, dataset.classes)


def save(
    dataset: Dataset,
    rows: NDArray[np.int64],
    embeddings: NDArray[np.float32],
    *,
    info: Mapping[str, Any],
    parts: NDArray[np.str_],
    thumbnails: Iterable[bytes],
    inputs: Iterable[bytes] | None = None,
    failed: tuple[Skipped, ...] = (),
    head: Head | None = None,
    probabilities: NDArray[np.float32] | None = None,
    predictions: NDArray[np.int64] | None = None,
    files: Mapping[str, Path] | None = None,
) -> Run:
    """Write a run of what was not trained here.

    Parameters
    ----------
    dataset : Dataset
    rows, embeddings, parts, thumbnails, inputs
        A row a picture of the run; `rows` are the dataset's.
    info : mapping
        title, backbone, weights, split, metrics, preprocessing, notes: what is special about it.
    failed : tuple of Skipped
    head, probabilities, files
        As for `embedlab.runs.save_run`.
    predictions : ndarray, int64, optional
        A class a picture of the run, where no probabilities are known.

    Returns
    -------
    Run
    """
    from filelock import FileLock

    whole = {
        "classes": list(dataset.classes),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": dataset_info(dataset, failed),
        "cut": "embedding",
        "architecture": [],
        "device": "CPU",
        "versions": versions(),
        **info,
    }
    if head is not None and head.classes != dataset.classes:
        whole["head_classes"] = list(head.classes)
    items = items_table(dataset, rows, parts, probabilities)
    if predictions is not None:
        items["prediction"] = [dataset.classes[k] for k in predictions]
    # A free name stays free until the run has it.
    with FileLock(home("cache") / "saving.lock"):
        return save_run(
            new_run_folder(str(info["title"])),
            info=whole,
            items=items,
            embeddings=embeddings,
            thumbnails=thumbnails,
            inputs=inputs,
            head=head,
            files=files,
        )
