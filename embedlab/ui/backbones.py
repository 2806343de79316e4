"""Which backbone, and which weights it begins with: a training and a fusion ask alike."""

from __future__ import annotations

import streamlit as st

from embedlab.models.backbones import BACKBONES, Backbone
from embedlab.models.defaults import DEFAULTS, weights_at_hand
from embedlab.models.recipes import Task, backbone_for
from embedlab.ui.text import plain

WEIGHTS = {"imagenet": "From ImageNet", "random": "Random", "file": "From a file"}


def choose_backbone(label: str, source: str | None, *, task: Task) -> Backbone:
    """Let people choose a backbone; what suits the pictures is chosen beforehand.

    Parameters
    ----------
    label : str
    source : str, optional
        The pictures, as `embedlab.data.sources.load_dataset` takes them, as far as known.
    task : "train" or "fuse"
        What the widget's name begins with; what is no network can only be fused.
    """
    usual = backbone_for(source, task)
    names = [name for name, one in BACKBONES.items() if task == "fuse" or one.kind != "plain"]
    chosen = st.selectbox(
        label,
        names,
        index=names.index(usual),
        format_func=lambda name: f"{BACKBONES[name].title} · {BACKBONES[name].description}",
        key=f"{task}-backbone-{usual}",
        width=420,
    )
    return BACKBONES[chosen]


def choose_weights(backbone: Backbone, *, key: str = "train") -> tuple[str | None, str]:
    """Let people choose weights: give them, and what is missing of them, in words.

    Parameters
    ----------
    backbone : Backbone
    key : str
        What the widgets' names begin with.
    """
    kinds = [kind for kind in WEIGHTS if kind != "imagenet" or backbone.kind == "torchvision"]
    kind = st.segmented_control(
        "Weights to begin with",
        kinds,
        format_func=WEIGHTS.__getitem__,
        default=kinds[0],
        required=True,
        key=f"{key}-weights-{backbone.kind}",
    )
    if kind != "file":
        return (None if kind == backbone.weights else kind), ""
    path = st.text_input(
        "Weights file",
        key=f"{key}-weights-file",
        placeholder="/home/me/body.safetensors",
        width=300,
        help="A .safetensors file, or a torchvision .pth; only weights are read, no code is run.",
    ).strip()
    return path, "" if path else "Give the path of a file with weights, or choose others."


def where_weights_are(backbone: Backbone) -> str:
    """Say whether a backbone's own weights are on this machine, or have to be downloaded."""
    file = DEFAULTS[backbone.name].file
    if weights_at_hand(backbone.name):
        return f":material/check: Its weights are on this machine ({plain(file)})."
    return (
        f":material/download: Its weights, {plain(file)} ({backbone.download:.0f} MB), are not on "
        "this machine and are downloaded first. Without a network, choose a file of your own or "
        "the small net."
    )
