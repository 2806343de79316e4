"""What lies around the same picture in two runs."""

from __future__ import annotations

import numpy as np
import streamlit as st

from embedlab.pairing import Pairing, held_out
from embedlab.runs import EMBEDDING, Run
from embedlab.space.compare import Disagreements
from embedlab.ui import cache
from embedlab.ui.choices import choose_k, choose_metric
from embedlab.ui.compare.computed import neighbourhoods
from embedlab.ui.frame import run_name
from embedlab.ui.gallery import gallery
from embedlab.ui.query import choose_query
from embedlab.ui.state import choose_row
from embedlab.ui.text import plain

SHOWN = 18


def show_neighbours(first: Run, second: Run, pairing: Pairing) -> None:
    """Show one picture's neighbours in both runs, and how much of them all runs share."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = choose_metric()
        k = choose_k()
    unseen = held_out(first, second, pairing)
    pool, which = (unseen, "validation pictures of both") if len(unseen) > k else (pairing, "all")
    left, right = st.columns([1, 4], gap="medium")
    with left:
        query = choose_query(first, EMBEDDING, own=False)
    with right:
        assert query.row is not None
        here = np.flatnonzero(pairing.first == query.row)
        if not len(here):
            st.info("The second run does not have this picture: choose another one.")
            return
        rows = (query.row, int(pairing.second[here[0]]))
        in_first = dict(zip(pairing.second.tolist(), pairing.first.tolist(), strict=True))
        lists = []
        for run, row, among in zip((first, second), rows, (pool.first, pool.second), strict=True):
            lists.append(cache.index(run, EMBEDDING, metric).nearest(row, k, rows=among))
        shown = [lists[0].rows.tolist(), [in_first[row] for row in lists[1].rows.tolist()]]
        both = set(shown[0]) & set(shown[1])
        st.markdown(f"**{len(both)} of {len(shown[0])}** nearest pictures are on both lists.")
        for run, ids, ranking in zip((first, second), shown, lists, strict=True):
            st.markdown(f"**{plain(run_name(run))}**")
            gallery(
                first,
                ids,
                key=f"near-{run.id}",
                scores=[f"{score:.3f}" for score in ranking.scores],
                query_label=query.label,
                cell=92,
                label=f"Neighbours in {run_name(run)}",
                on_click=lambda row: choose_row(first, row),
            )
    found = neighbourhoods(first, second, pool, metric=metric, k=k)
    st.subheader("Over all pictures", anchor=False)
    words = f"Among {which} ({len(found.pairing):,}), the two share **{found.agreement.mean:.0%}** "
    words += f"of the {k} nearest."
    if found.precisions:
        a, b = found.precisions
        words += (
            f" Of the class of the query are **{a.mean:.1%}** ({plain(run_name(first))}) and "
            f"**{b.mean:.1%}** ({plain(run_name(second))}); by chance {a.chance:.0%}."
        )
    st.markdown(words)
    st.markdown(
        f"They disagree most about the surroundings of these. {none_shared(found.agreement)}"
    )
    top = found.agreement.rows[:SHOWN]
    gallery(
        first,
        found.pairing.first[top].tolist(),
        key="disagree",
        scores=[f"{found.agreement.overlap[place]:.0%} shared" for place in top],
        cell=92,
        label="Pictures with other neighbours",
        on_click=lambda row: choose_row(first, row),
    )


def none_shared(found: Disagreements) -> str:
    """Say how many pictures have no neighbour on both lists, where there are any."""
    count = int((found.overlap == 0).sum())
    if not count:
        return ""
    pictures = "picture shares" if count == 1 else "pictures share"
    return f"**{count:,}** of {int(np.isfinite(found.overlap).sum()):,} {pictures} none at all."
