"""A run's pictures as points of a linked map: what colours them, what their cards say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from embedlab.figures.palette import COLOURS, class_style
from embedlab.runs import Run
from embedlab.ui.closer import closer, links
from embedlab.ui.export import export_buttons, selection_table
from embedlab.ui.gallery import gallery
from embedlab.ui.linked_map import Groups, MapState, Panel, Points, Scale
from embedlab.ui.query import describe
from embedlab.ui.state import heed_link
from embedlab.ui.text import plain

SHOWN = 24
RIGHT_WRONG = (COLOURS[0], COLOURS[1])
FEW = 12  # so many different values make groups; more numbers make a scale


def colourings(run: Run) -> dict[str, str]:
    """Give what points can be coloured by: key to title, the class first."""
    found: dict[str, str] = {}
    if run.labels is not None:
        found["label"] = "Class"
    if "prediction" in run.items:
        found["prediction"] = "Prediction"
        if run.labels is not None:
            found["right"] = "Right or wrong"
    if run.probabilities is not None:
        found["confidence"] = "Confidence"
    found["split"] = "Training or validation"
    for kind, word in (("table.", "table"), ("factor.", "known factor")):
        for name in run.items:
            if str(name).startswith(kind):
                found[str(name)] = f"{str(name).removeprefix(kind)} ({word})"
    return found


def choose_colour(run: Run, *, key: str = "colour", more: Mapping[str, str] | None = None) -> str:
    """Choose what points are coloured by.

    Parameters
    ----------
    run : Run
    key : str
        The widget's name, and that of the parameter in the address.
    more : mapping of key to title, optional
        What this page colours by besides `colourings`.
    """
    found = {**colourings(run), **(more or {})}
    heed_link(key, found, "colouring")
    if st.session_state.get(key) not in (None, *found):
        del st.session_state[key]  # chosen on another page, or for another run
    return str(
        st.selectbox(
            "Colour by",
            list(found),
            format_func=found.__getitem__,
            key=key,
            bind="query-params",
            width=220,
        )
    )


def colour_of(run: Run, key: str) -> Groups | Scale:
    """Colour a run's pictures by one of `colourings`."""
    title = colourings(run)[key]
    if key in ("label", "prediction"):
        return _by_class(run, run.items[key], title)
    if key == "right":
        wrong = (run.items["prediction"] != run.items["label"]).to_numpy(np.int64)
        return Groups(title, ("right", "wrong"), wrong, RIGHT_WRONG, ("circle", "x"))
    if key == "confidence":
        assert run.probabilities is not None
        highest = run.probabilities.max(axis=1).astype(np.float64)
        return Scale("Probability of the prediction", highest, 0.0, 1.0)
    column = run.items[key]
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > FEW:
        return Scale(title, column.to_numpy(np.float64, na_value=np.nan))
    codes, names = pd.factorize(column, sort=True)
    styles = [class_style(k) for k in range(len(names))]
    return Groups(
        title,
        [str(name) for name in names],
        codes.astype(np.int64),
        [style.colour for style in styles],
        [style.symbol for style in styles],
    )


def _by_class(run: Run, column: pd.Series[str], title: str) -> Groups:
    order = {name: k for k, name in enumerate(run.classes)}
    codes = np.array([order.get(name, -1) for name in column], np.int64)
    styles = [class_style(k) for k in range(len(run.classes))]
    return Groups(
        title,
        run.classes,
        codes,
        [style.colour for style in styles],
        [style.symbol for style in styles],
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _points(fingerprint: str, colour: str, part: str, _run: Run) -> Points:
    captions: dict[str, list[str]] = {}
    if _run.labels is not None:
        captions["Class"] = _run.items["label"].astype(str).tolist()
    if "prediction" in _run.items:
        texts = _run.items["prediction"].astype(str).tolist()
        if _run.probabilities is not None:
            highest = _run.probabilities.max(axis=1)
            texts = [f"{text} ({p:.0%})" for text, p in zip(texts, highest, strict=True)]
        captions["Prediction"] = texts
    captions["Part"] = _run.items["split"].astype(str).tolist()
    return Points(
        _run.items["id"].astype(str).tolist(),
        _run.fingerprint,
        colour=colour_of(_run, colour),
        captions=captions,
        thumbnails=_run.thumbnails,
        visible=None if part == "all" else np.asarray(_run.split == part),
    )


def run_points(run: Run, colour: str, *, part: str = "all") -> Points:
    """Give a run's pictures as points, coloured, with cards; made once and kept.

    Parameters
    ----------
    run : Run
    colour : str
        A key of `colourings`.
    part : str
        "all", "train" or "validation": which points are shown at all.

    Returns
    -------
    Points
    """
    return _points(run.fingerprint, colour, part, run)


def selection(
    run: Run, state: MapState, *, key: str, hint: str, panels: Sequence[Panel] = ()
) -> NDArray[np.int64]:
    """Show the selected pictures beside a map, or what to do while there are none.

    Parameters
    ----------
    run : Run
    state : MapState
    key : str
        What the widgets' names begin with.
    hint : str
        What to do while nothing is selected.
    panels : sequence of Panel
        Those of the map, whose coordinates stand in the table that says the same.

    Returns
    -------
    ndarray, int64
        The selected rows.
    """
    rows = state.selected
    if not len(rows):
        st.info(hint, icon=":material/lasso_select:")
    else:
        st.markdown(f"**{len(rows):,} selected**{_counts(run, rows)}")
        pages = -(-len(rows) // SHOWN)
        page = int(st.pagination(pages, key=f"{key}-page")) if pages > 1 else 1
        clicked = gallery(
            run,
            rows[(page - 1) * SHOWN : page * SHOWN].tolist(),
            key=key,
            cell=84,
            label="Selected pictures",
        )
        if len(rows) == 1:
            st.caption(describe(run, int(rows[0])))
            links(run, int(rows[0]))
        if clicked is not None:
            closer(run, clicked)
        export_buttons(run, rows, name=key, **_places(panels, rows))
    _as_table(run, rows, panels, key=key)
    return rows


def _places(panels: Sequence[Panel], rows: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Give the coordinates of some rows in each panel, by panel and axis."""
    return {
        f"{panel.title}: {axis}": np.asarray(panel.coordinates[rows, k], np.float64)
        for panel in panels
        for k, axis in enumerate(panel.axes or ("x", "y", "z")[: panel.n_dims])
    }


def _as_table(run: Run, rows: NDArray[np.int64], panels: Sequence[Panel], *, key: str) -> None:
    """Offer the map as a table, of what is selected or of everything."""
    if not st.toggle(
        "As a table",
        key=f"{key}-table",
        help="The same points as a table: for screen readers, and for those who want the numbers.",
    ):
        return
    chosen = rows if len(rows) else np.arange(run.n_items)
    table = selection_table(run, chosen, **_places(panels, chosen))
    st.dataframe(table.drop(columns=["path"], errors="ignore"), hide_index=True, height=280)


def _counts(run: Run, rows: NDArray[np.int64]) -> str:
    if run.labels is None or len(rows) < 2:
        return ""
    counts = np.bincount(run.labels[rows], minlength=len(run.classes))
    order = np.argsort(-counts, kind="stable")[:4]
    return ": " + ", ".join(f"{counts[k]} {plain(run.classes[k])}" for k in order if counts[k])
