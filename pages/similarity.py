"""How alike are two pictures?"""

import numpy as np
import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.figures.distributions import histogram_pair
from embedlab.figures.matrices import cosine_table
from embedlab.figures.strips import CELLS, sorted_strips, vector_strips
from embedlab.runs import Run
from embedlab.space.metrics import METRICS
from embedlab.space.similarity import odd_one_out, pairwise, random_triples, within_between
from embedlab.ui import cache
from embedlab.ui.choices import choose_metric, choose_part, choose_vectors, vectors_title
from embedlab.ui.fragments import fragment
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.query import first_row, pick_picture
from embedlab.ui.state import heed_link
from embedlab.ui.text import numbers, plain

NAMES = ("A", "B", "C")
PAIRS = ((0, 1), (0, 2), (1, 2))
TRIPLES = 1000
ORDERS = {"own": "As the network has them", "a": "Sorted by A"}
PLAIN_CHART = {"displayModeBar": False}


def first_triple(run: Run) -> list[int]:
    """Choose three pictures to begin with: two of one class and one of another."""
    rows = cache.part_rows(run, "validation")
    rows = rows if len(rows) > 2 else np.arange(run.n_items)
    labels = np.zeros(len(rows)) if run.labels is None else run.labels[rows]
    triples = random_triples(labels, 1, seed=3)
    return rows[triples[0]].tolist() if len(triples) else [first_row(run)] * 3


def nearest_pair(table: np.ndarray) -> str:
    """Name the pair with the highest value off the diagonal."""
    i, j = max(PAIRS, key=lambda pair: table[pair])
    return f"{NAMES[i]} and {NAMES[j]}"


def show_tables(run: Run, vectors: np.ndarray) -> None:
    """Show the dot products, the lengths and the cosines of three vectors."""
    dots = vectors @ vectors.T
    lengths = np.linalg.norm(vectors, axis=1)
    left, middle, right = st.columns([2, 1, 2])
    with left:
        st.markdown("**Dot products**")
        written = np.reshape(numbers(dots.ravel(), 2), dots.shape).tolist()
        lines = "\n".join(
            f"| **{name}** | " + " | ".join(line) + " |"
            for name, line in zip(NAMES, written, strict=True)
        )
        st.markdown(f"| | A | B | C |\n|---|---|---|---|\n{lines}")
    with middle:
        st.markdown("**Lengths**")
        lines = "\n".join(
            f"| **{name}** | {length} |"
            for name, length in zip(NAMES, numbers(lengths, 2), strict=True)
        )
        st.markdown(f"| | length |\n|---|---|\n{lines}")
    if (lengths == 0).any():
        st.info("A vector of zeros has no direction, so there is no cosine.")
        return
    cosines = dots / np.outer(lengths, lengths)
    with right:
        st.markdown("**Cosines**")
        st.plotly_chart(cosine_table(cosines, NAMES, NAMES), key="three", config=PLAIN_CHART)
    by_dot, by_cosine = nearest_pair(dots), nearest_pair(cosines)
    longest = NAMES[int(lengths.argmax())]
    found = (
        f"Dot product and cosine both find **{by_dot}** most alike."
        if by_dot == by_cosine
        else f"The dot product finds **{by_dot}** most alike, the cosine **{by_cosine}**."
    )
    st.markdown(
        f"{found} {longest} has the longest vector: a long vector has large dot products with "
        "everything. Would you have chosen the same pair?"
    )


@fragment
def show_strips(vectors: np.ndarray) -> None:
    """Show three vectors as strips of colours, in the network's order or in that of A."""
    st.markdown("**The vectors themselves**, on one scale of colours: which stretches agree?")
    heed_link("order", ORDERS, "order")
    order = st.segmented_control(
        "Order of the dimensions",
        list(ORDERS),
        format_func=ORDERS.__getitem__,
        default="a" if vectors.shape[1] > CELLS else "own",
        required=True,
        key="order",
        bind="query-params",
    )
    if order == "a":
        figure = sorted_strips(vectors, NAMES, np.argsort(-vectors[0], kind="stable"), by="A")
        note = (
            "All three are sorted by A's values, so A fades from left to right. A vector that "
            "fades like it points the same way; one that is evenly speckled does not."
        )
    else:
        figure = vector_strips(vectors, NAMES)
        note = "The order is the network's, which means nothing: compare up and down, not along."
    st.plotly_chart(figure, key="strips", config=PLAIN_CHART)
    st.caption(note)


