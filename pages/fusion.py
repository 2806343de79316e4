"""Does a table add to the pictures?"""

import shlex

import streamlit as st

from embedlab.figures.readings import bars_with_intervals
from embedlab.jobs import start
from embedlab.runs import Run
from embedlab.signal import Signal, has_table, table_signal
from embedlab.ui.access import may_start_jobs
from embedlab.ui.choices import choose_vectors, vectors_title
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.job_panel import job_panel
from embedlab.ui.text import plain

TITLES = {
    "picture": "Picture only",
    "table": "Table only",
    "fused": "Picture and table",
    "shuffled": "Shuffled table",
}


def show_kept(run: Run) -> None:
    """Show what `embedlab fuse` found out and kept in the run."""
    found = run.info["fusion"]
    metric = found["metrics"][0]
    st.info(plain(found["verdict"]), icon=":material/gavel:")
    arms = found["arms"].values()
    st.plotly_chart(
        bars_with_intervals(
            [arm["title"] for arm in arms],
            [arm[metric]["mean"] for arm in arms],
            [tuple(arm[metric]["interval"]) for arm in arms],
            title=f"{metric} for {found['target']}, {len(found['seeds'])} splits",
        ),
        key="arms",
        config={"displayModeBar": False},
    )
    st.caption(
        f"The mean over {len(found['seeds'])} random splits, each with its own initial weights, "
        "and its 95 % interval, which allows for the splits' sharing pictures (Nadeau and "
        "Bengio, 2003). All arms have the same splits, settings and way to stop; "
        "the shuffled table stands beside the picture with its rows dealt anew. The body of the "
        "picture branch was not trained: fine-tuning it may still help."
    )
    with st.expander("The numbers", icon=":material/table:"):
        st.dataframe(
            [
                {
                    "arm": arm["title"],
                    "score": name,
                    "mean": arm[name]["mean"],
                    "from": arm[name]["interval"][0],
                    "to": arm[name]["interval"][1],
                }
                for arm in arms
                for name in found["metrics"]
            ],
            hide_index=True,
        )
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Which columns matter", anchor=False)
        st.dataframe(
            [{"column": name, "lost": drop} for name, drop in found["importance"].items()],
            hide_index=True,
        )
        st.caption(
            f"How much {metric} the fused network loses on held-out pictures when one column is "
            "shuffled. Columns that say the same stand in for each other."
        )
    with right:
        st.header("How the table was read", anchor=False)
        for sentence in (*found["joined"], *found["warnings"]):
            st.markdown(f"- {plain(sentence)}")
        st.dataframe(
            [
                {
                    "column": column["name"],
                    "taken for": column["kind"],
                    "why": column["why"],
                    "missing": column["n_missing"],
                    "different values": column["n_distinct"],
                }
                for column in found["columns"]
            ],
            hide_index=True,
        )
    st.markdown(
        "Every other page works on this run: its embedding is the fused one, and **Vectors** "
        "offers the picture branch and the table branch by themselves."
    )
    if not run.classes:
        st.caption(
            "The predicted numbers stand beside the true ones: colour a map by either of them."
        )


@st.cache_data(max_entries=128, show_spinner="Fitting with and without the table …")
def signal_of(fingerprint: str, vectors: str, signal: float, leak: bool, _run: Run) -> Signal:
    """Compare picture, table and both, for one strength of the table."""
    return table_signal(_run, vectors=vectors, signal=signal, leak=leak)


