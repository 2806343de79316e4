"""Every depth of a run's body: vectors, scores, drawings, the command and the page."""

from __future__ import annotations

import importlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from embedlab import layers as layers_module
from embedlab import passage
from embedlab.cli import main
from embedlab.data.garden import draw, flower
from embedlab.data.preprocessing import Preprocessing
from embedlab.data.sources import load_dataset
from embedlab.errors import EmbedlabError
from embedlab.experiment import embed_dataset, train
from embedlab.figures.curves import Curve
from embedlab.figures.depth import depth_curves
from embedlab.home import home
from embedlab.jobs import list_jobs, wait
from embedlab.layers import (
    kept_layers,
    kept_sizes,
    make_layers,
    over_each_other,
    refusal,
    umap_maps,
)
from embedlab.models.backbones import build
from embedlab.models.depths import TorchDepths
from embedlab.originals import originals
from embedlab.runs import BUILTIN, Run
from embedlab.space.probes import linear_probe
from embedlab.ui.text import plain
from embedlab.views import UmapSettings

from .conftest import ROOT
from .made_pictures import as_files, coloured
from .made_runs import made_run
from .test_pages import texts

CPU = torch.device("cpu")
STAGES = ("stem", "stage1", "stage2", "stage3")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Train the small net on 40 pictures in files; the tests get copies."""
    place = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDLAB_HOME", str(place / "home"))
        dataset = as_files(coloured(40), place / "pictures")
        return train(
            dataset, backbone="small", epochs=1, batch_size=8, size=32, folder=place / "squares"
        )


@pytest.fixture
def run(made: Run) -> Run:
    return Run(shutil.copytree(made.folder, home("runs") / "squares"))


def hooked(run: Run, pictures: list[Any], size: int | None = None) -> dict[str, NDArray[Any]]:
    """Find the averages behind each stage with torch's own hooks, one picture at a time."""
    assert run.preprocessing is not None
    seen_as = run.preprocessing
    if size is not None:
        seen_as = Preprocessing.from_dict({**seen_as.to_dict(), "size": size, "resize": size})
    weights = run.folder / "body.safetensors"
    body = build("small", n_classes=1, weights=weights, size=seen_as.size).body.eval()
    found: dict[str, list[NDArray[Any]]] = {name: [] for name in STAGES}
    for name in STAGES:
        body.get_submodule(name).register_forward_hook(
            lambda _module, _given, output, name=name: found[name].append(
                output.double().mean((2, 3)).numpy()[0]
            )
        )
    with torch.inference_mode():
        for picture in pictures:
            body(torch.from_numpy(seen_as.normalise(seen_as.see(picture)[None])))
    return {name: np.stack(rows) for name, rows in found.items()}


# ---- vectors -------------------------------------------------------------------------------------


def test_vectors_are_what_torchs_hooks_see(run: Run) -> None:
    layers = make_layers(run, batch_size=7)
    pictures = originals(run)
    expected = hooked(run, [pictures.open(row) for row in range(40)])
    assert layers.names == ("pixels", *STAGES)
    for depth in layers.depths[1:]:
        found = run.vectors(depth.vectors)
        np.testing.assert_allclose(found, expected[depth.name], rtol=1e-4, atol=1e-5)
        assert found.dtype == np.float32 and found.shape == (40, depth.n_dims)
    assert layers.n_small == 0 and layers.size == 32
    assert [depth.shape for depth in layers.depths[1:]] == [
        (16, 16, 16),
        (32, 8, 8),
        (64, 4, 4),
        (96, 4, 4),
    ]


