"""Which pictures to train on: a named set, a folder of this machine, or an archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from embedlab.data.notes import count
from embedlab.data.sources import SOURCES, download_size, holds_pictures, is_at_hand
from embedlab.errors import EmbedlabError
from embedlab.estimate import count_pictures
from embedlab.ui.files import keep_upload
from embedlab.ui.text import plain

KINDS = {"named": "A named set", "folder": "A folder", "archive": "An archive"}


@dataclass(frozen=True)
class Chosen:
    """The pictures that were chosen.

    Parameters
    ----------
    source : str
        As the command line takes it.
    title : str
        What people call them.
    pictures, classes : int or None
        How many, as far as known beforehand.
    download : int
        How many bytes have to be fetched first.
    """

    source: str
    title: str
    pictures: int | None = None
    classes: int | None = None
    download: int = 0


def choose_source(*, key: str = "train", needs_classes: bool = True) -> Chosen | None:
    """Let people choose pictures; None until something is chosen that will do.

    Parameters
    ----------
    key : str
        What the widgets' names begin with.
    needs_classes : bool
        Whether the pictures themselves have to say what is to be learned.
    """
    kind = st.segmented_control(
        "Pictures",
        list(KINDS),
        format_func=KINDS.__getitem__,
        default="named",
        required=True,
        key=f"{key}-kind",
        bind="query-params",
    )
    if kind == "named":
        return _named(key)
    return _folder(key, needs_classes) if kind == "folder" else _archive(key)


def _named(key: str) -> Chosen:
    name = st.selectbox(
        "Set",
        list(SOURCES),
        format_func=_describe,
        key=f"{key}-set",
        label_visibility="collapsed",
    )
    download = 0 if is_at_hand(name) else download_size(name)
    counted = count_pictures(name)
    return Chosen(name, name, *counted, download) if counted else Chosen(name, name, None, None)


def _describe(name: str) -> str:
    text = f"{name} · {SOURCES[name].description}"
    return text if is_at_hand(name) else f"{text} · {download_size(name) / 1e6:.0f} MB to download"


@st.cache_data(ttl=300, max_entries=8, show_spinner="Looking into the folder …")
def _counted(path: str) -> tuple[int, int] | None:
    return count_pictures(path)


def _folder(key: str, needs_classes: bool) -> Chosen | None:
    text = st.text_input(
        "Folder",
        key=f"{key}-folder",
        placeholder="/home/me/my_photos",
        label_visibility="collapsed",
        help="The pictures stay where they are.",
    ).strip()
    if not text:
        what = "a folder with one sub-folder a class" if needs_classes else "a folder of pictures"
        st.caption(f"The path of {what}, on the machine that runs this.")
        return None
    path = Path(text).expanduser().absolute()
    try:
        counted = _counted(str(path))
    except (EmbedlabError, OSError) as error:
        st.warning(plain(str(error)), icon=":material/folder_off:")
        return None
    if counted is None:  # a file: an archive or arrays that lie on this machine
        if not holds_pictures(path):
            st.warning(
                f"{plain(path.name)} is a file, and neither an archive nor arrays. Give the folder "
                "that the pictures lie in.",
                icon=":material/folder_off:",
            )
            return None
        return Chosen(str(path), path.name)
    pictures, classes = counted
    if classes < 2 and needs_classes:
        st.warning(
            f"{pictures:,} pictures and {classes} classes: there is nothing to tell apart. Sort "
            "the pictures into a sub-folder for each class.",
            icon=":material/folder_off:",
        )
        return None
    parts = f", in {count(classes, 'class', 'classes')}" if classes else ""
    st.caption(f"{count(pictures, 'file')} that may be pictures{parts}.")
    return Chosen(str(path), path.name, pictures, classes)


def _archive(key: str) -> Chosen | None:
    file = st.file_uploader(
        "A zip or tar with one folder a class, or a .npz with pictures and labels",
        type=["zip", "tar", "tgz", "gz", "npz"],
        key=f"{key}-archive",
    )
    if file is None:
        st.caption("Larger ones: put the folder on this machine and give its path.")
        return None
    target = keep_upload(file.name, file.getvalue())
    return Chosen(str(target), target.name)
