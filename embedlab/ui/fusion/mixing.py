"""Neighbours by picture and table together: a slider from one to the other."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.figures.curves import Curve, curves
from embedlab.figures.palette import NEUTRAL
from embedlab.mixture import K, Point, mixture, mixture_curve, picture_and_table, target_of
from embedlab.runs import Run
from embedlab.space.neighbours import NeighbourIndex
from embedlab.ui.gallery import gallery
from embedlab.ui.state import choose_row
from embedlab.ui.text import plain

NEAREST = 9


@st.cache_resource(max_entries=8, show_spinner=False)
def _mixture(fingerprint: str, vectors: str, share: float, _run: Run) -> NeighbourIndex:
    return NeighbourIndex.of(mixture(_run, share, vectors), "dot")


@st.cache_resource(max_entries=8, show_spinner="Asking neighbours, from picture to table …")
def _curve(fingerprint: str, vectors: str, _run: Run) -> list[Point] | None:
    return mixture_curve(_run, vectors)


@st.cache_data(max_entries=32, show_spinner=False)
def _has_both(fingerprint: str, _run: Run) -> bool:
    return picture_and_table(_run) is not None


def can_mix(run: Run) -> bool:
    """Say whether a run has vectors of its pictures and of a table."""
    return _has_both(run.fingerprint, run)


def show_mixing(run: Run, vectors: str, row: int) -> None:
    """Let people mix both likenesses; one picture's neighbours and all answers follow.

    Parameters
    ----------
    run : Run
    vectors : str
        What the pictures are known by, where the run is not fused.
    row : int
        The picture whose neighbours are shown.
    """
    st.subheader("Alike by picture, alike by table", anchor=False)
    st.markdown(
        "Notice how the neighbours change from those that **look** alike to those that are "
        "**described** alike, and at which mixture they tell the answer best."
    )
    percent = st.slider(
        "How much the table counts",
        0,
        100,
        50,
        10,
        format="%d %%",
        key="mix",
        bind="query-params",
        width=420,
    )
    label = None if run.labels is None else int(run.labels[row])
    _show_neighbours(run, vectors, percent / 100, row, label)
    _show_curve(run, vectors, percent / 100)


def _show_neighbours(run: Run, vectors: str, share: float, row: int, label: int | None) -> None:
    found = _mixture(run.fingerprint, vectors, share, run).nearest(row, NEAREST)
    target = None if run.labels is not None else target_of(run)
    gallery(
        run,
        found.rows.tolist(),
        key="mixed",
        scores=[
            f"{score:.3f}" if target is None else f"{score:.3f} · {target.iat[k]:,.4g}"
            for score, k in zip(found.scores, found.rows, strict=True)
        ],
        query_label=label,
        cell=92,
        label="Nearest by both",
        on_click=lambda chosen: choose_row(run, chosen),
    )
    also = "" if target is None else f"; behind it, {plain(str(target.name)).partition('.')[2]}"
    st.caption(
        f"Below each picture: {1 - share:.0%} of the cosine by picture and {share:.0%} of the "
        f"cosine by table{also}."
    )


def _show_curve(run: Run, vectors: str, share: float) -> None:
    points = _curve(run.fingerprint, vectors, run)
    if points is None:
        return
    classes = run.labels is not None
    x = [100 * point.share for point in points]
    figure = curves(
        [
            Curve(
                "",
                x,
                [point.score for point in points],
                [point.interval.low for point in points],
                [point.interval.high for point in points],
            )
        ],
        x_title="how much the table counts, in per cent",
        y_title="accuracy" if classes else "R²",
        share=classes,
        height=240,
    )
    figure.add_vline(x=100 * share, line={"dash": "dot", "width": 2, "color": NEUTRAL})
    st.plotly_chart(figure, key="mix-curve", config={"displayModeBar": False})
    best = max(points, key=lambda point: point.score)
    number = f"{best.score:.1%}" if classes else f"R² {best.score:.2f}"
    ends = _inside(points)
    st.caption(
        f"The {K} nearest training pictures {'vote on the class' if classes else 'are averaged'} "
        f"of each validation picture, with 95 % intervals. Best with {best.share:.0%} of the table "
        f"({number}){ends}. The best of eleven looks a little better than it is."
    )


def _inside(points: list[Point]) -> str:
    """Say whether a mixture is better than both ends."""
    scores: NDArray[np.float64] = np.array([point.score for point in points])
    if 0 < scores.argmax() < len(scores) - 1:
        return ", better than either alone"
    return ": one of the two alone"
