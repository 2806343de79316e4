"""Does a table add to the pictures?"""

import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.runs import EMBEDDING
from embedlab.signal import has_table
from embedlab.ui.access import may_start_jobs
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.fusion.form import fusion_form
from embedlab.ui.fusion.kept import show_kept, show_shares
from embedlab.ui.fusion.mixing import can_mix, show_mixing
from embedlab.ui.fusion.signal import show_signal
from embedlab.ui.job_panel import chosen_job, watch_for_run
from embedlab.ui.query import choose_query
from embedlab.ui.text import plain


def picture_by_picture(vectors: str) -> None:
    """Take one picture, and see what its picture and its row of the table do."""
    if not can_mix(run):
        return
    st.header("Picture by picture", anchor=False)
    left, right = st.columns([1, 3], gap="medium")
    with left:
        query = choose_query(run, "", own=False)
    with right:
        show_shares(run, query.row or 0)
        show_mixing(run, vectors, query.row or 0)


def show_form() -> None:
    """Fuse pictures and a table of one's own."""
    st.header("Your own pictures and table", anchor=False)
    if may_start_jobs():
        fusion_form()
        return
    st.caption("This server does not compute. On a machine of your own:")
    st.code("embedlab fuse my_photos items.csv --target price", language="bash")


framed()
run = current_run()
header(
    "Does a table add to the pictures?",
    "Four answers side by side: from the picture, from the table, from both, and from both with "
    "the table shuffled. Notice **when both beat the better one**, and when they cannot.",
)
job = chosen_job() if may_start_jobs() else None
if job is not None:
    watch_for_run(job, page="fusion", label="Look at what came of it")
    st.header(plain(f"Another run: {run.title}"), anchor=False)
call, d = "", run.embeddings.shape[1]
if "fusion" in run.info:
    show_kept(run)
    picture_by_picture(EMBEDDING)
    st.markdown(
        "Every page that looks at vectors works on this run: its embedding is the fused one, and "
        "**Vectors** offers the picture branch and the table branch by themselves."
    )
    call = f"""from embedlab import open_run
from embedlab.shares import load_shares

run = open_run({run.id!r})
run.info["fusion"]["verdict"]
run.embeddings, run.vectors("picture"), run.vectors("table")
load_shares(run).picture"""
    d = run.vectors("picture").shape[1]
elif run.labels is not None and has_table(run):
    try:
        vectors, signal = show_signal(run)
    except EmbedlabError as error:  # nothing to fit on, say; the form below works all the same
        st.info(plain(str(error)), icon=":material/info:")
    else:
        picture_by_picture(vectors)
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
show_form()
if call:
    explain(
        r"z = \mathrm{ReLU}\big(A\,[\,\mathrm{LN}(x) \,;\, \mathrm{LN}(t)\,] + a\big), \qquad "
        r"\hat y = W z + b",
        [
            ("x", f"({run.n_items:,}, {d:,})", "pictures, as their body gives them"),
            ("t", f"({run.n_items:,}, hidden / 2)", "table: embeddings of names, and numbers"),
            ("z", f"({run.n_items:,}, 256)", "both: the embedding of a fused run"),
        ],
        call,
        words="Scales and vocabularies come from training rows only. A name that they do not have "
        "counts for nothing; a missing number becomes the mean and is flagged. Each LayerNorm "
        "begins with vectors of one length, or a long picture vector would drown a short table. A "
        "gated fusion has z = g tanh(Ax) + (1 - g) tanh(Bt) in its place, with a gate g between 0 "
        "and 1 that sees both.",
    )
