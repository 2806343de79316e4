"""Figures: what goes in is what is drawn, names are text, and colours can be told apart."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.colors import sample_colorscale, unlabel_rgb

from embedlab.figures.contributions import answers, contributions
from embedlab.figures.curves import Curve, curves, scree, training_curves
from embedlab.figures.distributions import histogram_pair
from embedlab.figures.intervals import share_intervals
from embedlab.figures.maps import MANY, scatter_map
from embedlab.figures.matrices import confusion, cosine_table
from embedlab.figures.network import blocks, steps
from embedlab.figures.palette import COLOURS, SYMBOLS, class_style
from embedlab.figures.readings import bars_with_intervals, read_off_bars
from embedlab.figures.strips import sorted_strips, vector_strips
from embedlab.figures.style import WHITE, plain, template

EVIL = ["<img src=x onerror=alert(1)>", "%{x} $\\frac{1}{2}$", "plain"]


def way(names: Sequence[str]) -> list[dict[str, Any]]:
    """A network of that many blocks, as a run describes it."""
    side = 2 ** (len(names) + 3)
    rows = [{"name": "input", "what": "picture", "shape": [1, 3, side, side], "parameters": 0}]
    for k, name in enumerate(names, 1):
        shape = [1, 8 * k, side >> k, side >> k]
        rows.append({"name": name, "what": name, "shape": shape, "parameters": 1000 * k})
    n_dims = 8 * len(names)
    rows.append({"name": "embedding", "what": "average", "shape": [1, n_dims], "parameters": 7})
    rows.append({"name": "head", "what": "linear", "shape": [1, 5], "parameters": 45})
    return rows


FIGURES: dict[str, Callable[[list[str]], go.Figure]] = {
    "map": lambda names: scatter_map(
        [[0, 0], [1, 2], [2, 1]],
        [0, 1, 2],
        names,
        names=names,
        arrows=[[1, 1], [2, 0], [0, 2]],
        axis_titles=names[:2],
    ),
    "map in 3-D": lambda names: scatter_map(np.eye(3), [0, 1, 2], names, arrows=np.eye(3)),
    "histograms": lambda names: histogram_pair([0.1, 0.2], [0.0], title=names[0]),
    "cosines": lambda names: cosine_table(np.eye(3), names, names),
    "confusion": lambda names: confusion(np.eye(3, dtype=int) * 7, names),
    "strips": lambda names: vector_strips(np.arange(12).reshape(3, 4), names),
    "bars": lambda names: bars_with_intervals(
        names, [0.5, 0.9, 0.1], [(0.4, 0.6), (0.8, 1), (0, 0.2)], baseline=0.3, title=names[0]
    ),
    "read-off": lambda names: read_off_bars(
        names, names[:2], [[0.5, 0.6]] * 3, [[(0.4, 0.6), (0.5, 0.7)]] * 3, [0.2, 0, 0]
    ),
    "intervals": lambda names: share_intervals(
        names, [0.5, 0.9, 0.1], [(0.4, 0.6), (0.8, 1), (0, 0.2)], title="share"
    ),
    "curves": lambda names: curves(
        [Curve(name, [0, 1], [0.1, 0.2]) for name in names],
        x_title=names[0],
        y_title=names[0],
        names_of_x=names[:2],
    ),
    "scree": lambda names: scree([0.5, 0.2], prefix=names[0]),
    "sorted strips": lambda names: sorted_strips(np.eye(3), names, [2, 0, 1], by=names[0]),
    "answers": lambda names: answers(names, [1, -2, 0.5], [0.6, 0.1, 0.3], COLOURS[:3]),
    "blocks": lambda names: blocks(way(names)),
    "contributions": lambda names: contributions([3], [1.0], rest=0.5, bias=-1, logit=0.5),
}


def test_pooling_is_a_step_between_the_last_map_and_the_vector() -> None:
    rows = steps(way(("a", "b")))
    assert [row["name"] for row in rows] == ["input", "a", "b", "pooling", "embedding", "head"]
    assert rows[3]["what"] == "average" and rows[3]["shape"] == rows[4]["shape"] == [1, 16]
    assert sum(row["parameters"] for row in rows) == sum(
        row["parameters"] for row in way(("a", "b"))
    )
    flat = [row for row in way(()) if row["name"] != "input"]
    assert [row["name"] for row in steps(flat)] == ["embedding", "head"]  # no map, no pooling


def test_blocks_stand_below_each_other_with_shapes_for_one_picture() -> None:
    figure = blocks(way(("a", "b")))
    boxes = [(min(trace.y), max(trace.y), max(trace.x)) for trace in figure.data]
    assert all(one[1] < next_[0] for one, next_ in pairwise(boxes))
    halves = [half for *_, half in boxes]
    assert halves[0] == 0.5 and halves == sorted(halves, reverse=True)
    pooling = figure.data[3]
    assert max(pooling.x) == halves[2] and pooling.x[2] == halves[4]  # from the map to the vector
    texts = [note.text for note in figure.layout.annotations]
    assert texts[:2] == ["input", "<b>3 x 32 x 32</b>"] and "<b>16 x 8 x 8</b>" in texts
    (line,) = figure.layout.shapes
    assert boxes[-2][1] < line.y0 < boxes[-1][0]
    assert "2,000 parameters" in figure.data[2].text


def test_answers_show_logits_and_probabilities_of_the_same_classes() -> None:
    figure = answers(("rose", "tulip"), [1.5, -2], [0.97, 0.03], COLOURS[:2])
    scores, shares = figure.data
    assert list(scores.x) == [1.5, -2] and list(shares.x) == [0.97, 0.03]
    assert list(scores.text) == ["1.50", "-2.00"] and list(shares.text) == ["97%", "3%"]
    assert list(figure.layout.yaxis.ticktext) == ["rose", "tulip"]
    low, high = figure.layout.xaxis.range
    assert low < -2 and high > 1.5


@pytest.mark.parametrize("name", FIGURES)
def test_names_are_text_and_the_background_is_clear(name: str) -> None:
    figure = FIGURES[name](EVIL)
    content = figure.to_json()
    assert "<img" not in content
    for trace in json.loads(content)["data"]:
        assert "frac" not in str(trace.get("hovertemplate"))
    assert "$" not in content.replace("&#36;", "")
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.template.layout.font.color == template().layout.font.color
    assert figure.layout.height >= 150


def test_long_names_are_cut_and_lines_joined() -> None:
    assert plain("a\nb  c") == "a b c"
    assert len(plain("x" * 999)) == 40
    assert plain("<" * 99).startswith("&lt;")


def test_a_map_draws_each_picture_where_it_is_under_its_class() -> None:
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(50, 2)).astype(np.float32), rng.integers(3, size=50)
    points[7] = np.nan
    figure = scatter_map(points, labels, ("a", "b", "c"))
    seen = []
    for label, trace in enumerate(figure.data):
        rows = np.asarray(trace.customdata)
        assert (labels[rows] == label).all()
        np.testing.assert_array_equal(np.stack([trace.x, trace.y], axis=1), points[rows])
        assert trace.x.dtype == np.float32
        assert trace.marker.color == class_style(label).colour
        assert trace.marker.symbol == class_style(label).symbol
        seen += rows.tolist()
    assert sorted(seen) == np.delete(np.arange(50), 7).tolist()
    assert figure.layout.yaxis.scaleanchor == "x"


def test_maps_with_few_many_and_unlabelled_pictures() -> None:
    assert len(scatter_map(np.empty((0, 2))).data) == 0
    assert scatter_map(np.zeros((1, 2))).data[0].name == "pictures"
    assert scatter_map(np.zeros((3, 2)), [0, -1, 0], ("a",)).data[1].name == "no class"
    assert [trace.name for trace in scatter_map(np.zeros((2, 2)), [0, 2]).data] == ["0", "2"]
    assert isinstance(scatter_map(np.zeros((MANY, 2))).data[0], go.Scatter)
    big = scatter_map(np.zeros((MANY + 1, 2)))
    assert isinstance(big.data[0], go.Scattergl)
    assert not big.layout.xaxis.showticklabels  # axes that mean nothing have no numbers


def test_arrows_begin_at_the_origin_and_wear_their_class() -> None:
    figure = scatter_map(np.zeros((2, 2)), [0, 1], ("a", "b"), arrows=[[3, 4]], arrow_classes=[1])
    (arrow,) = figure.layout.annotations
    assert (arrow.ax, arrow.ay, arrow.x, arrow.y) == (0, 0, 3, 4)
    assert arrow.arrowcolor == class_style(1).colour
    assert "b" in figure.data[-1].text[0]


def test_a_confusion_matrix_is_shaded_by_row_and_says_counts() -> None:
    figure = confusion([[3, 1], [0, 2]], ("rare", "sure"))
    light, full, cells = figure.data
    np.testing.assert_array_equal(light.z, [[0.75, 0.25], [0, np.nan]])
    np.testing.assert_array_equal(full.z, [[np.nan, np.nan], [np.nan, 1]])
    assert list(map(list, light.text)) == [["3", "1"], ["", ""]]
    assert list(map(list, full.text)) == [["", ""], ["", "2"]]
    assert light.colorscale == full.colorscale
    assert (light.zmin, light.zmax) == (full.zmin, full.zmax) == (0, 1)
    assert full.textfont.color == WHITE and light.textfont.color is None
    assert list(figure.layout.yaxis.range) == [1.5, -0.5], "the first class on top"
    # What a click can hit lies over the cells: predicted across, true down, and their counts.
    found = dict(zip(zip(cells.y, cells.x, strict=True), cells.customdata, strict=True))
    assert found == {(0, 0): 3, (0, 1): 1, (1, 0): 0, (1, 1): 2}
    assert list(cells.text) == ["75%", "25%", "0%", "100%"]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """WCAG's contrast of two colours, 1 to 21; parts 0 to 255."""

    def luminance(colour: tuple[float, ...]) -> float:
        parts = np.array(colour) / 255
        parts = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(parts @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("page", "text"),
    [((255, 255, 255), (27, 36, 33)), ((17, 23, 21), (232, 237, 234))],
    ids=["light", "dark"],
)
def test_counts_stand_out_from_their_cells_and_empty_cells_from_nothing(
    page: tuple[int, ...], text: tuple[int, ...]
) -> None:
    shares = np.linspace(0, 1, 101)
    figure = confusion([[k, 100 - k] for k in range(101)], ("a", "b"))
    (_, first), (_, last) = figure.data[0].colorscale
    fill, clear = (np.array([float(x) for x in re.findall(r"[\d.]+", c)]) for c in (last, first))
    for row, share in enumerate(shares):
        alpha = clear[3] + share * (fill[3] - clear[3])
        cell = tuple(alpha * fill[:3] + (1 - alpha) * np.array(page))
        white = np.isfinite(figure.data[1].z[row][0])
        assert contrast(cell, (255, 255, 255) if white else text) > 3.5
        if share == 0:
            assert contrast(cell, page) < 1.2


