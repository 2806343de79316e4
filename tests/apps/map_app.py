"""Synthetic points with drawn pictures in several panels, for tests and benchmarks.

The address says what is shown: ?n=1000&panels=4&colour=value&few=1&sparse=1
"""

import numpy as np
import streamlit as st

from embedlab.figures.palette import class_style
from embedlab.ui.linked_map import Arrows, Groups, Panel, Points, Scale, linked_map, map_state
from embedlab.ui.picture_grid import Caption, picture_grid
from tests.apps.drawn import jpeg

FEW = [jpeg(row) for row in range(64)]  # quick to give, for benchmarks

CLASSES = ("daisy", "dandelion", "<b>rose</b>", "sunflower", "tulip")

st.set_page_config(layout="wide")
n = int(st.query_params.get("n", "750"))
n_panels = int(st.query_params.get("panels", "4"))
kind = st.query_params.get("colour", "class")
few = "few" in st.query_params
sparse = "sparse" in st.query_params


@st.cache_resource
def cloud(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give labels, predictions and (n, 9) coordinates of five clouds."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, len(CLASSES), n)
    centres = rng.normal(0, 3.0, (len(CLASSES), 9))
    values = centres[labels] + rng.normal(0, 1.0, (n, 9)) * [2, 1.5, 1, 1, 1, 1, 1, 1, 1]
    guesses = np.where(rng.random(n) < 0.1, rng.integers(0, len(CLASSES), n), labels)
    return labels, guesses, values.astype(np.float32)


@st.cache_resource
def made(n: int, kind: str, few: bool, sparse: bool) -> tuple[list[Panel], Points]:
    """Give the panels and the points."""
    labels, guesses, values = cloud(n)
    styles = [class_style(k) for k in range(len(CLASSES))]
    colours = [style.colour for style in styles]
    groups = Groups("class", CLASSES, labels, colours, [style.symbol for style in styles])
    centres = np.array([values[labels == k].mean(0) for k in range(len(CLASSES))])
    arrows = Arrows(CLASSES, centres[:, 2:4] * 0.8, colours, "0 is the mean of the data")
    third = values[:, 4:6].copy()
    third[::50] = np.nan
    panels = [
        Panel("one", "PCA 1-2", values[:, :2], ("PC 1 (31 %)", "PC 2 (17 %)")),
        Panel("two", "LDA", values[:, 2:4], ("LD 1", "LD 2"), "fitted on training", arrows=arrows),
        Panel("three", "UMAP", third, note="axes without units", ticks=False),
        Panel("four", "PCA 1-3", values[:, 6:9], ("PC 1", "PC 2", "PC 3")),
    ]
    gaps = np.where(np.arange(n) % 60 == 0, np.nan, values[:, 8])
    points = Points(
        [f"photo_{row:06d}.jpg" for row in range(n)],
        fingerprint=f"synthetic {few}",
        colour=Scale("confidence", gaps) if kind == "value" else groups,
        captions={
            "class": np.array(CLASSES)[labels],
            "prediction": np.array(CLASSES)[guesses],
        },
        visible=np.arange(n) % 7 != 0 if sparse else None,
        thumbnails=(lambda row: FEW[row % 64]) if few else jpeg,
    )
    return panels, points


panels, points = made(n, kind, few, sparse)


@st.fragment
def explorer() -> None:
    """Show the map and a gallery of what is selected on it."""
    chosen = st.session_state.get("passed")
    clicked = map_state(points, memory="test").clicked
    state = linked_map(
        panels[:n_panels],
        points=points,
        key="map",
        selected=chosen,
        memory="test",
        lines=None if clicked is None else neighbours(clicked),
    )
    rows = [int(row) for row in state.selected[:12]]
    st.write(f"selected {len(state.selected)} clicked {state.clicked} hidden {list(state.hidden)}")
    if rows:
        captions = [Caption(points.ids[row]) for row in rows]
        picture_grid(rows, key="chosen", thumbnails=points.thumbnails, captions=captions, cell=80)


def neighbours(row: int) -> np.ndarray:
    """Give pairs of a row and the nine rows nearest to it in all nine dimensions."""
    values = cloud(n)[2]
    near = np.argsort(np.linalg.norm(values - values[row], axis=1))[1:10]
    return np.stack([np.full(len(near), row), near], axis=1)


def page() -> None:
    """Show the page of the map."""
    explorer()
    left, right = st.columns(2)
    if left.button("Pass 3, 5"):
        st.session_state["passed"] = [3, 5]
        st.rerun()
    right.button("Run again")


def other() -> None:
    """Show a page without the map, and one panel that shares its memory."""
    state = linked_map(panels[:1], points=points, key="elsewhere", memory="test")
    st.write(f"elsewhere {len(state.selected)}")


st.navigation(
    [st.Page(page, title="Map", default=True), st.Page(other, title="Other", url_path="other")]
).run()
