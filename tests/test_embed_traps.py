"""The traps that a tool like this falls into, one test for each."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from embedlab.data.sources import load_dataset

from .embed_call import DrawnAsItIs, embed, ids, photos, pixels, refused, sidecar

PIXELS = ("-m", "pixels", "--resize", "4")
SMALL = ("-m", "small", "--resize", "32")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> DrawnAsItIs:
    stand_in = DrawnAsItIs()
    monkeypatch.setattr("embedlab.space.projections.umap", stand_in)
    return stand_in


def test_one_colour_picture_is_not_taken_for_many_grey_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    np.save(tmp_path / "one.npy", picture)
    said = refused(capsys, tmp_path / "one.npy", tmp_path / "out.npy", *PIXELS)
    assert "one picture, not 40 grey ones" in said and "picture[None]" in said
    assert [path.name for path in tmp_path.iterdir()] == ["one.npy"]
    np.save(tmp_path / "one.npy", picture[None])
    embed(tmp_path / "one.npy", tmp_path / "out.npy", *PIXELS)
    assert np.load(tmp_path / "out.npy").shape == (1, 48)
    np.save(tmp_path / "grey.npy", picture[..., 0][None])
    embed(tmp_path / "grey.npy", tmp_path / "out.npy", *PIXELS)
    assert np.load(tmp_path / "out.npy").shape == (1, 48)


def test_a_seed_of_zero_is_a_seed(tmp_path: Path, drawn: DrawnAsItIs) -> None:
    source = photos(tmp_path / "pictures")
    made = {}
    for name, seed in (("a", ["-s", 0]), ("b", ["-s", 0]), ("c", ["-s", 1]), ("d", [])):
        embed(source, tmp_path / f"{name}.npy", *SMALL, *seed, "--umap")
        made[name] = np.load(tmp_path / f"{name}.npy")
    np.testing.assert_array_equal(made["a"], made["b"])
    assert not np.allclose(made["a"], made["c"]) and not np.allclose(made["a"], made["d"])
    assert drawn.seeds == [0, 0, 1, 123]


def test_listings_are_sorted(tmp_path: Path) -> None:
    names = [f"{k}.png" for k in (10, 9, 2, 1, 11, 100)]
    source = photos(tmp_path / "flat", names=names)
    embed(source, tmp_path / "flat.npy", *PIXELS)
    assert ids(tmp_path / "flat.npy.csv") == [f"{k}.png" for k in (1, 2, 9, 10, 11, 100)]
    matrix = np.load(tmp_path / "flat.npy")
    for row, name in zip(matrix, ids(tmp_path / "flat.npy.csv"), strict=True):
        np.testing.assert_array_equal(row, pixels(source / name))
    source = photos(tmp_path / "classes", classes=("tulip", "Rose", "daisy"), names=names)
    embed(source, tmp_path / "classes.npy", *PIXELS)
    rows = sidecar(tmp_path / "classes.npy.csv")
    assert [row["label"] for row in rows] == ["Rose"] * 6 + ["daisy"] * 6 + ["tulip"] * 6
    # The same order as everywhere else in embedlab, so that matrices and runs can be compared.
    assert [row["id"] for row in rows] == list(load_dataset(source).ids)


def test_pictures_may_differ_in_size(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for k, size in enumerate([(8, 8), (90, 31), (31, 90), (1, 1), (300, 2)]):
        Image.new("RGB", size, (40 * k, 0, 9)).save(tmp_path / "pictures" / f"{k}.png")
    embed(tmp_path / "pictures", tmp_path / "out.npy", *PIXELS)
    matrix = np.load(tmp_path / "out.npy")
    assert matrix.shape == (5, 48)
    np.testing.assert_allclose(matrix[:, 0], np.array([0, 40, 80, 120, 160]) / 255, atol=1e-6)


def test_names_get_one_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = photos(tmp_path / "pictures")
    said = refused(capsys, source, tmp_path / "x.npy", *PIXELS, "-c")
    assert "cannot be compressed" in said and ".npz" in said
    said = refused(capsys, source, tmp_path / "x.npy", *PIXELS, "--format", "npz")
    assert "ends in .npy" in said and "x.npz" in said
    embed(source, tmp_path / "a.npz", *PIXELS, "-c")
    embed(source, tmp_path / "b", *PIXELS, "-c")
    embed(source, tmp_path / "v1.0", *PIXELS)
    embed(source, tmp_path / "d.NPY", *PIXELS)
    left = {path.name for path in tmp_path.iterdir()} - {"home", "pictures"}
    names = ["a.npz", "b.npz", "v1.0.npy", "d.NPY"]
    manifests = [f"{name}.embedlab.json" for name in names]
    assert left == {*names, *manifests, "v1.0.npy.csv", "d.NPY.csv"}


def test_plots_lie_beside_the_output(
    tmp_path: Path, drawn: DrawnAsItIs, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = photos(tmp_path / "pictures", classes=("a", "b"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    embed(source, tmp_path / "there" / "out.parquet", *PIXELS, "-p")
    assert not list((tmp_path / "here").iterdir())
    left = {path.name for path in (tmp_path / "there").iterdir()}
    plots = {"out.png", "out.svg", "out.html"}
    assert left == {"out.parquet", "out_umap.parquet", "out.parquet.embedlab.json", *plots}


def test_pictures_without_labels_are_embedded_and_plotted(
    tmp_path: Path, drawn: DrawnAsItIs
) -> None:
    import pyarrow.parquet

    source = photos(tmp_path / "pictures")
    for ending in ("npy", "npz", "parquet", "safetensors"):
        embed(source, tmp_path / f"out.{ending}", *PIXELS, "-p")
    assert list(sidecar(tmp_path / "out.npy.csv")[0]) == ["id", "path"]
    assert sorted(np.load(tmp_path / "out.npz")) == ["embeddings", "ids", "paths"]
    columns = pyarrow.parquet.read_schema(tmp_path / "out.parquet").names
    assert columns == ["id", "path", "embedding"]


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_a_batch_of_one_stays_a_row(tmp_path: Path, batch_size: int) -> None:
    source = photos(tmp_path / "pictures", n=6)  # by 5: the last batch has one picture
    embed(source, tmp_path / "out.npy", *SMALL, "-b", batch_size)
    matrix = np.load(tmp_path / "out.npy")
    assert matrix.shape == (6, 96) and matrix.dtype == np.float32
    shutil.copytree(source, tmp_path / "alone", ignore=lambda *_: [f"{k}.png" for k in range(2, 7)])
    embed(tmp_path / "alone", tmp_path / "alone.npy", *SMALL, "-b", batch_size)
    alone = np.load(tmp_path / "alone.npy")
    assert alone.shape == (1, 96)
    np.testing.assert_allclose(alone[0], matrix[0], atol=1e-6)


def test_dimensions_count_for_networks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = photos(tmp_path / "pictures", classes=("a", "b"), n=15)
    embed(source, tmp_path / "whole.npy", *SMALL)
    embed(source, tmp_path / "three.npy", *SMALL, "-d", 3)
    whole, three = np.load(tmp_path / "whole.npy"), np.load(tmp_path / "three.npy")
    expected = PCA(3, svd_solver="full").fit_transform(whole.astype(np.float64))
    assert three.shape == (30, 3)
    np.testing.assert_allclose(np.abs(three), np.abs(expected), atol=1e-5)
    assert "% of the variance" in capsys.readouterr().err
    assert "1 to 96" in refused(capsys, source, tmp_path / "x.npy", *SMALL, "-d", 97)
    assert "1 to 96" in refused(capsys, source, tmp_path / "x.npy", *SMALL, "-d", 0)


def test_grey_pictures_are_repeated_to_colour(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (4, 28, 28), np.uint8)
    np.save(tmp_path / "grey.npy", grey)
    np.save(tmp_path / "colour.npy", np.repeat(grey[..., None], 3, axis=3))
    (tmp_path / "files").mkdir()
    for k, picture in enumerate(grey):
        Image.fromarray(picture).save(tmp_path / "files" / f"{k}.png")
    made = []
    for source in ("grey.npy", "colour.npy", "files"):
        embed(tmp_path / source, tmp_path / "out.npy", *SMALL)
        made.append(np.load(tmp_path / "out.npy"))
    assert made[0].shape == (4, 96) and np.ptp(made[0]) > 0
    np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_array_equal(made[0], made[2])
