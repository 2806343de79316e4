"""How deep to cut?"""

import numpy as np
import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.layers import (
    K,
    Layers,
    kept_layers,
    kept_sizes,
    refusal,
    umap_maps,
)
from embedlab.runs import Run
from embedlab.ui import cache
from embedlab.ui.choices import choose_k, choose_part
from embedlab.ui.elevator import SCORES, depth_title, elevator, words
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.gallery import gallery
from embedlab.ui.layers_form import layers_form, what_it_takes
from embedlab.ui.maps import choose_colour
from embedlab.ui.query import first_row, pick_picture
from embedlab.ui.state import choose_row
from embedlab.ui.text import numbers, plain

FLOORS = 5


def verdict(layers: Layers) -> None:
    """Say where the classes are read off best, and whether the end is any worse."""
    end = layers.depths[-1]
    for score, name in SCORES.items():
        best, last = layers.best(score), getattr(end, score)
        if best is None or last is None or not last.total:
            continue
        top = getattr(best, score)
        if best is end:
            st.markdown(f"By **{name}**, the end of the body is best: **{words(last)}**.")
            continue
        apart = top.interval.low > last.interval.high
        st.markdown(
            f"By **{name}**, **{plain(depth_title(best))}** is best: **{words(top)}**; the end has "
            f"{words(last)}. "
            + (
                "The intervals do not touch."
                if apart
                else "The intervals overlap, so this may be chance."
            )
        )
    if layers.n_scored:
        how = "validation" if layers.own_split else "other"
        drawn = "" if layers.own_split else " (the run has no training part, so they were drawn)"
        st.caption(
            f"Fitted on {layers.n_fitted:,} pictures, scored on {layers.n_scored:,} {how} "
            f"pictures{drawn}. The best of many depths, chosen on the pictures that score it, "
            "looks a little better than it is."
        )


@st.cache_resource(max_entries=8, show_spinner="Laying the drawings over each other …")
def umap_of(fingerprint: str, size: int, _run: Run, _layers: Layers) -> np.ndarray:
    """Give the kept UMAP layouts of all depths, laid over each other."""
    return umap_maps(_run, _layers)


def drawn(run: Run, layers: Layers, by: str) -> np.ndarray:
    """Choose the drawings; offer to compute those that are missing."""
    if by == "PCA":
        return layers.maps
    if umap_maps(run, layers) is not None:
        return umap_of(run.fingerprint, layers.size, run, layers)
    st.info("UMAP has not laid out every depth yet; PCA is shown.", icon=":material/bubble_chart:")
    layers_form(run, size=layers.size, umap=True)
    return layers.maps


def show_neighbours(run: Run, layers: Layers, part: str) -> None:
    """Show what is nearest to one picture at several depths, one below the other."""
    left, right = st.columns([1, 4], gap="medium")
    with left:
        row = pick_picture(run, "query", default=first_row(run), mark="query")
    rows = cache.part_rows(run, part)
    with right:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            k = choose_k(key="floor-k", default=6)
            every = st.toggle("Every depth", key="every-depth", bind="query-params")
        depths = layers.depths
        if not every and len(depths) > FLOORS:
            chosen = np.unique(np.linspace(0, len(depths) - 1, FLOORS).round().astype(int))
            depths = tuple(depths[place] for place in chosen)
        label = None if run.labels is None else int(run.labels[row])
        for depth in depths:
            try:
                found = cache.index(run, depth.vectors, "cosine").nearest(row, k, rows=rows)
            except EmbedlabError as error:
                st.info(f"{plain(depth_title(depth))}: {plain(str(error))}", icon=":material/info:")
                continue
            same = ""
            if label is not None:
                count = int((run.labels[found.rows] == label).sum())
                same = f": **{count} of {len(found.rows)}** of its class"
            st.markdown(f"**{plain(depth_title(depth))}**{same}")
            gallery(
                run,
                found.rows.tolist(),
                key=f"floor-{depth.name}",
                scores=numbers(found.scores, 3),
                query_label=label,
                cell=84,
                label=f"Nearest at {depth_title(depth)}",
                on_click=lambda clicked: choose_row(run, clicked),
            )


