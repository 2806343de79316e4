"""The choices that pages share; each stands in the page's address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from embedlab.runs import EMBEDDING, Run
from embedlab.space.metrics import METRICS
from embedlab.ui.state import heed_link

MOST_NEIGHBOURS = 48
PILLS = 12  # classes that stand side by side; more are in a box
PARTS = {"validation": "Validation", "train": "Training", "all": "All"}


def vectors_title(run: Run, name: str) -> str:
    """Say in people's words what a set of vectors is."""
    if name == EMBEDDING:
        return "Embedding"
    return str(run.about_vectors(name).get("title") or name)


def choose_vectors(run: Run, *, key: str = "vectors", default: str = EMBEDDING) -> str:
    """Choose one of the run's sets of vectors; not shown when there is only one.

    Parameters
    ----------
    run : Run
    key : str
        The widget's name, and that of the parameter in the address.
    default : str
        What is chosen at first, where the run has it.
    """
    names = list(run.vector_sets)
    heed_link(key, {name: vectors_title(run, name) for name in names}, "vectors")
    if len(names) == 1:
        return EMBEDDING
    return st.selectbox(
        "Vectors",
        names,
        index=names.index(default) if default in names else 0,
        format_func=lambda name: vectors_title(run, name),
        key=key,
        bind="query-params",
        width=160,
        help="What each picture is compared by: the network's embedding, or something plainer.",
    )


def choose_class(classes: Sequence[str], *, key: str, default: str | None = None) -> str | None:
    """Choose a class: side by side where they are few, in a box that can be searched else.

    Parameters
    ----------
    classes : sequence of str
    key : str
    default : str, optional
        What is chosen at first; without it, none need be.
    """
    required = default is not None
    if len(classes) <= PILLS:
        return st.pills("Class", classes, default=default, key=key, required=required, wrap=True)
    index = classes.index(default) if default is not None else None
    return st.selectbox(
        "Class", classes, index=index, key=key, width=260, placeholder="Any of them"
    )


def choose_metric(*, key: str = "metric") -> str:
    """Choose a measure of likeness."""
    heed_link(key, {name: metric.title for name, metric in METRICS.items()}, "measure")
    return st.selectbox(
        "Similarity",
        list(METRICS),
        format_func=lambda name: METRICS[name].title,
        key=key,
        bind="query-params",
        width=200,
    )


def choose_part(run: Run, *, key: str = "among") -> str:
    """Choose among which pictures to look: validation by default, where there are any."""
    parts = [part for part in PARTS if part == "all" or (run.split == part).sum() > 1]
    heed_link(key, {part: PARTS[part] for part in parts}, "part")
    return st.selectbox(
        "Among",
        parts,
        format_func=PARTS.__getitem__,
        key=key,
        bind="query-params",
        width=140,
        help="The network was trained on the training pictures: they lie too well to judge it by.",
    )


def part_code(part: str) -> str:
    """Write an argument for the rows of a part, as a notebook would."""
    return "" if part == "all" else f", rows=run.split == {part!r}"


def choose_k(*, key: str = "k", default: int = 9) -> int:
    """Choose how many neighbours are shown."""
    numbers = {str(number): str(number) for number in range(1, MOST_NEIGHBOURS + 1)}
    heed_link(key, numbers, "number of pictures")
    return int(
        st.number_input(
            "How many",
            1,
            MOST_NEIGHBOURS,
            default,
            key=key,
            bind="query-params",
            width=130,
            step=1,
        )
    )


def show_seen(run: Run, *, key: str = "seen") -> bool:
    """Switch from the original pictures to what the model saw of them."""
    if run.inputs is None:
        return False
    return st.toggle(
        "What the model saw",
        key=key,
        bind="query-params",
        help="The network is given a small square cut from the middle of each picture.",
    )
