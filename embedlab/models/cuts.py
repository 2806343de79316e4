"""Depths at which a body can be cut, and how to see what comes out there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call

END = "embedding"

Hook = Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]


class Reached(Exception):  # noqa: N818 (it reports no error)
    """Ends a pass through a body once all that was asked for is known."""


@contextmanager
def passing(end: Reached) -> Iterator[None]:
    """Let a pass end by raising `end`; what others raise for passes of their own goes on."""
    try:
        yield
    except Reached as reached:
        if reached is not end:
            raise


def pooled(output: Tensor, *, channels_last: bool) -> Tensor:
    """Make a vector a picture of what comes out of a module.

    Parameters
    ----------
    output : Tensor
        A map of shape (n, c, h, w), which is averaged over its places; tokens of shape (n, t, d),
        of which the first is taken, the class token; or vectors of shape (n, d).
    channels_last : bool
        Whether a map is of shape (n, h, w, c).

    Returns
    -------
    Tensor of shape (n, c) or (n, d)
    """
    if output.ndim == 4:
        return output.mean((1, 2) if channels_last else (2, 3))
    return output[:, 0] if output.ndim == 3 else output


def hollow(body: nn.Module) -> dict[str, Tensor]:
    """Give a body's tensors without their content: torch's meta device knows shapes alone."""
    tensors = [*body.named_parameters(), *body.named_buffers()]
    return {name: tensor.to("meta") for name, tensor in tensors}


@dataclass(frozen=True)
class Cut:
    """A depth at which a network can be cut.

    Parameters
    ----------
    index : int or None
        Place in `Network.cuts`; None for a block inside one of these stages.
    name : str
        What `Network.at` takes.
    shape : tuple of int
        Output shape there, without the batch: (c, h, w), (tokens, d) or (d,).
    """

    index: int | None
    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Stage:
    """A named piece of a body.

    Parameters
    ----------
    name : str
        The cut behind it.
    modules : tuple of str
        Paths in the body of the modules that it consists of; the cut takes the output of the
        last one.
    """

    name: str
    modules: tuple[str, ...]


@contextmanager
def hooked(body: nn.Module, hooks: Mapping[str, Hook]) -> Iterator[None]:
    """Call hooks with the outputs of the modules at some paths, as long as the block runs."""
    with ExitStack() as stack:
        for path, hook in hooks.items():
            stack.callback(body.get_submodule(path).register_forward_hook(hook).remove)
        yield


def output_shapes(body: nn.Module, paths: Sequence[str], size: int) -> dict[str, tuple[int, ...]]:
    """Find the shapes that come out of modules, without computing any numbers.

    Parameters
    ----------
    body : Module
        (n, 3, size, size) -> (n, d); it stays as it is.
    paths : sequence of str
        Modules of the body.
    size : int
        Side of the pictures in pixels.

    Returns
    -------
    dict of str to tuple of int
        Without the batch.

    Raises
    ------
    RuntimeError, AssertionError, ValueError
        Whatever the body makes of a size that does not suit it.
    """
    found: dict[str, tuple[int, ...]] = {}

    def keep(path: str, _module: nn.Module, _given: object, output: Tensor) -> None:
        found[path] = tuple(output.shape[1:])

    training = body.training
    body.eval()
    try:
        with hooked(body, {path: partial(keep, path) for path in paths}), torch.no_grad():
            functional_call(body, hollow(body), torch.empty(1, 3, size, size, device="meta"))
    finally:
        body.train(training)
    return found
