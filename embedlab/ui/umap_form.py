"""UMAP's settings, and the job that lays pictures out with them."""

from __future__ import annotations

import streamlit as st

from embedlab.runs import Run
from embedlab.ui.access import may_start_jobs
from embedlab.ui.clicks import clicked
from embedlab.ui.job_button import begin, watched
from embedlab.ui.job_panel import job_panel
from embedlab.views import UmapSettings, kept_umap


def umap_choice(run: Run, vectors: str) -> UmapSettings:
    """Let people choose how UMAP lays the pictures out, and start it as a job when it is new.

    Returns
    -------
    UmapSettings
        What was chosen, whether it has been computed yet or not.
    """
    with st.popover("UMAP settings", icon=":material/tune:"):
        settings = UmapSettings(
            n_neighbors=st.slider(
                "Neighbours",
                2,
                100,
                15,
                key="umap-neighbours",
                bind="query-params",
                help="Few show detail, many show the whole.",
            ),
            min_dist=st.slider(
                "Least distance",
                0.0,
                0.99,
                0.1,
                key="umap-distance",
                bind="query-params",
                help="Small packs clusters tightly, large spreads them.",
            ),
            metric=st.selectbox(
                "Measured by", ["cosine", "euclidean"], key="umap-metric", bind="query-params"
            ),
            seed=int(
                st.number_input("Seed", 0, 2**31 - 1, 0, key="umap-seed", bind="query-params")
            ),
            n_components=int(
                st.segmented_control(
                    "Dimensions",
                    [2, 3],
                    default=2,
                    required=True,
                    key="umap-dimensions",
                    bind="query-params",
                )
                or 2
            ),
        )
        if kept_umap(run, settings, vectors=vectors) is not None:
            st.caption("Computed, and kept in the run.")
        elif not may_start_jobs():
            st.caption("This server does not compute; it shows what runs keep.")
        elif _watched(run, vectors, settings) is not None:
            st.caption("Its job is shown above the maps.")
        else:
            _button(run, vectors, settings, key="umap-start")
    return settings


def umap_missing(run: Run, vectors: str, settings: UmapSettings) -> None:
    """Say that a layout was not computed yet, with the button that starts it, or its progress."""
    if (job_id := _watched(run, vectors, settings)) is not None:
        status = job_panel(job_id)
        if status is not None and status.active:
            return
    text = "UMAP with these settings is not computed yet."
    if not may_start_jobs():
        st.info(
            f"{text} This server does not compute; it shows what runs keep.",
            icon=":material/bubble_chart:",
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(
            f"{text} It is laid out in the background, and kept in the run.",
            icon=":material/bubble_chart:",
        )
        _button(run, vectors, settings, key="umap-start-here")


def _button(run: Run, vectors: str, settings: UmapSettings, *, key: str) -> None:
    if clicked("Lay out with UMAP", type="primary", icon=":material/play_arrow:", key=key):
        _begin(run, vectors, settings)


def _begin(run: Run, vectors: str, settings: UmapSettings) -> None:
    slot = _slot(run, vectors, settings)
    st.session_state.pop(slot, None)
    begin(slot, _command(run, vectors, settings), f"UMAP of {run.title}")
    if slot in st.session_state:
        st.rerun()  # its panel stands where the button did


def _watched(run: Run, vectors: str, settings: UmapSettings) -> str | None:
    return watched(_slot(run, vectors, settings), _command(run, vectors, settings))


def _slot(run: Run, vectors: str, settings: UmapSettings) -> str:
    return f"umap-job:{settings.key(run, vectors)}"


def _command(run: Run, vectors: str, settings: UmapSettings) -> list[str]:
    return [
        "project",
        run.id,
        "--vectors",
        vectors,
        "--neighbours",
        str(settings.n_neighbors),
        "--min-dist",
        str(settings.min_dist),
        "--metric",
        settings.metric,
        "--seed",
        str(settings.seed),
        "--dimensions",
        str(settings.n_components),
    ]