def test_the_last_average_the_bodys_end_and_the_embedding_are_one(run: Run) -> None:
    end = make_layers(run).depths[-1]
    assert (end.name, end.vectors, end.end) == ("stage3", "embedding", True)
    assert run.vector_sets == (
        *("embedding", "histogram", "layer-stage1", "layer-stage2", "layer-stem", "pixels"),
    )
    assert run.about_vectors("layer-stage2")["title"] == "Layer stage2"


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v3_small",
        pytest.param("swin_t", marks=pytest.mark.slow),
        pytest.param("vit_b_32", marks=pytest.mark.slow),
    ],
)
def test_all_depths_of_an_architecture_come_from_one_pass(name: str) -> None:
    """Maps, maps with channels last, tokens, and layers behind the pooling."""
    size = 224 if name == "vit_b_32" else 64
    network = build(name, n_classes=1, weights="random", size=size)
    preprocessing = Preprocessing(size, size)
    body = TorchDepths(network, preprocessing, CPU)
    seen = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    found = body.embed_seen(seen)
    x = torch.from_numpy(preprocessing.normalise(seen))
    with torch.inference_mode():
        for cut in network.cuts:
            one = network.at(cut.name, x).numpy()
            np.testing.assert_allclose(found[:, body.places[cut.name]], one, rtol=1e-3, atol=1e-4)
    assert found.shape[1] == body.places["embedding"].stop


