"""How to train: backbone, weights, freeze in plain sight, all else folded away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from embedlab.data.notes import count
from embedlab.errors import EmbedlabError
from embedlab.models.backbones import Backbone
from embedlab.models.known_cuts import ENDS, KnownCut, known_cuts
from embedlab.models.recipes import settings_for
from embedlab.models.settings import AUGMENTATIONS, SCHEDULES, TrainSettings
from embedlab.models.unusual import unusual
from embedlab.ui.backbones import choose_backbone, choose_weights
from embedlab.ui.text import plain

DEVICES = {
    "auto": "The best there is",
    "cpu": "Processor",
    "cuda": "NVIDIA graphics card",
    "mps": "Apple graphics",
}


@dataclass(frozen=True)
class Plan:
    """Everything but the pictures that decides a training.

    Parameters
    ----------
    settings : TrainSettings
    fraction, split_seed, stratify
        Of the split.
    limit : int, optional
        Take only so many pictures.
    name : str, optional
        What the run is called.
    device : str
    """

    settings: TrainSettings
    fraction: float
    split_seed: int
    stratify: bool
    limit: int | None
    name: str | None
    device: str

    def options(self) -> dict[str, Any]:
        """Give what `embedlab.facts.train_words` takes besides source and settings."""
        return {
            "fraction": self.fraction,
            "split_seed": self.split_seed,
            "stratify": self.stratify,
            "limit": self.limit,
            "name": self.name,
            "device": None if self.device == "auto" else self.device,
        }

    def differences(self) -> list[str]:
        """Say in a word or two each what is not as usual, so that jobs can be told apart."""
        limit = [] if self.limit is None else [count(self.limit, "picture")]
        return unusual(self.settings) + limit


def choose_plan(source: str | None) -> Plan | None:
    """Let people choose how to train; None while something is missing or wrong, which is said."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        backbone = choose_backbone("Backbone", source, task="train")
        weights, missing = choose_weights(backbone)
        freeze = st.toggle(
            "Train the head alone",
            key="train-freeze",
            help="The body stays as it is, its BatchNorm statistics too. The pictures go through "
            "it once. Compare runs, Heads on one body, then tries other learning rates, seeds and "
            "kinds of head in about a second each.",
        )
    chosen = {"weights": weights, "freeze": freeze}
    with st.expander("More settings", icon=":material/tune:"):
        chosen |= _more(backbone, freeze)
        plan = _rest()
    if missing:
        st.warning(missing, icon=":material/file_open:")
        return None
    try:
        return Plan(settings_for(backbone.name, chosen), **plan)
    except EmbedlabError as error:
        st.warning(plain(str(error)), icon=":material/error:")
        return None


def _more(backbone: Backbone, freeze: bool) -> dict[str, Any]:
    usual = settings_for(backbone.name, {"freeze": freeze})
    key = f"{backbone.name}-{'head' if freeze else 'all'}"  # each has defaults of its own
    cut = _choose_cut(backbone)
    first, second, third = st.columns(3)
    # Without bounds, which a browser keeps to itself: what is typed beyond them is then not sent,
    # and the number before it counts. The settings say what they cannot be.
    with first:
        epochs = st.number_input("Epochs", value=usual.epochs, key=f"train-epochs-{key}")
        rate = st.number_input(
            "Learning rate",
            value=usual.learning_rate,
            format="%g",
            step=1e-4,
            key=f"train-rate-{key}",
        )
        schedule = st.selectbox(
            "Learning rate over time",
            list(SCHEDULES),
            index=list(SCHEDULES).index(usual.schedule),
            format_func=lambda name: f"{name}: {SCHEDULES[name]}",
            key=f"train-schedule-{key}",
        )
    with second:
        batch = st.number_input("Batch", value=usual.batch_size, key=f"train-batch-{key}")
        size = st.number_input(
            "Side of the pictures, in pixels",
            value=backbone.size,
            key=f"train-size-{backbone.name}",
            disabled=backbone.fixed_size,
            help="This backbone takes one size only." if backbone.fixed_size else None,
        )
        augment = st.selectbox(
            "Changed pictures",
            list(AUGMENTATIONS),
            index=list(AUGMENTATIONS).index(usual.augment),
            format_func=lambda name: f"{name}: {AUGMENTATIONS[name]}",
            key=f"train-augment-{key}",
        )
    with third:
        seed = st.number_input("Seed", value=usual.seed, key="train-seed")
        smoothing = st.number_input(
            "Label smoothing", value=usual.label_smoothing, key=f"train-smoothing-{key}"
        )
        decay = st.number_input(
            "Weight decay",
            value=usual.weight_decay,
            format="%g",
            step=1e-4,
            key=f"train-decay-{key}",
        )
    return {
        "cut": cut,
        "epochs": int(epochs),
        "learning_rate": float(rate),
        "schedule": schedule,
        "batch_size": int(batch),
        "size": None if int(size) == backbone.size else int(size),
        "augment": augment,
        "seed": int(seed),
        "label_smoothing": float(smoothing),
        "weight_decay": float(decay),
    }


def _choose_cut(backbone: Backbone) -> str | None:
    shallow_last = {cut.name: _in_words(cut) for cut in reversed(known_cuts(backbone.name))}
    ends = {ENDS[0]: "all its layers", **shallow_last}
    found = st.selectbox(
        "The body ends after",
        list(ends),
        format_func=ends.__getitem__,
        key=f"train-cut-{backbone.name}",
        help="What comes after does not exist in the network; a new head sits there. A map is "
        "averaged over its places; of tokens, the class token is taken. Shapes are those of a "
        f"picture of {backbone.size} px; the share is that of the body's arithmetic.",
    )
    return None if found == ENDS[0] else found


def _in_words(cut: KnownCut) -> str:
    return f"{cut.name} · {' x '.join(map(str, cut.shape))} · {cut.share:.0%} of the work"


def _rest() -> dict[str, Any]:
    first, second, third = st.columns(3)
    with first:
        fraction = st.slider("Kept for validation", 0.05, 0.5, 0.2, 0.05, key="train-fraction")
        stratify = st.toggle("Split each class by itself", key="train-stratify")
    with second:
        split_seed = st.number_input("Seed of the split", 0, 2**31 - 1, 123, key="train-split-seed")
        limit = st.number_input(
            "Only so many pictures",
            2,
            10_000_000,
            None,
            key="train-limit",
            placeholder="all",
            help="Drawn by the seed of the split.",
        )
    with third:
        name = st.text_input("Name of the run", key="train-name", placeholder="made from the rest")
        device = st.selectbox(
            "Computed on", list(DEVICES), format_func=DEVICES.__getitem__, key="train-device"
        )
    return {
        "fraction": round(float(fraction), 2),
        "split_seed": int(split_seed),
        "stratify": stratify,
        "limit": None if limit is None else int(limit),
        "name": name.strip() or None,
        "device": device,
    }
