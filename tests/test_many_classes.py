"""Pages on runs of more classes than a picture can name."""

from __future__ import annotations

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from embedlab.facts import TABLED, scores
from embedlab.home import home
from embedlab.runs import Run
from embedlab.space.scores import commonest_confusions, confusion

from .conftest import ROOT
from .made_runs import made_run
from .test_film import with_film

COUNT, READABLE = 60, 24


@pytest.fixture
def run() -> Run:
    names = tuple(f"kind {k:02}" for k in range(COUNT))
    return made_run(home("runs") / "many", per_class=(10,) * COUNT, n_dims=3, names=names)


def shown(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["run"] = "many"
    app.run()
    for name, value in {"run": "many", **query}.items():
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception[0].message
    return app


def tables(app: AppTest) -> list[dict]:
    """Give the axes of every chart that is a table."""
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return [spec["layout"] for spec in specs if spec["data"][0]["type"] == "heatmap"]


def test_prototypes_shows_the_class_and_those_most_like_it(run: Run) -> None:
    app = shown("prototypes", **{"class": "kind 17"})
    first, second = tables(app)
    names = first["yaxis"]["ticktext"]
    assert len(names) == READABLE and names[0] == "kind 17"
    assert first["xaxis"]["ticktext"] == second["yaxis"]["ticktext"] == names
    assert second["xaxis"]["ticktext"] == names
    unit = run.head.weight / np.linalg.norm(run.head.weight, axis=1, keepdims=True)
    nearest = np.argsort(-(unit @ unit[17]))[:READABLE]
    assert names == [run.classes[k] for k in nearest]
    said = [one.value for one in app.markdown if "Of the 60 classes" in one.value]
    assert len(said) == 2 and all("**kind 17** and the 23" in words for words in said)


def test_mistakes_shows_the_classes_between_which_most_are_made(run: Run) -> None:
    app = shown("mistakes", among="All")
    (layout,) = tables(app)
    names = layout["yaxis"]["ticktext"]
    assert len(names) == READABLE
    order = {name: k for k, name in enumerate(run.classes)}
    predictions = np.array([order[name] for name in run.items["prediction"]])
    found = commonest_confusions(confusion(run.labels, predictions, COUNT))
    true, predicted, count = found[0].tolist()
    assert {run.classes[true], run.classes[predicted]} <= set(names)
    listed = next(one.value for one in app.dataframe if "taken for" in one.value.columns)
    assert listed.iloc[0].tolist()[:3] == [run.classes[true], run.classes[predicted], count]
    words = f"**{count}** picture"
    assert any(one.value.startswith(words) for one in app.markdown), words


def player(app: AppTest) -> dict:
    found = next(one for one in app.get("bidi_component") if "film_player" in str(one.proto))
    return json.loads(found.proto.json)


def test_a_film_draws_the_arrows_of_chosen_classes(run: Run) -> None:
    with_film(run)
    app = shown("film")
    assert player(app)["arrows"] == [0, 1, 2, 3, 4]
    app.multiselect(key="film-arrows-of").set_value(["kind 40", "kind 07"]).run()
    assert player(app)["arrows"] == [40, 7]
    app.multiselect(key="film-arrows-of").set_value([]).run()
    assert not app.exception and player(app)["arrows"] == []


def test_the_table_of_very_many_classes_is_not_kept_in_what_every_page_reads() -> None:
    for c, kept in ((TABLED, True), (TABLED + 1, False)):
        labels = np.arange(c)
        parts = np.full(c, "validation")
        found = scores(labels, labels, parts, tuple(map(str, labels)))["validation"]
        assert found["correct"] == c and ("confusion" in found) is kept
