"""Network: an image classifier cut at one seam into body and head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from embedlab.errors import EmbedlabError
from embedlab.models.cuts import (
    END,
    Cut,
    Reached,
    Stage,
    hooked,
    output_shapes,
    passing,
    pooled,
)
from embedlab.models.words import describe

__all__ = ["END", "Network", "new_head"]


class Network(nn.Module):
    """A body that turns pictures into embeddings, and a linear head that scores classes.

    Parameters
    ----------
    body : Module
        (n, 3, h, w) float32 -> (n, d) float32.
    head : Linear
        d -> number of classes.
    stages : sequence of Stage
        The body's stages in the order in which a picture passes through them.
    map_path : str
        The module of the body whose output is the last map (or row of tokens) before pooling.
    size : int
        Side of the pictures that this network is meant for, in pixels.
    end : str
        What happens between the last stage and the embedding, in people's words.
    dropout : float
        Share of the embedding that is dropped before the head while training.
    channels_last : bool
        Whether the body's maps are (n, h, w, c), as Swin's are, and not (n, c, h, w).
    name : str
        The backbone's name.
    provenance : mapping, optional
        Where the weights come from, in JSON values.
    head_classes : tuple of str, optional
        Names of the head's rows where the weights brought the head along.
    cut : str
        Where the body ends: at one of the backbone's cuts, or where the backbone's head begins.
    """

    def __init__(
        self,
        body: nn.Module,
        head: nn.Linear,
        *,
        stages: Sequence[Stage],
        map_path: str,
        size: int,
        end: str,
        dropout: float = 0.0,
        channels_last: bool = False,
        name: str = "",
        provenance: Mapping[str, Any] | None = None,
        head_classes: tuple[str, ...] = (),
        cut: str = END,
    ) -> None:
        super().__init__()
        self.body = body
        self.dropout = nn.Dropout(dropout)
        self.head = head
        self.name = name
        self.size = size
        self.provenance = dict(provenance or {})
        self.head_classes = head_classes
        self.cut = cut
        self._stages = tuple(stages)
        self._map_path = map_path
        self._end = end
        self._channels_last = channels_last
        self._frozen = False
        self._known_shapes: dict[int, dict[str, tuple[int, ...]]] = {}

    @property
    def n_dims(self) -> int:
        """Length d of an embedding."""
        return self.head.in_features

    @property
    def n_classes(self) -> int:
        """How many classes the head scores."""
        return self.head.out_features

    def forward(self, x: Tensor) -> Tensor:
        """Score pictures of shape (n, 3, h, w): logits of shape (n, n_classes)."""
        logits: Tensor = self.head(self.dropout(self.body(x)))
        return logits

    def replace_head(self, n_classes: int, seed: int) -> None:
        """Put an untrained head on the body; the same seed gives the same head."""
        old = self.head.weight
        self.head = new_head(self.n_dims, n_classes, seed).to(device=old.device, dtype=old.dtype)
        self.head_classes = ()

    def freeze(self) -> None:
        """Keep the body as it is: no gradients, and no new BatchNorm statistics either."""
        self._frozen = True
        self.body.requires_grad_(False)
        self.body.eval()

    def train(self, mode: bool = True) -> Network:
        """Switch between training and evaluation; a frozen body stays in evaluation."""
        super().train(mode)
        if self._frozen:
            self.body.eval()
        return self

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """Every stage's end, and "embedding", the body's own end, which comes last."""
        shapes = {**self._stage_shapes(self.size), END: (self.n_dims,)}
        return tuple(Cut(k, name, shape) for k, (name, shape) in enumerate(shapes.items()))

    def resolve(self, cut: str | int) -> Cut:
        """Find a cut by name or index.

        Parameters
        ----------
        cut : str or int
            A name or index of `cuts` (-1 is the last), or the name of a block inside a stage,
            such as "layer3.1".

        Raises
        ------
        EmbedlabError
            If there is no such cut; the message lists those that there are.
        """
        names = [known.name for known in self.cuts]
        if isinstance(cut, int) or cut.removeprefix("-").isdecimal():
            if -len(names) <= int(cut) < len(names):
                return self.cuts[int(cut)]
        elif cut in names:
            return self.cuts[names.index(cut)]
        elif cut in self._blocks():
            return Cut(None, cut, self._shapes([cut], self.size)[cut])
        raise EmbedlabError(
            f"{self.name or 'This network'} has no cut {cut!r}.",
            remedy=f"It can be cut at 0..{len(names) - 1} or -1..-{len(names)}: "
            f"{', '.join(names)}; or at a block inside one of these.",
        )

    def path_of(self, cut: str) -> str:
        """Give the module of the body at whose end a cut is, by the cut's name; not the last's."""
        return {stage.name: stage.modules[-1] for stage in self._stages}.get(cut, cut)

    def at(self, cut: str | int, x: Tensor) -> Tensor:
        """Give the vectors at one cut.

        A map is averaged over its places; of tokens, the class token is taken (the first one).

        Parameters
        ----------
        cut : str or int
            As for `resolve`.
        x : Tensor of shape (n, 3, h, w), float32

        Returns
        -------
        Tensor of shape (n, d), float32
        """
        return self.vectors_at([cut], x)[self.resolve(cut).name]

    def vectors_at(self, cuts: Sequence[str | int], x: Tensor) -> dict[str, Tensor]:
        """Give the vectors at several cuts from one pass, which goes no deeper than it must.

        Parameters
        ----------
        cuts : sequence of str or int
            As for `resolve`.
        x : Tensor of shape (n, 3, h, w), float32

        Returns
        -------
        dict of str to Tensor of shape (n, d), float32
            By the cuts' names, in the order asked for.
        """
        names = [self.resolve(cut).name for cut in cuts]
        paths = {name: self.path_of(name) for name in names if name != END}
        found: dict[str, Tensor] = {}
        end = Reached()

        def keep(name: str, _module: nn.Module, _given: object, output: Tensor) -> None:
            found[name] = pooled(output, channels_last=self._channels_last)
            if len(found) == len(set(names)):
                raise end

        hooks = {path: partial(keep, name) for name, path in paths.items()}
        with hooked(self.body, hooks), passing(end):
            found[END] = self.body(x)
        return {name: found[name] for name in names}

    def feature_map(self, x: Tensor) -> Tensor:
        """Give the last map before pooling.

        Parameters
        ----------
        x : Tensor of shape (n, 3, h, w), float32

        Returns
        -------
        Tensor of shape (n, c, h', w'), float32
            For vision transformers the tokens of the patches, laid out as the patches lie.
        """
        return self.map_and_embedding(x)[0]

    def map_and_embedding(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give `feature_map` and the embedding of shape (n, d) from one pass."""
        kept: list[Tensor] = []

        def keep(_module: nn.Module, _given: object, output: Tensor) -> None:
            kept.append(output)

        with hooked(self.body, {self._map_path: keep}):
            embedding = self.body(x)
        return self._as_map(kept[0]), embedding

    def architecture(self, size: int | None = None) -> list[dict[str, Any]]:
        """Describe the way of one picture through the network.

        Parameters
        ----------
        size : int, optional
            Side of the picture in pixels; the network's own by default.

        Returns
        -------
        list of dict
            In order, from "input" over the stages and "embedding" to "head": name, what (in
            people's words), shape (of the output, with a batch of 1), parameters (how many).
            All JSON values; the parameters add up to those of the network.
        """
        size = self.size if size is None else size
        shapes = self._stage_shapes(size)
        rows = [_row("input", "the picture, standardised", (3, size, size), 0)]
        for stage in self._stages:
            modules = [self.body.get_submodule(path) for path in stage.modules]
            count = sum(_count(module) for module in modules)
            rows.append(_row(stage.name, describe(modules), shapes[stage.name], count))
        rest = _count(self.body) - sum(row["parameters"] for row in rows)
        rows.append(_row(END, self._end, (self.n_dims,), rest))
        what = "linear layer: one row of weights, a prototype, for each class"
        rows.append(_row("head", what, (self.n_classes,), _count(self.head)))
        return rows

    def _blocks(self) -> set[str]:
        """Paths of the blocks that stand one after the other inside the stages."""
        ends = [stage.modules[-1] for stage in self._stages]
        return {
            f"{path}.{child}"
            for path in ends
            if isinstance(stage := self.body.get_submodule(path), nn.Sequential)
            for child, _ in stage.named_children()
        }

    def _as_map(self, output: Tensor) -> Tensor:
        if output.ndim == 3:
            places, width = int(output.shape[1]) - 1, int(output.shape[2])
            side = round(places**0.5)
            return output[:, 1:].transpose(1, 2).reshape(-1, width, side, side)
        return output.permute(0, 3, 1, 2) if self._channels_last else output

    def _stage_shapes(self, size: int) -> dict[str, tuple[int, ...]]:
        if size not in self._known_shapes:
            found = self._shapes([stage.modules[-1] for stage in self._stages], size)
            self._known_shapes[size] = {
                stage.name: found[stage.modules[-1]] for stage in self._stages
            }
        return self._known_shapes[size]

    def _shapes(self, paths: Sequence[str], size: int) -> dict[str, tuple[int, ...]]:
        try:
            shapes = output_shapes(self.body, paths, size)
        except (RuntimeError, AssertionError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise EmbedlabError(
                f"{self.name or 'This network'} cannot take pictures of {size} px ({reason}).",
                remedy="Leave the size out, or give a larger one.",
            ) from None
        return {
            path: (shape[2], *shape[:2]) if self._channels_last and len(shape) == 3 else shape
            for path, shape in shapes.items()
        }


def new_head(n_dims: int, n_classes: int, seed: int) -> nn.Linear:
    """Make an untrained head; the random state of the process is left as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(n_dims, n_classes)


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _row(name: str, what: str, shape: tuple[int, ...], count: int) -> dict[str, Any]:
    return {"name": name, "what": what, "shape": [1, *shape], "parameters": count}
