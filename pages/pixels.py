"""What does each representation keep of a picture?"""

import numpy as np
import pandas as pd
import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.figures.readings import read_off_bars
from embedlab.readings import REPRESENTATIONS, Readings, make_readings
from embedlab.runs import EMBEDDING, Run
from embedlab.space.compare import disagreements
from embedlab.space.metrics import METRICS
from embedlab.space.scores import hubs
from embedlab.ui import cache
from embedlab.ui.choices import choose_k, choose_metric, choose_part, vectors_title
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.gallery import gallery
from embedlab.ui.query import choose_query
from embedlab.ui.state import choose_row
from embedlab.ui.text import numbers, plain

AMONG = {
    "all": "slice(None)",
    "train": "run.split == 'train'",
    "validation": "run.split == 'validation'",
}
COMPARED = ("cosine", "dot", "centred cosine", "centred dot", "euclidean")


def there(run: Run) -> list[str]:
    """Give the representations that this run can compare."""
    return [name for name in REPRESENTATIONS if name in run.vector_sets]


def show_galleries(run: Run, names: list[str], metric: str, part: str, k: int) -> None:
    """Show the same query's nearest pictures under each representation."""
    left, right = st.columns([1, 4], gap="medium")
    with left:
        query = choose_query(run, "", own=False)
    rows = cache.part_rows(run, part)
    with right:
        for name in names:
            st.markdown(f"**Nearest by {vectors_title(run, name).lower()}**")
            try:
                found = cache.index(run, name, metric).nearest(query.vector_or_row, k, rows=rows)
            except EmbedlabError as error:
                st.info(plain(str(error)), icon=":material/info:")
                continue
            gallery(
                run,
                found.rows.tolist(),
                key=f"nearest-{name}",
                scores=numbers(found.scores, 3),
                query_label=query.label,
                cell=92,
                label=f"Nearest by {name}",
                on_click=lambda row: choose_row(run, row),
            )


def show_precision(run: Run, names: list[str], part: str, k: int) -> None:
    """Compare, fairly: every representation under every measure."""
    if run.labels is None:
        st.info("This run has no classes, so neighbours cannot be scored.", icon=":material/info:")
        return
    table = {}
    for metric in COMPARED:
        cells = []
        for name in names:
            value = cache.precision(run, name, metric, k, part)
            if value is None or np.isnan(value.mean):
                cells.append("-")
                continue
            low, high = value.interval
            cells.append(f"**{value.mean:.1%}**  \n{low:.0%} to {high:.0%}")
        table[METRICS[metric].title] = cells
    # Not st.markdown: until its script has come, a wide table widens the whole page on a phone.
    st.table(pd.DataFrame(table, index=[vectors_title(run, name) for name in names]))
    chance = cache.precision(run, names[0], "cosine", k, part)
    note = f" Chance is {chance.chance:.0%}." if chance and np.isfinite(chance.chance) else ""
    st.caption(
        f"Of each picture's {k} nearest, the share of its own class, with 95 % intervals.{note} "
        "Plain dot products of pixels favour bright pictures full of contrast, so compare under "
        "the same measure on both sides."
    )


def show_hubs(run: Run, names: list[str], metric: str, part: str, k: int) -> None:
    """Show the pictures that are everybody's neighbour."""
    rows = cache.part_rows(run, part)
    for column, name in zip(st.columns(len(names)), names, strict=True):
        near = cache.neighbours(run, name, metric, k, part)
        found = hubs(near.rows, len(rows))
        with column:
            st.markdown(f"**{vectors_title(run, name)}** (skewness {found.skewness:.1f})")
            top = found.rows[:4]
            gallery(
                run,
                rows[top].tolist(),
                key=f"hubs-{name}",
                scores=[f"in {found.occurrences[row]} lists" for row in top],
                cell=88,
                label=f"Hubs by {name}",
                on_click=lambda row: choose_row(run, row),
            )


def show_disagreements(run: Run, metric: str, part: str, k: int) -> None:
    """Show the pictures on which pixels and embedding have least in common."""
    rows = cache.part_rows(run, part)
    a = cache.neighbours(run, "pixels", metric, k, part).rows
    b = cache.neighbours(run, EMBEDDING, metric, k, part).rows
    found = disagreements(a, b)
    st.markdown(
        f"On average the two lists of {k} share **{found.mean:.0%}** of their pictures. "
        "These share least; click one to see both lists above."
    )
    top = found.rows[:12]
    gallery(
        run,
        rows[top].tolist(),
        key="disagreements",
        scores=[f"{found.overlap[row]:.0%} shared" for row in top],
        cell=88,
        label="Pictures on which pixels and embedding disagree",
        on_click=lambda row: choose_row(run, row),
    )


