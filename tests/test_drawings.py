"""Panels of the linked map that pages share: what is drawn in them, by how much, and for whom."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from embedlab.home import home
from embedlab.runs import Run, open_run
from embedlab.space.projections import lda, pca
from embedlab.ui import drawings
from embedlab.ui.drawings import room_for_arrows
from embedlab.views import UmapSettings

from .made_runs import made_run
from .test_pages import opened, texts

# ---- arrows ----------------------------------------


def test_arrows_end_on_the_box_around_the_points() -> None:
    points = np.array([[-4, -1], [8, 3], [np.nan, 99]], np.float32)
    assert room_for_arrows(points, np.array([[1.0, 0]])) == 8
    assert room_for_arrows(points, np.array([[-1.0, 0]])) == 4  # there they go less far
    assert room_for_arrows(points, np.array([[1.0, 0], [-2, 0], [0, 0.1]])) == 2
    assert room_for_arrows(points, np.array([[1.0, 1.0]])) == 3
    for nothing in (points[2:], points[:0], np.zeros((2, 2))):
        assert room_for_arrows(nothing, np.array([[1.0, 0]])) == 1
    assert room_for_arrows(points, np.array([[0.0, 0], [np.nan, 1]])) == 1


def sent(app: AppTest, label: str) -> dict:
    """Give what a page sends to the browser for the map of that name."""
    found = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    (data,) = [data for data in found if data.get("label") == label]
    return data


def drawn_arrows(app: AppTest) -> dict[str, tuple[np.ndarray, float]]:
    """Give each panel's arrows, and the factor that stands below them."""
    panels = sent(app, "Pictures and prototypes")["panels"]
    return {
        panel["name"]: (
            np.reshape(panel["arrows"]["vectors"], (-1, 2)),
            float(re.fullmatch(r"arrows x([\d.,]+)", panel["arrows"]["note"])[1].replace(",", "")),
        )
        for panel in panels
    }


def plain_tips(run: Run) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Give coordinates and unscaled arrows by panel and reading, in plain NumPy."""
    views = {
        "pca12": pca(run.embeddings, 6).pick((0, 1)),
        "lda": lda(run.embeddings, run.labels, rows=run.split == "train"),
    }
    return {
        (name, reading): (view.coordinates, run.head.weight @ axes)
        for name, view in views.items()
        for reading, axes in (
            ("moves along w", view.axes),
            ("score rises", view.axes @ np.linalg.inv(view.axes.T @ view.axes)),
        )
    }


def test_all_arrows_of_a_panel_share_the_factor_below_it_and_reach_four_fifths() -> None:
    run = open_run("garden")
    app = opened("prototypes", "garden")
    expected = plain_tips(run)
    for reading in ("moves along w", "score rises"):
        app.button_group(key="reading").set_value(_key(reading)).run()
        assert not app.exception
        for name, (tips, factor) in drawn_arrows(app).items():
            points, plain = expected[name, reading]
            np.testing.assert_allclose(tips, factor * plain, rtol=6e-3, atol=2e-3)
            low, high = points.min(axis=0), points.max(axis=0)
            reached = np.where(tips > 0, tips / high, tips / low).max()
            assert reached == pytest.approx(0.8, rel=1e-3), (name, reading)


def _key(reading: str) -> str:
    return "moves" if reading.startswith("moves") else "rises"


def test_one_plain_factor_for_all_maps() -> None:
    app = opened("prototypes", "garden", **{"plain-factor": "true"})
    assert {factor for _, factor in drawn_arrows(app).values()} == {5.0}
    tips, _ = drawn_arrows(app)["lda"]
    _, plain = plain_tips(open_run("garden"))["lda", "moves along w"]
    np.testing.assert_allclose(tips, 5 * plain, rtol=1e-3, atol=1e-3)


def test_a_view_is_called_the_same_on_every_page() -> None:
    """Zoom is remembered by the panel's name and its points' address."""
    made_run(home("runs") / "squares")
    maps = {
        "projections": "Projections of the pictures",
        "prototypes": "Pictures and prototypes",
    }
    on = {
        page: {p["name"]: p["title"] for p in sent(opened(page, "squares"), label)["panels"]}
        for page, label in maps.items()
    }
    assert on["prototypes"] == {"pca12": "PCA 1-2", "lda": "LDA"}
    assert on["prototypes"].items() <= on["projections"].items()


def test_the_same_view_has_the_same_points_on_every_page() -> None:
    """Zoom is remembered with the points' address, which hangs on their content."""
    made_run(home("runs") / "squares")
    maps = {
        "home": "The pictures, by their pixels and by what the network has learned",
        "projections": "Projections of the pictures",
        "prototypes": "Pictures and prototypes",
    }
    addresses = {
        panel["url"]
        for page, label in maps.items()
        for panel in sent(opened(page, "squares"), label)["panels"]
        if panel["name"] == "pca12"
    }
    assert len(addresses) == 1 and all(addresses)


