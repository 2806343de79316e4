"""The components in a real browser."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.apps.drawn import colour

from .browsing import chromium, served, tab

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as driver:
        yield driver


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with tab(browser) as page:
        yield page


@pytest.fixture(scope="module")
def grid_app() -> Iterator[str]:
    with served("tests/apps/grid_app.py", base="some/where") as address:
        yield address


def test_gallery_answers_mouse_and_keyboard_below_a_base_path(page: Any, grid_app: str) -> None:
    page.goto(grid_app)
    cells = page.get_by_role("list", name="Pictures").get_by_role("button")
    cells.nth(2).wait_for()
    assert cells.count() == 9
    page.wait_for_function("""() => {
      const root = document.querySelector('[data-testid="stBidiComponentIsolated"]').shadowRoot;
      const images = [...root.querySelectorAll("img")];
      return images.length === 9 && images.every((image) => image.naturalWidth === 96);
    }""")
    assert "<b>tulip</b>" in cells.nth(2).inner_text()
    cells.nth(2).click()
    page.get_by_text("calls [11]").wait_for()
    cells.nth(2).press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_text("calls [11, 4]").wait_for()
    assert page.get_by_text("returned").inner_text().split() == ["returned", "4"]


# ---- the map ----------------------------------------


@pytest.fixture(scope="module")
def map_app() -> Iterator[str]:
    with served("tests/apps/map_app.py", base="some/where") as address:
        yield address


def opened(page: Any, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("section.map[data-draw-ms]")
    page.wait_for_timeout(200)


def box(page: Any, panel: int) -> tuple[float, float, float, float]:
    """Give left, top, width and height of a panel's canvas on the screen."""
    canvas = page.locator("canvas.over").nth(panel)
    canvas.scroll_into_view_if_needed()
    found = canvas.bounding_box()
    return found["x"], found["y"], found["width"], found["height"]


def lasso(page: Any, panel: int, corners: list[tuple[float, float]]) -> None:
    """Draw around a part of a panel; corners are shares of its width and height."""
    left, top, width, height = box(page, panel)
    places = [(left + x * width, top + y * height) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def drawn(page: Any, panel: int) -> str:
    """Give what a panel's points look like, as one string."""
    page.wait_for_timeout(150)
    found: str = page.locator(".plot canvas:not(.over)").nth(panel).evaluate("c => c.toDataURL()")
    return found


WHOLE = [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99)]
MIDDLE = [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)]


def test_hover_shows_the_picture_of_its_own_row(page: Any, map_app: str) -> None:
    """Twenty points, half of them in a space: text, picture and row are one and the same."""
    opened(page, map_app)
    rng = random.Random(5)
    seen: set[int] = set()
    for panel in (0, 3):
        left, top, width, height = box(page, panel)
        wanted = len(seen) + 10
        for _ in range(400):
            if len(seen) >= wanted:
                break
            share = rng.gauss(0.5, 0.12), rng.gauss(0.5, 0.12)
            page.mouse.move(left + width * share[0], top + height * share[1])
            card = page.locator(".card")
            if not card.is_visible():
                continue
            row = int(card.get_attribute("data-row"))
            if row in seen:
                continue
            canvas = card.locator(f'canvas[data-row="{row}"]')
            canvas.wait_for()
            pixel = canvas.evaluate(
                "c => [...c.getContext('2d').getImageData(48, 20, 1, 1).data].slice(0, 3)"
            )
            assert max(abs(a - b) for a, b in zip(pixel, colour(row), strict=True)) < 12, row
            assert card.locator(".head").inner_text() == f"photo_{row:06d}.jpg"
            seen.add(row)
        assert len(seen) >= wanted


def test_click_shift_click_and_escape(page: Any, map_app: str) -> None:
    opened(page, map_app)
    left, top, width, height = box(page, 1)
    rows = []
    for share in (0.3, 0.55, 0.6, 0.65, 0.7):
        page.mouse.move(left + share * width, top + 0.5 * height)
        if page.locator(".card").is_visible():
            rows.append((share, int(page.locator(".card").get_attribute("data-row"))))
    (first, row), (second, other) = rows[0], rows[-1]
    assert row != other
    page.mouse.click(left + first * width, top + 0.5 * height)
    page.get_by_text(f"selected 1 clicked {row} ").wait_for()
    page.wait_for_timeout(400)
    page.keyboard.down("Shift")
    page.mouse.click(left + second * width, top + 0.5 * height)
    page.keyboard.up("Shift")
    page.get_by_text(f"selected 2 clicked {other} ").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("selected 0 clicked None").wait_for()


