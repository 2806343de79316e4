"""Every page, on runs of every shape that may arrive."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from embedlab.data.pictures import decode
from embedlab.data.sources import load_dataset
from embedlab.files import write_json
from embedlab.home import home
from embedlab.lessons import QUESTIONS
from embedlab.runs import open_run
from embedlab.space.feature_maps import is_average
from embedlab.ui import cache
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


def progress(app: AppTest) -> str:
    (bar,) = app.get("progress")
    return str(bar.proto.text)


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


def test_files_that_changed_under_a_running_server_are_said_kindly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page on disk is newer than what the server once imported."""
    monkeypatch.delattr("embedlab.ui.maps.selection")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    assert not app.exception
    assert "Stop the server and start it again" in app.error[0].value
    monkeypatch.undo()
    assert not AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run().error


def test_a_package_that_is_missing_is_not_taken_for_a_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "numpy.linalg_missing", None)

    def missing() -> None:
        import numpy.linalg_missing  # noqa: F401 (that it cannot be imported is the point)

    monkeypatch.setattr("embedlab.ui.frame._choose_run", missing)
    app = opened("home", "garden")
    assert len(app.exception) == 1 and not app.error


def test_without_any_run_the_app_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedlab.runs.finding.BUILTIN", Path("/nowhere"))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert any("embedlab train garden" in element.value for element in app.error)


def test_home_says_which_runs_cannot_be_read_and_why() -> None:
    def folded() -> list[str]:
        app = opened("home", "garden")
        assert not app.exception
        said = [one for one in app.expander if "cannot be read" in one.label]
        return [one.label for one in said] + [text.value for one in said for text in one.markdown]

    made_run(home("runs") / "squares")
    assert folded() == []
    (home("runs") / "a_torn").mkdir()
    (home("runs") / "a_torn" / "run.json").write_text("{")
    later = made_run(home("runs") / "later")
    write_json(later.folder / "run.json", {**later.info, "schema": 99})
    label, torn, newer = folded()
    assert label == "2 runs that cannot be read"
    assert "a\\_torn" in torn and "cannot be read" in torn and "Copy the run again" in torn
    assert "later has schema 99" in newer and "Update embedlab" in newer


def test_neighbours_says_how_many_share_the_class() -> None:
    """Agrees with plain NumPy on the same vectors."""
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


def test_a_link_may_name_a_picture_by_its_id() -> None:
    run = made_run(home("runs") / "squares")
    app = opened("neighbours", "squares", query=str(run.items["id"].iat[25]))
    assert not app.warning and app.query_params["query"] in ("25", ["25"])


def test_a_short_selection_is_part_of_the_link() -> None:
    made_run(home("runs") / "squares")
    app = opened("projections", "squares", selected="3.17.99999.x.42")
    assert not app.exception
    assert "**3 selected**" in texts(app)
    assert any("selects 5 pictures, of which this run has 3" in w.value for w in app.warning)
    app.query_params["selected"] = "7.8"  # the browser's back button
    assert "**2 selected**" in texts(app.run())
    app.query_params["selected"] = "3.17.42"
    assert "**3 selected**" in texts(app.run())
    del app.query_params["selected"]
    assert "**3 selected**" in texts(app.run()), "kept, as from another page"


@pytest.mark.parametrize("scale", [1, 1e-13])
def test_similarity_writes_vectors_of_any_size(scale: float) -> None:
    run = made_run(home("runs") / "squares", scale=scale)
    app = opened("similarity", "squares", a="0", b="7", c="25")
    vectors = np.asarray(run.embeddings[[0, 7, 25]], np.float64)
    tables = [one.value for one in app.markdown if one.value.startswith("| | A |")]
    (dots,) = ([line.split("|")[2:5] for line in t.splitlines()[2:]] for t in tables)
    shown = np.array([[float(x.replace(",", "")) for x in line] for line in dots])
    expected = vectors @ vectors.T
    np.testing.assert_allclose(shown, expected, atol=0.006 * np.abs(expected).max())
    (lengths,) = (one.value for one in app.markdown if one.value.startswith("| | length |"))
    shown = np.array([float(line.split("|")[2]) for line in lengths.splitlines()[2:]])
    np.testing.assert_allclose(shown, np.linalg.norm(vectors, axis=1), rtol=0.01)


