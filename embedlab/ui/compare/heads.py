"""Several heads on the embeddings of one body."""

from __future__ import annotations

import numpy as np
import streamlit as st

from embedlab.figures.intervals import share_intervals
from embedlab.refitting import in_words
from embedlab.runs import EMBEDDING, Run
from embedlab.space.compare import changes
from embedlab.space.heads import HEADS
from embedlab.space.scores import Share, accuracy
from embedlab.ui.choices import choose_vectors
from embedlab.ui.compare.computed import other_heads
from embedlab.ui.compare.refits import refit_form, show_tried, tried
from embedlab.ui.compare.sides import p_text
from embedlab.ui.text import plain

TITLE = "Heads on one body"
# What an address says to show them, whether there are other runs to compare or not.
HEADS_VIEW = {"compare-view": TITLE, "compare-view-alone": TITLE}


def show_heads(run: Run) -> None:
    """Fit other heads to the run's embeddings and compare them with the trained one."""
    st.markdown(
        f"The body of **{plain(run.title)}** stays as it is; only what reads its embeddings "
        "changes. Where simple heads do as well as the trained one, the body has done the work."
    )
    if run.labels is None or (run.split == "train").sum() < 2:
        st.info(
            "Heads are fitted to labelled training pictures, and this run has none.",
            icon=":material/info:",
        )
        return
    with st.container(horizontal=True):
        name = choose_vectors(run)
    found = other_heads(run, name)
    if not found.scores:
        st.info("There are no validation pictures to score heads on.", icon=":material/info:")
        return
    labels = run.labels[found.scored]
    rows: list[tuple[str, str, Share, float | None, float | None]] = []
    trained = None
    if name == EMBEDDING and run.head is not None and run.head.classes == run.classes:
        trained = run.head.logits(run.embeddings[found.scored]).argmax(axis=1)
        how = "The run's own head."
        rows.append(("The trained head", how, accuracy(labels, trained), None, None))
    above = st.container()
    if name == EMBEDDING:
        refit_form(run)
    # Below the form, so that whoever presses its button sees what is waited for.
    heads = tried(run) if name == EMBEDDING else []
    shares = []
    for one in heads:
        guesses = one.guesses[found.scored]
        p = None if trained is None else changes(labels, trained, guesses).p_value
        shares.append(accuracy(labels, guesses))
        how = "Fitted here, as the command line does it."
        rows.append((f"Linear, {in_words(one.settings)}", how, shares[-1], one.seconds, p))
    for score in found.scores:
        kind = HEADS[score.name]
        p = None if trained is None else changes(labels, trained, score.guesses).p_value
        rows.append((kind.title, kind.explanation, score.share, score.seconds, p))
    usual = (labels == np.bincount(run.labels[found.fitted]).argmax()).mean()
    with above:
        st.plotly_chart(
            share_intervals(
                [title for title, *_ in rows],
                [share.value for _, _, share, *_ in rows],
                [share.interval for _, _, share, *_ in rows],
                title="right on validation pictures, 95 % interval",
            ),
            key="heads",
            config={"displayModeBar": False},
        )
        st.dataframe(
            [
                {
                    "head": title,
                    "right": f"{share.correct} of {share.total}",
                    "accuracy": f"{share.value:.1%}",
                    "95 % interval": "{:.1%} to {:.1%}".format(*share.interval),
                    "McNemar's p, against the trained": "" if p is None else p_text(p),
                    "took": "" if seconds is None else f"{seconds:.2f} s",
                    "what it does": how,
                }
                for title, how, share, seconds, p in rows
            ],
            hide_index=True,
            column_config={"head": st.column_config.TextColumn(width=230)},
        )
        st.caption(
            f"Fitted on {len(found.fitted):,} training pictures, scored on {len(found.scored):,} "
            f"validation pictures; to always say the most frequent class is right for {usual:.0%}. "
            "Where the body was trained too, it has seen the training pictures, and their "
            "embeddings lie tidier than new ones."
        )
    if name == EMBEDDING:
        show_tried(run, heads, shares)
