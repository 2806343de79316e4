"""Late fusion: embeddings of pictures beside a table, trained with one head, and taken apart."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

from embedlab.errors import EmbedlabError
from embedlab.models.batches import batches
from embedlab.models.device import threads
from embedlab.models.fusion_net import FusionNet
from embedlab.models.fusion_settings import FusionSettings
from embedlab.models.training import epoch_seed


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the two branches are given. Row i of everything belongs to picture i.

    Parameters
    ----------
    picture : ndarray of shape (n, d), float32, optional
        Embeddings; None without a picture branch.
    codes : ndarray of shape (n, k), int64, optional
    numbers : ndarray of shape (n, m), float32, optional
        As `embedlab.data.encoding.TableEncoder` gives them; None without a table branch.
    """

    picture: NDArray[np.float32] | None = None
    codes: NDArray[np.int64] | None = None
    numbers: NDArray[np.float32] | None = None

    def take(self, rows: NDArray[np.int64]) -> Inputs:
        """Give these rows only."""
        return Inputs(*(None if a is None else a[rows] for a in self._arrays()))

    def tensors(self) -> tuple[Tensor | None, ...]:
        """Give the same as tensors."""
        return tuple(None if a is None else torch.from_numpy(np.array(a)) for a in self._arrays())

    def _arrays(self) -> tuple[NDArray[Any] | None, ...]:
        return self.picture, self.codes, self.numbers


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained fusion.

    Parameters
    ----------
    net : FusionNet
        In evaluation mode, as it was in its best epoch.
    best_epoch, epochs : int
        When the tuning loss was least, and how many epochs were run.
    loss : float
        The least tuning loss.
    settings : FusionSettings
    tuned_epochs : int
        After how many epochs of fine-tuning the body is as it is; 0 where it was not trained, or
        got no better.
    """

    net: FusionNet
    best_epoch: int
    epochs: int
    loss: float
    settings: FusionSettings
    tuned_epochs: int = 0


def fit_fusion(
    net_of: dict[str, Any],
    inputs: Inputs,
    target: NDArray[Any],
    settings: FusionSettings,
    *,
    fit_rows: NDArray[np.int64],
    tune_rows: NDArray[np.int64],
    seed: int,
) -> Fitted:
    """Build a fusion and train it, stopping early. The same seed gives the same network.

    Parameters
    ----------
    net_of : dict
        What `FusionNet` takes besides the settings: n_outputs, n_dims, table.
    inputs : Inputs
    target : ndarray of shape (n,)
        int64 classes, or float32 numbers, standardised.
    settings : FusionSettings
    fit_rows, tune_rows : ndarrays of int64
        The rows to learn from, and those whose loss says when to stop.
    seed : int
        Of weights, order and dropout.

    Returns
    -------
    Fitted
    """
    if len(fit_rows) < 2 or not len(tune_rows):
        raise EmbedlabError(
            f"There are {len(fit_rows)} pictures to fit and {len(tune_rows)} to stop by.",
            remedy="Give more pictures.",
        )
    y = torch.from_numpy(np.array(target))
    learn, tune = inputs.take(fit_rows).tensors(), inputs.take(tune_rows).tensors()
    y_learn, y_tune = y[fit_rows], y[tune_rows]
    with torch.random.fork_rng(devices=[]), threads(1):
        torch.manual_seed(epoch_seed(seed, 0))
        net = FusionNet(settings=settings, **net_of)
        optimiser = torch.optim.AdamW(
            net.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        best, best_epoch, state = math.inf, 0, copy.deepcopy(net.state_dict())
        epoch = 0
        for epoch in range(1, settings.epochs + 1):
            torch.manual_seed(epoch_seed(seed, epoch))
            order = torch.randperm(len(y_learn))
            net.train()
            for part in batches(len(order), settings.batch_size):
                rows = order[part]
                out = net(*(None if a is None else a[rows] for a in learn))
                optimiser.zero_grad()
                loss_of(out, y_learn[rows]).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            net.eval()
            with torch.inference_mode():
                loss = loss_of(net(*tune), y_tune).item()
            if not math.isfinite(loss):
                raise EmbedlabError(
                    f"The loss left the finite numbers in epoch {epoch}.",
                    remedy=f"Try a learning rate below {settings.learning_rate:g}.",
                )
            if loss < best - 1e-4:
                best, best_epoch, state = loss, epoch, copy.deepcopy(net.state_dict())
            elif epoch - best_epoch >= settings.patience:
                break
    net.load_state_dict(state)
    return Fitted(net.eval(), best_epoch, epoch, best, settings)


def predict(net: FusionNet, inputs: Inputs) -> NDArray[np.float32]:
    """Give logits of shape (n, classes), or numbers of shape (n, 1)."""
    with torch.inference_mode(), threads(1):
        return np.asarray(net(*inputs.tensors()).numpy(), np.float32)


def branch_vectors(net: FusionNet, inputs: Inputs) -> dict[str, NDArray[np.float32]]:
    """Give the vectors of each branch, as they meet, and of both together, as "fused"."""
    with torch.inference_mode(), threads(1):
        branches = net.branches(*inputs.tensors())
        found = {**branches, "fused": net.fused(branches)}
    return {name: np.asarray(vectors.numpy(), np.float32) for name, vectors in found.items()}


def branch_shares(
    net: FusionNet, inputs: Inputs, rows: NDArray[np.int64]
) -> dict[str, NDArray[np.float32]]:
    """Take answers apart into what each of two branches brought to them.

    Shapley values (L. Shapley, "A value for n-person games", 1953) of two players: what the answer
    gains when a branch says what it says of this picture, and not what it says on average, as the
    mean of both orders in which the branches may speak.

    Parameters
    ----------
    net : FusionNet
        With both branches.
    inputs : Inputs
    rows : ndarray of int64
        The pictures over which "on average" is taken: those that were trained on.

    Returns
    -------
    dict of str to ndarray
        "base" of shape (c,), "picture" and "table" of shape (n, c): they add up to the logits.
    """

    def answer(picture: Tensor, table: Tensor) -> Tensor:
        out: Tensor = net.head(net.fused({"picture": picture, "table": table}))
        return out

    with torch.inference_mode(), threads(1):
        branches = net.branches(*inputs.tensors())
        picture, table = branches["picture"], branches["table"]
        typical_picture = picture[rows].mean(0).expand_as(picture)
        typical_table = table[rows].mean(0).expand_as(table)
        neither = answer(typical_picture, typical_table)
        with_picture = answer(picture, typical_table)
        with_table = answer(typical_picture, table)
        both = answer(picture, table)
        shares = {
            "base": neither[0],
            "picture": (with_picture - neither + both - with_table) / 2,
            "table": (with_table - neither + both - with_picture) / 2,
        }
    return {name: np.asarray(share.numpy(), np.float32) for name, share in shares.items()}


def loss_of(out: Tensor, y: Tensor) -> Tensor:
    """Measure answers: cross-entropy for classes, the mean squared error for numbers."""
    return mse_loss(out[:, 0], y) if y.is_floating_point() else cross_entropy(out, y)
