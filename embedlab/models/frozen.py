"""Fit a head on embeddings that do not change: the frozen backbone's quick way."""

from __future__ import annotations

import math
import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from embedlab.errors import EmbedlabError
from embedlab.models.batches import Tally, batches
from embedlab.models.device import threads
from embedlab.models.network import Network
from embedlab.models.settings import TrainSettings
from embedlab.models.training import Line, epoch_seed
from embedlab.progress import Progress, silent


def fit_head(
    network: Network,
    embeddings: NDArray[np.float32],
    labels: NDArray[np.int64],
    settings: TrainSettings,
    *,
    validation: tuple[NDArray[np.float32], NDArray[np.int64]] | None = None,
    progress: Progress = silent,
) -> list[Line]:
    """Train a network's head on embeddings that its body gave.

    It takes the steps that `fine_tune` takes with a frozen body (same order of pictures, same
    batches, same optimiser), without sending a picture through the body again.

    Parameters
    ----------
    network : Network
        Its head is trained in place, on the CPU; its body is not used.
    embeddings : ndarray of shape (n, d), float32
        Of the training pictures.
    labels : ndarray of shape (n,), int64
    settings : TrainSettings
        Epochs, learning rate, batch size, seed, label smoothing, weight decay and schedule count.
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
    x, y = torch.from_numpy(np.array(embeddings, np.float32)), torch.from_numpy(np.array(labels))
    held = None
    if validation and len(validation[1]):
        held = tuple(torch.from_numpy(np.array(part)) for part in validation)
    head, slices = network.head, batches(len(y), settings.batch_size)
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
    network.dropout.train()
    with torch.random.fork_rng(devices=[]), threads(1):
        for epoch in range(settings.epochs):
            seed = epoch_seed(settings.seed, epoch)
            torch.manual_seed(seed)
            order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
            tally = Tally()
            for rows in (order[part] for part in slices):
                logits = head(network.dropout(x[rows]))
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
                facts |= _validated(network, *held)
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
    network.dropout.eval()
    return history


def _validated(network: Network, x: Tensor, y: Tensor) -> dict[str, float]:
    with torch.inference_mode():
        logits = network.head(x)
        return {
            "validation_loss": cross_entropy(logits, y).item(),
            "validation_accuracy": float((logits.argmax(1) == y).float().mean()),
        }