def test_another_view_has_another_name() -> None:
    """Or the zoom of one would be laid on the other."""
    run = made_run(home("runs") / "squares")
    for settings in (UmapSettings(), UmapSettings(seed=1)):
        points = np.random.default_rng(settings.seed).normal(size=(60, 2)).astype(np.float32)
        for vectors in ("embedding", "pixels"):
            run.save_projection(settings.key(run, vectors), coordinates=points)
    names = [
        panel.name
        for vectors in ("embedding", "pixels")
        for panel in (
            *(drawings.pca_panel(run, vectors, key) for key in ("pca12", "pca34", "pca3d")),
            *(
                drawings.lda_panel(run, vectors, part=part, shuffled=shuffled)
                for part in ("train", "all")
                for shuffled in (False, True)
            ),
            *(
                drawings.umap_panel(run, vectors, one)
                for one in (UmapSettings(), UmapSettings(seed=1))
            ),
        )
    ]
    assert len(set(names)) == len(names) == 18
    assert {"pca12", "lda", "umap"} <= set(names)


# ---- colours ----------------------------------------


def test_points_are_coloured_by_the_neighbours_that_a_view_keeps() -> None:
    run = made_run(home("runs") / "squares")
    rows = np.flatnonzero(run.split == "validation")
    x = run.embeddings[rows].astype(np.float64)
    view = pca(run.embeddings, 6).pick((2, 3)).coordinates[rows].astype(np.float64)

    def nearest(points: np.ndarray) -> np.ndarray:
        apart = np.linalg.norm(points[:, None] - points[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        return np.argsort(apart, axis=1)[:, :11]

    shares = [len({*a} & {*b}) / 11 for a, b in zip(nearest(x), nearest(view), strict=True)]
    panel = drawings.pca_panel(run, "embedding", "pca34")
    points = drawings.kept_points(run, "embedding", panel, "validation")
    np.testing.assert_allclose(points.colour.values[rows], shares)
    assert np.isnan(points.colour.values[run.split == "train"]).all()
    assert points.captions["Neighbours kept"][rows[0]] == f"{11 * shares[0]:.0f} of 11"
    assert points.colour.label == "True neighbours kept in PCA 3-4, of 11 (chance 100%)"
    everything = drawings.kept_points(run, "embedding", panel, "all")
    assert everything.colour.label.endswith(f"of 15 (chance {15 / 59:.0%})")
    found = drawings.honesty(run, "embedding", panel, "all")
    np.testing.assert_allclose(everything.colour.values, found.kept)


def test_the_projections_page_colours_by_neighbours_kept_and_says_when_it_cannot() -> None:
    made_run(home("runs") / "squares")
    asked = {"colour": "kept.lda", "among": "all"}
    app = opened("projections", "squares", **asked)
    colour = sent(app, "Projections of the pictures")["colour"]
    assert colour["label"] == f"True neighbours kept in LDA, of 15 (chance {15 / 59:.0%})"
    assert colour["limits"] == [0, 1]
    app = opened("projections", "squares", **{**asked, "views": "PCA 1-2"})
    assert sent(app, "Projections of the pictures")["colour"]["label"] == "Class"
    assert "this view is not shown: by class instead" in texts(app)
    app.switch_page("pages/prototypes.py").run()
    assert not app.exception
    assert sent(app, "Pictures and prototypes")["colour"]["label"] == "Class"


def test_what_is_selected_on_the_projections_can_be_taken_along_with_its_places() -> None:
    made_run(home("runs") / "squares")
    app = opened("projections", "squares", selected="3.17")
    app.toggle(key="projections-selection-table").set_value(True).run()
    (table,) = app.dataframe
    run = open_run("squares")
    plain = pca(run.embeddings, 6).coordinates[[3, 17]]
    for title, column in (("PCA 1-2: PC 1", 0), ("PCA 3-4: PC 4", 3)):
        (name,) = [name for name in table.value if str(name).startswith(title)]
        np.testing.assert_allclose(table.value[name], plain[:, column], rtol=1e-5)