@pytest.mark.parametrize(
    ("same", "words"),
    [
        ([(1, 21)], "**1** of the exact ones is said"),
        ([(1, 21), (5, 22)], "**2** of the exact ones are said"),
        ([(5, 6)], "**1** of them leaks: one"),
        ([(5, 6), (10, 11)], "**2** of them leak: one"),
    ],
)
def test_mistakes_counts_twins_in_good_english(same: list[tuple[int, int]], words: str) -> None:
    digests = [f"{k:064d}" for k in range(60)]
    for one, other in same:
        digests[other] = digests[one]
    made_run(home("runs") / "squares", digests=digests, seed=sum(map(sum, same)))
    assert words in texts(opened("mistakes", "squares"))


def shown_logit(app: AppTest) -> tuple[float, float, float, float, float, float]:
    """Read lengths, cosine, product, bias and logit as the prototypes page shows them."""
    formulas = [one.value for one in app.get("latex") if "underbrace" in one.value]
    assert len(formulas) == 2, "a phone would cut one long formula"
    text = " ".join(formulas)
    numbers = re.findall(r"-?\+?\d+\.\d+", text.replace("+", ""))
    x, w, cosine, dot, again, *rest = map(float, numbers)
    assert dot == again
    signs = -1 if re.search(r"-\d+\.\d+ =", text) else 1
    bias, logit = rest
    return x, w, cosine, dot, abs(bias) * signs, logit


@pytest.mark.parametrize("query", range(1, 600, 47))
def test_the_sum_equals_the_logit_to_the_last_digit_shown(query: int) -> None:
    app = opened("prototypes", "garden", query=str(query))
    x, w, cosine, dot, bias, logit = shown_logit(app)
    digits = len(str(dot).partition(".")[2])
    n = max(3, digits)
    assert round(x * w * cosine, n) == pytest.approx(dot, abs=0.5 * 10**-n)
    assert round(dot + bias, n) == pytest.approx(logit, abs=1e-9)


def chart(app: AppTest, key: str) -> dict[str, Any]:
    """Give the plotly figure of that key as it is sent to the browser."""
    (found,) = [element for element in app.get("plotly_chart") if f"-{key}" in element.proto.id]
    return json.loads(found.proto.spec)


def base64_floats(sent: dict[str, str]) -> np.ndarray:
    """Read an array as plotly sends it."""
    flat = np.frombuffer(base64.b64decode(sent["bdata"]), sent["dtype"])
    return flat.reshape([int(n) for n in sent["shape"].split(",")])


@pytest.mark.parametrize("query", [7, 41])
def test_the_head_is_drawn_with_the_picture_s_own_logits(query: int) -> None:
    run = open_run("garden")
    app = opened("body_and_head", "garden", query=str(query))
    drawn = chart(app, "answer")
    order = [run.classes.index(name) for name in drawn["layout"]["yaxis"]["ticktext"]]
    logits = run.embeddings[query] @ run.head.weight.T + run.head.bias
    assert order == np.argsort(-logits).tolist()
    shown, shares = (trace["text"] for trace in drawn["data"])
    assert shown == [f"{logits[k]:,.2f}" for k in order]
    assert shares == [f"{run.probabilities[query, k]:.0%}" for k in order]


def test_vectors_are_sorted_by_the_first_where_a_link_asks_for_it() -> None:
    run = open_run("garden")
    picked = {"a": "7", "b": "8", "c": "9", "order": "a"}
    drawn = chart(opened("similarity", "garden", **picked), "strips")
    rows = base64_floats(drawn["data"][0]["z"])
    order = np.argsort(-np.asarray(run.embeddings[7], float), kind="stable")
    np.testing.assert_allclose(rows, run.embeddings[[7, 8, 9]][:, order], rtol=1e-6)
    plain = chart(opened("similarity", "garden", a="7", b="8", c="9"), "strips")
    rows = base64_floats(plain["data"][0]["z"])
    np.testing.assert_allclose(rows, run.embeddings[[7, 8, 9]], rtol=1e-6)


