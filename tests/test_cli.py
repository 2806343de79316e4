"""The command line, as a person or a script meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedlab.home import home
from embedlab.runs import open_run

from .conftest import ROOT
from .made_runs import COLOURS, made_run


def embedlab(*words: str, columns: int = 160) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "embedlab", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=home(),
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(columns)},
    )


def photo_folder(folder: Path, *, per_class: int = 8) -> Path:
    """Make pictures of two classes, an empty file and a hidden one."""
    rng = np.random.default_rng(0)
    for k, name in enumerate(("ant", "bee")):
        (folder / name).mkdir(parents=True)
        for i in range(per_class):
            pixels = rng.normal(COLOURS[k], 30, (40, 50, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.jpg")
    (folder / "bee" / "broken.jpg").write_bytes(b"")
    (folder / "bee" / ".hidden.jpg").write_bytes(b"x")
    return folder


def test_a_mistake_in_the_command_exits_with_2() -> None:
    for words in (("nonsense",), ("train",), ("runs", "--nonsense"), ("train", "x", "--epochs=a")):
        done = embedlab(*words)
        assert done.returncode == 2, words
        assert "Error" in done.stderr and "Traceback" not in done.stderr


def test_what_can_be_put_right_is_one_line_and_exits_with_1(tmp_path: Path) -> None:
    for words in (
        ("runs", "show", "nobody"),
        ("train", str(tmp_path / "missing")),
        ("train", "garden", "--backbone", "nonsense"),
        ("train", "garden", "--epochs", "0"),
        ("check", "nobody"),
        ("project", "nobody"),
    ):
        done = embedlab(*words)
        assert done.returncode == 1, (words, done.stderr)
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1 and lines[0].startswith("embedlab: "), done.stderr


def test_doctor_speaks_json() -> None:
    done = embedlab("doctor", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["versions"]["torch"] != "missing" and "CPU" in report["machine"]["device"]
    assert "garden" in report["pictures"] and str(home()) in report["kept"]["home"]


def test_runs_are_listed_shown_packed_unpacked_and_removed(tmp_path: Path) -> None:
    made_run(home("runs") / "squares")
    listed = json.loads(embedlab("runs", "--json").stdout)
    assert "squares" in [row["run"] for row in listed]
    assert json.loads(embedlab("runs", "show", "squares").stdout)["n_items"] == 60
    assert embedlab("runs", "export", "squares", str(tmp_path / "s.zip")).returncode == 0
    assert embedlab("runs", "import", str(tmp_path / "s.zip")).stdout.strip() == "squares-2"
    assert embedlab("runs", "remove", "squares-2", "--yes").returncode == 0
    assert not (home("runs") / "squares-2").exists() and (home("runs") / "squares").exists()


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_the_names_of_runs_are_listed_whole(columns: int) -> None:
    names = [
        "flower_photos-EfficientNet-B0-head-alone",
        "flower_photos-EfficientNet-B0-fine-tuned-2",
    ]
    for name in names:
        made_run(home("runs") / name)
    listed = embedlab("runs", columns=columns).stdout
    assert max(map(len, listed.splitlines())) <= columns
    cells = "".join(line.split("│")[1].strip() for line in listed.splitlines() if "│" in line)
    assert all(name in cells for name in [*names, "garden"])
    assert ("made (UTC)" in listed) == (columns == 160)
    if columns == 80:
        assert all(name in listed for name in names), "in one line each"


def test_the_built_in_run_cannot_be_removed() -> None:
    done = embedlab("runs", "remove", "garden", "--yes")
    assert done.returncode == 1 and "comes with embedlab" in done.stderr


@pytest.mark.slow
def test_a_folder_becomes_a_run(tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "photos")
    done = embedlab(
        "train", str(photos), "-m", "small", "--epochs", "2", "--name", "insects", "--json"
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    run = open_run(answer["run"])
    assert run.n_items == 16 and run.classes == ("ant", "bee") and run.title == "insects"
    assert run.info["dataset"]["skipped"][0]["id"] == "bee/broken.jpg"
    assert run.body is not None and run.head is not None and run.probabilities is not None
    logits = run.head.logits(run.embeddings).astype(np.float64)
    p = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(p / p.sum(1, keepdims=True), run.probabilities, atol=1e-5)
