"""The components in a real browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def served(app: str, *options: str, base: str = "") -> Iterator[str]:
    """Serve an app of tests/apps on a free port; give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "streamlit", "run", f"tests/apps/{app}"),
            *("--server.port", str(port), "--server.address", "127.0.0.1"),
            *("--server.headless", "true", "--server.fileWatcherType", "none"),
            *(("--server.baseUrlPath", base) if base else ()),
            *options,
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/{base}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health".replace("//_", "/_"), timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": 1366, "height": 900})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    page.close()
    assert problems == []


@pytest.fixture(scope="module")
def grid_app() -> Iterator[str]:
    with served("grid_app.py", base="some/where") as address:
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
