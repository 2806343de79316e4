"""The form that fuses a person's own pictures and table: what meets, what is what, then the job."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from embedlab.assembling import Assembled, assemble, sketch
from embedlab.data.columns import detect, holds, is_number, looks_like_classes
from embedlab.data.dataset import Dataset
from embedlab.data.quantities import quantities, understood
from embedlab.data.table import Table, read_table
from embedlab.errors import EmbedlabError
from embedlab.models.fusion_settings import FUSIONS, FusionSettings
from embedlab.models.settings import AUGMENTATIONS
from embedlab.ui.backbones import choose_backbone, choose_weights, where_weights_are
from embedlab.ui.clicks import clicked
from embedlab.ui.files import choose_file
from embedlab.ui.job_panel import started
from embedlab.ui.text import plain
from embedlab.ui.train_source import Chosen, choose_source

OWN = "the pictures' own classes"
AUTOMATIC = "found by itself"
AS = {
    "classes": "classes: each value is one",
    "number": "a number",
    "log": "the number's logarithm",
    "2": "2 classes of equal size",
    "3": "3 classes of equal size",
    "4": "4 classes of equal size",
}
OVERRULES = {"classes": "categorical", "number": "numeric"}
KINDS = ("numeric", "categorical", "ignore")
TABLES = ["csv", "tsv", "txt", "parquet"]


@dataclass(frozen=True)
class Question:
    """What is to be predicted from which columns, as the command line takes it."""

    words: tuple[str, ...]
    ready: bool


def fusion_form() -> None:
    """Show the form. Its button starts a fusion, which the page's address then names."""
    chosen = choose_source(key="fuse", needs_classes=False)
    table = _choose_table()
    if chosen is None or (table is None and chosen.source != "garden"):
        if chosen is not None:
            st.caption(
                "The garden brings a table of its own. Other pictures need one: a row a picture, "
                "and a column that names the pictures."
            )
        clicked("Fuse", icon=":material/play_arrow:", key="fuse-start", disabled=True)
        return
    question = _ask(chosen, table) if table is not None else Question((), ready=True)
    network = _choose_network(chosen)
    if question is None or network is None:
        clicked("Fuse", icon=":material/play_arrow:", key="fuse-start", disabled=True)
        return
    words = ["fuse", *question.words, *network, "--", chosen.source]
    words += [str(table.path)] if table is not None else []
    st.caption("The same on the command line:")
    st.code(shlex.join(["embedlab", *words]), language="bash", wrap_lines=True)
    if clicked(
        "Fuse",
        type="primary",
        icon=":material/play_arrow:",
        key="fuse-start",
        disabled=not question.ready,
    ) and started(words, f"Fuse {chosen.title} with a table"):
        st.rerun()


@dataclass(frozen=True, eq=False)
class _Kept:
    """A table that was uploaded, or lies on this machine."""

    path: Path
    table: Table


@st.cache_resource(max_entries=8, show_spinner="Reading the table …")
def _read(path: str, changed: int) -> Table:
    return read_table(Path(path))


def _choose_table() -> _Kept | None:
    path = choose_file("Table: CSV, TSV or Parquet", TABLES, key="fuse-table")
    if path is None:
        return None
    try:
        table = _read(str(path), path.stat().st_mtime_ns)
    except OSError as error:
        st.warning(plain(f"{path} cannot be read: {error.strerror or error}."))
        return None
    except EmbedlabError as error:
        st.warning(plain(str(error)), icon=":material/table:")
        return None
    for note in table.notes:
        st.caption(plain(note))
    return _Kept(path, table)


@st.cache_resource(max_entries=8, ttl=300, show_spinner="Listing the pictures …")
def _sketch(source: str) -> Dataset | None:
    return sketch(source)


def _ask(chosen: Chosen, kept: _Kept) -> Question | None:
    """Let people say what is what; show how table and pictures meet, and what may leak."""
    frame = kept.table.frame
    try:
        pictures = _sketch(chosen.source)
    except EmbedlabError as error:
        st.warning(plain(str(error)), icon=":material/folder_off:")
        return None
    names = [str(name) for name in frame]
    single = [name for name in names if not holds(frame[name])]
    own = pictures is None or pictures.labels is not None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        target = st.selectbox(
            "Predict",
            [*([OWN] if own else []), *single],
            index=None,
            placeholder="Choose what is to be predicted",
            key="fuse-target",
            width=280,
        )
        column = None if target in (None, OWN) else str(target)
        as_, usual = None, None
        if column is not None and _has_numbers(frame[column], column):
            usual = _usual(frame, column)
            as_ = st.selectbox(
                "as",
                list(AS),
                index=list(AS).index(usual),
                format_func=AS.__getitem__,
                key=f"fuse-as-{usual}",
                width=220,
            )
        key = st.selectbox(
            "Pictures are named by",
            [AUTOMATIC, *(name for name in names if name != column)],
            key="fuse-key",
            width=220,
        )
    if target is None:
        st.dataframe(frame.head(5), hide_index=True)
        st.caption(f"The first rows of {len(frame):,}. Say what is to be predicted.")
        return None
    options: dict[str, Any] = {
        "target": column,
        "n_classes": int(as_) if as_ in ("2", "3", "4") else None,
        "log": as_ == "log",
        "key": None if key == AUTOMATIC else key,
    }
    told = _kinds(frame, column, options["key"])
    if column is not None and as_ in OVERRULES and as_ != usual:
        told[column] = OVERRULES[as_]
    words = _words(options, told)
    if pictures is None:
        st.caption("How they meet is said when the pictures are at hand, before the training.")
        return Question(words, ready=True)
    try:
        found = assemble(pictures, frame, kinds=told, **options)
    except EmbedlabError as error:
        st.warning(plain(str(error)), icon=":material/join_inner:")
        return Question(words, ready=False)
    _show_meeting(found)
    return Question(words, ready=True)