def test_another_size_is_kept_beside_the_runs_own(run: Run) -> None:
    make_layers(run)
    before = np.array(run.vectors("layer-stem"))
    other = make_layers(run, size=48)
    pictures = originals(run)
    expected = hooked(run, [pictures.open(row) for row in range(40)], size=48)
    for depth in other.depths[1:]:
        assert depth.vectors == f"layer-{depth.name}-48px"
        found = run.vectors(depth.vectors)
        np.testing.assert_allclose(found, expected[depth.name], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(run.vectors("layer-stem"), before)
    assert kept_sizes(run) == [32, 48]
    assert make_layers(run, size=32).depths == make_layers(run).depths
    with pytest.raises(EmbedlabError, match="cannot take pictures of 4 px"):
        make_layers(run, size=4)


def test_work_that_was_stopped_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passage, "_FLUSH", 8)
    seen: list[int] = []
    real = TorchDepths.embed_seen

    def counted(self: TorchDepths, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        seen.append(len(pictures))
        return real(self, pictures)

    def stopped(self: TorchDepths, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        if sum(seen) == 20:
            raise KeyboardInterrupt
        return counted(self, pictures)

    monkeypatch.setattr(TorchDepths, "embed_seen", stopped)
    with pytest.raises(KeyboardInterrupt):
        make_layers(run, batch_size=4)
    assert kept_layers(run) is None and "layer-stem" not in run.vector_sets
    seen.clear()
    monkeypatch.setattr(TorchDepths, "embed_seen", counted)
    make_layers(run, batch_size=4)
    assert sum(seen) == 24, "the first sixteen were on disk"
    pictures = originals(run)
    expected = hooked(run, [pictures.open(row) for row in range(40)])["stage1"]
    np.testing.assert_allclose(run.vectors("layer-stage1"), expected, rtol=1e-4, atol=1e-5)
    seen.clear()
    make_layers(run)
    assert not seen


# ---- pictures ------------------------------------------------------------------------------------


def test_a_file_that_is_gone_or_another_is_replaced_by_the_small_copy(
    run: Run, made: Run, tmp_path: Path
) -> None:
    first, second, third = (Path(run.items["path"].iat[row]) for row in range(3))
    kept = first.read_bytes(), second.read_bytes()
    try:
        first.unlink()
        shutil.copy(third, second)
        pictures = originals(run)
        opened = [np.asarray(pictures.open(row)) for row in range(3)]
        assert pictures.small == {0, 1}
        whole = np.asarray(coloured(40).pictures.open(2))
        np.testing.assert_array_equal(opened[2], whole)
        layers = make_layers(run)
    finally:
        first.write_bytes(kept[0])
        second.write_bytes(kept[1])
    end = layers.depths[-1]
    assert layers.n_small == 2
    assert end.vectors == "layer-stage3", "the embedding came from the originals"
    apart = np.abs(run.vectors("layer-stage3") - run.embeddings).max(axis=1)
    assert apart[0] > 1e-3 and (apart[2:] < 1e-4).all()


def test_the_garden_is_drawn_again_and_checked() -> None:
    dataset = load_dataset("garden", n_each=2)
    run = embed_dataset(dataset, backbone="pixels", size=16)
    pictures = originals(run)
    for row in range(len(run.items)):
        expected = np.asarray(dataset.pictures.open(row))
        np.testing.assert_array_equal(np.asarray(pictures.open(row)), expected)
    assert not pictures.small
    run.info["dataset"]["origin"]["garden_seed"] = 1
    others = originals(run)
    assert others.open(0).size == (128, 128)
    assert others.small == {0}, "another garden's daisy is not this run's"


@pytest.mark.parametrize(
    "origin",
    [
        {"source": "folder", "path": "/"},
        {"source": "flowers"},
        {"source": "", "limit": "x"},
        {"source": "garden", "n_each": "x"},
        {},
    ],
)
def test_an_origin_is_not_believed(origin: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """run.json may be anybody's: nothing is searched or downloaded for it."""
    run = made_run(home("runs") / "squares")
    run.info["dataset"]["origin"] = origin

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("searched or downloaded")

    monkeypatch.setattr("embedlab.data.sources._from_folder", never)
    monkeypatch.setattr("embedlab.data.published.fetch", never)
    pictures = originals(run)
    assert pictures.open(1).size == (48, 48) and pictures.small == {1}


# ---- scores and drawings -------------------------------------------------------------------------


def test_scores_are_of_fresh_pictures(run: Run) -> None:
    layers = make_layers(run)
    assert (layers.n_fitted, layers.n_scored, layers.own_split) == (32, 8, True)
    assert run.labels is not None
    held = run.split == "validation"
    for depth in layers.depths[1:]:
        v = np.asarray(run.vectors(depth.vectors), np.float64)
        unit = v / np.linalg.norm(v, axis=1, keepdims=True)
        near = np.argsort(-(unit[held] @ unit[~held].T), axis=1, kind="stable")[:, :10]
        votes = run.labels[~held][near]
        counts = np.stack([(votes == k).sum(1) for k in range(2)], 1)
        clear = counts[:, 0] != counts[:, 1]
        right = (counts.argmax(1) == run.labels[held])[clear].sum()
        assert depth.knn is not None and depth.knn.total == 8
        assert right <= depth.knn.correct <= right + (~clear).sum()
        assert depth.probe is not None and depth.dimension is not None
    best = layers.best("knn")
    assert best is not None and best.knn is not None
    values = [depth.knn.value for depth in layers.depths if depth.knn]
    assert best.knn.value == max(values)
    assert layers.depths.index(best) == values.index(max(values)), "the shallowest of equals"


def test_a_run_that_trained_on_nothing_is_split_for_the_scores() -> None:
    dataset = coloured(30)
    run = embed_dataset(dataset, backbone="small", weights="random", size=32)
    layers = make_layers(run)
    assert not layers.own_split
    assert (layers.n_fitted, layers.n_scored) == (24, 6)
    bare = embed_dataset(coloured(30, labelled=False), backbone="small", size=32)
    layers = make_layers(bare)
    assert {depth.knn for depth in layers.depths} == {depth.probe for depth in layers.depths}
    assert layers.best("knn") is None
    assert all(depth.dimension is not None for depth in layers.depths)


def test_a_picture_that_leaves_a_zero_vector_is_not_left_out_of_the_count(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deep layers fall silent on small pictures; what is left must not look good for it."""
    real = TorchDepths.embed_seen

    def silent(self: TorchDepths, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        return real(self, seen) * 0

    monkeypatch.setattr(TorchDepths, "embed_seen", silent)
    stem = make_layers(run).depths[1]
    assert stem.knn is not None and (stem.knn.correct, stem.knn.total) == (0, 8)
    assert stem.dimension is None


def test_turned_coordinates_are_read_as_well_as_the_pixels_that_they_stand_for() -> None:
    """Isometric coordinates end in columns that single out one picture each."""
    from embedlab.space.dimension import compact

    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 60)
    pixels = (rng.normal(size=(4, 900))[labels] * 0.09 + rng.normal(size=(240, 900))).astype("f4")
    order = rng.permutation(240)
    fit, held = order[:160], order[160:]

    def right(vectors: NDArray[np.float32]) -> int:
        return linear_probe(vectors[fit], labels[fit], vectors[held], labels[held]).correct

    short = compact(pixels)
    turned = layers_module._evened(short)
    a, b = (m - m.mean(0) for m in (short, turned))
    np.testing.assert_allclose(a @ a.T, b @ b.T, atol=0.02)
    assert right(turned) >= right(pixels) - 4 > 40
    spread = turned.std(axis=0)
    assert spread.max() / spread.min() < 2


def test_drawings_of_one_triangle_fall_onto_each_other() -> None:
    triangle = np.array([[0, 0], [4, 0], [0, 2], [np.nan, np.nan]], np.float32)
    turned = triangle[:, ::-1] * [-3, 3] + [100, -7]  # by a quarter, three times as large
    mirrored = triangle * [-1, 1]
    a, b, c = over_each_other([turned.astype("f4"), mirrored.astype("f4"), triangle])
    np.testing.assert_allclose(a, c, atol=1e-5)
    np.testing.assert_allclose(b, c, atol=1e-5)
    assert np.isnan(c[3]).all() and np.isnan(a[3]).all()
    assert np.nanmean((c[:3] ** 2).sum(1)) == pytest.approx(1)
    centred = triangle[:3] - triangle[:3].mean(0)
    np.testing.assert_allclose(c[:3], centred / np.sqrt((centred**2).sum(1).mean()), atol=1e-6)


def test_drawings_of_points_in_one_place_stay_there() -> None:
    assert not over_each_other([np.ones((3, 2), "f4"), np.ones((3, 2), "f4")]).any()


def test_the_last_map_is_the_one_that_other_pages_show(run: Run) -> None:
    from embedlab.space.projections import pca

    maps = make_layers(run).maps
    assert maps.shape == (5, 40, 2)
    shown = pca(run.embeddings, 2).coordinates
    factor = np.linalg.norm(shown) / np.linalg.norm(maps[-1])
    np.testing.assert_allclose(maps[-1] * factor, shown - shown.mean(0), rtol=1e-3, atol=1e-4)


def test_the_curves_have_bands_a_mark_and_no_markup() -> None:
    lines = [Curve("<b>x</b>", [0, 1], [0.5, 0.75], [0.4, 0.7], [0.6, 0.8])]
    figure = depth_curves(["<i>", "end"], lines, Curve("dimension", [0, 1], [3.0, 2.0]), here=1)
    band, line, reading = figure.data
    assert list(band.x) == [0, 1, 1, 0] and list(band.y) == [0.6, 0.8, 0.7, 0.4]
    assert list(line.y) == [0.5, 0.75] and list(line.customdata[1]) == [0.7, 0.8]
    assert list(reading.y) == [3.0, 2.0] and reading.yaxis == "y2"
    assert {shape.x0 for shape in figure.layout.shapes} == {1}
    assert "<b>" not in figure.to_json() and "<i>" not in figure.to_json()
    alone = depth_curves(["a"], [], Curve("dimension", [0], [3.0]))
    assert len(alone.data) == 1
    assert depth_curves(["a"], []).data == ()


# ---- runs that cannot be cut ---------------------------------------------------------------------


def test_runs_without_a_body_say_so(run: Run) -> None:
    plain = embed_dataset(coloured(6), backbone="histogram", size=16)
    (run.folder / "body.safetensors").unlink()
    onnx_alone = Run(run.folder)
    bare = made_run(home("runs") / "bare")
    for one, words in (
        (plain, "has no network"),
        (onnx_alone, "an ONNX file, of which only the end is known"),
        (bare, "kept without the body"),
    ):
        reason = refusal(one)
        assert reason is not None and words in str(reason)
        with pytest.raises(EmbedlabError, match=words):
            make_layers(one)


# ---- the built-in garden -------------------------------------------------------------------------


def test_the_garden_comes_with_its_layers() -> None:
    """The shipped vectors are what the shipped body makes of the garden drawn here."""
    garden = Run(BUILTIN / "garden")
    layers = kept_layers(garden)
    assert layers is not None and layers.names == ("pixels", *STAGES)
    assert layers.n_small == 0 and umap_maps(garden, layers) is not None
    rows = [0, 101, 749]
    expected = hooked(garden, [Image.fromarray(draw(flower(row))) for row in rows])
    for depth in layers.depths[1:]:
        found = np.asarray(garden.vectors(depth.vectors)[rows], np.float64)
        same = (found * expected[depth.name]).sum(1)
        same /= np.linalg.norm(found, axis=1) * np.linalg.norm(expected[depth.name], axis=1)
        assert same.min() > 0.99, "another Pillow may draw a few pixels otherwise"
    accuracies = [depth.knn.value for depth in layers.depths if depth.knn]
    assert accuracies[-1] > accuracies[0] + 0.3


def test_what_the_documentation_says_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "layers.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "layers.md", "exec"), names)
    said = re.search(
        r"On the garden.*?(\d+) %.*?(\d+) %, (\d+) % and (\d+) %.*?(\d+) %", page, re.S
    )
    assert said is not None
    assert list(map(int, said.groups())) == [
        round(100 * depth.knn.value) for depth in names["layers"].depths
    ]
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    tables = importlib.import_module("write_layers").tables()
    assert len(tables) == 6 and all(table in page for table in tables.values())
    # What the answer says of room and scale, in rounder words, is what the control measured.
    shares = list(map(int, re.findall(r"(\d+) % of the\s+way is\s+room", tables["control words"])))
    assert len(shares) == 4
    assert [round(share, -1) for share in shares] == [70, 90, 40, 70]
    gained = re.search(r"by (\d+) to (\d+) points", " ".join(tables["control words"].split()))
    assert gained is not None
    assert f"gains {gained[1]} to {gained[2]} points then" in " ".join(page.split())


# ---- the command ---------------------------------------------------------------------------------


def test_the_command_prints_json_and_a_table(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    main(["layers", "squares", "--json", "-q"])
    told = json.loads(capsys.readouterr().out)
    layers = kept_layers(run)
    assert layers is not None
    assert [depth["cut"] for depth in told["depths"]] == list(layers.names)
    end, depth = told["depths"][-1], layers.depths[-1]
    assert depth.knn is not None
    assert end["knn"]["interval"] == list(depth.knn.interval)
    assert (end["vectors"], end["shape"], told["scored"]) == ("embedding", [96, 4, 4], 8)
    main(["layers", "squares", "-q"])
    assert f"{depth.knn.value:.1%}" in capsys.readouterr().out


def test_the_command_refuses_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    made_run(home("runs") / "bare")
    with pytest.raises(SystemExit) as ended:
        main(["layers", "bare", "-q"])
    assert ended.value.code == 1
    assert "kept without the body" in capsys.readouterr().err


# ---- the page ------------------------------------------------------------------------------------


def page(run: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    app.query_params["run"] = run
    for name, value in query.items():
        app.query_params[name.replace("_", "-")] = value
    app.switch_page("pages/layers.py").run()
    assert not app.exception, app.exception[0].message
    assert not app.error, texts(app)
    return app


def test_before_the_job_the_page_says_what_it_takes_and_offers_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page("squares")
    assert "All 40 pictures go through the body once more" in texts(app)
    assert "each of its 4 stages" in texts(app)
    assert [button.label for button in app.button] == ["Cut at every depth"]
    monkeypatch.setenv("EMBEDLAB_PUBLIC", "1")
    app = page("squares")
    assert not app.button and "This server does not compute" in texts(app)


def test_the_page_rides_through_the_depths(run: Run) -> None:
    layers = make_layers(run)
    app = page("squares", depth="stage1")
    assert app.select_slider(key="depth").value == "stage1"
    assert "32 x 8 x 8, averaged over its places: **32** numbers a picture" in texts(app)
    app.select_slider(key="depth").set_value("stem").run()
    assert "16 x 16 x 16, averaged over its places: **16** numbers a picture" in texts(app)
    assert not app.exception
    best = layers.best("knn")
    assert best is not None and best.knn is not None
    assert f"**{best.knn.value:.1%} (95 %:" in texts(app)
    assert "Fitted on 32 pictures, scored on 8 validation pictures" in texts(app)
    (table,) = app.dataframe
    assert [str(name) for name in table.value["depth"]] == [
        *("picture", "stem", "stage1", "stage2", "stage3 (end)"),
    ]


def test_the_page_counts_neighbours_as_numpy_does(run: Run) -> None:
    make_layers(run)
    app = page("squares", query="5", among="All")
    v = np.asarray(run.vectors("layer-stage1"), np.float64)
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    cosines = unit @ unit[5]
    cosines[5] = -np.inf
    assert run.labels is not None
    same = int((run.labels[np.argsort(-cosines)[:6]] == run.labels[5]).sum())
    assert f"**stage1**: **{same} of 6** of its class" in texts(app)


def test_an_unknown_depth_in_a_link_is_the_end(run: Run) -> None:
    make_layers(run)
    assert page("squares", depth="picture").select_slider(key="depth").value == "picture"
    assert page("squares", depth="<b>").select_slider(key="depth").value == "stage3 (end)"


def test_sizes_are_chosen_where_there_are_several(run: Run) -> None:
    make_layers(run)
    app = page("squares", layer_size="48 px")
    assert "layer-size" not in [box.key for box in app.selectbox]
    make_layers(run, size=48)
    app = page("squares", layer_size="48 px", depth="stem")
    assert app.selectbox(key="layer-size").value == 48
    assert "16 x 24 x 24, averaged over its places" in texts(app)


def test_a_depth_that_only_another_run_has_is_forgotten(run: Run) -> None:
    make_layers(run)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.session_state["depth"] = "features.3"
    app.query_params["run"] = "squares"
    app.run().switch_page("pages/layers.py").run()
    assert not app.exception and app.select_slider(key="depth").value == "stage3 (end)"


def test_umap_is_offered_where_it_is_missing(run: Run) -> None:
    layers = make_layers(run)
    assert umap_maps(run, layers) is None
    app = page("squares", drawn_by="UMAP")
    assert "UMAP has not laid out every depth yet" in texts(app)
    assert "Lay every depth out with UMAP" in [button.label for button in app.button]
    for depth in layers.depths:
        points = np.random.default_rng(0).normal(size=(40, 2)).astype("f4")
        run.save_projection(UmapSettings().key(run, depth.vectors), coordinates=points)
    maps = umap_maps(run, layers)
    assert maps is not None and maps.shape == (5, 40, 2)
    assert "has not laid out" not in texts(page("squares", drawn_by="UMAP"))


@pytest.mark.slow
def test_the_button_starts_a_job_and_the_page_shows_what_it_made(run: Run) -> None:
    app = page("squares")
    app.button[0].click().run()
    (job,) = list_jobs()
    try:
        assert job.arguments == ("layers", "squares") and job.title == f"Layers of {run.title}"
        shown = [element.value for element in app.markdown]
        assert any(plain(job.title) in text for text in shown), "it is watched here"
        status = wait(job, timeout=240)
        assert status.state == "done", status.message
        assert status.result == {"run": "squares", "size": 32}
        assert page("squares").select_slider(key="depth").value == "stage3 (end)"
    finally:
        job.cancel()
