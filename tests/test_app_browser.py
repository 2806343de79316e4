"""The app in a real browser: cold links, clicks, back and forward, narrow and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedlab.ui.frame import PAGES

from .browsing import chromium, served, tab
from .made_runs import made_run

pytestmark = pytest.mark.browser

PATIENCE = 60_000
FLOWERS = ("daisy", "dandelion", "rose", "sunflower", "tulip")
QUESTIONS = {
    entry.file: entry.question for entries in PAGES.values() for entry in entries if entry.question
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def home_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    made_run(folder / "runs" / "squares")
    return folder


@pytest.fixture(scope="module")
def app(home_folder: Path) -> Iterator[str]:
    with served("app.py", EMBEDLAB_HOME=str(home_folder)) as address:
        yield address


def wait_for_title(page: Any, text: str) -> None:
    page.get_by_role("heading", name=text, exact=True).wait_for(timeout=PATIENCE)


def test_a_cold_deep_link_opens_with_its_frame_and_hears_the_first_click(
    browser: Any, home_folder: Path
) -> None:
    """Nobody has opened / on this server yet: Streamlit would run the page without app.py."""
    with (
        served("app.py", EMBEDLAB_HOME=str(home_folder)) as address,
        tab(browser) as page,
    ):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}neighbours?run=squares&query=25")
        wait_for_title(page, QUESTIONS["neighbours"])
        page.get_by_text("0025.jpg").first.wait_for(timeout=PATIENCE)
        page.get_by_role("link", name="Prototypes").first.click()
        wait_for_title(page, QUESTIONS["prototypes"])
        assert "run=squares" in page.url
        inside = (address, address.replace("http", "ws"), "data:", "blob:")
        assert [url for url in asked if not url.startswith(inside)] == []


def test_the_choice_of_a_run_is_in_sight_on_a_low_screen(browser: Any, app: str) -> None:
    with tab(browser, viewport={"width": 1366, "height": 768}) as page:
        page.goto(f"{app}neighbours?run=squares")
        picker = page.get_by_role("combobox", name="Run")
        picker.wait_for(timeout=PATIENCE)
        page.get_by_role("link", name="Lesson").first.wait_for(timeout=PATIENCE)
        box = picker.bounding_box()
        assert box is not None and box["y"] + box["height"] < 740


def test_clicking_a_neighbour_walks_on_and_back_returns(browser: Any, app: str) -> None:
    with tab(browser) as page:
        page.goto(f"{app}neighbours?run=squares&query=25")
        grid = (
            page.get_by_role("group", name="Most similar")
            .or_(page.get_by_label("Most similar"))
            .first
        )
        grid.wait_for(timeout=PATIENCE)
        grid.get_by_role("button").first.click()
        page.wait_for_url(lambda url: "query=" in url and "query=25" not in url, timeout=PATIENCE)
        walked = page.url
        page.go_back()
        page.wait_for_url(lambda url: "query=25" in url, timeout=PATIENCE)
        page.get_by_text("0025.jpg · validation").wait_for(timeout=PATIENCE)
        page.go_forward()
        page.wait_for_url(walked, timeout=PATIENCE)


def test_back_leaves_a_page_at_once_and_the_first_page_too(browser: Any, app: str) -> None:
    walk = ("neighbours", "prototypes", "layers", "mistakes", "compare", "lesson")
    titles = {entry.file: entry.title for entries in PAGES.values() for entry in entries}
    with tab(browser) as page:
        page.goto(app)
        page.wait_for_url("**run=squares**", timeout=PATIENCE)
        wait_for_title(page, "See what an image network has learned")
        page.wait_for_function("history.completes", timeout=PATIENCE)
        menu = page.get_by_test_id("stSidebarNav")
        before = page.evaluate("history.length")
        for file in walk:
            menu.get_by_role("link", name=titles[file]).click()
            wait_for_title(page, QUESTIONS[file])
            page.wait_for_url(f"**/{file}?run=squares", timeout=PATIENCE)
        assert page.evaluate("history.length") == before + len(walk)
        for file in walk[-2::-1]:
            page.go_back()
            wait_for_title(page, QUESTIONS[file])
        page.go_back()
        wait_for_title(page, "See what an image network has learned")
        for _ in range(2):  # the address without a run is completed, not followed by another
            if page.url != "about:blank":
                page.go_back()
                page.wait_for_timeout(1000)
        assert page.url == "about:blank"


def test_a_choice_named_by_its_id_stays_in_the_address(browser: Any, app: str) -> None:
    with tab(browser) as page:
        page.goto(f"{app}neighbours?run=squares&query=25&metric=dot")
        page.wait_for_url("**metric=Dot+product**", timeout=PATIENCE)
        page.get_by_text("Below each picture: dot product").wait_for(timeout=PATIENCE)
        page.reload()
        page.get_by_text("Below each picture: dot product").wait_for(timeout=PATIENCE)
        page.go_back()  # to the address with the id: the page must come whole
        page.wait_for_url(lambda url: "Dot" not in url, timeout=PATIENCE)
        page.get_by_text("Below each picture").wait_for(timeout=PATIENCE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_every_page_fits_a_phone_without_errors(
    browser: Any, app: str, name: str, scheme: str
) -> None:
    size = {"width": 390, "height": 844}
    with tab(browser, viewport=size, color_scheme=scheme) as page:
        page.goto(f"{app}{name}?run=squares")
        wait_for_title(page, QUESTIONS[name])
        page.locator("[data-testid=stStatusWidget]").wait_for(state="detached", timeout=PATIENCE)
        assert page.locator("[data-testid=stException]").count() == 0
        assert page.get_by_text("BidiComponent Error").count() == 0
        main = page.locator("[data-testid=stMain]")
        assert main.evaluate("node => node.scrollWidth <= node.clientWidth + 1")


def cell_of_the_confusion_matrix(page: Any, true: int, predicted: int) -> tuple[float, float]:
    """Move the mouse to a cell of the flowers' matrix and give where it is."""
    drag = page.locator("[data-testid=stPlotlyChart]").first.locator(".nsewdrag").first
    drag.wait_for(timeout=PATIENCE)
    drag.scroll_into_view_if_needed()
    box = drag.bounding_box()
    x = box["x"] + box["width"] * (predicted + 0.8) / len(FLOWERS)
    y = box["y"] + box["height"] * (true + 0.3) / len(FLOWERS)
    page.mouse.move(x, y)
    page.wait_for_timeout(300)
    return x, y


