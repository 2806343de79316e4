"""The form that makes a run of what was trained or embedded elsewhere."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from embedlab.models.backbones import BACKBONES
from embedlab.ui.clicks import clicked
from embedlab.ui.files import choose_file
from embedlab.ui.job_panel import started
from embedlab.ui.train_source import choose_source

KINDS = {
    "weights": "Weights",
    "onnx": "ONNX",
    "vectors": "Vectors",
    "run": "A run",
}
ABOUT = {
    "weights": "A state dict of one of torchvision's networks, with a head of your own classes or "
    "none: a .safetensors file, or a .pth or .pt that holds weights and nothing else. No code in "
    "it is run.",
    "onnx": "A network, or its body, as ONNX: pictures (n, 3, height, width) in, numbers out. If "
    "its weights lie in a file beside it, give its path instead of uploading it.",
    "vectors": "One row a picture: .npy, .npz, or .parquet with a column of vectors, such as "
    "`embedlab embed` writes. A table beside it says where the pictures are and what they show.",
    "run": "A zip that `embedlab runs export` made. Nothing of it is run.",
}
ENDINGS = {
    "weights": ["safetensors", "pth", "pt"],
    "onnx": ["onnx"],
    "vectors": ["npy", "npz", "parquet"],
    "run": ["zip"],
}
TABLES = ["csv", "tsv", "txt", "parquet"]
NORMALISATIONS = {"imagenet": "ImageNet's", "half": "-1 to 1", "none": "0 to 1"}


@dataclass(frozen=True)
class _Asked:
    """A command line, as far as the form has it; None where something is missing."""

    words: list[str]
    title: str


def bring_form() -> None:
    """Show the form. Its button starts an import, which the page's address then names."""
    kind = st.segmented_control(
        "What you have",
        list(KINDS),
        format_func=KINDS.__getitem__,
        default="weights",
        required=True,
        key="bring-what",
        bind="query-params",
    )
    st.caption(ABOUT[kind])
    file = choose_file("File", ENDINGS[kind], key=f"bring-{kind}")
    asked = _asked(kind, file) if file is not None else None
    if asked is None:
        clicked("Make a run", icon=":material/play_arrow:", key="bring-start", disabled=True)
        return
    st.caption("The same on the command line:")
    st.code(shlex.join(["embedlab", *asked.words]), language="bash", wrap_lines=True)
    if clicked(
        "Make a run", type="primary", icon=":material/play_arrow:", key="bring-start"
    ) and started(asked.words, asked.title):
        st.rerun()


def _asked(kind: str, file: Path) -> _Asked | None:
    if kind == "run":
        return _Asked(["runs", "import", str(file)], f"Take the run {file.name}")
    words = ["import"]
    if kind == "weights":
        networks = [name for name, entry in BACKBONES.items() if entry.kind == "torchvision"]
        backbone = st.selectbox(
            "These are weights of",
            networks,
            index=None,
            placeholder="Choose the network",
            format_func=lambda name: BACKBONES[name].title,
            key="bring-backbone",
            width=320,
        )
        if backbone is None:
            return None
        words += ["--backbone", backbone]
    pictures: str | None
    if kind == "vectors":
        pictures, more = _pictures_of_vectors()
    else:
        chosen = choose_source(key="bring", needs_classes=False)
        if chosen is None:
            return None
        pictures, more = chosen.source, _network_options(kind)
    with st.expander("More settings", icon=":material/tune:"):
        more += _common_options()
    words += [*more, "--", str(file), *([pictures] if pictures else [])]
    return _Asked(words, f"Import {file.name}")


def _pictures_of_vectors() -> tuple[str | None, list[str]]:
    table = choose_file("Table with paths and labels", TABLES, key="bring-table")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        folder = st.text_input(
            "Folder that the paths begin in",
            key="bring-vectors-folder",
            placeholder="that of the table or the vectors",
            width=420,
        ).strip()
        column = st.text_input(
            "Column of vectors",
            key="bring-column",
            placeholder="the only one",
            width=220,
            help="Of a .parquet, or the array of an .npz, where there are several.",
        ).strip()
    words = ["--table", str(table)] if table is not None else []
    return folder or None, words + (["--column", column] if column else [])


def _network_options(kind: str) -> list[str]:
    words: list[str] = []
    names = choose_file(
        "Names of the head's rows, a name a line or JSON (not needed where they are the folders')",
        ["txt", "json"],
        key="bring-classes",
    )
    words += ["--classes", str(names)] if names is not None else []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = st.number_input(
            "Side of the pictures, in pixels",
            16,
            1024,
            None,
            placeholder="the network's own",
            key="bring-size",
            width=220,
        )
        colours = st.selectbox(
            "It wants colours",
            list(NORMALISATIONS),
            format_func=NORMALISATIONS.__getitem__,
            key="bring-colours",
            width=180,
        )
        output = (
            st.text_input(
                "Output, tensor or node",
                key="bring-output",
                placeholder="the only output",
                width=180,
                help="Where the embedding is, when the file gives out several things or scores.",
            ).strip()
            if kind == "onnx"
            else ""
        )
    words += ["--size", str(int(size))] if size is not None else []
    words += ["--normalise", colours] if colours != "imagenet" else []
    return words + (["--output", output] if output else [])


def _common_options() -> list[str]:
    left, right = st.columns(2)
    share = left.number_input(
        "Share for validation",
        0.0,
        0.9,
        None,
        step=0.05,
        placeholder="as the folders or the table say",
        key="bring-validation",
        help="Nobody can tell which pictures a network was trained on. Without a word of the "
        "folders (train, val) or the table, all pictures count as validation.",
    )
    name = right.text_input(
        "Name of the run", key="bring-name", placeholder="made from the rest"
    ).strip()
    words = [] if share is None else ["--validation", f"{share:g}"]
    return words + (["--name", name] if name else [])
