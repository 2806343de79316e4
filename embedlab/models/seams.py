"""Where each of torchvision's classifiers is cut into body, dropout and head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from embedlab.models.cuts import Stage

AVERAGE = "average over the places of the map"
_DENSE = f"{AVERAGE}, then fully connected layers"


@dataclass(frozen=True)
class Seam:
    """The few facts about a family that its modules do not show.

    Parameters
    ----------
    map : str
        The module whose output is the last map before pooling.
    end : str
        What happens between that map and the embedding.
    channels_last : bool
        Whether maps are (n, h, w, c).
    """

    map: str
    end: str = AVERAGE
    channels_last: bool = False


@dataclass(frozen=True)
class Parts:
    """A classifier taken apart.

    Parameters
    ----------
    body : Module
        (n, 3, h, w) -> (n, d).
    head : Linear
        The classifier's own last layer.
    head_name : str
        The path at which it stood in the classifier, and stands in weight files.
    dropout : float
        Share dropped before the head in training.
    stages : tuple of Stage
    seam : Seam
    """

    body: nn.Module
    head: nn.Linear
    head_name: str
    dropout: float
    stages: tuple[Stage, ...]
    seam: Seam


def take_apart(net: nn.Module, family: str) -> Parts:
    """Cut one of torchvision's classifiers before its last linear layer.

    Parameters
    ----------
    net : Module
        As torchvision builds it, without auxiliary heads. It becomes the body.
    family : str
        A key of `SEAMS`.
    """
    seam = SEAMS[family]
    if family == "SqueezeNet":
        head, head_name, dropout = _take_convolution(net)
    else:
        head, head_name, dropout = _take_linear(net)
    if family == "DenseNet":
        # Its forward applies this function to the map; as a module, its output can be taken.
        net.get_submodule("features").add_module("relu5", nn.ReLU(inplace=True))
    return Parts(net, head, head_name, dropout, tuple(_stages(net, seam.map)), seam)


def _take_linear(net: nn.Module) -> tuple[nn.Linear, str, float]:
    """Replace the last Linear, and a Dropout right before it, by nothing."""
    name, head = [
        (path, module) for path, module in net.named_modules() if isinstance(module, nn.Linear)
    ][-1]
    owner_path, _, leaf = name.rpartition(".")
    owner = net.get_submodule(owner_path)
    setattr(owner, leaf, nn.Identity())
    before = str(int(leaf) - 1) if leaf.isdecimal() else "dropout"
    dropout = getattr(owner, before, None)
    if not isinstance(dropout, nn.Dropout):
        return head, name, 0.0
    setattr(owner, before, nn.Identity())
    return head, name, dropout.p


def _take_convolution(net: nn.Module) -> tuple[nn.Linear, str, float]:
    """Turn SqueezeNet's end (dropout, 1x1 convolution, ReLU, average) into average and Linear.

    Averaging first gives the same scores but for the ReLU, which is left out: a head row is then
    a direction in the space of the averaged map, as in all other networks. Of 60 flower photos,
    58 kept their first of ImageNet's thousand classes (SqueezeNet 1.1).
    """
    dropout, convolution = net.get_submodule("classifier.0"), net.get_submodule("classifier.1")
    assert isinstance(dropout, nn.Dropout) and isinstance(convolution, nn.Conv2d)
    net.classifier = nn.AdaptiveAvgPool2d(1)
    head = nn.Linear(convolution.in_channels, convolution.out_channels)
    return head, "classifier.1", dropout.p


_CONTAINERS = {"features", "layers", "trunk_output", "blocks", "encoder", "encoder.layers"}


def _pieces(net: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, module in net.named_children():
        path = prefix + name
        if path in _CONTAINERS:
            yield from _pieces(module, f"{path}.")
        else:
            yield path, module


def _groups(pieces: list[tuple[str, nn.Module]], kind: type[nn.Module]) -> list[list[str]]:
    """Join each plain layer of a kind with the normalisation, activation, pooling behind it."""
    groups: list[list[str]] = []
    open_group = False
    for path, module in pieces:
        if list(module.children()) or isinstance(module, kind):
            groups.append([path])
            open_group = isinstance(module, kind)
        elif open_group and not isinstance(module, (nn.Dropout, nn.Identity)):
            groups[-1].append(path)
        else:
            open_group = False
    return groups


def _stages(net: nn.Module, map_path: str) -> Iterator[Stage]:
    pieces = list(_pieces(net))
    last = max(k for k, (path, _) in enumerate(pieces) if f"{path}.".startswith(f"{map_path}."))
    for k, group in enumerate(_groups(pieces[: last + 1], nn.Conv2d)):
        yield Stage("stem" if k == 0 else group[-1], tuple(group))
    classifier = getattr(net, "classifier", None)
    if isinstance(classifier, nn.Sequential):
        layers = [(f"classifier.{name}", layer) for name, layer in classifier.named_children()]
        for group in _groups(layers, nn.Linear)[:-1]:
            yield Stage(group[-1], tuple(group))


SEAMS = {
    "AlexNet": Seam("features", "flattened map through fully connected layers"),
    "ConvNeXt": Seam("features", f"{AVERAGE}, then normalisation"),
    "DenseNet": Seam("features", f"normalisation, then {AVERAGE}"),
    "EfficientNet": Seam("features"),
    "EfficientNetV2": Seam("features"),
    "GoogLeNet": Seam("inception5b"),
    "Inception v3": Seam("Mixed_7c"),
    "MaxViT": Seam("blocks.3", _DENSE),
    "MNASNet": Seam("layers"),
    "MobileNetV2": Seam("features"),
    "MobileNetV3": Seam("features", _DENSE),
    "RegNet": Seam("trunk_output"),
    "ResNeXt": Seam("layer4"),
    "ResNet": Seam("layer4"),
    "ShuffleNetV2": Seam("conv5"),
    "SqueezeNet": Seam("features"),
    "Swin Transformer": Seam("norm", f"normalisation, then {AVERAGE}", channels_last=True),
    "Swin Transformer V2": Seam("norm", f"normalisation, then {AVERAGE}", channels_last=True),
    "VGG": Seam("features", "flattened map through fully connected layers"),
    "Vision Transformer": Seam("encoder", "normalisation, then the class token"),
    "Wide ResNet": Seam("layer4"),
}