@st.cache_resource(max_entries=16, show_spinner="Reading known factors off each representation …")
def readings(fingerprint: str, names: tuple[str, ...], _run: Run) -> Readings:
    """Read the class and every known factor off every representation."""
    return make_readings(_run, names)


def show_factors(run: Run, names: list[str]) -> None:
    """Say with numbers what each representation keeps and discards."""
    if not any(str(column).startswith("factor.") for column in run.items):
        st.info(
            "Nobody wrote down how these pictures were made, so what is kept can be seen above "
            "but not measured. The built-in garden's factors are known: choose it on the left.",
            icon=":material/info:",
        )
        return
    found = readings(run.fingerprint, tuple(names), run)
    titles = [vectors_title(run, name) for name in names]
    for kind, text in (
        (
            "category",
            "**Categories**: share of fresh pictures named rightly; the tick is the most "
            "frequent category's share",
        ),
        ("number", "**Numbers**: share of the variance explained (R²) on fresh pictures"),
    ):
        chosen = {
            factor: [by[name] for name in names]
            for factor, by in found.items()
            if len(by) == len(names) and by[names[0]].kind == kind
        }
        if chosen:
            st.markdown(text)
            st.plotly_chart(
                read_off_bars(
                    list(chosen),
                    titles,
                    [[reading.score for reading in line] for line in chosen.values()],
                    [[tuple(reading.interval) for reading in line] for line in chosen.values()],
                    [line[0].baseline for line in chosen.values()],
                ),
                key=f"factors-{kind}",
                config={"displayModeBar": False},
            )
    st.caption(
        "A linear model reads each factor off the training pictures' vectors and is scored on the "
        "validation pictures. Weakened is not gone: a factor that a linear model cannot read may "
        "still be there."
    )


framed()
run = current_run()
names = there(run)
header(
    "What does each representation keep of a picture?",
    "The same query, searched by pixels, by a colour histogram and by the embedding. Notice which "
    "one follows the **content** and which one the **surface**: light, colours, background.",
)
if "pixels" not in names:
    st.info(
        "This run has no pixel vectors: it was made without its pictures at hand. Choose another "
        "run, or train on the pictures again.",
        icon=":material/info:",
    )
else:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = choose_metric()
        part = choose_part(run)
        k = choose_k()
    show_galleries(run, names, metric, part, k)
    st.header("Which one finds the class?", anchor=False)
    show_precision(run, names, part, k)
    if len(cache.part_rows(run, part)) > 3:
        st.header("Hubs: everybody's neighbours", anchor=False)
        show_hubs(run, names, metric, part, k)
        st.header("Where they disagree", anchor=False)
        show_disagreements(run, metric, part, k)
    st.header("What is kept, what is thrown away", anchor=False)
    show_factors(run, names)
    about = run.about_vectors("pixels")
    n, d = run.vectors("pixels").shape
    pixels = int(about.get("n_dims") or d)
    explain(
        r"G = X X^\top = U S U^\top, \qquad Z = U S^{1/2}, \qquad z_i \cdot z_j = x_i \cdot x_j",
        [
            ("X", f"({n:,}, {pixels:,})", "pixels as the network is given them, flattened"),
            ("Z", f"({n:,}, {d:,})", "the same geometry in as few numbers as the pictures span"),
        ],
        f"""from embedlab import open_run
from embedlab.space.neighbours import knn
from embedlab.space.scores import precision_at_k

run = open_run({run.id!r})
pixels, among = run.vectors("pixels"), {AMONG[part]}
near = knn(pixels[among], {k}, {metric!r}, centre=pixels.mean(axis=0))
{"precision_at_k(run.labels[among], near.rows).mean" if run.labels is not None else "near.rows"}""",
        words="Pixel vectors are long, so their matrix is never held in memory: the table of all "
        "dot products is summed up piece by piece, and its root Z keeps every dot product, length, "
        "distance and mean.",
    )
