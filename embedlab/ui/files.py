"""Files that a person brings: uploaded, or named by their path on this machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from embedlab.files import new_file
from embedlab.home import home
from embedlab.ui.text import plain


def choose_file(label: str, endings: Sequence[str], *, key: str) -> Path | None:
    """Take a file by upload, or by its path on this machine; None until there is one.

    Parameters
    ----------
    label : str
    endings : sequence of str
        Without dots.
    key : str
        What the widgets' names begin with.

    Returns
    -------
    Path or None
        An upload is kept where a job finds it.
    """
    left, right = st.columns(2, gap="medium")
    file = left.file_uploader(label, type=list(endings), key=f"{key}-upload")
    text = right.text_input(
        "or its path on this machine", key=f"{key}-path", placeholder=f"/home/me/mine.{endings[0]}"
    ).strip()
    if file is not None:
        return keep_upload(file.name, file.getvalue())
    if not text:
        return None
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        st.warning(f"There is no file {plain(str(path))}.", icon=":material/file_open:")
        return None
    if path.suffix.lower().removeprefix(".") not in endings:
        st.warning(
            f"{plain(path.name)} ends in {plain(path.suffix or 'nothing')}; expected: "
            f"{', '.join(endings)}.",
            icon=":material/file_open:",
        )
        return None
    return path


def keep_upload(name: str, data: bytes) -> Path:
    """Put an uploaded file where a job finds it, once, by its content; give its path."""
    stem = re.sub(r"[^\w.-]+", "-", name)[-80:].lstrip("-.") or "upload"
    target = home("uploads", hashlib.sha256(data).hexdigest()[:16]) / stem
    if not target.exists():
        with new_file(target) as path:
            path.write_bytes(data)
    return target
