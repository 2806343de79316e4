"""The query: a picture of the run, picked by clicking, or a visitor's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError
from embedlab.runs import EMBEDDING, Run
from embedlab.ui import cache
from embedlab.ui.choices import choose_class
from embedlab.ui.gallery import gallery
from embedlab.ui.picture_grid.grid import Mark
from embedlab.ui.state import choose_row, chosen_row
from embedlab.ui.text import plain

PAGE = 24


@dataclass(frozen=True, eq=False)
class Query:
    """What is searched for: a row of the run, or a vector from elsewhere."""

    row: int | None
    vector: NDArray[np.float32] | None = None
    label: int | None = None

    @property
    def vector_or_row(self) -> int | NDArray[np.float32]:
        """What a neighbour index takes as its query."""
        if self.vector is not None:
            return self.vector
        return self.row or 0


def first_row(run: Run) -> int:
    """Choose the picture to begin with: the first of the validation part."""
    held = np.flatnonzero(run.split == "validation")
    return int(held[0]) if len(held) else 0


def choose_query(
    run: Run, vectors: str, *, seen: bool = False, own: bool = True, part: str = "all"
) -> Query:
    """Show the query with the ways to choose another.

    Parameters
    ----------
    run : Run
    vectors : str
        The set of vectors that will be searched; one's own picture needs "embedding".
    seen : bool
        Show what the model saw.
    own : bool
        Offer to take a picture of one's own.
    part : str
        "validation", "train" or "all": among which pictures one is taken by chance.

    Returns
    -------
    Query
    """
    st.subheader("Query", anchor=False)
    uploaded = _own_picture(run, vectors) if own else None
    if uploaded is not None:
        return uploaded
    row = pick_picture(run, "query", default=first_row(run), seen=seen, mark="query", part=part)
    label = None if run.labels is None else int(run.labels[row])
    return Query(row=row, label=label)


def pick_picture(
    run: Run,
    name: str,
    *,
    default: int,
    seen: bool = False,
    mark: Mark = "",
    cell: int = 140,
    part: str = "all",
) -> int:
    """Show one picture with the ways to choose another.

    Parameters
    ----------
    run : Run
    name : str
        The picture's name in the page's address.
    default : int
        The row when none was chosen.
    seen : bool
        Show what the model saw.
    mark : str
        The picture's mark in its gallery of one.
    cell : int
        The picture's width in CSS pixels.
    part : str
        Among which pictures one is taken by chance.

    Returns
    -------
    int
        The row.
    """
    row = chosen_row(run, name, default=default)
    assert row is not None
    with st.container(width=240):
        gallery(
            run,
            [row],
            key=f"{name}-picture",
            marks=[mark],
            seen=seen,
            crisp=True,
            cell=cell,
            columns=1,
            label=name,
        )
    st.caption(describe(run, row))
    with st.container(horizontal=True):
        if st.button(
            "Another",
            icon=":material/shuffle:",
            key=f"{name}-another",
            help="Take a picture by chance.",
        ):
            choose_row(run, int(np.random.default_rng().choice(cache.part_rows(run, part))), name)
            st.rerun()
        if st.button("Choose …", icon=":material/grid_view:", key=f"{name}-choose"):
            _chooser(run, name)
    return row


def describe(run: Run, row: int) -> str:
    """Say in a line what a picture is called, its class, and what the network makes of it."""
    item = run.items.iloc[row]
    parts = [plain(str(item["id"])), plain(str(item["split"]))]
    if run.probabilities is not None and "prediction" in run.items:
        share = float(run.probabilities[row].max())
        parts.append(f"predicted **{plain(str(item['prediction']))}** ({share:.0%})")
    return " · ".join(parts)


def _own_picture(run: Run, vectors: str) -> Query | None:
    if run.body is None or vectors != EMBEDDING:
        return None
    with st.popover("Your own picture", icon=":material/upload:"):
        file = st.file_uploader(
            "A JPEG, PNG, GIF, BMP, WebP or TIFF file",
            key="own-picture",
            help="It stays in this session and is not kept.",
        )
    if file is None:
        return None
    try:
        vector, small = cache.embed_upload(run, file.getvalue())
    except EmbedlabError as error:
        st.error(f"{plain(file.name)}: {plain(str(error))}", icon=":material/broken_image:")
        return None
    st.image(small, width="stretch", caption=plain(file.name))
    if run.head is not None:
        logits = run.head.logits(vector[None])[0].astype(np.float64)
        p = np.exp(logits - logits.max())
        p /= p.sum()
        best = int(p.argmax())
        st.caption(f"predicted **{plain(run.head.classes[best])}** ({p[best]:.0%})")
    return Query(row=None, vector=vector)


@st.dialog("Choose a picture", width="large")
def _chooser(run: Run, name: str) -> None:
    rows = np.arange(run.n_items)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if run.labels is not None:
            wanted = choose_class(run.classes, key="chooser-class")
            if wanted is not None:
                rows = np.flatnonzero(run.labels == run.classes.index(wanted))
        text = st.text_input("Name contains", key="chooser-name", width=200)
    if text:
        names = run.items["id"].iloc[rows].str.contains(text, case=False, regex=False)
        rows = rows[names.to_numpy(bool)]
    if not len(rows):
        st.info("No picture is called so.")
        return
    pages = -(-len(rows) // PAGE)
    page = st.pagination(pages, key="chooser-page") if pages > 1 else 1
    shown = rows[(page - 1) * PAGE : page * PAGE]
    clicked = gallery(run, shown.tolist(), key="chooser-grid", cell=96, label="Pictures to choose")
    if clicked is not None:
        choose_row(run, clicked, name)
        st.rerun()
