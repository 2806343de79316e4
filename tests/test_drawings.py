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
from embedlab.ui.drawings import room_for_arrows

from .made_runs import made_run
from .test_pages import opened

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
