"""What all tests share: a home of their own, and the way to the real photographs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a browser that waited in vain try once more, as on a busy machine; it is reported.

    What it finds and should not find fails at once.
    """
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["TimeoutError"]))


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    """Keep tests out of the real home, and each out of the others'."""
    monkeypatch.setenv("EMBEDLAB_HOME", str(tmp_path / "home"))
    cache = getattr(pytestconfig, "cache", None)  # there is none with -p no:cacheprovider
    if cache is not None:  # UMAP's compiled code is the same in every home
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache.mkdir("numba")))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder that holds data/ and weights/ with real pictures and weights."""
    folder = Path(os.environ.get("EMBEDLAB_TEST_DATA") or ROOT.parent / "shared")
    if not (folder / "data" / "flower_photos").is_dir():
        pytest.skip(f"no real photographs at {folder}; set EMBEDLAB_TEST_DATA")
    return folder