@st.cache_data(max_entries=64, show_spinner="Drawing random triples …")
def odd_ones_out(fingerprint: str, name: str, part: str, _run: Run) -> dict[str, float]:
    """Say how often each measure puts two pictures of a class nearer than a third of another."""
    rows = cache.part_rows(_run, part)
    triples = random_triples(_run.labels[rows], TRIPLES, seed=0)
    if not len(triples):
        return {}
    vectors = _run.vectors(name)
    return {
        metric: odd_one_out(
            vectors, rows[triples], metric, centre=cache.index(_run, name, metric).comparison.centre
        )
        for metric in METRICS
    }


def show_population(run: Run, name: str, metric: str, part: str) -> None:
    """Go beyond three pictures: random triples, and pairs within and between classes."""
    if run.labels is None or len(run.classes) < 2:
        st.info("This run has no two classes to compare within and between.")
        return
    rows = cache.part_rows(run, part)
    shares = odd_ones_out(run.fingerprint, name, part, run)
    if shares:
        st.markdown(
            f"**{TRIPLES:,} random triples**, two of one class and one of another. So often the "
            "two are nearer (chance: 50%):"
        )
        for column, (key, share) in zip(st.columns(len(shares)), shares.items(), strict=True):
            column.metric(METRICS[key].title, "-" if np.isnan(share) else f"{share:.0%}")
    centre = cache.index(run, name, metric).comparison.centre  # the mean of all, as everywhere
    found = within_between(run.vectors(name)[rows], run.labels[rows], metric, centre=centre)
    title = METRICS[metric].title
    st.markdown(f"**{title} of pairs within a class and between two classes**")
    if not len(found.within) or not len(found.between):
        st.info("There are too few pictures for pairs of both sorts.")
        return
    st.plotly_chart(
        histogram_pair(found.within, found.between, title=title),
        key="within-between",
        config=PLAIN_CHART,
    )
    overlap = found.overlap if METRICS[metric].higher_is_nearer else 1 - found.overlap
    st.caption(
        f"A pair from two classes is the more alike one in {overlap:.0%} of all comparisons: "
        "0% would be perfect, 50% chance."
    )


framed()
run = current_run()
header(
    "How alike are two pictures?",
    "Choose three pictures and guess first. Notice that the **dot product** rewards long vectors, "
    "while the **cosine** asks for the direction alone.",
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    name = choose_vectors(run)
    metric = choose_metric()
    part = choose_part(run)
rows = []
for column, letter, default in zip(st.columns(3), NAMES, first_triple(run), strict=True):
    with column:
        st.subheader(letter, anchor=False)
        rows.append(pick_picture(run, letter.lower(), default=default, cell=120))
vectors = np.asarray(run.vectors(name)[rows], np.float64)
show_tables(run, vectors)
show_strips(vectors)
try:
    value = pairwise(run.vectors(name), rows, metric)
    written = numbers([value[pair] for pair in PAIRS], 3)
    said = [f"{NAMES[i]} with {NAMES[j]} {x}" for (i, j), x in zip(PAIRS, written, strict=True)]
    st.caption(f"{METRICS[metric].title}: {', '.join(said)}")
except EmbedlabError as error:
    st.caption(plain(str(error)))
st.header("Beyond three pictures", anchor=False)
show_population(run, name, metric, part)

n, d = run.vectors(name).shape
explain(
    METRICS[metric].formula,
    [
        ("vectors", f"({n:,}, {d:,})", f"{vectors_title(run, name).lower()}, one row a picture"),
        ("A, B, C", f"({d:,},)", "one row each"),
    ],
    f"""from embedlab import open_run
from embedlab.space.similarity import pairwise

run = open_run({run.id!r})
pairwise(run.vectors({name!r}), {rows}, {metric!r})""",
)
