"""What becomes of a picture on its way through the network?"""

import numpy as np
import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.figures import network
from embedlab.figures.contributions import answers
from embedlab.figures.palette import class_style
from embedlab.origin import origin
from embedlab.runs import Run
from embedlab.space.feature_maps import class_map, is_average, strongest_channels
from embedlab.ui import cache
from embedlab.ui.choices import choose_class
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.query import choose_query
from embedlab.ui.text import plain

SHOWN = 8  # channels
ORIGINAL = 260  # pixels that a picture is wide on the page
MOST_CLASSES = 12
NOT_DRAWN = {
    "fusion": "Its embedding is a fusion of pictures and a table, so there is no one network from "
    "picture to class to draw. The fusion page shows what each of the two brings.",
    "onnx": "This run's network came as an ONNX file, which is taken as a whole: its blocks are "
    "not listed here, only what comes out at its end.",
    "vectors": "This run was imported as vectors: the network that made them is not known here.",
    "plain": "This run has no network: its embedding is computed from the pixels directly.",
    "network": "The blocks of this run's network were not written down when it was made.",
}
NO_MAP = (
    "This network gives a vector for a picture and no map before it, so channels and places "
    "cannot be shown."
)


def show_blocks(run: Run) -> None:
    """Draw the network and list its blocks."""
    architecture = run.info.get("architecture")
    if not architecture:
        st.info(NOT_DRAWN[origin(run)], icon=":material/info:")
        return
    drawing, about = st.columns([3, 2], gap="large")
    drawing.plotly_chart(
        network.blocks(architecture),
        key="blocks",
        config={"displayModeBar": False},
        alt="The network's blocks from the picture to the classes; the same as in the table.",
    )
    total = sum(row["parameters"] for row in architecture)
    head = architecture[-1]["parameters"]
    with about:
        st.markdown(
            "Each block is as wide as its map's side and as thick as it has channels (both as "
            "logarithms). On the right: what comes out of it **for one picture**, as channels x "
            "height x width."
        )
        st.markdown(f"**{total:,} parameters** in all, {head:,} of them in the head.")
        show_batch(run, architecture)
    with st.expander("The blocks as a table", icon=":material/table:"):
        st.dataframe(
            [
                {
                    "block": row["name"],
                    "what it is": row["what"],
                    "its output for one picture": " x ".join(map(str, row["shape"][1:])),
                    "parameters": row["parameters"],
                }
                for row in network.steps(architecture)
            ],
            hide_index=True,
        )


def show_batch(run: Run, architecture: list[dict]) -> None:
    """Say with which shapes a batch goes through: the first number is how many pictures."""
    batch = int(run.info.get("training", {}).get("batch_size") or 1)
    if batch < 2:
        return
    names = [row["name"] for row in architecture]
    cut = names.index("embedding") if "embedding" in names else len(names) - 1
    ends = [architecture[0], *architecture[max(cut - 1, 1) :]]
    shapes = " → ".join(f"`{[batch, *row['shape'][1:]]}`" for row in ends)
    st.markdown(f"In training, {batch} pictures go through at a time, as one array: {shapes}.")
    st.caption(f"The {batch} in front is the batch: how many pictures, all treated alike.")


def show_pictures(run: Run, row: int) -> None:
    """Show the original beside what the network is given of it."""
    picture, exact = cache.original(run, row)
    st.subheader("What goes in", anchor=False)
    with st.container(horizontal=True):
        st.image(
            picture,
            width=ORIGINAL,
            caption=f"The original: {picture.width} x {picture.height} pixels"
            if exact
            else "The small copy that the run keeps; the original is not at hand",
        )
        given = cache.seen(run, row)
        if given is not None:
            size = "" if run.preprocessing is None else f": {run.preprocessing.size} pixels square"
            st.image(given, width=ORIGINAL, caption=f"What the model saw{size}")


