"""Serve an app and look at it with headless Chromium."""

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
def served(script: str, *options: str, base: str = "", **env: str) -> Iterator[str]:
    """Serve an app, given by its path below the checkout, on a free port; give its address."""
    with serving(script, *options, base=base, **env) as (_, address):
        yield address


@contextmanager
def serving(
    script: str, *options: str, base: str = "", **env: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Give the server's process too, which may be killed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "streamlit", "run", script),
            *("--server.port", str(port), "--server.address", "127.0.0.1"),
            *("--server.headless", "true", "--server.fileWatcherType", "none"),
            *(("--server.baseUrlPath", base) if base else ()),
            *options,
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
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
        yield server, address
    finally:
        server.terminate()
        server.wait()


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the browser, or skip plainly where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def tab(browser: Any, **options: Any) -> Iterator[Any]:
    """Open a page; on leaving, nothing may have gone wrong in its scripts.

    What fails in between says how the page looked then.
    """
    page = browser.new_page(**{"viewport": {"width": 1366, "height": 900}, **options})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    try:
        yield page
    except Exception as error:
        error.add_note(_looks_of(page, problems))
        raise
    finally:
        page.close()
    assert problems == []


def _looks_of(page: Any, problems: list[str]) -> str:
    try:
        text = page.locator("body").inner_text(timeout=5000)
        address = page.url
    except Exception as error:  # the browser is gone
        return f"The page cannot be read any more: {error}"
    return f"The page was {address}\nIts scripts' errors: {problems}\nIt read:\n{text[:4000]}"
