"""FusionNet: a picture branch and a table branch, their fusion, and the head."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from embedlab.models.fusion_settings import FusionSettings

LENGTH = 8.0  # of each branch's vectors where training begins


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


class Concatenated(nn.Module):
    """Branches side by side, Linear, ReLU."""

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(sum(widths), width)

    def forward(self, branches: Sequence[Tensor]) -> Tensor:
        """Turn vectors (n, d), one a branch, into embeddings (n, width)."""
        return torch.relu(self.linear(torch.cat(list(branches), dim=1)))


class Gated(nn.Module):
    """Two branches, each through Linear and tanh, mixed number by number by a gate.

    J. Arevalo, T. Solorio, M. Montes-y-Gómez, F. González, "Gated multimodal units for
    information fusion", 2017: ``g * tanh(A x) + (1 - g) * tanh(B t)`` with
    ``g = sigmoid(C [x; t])``.
    """

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.own = nn.ModuleList(nn.Linear(d, width) for d in widths)
        self.gate = nn.Linear(sum(widths), width)

    def forward(self, branches: Sequence[Tensor]) -> Tensor:
        """Turn vectors (n, d), one for each of two branches, into embeddings (n, width)."""
        first, second = (
            torch.tanh(own(vectors)) for own, vectors in zip(self.own, branches, strict=True)
        )
        gate = torch.sigmoid(self.gate(torch.cat(list(branches), dim=1)))
        return gate * first + (1 - gate) * second


def _balanced_norm(n_dims: int) -> nn.LayerNorm:
    """Make a LayerNorm whose vectors begin with the same length, however many numbers they have.

    A plain one gives every number the same variance, and 1,280 numbers of a picture then outweigh
    32 of a table forty to one.
    """
    norm = nn.LayerNorm(n_dims)
    nn.init.constant_(norm.weight, LENGTH / math.sqrt(n_dims))
    return norm


class FusionNet(nn.Module):
    """Branches, a LayerNorm on each, and their fusion: the embedding; then the head.

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
        self.picture_dropout = nn.Dropout(settings.picture_dropout)
        self.table_norm = _balanced_norm(self.table.width) if self.table is not None else None
        widths = [n_dims] if n_dims else []
        widths += [self.table.width] if self.table is not None else []
        gated = settings.fusion == "gated" and len(widths) == 2  # one branch has nothing to gate
        self.fusion = (Gated if gated else Concatenated)(widths, settings.width)
        self.modality_dropout = settings.modality_dropout
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(settings.width, n_outputs)

    def branches(
        self, picture: Tensor | None, codes: Tensor | None, numbers: Tensor | None
    ) -> dict[str, Tensor]:
        """Give each branch's vectors after its LayerNorm, by name."""
        found = {}
        if self.picture_norm is not None and picture is not None:
            found["picture"] = self.picture_dropout(self.picture_norm(picture))
        if self.table is not None and self.table_norm is not None:
            assert codes is not None and numbers is not None
            found["table"] = self.table_norm(self.table(codes, numbers))
        return found

    def fused(self, branches: dict[str, Tensor]) -> Tensor:
        """Turn the branches' vectors into embeddings (n, width)."""
        out: Tensor = self.fusion(list(branches.values()))
        return out

    def forward(
        self, picture: Tensor | None, codes: Tensor | None, numbers: Tensor | None
    ) -> Tensor:
        """Give logits (n, classes), or numbers (n, 1)."""
        branches = self._thinned(self.branches(picture, codes, numbers))
        out: Tensor = self.head(self.dropout(self.fused(branches)))
        return out

    def _thinned(self, branches: dict[str, Tensor]) -> dict[str, Tensor]:
        """While training, take one of two branches away from a share of the pictures."""
        if not (self.training and self.modality_dropout) or len(branches) < 2:
            return branches
        drawn = torch.rand(len(next(iter(branches.values()))), 1)
        half = self.modality_dropout / 2
        kept = ((drawn >= half).float(), (drawn < 1 - half).float())
        return {
            name: vectors * mask.to(vectors.device)
            for (name, vectors), mask in zip(branches.items(), kept, strict=True)
        }
