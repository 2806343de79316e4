"""Where do the pictures lie?"""

from functools import partial

import numpy as np
import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.figures.curves import scree
from embedlab.runs import Run
from embedlab.ui import cache, drawings
from embedlab.ui.choices import choose_part, choose_vectors
from embedlab.ui.fragments import fragment
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.linked_map import Panel, Points, linked_map
from embedlab.ui.maps import choose_colour, colourings, run_points, selection
from embedlab.ui.state import heed_link, link_selection, linked_selection
from embedlab.ui.text import plain
from embedlab.ui.umap_form import umap_choice, umap_missing
from embedlab.views import UmapSettings, overview

NEAR = 10
FITTED_ON = {"train": "Training", "validation": "Validation", "all": "All"}
FEWEST = 8  # pictures of which neighbourhoods can be compared


def wanted_panels(
    run: Run, name: str, keys: list[str], fitted_on: str, shuffled: bool, settings: UmapSettings
) -> list[Panel]:
    """Draw what was asked for; say of what cannot be drawn why."""
    panels: list[Panel] = []
    for key in keys:
        try:
            if key == "lda":
                panels.append(drawings.lda_panel(run, name, part=fitted_on, shuffled=shuffled))
            elif key == "umap":
                panel = drawings.umap_panel(run, name, settings)
                if panel is None:
                    umap_missing(run, name, settings)
                else:
                    panels.append(panel)
            else:
                panels.append(drawings.pca_panel(run, name, key))
        except EmbedlabError as error:
            st.info(f"{drawings.PANELS[key]}: {plain(str(error))}", icon=":material/info:")
    return panels


@fragment
def show_maps(run: Run, name: str, panels: list[Panel], colour: str, part: str) -> None:
    """Show the linked maps, the selected pictures beside them, and lines to true neighbours."""
    maps, side = st.columns([3, 1], gap="medium")
    with maps:
        lines = true_neighbours(run, name, part)
        state = linked_map(
            panels,
            points=points_of(run, name, panels, colour, part),
            key="projections",
            memory=f"run:{run.id}",
            height=340,
            lines=lines,
            selected=linked_selection(run),
            on_select=partial(link_selection, run),
            label="Projections of the pictures",
        )
        if state.clicked != st.session_state.get("projections-focus"):
            st.session_state["projections-focus"] = state.clicked
            st.rerun(scope="fragment")
    with side:
        selection(
            run,
            state,
            key="projections-selection",
            hint="Point at a dot to see its picture; click it for lines to its true "
            "neighbours; draw a loop to select many.",
            panels=panels,
        )


def points_of(run: Run, name: str, panels: list[Panel], colour: str, part: str) -> Points:
    """Colour the pictures as was asked; by how well a view keeps neighbours only if it is shown."""
    if not colour.startswith(drawings.KEPT):
        return run_points(run, colour, part=part)
    key = colour.removeprefix(drawings.KEPT)
    of_view = [panel for panel in panels if panel.name.partition(":")[0] == key]
    if of_view and len(cache.part_rows(run, part)) >= FEWEST:
        return drawings.kept_points(run, name, of_view[0], part)
    why = "there are too few pictures" if of_view else "this view is not shown"
    usual = next(iter(colourings(run)))
    st.caption(
        f"Not coloured by the neighbours kept in {drawings.PANELS[key]}, for {why}: by "
        f"{colourings(run)[usual].lower()} instead."
    )
    return run_points(run, usual, part=part)


def true_neighbours(run: Run, name: str, part: str) -> np.ndarray | None:
    """Pair the picture in focus with its nearest ones in all dimensions."""
    focus = st.session_state.get("projections-focus")
    rows = cache.part_rows(run, part)
    if focus is None or focus not in rows:
        return None
    near = cache.index(run, name, "euclidean").nearest(int(focus), NEAR, rows=rows)
    return np.stack([np.full(len(near.rows), focus), near.rows], axis=1)


def show_honesty(run: Run, name: str, panels: list[Panel], part: str) -> None:
    """Say with numbers how far each view can be trusted."""
    if len(cache.part_rows(run, part)) < FEWEST:
        st.caption("Too few pictures to measure how far the views can be trusted.")
        return
    readings = {panel.title: drawings.honesty(run, name, panel, part) for panel in panels}
    for column, (title, reading) in zip(st.columns(len(panels)), readings.items(), strict=True):
        column.metric(
            title,
            f"{np.nanmean(reading.kept):.0%} kept",
            help=f"Of each picture's {reading.k} true neighbours (in all dimensions, by distance), "
            f"the share that are among its {reading.k} nearest points in this view.",
        )
        column.caption(
            f"chance {reading.chance:.0%} · trustworthiness {reading.trustworthiness:.2f}"
        )
    st.caption(
        "Trustworthiness is 1 where a view shows no false neighbours, and about 0.5 by chance. "
        "**Colour by** 'Neighbours kept' shows which pictures lie among their true neighbours."
    )


