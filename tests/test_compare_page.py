"""Runs side by side: what is paired, counted and shown, against plain NumPy and SciPy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from embedlab.figures.intervals import share_intervals
from embedlab.files import write_json
from embedlab.home import home
from embedlab.pairing import answers, differences, held_out, pair, same_pictures
from embedlab.runs import Run
from embedlab.space.heads import compare_heads
from embedlab.space.neighbours import knn
from embedlab.space.projections import pca
from embedlab.space.scores import wilson
from embedlab.ui.compare.computed import laid_over

from .conftest import ROOT
from .made_runs import changed, made_run


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Forget what other tests computed: made runs of one seed share a fingerprint."""
    st.cache_resource.clear()


def two(tmp_path: Path | None = None) -> tuple[Run, Run]:
    """Make two runs of the same squares, the second trained from another seed."""
    root = home("runs")
    first = made_run(root / "first")
    second = made_run(root / "second", seed=1)
    rng = np.random.default_rng(0)
    wrong = rng.permutation(60)[:20]
    said = second.items["label"].to_numpy(str).copy()
    said[wrong] = np.roll(np.array(second.classes), 1)[rng.integers(0, 3, 20)]
    return first, changed(second, prediction=said)


def opened(run: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90).run()
    app.query_params["run"] = run
    for name, value in query.items():
        app.query_params[name] = value
    return app.switch_page("pages/compare.py").run()


def texts(app: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "error")
    return "\n".join(str(one.value) for kind in kinds for one in getattr(app, kind))


# ---- pairing ----------------------------------------


