from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.importing.run import import_run
from embedlab.originals import originals
from embedlab.packing import pack_run, unpack_run
from embedlab.runs import open_run

from .embed_call import embed, photos
from .made_runs import made_run


def test_a_packed_run_comes_out_the_same(tmp_path: Path) -> None:
    run = made_run(tmp_path / "squares")
    again = unpack_run(pack_run(run, tmp_path / "squares.zip"))
    assert again.folder == home("runs") / "squares"
    assert again.fingerprint == run.fingerprint
    np.testing.assert_array_equal(again.embeddings, run.embeddings)
    assert again.thumbnails[7] == run.thumbnails[7]
    assert again.vector_sets == run.vector_sets
    assert unpack_run(tmp_path / "squares.zip").id == "squares-2"


def test_only_what_a_run_is_made_of_is_unpacked(tmp_path: Path) -> None:
    archive = pack_run(made_run(tmp_path / "squares"), tmp_path / "squares.zip")
    with zipfile.ZipFile(archive, "a") as file:
        for name in ("squares/../../evil.txt", "/evil.txt", "squares/evil.py", "squares\\evil.npy"):
            file.writestr(name, "x")
    again = unpack_run(archive)
    assert not list(home().rglob("*evil*"))
    assert again.n_items == 60


def test_archives_that_are_no_runs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(EmbedlabError, match=r"text\.zip cannot be read"):
        unpack_run(tmp_path / "text.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("readme.txt", "x")
    with pytest.raises(EmbedlabError, match=r"no run\.json"):
        unpack_run(tmp_path / "other.zip")


def test_a_cut_archive_leaves_nothing_behind(tmp_path: Path) -> None:
    archive = pack_run(made_run(tmp_path / "squares"), tmp_path / "squares.zip")
    data = bytearray(archive.read_bytes())
    data[200:4000] = bytes(3800)
    archive.write_bytes(data)
    with pytest.raises(EmbedlabError):
        unpack_run(archive)
    assert list(home("runs").iterdir()) == []


def test_a_packed_run_does_not_say_where_its_pictures_lay(tmp_path: Path) -> None:
    pictures = photos(tmp_path / "somebodys home" / "flowers", classes=("red", "blue"), n=3)
    embed(pictures, tmp_path / "x.npz", "-m", "pixels", "--resize", "4")
    run = import_run(tmp_path / "x.npz", str(pictures))
    assert "somebodys home" in run.items["path"][0]
    archive = pack_run(run, tmp_path / "run.zip")
    with zipfile.ZipFile(archive) as packed:
        assert not any(b"somebodys home" in packed.read(name) for name in packed.namelist())
    again = unpack_run(archive)
    assert again.items["path"].isna().all()
    pd.testing.assert_frame_equal(again.items.drop(columns="path"), run.items.drop(columns="path"))
    assert originals(again).open(0).size == originals(run).open(0).size
    facts = json.loads((run.folder / "run.json").read_text("utf-8"))
    facts["dataset"]["origin"] = {"source": "folder", "path": str(pictures)}
    facts["command"] = f"embedlab fuse '{pictures}' 'my table.csv' --lr 0.1"
    (run.folder / "run.json").write_text(json.dumps(facts), "utf-8")
    facts["training"] = {"weights": str(pictures / "mine.pth"), "epochs": 3}
    facts["weights"] = {"kind": "file", "file": "C:\\Users\\somebodys home\\x.pth"}
    facts["classes"] = ["/m/0abc", "blue"]
    facts["command"] += f" '--weights={pictures}/mine.pth' --root ../somebodys/pics"
    (run.folder / "run.json").write_text(json.dumps(facts), "utf-8")
    again = unpack_run(pack_run(open_run(run.id), archive))
    assert "somebodys" not in json.dumps(again.info)
    assert again.info["training"] == {"weights": "mine.pth", "epochs": 3}
    assert again.info["weights"] == {"kind": "file", "file": "x.pth"}
    assert again.info["classes"] == ["/m/0abc", "blue"], "names of classes are no paths"
    assert again.info["dataset"]["origin"] == {"source": "folder", "path": "flowers"}
    words = "embedlab fuse flowers 'my table.csv' --lr 0.1 --weights=mine.pth --root pics"
    assert again.info["command"] == words


def test_a_run_from_elsewhere_cannot_name_a_file_of_this_machine(tmp_path: Path) -> None:
    """Somebody else's run may hold any path; without the file's digest it is not opened."""
    private = tmp_path / "private.png"
    Image.new("RGB", (99, 77), "red").save(private)
    run = made_run(home("runs") / "squares")
    for columns in ({"path": str(private)}, {"path": str(private), "digest": "0" * 64}):
        run.items.assign(**columns).to_parquet(run.folder / "items.parquet", index=False)
        found = originals(open_run("squares"))
        assert found.open(0).size == (48, 48) and found.small == {0}
