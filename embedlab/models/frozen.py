"""Fit a head on embeddings that do not change: the frozen backbone's quick way."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.functional import dropout as dropped

from embedlab.errors import EmbedlabError
from embedlab.models.batches import Tally, batches
from embedlab.models.device import threads
from embedlab.models.network import new_head
from embedlab.models.settings import HeadSettings, TrainSettings
from embedlab.models.training import Line, epoch_seed
from embedlab.progress import Progress, silent


def fit_new_head(
    embeddings: NDArray[np.float32],
    labels: NDArray[np.int64],
    n_classes: int,
    settings: HeadSettings,
    *,
    dropout: float = 0.0,
    validation: tuple[NDArray[np.float32], NDArray[np.int64]] | None = None,
    progress: Progress = silent,
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[Line]]:
    """Fit a head from its beginning: the one that `build` gives a network of the same seed.

    Parameters
    ----------
    embeddings, labels, settings, dropout, validation, progress
        As for `fit_head`.
    n_classes : int

    Returns
    -------
    weight : ndarray of shape (n_classes, d), float32
    bias : ndarray of shape (n_classes,), float32
    history : list of dict

    Raises
    ------
    EmbedlabError
        As from `fit_head`.
    """
    head = new_head(embeddings.shape[1], n_classes, settings.seed)
    history = fit_head(
        head,
        embeddings,
        labels,
        settings,
        dropout=dropout,
        validation=validation,
        progress=progress,
    )
    return head.weight.detach().numpy(), head.bias.detach().numpy(), history


def fit_head(
    head: nn.Linear,
    embeddings: NDArray[np.float32],
    labels: NDArray[np.int64],
    settings: HeadSettings | TrainSettings,
    *,
    dropout: float = 0.0,
    validation: tuple[NDArray[np.float32], NDArray[np.int64]] | None = None,
    progress: Progress = silent,
) -> list[Line]:
    """Train a head on embeddings that a body gave.

    It takes the steps that `fine_tune` takes with a frozen body (same order of pictures, same
    batches, same optimiser), without sending a picture through the body again.

    Parameters
    ----------
    head : Linear
        Trained in place, on the CPU.
    embeddings : ndarray of shape (n, d), float32
        Of the training pictures.
    labels : ndarray of shape (n,), int64
    settings : HeadSettings or TrainSettings
        Of the latter, what a `HeadSettings` has counts.
    dropout : float
        Share of each embedding that is dropped before the head.
    validation : tuple of embeddings (m, d) and labels (m,), optional
    progress : Progress

    Returns
    -------
    list of dict
        A line an epoch, as `Trained.history` has them.

    Raises
    ------
    EmbedlabError
        If there are fewer than 2 pictures, or the loss leaves the finite numbers.
    """
    if len(labels) < 2:
        raise EmbedlabError(f"Training needs at least 2 pictures; there are {len(labels)}.")
    x, y = _tensor(embeddings, np.float32), _tensor(labels, np.int64)
    held = None
    if validation and len(validation[1]):
        held = _tensor(validation[0], np.float32), _tensor(validation[1], np.int64)
    slices = batches(len(y), settings.batch_size)
    optimiser = torch.optim.AdamW(
        head.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    schedule = None
    if settings.schedule == "one-cycle":
        total = len(slices) * settings.epochs
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, settings.learning_rate, total_steps=total
        )
    history: list[Line] = []
    started = time.monotonic()
    with torch.random.fork_rng(devices=[]), threads(1):
        for epoch in range(settings.epochs):
            seed = epoch_seed(settings.seed, epoch)
            torch.manual_seed(seed)
            order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
            tally = Tally()
            for rows in (order[part] for part in slices):
                logits = head(dropped(x[rows], dropout))
                optimiser.zero_grad()
                loss = cross_entropy(logits, y[rows], label_smoothing=settings.label_smoothing)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                if schedule:
                    schedule.step()
                right = int((logits.detach().argmax(1) == y[rows]).sum())
                tally.add(loss.item(), right, len(rows))
            facts = tally.readings()
            if not math.isfinite(facts["loss"]):
                raise EmbedlabError(
                    f"The loss left the finite numbers in epoch {epoch + 1}.",
                    remedy=f"Try a learning rate below {settings.learning_rate:g}.",
                )
            if held:
                facts |= _validated(head, *held)
            history.append(
                {
                    "event": "epoch",
                    "step": (epoch + 1) * len(slices),
                    "epoch": float(epoch + 1),
                    **facts,
                    "seconds": round(time.monotonic() - started, 2),
                }
            )
            progress("fitting the head", epoch + 1, settings.epochs, **facts)
    return history


def _tensor(values: NDArray[Any], kind: type[np.generic]) -> Tensor:
    """Give a tensor of the same memory where torch allows it: embeddings may be gigabytes."""
    return torch.from_numpy(np.require(values, kind, ["C", "W"]))


def _validated(head: nn.Linear, x: Tensor, y: Tensor) -> dict[str, float]:
    with torch.inference_mode():
        logits = head(x)
        return {
            "validation_loss": cross_entropy(logits, y).item(),
            "validation_accuracy": float((logits.argmax(1) == y).float().mean()),
        }
