"""Every page, on runs of every shape that may arrive."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from embedlab.home import home
from embedlab.ui.frame import PAGES

from .conftest import ROOT
from .made_runs import made_run

FILES = [entry.file for entries in PAGES.values() for entry in entries]
RUNS = {
    "squares": {},
    "no-labels": {"labelled": False},
    "two-classes": {"per_class": (12, 12)},
    "one-each": {"per_class": (1, 1, 1, 1, 1)},
    "three": {"per_class": (2, 1)},
    "markup": {"names": ("<b>bold</b>", "$x$ `y`", "a|b [c](d)")},
}


def opened(page: str, run: str, **query: str) -> AppTest:
    """Open a page on a run, as a link would."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    app.query_params["run"] = run
    for name, value in query.items():
        app.query_params[name] = value
    if page != "home":
        app.switch_page(f"pages/{page}.py")
    return app.run()


def texts(app: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "warning", "error", "title", "subheader")
    return "\n".join(str(element.value) for kind in kinds for element in getattr(app, kind))


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("page", FILES)
def test_every_page_shows_every_kind_of_run(page: str, run: str) -> None:
    made_run(home("runs") / run, **RUNS[run])
    app = opened(page, run)
    assert not app.exception, app.exception[0].message
    assert not app.error, texts(app)
    assert len(app.title) == 1
    assert "nan" not in texts(app).split()


@pytest.mark.parametrize("page", FILES)
def test_every_page_shows_the_garden(page: str) -> None:
    app = opened(page, "garden")
    assert not app.exception, app.exception[0].message
    assert not app.error and not app.warning, texts(app)
    entry = next(e for entries in PAGES.values() for e in entries if e.file == page)
    assert app.title[0].value == (entry.question or "See what an image network has learned")


def test_pages_on_disk_are_the_pages_in_the_menu() -> None:
    assert sorted(FILES) == sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


def test_an_unknown_run_in_a_link_is_said_kindly() -> None:
    app = opened("neighbours", "no<i>where")
    assert not app.exception
    assert any("not on this machine" in element.value for element in app.warning)
    assert "<i>" not in texts(app).replace("\\<i\\>", "")


@pytest.mark.parametrize("query", ["99999", "-1", "../x", "1e3", "<b>"])
def test_an_unknown_picture_in_a_link_is_said_kindly(query: str) -> None:
    made_run(home("runs") / "squares")
    app = opened("neighbours", "squares", query=query)
    assert not app.exception
    assert any("this run has the pictures 0 to 59" in element.value for element in app.warning)


def test_without_any_run_the_app_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedlab.runs.BUILTIN", Path("/nowhere"))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert any("embedlab train garden" in element.value for element in app.error)


def test_neighbours_says_how_many_share_the_class() -> None:
    """Agrees with plain NumPy on the same vectors."""
    import numpy as np

    run = made_run(home("runs") / "squares")
    app = opened("neighbours", "squares", query="25", among="All")
    vectors = np.asarray(run.embeddings, np.float64)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit[25]
    cosines[25] = -np.inf
    nearest = np.argsort(-cosines)[:9]
    assert run.labels is not None
    same = int((run.labels[nearest] == run.labels[25]).sum())
    assert f"**{same} of 9** nearest pictures" in texts(app)


def test_a_short_selection_is_part_of_the_link() -> None:
    made_run(home("runs") / "squares")
    app = opened("projections", "squares", selected="3.17.99999.x.42")
    assert not app.exception
    assert "**3 selected**" in texts(app)
