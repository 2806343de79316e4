"""Damaged files in the folders of runs and jobs are said, on pages and in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from embedlab.cli import group
from embedlab.errors import EmbedlabError
from embedlab.files import write_json
from embedlab.home import home
from embedlab.jobs import Job, list_jobs, start, wait
from embedlab.jobs import job as job_module
from embedlab.live import LiveWriter

from .conftest import ROOT
from .made_films import snapshots
from .made_pictures import coloured
from .made_runs import made_run
from .test_film import with_film

PAGES = ["home", "train", "compare", "film"]
GARBAGE = b"\x93\xff\x00 not what it was \x80" * 9


def garbage(path: Path) -> None:
    path.write_bytes(GARBAGE)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def gone(path: Path) -> None:
    path.unlink()


def saying(text: str) -> Callable[[Path], None]:
    def say(path: Path) -> None:
        path.write_text(text)

    say.__name__ = text[:20] or "empty"
    return say


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """Pretend a training that has made the run "squares"."""
    monkeypatch.setattr(job_module, "PROGRAM", (str(ROOT / "tests" / "jobs_worker.py"),))
    st.cache_resource.clear()
    job = start(["train", "garden"], title="Train")
    wait(job, timeout=60)
    write_json(job.folder / "report.json", {"outcome": "done", "result": {"run": "squares"}})
    with_film(made_run(home("runs") / "squares"))
    made_run(home("runs") / "other", seed=1)
    yield job
    for one in list_jobs():
        one.cancel()


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    for name, value in query.items():
        app.query_params[name] = value
    if page != "home":
        app.switch_page(f"pages/{page}.py")
    return app.run()


def words(app: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "warning", "error")
    return "\n".join(str(one.value) for kind in kinds for one in getattr(app, kind))


RUN_DAMAGE = [
    ("run.json", cut),
    ("run.json", garbage),
    ("run.json", saying("[]")),
    ("run.json", saying("{}")),
    ("run.json", saying('{"n_items": "many", "n_dims": 8, "fingerprint": "f"}')),
    ("items.parquet", cut),
    ("items.parquet", gone),
    ("embeddings.npy", cut),
    ("embeddings.npy", garbage),
    ("embeddings.npy", gone),
    ("history.jsonl", cut),
    ("history.jsonl", garbage),
    ("history.jsonl", saying('3\n{"event": "epoch", "epoch": "x", "loss": "low"}\n')),
    ("head.safetensors", cut),
    ("head.safetensors", garbage),
    ("thumbnails.npy", garbage),
    ("thumbnails.bin", gone),
    ("inputs.npy", cut),
    ("vectors/pixels.json", garbage),
    ("vectors/pixels.npy", cut),
    ("film.npz", cut),
]


@pytest.mark.parametrize(
    ("name", "damage"), RUN_DAMAGE, ids=lambda one: getattr(one, "__name__", str(one))
)
def test_pages_say_what_is_damaged_in_a_run(
    job: Job, name: str, damage: Callable[[Path], None]
) -> None:
    damage(home("runs") / "squares" / name)
    for page in PAGES:
        app = opened(page, run="squares", job=job.id)
        assert not app.exception, (page, app.exception[0].message)
        if name == "history.jsonl" and page == "train":
            assert "history.jsonl cannot be read" in words(app)
            assert "Start training" in [one.label for one in app.button], "the rest is there"
    done = CliRunner().invoke(group, ["runs"], catch_exceptions=False)
    assert done.exit_code == 0 and "other" in done.stdout
    assert ("run.json cannot be read" in done.stderr) == (name == "run.json")
    shown = CliRunner().invoke(group, ["runs", "show", "squares"])
    assert shown.exit_code == 0 or isinstance(shown.exception, EmbedlabError)


JOB_DAMAGE = [
    (name, damage)
    for name in (
        "job.json",
        "report.json",
        "status.json",
        "history.jsonl",
        "log.txt",
        "live/scene.json",
        "live/epochs.jsonl",
        "live/thumbnails.npy",
        "live/frames/*",
    )
    for damage in (cut, garbage, saying("[]"), saying("{}"), gone)
]


@pytest.mark.parametrize(
    ("name", "damage"), JOB_DAMAGE, ids=lambda one: getattr(one, "__name__", str(one))
)
def test_pages_say_what_is_damaged_in_a_job(
    job: Job, name: str, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LiveWriter(job.folder / "live", coloured(12), epochs=2)
    for shot in snapshots()[:3]:
        writer.snapshot(shot)
    writer.epoch({"event": "epoch", "epoch": 1.0, "step": 4, "loss": 0.7, "validation_loss": 0.6})
    for path in sorted(job.folder.glob(name)):
        damage(path)
    monkeypatch.setattr("embedlab.ui.train_watch._finished", lambda _: ("", None))  # else no map
    for page in ("home", "train"):
        app = opened(page, run="squares", job=job.id)
        assert not app.exception, (page, app.exception[0].message)
    app = opened("train", run="squares")
    assert not app.exception, app.exception[0].message
    for command in (["jobs"], ["jobs", "list"], ["jobs", "show", job.id], ["jobs", "log", job.id]):
        done = CliRunner().invoke(group, command)
        assert done.exit_code == 0 or isinstance(done.exception, (EmbedlabError, SystemExit)), (
            command,
            done.exception,
        )
