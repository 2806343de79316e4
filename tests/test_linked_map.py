"""The linked map on the Python side, and its pure functions under node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from embedlab.ui import sprites
from embedlab.ui.assets import bundle
from embedlab.ui.linked_map import Arrows, Groups, Panel, Points, Scale
from embedlab.ui.packing import bits_to_rows, pack, rows_to_bits

HERE = Path(__file__).parent
APP = HERE / "apps" / "map_app.py"
UI = HERE.parent / "embedlab" / "ui"


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Take apart what `pack` joined, in the plainest way."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    arrays = {
        name: np.frombuffer(data, np.dtype(kind).newbyteorder("<"), size, 8 + length + offset)
        for name, (kind, offset, size) in header["arrays"].items()
    }
    return header, arrays


# ---- under node ----------------------------------------


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    return found


def test_geometry_under_node(node: str) -> None:
    piece = pack({"a": np.array([1, -2], np.float32), "b": np.array([7], np.uint8)}, name="é")
    done = subprocess.run(
        [node, "--test", str(HERE / "js" / "geometry.test.mjs")],
        env={**os.environ, "EMBEDLAB_PACKED": piece.hex()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.parametrize("entry", ["linked_map/frontend/map.js", "picture_grid/frontend/grid.js"])
def test_joined_scripts_are_one_sound_module(node: str, entry: str, tmp_path: Path) -> None:
    script = tmp_path / "joined.mjs"
    script.write_text(bundle(UI / entry), encoding="utf-8")
    done = subprocess.run([node, "--check", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ---- pieces and values ----------------------------------------


def test_pack_aligns_arrays() -> None:
    data = pack(
        {"a": np.arange(3, dtype=np.uint8), "b": np.array([[1, 2], [3, 4]], np.float32)}, x=[1, "ü"]
    )
    header, arrays = unpack(data)
    assert header["x"] == [1, "ü"]
    assert arrays["a"].tolist() == [0, 1, 2]
    assert arrays["b"].tolist() == [1, 2, 3, 4]
    assert header["arrays"]["b"][1] % 8 == 0
    assert len(data) % 8 == 0


@pytest.mark.parametrize("n", [1, 7, 8, 9, 1000])
def test_bits_there_and_back(n: int) -> None:
    rows = np.flatnonzero(np.random.default_rng(n).random(n) < 0.3)
    assert bits_to_rows(rows_to_bits(rows, n), n).tolist() == rows.tolist()


@pytest.mark.parametrize("bits", ["!!", "AA"])
def test_bits_that_are_not_are_refused(bits: str) -> None:
    with pytest.raises(ValueError, match=r"base64|padding|cannot hold"):
        bits_to_rows(bits, 100)


def test_codes_of_groups_and_steps_of_scales() -> None:
    groups = Groups("class", ("a", "b"), np.array([1, -1, 0]), ("#000", "#111"))
    assert unpack(groups.packed)[1]["codes"].tolist() == [1, 65535, 0]
    scale = Scale("p", np.array([0.0, 0.5, 1.0, np.nan, 2.0]), high=1.0)
    assert scale.limits == (0.0, 1.0)
    assert unpack(scale.packed)[1]["codes"].tolist() == [0, 128, 255, 65535, 255]
    constant = Scale("p", np.full(3, 4.0))
    assert unpack(constant.packed)[1]["codes"].tolist() == [0, 0, 0]
    assert Scale("p", np.full(2, np.nan)).limits == (0.0, 1.0)


def test_one_odd_value_does_not_leave_one_colour_for_all_others() -> None:
    values = np.append(np.linspace(0, 1, 999), 1e6)
    scale = Scale("weight", values)
    low, high = scale.limits
    assert 0 < low < 0.03 and 0.97 < high <= 1
    assert scale.beyond == (True, True)
    codes = unpack(scale.packed)[1]["codes"]
    assert len(np.unique(codes)) == 256 and codes[-1] == 255
    assert Scale("share", values, 0.0, 1e6).beyond == (False, False)
    assert Scale("share", np.append(values, np.nan), 0.0, 1.0).beyond == (False, True)
    few = Scale("weight", np.append(np.arange(49.0), 1e6))
    assert few.limits == (0, 1e6) and few.beyond == (False, False)  # a fiftieth is not one value
    mostly = Scale("weight", np.append(np.zeros(999), 5.0))
    assert mostly.limits == (0, 5)


def test_captions_are_words_and_codes() -> None:
    points = Points(["x", "y", "z"], "f", captions={"class": ["b", "a", "b"], "score": [1, 2, 3]})
    header, arrays = unpack(points.packed_captions)
    assert header["ids"] == ["x", "y", "z"]
    for place, texts in enumerate([["b", "a", "b"], ["1", "2", "3"]]):
        assert [header["words"][place][code] for code in arrays[str(place)]] == texts


def test_the_token_tells_sets_of_pictures_apart() -> None:
    tokens = {
        Points(ids, fingerprint).token
        for ids in (["a", "b"], ["b", "a"], ["ab", ""])
        for fingerprint in ("1", "2")
    }
    assert len(tokens) == 6


@pytest.mark.parametrize(
    "make",
    [
        lambda: Panel("p", "P", np.zeros((3, 4))),
        lambda: Panel("p", "P", np.zeros((3, 2)), axes=("x", "y", "z")),
        lambda: Panel("p", "P", np.zeros((3, 2)), arrows=Arrows(["a"], np.zeros((1, 3)))),
        lambda: Arrows(["a", "b"], np.zeros((1, 2))),
        lambda: Groups("class", ("a",), np.array([0, 1]), ("#000",)),
        lambda: Groups("class", ("a", "b"), np.array([0, 1]), ("#000",)),
        lambda: Points(["a"], "f", captions={"class": ["x", "y"]}),
        lambda: Points(["a"], "f", colour=Scale("p", np.zeros(2))),
    ],
)
def test_lengths_that_disagree_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        make()


def test_sheets_hold_each_row_once_and_stay_in_memory() -> None:
    asked = []

    def picture(row: int) -> bytes:
        asked.append(row)
        return b"%d|" % row * (1000 + row % 5)

    n = 700
    found = sprites.sprites("set", n, picture)
    assert found.n_sheets > 1
    assert abs(found.n_bytes / sum(len(picture(row)) for row in range(n)) - 1) < 0.05
    asked.clear()
    for number in range(found.n_sheets):
        made = sprites.sheet(found, number)
        assert sprites.sheet(found, number) is made
        header, arrays = unpack(made.data)
        assert (header["token"], header["first"]) == ("set", number * found.per_sheet)
        joined = arrays["pictures"].tobytes()
        for place in range(len(arrays["offsets"]) - 1):
            row = header["first"] + place
            start, end = arrays["offsets"][place : place + 2]
            assert joined[start:end] == b"%d|" % row * (1000 + row % 5)
    assert asked == list(range(n))


# ---- in an app ----------------------------------------


def sent(at: AppTest) -> dict[str, Any]:
    (element,) = at.get("bidi_component")[:1]
    found: dict[str, Any] = json.loads(element.proto.json)
    return found


def answer(at: AppTest, **state: Any) -> None:
    """Do what the browser does: put the map's state into the component's."""
    token = sent(at)["token"]
    at.session_state["map"] = {"map": {"token": token, "revision": "r1", "clicked": None, **state}}
    at.run()


def said(at: AppTest) -> str:
    return next(mark.value for mark in at.markdown if mark.value.startswith("selected"))


@pytest.fixture
def app() -> AppTest:
    at = AppTest.from_file(str(APP), default_timeout=20)
    at.query_params["n"] = "60"
    at.run()
    assert not at.exception
    return at


def test_what_goes_to_the_browser(app: AppTest) -> None:
    data = sent(app)
    assert [panel["dims"] for panel in data["panels"]] == [2, 2, 2, 3]
    assert data["n"] == 60
    assert data["colour"]["names"][2] == "<b>rose</b>"  # text; the script sets textContent
    assert data["sheets"]["per"] > 60
    assert set(data["sheets"]["urls"]) == {"0"}
    assert data["state"]["bits"] == ""


def test_a_selection_comes_back_and_is_remembered(app: AppTest) -> None:
    answer(app, bits=rows_to_bits(np.array([2, 59]), 60), clicked=59, hidden={"class": ["tulip"]})
    assert said(app) == "selected 2 clicked 59 hidden ['tulip']"
    assert sent(app)["state"]["revision"] == "r1"
    del app.session_state["map"]  # as a change of page does
    app.run()
    assert said(app) == "selected 2 clicked 59 hidden ['tulip']"


@pytest.mark.parametrize(
    "state",
    [
        {"bits": "%%%"},
        {"bits": "AA=="},
        {"bits": "", "clicked": 60},
        {"bits": "", "clicked": "<b>"},
        {"bits": "", "hidden": [1], "views": 3},
    ],
)
def test_nonsense_from_the_browser_does_no_harm(app: AppTest, state: dict[str, Any]) -> None:
    answer(app, **state)
    assert not app.exception
    assert said(app) == "selected 0 clicked None hidden []"


def test_a_selection_of_other_pictures_is_forgotten(app: AppTest) -> None:
    answer(app, bits=rows_to_bits(np.array([2]), 60))
    app.query_params["n"] = "61"
    app.run()
    assert not app.exception
    assert said(app).startswith("selected 0")


def test_rows_passed_from_outside_are_selected_once(app: AppTest) -> None:
    app.session_state["passed"] = [3, 5]
    app.run()
    assert said(app).startswith("selected 2")
    revision = sent(app)["state"]["revision"]
    answer(app, bits=rows_to_bits(np.array([7]), 60), clicked=7)
    assert said(app).startswith("selected 1 clicked 7")  # the person's choice stands
    assert sent(app)["state"]["revision"] != revision
