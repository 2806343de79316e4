"""`embedlab embed`: what it writes, in which order, and what happens when it is stopped."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from embedlab.cells import unquoted
from embedlab.data.listing import Entry, natural_key
from embedlab.data.sources import load_dataset
from embedlab.embedding import pipeline
from embedlab.embedding.embedder import make_embedder
from embedlab.embedding.ledger import Block
from embedlab.embedding.matrix import Matrix, reduce
from embedlab.embedding.projector import tile_side
from embedlab.embedding.spool import Spool, natural_bytes
from embedlab.errors import EmbedlabError

from .embed_call import DrawnAsItIs, as_json, embed, ids, photos, pixels, refused, sidecar
from .made_pictures import coloured
from .made_runs import made_run

PIXELS = ("-m", "pixels", "--resize", "4")
SMALL = ("-m", "small", "--resize", "32")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> DrawnAsItIs:
    stand_in = DrawnAsItIs()
    monkeypatch.setattr("embedlab.space.projections.umap", stand_in)
    return stand_in


def in_memory(vectors: NDArray[np.float32], size: int = 100) -> Matrix:
    names = np.array([str(k) for k in range(len(vectors))])

    def blocks() -> Iterator[Block]:
        for start in range(0, len(vectors), size):
            here = names[start : start + size]
            yield Block(vectors[start : start + size], here, here, here)

    return Matrix(*vectors.shape, (), np.arange(len(vectors)), blocks)


# What is written


def read_npy(path: Path) -> tuple[NDArray[np.float32], list[tuple[str, str, str]]]:
    rows = sidecar(path.with_name(path.name + ".csv"))
    return np.load(path), [(row["id"], row["path"], row["label"]) for row in rows]


def read_npz(path: Path) -> tuple[NDArray[np.float32], list[tuple[str, str, str]]]:
    kept = np.load(path, allow_pickle=False)
    rows = zip(kept["ids"].tolist(), kept["paths"].tolist(), kept["labels"].tolist(), strict=True)
    return kept["embeddings"], list(rows)


def read_parquet(path: Path) -> tuple[NDArray[np.float32], list[tuple[str, str, str]]]:
    import pandas as pd

    table = pd.read_parquet(path)
    rows = zip(table["id"], table["path"], table["label"], strict=True)
    return np.stack(table["embedding"].tolist()), list(rows)


def read_safetensors(path: Path) -> tuple[NDArray[np.float32], list[tuple[str, str, str]]]:
    from safetensors.numpy import load_file

    return load_file(path)["embeddings"], read_npy_rows(path)


def read_npy_rows(path: Path) -> list[tuple[str, str, str]]:
    return [tuple(row.values()) for row in sidecar(path.with_name(path.name + ".csv"))]  # type: ignore[misc]


def read_projector(path: Path) -> tuple[NDArray[np.float32], list[tuple[str, str, str]]]:
    head, *lines = (path / "metadata.tsv").read_text(encoding="utf-8").splitlines()
    assert head == "id\tpath\tlabel"
    vectors = np.loadtxt(path / "vectors.tsv", dtype=np.float32, delimiter="\t")
    return vectors, [tuple(line.split("\t")) for line in lines]  # type: ignore[misc]


READERS: dict[str, Callable[[Path], tuple[NDArray[np.float32], list[tuple[str, str, str]]]]] = {
    "npy": read_npy,
    "npz": read_npz,
    "parquet": read_parquet,
    "safetensors": read_safetensors,
    "projector": read_projector,
}


@pytest.mark.parametrize(
    ("name", "compress"),
    [*((name, False) for name in READERS), ("npz", True), ("parquet", True)],
)
def test_every_format_carries_ids_paths_and_labels(
    tmp_path: Path, name: str, compress: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "CHUNK", 4)
    source = photos(tmp_path / "pictures", classes=("Löwe", "b"), n=5)
    output = tmp_path / ("out" if name == "projector" else f"out.{name}")
    embed(source, output, *PIXELS, "--format", name, *(["-c"] if compress else []))
    vectors, rows = READERS[name](output)
    assert vectors.dtype == np.float32 and vectors.shape == (10, 48)
    assert [label for *_, label in rows] == ["Löwe"] * 5 + ["b"] * 5 or [
        label for *_, label in rows
    ] == ["b"] * 5 + ["Löwe"] * 5
    for vector, (id_, path, label) in zip(vectors, rows, strict=True):
        assert Path(path) == source / id_ and id_.startswith(f"{label}/")
        np.testing.assert_allclose(vector, pixels(Path(path)), rtol=1e-6)


def test_the_projector_gets_a_sheet_of_the_pictures(tmp_path: Path, drawn: DrawnAsItIs) -> None:
    (tmp_path / "pictures").mkdir()
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250)]
    for k, colour in enumerate(colours):
        Image.new("RGB", (90 + k, 70), colour).save(tmp_path / "pictures" / f"{k}.png")
    embed(tmp_path / "pictures", tmp_path / "out", *PIXELS, "--format", "projector", "--umap")
    for folder in ("out", "out_umap"):
        sheet = Image.open(tmp_path / folder / "sprite.png")
        assert sheet.size == (3 * 64, 2 * 64)
        for k, colour in enumerate(colours):
            place = (k % 3 * 64 + 32, k // 3 * 64 + 32)
            np.testing.assert_allclose(sheet.getpixel(place), colour, atol=12)
        config = (tmp_path / folder / "projector_config.pbtxt").read_text()
        assert config.count("single_image_dim: 64") == 2 and '"vectors.tsv"' in config
    assert tile_side(262_144) == 8 and tile_side(262_145) == 0


def test_the_projector_does_not_replace_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = photos(tmp_path / "pictures")
    (tmp_path / "out").mkdir()
    said = refused(capsys, source, tmp_path / "out", *PIXELS, "--format", "projector")
    assert "something at" in said and not (tmp_path / ".partial-out").exists()


def test_shapes_are_printed_and_given_as_json(
    tmp_path: Path, drawn: DrawnAsItIs, capsys: pytest.CaptureFixture[str]
) -> None:
    source = photos(tmp_path / "pictures")
    embed(source, tmp_path / "out.npy", *PIXELS, "-p")
    said = capsys.readouterr().out
    assert "input     (6, 4, 4, 3)" in said and "embedded  (6, 48)" in said
    assert "umap      (6, 2)" in said
    facts = as_json(capsys, source, tmp_path / "out.npy", *PIXELS, "-d", 2, "-p")
    assert facts["shape"] == [6, 2] and facts["umap_shape"] is None
    assert [Path(path).name for path in facts["files"]] == [
        *("out.npy", "out.npy.csv", "out.png", "out.svg", "out.html", "out.npy.embedlab.json"),
    ]


def test_plots_show_what_the_matrix_holds(
    tmp_path: Path, drawn: DrawnAsItIs, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = "</script><img src=x onerror=alert(1)>"
    source = photos(tmp_path / "pictures", classes=("a", "<b>"), names=["1.png", "=2.png"])
    (source / "<b>" / "1.png").rename(source / "<b>" / f"{bad.replace('/', '')}.png")
    embed(source, tmp_path / "out.npy", *PIXELS, "-p")
    assert Image.open(tmp_path / "out.png").size == (1350, 975)
    assert "<svg" in (tmp_path / "out.svg").read_text(encoding="utf-8")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert '"showSendToCloud": true' not in page and '"showSendToCloud": false' in page
    assert "<img src=x" not in page and "<b>" not in page.split("<main>")[0]
    known = page.split('id="known">')[1].split("</script>")[0]
    facts = json.loads(known)
    assert facts["ids"] == ids_as_text(tmp_path / "out.npy.csv")
    for id_, encoded in zip(facts["ids"], facts["pictures"], strict=True):
        import base64

        seen = Image.open(io.BytesIO(base64.b64decode(encoded)))
        with Image.open(source / id_) as original:
            difference = np.asarray(seen, float) - np.asarray(original.convert("RGB"), float)
        assert abs(difference.mean()) < 3
    first = (tmp_path / "out.svg").read_bytes()
    embed(source, tmp_path / "out.npy", *PIXELS, "-p")
    assert (tmp_path / "out.svg").read_bytes() == first


def drawn_in(svg: Path) -> str:
    return " ".join(re.findall(r">([^<>]+)</text>", svg.read_text(encoding="utf-8")))


def test_long_and_many_names_leave_room_for_the_points(
    tmp_path: Path, drawn: DrawnAsItIs, recwarn: pytest.WarningsRecorder
) -> None:
    long = "a name that does not end " * 8
    source = photos(tmp_path / long.replace(" ", "-"), classes=(long.strip(), "b"), n=3)
    embed(source, tmp_path / "out.npy", *PIXELS, "-p")
    said = drawn_in(tmp_path / "out.svg")
    assert "a name that does not end a name…" in said and long.strip() not in said
    assert not [one for one in recwarn if "layout" in str(one.message)]
    many = photos(tmp_path / "many", classes=tuple(f"class {k}" for k in range(31)), n=1)
    embed(many, tmp_path / "out.npy", *PIXELS, "-p")
    said = drawn_in(tmp_path / "out.svg")
    assert "31 classes, too many to name" in said and "class 30" not in said
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "31 pictures, 31 classes, too many to name." in page


def test_letters_that_no_font_has_are_said(
    tmp_path: Path,
    drawn: DrawnAsItIs,
    capsys: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> None:
    source = photos(tmp_path / "pictures", classes=("\U00013000", "b"), n=3)  # a hieroglyph
    facts = as_json(capsys, source, tmp_path / "out.npy", *PIXELS, "-p")
    assert any("boxes for some" in note for note in facts["notes"])
    assert "\U00013000" in drawn_in(tmp_path / "out.svg")
    assert not [one for one in recwarn if "Glyph" in str(one.message)]


@pytest.mark.parametrize("n", [1, 2])
def test_very_few_pictures_are_drawn_and_called_what_they_are(
    tmp_path: Path, n: int, capsys: pytest.CaptureFixture[str]
) -> None:
    source = photos(tmp_path / "pictures", n=n)
    facts = as_json(capsys, source, tmp_path / "out.npy", *PIXELS, "-p")
    assert any("this is PCA" in note for note in facts["notes"])
    assert drawn_in(tmp_path / "out.svg") == "pictures, pixels, PCA"
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert f"{n} picture{'s' if n > 1 else ''}. Point" in page


def ids_as_text(path: Path) -> list[str]:
    return [unquoted(id_) for id_ in ids(path)]


# Where pictures come from


TREES = {
    "flat": ["10.png", "2.png", "a1.png", "A02.png"],
    "classes": ["b/2.png", "b/10.png", "a/x/1.png", "a/1.png", "loose.png"],
    "wrapped": ["all/b/1.png", "all/a/1.png", "all/a/0.png"],
    "parts": ["val/b/1.png", "train/b/1.png", "train/a/9.png", "train/a/10.png"],
    "parts and more": ["train/b/1.png", "other/a/1.png"],
    "one folder": ["only/10.png", "only/9.png"],
    "hidden": ["a/1.png", "b/1.png", ".git/1.png", "a/.hidden.png"],
}


@pytest.mark.parametrize("tree", TREES)
def test_a_folder_gives_the_rows_that_a_run_would_have(tmp_path: Path, tree: str) -> None:
    source = photos(tmp_path / "pictures", names=TREES[tree])
    (source / "notes.txt").write_text("no picture")
    dataset = load_dataset(source)
    embed(source, tmp_path / "out.npy", *PIXELS)
    rows = sidecar(tmp_path / "out.npy.csv")
    assert [row["id"] for row in rows] == list(dataset.ids)
    if dataset.labels is not None:
        assert [row["label"] for row in rows] == [dataset.classes[k] for k in dataset.labels]
    left = {one.id for one in dataset.skipped}
    there = tmp_path / "out_skipped.csv"
    assert {row["id"] for row in sidecar(there)} == left if left else not there.exists()


def test_an_archive_gives_the_same_matrix_as_its_folder(tmp_path: Path) -> None:
    source = photos(tmp_path / "pictures", classes=("a", "b"), names=["2.png", "10.png"])
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for path in source.rglob("*.png"):
            archive.write(path, path.relative_to(tmp_path))
    for name in ("pictures", "pictures.zip"):
        embed(tmp_path / name, tmp_path / "out" / f"{name}.npz", *PIXELS)
    folder, archive = (
        np.load(tmp_path / "out" / f"{name}.npz") for name in ("pictures", "pictures.zip")
    )
    for key in ("embeddings", "ids", "labels"):
        np.testing.assert_array_equal(folder[key], archive[key])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_paths_come_on_standard_input(tmp_path: Path, end: str) -> None:
    source = photos(tmp_path / "pictures", names=[f"{k}.png" for k in range(5)])
    names = ["3.png", "0.png", "nothing.png", "3.png", "4.png"]
    lines = end.join(str(source / name) for name in names) + end
    done = subprocess.run(
        [
            *(sys.executable, "-m", "embedlab", "embed", "-", str(tmp_path / "out.npy")),
            *PIXELS,
            "--json",
        ],
        input=lines.encode(),
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["left_out"] == 2
    assert ids(tmp_path / "out.npy.csv") == [str(source / f"{k}.png") for k in (3, 0, 4)]
    reasons = {row["id"]: row["reason"] for row in sidecar(tmp_path / "out_skipped.csv")}
    assert reasons == {
        str(source / "nothing.png"): "is no file that is here",
        str(source / "3.png"): "is listed twice; it is taken once",
    }
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy")[1], pixels(source / "0.png"))


def test_bad_files_are_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = photos(tmp_path / "pictures", names=[f"{k}.png" for k in range(6)])
    (source / "1.png").write_bytes((source / "1.png").read_bytes()[:90])
    (source / "=2.jpg").write_text("this is no picture")
    (source / "3.png").unlink()
    (source / "3.png").symlink_to(tmp_path / "elsewhere")
    facts = as_json(capsys, source, tmp_path / "out.npy", *PIXELS)
    assert ids(tmp_path / "out.npy.csv") == ["0.png", "2.png", "4.png", "5.png"]
    assert facts["shape"] == [4, 48] and facts["left_out"] == 3
    rows = {unquoted(row["id"]): row["reason"] for row in sidecar(tmp_path / "out_skipped.csv")}
    assert set(rows) == {"1.png", "=2.jpg", "3.png"}
    assert "damaged" in rows["1.png"] and "link" in rows["3.png"]
    assert "'=2.jpg" in (tmp_path / "out_skipped.csv").read_text(), "no formula for spreadsheets"
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy")[1], pixels(source / "2.png"))


def test_nothing_but_bad_files_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pictures").mkdir()
    assert "no picture" in refused(capsys, tmp_path / "pictures", tmp_path / "out.npy", *PIXELS)
    (tmp_path / "pictures" / "1.png").write_text("no")
    said = refused(capsys, tmp_path / "pictures", tmp_path / "out.npy", *PIXELS)
    assert "The one picture could not" in said and "1.png" in said
    said = refused(capsys, tmp_path / "nowhere", tmp_path / "out.npy", *PIXELS)
    assert "nowhere" in said
    said = refused(capsys, tmp_path / "pictures", tmp_path / "out.npy", "-m", "mobilenet")
    assert "mobilenet_v2" in said


def test_a_sample_is_drawn_by_the_seed(tmp_path: Path) -> None:
    source = photos(tmp_path / "pictures", classes=("a", "b"), n=20)
    drawn = {}
    for seed in (0, 0, 1):
        embed(source, tmp_path / "out.npy", *PIXELS, "--limit", 7, "-s", seed)
        drawn.setdefault(seed, ids(tmp_path / "out.npy.csv"))
        assert drawn[seed] == ids(tmp_path / "out.npy.csv")
    assert drawn[0] != drawn[1] and len(drawn[0]) == 7
    assert drawn[0] == list(load_dataset(source, limit=7, seed=0).ids)


@given(st.lists(st.text("aB01290ß-. ", min_size=1, max_size=12), min_size=2, unique=True))
def test_bytes_sort_as_people_count(names: list[str]) -> None:
    assert sorted(names, key=natural_bytes) == sorted(names, key=natural_key)


def test_a_list_of_pictures_takes_no_memory_a_picture(tmp_path: Path) -> None:
    def peak(n: int) -> int:
        spool = Spool(tmp_path / f"{n}.sqlite", "many")
        # One path a folder: pathlib interns names, and that table's growth would be measured too.
        paths = [tmp_path / f"{k}/one.jpg" for k in range(3)]
        entries = (Entry("picture", f"{k % 3}/{k:09d}.jpg", paths[k % 3]) for k in range(n))
        tracemalloc.start()
        spool.fill(entries)
        spool.chunk(n - 256, n)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(spool) == n
        spool.close()
        return found

    peak(1000)
    assert peak(20_000) < 1.5 * peak(1000)


# What makes the vectors


def test_a_layer_by_index_is_named_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    from embedlab.data.pictures import decode
    from embedlab.models.backbones import BACKBONES, build
    from embedlab.models.tensors import as_input

    source = photos(tmp_path / "pictures", n=3)
    facts = as_json(capsys, source, tmp_path / "out.npy", *SMALL, "-l", 1)
    assert facts["layer"] == {"name": "stage1", "index": 1, "shape": [32, 8, 8]}
    assert any("'stage1'" in note and "(32, 8, 8)" in note for note in facts["notes"])
    made = np.load(tmp_path / "out.npy")
    network = build("small", n_classes=1, size=32).eval()
    seen = BACKBONES["small"].preprocessing(32)
    x = np.stack([seen.see(decode(source / f"{k}.png")) for k in (1, 2, 3)])
    with torch.inference_mode():
        maps = network.body.stage1(network.body.stem(as_input(x, seen, torch.device("cpu"))))
    np.testing.assert_allclose(made, maps.mean((2, 3)).numpy(), atol=1e-6)
    embed(source, tmp_path / "out.npy", *SMALL, "-l", "stage1")
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), made)
    said = refused(capsys, source, tmp_path / "out.npy", *SMALL, "-l", "stage9")
    assert "'stage9'" in said and "stem, stage1, stage2, stage3" in said
    assert "--layers" in refused(capsys, source, tmp_path / "out.npy", *PIXELS, "-l", "1")


def test_a_run_embeds_by_its_own_body(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from embedlab.experiment import embed_dataset
    from embedlab.runs import open_run

    source = photos(tmp_path / "pictures", n=5)
    run = embed_dataset(load_dataset(source), backbone="small", size=32, title="mine")
    embed(source, tmp_path / "out.npy", "-m", f"run:{run.id}")
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), run.embeddings, atol=1e-6)
    facts = as_json(capsys, source, tmp_path / "out.npy", "-m", f"run:{run.id}", "-l", "stage2")
    assert facts["shape"] == [5, 64]
    assert "weights of its own" in refused(
        capsys, source, tmp_path / "x", "-m", "run:mine", "--weights", "random"
    )
    assert "No run" in refused(capsys, source, tmp_path / "x", "-m", "run:other")
    bodiless = made_run(tmp_path / "bodiless")
    assert "without its body" in refused(
        capsys, source, tmp_path / "x", "-m", f"run:{bodiless.folder}"
    )
    (run.folder / "body.safetensors").unlink()
    embed(source, tmp_path / "out.npy", "-m", f"run:{run.id}")
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), open_run("mine").embeddings)
    assert "--resize" in refused(capsys, source, tmp_path / "x", "-m", "run:mine", "--resize", "64")


@pytest.mark.parametrize("far", [0, 1e4])
def test_pca_block_by_block_is_scikit_learns(far: float) -> None:
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(0)
    x = (rng.normal(size=(700, 40)) * np.linspace(3, 1, 40) + far).astype(np.float32)
    reference = PCA(5, svd_solver="full").fit(x.astype(np.float64))
    found = reduce(in_memory(x), 5)
    z, expected = found.matrix.gathered().vectors, reference.transform(x.astype(np.float64))
    np.testing.assert_allclose(z * np.sign((z * expected).sum(0)), expected, atol=1e-5)
    np.testing.assert_allclose(found.kept, reference.explained_variance_ratio_.sum(), rtol=1e-9)


def test_pca_of_wide_vectors_comes_close(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.decomposition import PCA

    monkeypatch.setattr("embedlab.embedding.matrix.WIDEST", 89)
    noise = np.random.default_rng(0).normal(size=(1500, 90))
    # Spectra of pictures fall; where all directions are nearly alike, some variance is lost.
    for spread, tolerance in ((1 / np.arange(1, 91), 1e-5), (np.linspace(3, 1, 90), 1e-2)):
        x = (noise * spread + 7).astype(np.float32)
        found = reduce(in_memory(x), 5)
        reference = PCA(5, svd_solver="full").fit_transform(x.astype(np.float64))
        kept = found.matrix.gathered().vectors.var(axis=0).sum() / reference.var(axis=0).sum()
        assert 1 - tolerance < kept < 1 + 1e-6


@pytest.mark.parametrize("widest", [3, 4])
def test_pca_of_few_pictures_says_what_they_span(
    widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedlab.embedding.matrix.WIDEST", widest)
    x = np.array([[1, 2, 3, 4], [2, 4, 6, 8], [3, 6, 9, 12]], np.float32)
    found = reduce(in_memory(x), 3)
    z = found.matrix.gathered().vectors
    assert z.shape == (3, 3) and not z[:, 1:].any()
    np.testing.assert_allclose(np.abs(z[:, 0]), [30**0.5, 0, 30**0.5], atol=1e-5)
    assert "3 pictures span 1 dimensions; the last 2 columns are zeros." in found.notes
    alone = reduce(in_memory(x[:1]), 2).matrix.gathered().vectors
    np.testing.assert_array_equal(alone, [[0, 0]])


# Being stopped


@pytest.fixture
def slow_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Chunks of 8 pictures, and a list of how many went through the body."""
    seen: list[int] = []
    made = make_embedder

    class Counted:
        def __init__(self, body: object) -> None:
            self.body = body

        def embed_seen(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
            if sum(seen) >= 20 and -1 not in seen:
                raise KeyboardInterrupt
            seen.append(len(batch))
            return self.body.embed_seen(batch)  # type: ignore[attr-defined, no-any-return]

    def counting(*arguments: object, **options: object) -> object:
        from dataclasses import replace

        embedder = made(*arguments, **options)  # type: ignore[arg-type]
        return replace(embedder, body=Counted(embedder.body))

    monkeypatch.setattr("embedlab.embedding.embed.make_embedder", counting)
    for module in ("pipeline", "matrix", "thumbnails"):
        monkeypatch.setattr(f"embedlab.embedding.{module}.CHUNK", 8)
    return seen


def test_work_that_was_stopped_goes_on(
    tmp_path: Path, slow_steps: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    source = photos(tmp_path / "pictures", n=30)
    (source / "4.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    output = tmp_path / "out.npy"
    slow_steps.append(-1)
    embed(source, output, "-m", "histogram")
    old = output.read_bytes()
    slow_steps.clear()
    with pytest.raises(SystemExit) as stopped:
        embed(source, output, *PIXELS, "-b", 4)
    assert stopped.value.code == 130
    assert "same command goes on" in capsys.readouterr().err
    assert output.read_bytes() == old, "until the new one is whole"
    kept = {
        len(np.load(path)["ids"]): path for path in (tmp_path / ".partial-out.npy").glob("*.npz")
    }
    assert sorted(kept) == [7, 8]
    kept[7].write_bytes(kept[7].read_bytes()[:100])
    before = sum(slow_steps)
    assert before == 7 + 8 + 8
    slow_steps.append(-1)  # and never again
    embed(source, output, *PIXELS, "-b", 4)
    assert sum(slow_steps) + 1 - before == 7 + 6, "the damaged part and what was missing"
    assert not (tmp_path / ".partial-out.npy").exists()
    matrix = np.load(output)
    assert matrix.shape == (29, 48)
    for row, id_ in zip(matrix, ids(tmp_path / "out.npy.csv"), strict=True):
        np.testing.assert_array_equal(row, pixels(source / id_))
    assert [row["id"] for row in sidecar(tmp_path / "out_skipped.csv")] == ["4.png"]


def test_what_changed_meanwhile_is_embedded_anew(tmp_path: Path, slow_steps: list[int]) -> None:
    source = photos(tmp_path / "pictures", n=30)
    with pytest.raises(SystemExit):
        embed(source, tmp_path / "out.npy", *PIXELS, "-b", 4)
    coloured(1, seed=9).pictures.open(0).save(source / "2.png")
    slow_steps.append(-1)
    embed(source, tmp_path / "out.npy", *PIXELS, "-b", 4)
    assert sum(slow_steps) + 1 == 20 + 8 + 14
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy")[1], pixels(source / "2.png"))
    # Another model finds nothing to go on from.
    slow_steps.clear()
    with pytest.raises(SystemExit):
        embed(source, tmp_path / "other.npy", *PIXELS, "-b", 4)
    slow_steps.append(-1)
    embed(source, tmp_path / "other.npy", "-m", "histogram", "-b", 4)
    assert sum(slow_steps) + 1 == 20 + 30
    assert np.load(tmp_path / "other.npy").shape == (30, 512)


def test_one_output_is_made_by_one_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from filelock import FileLock

    source = photos(tmp_path / "pictures")
    (tmp_path / ".partial-out.npy").mkdir()
    with FileLock(tmp_path / ".partial-out.npy" / "lock"):
        said = refused(capsys, source, tmp_path / "out.npy", *PIXELS)
    assert "another process" in said
    embed(source, tmp_path / "out.npy", *PIXELS)


def test_a_place_that_cannot_be_written_to_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = photos(tmp_path / "pictures")
    (tmp_path / "file").write_text("")
    assert "file" in refused(capsys, source, tmp_path / "file" / "out.npy", *PIXELS)


def test_a_batch_of_none_is_refused() -> None:
    with pytest.raises(EmbedlabError, match="at least 1"):
        pipeline.embed_stream(None, None, None, batch_size=0)  # type: ignore[arg-type]


# Real photographs and weights


@pytest.mark.real
def test_photographs_are_embedded_as_torch_embeds_them(tmp_path: Path, shared: Path) -> None:
    import torch
    import torchvision
    from torchvision import transforms

    weights = shared / "weights" / "mobilenet_v2-imagenet.pth"
    if not weights.exists():
        pytest.skip("no weights of MobileNetV2")
    for kind in ("roses", "tulips"):
        (tmp_path / "flowers" / kind).mkdir(parents=True)
        for path in sorted((shared / "data" / "flower_photos" / kind).glob("*.jpg"))[:6]:
            (tmp_path / "flowers" / kind / path.name).write_bytes(path.read_bytes())
    model = ("-m", "mobilenet_v2", "--weights", weights, "--resize", 224)
    embed(tmp_path / "flowers", tmp_path / "out.npz", *model)
    embed(tmp_path / "flowers", tmp_path / "cut.npz", *model, "-l", 7)
    made, cut = np.load(tmp_path / "out.npz"), np.load(tmp_path / "cut.npz")
    network = torchvision.models.mobilenet_v2()
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.eval()
    look = transforms.Compose(
        [
            transforms.Resize(224, transforms.InterpolationMode.BILINEAR),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    x = torch.stack([look(Image.open(path).convert("RGB")) for path in made["paths"].tolist()])
    with torch.inference_mode():
        expected = network.features(x).mean((2, 3)).numpy()
        inside = network.features[:8](x).mean((2, 3)).numpy()
    for ours, theirs in ((made["embeddings"], expected), (cut["embeddings"], inside)):
        cosine = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1)
        assert (1 - cosine / np.linalg.norm(theirs, axis=1) < 1e-5).all()
    assert made["labels"].tolist() == ["roses"] * 6 + ["tulips"] * 6


@pytest.mark.real
def test_mnist_is_taken_from_where_it_lies(
    tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = shared / "data" / "mnist"
    facts = as_json(
        capsys, "mnist", tmp_path / "out.npz", "-m", "pca", "-d", 20, "--root", root, "--limit", 600
    )
    assert facts["shape"] == [600, 20] and facts["input_shape"] == [600, 32, 32, 3]
    made = np.load(tmp_path / "out.npz")
    assert set(made["labels"].tolist()) == set("0123456789")
    from sklearn.neighbors import KNeighborsClassifier

    learn, held = slice(0, 600, 2), slice(1, 600, 2)
    near = KNeighborsClassifier(3).fit(made["embeddings"][learn], made["labels"][learn])
    assert near.score(made["embeddings"][held], made["labels"][held]) > 0.75
