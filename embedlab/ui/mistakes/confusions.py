"""The confusion matrix, and the pictures of its cells."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from embedlab.figures.matrices import READABLE
from embedlab.figures.matrices import confusion as confusion_figure
from embedlab.runs import Run
from embedlab.space.scores import (
    accuracy,
    commonest_confusions,
    confusion,
    most_confused,
    recalls,
)
from embedlab.ui.closer import look_at
from embedlab.ui.export import export_buttons
from embedlab.ui.gallery import gallery
from embedlab.ui.text import plain

SHOWN = 24
LISTED = 200  # mistakes in the list of the commonest
_CLICKED = "cell-clicked"
_BOXES = {"cell-true": "True", "cell-predicted": "Predicted"}


def show_confusion(run: Run, rows: NDArray[np.int64], predictions: NDArray[np.int64]) -> None:
    """Show the confusion matrix; a cell opens its pictures.

    Parameters
    ----------
    run : Run
        With labels.
    rows : ndarray, int64
        The pictures that are looked at.
    predictions : ndarray of shape (n,), int64
        Index into the run's classes, of every picture; -1 for what is none of them.
    """
    assert run.labels is not None
    labels = run.labels[rows]
    known = predictions[rows] >= 0
    matrix = confusion(labels[known], predictions[rows][known], len(run.classes))
    share = accuracy(labels, predictions[rows])
    if not share.total:
        st.info("There are no pictures in this part.")
        return
    low, high = share.interval
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(
            f"**{share.correct:,} of {share.total:,} right: {share.value:.1%}** "
            f"(95 %: {low:.1%} to {high:.1%})"
        )
        mistakes = commonest_confusions(matrix)
        shown = most_confused(matrix, READABLE)
        names = [run.classes[k] for k in shown]
        st.plotly_chart(
            confusion_figure(matrix[np.ix_(shown, shown)], names),
            key="confusion",
            on_select=partial(_take_click, names),
            selection_mode="points",
            config={"displayModeBar": False, "doubleClick": False},
        )
        if len(shown) < len(run.classes):
            _show_commonest(run, mistakes, matrix.sum(axis=1), len(shown))
        with st.expander("Recall by class", icon=":material/table:"):
            st.dataframe(
                [
                    {
                        "class": name,
                        "right": one.correct,
                        "of": one.total,
                        "recall": f"{one.value:.1%}" if one.total else "-",
                        "95 % interval": "{:.1%} to {:.1%}".format(*one.interval)
                        if one.total
                        else "-",
                    }
                    for name, one in zip(run.classes, recalls(matrix), strict=True)
                ],
                hide_index=True,
            )
    with right:
        # A default that moved with the choice would keep the choice out of the address.
        usual = (int(mistakes[0, 0]), int(mistakes[0, 1])) if len(mistakes) else (0, 0)
        # Before their pictures: whoever sees a cell's pictures and clicks one at once must not
        # send the boxes' former choice with the click.
        true, predicted = _choose_cell(run, usual)
        inside = rows[(labels == true) & (predictions[rows] == predicted)]
        pictures = "picture" if len(inside) == 1 else "pictures"
        st.markdown(
            f"**{len(inside):,}** {pictures} of **{plain(run.classes[true])}** taken for "
            f"**{plain(run.classes[predicted])}**"
        )
        look_at(
            run,
            gallery(
                run,
                inside[:SHOWN].tolist(),
                key="cell",
                cell=84,
                label="Pictures of the chosen cell",
            ),
        )
        if len(inside) > SHOWN:
            st.caption(f"The first {SHOWN} of {len(inside):,}.")
        export_buttons(run, inside, name="cell")


def _show_commonest(
    run: Run, mistakes: NDArray[np.int64], totals: NDArray[np.int64], shown: int
) -> None:
    """Say how many classes are shown, and list which is taken for which, and how often."""
    of = f"of the {len(run.classes):,} classes"
    if not len(mistakes):
        st.caption(f"The first {shown} {of}. Not one mistake is made.")
        return
    st.caption(f"The {shown} {of} between which the commonest mistakes are made.")
    with st.expander("Commonest mistakes", icon=":material/table:"):
        st.dataframe(
            [
                {
                    "class": run.classes[true],
                    "taken for": run.classes[predicted],
                    "pictures": count,
                    "of its class": f"{count / totals[true]:.0%}",
                }
                for true, predicted, count in mistakes[:LISTED].tolist()
            ],
            hide_index=True,
        )


def _take_click(names: list[str]) -> None:
    """Choose the cell that was clicked, of the classes that the matrix shows."""
    points = st.session_state["confusion"].selection.points
    if points:
        st.session_state[_CLICKED] = names[points[0]["y"]], names[points[0]["x"]]
    # A second click on a cell takes the selection back. If soon after the first, it comes before
    # the browser knows the boxes' new choice, and brings their former one: it means the cell too.
    cell = st.session_state.get(_CLICKED, ())
    if all(name in names for name in cell):
        for key, name in zip(_BOXES, cell, strict=False):
            st.session_state[key] = name


def _choose_cell(run: Run, usual: tuple[int, int]) -> tuple[int, int]:
    """Choose the true and the predicted class in boxes, which clicks into the matrix set too."""
    st.caption("Choose a cell by a click, or here:")
    with st.container(horizontal=True):
        true, predicted = (
            st.selectbox(word, run.classes, index=class_, key=key, bind="query-params", width=160)
            for (key, word), class_ in zip(_BOXES.items(), usual, strict=True)
        )
    return run.classes.index(true), run.classes.index(predicted)
