"""What embedlab is, the runs there are, and how to bring one's own pictures."""

from dataclasses import replace

import streamlit as st

from embedlab.data.notes import count
from embedlab.origin import origin
from embedlab.runs import EMBEDDING, Run, unreadable_runs
from embedlab.ui import cache, drawings
from embedlab.ui.fragments import fragment
from embedlab.ui.frame import PAGES, current_run, framed, header, run_line, run_names
from embedlab.ui.linked_map import Panel, linked_map
from embedlab.ui.maps import run_points, selection
from embedlab.ui.text import plain

framed()

PIXELS = "By their pixels"
NETWORKS = "the network's **embedding**, {d:,} numbers that it makes of each picture"
SHOWN = 10  # runs on a page of the list
LESSON = "Twelve questions lead through these pages."
# What the second map is laid out by; how the first sentence says so, with one map and with two.
WORDS = {
    "network": ("By what the network has learned", NETWORKS, "the network finds"),
    "onnx": ("By what the network has learned", NETWORKS, "the network finds"),
    "vectors": ("By the vectors", "the vectors that were brought", "these vectors make"),
    "plain": ("By their embedding", "another embedding without a network", "this embedding makes"),
    "fusion": ("By picture and table", "an embedding of picture and table", "both together make"),
}


def first_panels(run: Run) -> list[Panel]:
    """Lay the pictures out twice: by pixels where the run has them, and by embedding."""
    panels = []
    for name in ("pixels", EMBEDDING):
        if name in run.vector_sets:
            title = PIXELS if name == "pixels" else WORDS[origin(run)][0]
            panels.append(replace(drawings.pca_panel(run, name, "pca12"), title=title))
    return panels


@fragment
def first_view(run: Run) -> None:
    """Show the two maps and the pictures that are selected in them."""
    panels = first_panels(run)
    state = linked_map(
        panels,
        points=run_points(run, "label" if run.labels is not None else "split"),
        key="home-map",
        memory=f"run:{run.id}",
        height=430,
        pictures=True,
        label=f"The pictures, {' and '.join(panel.title.lower() for panel in panels)}",
    )
    selection(
        run,
        state,
        key="home-selection",
        hint="Click a picture, or draw a loop around some with the second tool: the same pictures "
        "light up in the other map.",
        panels=panels,
    )


@fragment
def show_runs() -> None:
    """List the runs, newest first, a page at a time, each to be looked at."""
    runs, names = list(cache.runs().values()), run_names()
    pages = -(-len(runs) // SHOWN)
    here = next((place for place, other in enumerate(runs) if other.id == run.id), 0) // SHOWN
    page = int(st.pagination(pages, default=1 + here, key="runs-page")) if pages > 1 else 1
    for other in runs[(page - 1) * SHOWN : page * SHOWN]:
        with st.container(horizontal=True, vertical_alignment="center"):
            name = names.get(other.id, other.title)
            st.markdown(f"**{plain(name)}**  \n{run_line(other)}", width="stretch")
            if other.id == run.id:
                st.badge("you are here", icon=":material/visibility:")
            elif st.button("Look", key=f"look-{other.id}"):
                st.query_params["run"] = other.id
                st.rerun()


run = current_run()
title = plain(run.title)
embedded = WORDS[origin(run)][1].format(d=run.embeddings.shape[1])
header(
    "See what an image network has learned",
    f"The {run.n_items:,} pictures of **{title}**, laid out twice: by their pixels, and by "
    f"{embedded}. Notice **what lies together** in each: light and background in the first, and in "
    "the second?"
    if "pixels" in run.vector_sets
    else f"The {run.n_items:,} pictures of **{title}**: near each other where "
    f"{WORDS[origin(run)][2]} them alike.",
)
first_view(run)
if run.info.get("dataset", {}).get("name") == "garden":
    st.caption(
        "The garden's pictures are drawn by embedlab itself, so that everything about them is "
        "known. Real photos are one command away."
    )

st.subheader("Where to look next", anchor=False)
looks = PAGES["Look"] + PAGES["Learn"]
for first in range(0, len(looks), 3):
    for column, entry in zip(st.columns(3), looks[first : first + 3], strict=False):
        with column.container(border=True, height="stretch"):
            icon = f":material/{entry.icon}:"
            st.page_link(
                f"pages/{entry.file}.py",
                label=entry.title,
                icon=icon,
                query_params={"run": run.id},
            )
            st.caption(entry.question if entry.file != "lesson" else f"{entry.question} {LESSON}")

st.subheader("Runs on this machine", anchor=False)
show_runs()

if broken := unreadable_runs():
    with st.expander(
        f"{count(len(broken), 'run')} that cannot be read", icon=":material/folder_off:"
    ):
        for error in broken:
            st.markdown(f"- {plain(error.problem)}  \n  {plain(error.remedy)}")
        st.caption(
            "They are left out above, and nothing in them was changed. A folder that nobody needs "
            "can be deleted."
        )

st.subheader("Your own pictures", anchor=False)
folder, named, own, sent = st.tabs(
    ["A folder", "A named set", "A network of your own", "A run that somebody sent you"]
)
with folder:
    st.markdown("One sub-folder a class. The pictures stay where they are.")
    st.code("embedlab train my_photos --freeze", language="bash")
    st.page_link("pages/train.py", label="Or on the Train page", icon=":material/model_training:")
with named:
    st.markdown("Downloaded and verified once: the notebook's flowers, digits, and more.")
    st.code("embedlab train flowers --freeze\nembedlab train digits", language="bash")
with own:
    st.markdown("Weights of a torchvision network, ONNX, or vectors.")
    st.code("embedlab import mine.pth my_photos --backbone resnet18", language="bash")
    st.page_link("pages/bring.py", label="Or on the Bring page", icon=":material/upload:")
with sent:
    st.markdown("A run is a folder; zipped, it travels. Nothing of it is executed.")
    st.code("embedlab runs import flowers.zip", language="bash")
    st.page_link("pages/bring.py", label="Or on the Bring page", icon=":material/upload:")