def wait_for_cell(page: Any, true: int, predicted: int) -> None:
    cell = f"cell-true={FLOWERS[true]}", f"cell-predicted={FLOWERS[predicted]}"
    page.wait_for_url(lambda url: all(part in url for part in cell), timeout=PATIENCE)
    text = f"of {FLOWERS[true]} taken for {FLOWERS[predicted]}"
    page.get_by_text(text).wait_for(timeout=PATIENCE)


def test_a_cell_of_the_confusion_matrix_opens_its_pictures_and_a_picture_leads_on(
    browser: Any, app: str
) -> None:
    with tab(browser) as page:
        page.goto(f"{app}mistakes?run=garden&among=All")
        wait_for_title(page, QUESTIONS["mistakes"])
        for true, predicted in ((0, 3), (2, 2)):
            page.mouse.click(*cell_of_the_confusion_matrix(page, true, predicted))
            wait_for_cell(page, true, predicted)
        cells = page.get_by_role("list", name="Pictures of the chosen cell").get_by_role("button")
        cells.first.click(timeout=PATIENCE)
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("Its neighbours").click(timeout=PATIENCE)
        wait_for_title(page, QUESTIONS["neighbours"])
        assert "query=" in page.url


@pytest.mark.parametrize("gap", [80, 160])
def test_a_double_click_on_a_cell_of_the_confusion_matrix_chooses_it_too(
    browser: Any, app: str, gap: int
) -> None:
    """The chart takes the selection back, which may arrive with the boxes' former choice."""
    with tab(browser) as page:
        page.goto(f"{app}mistakes?run=garden&among=All&cell-true=daisy&cell-predicted=daisy")
        wait_for_title(page, QUESTIONS["mistakes"])
        wait_for_cell(page, 0, 0)
        where = cell_of_the_confusion_matrix(page, 2, 2)
        page.mouse.click(*where)
        page.wait_for_timeout(gap)
        page.mouse.click(*where)
        wait_for_cell(page, 2, 2)
        page.wait_for_timeout(2_000)
        wait_for_cell(page, 2, 2)
        for box in ("True", "Predicted"):
            assert page.get_by_role("combobox", name=box).input_value() == "rose"


def test_a_cell_that_is_left_in_the_boxes_is_chosen_again_by_a_click(
    browser: Any, app: str
) -> None:
    """The chart still has it selected, and says only that it no longer is."""
    with tab(browser) as page:
        page.goto(f"{app}mistakes?run=garden&among=All")
        wait_for_title(page, QUESTIONS["mistakes"])
        page.mouse.click(*cell_of_the_confusion_matrix(page, 2, 2))
        wait_for_cell(page, 2, 2)
        page.get_by_role("combobox", name="Predicted").click()
        page.get_by_role("option", name="daisy").click(timeout=PATIENCE)
        wait_for_cell(page, 2, 0)
        page.mouse.click(*cell_of_the_confusion_matrix(page, 2, 2))
        wait_for_cell(page, 2, 2)