def test_lasso_selects_what_it_holds_and_the_gallery_follows(page: Any, map_app: str) -> None:
    opened(page, map_app)
    page.get_by_role("button", name="Lasso").click()
    before = [drawn(page, panel) for panel in range(4)]
    lasso(page, 0, WHOLE)
    page.get_by_text("selected 750 clicked None").wait_for()
    lasso(page, 0, MIDDLE)
    page.get_by_text("selected 750 clicked None").wait_for(state="detached")
    text = page.get_by_text(re.compile(r"^selected \d+ clicked")).inner_text()
    some = int(text.split()[1])
    assert 0 < some < 400
    assert page.get_by_text(f"{some} of 750 selected").is_visible()
    pictures = page.get_by_role("list", name="Pictures").get_by_role("button")
    pictures.nth(11).wait_for()
    assert all(old != drawn(page, panel) for panel, old in enumerate(before))  # all panels follow
    page.get_by_role("button", name="Clear selection").click()
    page.get_by_text("selected 0 clicked None").wait_for()
    assert [drawn(page, panel) for panel in range(4)] == before


def test_zoom_is_kept_over_reruns_selections_and_pages(page: Any, map_app: str) -> None:
    opened(page, map_app)
    rest = drawn(page, 0)
    left, top, width, height = box(page, 0)
    page.mouse.move(left + 0.5 * width, top + 0.5 * height)
    page.mouse.wheel(0, -500)
    zoomed = drawn(page, 0)
    assert zoomed != rest
    page.get_by_role("button", name="Run again").click()
    page.wait_for_timeout(500)
    assert drawn(page, 0) == zoomed
    page.get_by_role("link", name="Other").click()
    page.get_by_text("elsewhere 0").wait_for()
    page.get_by_role("link", name="Map").click()
    page.get_by_text("selected 0 clicked None").wait_for()
    page.wait_for_selector("section.map[data-draw-ms]")
    assert drawn(page, 0) == zoomed
    page.mouse.dblclick(left + 3, top + 0.5 * height)
    page.mouse.move(0, 0)
    assert drawn(page, 0) == rest


def test_selection_moves_between_pages_and_obeys_python(page: Any, map_app: str) -> None:
    opened(page, map_app)
    page.get_by_role("button", name="Box").click()
    lasso(page, 0, [(0.3, 0.3), (0.7, 0.7)])
    text = page.get_by_text(re.compile(r"^selected [1-9]\d* clicked")).inner_text()
    page.get_by_role("link", name="Other").click()
    page.get_by_text(f"elsewhere {text.split()[1]}").wait_for()
    page.get_by_text(f"{text.split()[1]} of 750 selected").wait_for()
    page.get_by_role("link", name="Map").click()
    page.get_by_text(text).wait_for()
    page.get_by_role("button", name="Pass 3, 5").click()
    page.get_by_text("selected 2 clicked None").wait_for()
    page.get_by_text("2 of 750 selected").wait_for()
    page.get_by_role("button", name="Clear selection").click()
    page.get_by_text("selected 0 clicked None").wait_for()  # and what was passed stays away


def test_legend_filters_and_is_reached_by_keyboard(page: Any, map_app: str) -> None:
    opened(page, map_app)
    entry = page.get_by_role("button", name="<b>rose</b>")
    entry.focus()
    page.keyboard.press("Enter")
    page.get_by_text("hidden ['<b>rose</b>']").wait_for()
    assert entry.get_attribute("aria-pressed") == "false"
    assert entry.evaluate("e => e.getRootNode().activeElement === e")
    shown = 750 - int(entry.locator(".count").inner_text())
    page.get_by_text(f"{shown} of 750 points").wait_for()
    heard = page.locator("canvas.over").first.get_attribute("aria-label")
    assert f": {shown} of 750 points. Arrow keys" in heard
    page.get_by_role("button", name="Lasso").click()
    lasso(page, 0, WHOLE)
    page.get_by_text(f"selected {shown} clicked None").wait_for()
    page.get_by_role("button", name="daisy").dblclick()
    page.get_by_text("hidden ['dandelion', '<b>rose</b>', 'sunflower', 'tulip']").wait_for()


