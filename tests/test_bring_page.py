"""The page that brings networks, vectors and runs from elsewhere."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from embedlab.cli import main
from embedlab.packing import pack_run
from embedlab.runs import list_runs

from .embed_call import photos
from .made_runs import made_run
from .test_pages import opened, texts


def page(kind: str, path: Path) -> AppTest:
    app = opened("bring", "garden")
    app.segmented_control(key="bring-what").set_value(kind).run()
    app.text_input(key=f"bring-{kind}-path").set_value(str(path)).run()
    assert not app.exception, app.exception[0].message
    return app


def command(app: AppTest) -> list[str]:
    (line,) = (
        one.value for one in app.code if one.value.startswith("embedlab ") and "\n" not in one.value
    )
    return shlex.split(line)[1:]


def made(words: list[str]) -> str:
    """Do what the page would start as a job; give the run that comes of it."""
    before = {run.id for run in list_runs()}
    main(words)
    (run,) = {run.id for run in list_runs()} - before
    return run


def test_weights_and_a_folder_become_a_run(tmp_path: Path) -> None:
    from torchvision.models import squeezenet1_1

    pictures = photos(tmp_path / "pictures", classes=("a", "b"), n=3)
    weights = tmp_path / "mine.pth"
    torch.save(squeezenet1_1(num_classes=2).state_dict(), weights)
    app = page("weights", weights)
    assert app.button(key="bring-start").disabled, "nobody has said of which network"
    app.selectbox(key="bring-backbone").set_value("squeezenet1_1").run()
    app.segmented_control(key="bring-kind").set_value("folder").run()
    app.text_input(key="bring-folder").set_value(str(pictures)).run()
    app.number_input(key="bring-size").set_value(64).run()
    words = command(app)
    assert words[-3:] == ["--", str(weights), str(pictures)]
    run = made(
        [
            *words,
        ]
    )
    assert run.startswith("pictures")


def test_vectors_and_a_table_become_a_run(tmp_path: Path) -> None:
    pictures = photos(tmp_path / "pictures", n=4)
    np.save(tmp_path / "v.npy", np.eye(4, dtype=np.float32))
    table = tmp_path / "items.csv"
    table.write_text("path,label\n" + "".join(f"{k + 1}.png,{'ab'[k % 2]}\n" for k in range(4)))
    app = page("vectors", tmp_path / "v.npy")
    app.text_input(key="bring-table-path").set_value(str(table)).run()
    app.text_input(key="bring-vectors-folder").set_value(str(pictures)).run()
    app.text_input(key="bring-name").set_value("Mine").run()
    assert made(command(app)) == "Mine"


def test_a_run_that_somebody_sent_is_taken(tmp_path: Path) -> None:
    archive = pack_run(made_run(tmp_path / "squares"), tmp_path / "sent.zip")
    app = page("run", archive)
    assert made(command(app)) == "squares"


@pytest.mark.parametrize(
    ("name", "said"), [("nothing.npy", "There is no file"), ("a.txt", "ends in")]
)
def test_a_file_that_will_not_do_is_said(tmp_path: Path, name: str, said: str) -> None:
    if name == "a.txt":
        (tmp_path / name).write_text("no")
    app = page("vectors", tmp_path / name)
    assert said in texts(app).replace("\\", "") and app.button(key="bring-start").disabled


def test_a_public_server_takes_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDLAB_PUBLIC", "1")
    app = opened("bring", "garden")
    assert not app.text_input and "takes no files" in texts(app)
