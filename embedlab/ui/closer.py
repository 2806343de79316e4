"""One picture, looked at closely: what is known of it, and where to go on from it."""

from __future__ import annotations

import streamlit as st

from embedlab.runs import Run
from embedlab.ui import cache
from embedlab.ui.query import describe
from embedlab.ui.text import plain

LINKS = (
    ("neighbours", "Its neighbours", "hub"),
    ("prototypes", "Its logit, taken apart", "north_east"),
    ("body_and_head", "Its way through the network", "account_tree"),
)
_LIKELIEST = 3


def links(run: Run, row: int) -> None:
    """Offer the pages that begin with one picture."""
    with st.container(horizontal=True):
        for file, label, icon in LINKS:
            if file == "prototypes" and run.head is None:
                continue
            if file == "body_and_head" and run.body is None:
                continue
            st.page_link(
                f"pages/{file}.py",
                label=label,
                icon=f":material/{icon}:",
                query_params={"run": run.id, "query": str(row)},
                width="content",
            )


@st.dialog("A picture", width="medium")
def closer(run: Run, row: int) -> None:
    """Show one picture as large as it is at hand, with all that the run says of it.

    Parameters
    ----------
    run : Run
    row : int
    """
    picture, original = cache.original(run, row)
    left, right = st.columns([3, 2], gap="medium")
    left.image(picture, width="stretch", caption=plain(str(run.items["id"].iat[row])))
    with right:
        st.markdown(describe(run, row))
        if run.labels is not None:
            st.markdown(f"class **{plain(run.classes[run.labels[row]])}**")
        if run.probabilities is not None:
            shares = run.probabilities[row]
            for k in shares.argsort()[::-1][:_LIKELIEST]:
                st.progress(float(shares[k]), text=f"{plain(run.classes[k])} {shares[k]:.0%}")
        if not original:
            st.caption("The original is not at hand: this is the small copy that the run keeps.")
    links(run, row)


def look_at(run: Run, clicked: int | None) -> None:
    """Look closely at a picture that was clicked just now."""
    if clicked is not None:
        closer(run, clicked)
