from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from embedlab.data.dataset import Dataset, split
from embedlab.errors import EmbedlabError
from embedlab.experiment import embed_dataset, train
from embedlab.facts import train_command
from embedlab.home import home
from embedlab.lab import workspace
from embedlab.models.backbones import build
from embedlab.models.onnx_body import OnnxBody
from embedlab.models.settings import TrainSettings
from embedlab.models.torch_body import TorchBody
from embedlab.runs import Run, save_run
from embedlab.space.scores import wilson

from .made_pictures import as_files, coloured
from .made_runs import made_run

SMALL = {"backbone": "small", "epochs": 2, "batch_size": 8, "size": 32, "learning_rate": 3e-3}
CPU = torch.device("cpu")


def with_tables(dataset: Dataset) -> Dataset:
    n = len(dataset)
    return Dataset(
        name="<b>squares</b>",
        ids=dataset.ids,
        pictures=dataset.pictures,
        labels=dataset.labels,
        classes=dataset.classes,
        table=pd.DataFrame({"height": np.arange(n, dtype=float), "scent": ["a", None] * (n // 2)}),
        factors=pd.DataFrame({"hue": np.arange(n)}),
        notes=("Drawn for tests.",),
        origin={"source": "folder", "path": "/my photos"},
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDLAB_HOME", str(tmp_path_factory.mktemp("home")))
        return train(with_tables(coloured(40)), title="Red & green", **SMALL)


def test_a_run_holds_everything(run: Run) -> None:
    info = run.info
    assert run.id == "Red-green" and run.title == "Red & green" and run.n_items == 40
    assert info["dataset"]["name"] == "<b>squares</b>" and info["dataset"]["n"] == 40
    assert info["dataset"]["classes"] == {"red": 20, "green": 20}
    assert info["dataset"]["origin"]["path"] == "/my photos"
    assert info["dataset"]["notes"] == ["Drawn for tests."] and info["dataset"]["skipped"] == []
    assert info["split"] == {
        "fraction": 0.2,
        "seed": 123,
        "stratified": False,
        "train": 32,
        "validation": 8,
    }
    assert (
        info["backbone"] == {"name": "small", "title": "Small net"} and info["cut"] == "embedding"
    )
    assert info["weights"]["kind"] == "random"
    assert info["training"]["epochs"] == 2 and info["training"]["size"] == 32
    assert [row["name"] for row in info["architecture"]][-2:] == ["embedding", "head"]
    assert info["created"].endswith("+00:00") and info["device"].startswith("CPU, ")
    assert info["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert {"train", "export", "embed", "compare", "all"} <= set(info["seconds"])
    assert list(run.split) == list(split(40, seed=123))
    assert run.embeddings.shape == (40, 96)
    assert list(run.items.columns) == [
        *("id", "path", "digest", "label", "split", "prediction", "p.red", "p.green"),
        *("table.height", "table.scent", "factor.hue"),
    ]
    assert run.items["table.scent"].isna().sum() == 20
    assert len(run.thumbnails) == 40 and run.inputs is not None and len(run.inputs) == 40
    assert run.vector_sets == ("embedding", "histogram", "pixels")
    assert run.about_vectors("pixels")["n_dims"] == 3 * 32 * 32
    assert run.history[-1]["event"] == "epoch" and run.history[-1]["epoch"] == 2
    modes = {path.stat().st_mode for path in run.folder.rglob("*") if path.is_file()}
    assert len(modes) == 1, "whoever may read one file may read all"


def test_scores_are_those_of_the_saved_probabilities(run: Run) -> None:
    assert run.probabilities is not None and run.labels is not None
    np.testing.assert_allclose(run.probabilities.sum(1), 1, atol=1e-6)
    right = run.probabilities.argmax(1) == run.labels
    for part in ("train", "validation"):
        held, there = run.info["metrics"][part], run.split == part
        assert (held["correct"], held["total"]) == (right[there].sum(), there.sum())
        assert held["accuracy"] == pytest.approx(right[there].mean())
        assert held["interval"] == pytest.approx(wilson(held["correct"], held["total"]))
        confusion = np.array(held["confusion"])
        assert confusion.sum() == there.sum() and np.trace(confusion) == held["correct"]
        for k, name in enumerate(run.classes):
            recall = held["recall"][name]
            assert [recall["correct"], recall["total"]] == [confusion[k, k], confusion[k].sum()]
    last = run.history[-1]["validation_accuracy"]
    assert run.info["metrics"]["validation"]["accuracy"] == pytest.approx(last)


def test_saved_embeddings_and_head_give_the_networks_own_logits(run: Run) -> None:
    assert run.head is not None and run.preprocessing is not None and run.body is not None
    body = run.folder / "body.safetensors"
    network = build("small", n_classes=2, weights=body, size=32)
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(run.head.weight))
        network.head.bias.copy_(torch.from_numpy(run.head.bias))
    network.eval()
    dataset = coloured(40)
    seen = np.stack([run.preprocessing.see(dataset.pictures.open(i)) for i in range(40)])
    with torch.inference_mode():
        logits = network(torch.from_numpy(run.preprocessing.normalise(seen))).numpy()
    np.testing.assert_allclose(run.head.logits(run.embeddings), logits, atol=1e-5)
    later = OnnxBody(run.body, run.preprocessing).embed([dataset.pictures.open(7)])
    np.testing.assert_allclose(later[0], run.embeddings[7], atol=1e-5)


def test_the_film_shows_items_of_the_run(run: Run) -> None:
    with np.load(run.folder / "film.npz") as film:
        assert film["rows"].tolist() == np.flatnonzero(run.split == "validation").tolist()
        assert film["steps"][-1] == 8 and film["epochs"][-1] == 2
        rows = film["rows"]
        np.testing.assert_allclose(
            film["embeddings"][-1], run.embeddings[rows], rtol=5e-3, atol=2e-3
        )
        assert run.head is not None
        np.testing.assert_array_equal(film["weights"][-1], run.head.weight)


def test_the_command_makes_the_same_again(run: Run) -> None:
    assert run.info["command"] == (
        "embedlab train '/my photos' --backbone small --epochs 2 --learning-rate 0.003 "
        "--batch-size 8 --size 32 --label-smoothing 0.0 --augment none --schedule constant"
    )
    plain = TrainSettings(freeze=True, weights="my weights.pth")
    assert train_command("coloured", {}, plain, fraction=0.5, split_seed=0, stratify=True) == (
        "embedlab train coloured --backbone efficientnet_b0 --weights 'my weights.pth' --freeze "
        "--validation 0.5 --split-seed 0 --stratify"
    )


def test_a_frozen_run_and_the_next_head_on_the_same_body(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    embed = OnnxBody.embed_seen

    def counted(self: OnnxBody, seen: np.ndarray) -> np.ndarray:
        asked.append(len(seen))
        return embed(self, seen)

    monkeypatch.setattr(OnnxBody, "embed_seen", counted)
    frozen = {**SMALL, "freeze": True, "epochs": 5}
    first = train(coloured(40), **frozen)
    assert sum(asked) == 40
    second = train(coloured(40), **{**frozen, "learning_rate": 0.03})
    assert sum(asked) == 40, "the embeddings were kept"
    assert {path.name for path in home("runs").iterdir()} == {first.id, second.id}
    np.testing.assert_array_equal(first.embeddings, second.embeddings)
    assert first.head is not None and second.head is not None
    assert not np.array_equal(first.head.weight, second.head.weight)
    assert len(second.history) == 5 and not (second.folder / "film.npz").exists()
    untrained = build("small", n_classes=2, weights="random", seed=123, size=32)
    seen = np.stack([second.preprocessing.see(coloured(40).pictures.open(i)) for i in range(3)])  # type: ignore[union-attr]
    expected = TorchBody(untrained, second.preprocessing, CPU).embed_seen(seen)  # type: ignore[arg-type]
    np.testing.assert_allclose(second.embeddings[:3], expected, atol=1e-5)


def test_varied_pictures_go_through_a_frozen_body_each_time() -> None:
    frozen = {**SMALL, "freeze": True}
    moments: list[int] = []
    varied = train(
        coloured(40), augment="flip", on_snapshot=lambda shot: moments.append(shot.step), **frozen
    )
    fixed = train(coloured(40), **frozen)
    np.testing.assert_array_equal(varied.embeddings, fixed.embeddings)
    assert varied.head is not None and fixed.head is not None
    assert not np.array_equal(varied.head.weight, fixed.head.weight)
    with np.load(varied.folder / "film.npz") as film:
        assert film["steps"].tolist() == moments == [0, 1, 2, 4, 8]


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    dataset = coloured(40)
    whole = train(dataset, folder=tmp_path / "whole", **SMALL)

    class Killed(Exception):  # noqa: N818
        pass

    def kill(line: dict[str, object]) -> None:
        if line["epoch"] == 1:
            raise Killed

    with pytest.raises(Killed):
        train(dataset, folder=tmp_path / "stopped", on_epoch=kill, **SMALL)
    assert not (tmp_path / "stopped").exists()
    assert len(list(home("cache", "training").glob("*/training.pt"))) == 1
    epochs: list[float] = []
    again = train(
        dataset,
        folder=tmp_path / "stopped",
        on_epoch=lambda line: epochs.append(line["epoch"]),
        **SMALL,
    )
    assert epochs == [2]
    assert again.head is not None and whole.head is not None
    np.testing.assert_array_equal(again.head.weight, whole.head.weight)
    np.testing.assert_array_equal(again.embeddings, whole.embeddings)
    assert again.fingerprint == whole.fingerprint
    assert not list(home("cache", "training").iterdir()), "nothing is left lying about"


class Killed(BaseException):
    """As if the process were gone: nothing may catch it."""


def kill_while_saving(patch: pytest.MonkeyPatch, *, saved: bool) -> None:
    """Let a training be killed right before, or right after, its run takes its place."""

    def kill(folder: Path, **given: Any) -> None:
        if saved:
            save_run(folder, **given)
        raise Killed

    patch.setattr("embedlab.lab.save_run", kill)


@pytest.mark.parametrize("folder", [None, "here"])
def test_killed_right_after_it_was_saved_it_is_that_run(tmp_path: Path, folder: str | None) -> None:
    dataset, told = coloured(20), {"folder": tmp_path / folder if folder else None}
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_while_saving(patch, saved=True)
        train(dataset, title="w0", **told, **SMALL)
    steps: list[object] = []
    run = train(dataset, title="w0", on_epoch=steps.append, **told, **SMALL)
    assert steps == [] and run.title == "w0"
    places = [path.name for path in (tmp_path if folder else home("runs")).iterdir()]
    assert [name for name in places if name != "home"] == [folder or "w0"]
    assert not list(home("cache", "training").iterdir())


def test_killed_in_what_comes_after_saving_it_trains_nothing_anew() -> None:
    def kill(_: Run) -> None:
        raise Killed

    dataset = coloured(20)
    with pytest.raises(Killed):
        train(dataset, title="w0", afterwards=kill, **SMALL)
    steps: list[object] = []
    seen: list[Run] = []
    run = train(dataset, title="w0", on_epoch=steps.append, afterwards=seen.append, **SMALL)
    assert steps == [] and seen == [run] and run.id == "w0"
    assert [path.name for path in home("runs").iterdir()] == ["w0"]
    assert not list(home("cache", "training").iterdir())


def test_killed_right_before_it_was_saved_it_is_saved_then() -> None:
    dataset = coloured(20)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_while_saving(patch, saved=False)
        train(dataset, title="w0", **SMALL)
    made_run(home("runs") / "w0")  # somebody else's, meanwhile
    run = train(dataset, title="w0", **SMALL)
    assert run.id == "w0-2" and run.n_items == 20


def test_another_name_makes_another_run() -> None:
    dataset = coloured(20)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_while_saving(patch, saved=True)
        train(dataset, title="w0", **SMALL)
    assert train(dataset, title="w1", **SMALL).id == "w1"


def test_the_same_work_is_not_done_twice_at_once() -> None:
    with workspace(coloured(4), {"a": 1}, None):
        with workspace(coloured(4), {"a": 2}, None):
            pass
        with (
            pytest.raises(EmbedlabError, match="another process"),
            workspace(coloured(4), {"a": 1}, None),
        ):
            pass


def test_pictures_that_break_are_left_out_by_name(tmp_path: Path) -> None:
    dataset = as_files(coloured(30), tmp_path / "pictures", broken=(4, 11))
    run = train(dataset, **SMALL)
    assert run.n_items == 28 and "0004.png" not in set(run.items["id"])
    assert [entry["id"] for entry in run.info["dataset"]["skipped"]] == ["0004.png", "0011.png"]
    assert run.items["path"].iloc[0].endswith("0000.png")
    expected = split(30)[np.delete(np.arange(30), [4, 11])]
    assert list(run.split) == list(expected), "the others stay where they were"
    assert run.vectors("pixels").shape[0] == 28


def test_training_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(EmbedlabError, match=r"no classes.*embed them as they are"):
        train(coloured(8, labelled=False), **SMALL)
    with pytest.raises(EmbedlabError, match=r"All 8 pictures .* one class \(red\)"):
        train(coloured(8, n_classes=1), **SMALL)
    with pytest.raises(EmbedlabError, match="1 would be left to train on"):
        train(coloured(2), fraction=0.5, **SMALL)
    with pytest.raises(EmbedlabError, match="no setting called 'lr'"):
        train(coloured(8), lr=1)
    (tmp_path / "there").mkdir()
    with pytest.raises(EmbedlabError, match="something at"):
        train(coloured(8), folder=tmp_path / "there", **SMALL)
    assert not list(home("runs").iterdir())


def test_no_validation_part_is_no_trouble() -> None:
    run = train(coloured(12), fraction=0.0, **SMALL)
    assert "validation" not in run.info["metrics"]
    assert run.info["metrics"]["train"]["total"] == 12
    json.dumps(run.info, allow_nan=False)


def test_a_class_that_is_all_in_training_scores_nothing_and_breaks_nothing() -> None:
    labels = np.array([0] * 10 + [1] * 9 + [2])
    base = coloured(20)
    dataset = Dataset(
        name="rare", ids=base.ids, pictures=base.pictures, labels=labels, classes=("a", "b", "c")
    )
    run = train(dataset, stratify=True, **SMALL)
    assert run.info["split"]["stratified"]
    assert run.info["metrics"]["validation"]["recall"]["c"]["accuracy"] is None
    json.dumps(run.info, allow_nan=False)


@pytest.mark.parametrize("backbone", ["small", "pixels", "histogram"])
def test_pictures_without_classes_are_embedded(backbone: str, tmp_path: Path) -> None:
    dataset = as_files(coloured(9, labelled=False), tmp_path / "pictures", broken=(3,))
    run = embed_dataset(dataset, backbone=backbone, size=16)
    assert run.n_items == 8 and run.classes == () and run.head is None
    assert len(run.thumbnails) == 8 and run.info["metrics"] == {}
    assert len(run.info["dataset"]["skipped"]) == 1
    others = {"pixels", "histogram"} - {backbone}
    assert set(run.vector_sets) == {"embedding", *others}
    assert (run.body is not None) == (backbone == "small")
    assert run.info["split"]["validation"] == 8


def test_runs_without_torch_files_are_read_without_torch(run: Run) -> None:
    """What `train` writes is what `Run` reads: opened anew, nothing of this process is used."""
    again = Run(run.folder)
    assert again.preprocessing is not None and again.preprocessing.size == 32
    assert np.isfinite(again.embeddings).all()
    assert again.head is not None and again.head.classes == ("red", "green")


@pytest.mark.real
def test_flowers_through_a_real_body(shared: Path, tmp_path: Path) -> None:
    """Forty flowers, MobileNetV2: neighbours of the same class come first far above chance."""
    from embedlab.data.sources import load_dataset

    dataset = load_dataset(shared / "data" / "flower_photos", limit=60, seed=1)
    weights = shared / "weights" / "mobilenet_v2-imagenet.pth"
    run = embed_dataset(dataset, backbone="mobilenet_v2", weights=weights, size=224)
    assert run.embeddings.shape == (60, 1280)
    assert run.head is not None and run.head.weight.shape == (1000, 1280)
    assert len(run.info["head_classes"]) == 1000 and "daisy" in run.info["head_classes"]
    frozen = train(
        dataset, backbone="mobilenet_v2", weights=str(weights), size=224, freeze=True, stratify=True
    )
    np.testing.assert_array_equal(frozen.embeddings, run.embeddings)
    assert frozen.info["metrics"]["validation"]["accuracy"] > 0.5
    picture = Image.open(dataset.pictures.path(0))  # type: ignore[arg-type]
    assert frozen.body is not None and frozen.preprocessing is not None
    later = OnnxBody(frozen.body, frozen.preprocessing).embed([picture.convert("RGB")])[0]
    cosine = later @ run.embeddings[0] / np.linalg.norm(later) / np.linalg.norm(run.embeddings[0])
    assert cosine > 1 - 1e-5
