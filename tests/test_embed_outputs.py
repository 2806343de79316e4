"""What `embedlab embed` may replace: its own files, and nobody else's."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from embedlab.cli import main
from embedlab.embedding import outputs
from embedlab.errors import EmbedlabError
from embedlab.importing.run import import_run
from embedlab.space.views import View

from .embed_call import DrawnAsItIs, as_json, embed, ids, photos, refused

PIXELS = ("-m", "pixels", "--resize", "4")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return photos(tmp_path / "pictures", n=6)


@pytest.fixture(autouse=True)
def _drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedlab.space.projections.umap", DrawnAsItIs())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


OTHERS = {
    "the matrix": ("out.npy", ()),
    "its table": ("out.npy.csv", ()),
    "what says so": ("out.npy.embedlab.json", ()),
    "a drawing": ("out.png", ("-p", "-d", "2")),
    "a page": ("out.html", ("-p",)),
    "a layout": ("out_umap.npy", ("--umap",)),
    "the layout's table": ("out_umap.npy.csv", ("-p",)),
    "a list": ("out_skipped.csv", ()),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_embed_did_not_write_is_not_replaced(
    tmp_path: Path, source: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, options = OTHERS[what]
    (tmp_path / name).write_text("mine")
    before = contents(tmp_path)
    said = refused(capsys, source, tmp_path / "out.npy", *PIXELS, *options)
    assert name in said and "embed did not write it" in said and "another name" in said
    assert contents(tmp_path) == before and not (tmp_path / ".partial-out.npy").exists()


def test_own_tables_of_other_names_stay(tmp_path: Path, source: Path) -> None:
    (tmp_path / "pictures.csv").write_text("mine")
    embed(source, tmp_path / "pictures.npy", *PIXELS)
    assert (tmp_path / "pictures.csv").read_text() == "mine"
    embed(source, tmp_path / "pictures.safetensors", *PIXELS, "--limit", 3)
    assert len(ids(tmp_path / "pictures.npy.csv")) == 6
    assert len(ids(tmp_path / "pictures.safetensors.csv")) == 3


def test_the_input_is_not_replaced(
    tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", np.zeros((2, 8, 8), np.uint8))
    before = (tmp_path / "x.npy").read_bytes()
    for output in (tmp_path / "x.npy", tmp_path / "pictures" / ".." / "x"):
        said = refused(capsys, tmp_path / "x.npy", output, *PIXELS)
        assert "is the input" in said
    (tmp_path / "alias.npy").symlink_to(tmp_path / "x.npy")
    assert "is the input" in refused(capsys, tmp_path / "x.npy", tmp_path / "alias.npy", *PIXELS)
    assert (tmp_path / "x.npy").read_bytes() == before


def test_pictures_among_the_pictures_are_refused(
    tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(source)
    for name in ("1.npy", "new.npy"):  # beside 1.png
        said = refused(capsys, source, source / name, *PIXELS, "-d", 2, "-p")
        assert "--plot" in said or "1.png is there already" in said
    said = refused(capsys, source, source / "new", *PIXELS, "--format", "projector")
    assert "lies in" in said and "--plot" not in said
    assert contents(source) == before
    embed(source, source / "new.npy", *PIXELS)
    assert "is written among the pictures" in capsys.readouterr().err
    assert {"new.npy", "new.npy.csv"} < {path.name for path in source.iterdir()}


def test_a_listed_picture_is_not_replaced(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(source, tmp_path / "out.npy", *PIXELS, "-p")
    drawn = (tmp_path / "out.png").read_bytes()
    from io import BytesIO

    from embedlab.embedding.embed import embed as call

    monkeypatch.chdir(tmp_path)
    lines = BytesIO(b"pictures/1.png\n./out.png\n")
    with pytest.raises(EmbedlabError, match=r"out\.png is one of the pictures"):
        call("-", Path("out.npy"), model="pixels", size=4, plot=True, lines=lines)
    assert (tmp_path / "out.png").read_bytes() == drawn


def test_own_outputs_are_replaced_and_changed_ones_are_not(
    tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.npy"
    embed(source, output, *PIXELS, "-p")
    embed(source, output, "-m", "histogram", "-p")
    assert np.load(output).shape == (6, 512)
    # A copy has other times, and is known by its content.
    shutil.copytree(tmp_path, tmp_path.parent / "copy", copy_function=shutil.copyfile)
    copy = tmp_path.parent / "copy" / "out.npy"
    embed(source, copy, *PIXELS)
    assert np.load(copy).shape == (6, 48)
    table = tmp_path / "out.npy.csv"
    table.write_text(table.read_text().replace("1.png", "one.png"))
    said = refused(capsys, source, output, *PIXELS)
    assert "out.npy.csv was changed since embed wrote it" in said
    assert np.load(output).shape == (6, 512)


def test_what_no_longer_fits_is_removed_and_said(
    tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "7.png").write_text("no picture")
    output = tmp_path / "out.npy"
    embed(source, output, *PIXELS, "-p")
    there = {path.name for path in tmp_path.glob("out*")}
    assert {"out_skipped.csv", "out_umap.npy", "out_umap.npy.csv", "out.html"} < there
    (source / "7.png").unlink()
    # The matrix is the same, so its layout and drawings are still true; the list is not.
    facts = as_json(capsys, source, output, *PIXELS)
    assert {path.name for path in tmp_path.glob("out*")} == there - {"out_skipped.csv"}
    assert any("out_skipped.csv" in note for note in facts["notes"])
    facts = as_json(capsys, source, output, "-m", "histogram")
    left = {path.name for path in tmp_path.glob("out*")}
    assert left == {"out.npy", "out.npy.csv", "out.npy.embedlab.json"}
    assert any("out.html" in note and "earlier call" in note for note in facts["notes"])


@pytest.mark.parametrize("ending", ["npz", "parquet"])
def test_drawings_of_the_same_matrix_stay(tmp_path: Path, source: Path, ending: str) -> None:
    embed(source, tmp_path / f"out.{ending}", *PIXELS, "-p")
    embed(source, tmp_path / f"out.{ending}", *PIXELS)
    assert (tmp_path / "out.png").exists() and (tmp_path / f"out_umap.{ending}").exists()


def test_a_drawing_of_another_layout_goes(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turned(vectors: np.ndarray, *, seed: int, **_: object) -> View:
        return DrawnAsItIs()(vectors * (seed + 1), seed=seed)

    monkeypatch.setattr("embedlab.space.projections.umap", turned)
    output = tmp_path / "out.npy"
    embed(source, output, *PIXELS, "-p", "-s", "1")
    embed(source, output, *PIXELS, "--umap", "-s", "1")
    assert (tmp_path / "out.png").exists()
    embed(source, output, *PIXELS, "--umap", "-s", "2")
    assert not any((tmp_path / f"out{ending}").exists() for ending in outputs.PLOTS)
    assert (tmp_path / "out_umap.npy").exists()


@pytest.mark.parametrize("other", ["out.npz", "out"])
def test_what_is_of_a_namesake_is_named(
    tmp_path: Path, source: Path, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = (source, tmp_path / "out.parquet", *PIXELS, "-p")
    embed(*first)
    options = ("--format", "projector") if other == "out" else ()
    facts = as_json(capsys, source, tmp_path / other, "-m", "histogram", *options)
    (said,) = facts["notes"]
    assert said.startswith(f"Of out.parquet, not of {other}: ")
    for name in ("out_umap.parquet", "out.png", "out.svg", "out.html"):
        assert name in said and (tmp_path / name).exists()
    assert as_json(capsys, *first)["notes"] == []


def test_a_drawing_of_another_matrix_is_replaced_and_said(
    tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    embed(source, tmp_path / "out.npy", *PIXELS, "-p")
    facts = as_json(capsys, source, tmp_path / "out.npz", "-m", "histogram", "-p")
    assert any("of another matrix" in note and "out.png" in note for note in facts["notes"])
    embed(source, tmp_path / "out.npy", "-m", "histogram")
    assert (tmp_path / "out.png").exists(), "it is out.npz's now"


def test_a_power_cut_leaves_no_mixed_pair(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.npy"
    embed(source, output, *PIXELS)
    put = outputs.put_in_place
    done: list[str] = []

    def cut(beside: Path, target: Path) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(target.name)
        put(beside, target)

    monkeypatch.setattr(outputs, "put_in_place", cut)
    with pytest.raises(SystemExit):
        embed(source, output, "-m", "histogram", "--limit", 6)
    assert done == ["out.npy"] and np.load(output).shape == (6, 512)
    with pytest.raises(EmbedlabError, match="stopped while it put them in place"):
        import_run(output)
    monkeypatch.setattr(outputs, "put_in_place", put)
    embed(source, output, "-m", "histogram")
    assert import_run(output).embeddings.shape == (6, 512)
    assert json.loads((tmp_path / "out.npy.embedlab.json").read_text())["done"] is True


def test_the_manifest_says_what_the_matrix_is_of(tmp_path: Path, source: Path) -> None:
    embed(source, tmp_path / "out.npz", *PIXELS, "-p")
    said = json.loads((tmp_path / "out.npz.embedlab.json").read_text())
    assert (said["input"], said["model"], said["shape"]) == ("pictures", "pixels", [6, 48])
    assert said["preprocessing"]["size"] == 4
    made = ["out.npz", "out_umap.npz", "out.png", "out.svg", "out.html"]
    assert list(said["files"]) == made


@pytest.mark.parametrize("content", ["[1]", "{", '{"embedlab": 1, "files": 3}'])
def test_a_manifest_of_nonsense_is_nobodys(
    tmp_path: Path, source: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.npy.embedlab.json").write_text(content)
    embed(source, tmp_path / "out.npy", *PIXELS)
    (tmp_path / "out.npy.embedlab.json").write_text(content)
    assert "embed did not write it" in refused(capsys, source, tmp_path / "out.npy", *PIXELS)


# Refused before any work


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("pictures were embedded")

    monkeypatch.setattr("embedlab.embedding.embed.embed_stream", never)


@pytest.mark.parametrize(
    ("output", "options", "said"),
    [
        ("", (), "is a folder"),
        (".", (), "is a folder"),
        ("..", (), "is a folder"),
        ("there", (), "is a folder"),
        ("there", ("--format", "projector"), "something at"),
        ("there", ("--format", "projector", "-p"), "something at"),
        ("there.npy", (), "is a folder"),
        ("x" * 250 + ".npy", (), "too long"),
        ("out.npy", ("-d", "49"), "Ask for 1 to 48"),
        ("out.npy", ("-d", "0"), "Ask for 1 to 48"),
        ("out.npy", ("-d", "-2"), "Ask for 1 to 48"),
        ("out.npy", ("-b", "0"), "at least 1"),
        ("out.npy", ("--limit", "0"), "one picture or more"),
    ],
)
def test_what_will_not_do_is_refused_before_the_work(
    tmp_path: Path,
    source: Path,
    no_work: None,
    output: str,
    options: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "there.npy").mkdir()
    with pytest.raises(SystemExit) as error:
        main(["embed", str(source), output, *PIXELS, *options, "-q"])
    assert error.value.code == 1 and said in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} - {"home"} == {
        *("pictures", "there", "there.npy"),
    }


@pytest.mark.parametrize("layout", ["out_umap", "out"])
def test_an_old_projector_folder_is_refused_before_the_work(
    tmp_path: Path, source: Path, no_work: None, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / layout).mkdir()
    said = refused(capsys, source, tmp_path / "out", *PIXELS, "--umap", "--format", "projector")
    assert f"{layout} already" in said


def test_whoever_waits_for_an_output_finds_a_clear_place(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of parts goes before its lock does."""
    from filelock import FileLock

    released: list[bool] = []
    release = FileLock.release

    def looked(self: FileLock, force: bool = False) -> None:
        released.append(os.path.lexists(tmp_path / ".partial-out.npy" / "pictures.sqlite"))
        release(self, force)

    monkeypatch.setattr(FileLock, "release", looked)
    embed(source, tmp_path / "out.npy", *PIXELS)
    assert released and not any(released)
    assert not (tmp_path / ".partial-out.npy").exists()
