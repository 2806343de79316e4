"""What stays as long as the server is left out of the garbage collector's rounds."""

from __future__ import annotations

import gc
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from embedlab.ui import sparing

from .conftest import ROOT


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    gc.unfreeze()
    monkeypatch.setattr(sparing, "_spared", set())
    yield
    gc.unfreeze()


def test_a_page_leaves_what_it_imported_out_of_the_rounds() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    assert not app.exception
    spared = gc.get_freeze_count()
    assert spared > 100_000
    # Further runs set nothing aside: what they leave behind is garbage to be collected.
    app.run()
    assert gc.get_freeze_count() <= spared


def test_modules_that_come_later_are_spared_once_they_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def imported(n: int) -> None:
        for k in range(n):
            monkeypatch.setitem(sys.modules, f"later_{n}_{k}", types.ModuleType("later"))

    sparing.spare_modules()
    before = gc.get_freeze_count()
    imported(sparing.WORTH - 1)
    sparing.spare_modules()
    assert gc.get_freeze_count() == before
    imported(1)
    sparing.spare_modules()
    assert gc.get_freeze_count() > before


def test_garbage_is_not_kept() -> None:
    class Large:
        """Refers to itself, so that only a round of the collector finds it."""

        def __init__(self) -> None:
            self.me: Any = self

        def __del__(self) -> None:
            gone.append(True)

    gone: list[bool] = []
    Large()
    sparing.spare_modules()
    assert gone == [True]
    Large()
    gc.collect()
    assert gone == [True, True]