def show_signal(run: Run) -> tuple[str, float]:
    """Let people weaken the table, strengthen the picture, and fall into the trap once."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        vectors = choose_vectors(run)
        signal = st.slider(
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
    found = signal_of(run.fingerprint, vectors, signal / 100, leak, run)
    for sentence in found.warnings:
        st.warning(plain(sentence), icon=":material/warning:")
    st.plotly_chart(
        bars_with_intervals(
            [TITLES[arm] for arm in found.arms],
            [share.value for share in found.arms.values()],
            [tuple(share.interval) for share in found.arms.values()],
            baseline=float(run.items["label"].value_counts(normalize=True).max()),
            title="accuracy on validation pictures",
        ),
        key="signal-arms",
        config={"displayModeBar": False},
    )
    best = max(("picture", "table"), key=lambda arm: found.arms[arm].value)
    fused, single = found.arms["fused"], found.arms[best]
    apart = fused.interval.low > single.interval.high
    st.markdown(
        f"Both together are right on **{fused.correct} of {fused.total}** pictures, "
        f"{TITLES[best].lower()} on **{single.correct}**. "
        + (
            "The intervals lie apart."
            if apart
            else "The intervals overlap: on these pictures alone the difference may be chance."
        )
    )
    st.caption(
        f"Pictures are known by: {plain(vectors_title(run, vectors).lower())}. A fusion helps "
        "where both say something, and something different. It cannot help where the picture "
        "alone leaves nothing to say, nor where the table says nothing: choose plainer "
        "**Vectors**, such as a histogram or an early layer, and the picture says less. The "
        "dotted line is the most frequent class. A logistic regression stands in for the network "
        "here; `embedlab fuse` trains the network, on several splits."
    )
    return vectors, signal / 100


def show_form() -> None:
    """Fuse pictures and a table of one's own."""
    st.header("Your own pictures and table", anchor=False)
    left, middle, right = st.columns([3, 3, 2])
    pictures = left.text_input("Pictures", "garden", help="A folder, an archive or a named set.")
    table = middle.text_input(
        "Table", help="CSV, TSV or Parquet; one column names the pictures. Empty: their own."
    )
    target = right.text_input("Column to predict", help="Empty: the pictures' own classes.")
    words = ["fuse", pictures, *([table] if table else [])]
    words += ["--target", target] if target else []
    st.code(shlex.join(["embedlab", *words]), language="bash")
    if not may_start_jobs():
        st.caption("This server does not compute. Run the line above on your own machine.")
    elif st.button("Fuse", type="primary", icon=":material/play_arrow:", disabled=not pictures):
        st.session_state["fusion-job"] = start(words, title=f"Fusion of {pictures}").id
    job = st.session_state.get("fusion-job")
    if job is not None:
        job_panel(job)


framed()
run = current_run()
header(
    "Does a table add to the pictures?",
    "Four answers side by side: from the picture, from the table, from both, and from both with "
    "the table shuffled. Notice **when both beat the better one**, and when they cannot.",
)
if "fusion" in run.info:
    show_kept(run)
    call = f"""from embedlab import open_run

run = open_run({run.id!r})
run.info["fusion"]["verdict"]
run.embeddings, run.vectors("picture"), run.vectors("table")"""
    d = run.vectors("picture").shape[1]
elif run.labels is not None and has_table(run):
    vectors, signal = show_signal(run)
    call = f"""from embedlab import open_run
from embedlab.signal import table_signal

table_signal(open_run({run.id!r}), vectors={vectors!r}, signal={signal:g}).arms"""
    d = run.vectors(vectors).shape[1]
else:
    st.info(
        "No table came with these pictures, or they have no classes. Choose the garden on the "
        "left to see when a table helps, or fuse your own below.",
        icon=":material/info:",
    )
    call, d = "", run.embeddings.shape[1]
show_form()
if call:
    explain(
        r"z = \mathrm{ReLU}\big(A\,[\,\mathrm{LN}(x) \,;\, \mathrm{LN}(t)\,] + a\big), \qquad "
        r"\hat y = W z + b",
        [
            ("x", f"({run.n_items:,}, {d:,})", "pictures, from a body that stays as it is"),
            ("t", f"({run.n_items:,}, hidden / 2)", "table: embeddings of names, and numbers"),
            ("z", f"({run.n_items:,}, 256)", "both: the embedding of a fused run"),
        ],
        call,
        words="Scales and vocabularies come from training rows only. A name that they do not have "
        "counts for nothing; a missing number becomes the mean and is flagged. Each LayerNorm "
        "begins with vectors of one length, or a long picture vector would drown a short table.",
    )
