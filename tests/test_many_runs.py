"""Pages on a machine where much has been trained."""

from __future__ import annotations

import json
import shutil

import pytest
from streamlit.testing.v1 import AppTest

from embedlab.home import home
from embedlab.runs import Run, list_runs
from embedlab.ui import cache

from .conftest import ROOT
from .made_runs import made_run

PAGES = ("home", "neighbours", "compare")


def many(count: int) -> None:
    """Leave runs of two titles in the home, the last one the newest."""
    first = made_run(home("runs") / "run-000", per_class=(5, 5)).folder
    for number in range(1, count):
        folder = first.with_name(f"run-{number:03}")
        shutil.copytree(first, folder)
        info = json.loads((folder / "run.json").read_text())
        info["title"] = f"Trained {'often' if number % 2 else 'more often'}"
        info["created"] = f"2026-01-01T00:{number // 60:02}:{number % 60:02}+00:00"
        (folder / "run.json").write_text(json.dumps(info))


def shown(page: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    return app if page == "home" else app.switch_page(f"pages/{page}.py").run()


def test_a_page_looks_for_the_runs_equally_often_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[int] = []

    def counted() -> list[Run]:
        looks.append(1)
        return list_runs()

    monkeypatch.setattr(cache, "list_runs", counted)
    times = []
    for count in (12, 40):
        shutil.rmtree(home("runs"), ignore_errors=True)
        many(count)
        counts = []
        for page in PAGES:
            looks.clear()
            assert not shown(page).exception
            counts.append(len(looks))
        times.append(counts)
    assert times[0] == times[1]
    assert max(times[0]) < 20, times


def test_every_run_is_opened_once_until_it_changes_or_goes() -> None:
    many(3)
    before = cache.runs()
    assert cache.runs()["run-001"] is before["run-001"]
    path = home("runs") / "run-001" / "run.json"
    info = json.loads(path.read_text())
    path.write_text(json.dumps({**info, "fingerprint": "another"}))
    shutil.rmtree(home("runs") / "run-002")
    after = cache.runs()
    assert after["run-001"] is not before["run-001"]
    assert after["run-001"].fingerprint == "another"
    assert "run-002" not in after and after["run-000"] is before["run-000"]


def test_home_lists_ten_runs_at_a_time_beginning_where_one_is() -> None:
    many(25)
    app = shown("home")
    looks = [button.key for button in app.button if str(button.key).startswith("look-")]
    assert looks == [f"look-run-{number:03}" for number in range(23, 14, -1)]  # 24 is looked at
    app.query_params["run"] = "run-003"
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["run"] = "run-003"
    app.run()
    looks = [button.key for button in app.button if str(button.key).startswith("look-")]
    assert "look-run-004" in looks and "look-run-023" not in looks and "look-run-003" not in looks
    names = app.selectbox(key="run").options
    assert "Trained often (run-003)" in names and "run-000" in names
    assert len(set(names)) == len(names) == 26  # and the garden
