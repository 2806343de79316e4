"""Putting a network together: architecture, weights, seam, head."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from embedlab.errors import EmbedlabError
from embedlab.models.backbones import Backbone
from embedlab.models.cuts import Stage
from embedlab.models.network import Network, new_head
from embedlab.models.seams import AVERAGE, Parts, Seam, take_apart
from embedlab.models.small import SmallNet
from embedlab.models.weights import RANDOM, entry, load
from embedlab.progress import Progress

# What DataParallel, torch.compile and people's own modules put before every name.
_WRAPPERS = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.")
_AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
_OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.\w+)$")


def assemble(
    backbone: Backbone,
    *,
    n_classes: int | None,
    weights: str | Path,
    seed: int,
    size: int,
    keep_head: bool,
    progress: Progress,
) -> Network:
    """Do the work of `embedlab.models.backbones.build`, whose parameters these are."""
    state: dict[str, Tensor] = {}
    provenance: dict[str, Any] = {"kind": RANDOM, "seed": seed}
    if weights != RANDOM:
        if backbone.kind == "small" and weights == "imagenet":
            raise EmbedlabError(
                "The small net has no weights from ImageNet.",
                remedy="Train it from random weights, or give a file.",
            )
        state, provenance = load(backbone.name, weights, progress=progress)
    elif keep_head:
        raise EmbedlabError(
            "Random weights bring no head along.",
            remedy="Use weights from ImageNet or a file, or train a head.",
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = _parts(backbone, size)
    head, provenance["head"] = parts.head, "new"
    if state:
        label = f"{provenance['file']} does not fit {backbone.name}"
        brought = _fit(parts, state, label)
        if keep_head:
            head, provenance["head"] = _kept(brought, parts.head.in_features, label), "kept"
            if n_classes not in {None, head.out_features}:
                raise EmbedlabError(
                    f"{provenance['file']} has a head of {head.out_features} classes; "
                    f"{n_classes} were asked for.",
                    remedy="Leave the number out to keep its head, or let a new head be made.",
                )
        elif brought:
            rows = len(brought["weight"])
            provenance["head"] = f"new; the file's own, of {rows} classes, was left out"
    if not keep_head:
        assert n_classes is not None
        head = new_head(parts.head.in_features, n_classes, seed)
    known = keep_head and backbone.kind == "torchvision"
    categories = entry(backbone.name, weights).categories if known else ()
    return Network(
        parts.body,
        head,
        stages=parts.stages,
        map_path=parts.seam.map,
        size=size,
        end=parts.seam.end,
        dropout=parts.dropout,
        channels_last=parts.seam.channels_last,
        name=backbone.name,
        provenance=provenance,
        head_classes=categories if len(categories) == head.out_features else (),
    )


def _parts(backbone: Backbone, size: int) -> Parts:
    if backbone.kind == "small":
        names = ("stem", "stage1", "stage2", "stage3")
        stages = tuple(Stage(name, (name,)) for name in names)
        seam = Seam("stage3", AVERAGE)
        return Parts(SmallNet(), nn.Linear(SmallNet.width, 1), "head", 0.0, stages, seam)
    from torchvision.models import get_model

    options: dict[str, Any] = {}
    if backbone.family in {"GoogLeNet", "Inception v3"}:
        # Their weights expect inputs in -1..1, which the network itself makes of ImageNet's.
        options = {"aux_logits": False, "transform_input": True, "init_weights": True}
    if backbone.family == "Vision Transformer":
        options = {"image_size": size}
    return take_apart(get_model(backbone.name, weights=None, **options), backbone.family)


def _fit(parts: Parts, state: Mapping[str, Tensor], label: str) -> dict[str, Tensor]:
    """Load weights into the body; give the head that came with them, "weight" and "bias"."""
    metadata = getattr(state, "_metadata", None) or parts.body.state_dict()._metadata  # type: ignore[attr-defined]
    while state and (
        wrapper := next((p for p in _WRAPPERS if all(n.startswith(p) for n in state)), "")
    ):
        state = {name.removeprefix(wrapper): tensor for name, tensor in state.items()}
    body: dict[str, Tensor] = {}
    head: dict[str, Tensor] = {}
    for name, tensor in state.items():
        owner, _, leaf = name.rpartition(".")
        if owner == parts.head_name:
            head[leaf] = tensor
        elif not name.startswith(_AUXILIARY):
            body[_OLD_DENSENET.sub(r"\1\2", name)] = tensor
    wrong = [
        f"{name} is {_kind(body[name])} where {_kind(expected)} belongs"
        for name, expected in parts.body.state_dict().items()
        if name in body
        and (
            body[name].shape != expected.shape
            or body[name].is_floating_point() < expected.is_floating_point()
        )
    ]
    wrong += [
        f"{name} holds values that are not finite numbers"
        for name, tensor in [*body.items(), *head.items()]
        if tensor.is_floating_point() and not bool(tensor.isfinite().all())
    ]
    if not wrong:
        body_state: Any = _WithMetadata(body)
        body_state._metadata = metadata
        result = parts.body.load_state_dict(body_state, strict=False)
        wrong = [f"{name} is missing" for name in result.missing_keys]
        wrong += [f"{name} has no place" for name in result.unexpected_keys]
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise EmbedlabError(
            f"{label}: {'; '.join(wrong[:3])}{more}.",
            remedy="Name the backbone that the weights were made for, or give other weights.",
        )
    return head


def _kind(tensor: Tensor) -> str:
    """Name a tensor's shape, and its type of numbers where that is an unusual one."""
    kind = "" if tensor.is_floating_point() else f" {str(tensor.dtype).removeprefix('torch.')}"
    return f"{tuple(tensor.shape)}{kind}"


class _WithMetadata(dict[str, Tensor]):
    """A dict that can carry `_metadata`, by which modules tell old files from new ones."""


def _kept(brought: Mapping[str, Tensor], n_dims: int, label: str) -> nn.Linear:
    weight = brought.get("weight")
    if weight is None:
        raise EmbedlabError(
            f"{label} with its head kept: it has no head.",
            remedy="Train a head, or give weights that have one.",
        )
    weight = weight.flatten(1).float()
    if weight.shape[1] != n_dims:
        raise EmbedlabError(
            f"{label}: its head has rows of {weight.shape[1]} numbers where {n_dims} belong.",
            remedy="Let a new head be made.",
        )
    head = nn.Linear(n_dims, len(weight))
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(brought["bias"]) if "bias" in brought else head.bias.zero_()
    return head