def test_a_flower_of_the_garden_is_drawn_anew_and_what_the_model_saw_is_cut_from_it() -> None:
    run = open_run("garden")
    picture, exact = cache.original(run, 7)
    assert exact and picture.size == (128, 128)
    again = load_dataset("garden")
    assert picture.tobytes() == again.pictures.open(again.ids.index(run.items["id"][7])).tobytes()
    fresh, exact = cache.feature_map(run, 7)
    assert exact and is_average(fresh, run.embeddings[7], tolerance=1e-3)
    given = np.asarray(decode(cache.seen(run, 7)), int)
    assert given.shape == (64, 64, 3)
    assert np.abs(given - run.preprocessing.see(picture)).mean() < 4  # JPEG
    text = texts(opened("body_and_head", "garden", query="7"))
    assert "is the class's logit" in text and "not on this machine" not in text


def test_a_flower_that_comes_out_otherwise_is_not_taken_for_the_original() -> None:
    run = open_run("garden")
    run.items["digest"] = "0" * 64  # as with another Pillow
    picture, exact = cache.original(run, 9)
    assert not exact and picture.tobytes() == decode(run.thumbnails[9]).tobytes()


def test_strangers_are_shown_no_file_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made_run(tmp_path / "squares", seed=99)  # no other test's, for pictures are cached
    secret = tmp_path / "secret.png"
    Image.new("RGB", (300, 200)).save(secret)
    # Its digest proves that it is the picture, and still it is not for strangers.
    run.items["path"] = str(secret)
    run.items["digest"] = hashlib.sha256(secret.read_bytes()).hexdigest()
    assert cache.original(run, 0)[0].size == (300, 200)
    assert decode(cache.crisp(run, 1)).size == (300, 200)
    garden = open_run("garden")
    with monkeypatch.context() as patched:  # no set is opened for one picture's sake
        patched.setattr(cache, "_originals", None)
        assert cache.crisp(garden, 11) == garden.thumbnails[11]
    monkeypatch.setenv("EMBEDLAB_PUBLIC", "1")
    for origin in ({}, {"source": "garden"}):
        run.info["dataset"]["origin"] = origin
        picture, exact = cache.original(run, 0)
        assert picture.size == (48, 48) and not exact
        assert cache.crisp(run, 2) == run.thumbnails[2]


def test_a_map_is_also_a_table_and_a_selection_a_file() -> None:
    run = made_run(home("runs") / "squares")
    app = opened("home", "squares")
    app.toggle(key="home-selection-table").set_value(True).run()
    assert not app.exception, app.exception[0].message
    table = app.dataframe[0].value
    assert table["id"].tolist() == run.items["id"].tolist()
    names = [name for name in table if name.startswith("By what the network has learned: PC 1")]
    view = run.embeddings - run.embeddings.mean(axis=0)
    first = np.linalg.svd(view.astype(np.float64), full_matrices=False)[2][0]
    np.testing.assert_allclose(np.abs(table[names[0]]), np.abs(view @ first), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "asked"),
    [("metric", "nonsense"), ("k", "777"), ("k", "x"), ("among", "../x"), ("vectors", "<b>")],
)
def test_a_choice_that_there_is_not_in_a_link_is_said_kindly(name: str, asked: str) -> None:
    made_run(home("runs") / "squares")
    app = opened("neighbours", "squares", **{name: asked})
    assert not app.exception
    assert any("which there is not here" in one.value for one in app.warning)
    assert "<b>" not in texts(app).replace("\\<b\\>", "")
    assert not app.run().warning, "said once"


def test_a_link_may_name_a_choice_by_its_id() -> None:
    made_run(home("runs") / "squares")
    app = opened("neighbours", "squares", metric="euclidean", vectors="pixels", k="5")
    assert not app.exception and not app.warning
    assert app.selectbox(key="metric").value == "euclidean"
    assert app.selectbox(key="vectors").value == "pixels"
    assert app.number_input(key="k").value == 5