def show_table(layers: Layers) -> None:
    """List every number of the page."""
    with st.expander("The depths as a table", icon=":material/table:"):
        st.dataframe(
            [
                {
                    "depth": depth_title(depth),
                    "shape": " x ".join(map(str, depth.shape)),
                    "numbers": depth.n_dims,
                    **{name: words(getattr(depth, score)) for score, name in SCORES.items()},
                    "intrinsic dimension": depth.dimension,
                }
                for depth in layers.depths
            ],
            hide_index=True,
            column_config={"intrinsic dimension": st.column_config.NumberColumn(format="%.1f")},
        )


def show_layers(run: Run, layers: Layers, sizes: list[int]) -> None:
    """Show all that was found out about a run's depths."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        colour = choose_colour(run)
        part = choose_part(run)
        by = st.segmented_control(
            "Drawn by",
            ["PCA", "UMAP"],
            default="PCA",
            required=True,
            key="drawn-by",
            bind="query-params",
        )
    if layers.n_small:
        st.caption(
            f"Of {layers.n_small:,} of {run.n_items:,} pictures the original is not on this "
            "machine; the small copy that the run keeps went through the body in its place, so "
            "numbers differ a little from the embedding's."
        )
    elevator(run, layers, drawn(run, layers, by), by, colour, part)
    verdict(layers)
    show_table(layers)
    st.header("One picture's neighbours on the way down", anchor=False)
    show_neighbours(run, layers, part)
    with st.expander("At another size of picture", icon=":material/photo_size_select_large:"):
        st.markdown(
            "A network that shrinks small pictures to a single place has nothing left to average. "
            "Enlarging them does not add detail, but leaves more room."
        )
        size = int(st.number_input("Pixels", 16, 512, layers.size, step=8, key="other-size"))
        if size in sizes:
            st.caption("Computed, and kept in the run.")
        else:
            st.markdown(what_it_takes(run, size=size))
            layers_form(run, size=size)


framed()
run = current_run()
header(
    "How deep to cut?",
    "A network can be cut anywhere. Notice **where the classes part**, and whether the last floor "
    "is really the best one for these pictures.",
)
reason = refusal(run)
sizes = kept_sizes(run)
if not sizes and reason is not None:
    st.info(f"{plain(reason.problem)} {plain(reason.remedy)}", icon=":material/info:")
elif not sizes:
    st.markdown(what_it_takes(run))
    layers_form(run)
else:
    size = sizes[0]
    if len(sizes) > 1:
        size = st.selectbox(
            "Pictures of",
            sizes,
            format_func=lambda one: f"{one} px",
            key="layer-size",
            bind="query-params",
            width=140,
        )
    found = kept_layers(run, size=size)
    assert found is not None
    show_layers(run, found, sizes)

if sizes:
    last = found.depths[-1]
    n, d = run.vectors(last.vectors).shape
    c = last.shape[0]
    parts = "held = run.split == 'validation'"
    if not found.own_split:  # as the scores were made
        parts = "held = split(run.n_items, stratify=run.labels) == 'validation'"
    more = "" if found.own_split else "from embedlab.data.dataset import split\n"
    scored = f"""from embedlab.space.probes import knn_accuracy

{parts}
vectors = run.vectors(layers.depths[0].vectors)
knn_accuracy(vectors[~held], run.labels[~held], vectors[held], run.labels[held])"""
    explain(
        r"v^{(l)}_c = \frac{1}{h_l w_l} \sum_{ij} F^{(l)}_{cij} \qquad "
        r"\text{accuracy}(l) = \frac{\#\{\text{fresh pictures named rightly from } v^{(l)}\}}"
        r"{\#\{\text{fresh pictures}\}}",
        [
            ("F at the end", str(tuple(last.shape)), f"the map, {c:,} channels, of one picture"),
            ("v at the end", f"({n:,}, {d:,})", "its averages, one row a picture"),
            ("maps", str(found.maps.shape), "each depth in the plane, turned over the next"),
        ],
        f"""from embedlab import open_run
{more}from embedlab.layers import make_layers

run = open_run({run.id!r})
layers = make_layers(run)          # reads what is kept; needs torch only the first time
{scored if run.labels is not None else "layers.depths[0].dimension"}""",
        words="Every map is averaged over its places, so that all depths give a vector. Neighbours "
        f"vote ({K}, by cosine); the linear probe is a logistic regression. Intrinsic dimension: "
        "in how many directions a picture can move without leaving the cloud (TwoNN). The drawings "
        "are PCA's first two axes, brought to one spread and turned, never bent: a picture that "
        "moves has really moved among the others.",
    )
