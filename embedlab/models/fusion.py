"""Late fusion: a picture branch on cached embeddings beside a table branch, and one head."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from embedlab.errors import EmbedlabError
from embedlab.models.batches import batches
from embedlab.models.device import threads
from embedlab.models.training import epoch_seed

LENGTH = 8.0  # of each branch's vectors where training begins


@dataclass(frozen=True)
class FusionSettings:
    """How a fusion is built and trained.

    Parameters
    ----------
    hidden : int
        Width of the table branch's first layer, at least 2; its second has half of it.
    width : int
        Length of the fused embedding.
    dropout : float
        In the table branch and before the head.
    batch_norm : bool
        In the table branch, after each linear layer.
    learning_rate, weight_decay : float
        Of AdamW.
    batch_size : int
    epochs : int
        At most so many.
    patience : int
        Stop when the loss on the tuning pictures has not sunk for so many epochs.
    """

    hidden: int = 64
    width: int = 256
    dropout: float = 0.2
    batch_norm: bool = False
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    batch_size: int = 32
    epochs: int = 100
    patience: int = 10

    def __post_init__(self) -> None:
        fits = {
            "hidden": 2 <= self.hidden <= 8192,
            "width": 1 <= self.width <= 8192,
            "dropout": 0 <= self.dropout < 1,
            "learning_rate": 0 < self.learning_rate <= 1,
            "weight_decay": 0 <= self.weight_decay <= 10,
            "batch_size": 2 <= self.batch_size <= 65_536,
            "epochs": 1 <= self.epochs <= 100_000,
            "patience": self.patience >= 1,
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
    "dropout": "0 to below 1",
    "learning_rate": "Above 0 to 1",
    "weight_decay": "0 to 10",
    "batch_size": "2 to 65536",
    "epochs": "1 to 100000",
    "patience": "1 or more",
}


def embedding_width(n_values: int) -> int:
    """Say how long the embedding of a categorical column is: min(600, round(1.6 n^0.56)).

    The rule is fastai's (``emb_sz_rule`` in fastai/tabular/model.py).

    Parameters
    ----------
    n_values : int
        Different values of the column among the training rows.

    Examples
    --------
    >>> [embedding_width(n) for n in (1, 2, 10, 49, 100_000)]
    [2, 2, 6, 14, 600]
    """
    return max(1, min(600, round(1.6 * math.pow(n_values, 0.56))))


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


class TableBranch(nn.Module):
    """One embedding a categorical column, beside the numbers; then two linear layers."""

    def __init__(self, cardinalities: Sequence[int], n_numbers: int, s: FusionSettings) -> None:
        super().__init__()
        widths = [embedding_width(n) for n in cardinalities]
        # Row 0, unseen, stays at the origin: no training picture ever comes by it.
        self.embeddings = nn.ModuleList(
            nn.Embedding(n + 1, width, padding_idx=0)
            for n, width in zip(cardinalities, widths, strict=True)
        )
        layers: list[nn.Module] = []
        before = sum(widths) + n_numbers
        self.width = max(1, s.hidden // 2)
        for after in (s.hidden, self.width):
            layers.append(nn.Linear(before, after))
            if s.batch_norm:
                layers.append(nn.BatchNorm1d(after))
            layers += [nn.ReLU(), nn.Dropout(s.dropout)]
            before = after
        self.layers = nn.Sequential(*layers)

    def forward(self, codes: Tensor, numbers: Tensor) -> Tensor:
        """Turn codes (n, k) and numbers (n, m) into vectors (n, hidden // 2)."""
        parts = [embed(codes[:, i]) for i, embed in enumerate(self.embeddings)]
        out: Tensor = self.layers(torch.cat([*parts, numbers], dim=1))
        return out


def _balanced_norm(n_dims: int) -> nn.LayerNorm:
    """Make a LayerNorm whose vectors begin with the same length, however many numbers they have.

    A plain one gives every number the same variance, and 1,280 numbers of a picture then outweigh
    32 of a table forty to one.
    """
    norm = nn.LayerNorm(n_dims)
    nn.init.constant_(norm.weight, LENGTH / math.sqrt(n_dims))
    return norm


class FusionNet(nn.Module):
    """Branches, a LayerNorm on each, concatenation, Linear, ReLU: the embedding; then the head.

    Parameters
    ----------
    n_outputs : int
        Classes, or 1 for a number.
    settings : FusionSettings
    n_dims : int
        Length of the picture's embedding; 0 for no picture branch.
    table : tuple of cardinalities and n_numbers, optional
        None for no table branch.
    """

    def __init__(
        self,
        n_outputs: int,
        settings: FusionSettings,
        *,
        n_dims: int = 0,
        table: tuple[Sequence[int], int] | None = None,
    ) -> None:
        super().__init__()
        if not n_dims and table is None:
            raise ValueError("a fusion needs a picture branch or a table branch")
        self.table = TableBranch(*table, settings) if table is not None else None
        self.picture_norm = _balanced_norm(n_dims) if n_dims else None
        self.table_norm = _balanced_norm(self.table.width) if self.table is not None else None
        both = n_dims + (self.table.width if self.table is not None else 0)
        self.mix = nn.Linear(both, settings.width)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(settings.width, n_outputs)

    def branches(
        self, picture: Tensor | None, codes: Tensor | None, numbers: Tensor | None
    ) -> dict[str, Tensor]:
        """Give each branch's vectors after its LayerNorm, by name."""
        found = {}
        if self.picture_norm is not None and picture is not None:
            found["picture"] = self.picture_norm(picture)
        if self.table is not None and self.table_norm is not None:
            assert codes is not None and numbers is not None
            found["table"] = self.table_norm(self.table(codes, numbers))
        return found

    def fused(self, branches: dict[str, Tensor]) -> Tensor:
        """Turn the branches' vectors into embeddings (n, width)."""
        return torch.relu(self.mix(torch.cat(list(branches.values()), dim=1)))

    def forward(
        self, picture: Tensor | None, codes: Tensor | None, numbers: Tensor | None
    ) -> Tensor:
        """Give logits (n, classes), or numbers (n, 1)."""
        out: Tensor = self.head(self.dropout(self.fused(self.branches(picture, codes, numbers))))
        return out


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained fusion.

    Parameters
    ----------
    net : FusionNet
        In evaluation mode, as it was in its best epoch.
    best_epoch, epochs : int
        When the tuning loss was least, and how many epochs were run.
    """

    net: FusionNet
    best_epoch: int
    epochs: int


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
                _loss(out, y_learn[rows]).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            net.eval()
            with torch.inference_mode():
                loss = _loss(net(*tune), y_tune).item()
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
    return Fitted(net.eval(), best_epoch, epoch)


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


def _loss(out: Tensor, y: Tensor) -> Tensor:
    return mse_loss(out[:, 0], y) if y.is_floating_point() else cross_entropy(out, y)