def show_control(run: Run, name: str) -> None:
    """Show what LDA makes of labels that mean nothing."""
    try:
        found = drawings.control(run, name)
    except EmbedlabError as error:
        st.caption(f"The shuffled-label control is left out: {plain(str(error))}")
        return
    st.markdown(
        "| LDA names the right class | on pictures it was fitted on | on fresh pictures |\n"
        "|---|---|---|\n"
        f"| with the true labels | {found.fitted.value:.0%} | **{found.held_out.value:.0%}** |\n"
        f"| with shuffled labels | {found.shuffled_fitted.value:.0%} | "
        f"**{found.shuffled_held_out.value:.0%}** |"
    )
    st.caption(
        "Shuffled labels cannot be learned. What LDA still gets right on the pictures it was "
        "fitted on is over-fitting, so look at pictures that it was not fitted on."
    )


framed()
run = current_run()
header(
    "Where do the pictures lie?",
    "Notice which classes touch, and whether they do so **in every view**. Each map is a thin "
    f"slice of {run.embeddings.shape[1]:,} dimensions; any one of them misleads, several together "
    "mislead less.",
)
possible = [key for key in drawings.PANELS if key != "lda" or run.labels is not None]
with st.container(horizontal=True, vertical_alignment="bottom"):
    name = choose_vectors(run)
    colour = choose_colour(run, more=drawings.kept_colourings(possible))
    part = choose_part(run)
keys = st.pills(
    "Views",
    possible,
    selection_mode="multi",
    default=[key for key in possible if key != "pca3d"],
    format_func=drawings.PANELS.__getitem__,
    key="views",
    bind="query-params",
    wrap=True,
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    fitted_on, shuffled = "train", False
    if "lda" in keys:
        heed_link("lda-fit", FITTED_ON, "part")
        # Of imported vectors, none may be known to have been trained on.
        usual = "train" if len(cache.part_rows(run, "train")) else "all"
        if usual == "all" and st.session_state.get("lda-fit") == "train":
            st.session_state["lda-fit"] = usual
        fitted_on = st.segmented_control(
            "LDA fitted on",
            list(FITTED_ON),
            format_func=FITTED_ON.__getitem__,
            default=usual,
            required=True,
            key="lda-fit",
            bind="query-params",
            help="Points that LDA was fitted on look better parted than they are.",
        )
        shuffled = st.toggle(
            "Shuffle the labels first",
            key="lda-shuffled",
            bind="query-params",
            help="A control: now there is nothing to find.",
        )
    settings = umap_choice(run, name) if "umap" in keys else UmapSettings()

panels = wanted_panels(run, name, sorted(keys, key=possible.index), fitted_on, shuffled, settings)
if panels:
    show_maps(run, name, panels, colour, part)
    st.subheader("How far can each view be trusted?", anchor=False)
    show_honesty(run, name, panels, part)
else:
    st.info("Choose a view above.", icon=":material/bubble_chart:")
if "lda" in keys:
    show_control(run, name)
with st.expander("How much does each principal component explain?", icon=":material/bar_chart:"):
    explained = overview(run, vectors=name).explained
    st.plotly_chart(scree(explained), key="scree", config={"displayModeBar": False})

n, d = run.vectors(name).shape
explain(
    r"\text{PCA: } (x - \bar{x})\,V \qquad \text{LDA: } (x - \bar{x})\,S "
    r"\qquad \text{UMAP: neighbours of } x \text{ stay near } x",
    [
        ("vectors", f"({n:,}, {d:,})", "raw embeddings: the head takes their raw dot products"),
        ("V", f"({d:,}, 6)", "principal components; the largest entry of each is positive"),
        ("S", f"({d:,}, 2)", "LDA's scalings, of unit spread within the classes; not orthonormal"),
    ],
    f"""from embedlab import open_run
from embedlab.space.projections import lda, pca

run = open_run({run.id!r})
pca(run.vectors({name!r}), 6).explained
""",
    words="Lines from a clicked dot lead to its ten nearest pictures **in all dimensions**: long "
    "lines are what the flat view got wrong. LDA takes Ledoit and Wolf's estimate of the spread "
    "within the classes, which over-fits less than the plain one (scikit-learn: "
    "`solver='eigen', shrinkage='auto'`), so its map and shares differ a little from plain LDA's.",
)
