"""What becomes of a picture on its way through the network?"""

import numpy as np
import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.figures import network
from embedlab.runs import Run
from embedlab.space.feature_maps import class_map, is_average, strongest_channels
from embedlab.ui import cache
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.query import choose_query
from embedlab.ui.text import plain

SHOWN = 8


def show_blocks(run: Run) -> None:
    """Draw the network and list its blocks."""
    architecture = run.info.get("architecture")
    if not architecture:
        st.info(
            "Its embedding is a fusion of pictures and a table, so there is no one network from "
            "picture to class to draw. The fusion page shows what each of the two brings."
            if "fusion" in run.info
            else "This run was imported as vectors: the network that made them is not known here.",
            icon=":material/info:",
        )
        return
    batch = int(run.info.get("training", {}).get("batch_size") or 1)
    st.plotly_chart(
        network.blocks(architecture, batch=batch), key="blocks", config={"displayModeBar": False}
    )
    total = sum(row["parameters"] for row in architecture)
    head = architecture[-1]["parameters"]
    st.caption(
        f"Each block is as high as its map's side and as wide as it has channels (both as "
        f"logarithms). {total:,} parameters in all, {head:,} of them in the head."
    )
    with st.expander("The blocks as a table", icon=":material/table:"):
        st.dataframe(
            [
                {
                    "block": row["name"],
                    "what it is": row["what"],
                    "shape of its output": str([batch, *row["shape"][1:]]),
                    "parameters": row["parameters"],
                }
                for row in architecture
            ],
            hide_index=True,
        )


def show_inside(run: Run, row: int, fresh: np.ndarray) -> None:
    """Show what the network makes of one picture: channels, then where a class's score is made."""
    if fresh.ndim != 3:
        st.info("This network has no map before pooling.", icon=":material/info:")
        return
    c, h, w = fresh.shape
    st.subheader(f"The map before pooling: {c:,} channels of {h} x {w}", anchor=False)
    st.markdown("The channels that this picture excites most. Bright places excite the channel.")
    columns = st.columns(4)
    for place, number in enumerate(strongest_channels(fresh, SHOWN)):
        columns[place % 4].plotly_chart(
            network.channel(fresh[number], title=f"channel {number}"),
            key=f"channel-{place}",
            config={"displayModeBar": False},
        )
    if run.head is None or run.inputs is None or run.head.weight.shape[1] != c:
        return
    st.subheader("Where a class's score is made", anchor=False)
    guess = int(run.head.logits(run.embeddings[row][None])[0].argmax())
    class_ = st.pills(
        "Class", run.head.classes, default=run.head.classes[guess], key="map-class", required=True
    )
    k = run.head.classes.index(class_)
    values = class_map(fresh, run.head.weight[k])
    left, right = st.columns([3, 2], gap="medium")
    left.plotly_chart(
        network.overlay(run.inputs[row], values, title=f"what each place adds to: {class_}"),
        key="class-map",
        config={"displayModeBar": False},
    )
    with right:
        st.markdown("Red places speak **for** the class, blue ones **against** it.")
        if is_average(fresh, run.embeddings[row], tolerance=0.05):
            st.markdown(
                f"The mean over all places, {values.mean():.3f}, plus the bias, "
                f"{run.head.bias[k]:.3f}, is the class's logit: "
                f"**{values.mean() + run.head.bias[k]:.3f}**. Nothing is approximated: averaging "
                "and the head are both linear, so they may change places."
            )


def notebook(run: Run, row: int) -> str:
    """Write the lines that give a picture's logits, as far as the run keeps what they take."""
    lines = ["from embedlab import open_run"]
    if run.body is None or run.preprocessing is None:
        lines += ["", f"run = open_run({run.id!r})", f"vector = run.embeddings[[{row}]]"]
    else:
        lines += [
            "from embedlab.data.pictures import decode",
            "from embedlab.models.onnx_body import OnnxBody",
            "",
            f"run = open_run({run.id!r})",
            "body = OnnxBody(run.body, run.preprocessing)",
            f"vector = body.embed([decode(run.thumbnails[{row}])])  # of the small picture",
        ]
    return "\n".join([*lines, "vector" if run.head is None else "run.head.logits(vector)"])


framed()
run = current_run()
header(
    "What becomes of a picture on its way through the network?",
    "Notice how the map shrinks while its channels grow: **where** is traded for **what**, until "
    "one vector is left. There the network is cut: before it the body, after it the head.",
)
show_blocks(run)
left, right = st.columns([1, 3], gap="medium")
with left:
    query = choose_query(run, "embedding", own=False)
    if run.inputs is not None and query.row is not None:
        st.image(run.inputs[query.row], caption="What the model saw", width=180)
with right:
    if run.body is None or run.preprocessing is None:
        st.info(
            "This run has no body, so pictures cannot be sent through it again.",
            icon=":material/info:",
        )
    elif query.row is not None:
        try:
            fresh, exact = cache.feature_map(run, query.row)
        except EmbedlabError as error:
            st.info(plain(str(error)), icon=":material/info:")
        else:
            show_inside(run, query.row, fresh)
            if not exact:
                st.caption(
                    "Computed from the small picture that the run keeps; the original is not on "
                    "this machine, so numbers differ a little from the embedding's."
                )

d = run.embeddings.shape[1]
classes = len(run.classes)
explain(
    r"\underbrace{x}_{\text{picture}} \to \underbrace{F}_{c \times h \times w} \to "
    r"\underbrace{e_c = \tfrac{1}{hw}\textstyle\sum_{ij} F_{cij}}_{\text{embedding}} \to "
    r"\underbrace{W e + b}_{\text{logits}}",
    [
        ("e", f"({d:,},)", "the embedding: what is left of the picture at the cut"),
        ("W", f"({classes}, {d:,})", "the head: one row, a prototype, for each class"),
        ("b", f"({classes},)", "one bias a class"),
    ],
    notebook(run, query.row or 0),
    words="The head does one thing with the vector: it compares it with each class's prototype by "
    "a dot product and adds a bias.",
)
