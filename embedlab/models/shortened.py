"""A body that ends at one of its cuts, before the place where torchvision's head begins."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from embedlab.models.cuts import Reached, Stage, hollow, hooked, passing, pooled
from embedlab.models.network import Network
from embedlab.models.seams import AVERAGE, Parts, Seam


class Shortened(nn.Module):
    """The part of a body that leads to a cut, and the vector there.

    Its tensors have the names that they have in the whole, so that files of weights fit.

    Parameters
    ----------
    whole : Module
        The body; it may have lost the modules that come after the cut.
    path : str
        The module at whose end the cut is.
    channels_last : bool
        As for `embedlab.models.cuts.pooled`.
    """

    def __init__(self, whole: nn.Module, path: str, *, channels_last: bool) -> None:
        super().__init__()
        # The whole's own tables, and it is no child of this module.
        for table in ("_modules", "_parameters", "_buffers"):
            self.__dict__[table] = whole.__dict__[table]
        self._whole = (whole,)
        self._path, self._channels_last = path, channels_last

    @property
    def whole(self) -> nn.Module:
        """The body that this is the beginning of."""
        return self._whole[0]

    def forward(self, x: Tensor) -> Tensor:
        """Embed pictures of shape (n, 3, h, w): vectors of shape (n, d)."""
        end, found = Reached(), []

        def keep(_module: nn.Module, _given: object, output: Tensor) -> None:
            found.append(output)
            raise end

        with hooked(self, {self._path: keep}), passing(end):
            self.whole(x)
        return pooled(found[0], channels_last=self._channels_last)

    def train(self, mode: bool = True) -> Shortened:
        """Switch between training and evaluation."""
        super().train(mode)
        self.whole.training = mode
        return self


def shorten(parts: Parts, cut: str | int, *, name: str, size: int) -> tuple[Parts, str]:
    """End a body at a cut, and drop the modules that come after it.

    Parameters
    ----------
    parts : Parts
        Of a classifier; changed in place.
    cut : str or int
        As for `Network.resolve`.
    name : str
        The backbone's, for messages.
    size : int
        Side of the pictures in pixels.

    Returns
    -------
    parts : Parts
        With a head of the width at the cut that has no numbers.
    name : str
        The cut's.

    Raises
    ------
    EmbedlabError
        If there is no such cut; the message lists those that there are.
    """
    whole = Network(
        parts.body,
        parts.head,
        stages=parts.stages,
        map_path=parts.seam.map,
        size=size,
        end=parts.seam.end,
        channels_last=parts.seam.channels_last,
        name=name,
    )
    found = whole.resolve(cut)
    if found.name == whole.cuts[-1].name:
        return parts, found.name
    path = whole.path_of(found.name)
    body = parts.body.whole if isinstance(parts.body, Shortened) else parts.body
    _drop_what_comes_after(body, path, size)
    seam = parts.seam
    if len(found.shape) == 3:
        seam = Seam(path, AVERAGE, seam.channels_last)
    elif len(found.shape) == 2:
        seam = Seam(path, "the class token")
    else:
        seam = replace(seam, end="as it is there")
    width = found.shape[1] if len(found.shape) == 2 else found.shape[0]
    return (
        replace(
            parts,
            body=Shortened(body, path, channels_last=seam.channels_last),
            head=nn.Linear(width, 1, device="meta"),  # for its width; nothing is drawn
            stages=tuple(_stages_until(parts.stages, path, found.name, body)),
            seam=seam,
        ),
        found.name,
    )


def _drop_what_comes_after(body: nn.Module, path: str, size: int) -> None:
    """Put nothing in the place of all that a vector at the cut does not come from."""
    begun: set[int] = set()
    ended: set[int] = set()
    end, found = Reached(), []

    def stop(_module: nn.Module, _given: object, output: Tensor) -> None:
        found.append(output)
        raise end

    training = body.training
    body.eval()
    handles = []
    for module in body.modules():
        handles.append(module.register_forward_pre_hook(lambda m, _: begun.add(id(m))))
        handles.append(module.register_forward_hook(lambda m, _, __: ended.add(id(m))))
    handles.append(body.get_submodule(path).register_forward_hook(stop))
    weights = hollow(body)
    parameters = {name: weights[name].requires_grad_() for name, _ in body.named_parameters()}
    try:
        with passing(end):
            functional_call(body, weights, torch.empty(1, 3, size, size, device="meta"))
    finally:
        for handle in handles:
            handle.remove()
        body.train(training)

    gradients = torch.autograd.grad(found[0].sum(), list(parameters.values()), allow_unused=True)
    used = {name for name, one in zip(parameters, gradients, strict=True) if one is not None}

    def prune(module: nn.Module, prefix: str) -> None:
        for name, child in module.named_children():
            if id(child) in ended:
                continue
            if any(id(one) in begun for one in child.modules()):  # a list is never begun itself
                prune(child, f"{prefix}{name}.")
            else:
                setattr(module, name, nn.Identity())
        for name, _ in list(module.named_parameters(recurse=False)):
            if f"{prefix}{name}" not in used:  # such as a class token
                delattr(module, name)

    prune(body, "")


def _stages_until(stages: tuple[Stage, ...], path: str, name: str, body: nn.Module) -> list[Stage]:
    """Give the stages that end at a path; of one that goes on after it, what comes before."""
    kept: list[Stage] = []
    for stage in stages:
        last = stage.modules[-1]
        if path == last:
            return [*kept, stage]
        if path.startswith(f"{last}."):
            blocks = [f"{last}.{block}" for block, _ in body.get_submodule(last).named_children()]
            before = blocks[: blocks.index(path) + 1]
            return [*kept, Stage(name, (*stage.modules[:-1], *before))]
        kept.append(stage)
    return kept
