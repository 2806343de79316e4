"""From a dataset to a run: split, train, embed, score, save."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedlab.asked import check_share
from embedlab.data.dataset import TRAIN, VALIDATION, Dataset, split
from embedlab.errors import EmbedlabError
from embedlab.facts import scores, softmax, title_of, train_command
from embedlab.lab import Clock, Lab, saved_run, workspace
from embedlab.models.backbones import backbone as look_up
from embedlab.models.backbones import build
from embedlab.models.device import pick_device
from embedlab.models.film import Snapshot, choose_probe
from embedlab.models.settings import TrainSettings
from embedlab.models.training import Line, Trained, fine_tune
from embedlab.progress import Progress, silent
from embedlab.runs import Head, Run, check_free

if TYPE_CHECKING:
    from embedlab.models.network import Network


def train(
    dataset: Dataset,
    *,
    settings: TrainSettings | None = None,
    fraction: float = 0.2,
    split_seed: int = 123,
    stratify: bool = False,
    title: str | None = None,
    folder: Path | None = None,
    device: str = "auto",
    work: Path | None = None,
    progress: Progress = silent,
    on_epoch: Callable[[Line], None] | None = None,
    on_snapshot: Callable[[Snapshot], None] | None = None,
    afterwards: Callable[[Run], None] | None = None,
    **overrides: Any,
) -> Run:
    """Train a classifier on a dataset and keep all that was found out as a run.

    A network is fine-tuned, or, where the settings freeze its body, the pictures go through the
    body once and the head is fitted on their embeddings, which are kept by content: for the next
    head on the same body no picture goes through it again. (Where there is a run already,
    `embedlab.refitting.refit` needs neither pictures nor body.) The same call takes up what an
    earlier one that was stopped has left.

    Parameters
    ----------
    dataset : Dataset
        With labels of at least two classes.
    settings : TrainSettings, optional
        The notebook's settings by default.
    fraction, split_seed, stratify
        Of the split; see `embedlab.data.dataset.split`.
    title : str, optional
        What people call the run.
    folder : Path, optional
        Where the run will be; by default a new folder among the runs of this machine.
    device : str
        "auto", "cpu", "cuda" or "mps".
    work : Path, optional
        Where checkpoints are kept meanwhile; by default below ``home("cache", "training")``.
    progress : Progress
    on_epoch, on_snapshot : callables, optional
        Told each epoch's line of the history, and the probe pictures as they move.
    afterwards : callable, optional
        Given the run once it is saved, for what is to be done with it at once: where that is
        stopped, the same call trains nothing anew and only does this again.
    **overrides
        Settings by name: ``train(dataset, backbone="small", epochs=5)``.

    Returns
    -------
    Run

    Raises
    ------
    EmbedlabError
        If there is nothing to tell apart or too little to learn from, weights cannot be had, a
        setting is out of its range, or this very training is under way in another process.
    """
    settings = _settings(settings, overrides)
    check_share(fraction)
    labels = _labels_to_learn(dataset)
    parts = split(
        len(dataset), fraction=fraction, seed=split_seed, stratify=labels if stratify else None
    )
    if (parts == TRAIN).sum() < 2:
        raise EmbedlabError(
            f"Of the {len(dataset)} pictures of {dataset.name}, {(parts == TRAIN).sum()} "
            "would be left to train on; at least 2 are needed.",
            remedy="Give more pictures, or keep a smaller fraction for validation.",
        )
    clock = Clock()
    name = look_up(settings.backbone).title
    title = title or title_of(dataset, name, settings)
    facts = {"settings": settings.to_dict(), "parts": parts.tolist(), "device": device}
    with workspace(dataset, facts, work) as place:
        if (saved := saved_run(place, folder, title)) is not None:
            if afterwards:
                afterwards(saved)
            return saved
        check_free(folder)
        network = build(
            settings.backbone,
            n_classes=len(dataset.classes),
            weights=settings.weights,
            seed=settings.seed,
            size=settings.size,
            cut=settings.cut,
            progress=progress,
        )
        preprocessing = look_up(settings.backbone).preprocessing(settings.size, settings.weights)
        lab = Lab(dataset, network, preprocessing, pick_device(device), place, progress, clock)
        history: list[Line] = []
        trained: Trained | None = None
        if settings.freeze and settings.augment == "none":
            found = lab.embed(settings.batch_size, changed=False)
            from embedlab.models.frozen import fit_head

            learn, held = (parts[found.rows] == part for part in (TRAIN, VALIDATION))
            own = labels[found.rows]
            with clock("train"):
                history = fit_head(
                    network.head,
                    found.embeddings[learn],
                    own[learn],
                    settings,
                    dropout=network.dropout.p,
                    validation=(found.embeddings[held], own[held]),
                    progress=progress,
                )
        else:
            rows_validation = np.flatnonzero(parts == VALIDATION)
            with clock("train"):
                trained = fine_tune(
                    network,
                    dataset,
                    np.flatnonzero(parts == TRAIN),
                    rows_validation,
                    settings,
                    preprocessing=preprocessing,
                    device=lab.device,
                    rows_probe=choose_probe(
                        labels,
                        rows_validation if len(rows_validation) else np.arange(len(dataset)),
                        settings.probe,
                    ),
                    checkpoint=place / "training.pt",
                    progress=progress,
                    on_epoch=on_epoch,
                    on_snapshot=on_snapshot,
                )
            history = trained.history
            lab.notes.extend(line["text"] for line in history if line["event"] == "note")
            lab = replace(lab, device=trained.device)
            found = lab.embed(settings.batch_size, changed=not settings.freeze)
        head = Head(
            network.head.weight.detach().numpy(),
            network.head.bias.detach().numpy(),
            dataset.classes,
        )
        probabilities = softmax(head.logits(found.embeddings))
        kept = parts[found.rows]
        info = {
            "title": title,
            "classes": list(dataset.classes),
            "split": {
                "fraction": fraction,
                "seed": split_seed,
                "stratified": stratify,
                "train": int((kept == TRAIN).sum()),
                "validation": int((kept == VALIDATION).sum()),
            },
            "training": {**settings.to_dict(), "size": preprocessing.size},
            "metrics": scores(
                labels[found.rows], probabilities.argmax(axis=1), kept, dataset.classes
            ),
            "command": train_command(
                dataset.name,
                dataset.origin,
                settings,
                fraction=fraction,
                split_seed=split_seed,
                stratify=stratify,
            ),
        }
        if trained:
            lab.keep_film(trained, found)
        run = lab.save(
            folder,
            info,
            found,
            parts=kept,
            probabilities=probabilities,
            head=head,
            history=history,
        )
        if afterwards:
            afterwards(run)
        return run


def embed_dataset(
    dataset: Dataset,
    *,
    backbone: str,
    weights: str | Path | None = None,
    size: int | None = None,
    batch_size: int = 16,
    seed: int = 123,
    title: str | None = None,
    folder: Path | None = None,
    device: str = "auto",
    progress: Progress = silent,
) -> Run:
    """Embed a dataset with a body as it is and keep the embeddings as a run.

    Parameters
    ----------
    dataset : Dataset
        With or without labels.
    backbone : str
        A key of `BACKBONES`; "pixels" and "histogram" too.
    weights, size
        As for `embedlab.models.backbones.build`. A head that comes with the weights is kept:
        its classes are ImageNet's, not the dataset's.
    batch_size : int
    seed : int
        Of random weights.
    title, folder, device, progress
        As for `train`.

    Returns
    -------
    Run
        Without predictions; all its pictures are "validation", for none was trained on.

    Raises
    ------
    EmbedlabError
        As from `train`, but nothing is asked of the labels.
    """
    chosen = look_up(backbone)
    preprocessing = chosen.preprocessing(size, weights)
    title = title or title_of(dataset, chosen.title, None)
    info: dict[str, Any] = {
        "title": title,
        "classes": list(dataset.classes),
        "split": {"fraction": 1.0, "seed": None, "stratified": False, "train": 0},
        "metrics": {},
    }
    facts = {"backbone": backbone, "weights": str(weights), "seed": seed, "device": device}
    with workspace(dataset, {**facts, **preprocessing.to_dict()}, None) as place:
        if (saved := saved_run(place, folder, title)) is not None:
            return saved
        check_free(folder)
        clock = Clock()
        if chosen.kind == "plain":
            lab = Lab(dataset, None, preprocessing, None, place, progress, clock, backbone)
            found = lab.embed_plainly()
            head = None
        else:
            network = _build_with_head(backbone, weights, seed, size, progress)
            lab = Lab(dataset, network, preprocessing, pick_device(device), place, progress, clock)
            found = lab.embed(batch_size, changed=False)
            head = _own_head(network)
        if head:
            info["head_classes"] = list(head.classes)
        info["split"]["validation"] = len(found.rows)
        parts = np.full(len(found.rows), VALIDATION)
        return lab.save(folder, info, found, parts=parts, head=head)


def _settings(settings: TrainSettings | None, overrides: Mapping[str, Any]) -> TrainSettings:
    if settings is None:
        return TrainSettings.from_dict(overrides)
    return TrainSettings.from_dict({**settings.to_dict(), **overrides})


def _labels_to_learn(dataset: Dataset) -> NDArray[np.int64]:
    if dataset.labels is None:
        raise EmbedlabError(
            f"{dataset.name} has no classes, so there is nothing to learn.",
            remedy="Sort the pictures into a folder for each class; or embed them as they are.",
        )
    if len(np.unique(dataset.labels)) < 2:
        raise EmbedlabError(
            f"All {len(dataset)} pictures of {dataset.name} are of one class "
            f"({', '.join(dataset.classes)}), so there is nothing to tell apart.",
            remedy="Add a folder with pictures of another class; or embed them as they are.",
        )
    return dataset.labels


def _build_with_head(
    backbone: str, weights: str | Path | None, seed: int, size: int | None, progress: Progress
) -> Network:
    """Build a network with the head of its weights, or any head where they bring none."""
    try:
        return build(backbone, weights=weights, size=size, keep_head=True, progress=progress)
    except EmbedlabError:
        return build(
            backbone, n_classes=1, weights=weights, seed=seed, size=size, progress=progress
        )


def _own_head(network: Network) -> Head | None:
    if not network.head_classes:
        return None
    weight, bias = network.head.weight.detach().numpy(), network.head.bias.detach().numpy()
    return Head(weight, bias, network.head_classes)
