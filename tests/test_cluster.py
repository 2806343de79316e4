"""`embed --engine ray`: the rows of the local engine, by two workers, and taken up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from embedlab.cells import unquoted
from embedlab.embedding import parts

from .embed_call import as_json, embed, photos, refused, sidecar

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'embedlab[ray]'")
pytestmark = pytest.mark.slow

PIXELS = ("-m", "pixels", "--resize", "4")
RAY = ("--engine", "ray")
SECRETS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "RAY_USAGE_STATS_ENABLED": "0"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Two workers on this machine, which all tests of this file share."""
    before = {name: os.environ.get(name) for name in SECRETS}
    os.environ.update(SECRETS)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "FEWEST", 4)


def rows(output: Path | str) -> pd.DataFrame:
    return pd.read_parquet(output).assign(embedding=lambda t: t["embedding"].map(tuple))


def times(output: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in output.glob("part-*")}


def mixed(folder: Path) -> Path:
    """Pictures in two classes, with names and contents that are no trouble for the local engine."""
    photos(folder, classes=("Löwe", "b%20 c"), names=[f"{k}.png" for k in range(9)])
    (folder / "b%20 c" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    (folder / "Löwe" / "=4.jpg").write_text("no picture")
    (folder / "loose.png").write_bytes((folder / "Löwe" / "0.png").read_bytes())
    return folder


@pytest.mark.parametrize(
    "model",
    [PIXELS, ("-m", "small", "--resize", "32", "-l", "1", "--weights", "random"), ("-m", "RUN")],
    ids=["pixels", "a layer", "a run"],
)
def test_two_workers_write_the_rows_of_the_local_engine(
    tmp_path: Path,
    cluster: None,
    small_parts: None,
    model: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    if model[-1] == "RUN":
        model = ("-m", "run:garden")
    source = mixed(tmp_path / "pictures")
    embed(source, tmp_path / "here.parquet", *model)
    facts = as_json(capsys, source, tmp_path / "spread", *model, *RAY)
    ours, theirs = rows(tmp_path / "spread"), rows(tmp_path / "here.parquet")
    assert facts["shape"] == [17, len(ours["embedding"][0])] and facts["left_out"] == 3
    pd.testing.assert_frame_equal(ours, theirs)
    left = {
        name: {unquoted(row["id"]): row["reason"] for row in sidecar(tmp_path / name)}
        for name in ("here_skipped.csv", "spread/_skipped.csv")
    }
    assert left["here_skipped.csv"] == left["spread/_skipped.csv"]
    names = sorted(path.name for path in (tmp_path / "spread").iterdir())
    assert names[:2] == ["_embedlab.json", "_skipped.csv"] and len(names) == 2 + 5
    assert json.loads((tmp_path / "spread" / "_embedlab.json").read_text())["done"] is True


def test_only_what_is_missing_or_changed_is_made_again(
    tmp_path: Path, cluster: None, small_parts: None
) -> None:
    source = photos(tmp_path / "pictures", n=18)
    spread = tmp_path / "spread"
    embed(source, spread, *PIXELS, *RAY)
    first, made = rows(spread), sorted(times(spread))
    before = times(spread)
    (spread / made[1]).unlink()
    (spread / made[2]).write_bytes((spread / made[2]).read_bytes()[:-20])
    embed(source, spread, *PIXELS, *RAY)
    pd.testing.assert_frame_equal(rows(spread), first)
    after = times(spread)
    assert after.keys() == before.keys()
    assert [name for name in made if after[name] != before[name]] == made[1:3]

    (source / "18.png").write_bytes((source / "1.png").read_bytes())
    embed(source, spread, *PIXELS, *RAY)
    changed = rows(spread)
    assert changed["embedding"][17] == first["embedding"][0]
    assert [name for name in made if name in times(spread)] == made[:4], "the last one is new"
    assert len(times(spread)) == len(made), "and the old one is gone"


def test_a_folder_that_holds_something_else_is_refused(
    tmp_path: Path, cluster: None, capsys: pytest.CaptureFixture[str]
) -> None:
    source = photos(tmp_path / "pictures")
    assert "something in" in refused(capsys, source, source, *PIXELS, *RAY)
    embed(source, tmp_path / "spread", *PIXELS, *RAY)
    said = refused(capsys, source, tmp_path / "spread", "-m", "pixels", "--resize", "5", *RAY)
    assert "other settings" in said
    for option in (("-d", "2"), ("--plot",), ("--umap",), ("--format", "npz")):
        assert option[0].lstrip("-")[0] in refused(capsys, source, "x", *PIXELS, *RAY, *option)
    assert "PCA" in refused(capsys, source, tmp_path / "pca", "-m", "pca", *RAY)
    assert "no folder" in refused(capsys, "garden", tmp_path / "set", *PIXELS, *RAY)
    assert "no GPU" in refused(capsys, source, tmp_path / "gpu", *PIXELS, *RAY, "--device", "cuda")
    assert "--engine ray" in refused(capsys, "s3://bucket/photos", tmp_path / "x.npy", *PIXELS)
    assert "--engine ray" in refused(capsys, source, tmp_path / "x.npy", *PIXELS, "--workers", 2)


def test_nothing_but_bad_files_is_an_error(
    tmp_path: Path, cluster: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.png").write_text("no")
    said = refused(capsys, tmp_path / "pictures", tmp_path / "spread", *PIXELS, *RAY)
    assert "None of the 1 picture" in said and "1.png" in said


def test_what_goes_wrong_on_a_worker_is_said_in_one_line(
    tmp_path: Path, cluster: None, capsys: pytest.CaptureFixture[str]
) -> None:
    source = photos(tmp_path / "pictures")
    spread = tmp_path / "spread"
    embed(source, spread, *PIXELS, *RAY)
    (name,) = times(spread)
    (spread / name).unlink()
    (spread / name).mkdir()  # a folder in the file's place cannot be replaced by the file
    said = refused(capsys, source, spread, *PIXELS, *RAY)
    assert "A worker cannot make" in said and name in said and "directory" in said


def test_pictures_and_vectors_lie_in_an_object_store(
    tmp_path: Path, cluster: None, small_parts: None, capsys: pytest.CaptureFixture[str]
) -> None:
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    from pyarrow import fs

    source = mixed(tmp_path / "pictures")
    embed(source, tmp_path / "here.parquet", *PIXELS)
    s3 = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    try:
        host, port = s3.get_host_and_port()
        query = f"?scheme=http&endpoint_override={host}:{port}&region=us-east-1"
        query += "&allow_bucket_creation=true"
        store, _ = fs.FileSystem.from_uri(f"s3://photos{query}")
        store.create_dir("photos")
        for path in sorted(source.rglob("*.*")):
            with store.open_output_stream(f"photos/all/{path.relative_to(source)}") as file:
                file.write(path.read_bytes())
        uris = (f"s3://photos/all{query}", f"s3://photos/vectors{query}")
        for _ in range(2):  # the second time, all is there
            facts = as_json(capsys, *uris, *PIXELS, *RAY)
        assert facts["shape"] == [17, 48] and facts["left_out"] == 3
        assert facts["files"] == ["s3://photos/vectors", "s3://photos/vectors/_skipped.csv"]
        found = store.get_file_info(fs.FileSelector("photos/vectors"))
        names = sorted(info.path for info in found if info.base_name.startswith("part-"))
        tables = []
        for name in names:
            with store.open_input_file(name) as file:
                tables.append(pd.read_parquet(file))
        ours, theirs = pd.concat(tables, ignore_index=True), rows(tmp_path / "here.parquet")
        assert len(names) == 5 and ours["id"].tolist() == theirs["id"].tolist()
        assert ours["label"].tolist() == theirs["label"].tolist()
        assert ours["path"][0].startswith("photos/all/")
        np.testing.assert_array_equal(
            np.stack(ours["embedding"].tolist()), np.stack(theirs["embedding"].tolist())
        )
        nowhere = f"s3://nothing/here{query.replace('&allow_bucket_creation=true', '')}"
        assert "cannot be listed" in refused(capsys, nowhere, tmp_path / "x", *PIXELS, *RAY)
    finally:
        s3.stop()


def test_a_killed_driver_leaves_whole_parts_and_goes_on(tmp_path: Path) -> None:
    """kill -9 takes the whole local cluster along; what is finished is not made again."""
    source = photos(tmp_path / "pictures", n=300)
    spread = tmp_path / "spread"
    words = [sys.executable, "-m", "tests.spread", str(source), str(spread), "run:garden"]
    first = subprocess.Popen(words, start_new_session=True)
    deadline = time.monotonic() + 120
    while len(times(spread)) < 4 and time.monotonic() < deadline and first.poll() is None:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = times(spread)
    assert 4 <= len(before) < 75, "killed in the middle"
    time.sleep(3)  # workers notice that their cluster is gone
    subprocess.run(words, check=True)
    after = times(spread)
    assert len(after) == 75
    kept = [name for name in before if after.get(name) == before[name]]
    assert len(kept) >= len(before) - 2, "whatever was whole stayed"
    embed(source, tmp_path / "here.parquet", "-m", "run:garden")
    pd.testing.assert_frame_equal(rows(spread), rows(tmp_path / "here.parquet"))


def test_without_ray_the_way_to_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    source = photos(tmp_path / "pictures")
    assert "embedlab[ray]" in refused(capsys, source, tmp_path / "spread", *PIXELS, *RAY)


def test_looking_needs_no_ray() -> None:
    code = "import embedlab.embedding.embed, sys; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
