"""How fast the linked map answers, in headless Chromium with four panels.

Serves the app that the tests use and measures, for each number of points:

- hover: from the pointer's move to the card, and to the picture on it
- gallery: from the release of the mouse after a lasso to the pictures that Python chose for it
- draw: drawing all four panels

Run: python benchmarks/linked_map.py [n ...]
"""

from __future__ import annotations

import math
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.browsing import CHROMIUM, FLAGS, served
from tests.test_map_browser import MIDDLE, box, lasso

# Notes the time of every pointer event; `after` resolves with the milliseconds from the last
# event of a kind until a condition holds, looked at in every frame.
PROBE = """
const times = {};
for (const kind of ["pointermove", "pointerup"])
  window.addEventListener(kind, (event) => { times[kind] = event.timeStamp; }, true);
const shadows = () => [...document.querySelectorAll('[data-testid="stBidiComponentIsolated"]')]
  .map((host) => host.shadowRoot).filter(Boolean);
window.inShadows = (selector) => shadows().flatMap((root) => [...root.querySelectorAll(selector)]);
window.after = (kind, holds) => new Promise((resolve) => {
  const begun = performance.now();
  const look = () => {
    if (holds()) resolve(performance.now() - times[kind]);
    else if (performance.now() - begun > 15000) resolve(NaN);
    else requestAnimationFrame(look);
  };
  look();
});
"""

CARD = "() => inShadows('.card:not([hidden])').length > 0"
PICTURE = "() => inShadows('.card:not([hidden]) canvas[data-row]').length > 0"
GALLERY = """() => {
  const images = inShadows('.grid img');
  return images.length > 0 && images.every((image) => image.naturalWidth > 0);
}"""


def median(values: list[float]) -> str:
    """Give the median and the worst, in ms; nan where something never came."""
    known = [value for value in values if not math.isnan(value)]
    worst = max(known) if len(known) == len(values) else math.nan
    return f"{statistics.median(known or [math.nan]):7.0f} {worst:7.0f}"


def measure(page: Any, address: str, n: int) -> dict[str, list[float]]:
    """Play with the map of n points; give lists of milliseconds."""
    found: dict[str, list[float]] = {"card": [], "picture": [], "gallery": [], "draw": []}
    page.goto(f"{address}?n={n}&panels=4&few=1")
    page.wait_for_selector("section.map[data-draw-ms]", timeout=120_000)
    page.wait_for_timeout(3000)
    left, top, width, height = box(page, 0)
    for k in range(12):
        page.mouse.move(left + 2, top + 2)
        page.wait_for_timeout(60)
        page.mouse.move(left + width * (0.45 + 0.012 * k), top + height * 0.5)
        found["card"].append(page.evaluate(f"after('pointermove', {CARD})"))
        found["picture"].append(page.evaluate(f"after('pointermove', {PICTURE})"))
        page.wait_for_timeout(100)
    page.get_by_role("button", name="Lasso").click()
    for _ in range(6):
        lasso(page, 0, MIDDLE)
        found["gallery"].append(page.evaluate(f"after('pointerup', {GALLERY})"))
        page.wait_for_timeout(1500)
        page.get_by_role("button", name="Clear selection").click()
        page.get_by_text("selected 0 clicked None").wait_for()
        page.wait_for_timeout(1000)
    for _ in range(10):
        page.get_by_role("button", name="Show everything").click()
        page.wait_for_timeout(300 if n < 50_000 else 1000)
        found["draw"].append(float(page.locator("section.map").get_attribute("data-draw-ms")))
    return found


def main() -> None:
    """Measure and print a table."""
    from playwright.sync_api import sync_playwright

    numbers = [int(text) for text in sys.argv[1:]] or [1_000, 10_000, 100_000]
    print(
        "median and worst, ms |     hover card |   with picture |        gallery | draw, 4 panels"
    )
    with served("tests/apps/map_app.py") as address, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        for n in numbers:
            page = chromium.new_page(viewport={"width": 1366, "height": 900})
            page.add_init_script(PROBE)
            found = measure(page, address, n)
            columns = " | ".join(median(values) for values in found.values())
            print(f"{n:>13,} points | {columns}")
            page.close()
        chromium.close()


if __name__ == "__main__":
    main()
