"""Which pictures does the network find alike?"""

import numpy as np
import streamlit as st

from embedlab.runs import Run
from embedlab.space.metrics import METRICS
from embedlab.ui import cache
from embedlab.ui.choices import (
    choose_k,
    choose_metric,
    choose_part,
    choose_vectors,
    part_code,
    show_seen,
)
from embedlab.ui.export import export_buttons
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.gallery import gallery
from embedlab.ui.query import Query, choose_query
from embedlab.ui.state import choose_row
from embedlab.ui.text import numbers, plain


def headline(run: Run, query: Query, rows: np.ndarray, part: str, precision_of: tuple) -> None:
    """Say how many neighbours share the class, here and on the whole."""
    precision = cache.precision(run, *precision_of, part)
    if precision is None:
        return
    low, high = precision.interval
    everywhere = (
        f"Over all {part if part != 'all' else ''} pictures, **{precision.mean:.1%}** of the "
        f"nearest are of their query's class (95 %: {low:.1%} to {high:.1%})."
    )
    if query.label is None or run.labels is None:
        st.markdown(everywhere)
        return
    same = int((run.labels[rows] == query.label).sum())
    st.markdown(
        f"**{same} of {len(rows)}** nearest pictures are of its class, "
        f"{plain(run.classes[query.label])}. {everywhere}"
    )


OWN_CODE = """from PIL import Image
from embedlab.models.onnx_body import OnnxBody

body = OnnxBody(run.body, run.preprocessing)
query = body.embed([Image.open("mine.jpg").convert("RGB")])[0]"""


framed()
header(
    "Which pictures does the network find alike?",
    "Notice **what stays the same** from the query to its nearest pictures, and what is free to "
    "change: that is what the network has learned to keep, and to throw away. "
    "Click any picture to walk on from there.",
)
run = current_run()
with st.container(horizontal=True, vertical_alignment="bottom"):
    vectors = choose_vectors(run)
    metric = choose_metric()
    part = choose_part(run)
    k = choose_k()
    seen = show_seen(run)

left, right = st.columns([1, 3], gap="medium")
with left:
    query = choose_query(run, vectors, seen=seen, part=part)
with right:
    index = cache.index(run, vectors, metric)
    pool = cache.part_rows(run, part)
    nearest = index.nearest(query.vector_or_row, k, rows=pool)
    farthest = index.farthest(query.vector_or_row, k, rows=pool)
    headline(run, query, nearest.rows, part, (vectors, metric, k))
    for title, ranking in (("Most similar", nearest), ("Least similar", farthest)):
        st.subheader(title, anchor=False)
        gallery(
            run,
            ranking.rows.tolist(),
            key=f"grid-{title}",
            scores=numbers(ranking.scores, 3),
            query_label=query.label,
            seen=seen,
            label=title,
            on_click=lambda row: choose_row(run, row),
        )
        export_buttons(
            run, ranking.rows, name=title.lower().replace(" ", "-"), similarity=ranking.scores
        )
    measure = METRICS[metric]
    st.caption(
        f"Below each picture: {measure.phrase}; "
        f"{'higher' if measure.higher_is_nearer else 'lower'} is nearer. {measure.explanation}"
    )
    if len(index.unranked):
        st.caption(f"{len(index.unranked)} pictures cannot be ranked: their vectors are zero.")

n, d = run.vectors(vectors).shape
explain(
    METRICS[metric].formula,
    [
        ("vectors", f"({n:,}, {d:,})", "one row a picture, float32"),
        ("query", f"({d:,},)", "the chosen picture's row, or what the body makes of your own"),
        ("scores", f"({n:,},)", f"{METRICS[metric].phrase} of the query with every row"),
    ],
    f"""from embedlab import open_run
from embedlab.space.neighbours import NeighbourIndex

run = open_run({run.id!r})
index = NeighbourIndex.of(run.vectors({vectors!r}), {metric!r})
{OWN_CODE if query.row is None else f"query = {query.row}"}
index.nearest(query, k={k}{part_code(part)}).rows.tolist()""",
    words="The query is compared with every other picture; the scores are put in order.",
)
