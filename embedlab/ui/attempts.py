"""What a click asks for, and cannot be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.ui.text import plain


@contextmanager
def told() -> Iterator[None]:
    """Say in a toast why the work within cannot be done, and go on behind it."""
    try:
        yield
    except EmbedlabError as error:
        st.toast(plain(str(error)), icon=":material/error:", duration="long")
