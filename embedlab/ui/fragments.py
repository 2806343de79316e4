"""Parts of a page that are run anew by themselves, and what went wrong in them, said kindly."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.ui.text import plain

P = ParamSpec("P")
R = TypeVar("R")


def say(error: EmbedlabError) -> None:
    """Show a problem and its remedy."""
    st.error(f"{plain(error.problem)}\n\n{plain(error.remedy)}", icon=":material/error:")


def fragment(work: Callable[P, R]) -> Callable[P, R | None]:
    """Make a Streamlit fragment of a function; an `EmbedlabError` in it is shown in its place.

    Streamlit catches what is raised in a fragment before the page's frame could.
    """

    @wraps(work)
    def kindly(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return work(*args, **kwargs)
        except EmbedlabError as error:
            say(error)
            return None

    return cast("Callable[P, R | None]", st.fragment(kindly))
