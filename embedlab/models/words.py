"""What the pieces of a network are called when people are told about them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

BLOCKS = {
    "BasicBlock": "residual block",
    "Bottleneck": "residual bottleneck block",
    "ResBottleneckBlock": "residual bottleneck block",
    "InvertedResidual": "inverted residual block",
    "_InvertedResidual": "inverted residual block",
    "MBConv": "inverted residual block (MBConv)",
    "FusedMBConv": "inverted residual block (fused MBConv)",
    "CNBlock": "ConvNeXt block",
    "SwinTransformerBlock": "window attention block",
    "SwinTransformerBlockV2": "window attention block",
    "PatchMerging": "patch merging: half the side",
    "PatchMergingV2": "patch merging: half the side",
    "EncoderBlock": "attention block",
    "MaxVitLayer": "convolution and attention block",
    "Fire": "fire block: squeeze, then expand",
    "_DenseLayer": "dense layer",
    "_Transition": "transition: half the side",
}
_INCEPTION = "inception block: several kernel sizes side by side"


def _word(module: nn.Module) -> str:
    """Name one block; an empty string for what goes without saying."""
    kind = type(module).__name__
    if kind in BLOCKS:
        return BLOCKS[kind]
    if kind.startswith("Inception"):
        return _INCEPTION
    if isinstance(module, nn.Conv2d):
        height, width = module.kernel_size
        stride = f", stride {module.stride[0]}" if module.stride[0] > 1 else ""
        return f"{height}x{width} convolution{stride}"
    if isinstance(module, nn.Linear):
        return "fully connected layer"
    if isinstance(module, (nn.MaxPool2d, nn.AvgPool2d)):
        return "pooling: half the side"
    return ""


def _words(module: nn.Module) -> list[str]:
    word = _word(module)
    if word or not list(module.children()):
        return [word] if word else []
    return [inner for child in module.children() for inner in _words(child)]


def describe(modules: Sequence[nn.Module]) -> str:
    """Say what a stage consists of: "2 residual blocks", "3x3 convolution, stride 2".

    Parameters
    ----------
    modules : sequence of Module
        The stage's modules in order.

    Returns
    -------
    str
        Normalisations and activations go without saying.
    """
    runs: list[tuple[str, int]] = []
    for word in (word for module in modules for word in _words(module)):
        if runs and runs[-1][0] == word:
            runs[-1] = (word, runs[-1][1] + 1)
        else:
            runs.append((word, 1))
    return ", then ".join(_counted(word, n) for word, n in runs)


def _counted(word: str, n: int) -> str:
    if n == 1:
        return word
    noun, mark, rest = word.partition(" (") if " (" in word else word.partition(":")
    return f"{n} {noun}s{mark}{rest}"