def test_the_lesson_asks_and_answers_of_one_class_and_leads_to_it() -> None:
    run = made_run(home("runs") / "squares")
    app = opened("lesson", "squares")
    name = run.classes[2]
    for number in (8, 9):
        app.toggle(key=f"lesson-answer-{number}").set_value(True)
    app.run()
    shown = texts(app)
    assert f"prototype of {name}?" in shown and "The least {class}" not in shown
    assert f"`run.head.weight[2]` is the prototype of {name}." in shown
    assert f"For {name} the score runs" in shown
    links = [one.proto.query_string for one in app.get("page_link")]
    row = next(k for k in range(run.n_items) if run.labels[k] == 2 and run.split[k] == "validation")
    assert links[3] == f"run=squares&query={row}"
    assert links[7:10] == [f"run=squares&class={name}"] * 3


def test_the_lesson_counts_wrong_answers_as_answered_and_says_so() -> None:
    made_run(home("runs") / "squares")
    app = opened("lesson", "squares")
    assert progress(app) == "0 of 12 answered"
    app.radio(key="lesson-1").set_value(QUESTIONS[0].choices[0])
    app.radio(key="lesson-2").set_value(QUESTIONS[1].choices[1])
    app.text_area(key="lesson-11").set_value("A list of numbers.")
    assert progress(app.run()) == "3 of 12 answered, 1 of them not quite"


def test_a_mistake_is_named_and_its_share_stands_beside_what_it_is_taken_for() -> None:
    run = open_run("garden")
    app = opened("mistakes", "garden")
    cells = [
        cell
        for element in app.get("bidi_component")
        for cell in json.loads(element.proto.json).get("cells", [])
    ]
    wrong = [cell for cell in cells if str(cell["score"]).startswith("taken for ")]
    assert len(wrong) == 5
    assert run.probabilities is not None and run.labels is not None
    for cell in wrong:
        row = cell["row"]
        taken = run.items["prediction"].iat[row]
        assert (cell["name"], cell["label"]) == (
            run.items["id"].iat[row],
            run.classes[run.labels[row]],
        )
        assert cell["score"] == f"taken for {taken}, {run.probabilities[row].max():.0%}"


def test_one_picture_is_spoken_of_as_one() -> None:
    app = opened("mistakes", "garden", **{"cell-true": "tulip", "cell-predicted": "rose"})
    shown = texts(app)
    assert "**1** picture of **tulip** taken for **rose**" in shown
    assert "**1** of 750 labels is in doubt." in shown
    assert "CSV of this one" in [one.proto.label for one in app.get("download_button")]


def test_home_says_what_an_embedding_is_and_leads_to_the_lesson_on_the_same_run() -> None:
    app = opened("home", "garden")
    shown = texts(app)
    assert "the network's **embedding**, 96 numbers that it makes of each picture." in shown
    assert "Twelve questions lead through these pages." in shown
    links = {one.proto.label: one.proto.query_string for one in app.get("page_link")}
    assert links["Lesson"] == links["Neighbours"] == "run=garden"


def test_the_lessons_answers_stand_in_the_address_and_a_link_brings_them() -> None:
    made_run(home("runs") / "squares")
    app = opened("lesson", "squares")
    app.radio(key="lesson-2").set_value(QUESTIONS[1].choices[0])
    app.radio(key="lesson-12").set_value(QUESTIONS[11].choices[2])
    app.run()
    text = "".join(app.query_params["answers"])
    assert len(text) == len(QUESTIONS) and text.strip("-") and set(text[2:11]) == {"-"}

    fresh = opened("lesson", "squares", answers=text)
    assert fresh.radio(key="lesson-2").value == QUESTIONS[1].choices[0]
    assert fresh.radio(key="lesson-12").value == QUESTIONS[11].choices[2]
    assert progress(fresh) == "2 of 12 answered, 1 of them not quite"
    fresh.query_params["answers"] = "-" * 12  # as one step back would
    assert progress(fresh.run()) == "0 of 12 answered"


@pytest.mark.parametrize("text", ["z", "9é<&>", "h" * 400])
def test_a_damaged_list_of_answers_does_no_harm(text: str) -> None:
    made_run(home("runs") / "squares")
    app = opened("lesson", "squares", answers=text)
    assert not app.exception
    assert progress(app) == "0 of 12 answered"