def _has_numbers(values: pd.Series, name: str) -> bool:
    """Say whether a target can be a number if a person says so."""
    try:
        return is_number(quantities(values, name, told=True).values)
    except EmbedlabError:
        return False


def _usual(frame: pd.DataFrame, target: str) -> str:
    """Say what a target with numbers is taken for if nobody says anything."""
    read = understood(frame[[target]], target=target).frame[target]
    return "classes" if looks_like_classes(read, target) else "number"


def _kinds(frame: pd.DataFrame, target: str | None, key: str | None) -> dict[str, str]:
    """Show what each column is taken for; give what a person says otherwise."""
    frame = understood(frame, target=target).frame
    columns = [one for one in detect(frame, target=target) if one.name not in (target, key)]
    lines = pd.DataFrame(
        [
            {
                "column": one.name,
                "taken for": one.kind,
                "why": one.why,
                "missing": one.n_missing,
                "different values": one.n_distinct,
            }
            for one in columns
        ]
    )
    with st.expander(
        f"{len(columns)} columns, and what they are taken for", icon=":material/tune:"
    ):
        edited = st.data_editor(
            lines,
            hide_index=True,
            disabled=["column", "why", "missing", "different values"],
            column_config={
                "taken for": st.column_config.SelectboxColumn(options=list(KINDS), required=True)
            },
            key=f"fuse-kinds-{target}-{key}-{hash(tuple(frame.columns))}",
        )
        st.caption("Change what is wrong: a quantity, a name, or to be left out.")
    return {
        one.name: str(kind)
        for one, kind in zip(columns, edited["taken for"], strict=True)
        if kind != one.kind
    }


def _words(options: dict[str, Any], told: dict[str, str]) -> tuple[str, ...]:
    words: list[str] = []
    if options["target"] is not None:
        words += ["--target", options["target"]]
    if options["n_classes"]:
        words += ["--classes", str(options["n_classes"])]
    words += ["--log"] if options["log"] else []
    words += ["--key", options["key"]] if options["key"] else []
    for name, kind in told.items():
        words += [f"--{kind}", name]
    return tuple(words)


def _show_meeting(found: Assembled) -> None:
    used = [one for one in found.columns if one.kind in ("numeric", "categorical")]
    n = len(found.dataset)
    classes = f" in {len(found.target.classes)} classes" if found.target.classes else ""
    st.success(
        f"{n:,} pictures, {len(used)} columns, to predict {plain(found.target.name)}{classes}.",
        icon=":material/join_inner:",
    )
    for sentence in found.joined:
        st.markdown(f"- {plain(sentence)}")
    for warning in found.warnings:
        if "alone predicts the target" in warning:
            st.warning(plain(warning), icon=":material/warning:")
        else:
            st.markdown(f"- {plain(warning)}")


def _choose_network(chosen: Chosen) -> list[str] | None:
    """Choose what the pictures go through, and how it is trained; in the command's words."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        backbone = choose_backbone("Pictures go through", chosen.source, task="fuse")
        network = backbone.kind != "plain"
        weights, missing = choose_weights(backbone, key="fuse") if network else (None, "")
    if missing:
        st.warning(missing, icon=":material/file_open:")
        return None
    if weights is None and backbone.kind == "torchvision":
        st.markdown(where_weights_are(backbone))
    words = ["--backbone", backbone.name]
    words += ["--weights", weights] if weights else []
    with st.expander("More settings", icon=":material/tune:"):
        return words + _more(network)


def _more(network: bool) -> list[str]:
    usual = FusionSettings()
    first, second, third = st.columns(3)
    with first:
        seeds = st.number_input("Splits", 2, 100, 5, key="fuse-seeds", help="5 or more say most.")
        search = st.number_input(
            "Settings to choose from",
            1,
            100,
            8,
            key="fuse-search",
            help="Each network takes the best of so many, by pictures that are not held out.",
        )
    with second:
        fusion = st.selectbox(
            "Fusion to begin with",
            list(FUSIONS),
            format_func=lambda name: f"{name}: {FUSIONS[name]}",
            key="fuse-fusion",
        )
        thin = st.slider(
            "Pictures that go without one branch",
            0.0,
            0.8,
            usual.modality_dropout,
            0.1,
            key="fuse-thin",
            help="In each step of training, so that the network cannot lean on one branch alone.",
        )
    with third:
        epochs = st.number_input(
            "Epochs of fine-tuning",
            0,
            100,
            0,
            key="fuse-epochs",
            disabled=not network,
            help="The body is trained along, for each network and split: this takes long.",
        )
        augment = st.selectbox(
            "Changed pictures",
            list(AUGMENTATIONS),
            key="fuse-augment",
            disabled=not (network and epochs),
            format_func=lambda name: f"{name}: {AUGMENTATIONS[name]}",
        )
    words = [] if seeds == 5 else ["--seeds", str(int(seeds))]
    words += [] if search == 8 else ["--search", str(int(search))]
    words += [] if fusion == usual.fusion else ["--fusion", fusion]
    words += [] if thin == usual.modality_dropout else ["--modality-dropout", f"{thin:g}"]
    if network and epochs:
        words += ["--fine-tune", str(int(epochs)), "--augment", augment]
    return words
