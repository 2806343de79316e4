from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.runs import Head, Run, list_runs, new_run_folder, open_run, save_run

from .made_runs import made_run, square


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    run = made_run(tmp_path / "squares")
    again = Run(tmp_path / "squares")
    assert again.n_items == 60 and again.classes == ("red", "green", "blue")
    assert again.embeddings.dtype == np.float32 and not again.embeddings.flags.writeable
    assert isinstance(again.embeddings, np.memmap)
    assert again.fingerprint == run.fingerprint
    assert list(again.items["label"][:2]) == ["red", "red"]
    assert again.labels is not None and again.labels.tolist() == [0] * 20 + [1] * 20 + [2] * 20


def test_head_and_embeddings_give_the_saved_probabilities(tmp_path: Path) -> None:
    run = made_run(tmp_path / "squares")
    assert run.head is not None and run.probabilities is not None
    logits = np.asarray(run.embeddings, np.float64) @ run.head.weight.T + run.head.bias
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(run.probabilities, p, atol=1e-5)


def test_plain_numpy_and_pandas_read_the_folder(tmp_path: Path) -> None:
    made_run(tmp_path / "squares")
    embeddings = np.load(tmp_path / "squares" / "embeddings.npy")
    items = pd.read_parquet(tmp_path / "squares" / "items.parquet")
    assert len(embeddings) == len(items) == 60


def test_thumbnail_i_is_picture_i(tmp_path: Path) -> None:
    run = made_run(tmp_path / "squares")
    for i in (0, 25, 59):
        picture = np.asarray(Image.open(io.BytesIO(run.thumbnails[i])))
        bright = int((picture[2].min(axis=1) > 230).sum())
        assert abs(bright - (1 + i % 47)) <= 2
    with pytest.raises(IndexError):
        run.thumbnails[60]


def test_nothing_is_left_of_a_run_that_could_not_be_finished(tmp_path: Path) -> None:
    def breaks() -> object:
        yield square(0, (1, 2, 3))
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        save_run(
            tmp_path / "run",
            info={},
            items=pd.DataFrame({"id": ["a", "b"]}),
            embeddings=np.zeros((2, 3), np.float32),
            thumbnails=breaks(),
        )
    assert list(tmp_path.glob("*run*")) == []


def test_a_run_is_never_overwritten(tmp_path: Path) -> None:
    run = made_run(tmp_path / "squares")
    with pytest.raises(EmbedlabError, match="something at"):
        made_run(tmp_path / "squares", seed=1)
    assert Run(tmp_path / "squares").fingerprint == run.fingerprint


def test_names_of_new_runs_are_free_and_tame() -> None:
    first = new_run_folder("rose/../garden <b>")
    assert first.parent == home("runs") and first.name == "rose-..-garden-b"
    first.mkdir()
    assert new_run_folder("rose/../garden <b>").name == "rose-..-garden-b-2"
    assert new_run_folder("../..").parent == home("runs")


def test_a_long_name_is_cut_between_words() -> None:
    words = (
        "flower photos, MobileNetV2, fine-tuned, 128 px, 3 epochs, random weights, learning rate "
    )
    assert new_run_folder(f"{words}0.0003").name.endswith("-random-weights-learning")
    short = words.replace("random weights, ", "")
    assert new_run_folder(f"{short}0.0003, seed 5").name.endswith("-learning-rate-0.0003-seed-5")
    assert new_run_folder(f"{short}0.0003, seed 51, smoothing 0.1").name.endswith("-0.0003-seed")
    assert new_run_folder("x" * 200).name == "x" * 80


def test_runs_are_found_by_name_and_by_folder(tmp_path: Path) -> None:
    made_run(home("runs") / "squares")
    made_run(tmp_path / "elsewhere")
    assert open_run("squares").n_items == 60
    assert open_run(tmp_path / "elsewhere").n_items == 60
    assert "squares" in [run.id for run in list_runs()]
    with pytest.raises(EmbedlabError, match=r"No run is called 'nobody'.*squares"):
        open_run("nobody")
    with pytest.raises(EmbedlabError):
        open_run("../squares")


@pytest.mark.parametrize("damage", ["cut json", "future", "cut thumbnails", "mixed"])
def test_damage_is_named(tmp_path: Path, damage: str) -> None:
    run = made_run(tmp_path / "squares")
    if damage == "cut json":
        (run.folder / "run.json").write_text('{"schema": 1,')
        with pytest.raises(EmbedlabError, match=r"run\.json.*cannot be read"):
            Run(run.folder)
    elif damage == "future":
        (run.folder / "run.json").write_text(json.dumps({**run.info, "schema": 99}))
        with pytest.raises(EmbedlabError, match="Update embedlab"):
            Run(run.folder)
    elif damage == "cut thumbnails":
        with (run.folder / "thumbnails.bin").open("r+b") as file:
            file.truncate(100)
        with pytest.raises(EmbedlabError, match="copied only in part"):
            _ = run.thumbnails
    else:
        np.save(run.folder / "embeddings.npy", np.zeros((3, 8), np.float32))
        with pytest.raises(EmbedlabError, match="3 rows for 60 pictures"):
            _ = run.embeddings


def test_further_vectors_and_views_are_kept(tmp_path: Path) -> None:
    run = made_run(tmp_path / "squares")
    assert run.vector_sets == ("embedding", "pixels")
    assert run.vectors("pixels").shape == (60, 192)
    assert run.about_vectors("pixels")["title"] == "Pixels"
    run.save_projection("umap-1", coordinates=np.ones((60, 2), np.float32))
    kept = run.load_projection("umap-1")
    assert kept is not None and kept["coordinates"].shape == (60, 2)
    assert run.load_projection("umap-2") is None
    assert run.load_projection("../run") is None
    with pytest.raises(ValueError, match="for 60 pictures"):
        run.add_vectors("layer", np.zeros((3, 2), np.float32), {})
    with pytest.raises(ValueError, match="cannot name"):
        run.add_vectors("../x", np.zeros((60, 2), np.float32), {})


def test_head_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, d\)"):
        Head(np.zeros((3, 4), np.float32), np.zeros(2, np.float32), ("a", "b"))


def test_additions_to_a_read_only_run_stay_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made_run(tmp_path / "squares")
    monkeypatch.setattr("embedlab.runs.run.BUILTIN", tmp_path)
    before = sorted(run.folder.rglob("*"))
    run.add_vectors("layer", np.ones((60, 2), np.float32), {"title": "A layer"})
    run.save_projection("umap-1", coordinates=np.ones((60, 2), np.float32))
    assert sorted(run.folder.rglob("*")) == before
    assert run.vector_sets == ("embedding", "layer", "pixels")
    assert run.about_vectors("layer")["title"] == "A layer"
    assert run.load_projection("umap-1") is not None