def test_the_legend_of_numbers_says_where_it_ends_and_what_is_missing(
    page: Any, map_app: str
) -> None:
    opened(page, f"{map_app}?colour=value&panels=1")
    ends = page.locator(".legend .end").all_inner_texts()
    assert ends[0].startswith("\u2264 ") and ends[1].startswith("\u2265 ")
    assert page.locator(".legend .missing").inner_text().split() == ["missing", "13"]
    opened(page, f"{map_app}?colour=value&panels=1&n=40")
    low, high = page.locator(".legend .end").all_inner_texts()
    assert "\u2264" not in low and "\u2265" not in high


def test_keyboard_goes_from_point_to_point(page: Any, map_app: str) -> None:
    opened(page, map_app)
    page.locator("canvas.over").first.focus()
    page.keyboard.press("ArrowRight")
    status = page.locator("section.map [role=status]")
    first = status.inner_text()
    assert "photo_" in first
    page.keyboard.press("ArrowRight")
    assert status.inner_text() != first
    page.keyboard.press("c")  # Streamlit's own shortcut: a dialogue that clears caches
    page.keyboard.press("Enter")
    row = int(re.search(r"photo_(\d+)", status.inner_text())[1])
    page.get_by_text(f"selected 1 clicked {row} ").wait_for()
    assert page.get_by_role("dialog").count() == 0
    page.keyboard.press("Escape")
    page.get_by_text("selected 0 clicked None").wait_for()


def test_late_sheets_come_without_a_run_of_the_page(page: Any, map_app: str) -> None:
    """Of a very large set a picture's sheet is fetched when the picture is looked at."""
    opened(page, f"{map_app}?n=60000&panels=1")
    left, top, width, height = box(page, 0)
    page.mouse.move(left + 0.5 * width, top + 0.5 * height)
    canvas = page.locator(".card canvas[data-row]")
    canvas.wait_for()
    row = int(canvas.get_attribute("data-row"))
    pixel = canvas.evaluate(
        "c => [...c.getContext('2d').getImageData(48, 20, 1, 1).data].slice(0, 3)"
    )
    assert max(abs(a - b) for a, b in zip(pixel, colour(row), strict=True)) < 12


def test_phone_has_one_column_and_a_tap_selects(browser: Any, map_app: str) -> None:
    page = browser.new_page(
        viewport={"width": 390, "height": 844}, has_touch=True, device_scale_factor=2
    )
    opened(page, map_app)
    places = {page.locator("canvas.over").nth(k).bounding_box()["x"] for k in range(4)}
    assert len(places) == 1
    left, top, width, height = box(page, 0)
    page.touchscreen.tap(left + 0.55 * width, top + 0.5 * height)
    page.get_by_text("1 of 750 selected").wait_for()
    assert page.locator(".card").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


@pytest.mark.parametrize("n", [0, 1, 3])
def test_very_small_sets(page: Any, map_app: str, n: int) -> None:
    opened(page, f"{map_app}?n={n}")
    if n:
        page.get_by_role("button", name="Pictures in place of points").click()
    page.get_by_role("button", name="Box").click()
    lasso(page, 0, [(0.01, 0.01), (0.99, 0.99)])
    if n:
        page.get_by_text(f"selected {n} clicked None").wait_for()
        page.get_by_role("button", name="Zoom to the selection").click()
    page.get_by_role("button", name="Show everything").click()


def test_points_that_are_left_out_are_neither_counted_nor_selected(page: Any, map_app: str) -> None:
    opened(page, f"{map_app}?n=70&sparse=1&panels=1")
    page.get_by_role("button", name="Box").click()
    lasso(page, 0, [(0.01, 0.01), (0.99, 0.99)])
    page.get_by_text("selected 60 clicked None").wait_for()
    counts = page.locator(".entry:visible .count").all_inner_texts()
    assert sum(map(int, counts)) == 60


def test_the_map_follows_a_change_to_dark(page: Any, map_app: str) -> None:
    page.emulate_media(color_scheme="light")
    opened(page, f"{map_app}?n=70&panels=1")
    corner = """c => {
      const [x, y] = [c.width - 20, 20];
      return [...c.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3);
    }"""
    canvas = page.locator(".plot canvas:not(.over)").first
    assert min(canvas.evaluate(corner)) > 240
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(800)
    assert max(canvas.evaluate(corner)) < 60
