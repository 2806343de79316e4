"""The choices that pages share; each stands in the page's address."""

from __future__ import annotations

import streamlit as st

from embedlab.runs import EMBEDDING, Run
from embedlab.space.metrics import METRICS
from embedlab.ui.state import heed_link

MOST_NEIGHBOURS = 48
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