def test_pictures_are_paired_by_content_and_twins_in_order() -> None:
    first, second = two()
    names = np.array([f"d{i}" for i in range(60)])
    names[7] = "d3"  # the same content twice
    first = changed(first, digest=names)
    turned = names[::-1].copy()
    turned[5] = "elsewhere"
    second = changed(second, digest=turned)
    found = pair(first, second)
    assert found.by == "content" and len(found) == 59
    assert (names[found.first] == turned[found.second]).all()
    assert (np.diff(found.first) > 0).all() and len(set(found.second.tolist())) == 59
    of = dict(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert (of[3], of[7]) == (52, 56) and 54 not in of  # rows 59 - 7 and 59 - 3, the first first


def test_names_do_where_content_is_unknown_or_nowhere_the_same() -> None:
    first, second = two()
    assert pair(first, second).by == "name" and len(pair(first, second)) == 60
    first = changed(first, digest=[f"a{i}" for i in range(60)])
    second = changed(second, digest=[f"b{i}" for i in range(60)])
    assert pair(first, second).by == "name" and len(pair(first, second)) == 60
    second = changed(second, id=[f"other{i}" for i in range(60)])
    assert len(pair(first, second)) == 0


def test_only_what_both_held_out_and_label_alike_is_judged() -> None:
    first, second = two()
    split = second.split.copy()
    split[0], split[1] = "train", "validation"
    labels = second.items["label"].to_numpy(str).copy()
    labels[5] = "blue"
    second = changed(second, split=split, label=labels)
    unseen = held_out(first, second, pair(first, second))
    assert unseen.first.tolist() == list(range(5, 60, 5))
    found = answers(first, second, unseen)
    assert found is not None and found.n_disputed == 1
    assert found.pairing.first.tolist() == list(range(10, 60, 5))
    spelt = np.array(found.names)
    for codes, column in (
        (found.labels, first.items["label"]),
        (found.first, first.items["prediction"]),
        (found.second, second.items["prediction"]),
    ):
        assert spelt[codes].tolist() == column.iloc[range(10, 60, 5)].tolist()
    plain = made_run(home("runs") / "plain", labelled=False)
    assert answers(first, plain, pair(first, plain)) is None


def test_only_settings_that_differ_are_listed() -> None:
    first, second = two()
    assert differences([first, second]) == []
    second.info["training"] = {"epochs": 3, "learning_rate": 0.001, "freeze": True}
    first.info["training"] = {"epochs": 3, "learning_rate": 0.01}
    assert differences([first, second]) == [
        ("learning rate", ["0.01", "0.001"]),
        ("freeze", ["–", "yes"]),
    ]


def test_fused_runs_differ_in_columns_splits_and_what_their_networks_chose() -> None:
    first, second = two()
    columns = [
        {"name": "price", "kind": "target"},
        {"name": "rooms", "kind": "numeric"},
        {"name": "floor", "kind": "numeric"},
    ]
    chosen = {"hidden": 64, "weight_decay": 0.01}
    first.info["fusion"] = {
        "target": "price",
        "columns": columns,
        "seeds": [0, 1, 2, 3, 4],
        "search": 8,
        "chosen_settings": {"fused": [chosen, {"hidden": 8}]},
    }
    second.info["fusion"] = {**first.info["fusion"], "columns": columns[::-1]}
    assert differences([first, second]) == [], "the order of columns decides nothing"
    second.info["fusion"] |= {
        "columns": [*columns[:2], {"name": "floor", "kind": "ignore"}],
        "seeds": [0, 1],
        "search": 2,
        "chosen_settings": {"fused": [chosen | {"weight_decay": 5.0}]},
    }
    assert differences([first, second]) == [
        ("column floor", ["numeric", "ignore"]),
        ("splits", ["5", "2"]),
        ("settings to choose from", ["8", "2"]),
        ("weight decay", ["0.01", "5"]),
    ]


def test_a_drawing_is_turned_over_the_other_where_both_have_a_picture() -> None:
    first, second = two()
    second = changed(second, id=[f"{i:04d}.jpg" if i != 3 else "new" for i in range(60)])
    own = pca(first.embeddings, 2).coordinates
    angle = 1.1
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = laid_over(first, second, pair(first, second), own, (3 * own @ turn + 7).astype("f4"))
    assert np.isnan(found.coordinates[3]).all()
    np.testing.assert_allclose(np.delete(found.coordinates, 3, 0), np.delete(own, 3, 0), atol=1e-3)
    assert found.remaining < 1e-6


def test_intervals_are_drawn_as_given() -> None:
    figure = share_intervals(["<a>", "b"], [0.5, 0.9], [(0.4, 0.6), (0.8, 0.95)], title="right")
    trace = figure.data[0]
    assert list(trace.x) == [0.5, 0.9]
    np.testing.assert_allclose(trace.error_x.array, [0.1, 0.05])
    np.testing.assert_allclose(trace.error_x.arrayminus, [0.1, 0.1])
    assert "<a>" not in str(figure.layout.yaxis.ticktext)


# ---- the page ----------------------------------------


def test_who_is_right_is_counted_as_plain_numpy_and_scipy_count() -> None:
    from scipy.stats import binomtest

    first, second = two()
    app = opened("first")
    assert not app.exception and not app.error
    held = np.arange(0, 60, 5)
    label = first.items["label"].to_numpy(str)[held]
    a = first.items["prediction"].to_numpy(str)[held] == label
    b = second.items["prediction"].to_numpy(str)[held] == label
    values = {one.label: one.value for one in app.metric}
    assert values["Both right"] == str((a & b).sum())
    assert values["Only the first"] == str((a & ~b).sum())
    assert values["Only the second"] == str((~a & b).sum())
    assert values["Neither"] == str((~a & ~b).sum())
    parts = (a & ~b).sum(), (a ^ b).sum()
    p = binomtest(int(parts[0]), int(parts[1])).pvalue if parts[1] else 1
    assert values["McNemar's p"] == f"{p:.3f}"
    assert (a & ~b).sum() > 0
    assert f"first **{a.mean():.1%}** ({a.sum()}), second **{b.mean():.1%}** ({b.sum()})" in texts(
        app
    )
    assert "60 of 60 and 60 pictures are in both, by their name." in texts(app)


def test_neighbours_of_one_picture_in_both() -> None:
    first, second = two()
    app = opened("first", **{"compare-view": "Neighbours", "query": "10", "k": "4"})
    assert not app.exception and not app.error
    held = np.arange(0, 60, 5)
    near = []
    for run in (first, second):
        vectors = np.asarray(run.embeddings[held], float)
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines = unit @ unit.T
        np.fill_diagonal(cosines, -np.inf)
        near.append(np.argsort(-cosines, axis=1)[:, :4])
    shared = [len(set(a) & set(b)) for a, b in zip(*near, strict=True)]
    assert f"**{shared[2]} of 4** nearest pictures are on both lists." in texts(app)
    assert f"the two share **{np.mean(shared) / 4:.0%}** of the 4 nearest" in texts(app)
    labels = first.labels[held]  # type: ignore[index]
    for run, lists in zip((first, second), near, strict=True):
        same = (labels[lists] == labels[:, None]).mean()
        assert f"**{same:.1%}** ({run.title})" in texts(app)
        assert (knn(run.embeddings[held], 4).rows == lists).all()


def test_a_long_title_leaves_room_for_the_settings_of_the_other_run() -> None:
    first, second = two()
    for run, epochs in ((first, 3), (second, 5)):
        path = home("runs") / run.id / "run.json"
        info = json.loads(path.read_text(encoding="utf-8"))
        info |= {"title": f"{run.id} " + 20 * "long ", "training": {"epochs": epochs}}
        path.write_text(json.dumps(info), encoding="utf-8")
    app = opened("first")
    (table,) = (one for one in app.dataframe if "setting" in one.value)
    assert len(table.value.columns) == 3
    columns = json.loads(table.proto.columns)
    assert [columns[str(name)]["width"] for name in table.value.columns[1:]] == [180, 180]


def test_maps_and_heads_are_shown() -> None:
    first, _ = two()
    app = opened("first", **{"compare-view": "Maps"})
    assert not app.exception and "of the spread is left as difference" in texts(app)
    app = opened("first", **{"compare-view": "Heads on one body"})
    assert not app.exception
    table = app.dataframe[-1].value
    assert isinstance(table, pd.DataFrame)
    held = first.split == "validation"
    expected = compare_heads(first.embeddings, first.labels, rows=~held, held_out=held)
    assert table["right"].tolist()[1:] == [f"{one.share.correct} of 12" for one in expected.scores]
    assert first.labels is not None and first.head is not None
    right = (first.head.logits(first.embeddings).argmax(1) == first.labels)[held].sum()
    assert table["right"].iloc[0] == f"{right} of 12"
    low, high = wilson(right, 12)
    assert table["95 % interval"].iloc[0] == f"{low:.1%} to {high:.1%}"


def test_three_runs_and_runs_that_share_nothing() -> None:
    two()
    made_run(home("runs") / "third", seed=2)
    app = opened("first")
    app.multiselect(key="with").set_value(["second", "third"]).run()
    assert not app.exception and not app.error
    against = next(one for one in app.segmented_control if one.key.startswith("against-"))
    against.set_value("third").run()
    assert "third **" in texts(app)
    other = made_run(home("runs") / "strangers")
    changed(other, id=[f"strange{i}" for i in range(60)])
    app = opened("strangers")
    assert not app.exception and "have no picture in common" in texts(app)


def test_the_address_names_whom_a_run_is_beside_also_at_first() -> None:
    """Else a link means another comparison once there is another run."""
    two()
    app = opened("first")
    assert app.query_params["with"] == "second"
    linked = {"with": app.query_params["with"]}
    newer = made_run(home("runs") / "newer", seed=2)
    info = {**newer.info, "created": "2026-02-02T00:00:00+00:00"}
    (newer.folder / "run.json").write_text(json.dumps(info))
    assert opened("first").query_params["with"] == "newer"
    app = opened("first", **linked)
    assert app.multiselect(key="with").value == ["second"]
    app.multiselect(key="with").set_value(["newer", "second"]).run()
    assert app.query_params["with"] == ["newer", "second"]
    app.multiselect(key="with").set_value([]).run()
    assert "with" not in app.query_params and not app.exception
    app.run()
    assert app.multiselect(key="with").value == []
    app = opened("second", **linked)
    assert app.query_params["with"] == "newer" and not app.exception, "not beside itself"


def test_the_same_pictures_under_another_name_are_the_same() -> None:
    first, second = two()
    assert same_pictures(first, second)
    for run, name, pictures in ((second, "elsewhere", "0"), (first, "squares", "0")):
        dataset = {**run.info["dataset"], "name": name, "fingerprint": pictures * 64}
        write_json(run.folder / "run.json", {**run.info, "dataset": dataset})
    other = made_run(home("runs") / "third", seed=3)
    dataset = {**other.info["dataset"], "fingerprint": "1" * 64}
    info = {**other.info, "dataset": dataset, "created": "2026-03-03T00:00:00+00:00"}
    write_json(other.folder / "run.json", info)
    first, second, other = (Run(run.folder) for run in (first, second, other))
    assert differences([first, second]) == [] and not same_pictures(first, other)
    assert opened("first").query_params["with"] == "second", "before one that is called alike"


def test_the_surest_mistakes_come_first_in_who_is_right() -> None:
    first, second = two()
    app = opened("first")
    held = np.arange(0, 60, 5)
    label = first.items["label"].to_numpy(str)[held]
    a = first.items["prediction"].to_numpy(str)[held] == label
    b = second.items["prediction"].to_numpy(str)[held] == label
    said = [second.classes.index(name) for name in second.items["prediction"].iloc[held]]
    sure = second.probabilities[held, said][a & ~b]
    rows = held[a & ~b][np.argsort(-sure, kind="stable")]
    assert len(rows) > 1
    grid = next(one for one in app.get("bidi_component") if "only-first" in one.proto.id)
    shown = json.loads(grid.proto.json)
    assert [int(one["name"][:4]) for one in shown["cells"]] == rows.tolist()


def test_runs_of_other_pictures_are_offered_and_not_chosen() -> None:
    made_run(home("runs") / "first")
    app = opened("first")  # the garden is the only other one
    assert app.multiselect(key="with").value == [] and not app.exception
    assert "needs this run only" in texts(app)
    assert "The trained head" in app.dataframe[-1].value["head"].tolist()
    app.multiselect(key="with").set_value(["garden"]).run()
    assert not app.exception and app.query_params["with"] == "garden"


@pytest.mark.parametrize("view", ["Who is right", "Neighbours", "Maps", "Heads on one body"])
def test_runs_without_labels_are_compared_as_far_as_they_go(view: str) -> None:
    two()
    made_run(home("runs") / "plain", labelled=False)
    app = opened("plain", **{"compare-view": view})
    assert not app.exception and not app.error


def test_a_single_run_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedlab.runs.finding.BUILTIN", Path("/nowhere"))
    made_run(home("runs") / "alone")
    app = opened("alone")
    assert not app.exception and not app.error
    assert "only this one run" in texts(app)
    assert "The trained head" in app.dataframe[-1].value["head"].tolist()
