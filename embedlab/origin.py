"""Where a run's embedding comes from, and what is known about how it was made."""

from __future__ import annotations

from typing import Literal

from embedlab.models.backbones import BACKBONES
from embedlab.runs import Run

Origin = Literal["network", "onnx", "vectors", "plain", "fusion"]


def origin(run: Run) -> Origin:
    """Say what made a run's embedding.

    Parameters
    ----------
    run : Run

    Returns
    -------
    str
        "network", of which every block is known; "onnx", of which the ends are; "vectors", of
        which nothing is; "plain", pixels or colours without a network; or "fusion", of pictures
        and a table.
    """
    name = str(run.info.get("backbone", {}).get("name", ""))
    if "fusion" in run.info:
        return "fusion"
    if name == "onnx":
        return "onnx"
    if name == "vectors":
        return "vectors"
    plain = BACKBONES.get(name)
    return "plain" if plain is not None and plain.kind == "plain" else "network"


def is_split_known(run: Run) -> bool:
    """Say whether it is known which pictures the network was not trained on."""
    split = run.info.get("split", {})
    return not ("fraction" in split and split["fraction"] is None and not split.get("train"))
