"""UMAP's settings, and the job that lays pictures out with them."""

from __future__ import annotations

import streamlit as st

from embedlab.jobs import start
from embedlab.runs import Run
from embedlab.ui.access import may_start_jobs
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
        elif st.button("Lay out", type="primary", icon=":material/play_arrow:"):
            job = start(_command(run, vectors, settings), title=f"UMAP of {run.title}")
            st.session_state["umap-job"] = job.id
    job_id = st.session_state.get("umap-job")
    if job_id is not None and kept_umap(run, settings, vectors=vectors) is None:
        job_panel(job_id)
    return settings


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