def test_cosines_stand_out_from_their_cells() -> None:
    cosines = np.linspace(-1, 1, 201)[None]
    black, white = cosine_table(cosines, ("a",), [str(k) for k in range(201)]).data
    colours = sample_colorscale("RdBu_r", (cosines[0] + 1) / 2)
    for k, colour in enumerate(map(unlabel_rgb, colours)):
        (trace,) = [t for t in (black, white) if np.isfinite(t.z[0][k])]
        assert contrast(colour, unlabel_rgb(trace.textfont.color)) > 4


def test_a_logit_is_a_waterfall_that_ends_with_the_sum() -> None:
    (trace,) = contributions([12, 7], [2.0, -0.5], rest=1.0, bias=-0.25, logit=2.25).data
    assert list(trace.measure) == ["relative"] * 4 + ["total"]
    assert sum(trace.y[:-1]) == trace.y[-1] == 2.25
    assert trace.x[:2] == ("dim 12", "dim 7")


@pytest.mark.parametrize("digits", [2, 3, 5])
def test_the_labels_of_a_waterfall_add_up_as_they_are_shown(digits: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        amounts = np.round(rng.normal(size=5), digits)
        rest, bias = np.round(rng.normal(size=2), digits)
        logit = round(float(amounts.sum() + rest + bias), digits)
        figure = contributions(
            range(5), amounts.tolist(), rest=rest, bias=bias, logit=logit, digits=digits
        )
        *terms, total = (float(re.sub("</?b>", "", text)) for text in figure.data[0].text)
        assert f"{sum(terms):.{digits}f}".replace("-0.00", "0.00") == f"{total:.{digits}f}".replace(
            "-0.00", "0.00"
        )


def test_intervals_are_drawn_as_whiskers() -> None:
    (trace,) = bars_with_intervals(["a"], [0.5], [(0.4, 0.7)]).data
    assert trace.error_x.array[0] == pytest.approx(0.2)
    assert trace.error_x.arrayminus[0] == pytest.approx(0.1)
    figure = curves([Curve("k", [1], [0.5], [0.4], [0.7])], x_title="", y_title="", share=True)
    assert figure.data[0].error_y.array[0] == pytest.approx(0.2)
    worse = read_off_bars(["f"], ["r"], [[-3.0]], [[(-4.0, 0.1)]], [0.0])
    assert worse.data[0].y[0] == 0 and worse.data[0].customdata[0] == -3
    assert len(bars_with_intervals([], [], []).data) == 1
    figure = share_intervals(["a long name " * 3, "b"], [0.5, 0.6], [(0.4, 0.7)] * 2, title="t")
    assert [(note.text, note.y) for note in figure.layout.annotations] == [
        ("a long name a long name a long name", 0),
        ("b", 1),
    ]
    assert list(figure.data[0].y) == [0, 1] and figure.layout.yaxis.range[0] > 1


def test_means_of_epochs_do_not_stand_among_the_reports_within() -> None:
    history = [
        {"event": "step", "epoch": 0.5, "loss": 3.0},
        {"event": "step", "epoch": 1.0, "loss": 1.0},
        {"event": "epoch", "epoch": 1.0, "loss": 2.0, "validation_loss": 1.5},
    ]
    training, validation = training_curves(history, "loss", log=True).data
    assert list(training.y) == [3.0, 1.0] and list(validation.y) == [1.5]
    (alone,) = training_curves([{"event": "epoch", "epoch": 1.0, "loss": 2.0}], "loss").data
    assert list(alone.y) == [2.0]
    assert training_curves(history, "loss", log=True).layout.yaxis.type == "log"


def test_training_curves_take_what_is_reported() -> None:
    history = [
        {"event": "step", "epoch": 0.5, "loss": 2.0},
        {"event": "note", "text": "halved"},
        {"event": "epoch", "epoch": 1.0, "loss": 1.0, "validation_loss": 1.5},
    ]
    training, validation = training_curves(history, "loss").data
    assert list(training.x) == [0.5] and list(validation.y) == [1.5]
    assert len(training_curves(history, "accuracy").data) == 0


def test_strips_share_one_scale() -> None:
    (trace,) = vector_strips([[0, 1], [-4, 2]], ("a", "b")).data
    assert (trace.zmin, trace.zmax) == (-4, 4)
    (trace,) = vector_strips([[0, 1], [4, 2]], ("a", "b")).data
    assert (trace.zmin, trace.zmax) == (0, 4)
    assert trace.colorbar.ticktext == ("0", "2", "4")
    assert vector_strips(np.zeros((1, 3)), ("a",)).data[0].zmax == 1
    odd = np.ones((1, 1000))
    odd[0, 7] = 99  # one odd value does not leave one colour for all others
    (trace,) = vector_strips(odd, ("a",)).data
    assert trace.zmax == 1 and trace.colorbar.ticktext[-1] == "≥ 1"


@pytest.mark.parametrize("d", [96, 160, 161, 512, 1280, 1])
def test_long_strips_go_on_in_lines_and_each_number_is_drawn_once(d: int) -> None:
    values = np.arange(2 * d, dtype=float).reshape(2, d)
    figure = vector_strips(values, ("a", "b"))
    (trace,) = figure.data
    drawn = np.asarray(trace.z, float)
    assert drawn.shape[1] <= 160 and len(drawn) == 3 * -(-d // 160) - 1
    for k in range(2):
        row = drawn[k::3].ravel()
        np.testing.assert_array_equal(row[np.isfinite(row)], values[k])
    assert not np.isfinite(drawn[2::3]).any()  # between the lines
    last = np.argwhere(drawn == d - 1)[0]
    assert trace.customdata[last[0]][last[1]] == f"dimension {d - 1:,}"
    begins = [text.split()[0] for text in figure.layout.yaxis.ticktext if text.endswith(" a")]
    assert begins == ([f"{k:,}" for k in range(0, d, drawn.shape[1])] if d > 160 else [])


def test_strips_of_very_long_vectors_are_means_of_neighbours() -> None:
    values = np.arange(5120.0)[None]
    figure = vector_strips(values, ("a",))
    drawn = np.asarray(figure.data[0].z, float)
    assert drawn[::2].shape == (16, 160)
    np.testing.assert_array_equal(drawn[::2].ravel(), np.arange(0.5, 5120, 2))
    assert figure.data[0].customdata[2][0] == "mean of the dimensions 320 to 321"
    assert figure.layout.annotations[0].text == (
        "dimension, each colour the mean of 2, 320 in a line"
    )
    assert figure.layout.height < 800


def test_sorted_strips_put_the_same_dimensions_under_one_another() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 512))
    order = np.argsort(-values[0])
    figure = sorted_strips(values, ("a", "b", "c"), order, by="a")
    drawn = np.asarray(figure.data[0].z)
    assert drawn.shape == (3, 80)
    assert (np.diff(drawn[0]) <= 0).all()
    np.testing.assert_allclose(drawn[:, 0], values[:, order[:6]].mean(axis=1))
    np.testing.assert_allclose(drawn[:, -1], values[:, order[-6:]].mean(axis=1))
    assert "the mean of 6 or 7" in figure.layout.annotations[0].text
    short = sorted_strips(values[:, :5], ("a", "b", "c"), np.argsort(-values[0, :5]), by="a")
    np.testing.assert_allclose(short.data[0].z[0], np.sort(values[0, :5])[::-1])
    assert "mean" not in short.layout.annotations[0].text


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def oklab(light: np.ndarray) -> np.ndarray:
    """B. Ottosson's perceptual space: distances of about 0.02 are just seen side by side."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    opponent = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return opponent @ np.cbrt(cones @ light)


# G. Machado, M. Oliveira, L. Fernandes (2009): what is seen without one sort of cones.
SIGHT = {
    "all cones": np.eye(3),
    "no red": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no green": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "no blue": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_can_be_told_apart_with_any_sight(sight: str) -> None:
    seen = [oklab(np.clip(SIGHT[sight] @ linear(colour), 0, 1)) for colour in COLOURS]
    apart = {
        pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]]))
        for pair in combinations(range(10), 2)
    }
    assert min(distance for pair, distance in apart.items() if max(pair) < 5) > 0.08
    assert min(apart.values()) > 0.045


@pytest.mark.parametrize("background", ["#FFFFFF", "#111715"])
def test_colours_stand_out_on_light_and_on_dark(background: str) -> None:
    def luminance(colour: str) -> float:
        return float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour))

    for colour in COLOURS:
        dark, light = sorted((luminance(colour), luminance(background)))
        assert (light + 0.05) / (dark + 0.05) >= 3


def test_sixty_classes_look_different() -> None:
    assert len({(class_style(k).colour, class_style(k).symbol) for k in range(60)}) == 60
    assert len(set(SYMBOLS)) == 12


@pytest.mark.browser
def test_a_browser_shows_names_as_they_are(tmp_path) -> None:
    from playwright.sync_api import sync_playwright

    page_file = tmp_path / "figure.html"
    figure = scatter_map([[0, 0], [1, 1], [2, 0]], [0, 1, 2], EVIL, arrows=np.eye(3, 2))
    figure.write_html(page_file, include_plotlyjs=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.goto(page_file.as_uri())
        page.wait_for_selector(".legendtext")
        assert page.locator(".legendtext").all_text_contents() == EVIL
        assert page.locator("img").count() == 0
        browser.close()
