"""BACKBONES: every way to turn a picture into a vector, by name.

Importing this module costs no torch; `build` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.models.catalogue import TORCHVISION
from embedlab.progress import Progress, silent

if TYPE_CHECKING:
    from embedlab.models.network import Network

DEFAULT = "efficientnet_b0"


@dataclass(frozen=True)
class Backbone:
    """One entry of BACKBONES.

    Parameters
    ----------
    name : str
        What `build` and the command line take.
    title, description : str
        What menus show.
    family : str
        Which architecture it is a size of.
    kind : "torchvision", "small" or "plain"
        "plain" is no network: it has neither weights nor head, and `build` refuses it.
    size : int
        Side of its pictures in pixels, unless another is asked for.
    fixed_size : bool
        Whether no other size will do.
    weights : str
        What `build` takes when no weights are named: "imagenet", "random" or "none".
    n_parameters : int
        With ImageNet's head where there is one.
    download : float
        Size of the default weights' file in MiB; 0 where there is none.
    """

    name: str
    title: str
    family: str
    kind: Literal["torchvision", "small", "plain"]
    size: int
    fixed_size: bool = False
    weights: str = "none"
    n_parameters: int = 0
    download: float = 0.0
    description: str = ""

    def preprocessing(
        self, size: int | None = None, weights: str | Path | None = None
    ) -> Preprocessing:
        """Say what is done to pictures before this backbone sees them.

        Parameters
        ----------
        size : int, optional
            Side in pixels: the shorter side is resized to it and the middle cropped. By default
            the backbone's own; one with a fixed size then resizes and crops as its weights ask.
        weights : str or Path, optional
            As for `build`; the weights of torchvision know interpolation and channel statistics.

        Raises
        ------
        EmbedlabError
            If the size is not the backbone's fixed one.
        """
        if self.kind != "torchvision":
            side = self.size if size is None else size
            half = (0.5, 0.5, 0.5)
            mean, std = (half, half) if self.kind == "small" else ((0.0,) * 3, (1.0,) * 3)
            return Preprocessing(side, side, "bilinear", mean, std)
        from embedlab.models.weights import entry

        known = entry(self.name, weights)
        side = known.crop if self.fixed_size else self.size
        if size is not None and self.fixed_size and size != side:
            raise EmbedlabError(
                f"{self.title} takes pictures of {side} px and no others; {size} was asked for.",
                remedy="Leave the size out, or take another backbone.",
            )
        side = side if size is None else size
        resize = known.resize if self.fixed_size and size is None else side
        return Preprocessing(side, resize, known.interpolation, known.mean, known.std)


def backbone(name: str) -> Backbone:
    """Look a backbone up.

    Raises
    ------
    EmbedlabError
        If there is none of this name; the message says which come close.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    from difflib import get_close_matches

    close = get_close_matches(name, BACKBONES, n=4, cutoff=0.5)
    remedy = f"Close to it: {', '.join(close)}." if close else "Try efficientnet_b0 or small."
    raise EmbedlabError(f"No backbone is called {name!r}.", remedy=remedy)


def build(
    name: str,
    *,
    n_classes: int | None = None,
    weights: str | Path | None = None,
    seed: int = 123,
    size: int | None = None,
    keep_head: bool = False,
    cut: str | int | None = None,
    progress: Progress = silent,
) -> Network:
    """Build a network: a body with weights, and a head.

    Parameters
    ----------
    name : str
        A key of BACKBONES whose kind is not "plain".
    n_classes : int, optional
        Rows of the new, untrained head. May be left out with `keep_head`.
    weights : str or Path, optional
        "imagenet", a name of torchvision's ("IMAGENET1K_V2"), "random", or a file
        (.safetensors, .pth, .pt). By default what the backbone's entry says.
    seed : int
        Of random weights and of the new head.
    size : int, optional
        Side of the pictures in pixels; the backbone's own by default.
    keep_head : bool
        Keep the head that the weights bring along instead of making a new one.
    cut : str or int, optional
        Let the body end at one of its cuts, by name or index as for `Network.resolve`; it is then
        smaller, and its embeddings are the vectors there. Weights of a body that ended at a cut
        bring that along.
    progress : callable
        Told how far a download is.

    Returns
    -------
    Network
        In training mode, on the CPU.

    Raises
    ------
    EmbedlabError
        If the name is unknown, the weights cannot be had or do not fit, the size will not do, or
        there is no such cut.
    """
    chosen = backbone(name)
    if chosen.kind == "plain":
        raise EmbedlabError(
            f"{chosen.title} is no network: there is nothing to train in it.",
            remedy=f"Take a network, such as {DEFAULT} or small.",
        )
    if n_classes is None and not keep_head:
        raise ValueError("give n_classes, or keep_head=True")
    weights = chosen.weights if weights is None else weights
    side = chosen.preprocessing(size, weights).size
    from embedlab.models.assembly import assemble

    return assemble(
        chosen,
        n_classes=n_classes,
        weights=weights,
        seed=seed,
        size=side,
        keep_head=keep_head,
        cut=cut,
        progress=progress,
    )


_FIXED = {"MaxViT": 224, "Vision Transformer": 224}


def _torchvision(name: str, title: str, family: str, parameters: int, mib: float) -> Backbone:
    return Backbone(
        name,
        title,
        family,
        "torchvision",
        size=518 if name == "vit_h_14" else _FIXED.get(family, 256),
        fixed_size=family in _FIXED,
        weights="imagenet",
        n_parameters=parameters,
        download=mib,
        description=f"{parameters / 1e6:.1f} million parameters, weights from ImageNet",
    )


BACKBONES: dict[str, Backbone] = {
    "small": Backbone(
        "small",
        "Small net",
        "small",
        "small",
        size=64,
        weights="random",
        n_parameters=79_184,
        description="four stages of 3x3 convolutions; learns the garden or digits in a minute",
    ),
    **{row[0]: _torchvision(*row) for row in TORCHVISION},
    "pixels": Backbone(
        "pixels",
        "Pixels",
        "plain",
        "plain",
        size=64,
        description="the picture's own numbers, one after the other",
    ),
    "histogram": Backbone(
        "histogram",
        "Colour histogram",
        "plain",
        "plain",
        size=64,
        description="how much of each colour, and nothing about where",
    ),
}
