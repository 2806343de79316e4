"""How much a table would have to say: a table that can be weakened, and a trap."""

from __future__ import annotations

import streamlit as st

from embedlab.arms import ARMS
from embedlab.figures.readings import bars_with_intervals
from embedlab.runs import EMBEDDING, Run
from embedlab.signal import Signal, table_signal
from embedlab.ui.choices import choose_vectors, vectors_title
from embedlab.ui.text import plain

PLAINER = ("layer-stage1", "histogram")  # vectors with which a fusion has something to do
LEVEL = 0.05


@st.cache_data(max_entries=128, show_spinner="Fitting with and without the table …")
def _signal(fingerprint: str, vectors: str, signal: float, leak: bool, _run: Run) -> Signal:
    return table_signal(_run, vectors=vectors, signal=signal, leak=leak)


def show_signal(run: Run) -> tuple[str, float]:
    """Let people weaken the table, strengthen the picture, and fall into the trap once.

    Returns
    -------
    vectors : str
        What the pictures are known by.
    signal : float
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        plainer = next((name for name in PLAINER if name in run.vector_sets), EMBEDDING)
        vectors = choose_vectors(run, key="known-by", default=plainer)
        percent = st.slider(
            "What the table says",
            0,
            100,
            100,
            10,
            format="%d %%",
            key="signal",
            bind="query-params",
            width=320,
            help="The share of the rows that stay with their picture. The others are dealt anew.",
        )
        leak = st.toggle("Let the answer slip in", key="leak", bind="query-params")
    found = _signal(run.fingerprint, vectors, percent / 100, leak, run)
    for sentence in found.warnings:
        st.warning(plain(sentence), icon=":material/warning:")
    st.plotly_chart(
        bars_with_intervals(
            [ARMS[arm] for arm in found.arms],
            [share.value for share in found.arms.values()],
            [share.interval for share in found.arms.values()],
            baseline=float(run.items["label"].value_counts(normalize=True).max()),
            title="accuracy on validation pictures",
        ),
        key="signal-arms",
        config={"displayModeBar": False},
    )
    st.markdown(verdict(found))
    st.caption(
        f"Pictures are known by: {plain(vectors_title(run, vectors).lower())}. A fusion helps "
        "where both say something, and something different. It cannot help where the picture "
        "alone leaves nothing to say, nor where the table says nothing: choose the **Embedding** "
        "and the picture says nearly all; move the slider and the table says less. The dotted "
        "line is the most frequent class. A logistic regression stands in for the network here; "
        "`embedlab fuse` trains the network, on several splits."
    )
    return vectors, percent / 100


def verdict(found: Signal) -> str:
    """Say whether both together beat the better one, judged on the same pictures."""
    fused, single = found.arms["fused"], found.arms[found.best_single]
    gained, lost = len(found.changes.only_first), len(found.changes.only_second)
    said = (
        f"Both together are right on **{fused.correct} of {fused.total}** pictures, "
        f"{ARMS[found.best_single].lower()} on **{single.correct}**: {gained} gained, {lost} lost. "
    )
    p = found.changes.p_value
    if not gained + lost:
        return said + "Not one answer differs."
    if p >= LEVEL:
        return said + f"Chance alone parts two equals so unevenly often enough (p = {p:.2g})."
    better = "better" if gained > lost else "worse"
    return said + f"Together they are **{better}**: chance hardly does that (McNemar, p = {p:.2g})."
