"""The film player in a real browser: it plays, answers keys and mouse, and shows true pictures."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embedlab.runs import Run
from embedlab.space.film import following_view

from .browsing import chromium, served, tab
from .made_runs import COLOURS, made_run
from .test_film import with_film

pytestmark = pytest.mark.browser

PATIENCE = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return with_film(made_run(tmp_path_factory.mktemp("home") / "runs" / "squares"), t=5)


@pytest.fixture(scope="module")
def app(run: Run) -> Iterator[str]:
    with served("app.py", EMBEDLAB_HOME=str(run.folder.parent.parent)) as address:
        yield address


def opened(page: Any, app: str) -> Any:
    page.goto(f"{app}film?run=squares")
    film = page.locator("section.film")
    film.get_by_text("start ·").wait_for(timeout=PATIENCE)
    return film


def test_the_head_s_arrows_are_drawn_and_move(browser: Any, app: str) -> None:
    with tab(browser) as page:
        film = opened(page, app)
        drawn = film.locator("canvas[data-arrows]")
        drawn.wait_for(timeout=PATIENCE)
        first = json.loads(drawn.get_attribute("data-arrows"))["arrows"]
        assert [arrow["name"] for arrow in first] == ["red", "green", "blue"]
        film.get_by_role("button", name="Play").click()
        film.get_by_text("epoch 2 · 11 of 12 right").wait_for(timeout=PATIENCE)
        last = json.loads(drawn.get_attribute("data-arrows"))["arrows"]
        assert last != first and all(arrow["to"] for arrow in last)


def test_it_plays_to_the_end_and_keys_lead_back(browser: Any, app: str) -> None:
    with tab(browser) as page:
        film = opened(page, app)
        film.get_by_role("button", name="Play").click()
        film.get_by_role("button", name="Pause").wait_for()
        film.get_by_text("epoch 2 · 11 of 12 right").wait_for(timeout=PATIENCE)
        assert film.get_attribute("data-moment") == "4"
        film.get_by_role("button", name="Play").wait_for()
        slider = film.get_by_role("slider")
        slider.focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        film.get_by_text("epoch 0.5 ·").wait_for()
        assert slider.get_attribute("aria-valuetext") == "epoch 0.5"
        film.get_by_role("button", name="One moment on").click()
        film.get_by_text("epoch 1 ·").wait_for()


def test_hovering_and_clicking_give_the_picture_under_the_pointer(
    browser: Any, app: str, run: Run
) -> None:
    with np.load(run.folder / "film.npz") as film:
        rows = film["rows"]
        drawn = following_view(film["embeddings"], film["weights"]).coordinates[0].astype(float)
    assert run.labels is not None
    with tab(browser) as page:
        film_ = opened(page, app)
        box = film_.locator(".plot canvas").bounding_box()
        # Where points lie on the screen follows from the two farthest that a pointer finds.
        seen: dict[int, tuple[float, float]] = {}
        for y in np.arange(box["y"] + 6, box["y"] + box["height"], 14):
            for x in np.arange(box["x"] + 6, box["x"] + box["width"], 14):
                page.mouse.move(x, y)
                card = film_.locator(".card")
                if card.is_visible():
                    seen.setdefault(int(card.get_attribute("data-row")), (x, y))
            if len(seen) >= 6:
                break
        assert len(seen) >= 5
        places = sorted(seen)
        screen = np.array([seen[place] for place in places])
        # A plane with one scale and y upwards: screen = offset + scale * (x, -y), up to the reach.
        model = drawn[places] * [1, -1]
        scale = (screen - screen.mean(0)).std() / (model - model.mean(0)).std()
        expected = screen.mean(0) + scale * (model - model.mean(0))
        assert np.abs(screen - expected).max() < 32
        place = places[0]
        page.mouse.move(*seen[place])
        canvas = film_.locator(f'.card canvas[data-row="{place}"]')
        canvas.wait_for(timeout=PATIENCE)
        shot = Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
        middle = np.asarray(shot)[shot.height * 2 // 3, shot.width // 2].astype(int)
        row = int(rows[place])
        assert np.abs(middle - COLOURS[run.labels[row]]).max() < 30
        assert run.items["id"].iat[row] in film_.locator(".card").inner_text()
        page.mouse.down()
        page.mouse.up()
        page.get_by_role("list", name="The clicked picture").get_by_role("button").wait_for(
            timeout=PATIENCE
        )
        named = page.get_by_role("list", name="The clicked picture").inner_text()
        assert str(run.items["id"].iat[row]) in named


def test_the_buttons_are_in_sight_on_a_low_screen(browser: Any, app: str) -> None:
    with tab(browser, viewport={"width": 1366, "height": 768}) as page:
        film = opened(page, app)
        play = film.get_by_role("button", name="Play").bounding_box()
        assert play["y"] + play["height"] < 768
        canvas = film.locator(".plot canvas").bounding_box()
        assert 320 < canvas["height"] < 440


def test_the_frame_fits_a_phone(browser: Any, app: str, tmp_path: Path) -> None:
    with tab(browser, viewport={"width": 390, "height": 844}, color_scheme="dark") as page:
        film = opened(page, app)
        box = film.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert film.get_by_role("slider").bounding_box()["width"] > 150