def show_answer(run: Run, row: int) -> None:
    """Draw what the head makes of the vector: logits and probabilities."""
    head = run.head
    if head is None:
        return
    st.subheader("What the head does with the vector", anchor=False)
    logits = head.logits(run.embeddings[row][None])[0].astype(np.float64)
    if len(head.classes) == 1:
        st.markdown(f"It predicts **{logits[0]:,.2f}** for {plain(head.classes[0])}.")
        return
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    order = np.argsort(-logits, kind="stable")[:MOST_CLASSES]
    st.plotly_chart(
        answers(
            [head.classes[k] for k in order],
            logits[order],
            shares[order],
            [class_style(int(k)).colour for k in order],
        ),
        key="answer",
        config={"displayModeBar": False},
    )
    first = "" if len(order) == len(logits) else f" The {len(order)} highest of {len(logits)}."
    st.caption(
        "A class's logit is the vector's dot product with its prototype, plus its bias; softmax "
        f"turns all logits into probabilities, which add up to 1.{first}"
    )


def show_inside(run: Run, row: int, fresh: np.ndarray) -> None:
    """Show what the network makes of one picture: channels, then where a class's score is made."""
    if fresh.ndim != 3:
        st.info(NO_MAP, icon=":material/info:")
        return
    c, h, w = fresh.shape
    st.subheader(f"The map before pooling: {c:,} channels of {h} x {w}", anchor=False)
    st.markdown("The channels that this picture excites most. Bright places excite the channel.")
    with st.container(horizontal=True, gap="small"):
        for place, number in enumerate(strongest_channels(fresh, SHOWN)):
            st.plotly_chart(
                network.channel(fresh[number], title=f"channel {number}"),
                key=f"channel-{place}",
                width=132,
                config={"displayModeBar": False},
            )
    given = cache.seen(run, row)
    if run.head is None or given is None or run.head.weight.shape[1] != c:
        return
    st.subheader("Where a class's score is made", anchor=False)
    guess = int(run.head.logits(run.embeddings[row][None])[0].argmax())
    class_ = choose_class(run.head.classes, key="map-class", default=run.head.classes[guess])
    k = run.head.classes.index(class_)
    values = class_map(fresh, run.head.weight[k])
    left, right = st.columns([3, 2], gap="medium")
    left.plotly_chart(
        network.overlay(given, values, title=f"what each place adds to: {class_}"),
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
notice = "One vector is left of a picture. How it came to be is not known here."
if run.info.get("architecture"):
    notice = (
        "Notice how the map shrinks while its channels grow: **where** is traded for **what**, "
        "until one vector is left. There the network is cut: before it the body, after it the head."
    )
elif run.head is not None:
    notice = "One vector is left of a picture: before it is the body, after it the head."
elif run.body is not None:
    notice = "One vector is left of a picture: what stands before it is the body."
header("What becomes of a picture on its way through the network?", notice)
mapped, problem = False, NO_MAP
try:
    mapped = cache.has_feature_map(run)
except EmbedlabError as error:
    problem = plain(str(error))
show_blocks(run)
left, right = st.columns([1, 3], gap="medium")
with left:
    query = choose_query(run, "embedding", own=False)
with right:
    if query.row is not None:
        show_pictures(run, query.row)
    if run.body is None or run.preprocessing is None:
        st.info(
            "This run has no body, so pictures cannot be sent through it again.",
            icon=":material/info:",
        )
    elif not mapped:
        st.info(problem, icon=":material/info:")
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
    if query.row is not None:
        show_answer(run, query.row)

d = run.embeddings.shape[1]
steps = [r"\underbrace{x}_{\text{picture}}"]
steps += [r"\underbrace{F}_{c \times h \times w}"] if mapped else []
mean = r"e_c = \tfrac{1}{hw}\textstyle\sum_{ij} F_{cij}" if mapped else "e"
steps += [rf"\underbrace{{{mean}}}_{{\text{{embedding}}}}"]
steps += [r"\underbrace{W e + b}_{\text{logits}}"] if run.head is not None else []
arrays = [("e", f"({d:,},)", "the embedding: what is left of the picture at the cut")]
words = "The run has no head, so nothing is scored: the embedding is the end."
if run.head is not None:
    rows = len(run.head.weight)
    arrays += [
        ("W", f"({rows:,}, {d:,})", "the head: one row, a prototype, for each class"),
        ("b", f"({rows:,},)", "one bias a class"),
    ]
    words = (
        "The head does one thing with the vector: it compares it with each class's prototype by a "
        "dot product and adds a bias."
    )
explain(r" \to ".join(steps), arrays, notebook(run, query.row or 0), words=words)
