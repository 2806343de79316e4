"""The explorer's drawings in a real browser: the garden, and a run of many blocks and classes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedlab.figures.style import BLACK, WHITE

from .browsing import chromium, served, tab
from .made_runs import made_run

pytestmark = pytest.mark.browser

PATIENCE = 60_000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("home")
    names = tuple(f"kind number {k}" for k in range(16))
    made_run(folder / "runs" / "many", per_class=(6,) * 16, n_dims=24, names=names)
    add_blocks(folder / "runs" / "many", sides=(128,) * 2 + (64,) * 2 + (32,) * 3 + (16,) * 7)
    with served("app.py", EMBEDLAB_HOME=str(folder)) as address:
        yield address


def add_blocks(folder: Path, sides: tuple[int, ...]) -> None:
    """Give a run a network of many blocks to draw."""
    path = folder / "run.json"
    info = json.loads(path.read_text(encoding="utf-8"))
    shapes = [("input", [1, 3, 256, 256])]
    shapes += [(f"features.{k}", [1, 16 + 8 * k, side, side]) for k, side in enumerate(sides)]
    shapes += [("embedding", [1, 24]), ("head", [1, 16])]
    info["architecture"] = [
        {"name": name, "what": "a block", "shape": shape, "parameters": 10 * shape[1]}
        for name, shape in shapes
    ]
    path.write_text(json.dumps(info), encoding="utf-8")


def settled(page: Any, address: str) -> None:
    """Open a page and wait until nothing runs any more."""
    page.goto(address)
    page.get_by_role("heading", level=1).first.wait_for(timeout=PATIENCE)
    idle(page)


def idle(page: Any) -> None:
    page.wait_for_timeout(400)
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached", timeout=PATIENCE)
    page.wait_for_timeout(400)


# ---- arrows ----------------------------------------


def arrows(page: Any) -> list[dict[str, Any]]:
    """Give where the arrows of each panel and their names are, in pixels of the plot."""
    page.wait_for_selector("[data-arrows]", timeout=PATIENCE, state="attached")
    plots = page.locator("[data-arrows]")
    return [json.loads(plot.get_attribute("data-arrows")) for plot in plots.all()]


def overlapping(boxes: list[tuple[float, float, float, float]]) -> list[tuple[int, int]]:
    """Find pairs of boxes (left, top, right, bottom) that share more than a pixel."""
    return [
        (i, j)
        for i, a in enumerate(boxes)
        for j, b in enumerate(boxes[:i])
        if min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1
    ]


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, PHONE])
@pytest.mark.parametrize("reading", ["moves along w", "score rises"])
@pytest.mark.parametrize("run", ["garden", "many"])
def test_arrows_end_in_their_panel_and_their_names_are_apart(
    browser: Any, app: str, run: str, reading: str, options: dict[str, Any]
) -> None:
    with tab(browser, **options) as page:
        settled(page, f"{app}prototypes?run={run}&reading={reading.replace(' ', '+')}")
        panels = arrows(page)
        assert len(panels) == 2
        for panel in panels:
            width, height = panel["width"], panel["height"]
            drawn = [arrow for arrow in panel["arrows"] if arrow["to"]]
            assert len(drawn) == (5 if run == "garden" else 16)
            for arrow in drawn:
                (x, y) = arrow["to"]
                assert arrow["whole"] and 0 < x < width and 0 < y < height
            named = [arrow for arrow in drawn if arrow["at"]]
            assert len(named) == len(drawn) or run == "many"
            boxes = [
                (a["at"][0] - a["half"], a["at"][1] - 7, a["at"][0] + a["half"], a["at"][1] + 7)
                for a in named
            ]
            assert not overlapping(boxes)
            assert np.min(boxes) >= 0
            assert max(b[2] for b in boxes) <= width and max(b[3] for b in boxes) <= height


def test_zoom_and_selection_move_from_projections_to_prototypes(browser: Any, app: str) -> None:
    with tab(browser) as page:
        settled(page, f"{app}projections?run=garden")
        plot = page.locator("figure.panel", has_text="PCA 1-2").locator("canvas.over")
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
        page.wait_for_timeout(400)
        page.mouse.wheel(0, -500)
        page.wait_for_timeout(300)
        page.get_by_role("link", name="Prototypes").first.click()
        page.get_by_role("heading", name="What does the network look for").wait_for()
        idle(page)
        first, second = arrows(page)
        page.get_by_role("button", name="Show everything").click()
        page.wait_for_timeout(400)
        assert arrows(page)[0] != first
        assert arrows(page)[1] == second  # nobody had zoomed there


# ---- blocks ----------------------------------------


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("run", ["garden", "many"])
def test_the_labels_of_blocks_are_apart_and_within_their_figure(
    browser: Any, app: str, run: str, size: dict[str, Any]
) -> None:
    with tab(browser, **size) as page:
        settled(page, f"{app}body_and_head?run={run}")
        figure = page.locator(".st-key-blocks .js-plotly-plot")
        figure.locator(".annotation-text").first.wait_for(timeout=PATIENCE)
        whole = figure.bounding_box()
        found = [label.bounding_box() for label in figure.locator(".annotation-text").all()]
        boxes = [(b["x"], b["y"], b["x"] + b["width"], b["y"] + b["height"]) for b in found]
        assert len(boxes) == 2 * {"garden": 8, "many": 18}[run] + 1
        assert not overlapping(boxes)
        right, low = whole["x"] + whole["width"], whole["y"] + whole["height"]
        assert all(whole["x"] <= b[0] and b[2] <= right for b in boxes)
        assert all(whole["y"] <= b[1] and b[3] <= low for b in boxes)


# ---- colours ----------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_words_of_charts_have_the_page_s_colour_or_the_one_for_what_they_stand_on(
    browser: Any, app: str, scheme: str
) -> None:
    with tab(browser, color_scheme=scheme) as page:
        settled(page, f"{app}similarity?run=garden")
        page.locator(".st-key-three .heatmap-label").first.wait_for(timeout=PATIENCE)
        words = page.locator(".stApp").evaluate("node => getComputedStyle(node).color")
        fills = "nodes => nodes.map(node => getComputedStyle(node).fill)"
        for place in (".xtick text", ".ytick text", ".legendtext"):
            found = page.locator(f".stPlotlyChart {place}").evaluate_all(fills)
            assert found and set(found) == {words}
        found = page.locator(".st-key-three .heatmap-label text").evaluate_all(fills)
        assert set(found) == {BLACK, WHITE}


@pytest.mark.parametrize(
    ("scheme", "words"), [("light", "rgb(255, 255, 255)"), ("dark", BLACK)], ids=["light", "dark"]
)
def test_words_stand_out_from_the_primary_colour(
    browser: Any, app: str, scheme: str, words: str
) -> None:
    with tab(browser, color_scheme=scheme) as page:
        settled(page, f"{app}projections?run=many")
        button = page.get_by_role("button", name="Lay out with UMAP").last.locator("p")
        assert button.evaluate("node => getComputedStyle(node).color") == words
        settled(page, f"{app}compare?run=many&with=garden")
        tag = page.locator(".stMultiSelect [data-tag] [title]").first
        assert tag.evaluate("node => getComputedStyle(node).color") == words
