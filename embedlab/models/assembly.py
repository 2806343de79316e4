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
from embedlab.models.cuts import END, Stage
from embedlab.models.network import Network, new_head
from embedlab.models.seams import AVERAGE, Parts, Seam, take_apart
from embedlab.models.shortened import shorten
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
    cut: str | int | None,
    progress: Progress,
) -> Network:
    """Do the work of `embedlab.models.backbones.build`, whose parameters these are."""
    state: dict[str, Tensor] | None = None
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
        ended = END
        if "cut" in provenance:  # the file holds no more than leads to it
            parts, ended = shorten(parts, provenance["cut"], name=backbone.name, size=size)
    head, provenance["head"] = parts.head, "new"
    if state is not None:
        label = f"{provenance['file']} does not fit {backbone.name}"
        brought = _fit(parts, state, label)
        if keep_head:
            head, provenance["head"] = _kept(brought, parts, label), "kept"
            if n_classes not in {None, head.out_features}:
                raise EmbedlabError(
                    f"{provenance['file']} has a head of {head.out_features} classes; "
                    f"{n_classes} were asked for.",
                    remedy="Leave the number out to keep its head, or let a new head be made.",
                )
        elif brought:
            layer = _linear(brought)
            what = f"of {len(layer[0])} classes" if layer else ", ".join(_layers(brought))
            provenance["head"] = f"new; the file's own, {what}, was left out"
    if cut is not None:
        parts, found = shorten(parts, cut, name=backbone.name, size=size)
        ended = ended if found == END else found
        if keep_head and head.in_features != parts.head.in_features:
            raise EmbedlabError(
                f"A head of {backbone.name} does not fit behind {found}.",
                remedy="Let a new head be made.",
            )
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
        cut=ended,
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
    """Load weights into the body; give what came with them where the classifier has its head."""
    metadata = getattr(state, "_metadata", None) or parts.body.state_dict()._metadata  # type: ignore[attr-defined]
    while state and (
        wrapper := next((p for p in _WRAPPERS if all(n.startswith(p) for n in state)), "")
    ):
        state = {name.removeprefix(wrapper): tensor for name, tensor in state.items()}
    body: dict[str, Tensor] = {}
    head: dict[str, Tensor] = {}
    own = set(parts.body.state_dict())
    # People put a Linear, or a Sequential of more, where the classifier has one of these two.
    heads = tuple(f"{name}." for name in (parts.head_name, parts.head_name.partition(".")[0]))
    for given, tensor in state.items():
        name = _OLD_DENSENET.sub(r"\1\2", given)
        if name.startswith(heads) and name not in own:
            head[name] = tensor
        elif not name.startswith(_AUXILIARY):
            body[name] = tensor
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


def _kept(brought: Mapping[str, Tensor], parts: Parts, label: str) -> nn.Linear:
    n_dims = parts.head.in_features
    if not brought:
        raise EmbedlabError(
            f"{label} with its head kept: it has no head.",
            remedy="Train a head, or give weights that have one.",
        )
    layer = _linear(brought)
    if layer is None:
        raise EmbedlabError(
            f"{label}: its head is {', '.join(_layers(brought))} where one linear layer belongs, "
            "and weights do not say what happens between layers.",
            remedy="Export the whole network as ONNX (torch.onnx.export) and import that; or save "
            "the weights without these layers, to have the body alone.",
        )
    weight, bias = layer
    if weight.shape[1] != n_dims:
        raise EmbedlabError(
            f"{label}: its head has rows of {weight.shape[1]} numbers where {n_dims} belong.",
            remedy="Let a new head be made.",
        )
    head = nn.Linear(n_dims, len(weight))
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.zero_() if bias is None else head.bias.copy_(bias)
    return head


def _linear(brought: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None] | None:
    """Give weight and bias where a head is one linear layer, whatever stands around it."""
    rest = dict(brought)
    names = [name for name, tensor in rest.items() if tensor.ndim > 1]
    if len(names) != 1 or not names[0].endswith(".weight"):
        return None
    weight, bias = rest.pop(names[0]), rest.pop(f"{names[0].removesuffix('weight')}bias", None)
    if rest or weight.flatten(1).shape[1] != weight.shape[1]:  # 1 x 1 convolutions are linear too
        return None
    if bias is not None and bias.shape != weight.shape[:1]:
        return None
    return weight.flatten(1).float(), bias


def _layers(brought: Mapping[str, Tensor]) -> list[str]:
    """Name the layers of a head, with what goes in and comes out where that is known."""
    found: dict[str, str] = {}
    for name, tensor in brought.items():
        owner, _, leaf = name.rpartition(".")
        size = f" ({tensor.shape[1]} -> {len(tensor)})" if tensor.ndim > 1 else ""
        found[owner] = found.get(owner, "") or (size if leaf == "weight" else "")
    return [f"{owner}{size}" for owner, size in found.items()]
