"""From the command to the first view of the garden: seconds, and memory of the app's process.

    python benchmarks/startup.py

Needs Chromium and the dev requirements. The plain way to compare with imports everything that the
project uses at once, as a notebook's first cell does.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
ROUNDS = 3
EAGER = "import streamlit, plotly.express, sklearn.decomposition, umap, torch, torchvision, pandas"
LEAN = "import streamlit, embedlab.ui.frame, embedlab.ui.maps, embedlab.views"
MEASURE = """
import time; started = time.perf_counter()
{code}
import psutil
print(time.perf_counter() - started, psutil.Process().memory_info().rss / 1e6)
"""


def imports(code: str) -> tuple[float, float]:
    """Import in a fresh process; give seconds and megabytes."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEASURE.format(code=code)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    seconds, megabytes = done.stdout.split()[-2:]
    return float(seconds), float(megabytes)


def first_view() -> tuple[float, float]:
    """Start the app, open the home page, wait for its pictures; give seconds and megabytes."""
    import psutil

    from tests.browsing import chromium, served, tab

    with chromium() as browser, tempfile.TemporaryDirectory() as home:
        started = time.perf_counter()
        with served("app.py", EMBEDLAB_HOME=home) as address, tab(browser) as page:
            page.goto(address)
            page.locator("canvas").first.wait_for()
            page.get_by_text("750 points").first.wait_for()
            seconds = time.perf_counter() - started
            server = next(
                child
                for child in psutil.Process(os.getpid()).children()
                if "streamlit" in " ".join(child.cmdline())
            )
            return seconds, server.memory_info().rss / 1e6


def main() -> None:
    """Measure in turn, so that a busy moment hits all alike; print medians."""
    rows: dict[str, list[tuple[float, float]]] = {
        "all at once": [],
        "the app": [],
        "first view": [],
    }
    rows["import embedlab"] = []
    for _ in range(ROUNDS):
        rows["all at once"].append(imports(EAGER))
        rows["the app"].append(imports(LEAN))
        rows["import embedlab"].append(imports("import embedlab"))
        rows["first view"].append(first_view())
    for name, readings in rows.items():
        seconds = statistics.median(reading[0] for reading in readings)
        megabytes = statistics.median(reading[1] for reading in readings)
        print(f"{name:<16} {seconds:7.2f} s  {megabytes:6.0f} MB")
    ratio = statistics.median(
        a[0] / b[0] for a, b in zip(rows["all at once"], rows["the app"], strict=True)
    )
    print(f"imports, all at once / the app: {ratio:.1f} times")


if __name__ == "__main__":
    main()
