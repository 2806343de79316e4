"""The drawings of two runs, one turned over the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from embedlab.pairing import Pairing
from embedlab.runs import EMBEDDING, Run
from embedlab.ui import drawings
from embedlab.ui.compare.computed import laid_over
from embedlab.ui.fragments import fragment
from embedlab.ui.frame import run_name
from embedlab.ui.linked_map import Panel, linked_map
from embedlab.ui.maps import choose_colour, run_points, selection
from embedlab.views import UmapSettings, kept_umap


@fragment
def show_maps(first: Run, second: Run, pairing: Pairing) -> None:
    """Show both runs' drawings of the shared pictures, the second turned over the first."""
    kinds = {"pca": "PCA 1-2"}
    if all(kept_umap(run) is not None for run in (first, second)):
        kinds["umap"] = "UMAP"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        colour = choose_colour(first)
        kind = st.segmented_control(
            "Drawn by",
            list(kinds),
            format_func=kinds.__getitem__,
            default="pca",
            required=True,
            key="map-kind",
            bind="query-params",
            help="UMAP is offered when both runs keep one: lay them out on the Projections page.",
        )
    own, other = _drawn(first, kind), _drawn(second, kind)
    turned = laid_over(first, second, pairing, own.coordinates, other.coordinates)
    shared = np.full_like(own.coordinates, np.nan)
    shared[pairing.first] = own.coordinates[pairing.first]
    panels = [
        replace(own, title=run_name(first), coordinates=shared),
        Panel(
            f"{other.name}:beside:{second.id}",
            run_name(second),
            turned.coordinates,
            note=other.note,
            ticks=False,
        ),
    ]
    state = linked_map(
        panels,
        points=run_points(first, colour),
        key="compare-map",
        memory=f"run:{first.id}",
        height=400,
        label="The same pictures in two runs",
    )
    st.caption(
        f"The second drawing is turned, mirrored where that fits better, and scaled to lie over "
        f"the first as well as it can; {turned.remaining:.0%} of the spread is left as "
        "difference. Only what is left means something: directions alone do not."
    )
    selection(
        first,
        state,
        key="compare-selection",
        hint="Draw a loop around some dots on one side: the same pictures light up on the other.",
        panels=panels,
    )


def _drawn(run: Run, kind: str) -> Panel:
    kept = drawings.umap_panel(run, EMBEDDING, UmapSettings()) if kind == "umap" else None
    return kept or drawings.pca_panel(run, EMBEDDING, "pca12")
