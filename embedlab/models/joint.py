"""Train a fusion and the body of its pictures together, from where the fusion alone has come."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from embedlab.data.dataset import Dataset
from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.models.batches import Source, batches
from embedlab.models.device import keep_freed_memory
from embedlab.models.fusion import Fitted, Inputs, loss_of
from embedlab.models.network import Network
from embedlab.models.tensors import as_input, augmented
from embedlab.models.training import REMEMBERED_BYTES, epoch_seed
from embedlab.progress import Progress, silent

BATCH = 16  # pictures whose gradients are held at a time
_SLOWER = 10  # than before does the fusion learn now
_FIRST_EPOCH = 10_000  # its seeds are none that the fusion alone has used


@dataclass(frozen=True, eq=False)
class Tunable:
    """A body, and the pictures that it is trained on. Picture i is that of row i of the inputs.

    Parameters
    ----------
    network : Network
        Its body is copied, never changed.
    dataset : Dataset
    preprocessing : Preprocessing
    device : torch.device
    """

    network: Network
    dataset: Dataset
    preprocessing: Preprocessing
    device: torch.device

    def source(self) -> Source:
        """Open the pictures for training; what fits into memory is decoded once."""
        n = len(self.dataset)
        needed = 3 * self.preprocessing.size**2 * n
        return Source(
            self.dataset,
            np.arange(n),
            self.preprocessing,
            remember=needed <= REMEMBERED_BYTES,
        )


def fine_tune_fusion(
    fitted: Fitted,
    tunable: Tunable,
    source: Source,
    inputs: Inputs,
    target: NDArray[np.int64] | NDArray[np.float32],
    *,
    fit_rows: NDArray[np.int64],
    tune_rows: NDArray[np.int64],
    seed: int,
    progress: Progress = silent,
) -> tuple[Fitted, NDArray[np.float32]]:
    """Go on from a fusion on fixed embeddings, its body learning with it.

    That the head comes first, on the body as it is, and the body only then, is the way of
    A. Kumar et al., "Fine-tuning can distort pretrained features and underperform
    out-of-distribution", 2022. BatchNorm keeps its statistics. The result is that of the epoch
    whose tuning loss was least; where no epoch is better, it is what it was.

    Parameters
    ----------
    fitted : Fitted
        With a picture branch; not changed.
    tunable : Tunable
    source : Source
        As `Tunable.source` gives it; shared by all calls on the same pictures.
    inputs : Inputs
        With the embeddings of the body as it is.
    target, fit_rows, tune_rows, seed
        As for `embedlab.models.fusion.fit_fusion`.
    progress : Progress

    Returns
    -------
    Fitted
    embeddings : ndarray of shape (n, d), float32
        From the body as it is now, of all pictures.
    """
    settings, device = fitted.settings, tunable.device
    assert inputs.picture is not None
    if device.type == "cpu":
        keep_freed_memory()
    net = copy.deepcopy(fitted.net).to(device)
    body = copy.deepcopy(tunable.network.body).to(device).eval().requires_grad_(True)
    body.to(memory_format=torch.channels_last)
    _, codes, numbers = (None if array is None else array.to(device) for array in inputs.tensors())
    y = torch.from_numpy(np.array(target)).to(device)
    optimiser = torch.optim.AdamW(
        [
            {"params": list(body.parameters()), "lr": settings.body_learning_rate},
            {"params": list(net.parameters()), "lr": settings.learning_rate / _SLOWER},
        ],
        weight_decay=settings.weight_decay,
    )

    def answer(x: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
        out: torch.Tensor = net(
            body(x),
            None if codes is None else codes[rows],
            None if numbers is None else numbers[rows],
        )
        return out

    def tuning_loss() -> float:
        total, count = 0.0, 0
        with torch.inference_mode():
            for seen, rows in source.batches(tune_rows, batches(len(tune_rows), BATCH)):
                out = answer(as_input(seen, tunable.preprocessing, device), rows)
                total += loss_of(out, y[rows]).item() * len(rows)
                count += len(rows)
        return total / max(count, 1)

    slices = batches(len(fit_rows), min(BATCH, settings.batch_size))
    best, best_epoch, kept = fitted.loss, 0, (copy.deepcopy(net), copy.deepcopy(body))
    n_steps = settings.fine_tune * len(slices)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        for epoch in range(1, settings.fine_tune + 1):
            own = epoch_seed(seed, _FIRST_EPOCH + epoch)
            torch.manual_seed(own)
            generator = torch.Generator().manual_seed(own)
            order = torch.randperm(len(fit_rows), generator=generator).numpy()
            net.train()
            for step, (seen, rows) in enumerate(source.batches(fit_rows[order], slices), 1):
                x = as_input(seen, tunable.preprocessing, device)
                optimiser.zero_grad(set_to_none=True)
                loss = loss_of(answer(augmented(x, settings.augment, generator), rows), y[rows])
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                progress("fine-tuning", (epoch - 1) * len(slices) + step, n_steps)
            net.eval()
            now = tuning_loss()
            if not math.isfinite(now):
                raise EmbedlabError(
                    f"The loss left the finite numbers in epoch {epoch} of fine-tuning.",
                    remedy=f"Try a body learning rate below {settings.body_learning_rate:g}.",
                )
            if now < best:
                best, best_epoch, kept = now, epoch, (copy.deepcopy(net), copy.deepcopy(body))
    net, body = kept
    embeddings = np.array(inputs.picture, np.float32)
    if best_epoch:
        everything = np.arange(len(embeddings))
        with torch.inference_mode():
            for seen, rows in source.batches(everything, batches(len(everything), BATCH)):
                vectors = body(as_input(seen, tunable.preprocessing, device))
                embeddings[rows] = vectors.float().cpu().numpy()
    done = replace(fitted, net=net.to("cpu").eval(), loss=best, tuned_epochs=best_epoch)
    return done, embeddings
