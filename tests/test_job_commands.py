"""Which command lines are the same job, however they are spelt."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from embedlab.cli import COMMANDS, group
from embedlab.cli.train import CHOSEN
from embedlab.home import home
from embedlab.jobs import job as job_module
from embedlab.jobs import start
from embedlab.jobs.commands import halved, parsed, sameness
from embedlab.models.settings import TrainSettings

from .conftest import ROOT
from .made_runs import made_run


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "photos" / "a").mkdir(parents=True)
    (tmp_path / "below").mkdir()
    (tmp_path / "body.pth").touch()
    made_run(home("runs") / "squares")
    return tmp_path


def said(line: str, cwd: Path) -> list[object]:
    return sameness(shlex.split(line), cwd=cwd)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("train garden --epochs 3 --seed 7", "train --seed 7 garden --epochs=3"),
        ("train garden", "train garden --backbone small --epochs 44 --batch-size 32 --size 64"),
        ("train garden", "train garden -q --json --device auto --validation 0.2"),
        ("train flowers", "train FLOWERS -m efficientnet_b0 --weights imagenet --lr 0.001"),
        ("train photos", "train {here}/photos/"),
        ("train photos --weights body.pth", "train {here}/photos --weights {here}/body.pth"),
        ("train garden --cut stage1", "train garden --cut=1"),
        ("train garden", "train garden --cut -1"),
        ("train photos --freeze", "train ./photos --freeze --epochs 20"),
        ("project squares", "project -k 15 --seed 0 squares --vectors embedding"),
        ("project squares", "project {home}/runs/squares"),
        ("layers squares -b 16", "layers squares"),
        ("embed photos out.npy", "embed -m efficientnet_b0 {here}/photos {here}/out.npy -q"),
        ("embed photos out.npy -m run:squares", "embed photos out.npy -m run:{home}/runs/squares"),
        ("fuse garden --seeds 5", "fuse garden --device auto"),
    ],
)
def test_the_same(here: Path, one: str, other: str) -> None:
    other = other.format(here=here, home=home())
    assert said(one, here) == said(other, here)


def test_another_folder_makes_no_difference_where_the_places_are_the_same(here: Path) -> None:
    assert said("train photos", here) == said("train ../photos", here / "below")
    assert said("train garden", here) == said("train garden", here / "below")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("train garden", "train garden --seed 7"),
        ("train garden", "train ./garden"),
        ("train garden", "train garden --how-long"),
        ("train garden", "train garden --name another"),
        ("train garden", "train garden --device cpu"),
        ("train flowers -m vit_b_16", "train flowers -m vit_b_16 --size 224"),
        ("project squares", "project squares -d 3"),
        ("embed garden a.npy", "embed garden b.npy"),
        ("fuse photos a.csv", "fuse photos b.csv"),
    ],
)
def test_not_the_same(here: Path, one: str, other: str) -> None:
    assert said(one, here) != said(other, here)


def test_the_same_words_in_another_folder_may_mean_something_else(here: Path) -> None:
    for line in ("train photos", "embed garden out.npy", "fuse garden x.csv", "runs list"):
        assert said(line, here) != said(line, here / "below")


@pytest.mark.parametrize(
    "line",
    ["train", "train garden --speling", "train garden --epochs x", "train garden --epochs 0",
     "train x --help", "layers nothing", "runs list", "count 3"],
)  # fmt: skip
def test_what_has_no_sense_is_taken_to_the_letter(
    here: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(line, here) == [str(here), *shlex.split(line)]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("line", "half"),
    [
        ("train garden", "train garden --batch-size 16"),
        ("train flowers -q", "train flowers -q --batch-size 8"),
        ("train garden -b 5 --freeze", "train garden --freeze --batch-size 2"),
        ("train garden --batch-size=64", "train garden --batch-size 32"),
        ("embed photos out.npy -b16", "embed photos out.npy --batch-size 8"),
        ("layers squares", "layers squares --batch-size 8"),
        ("train garden -b 3", None),
        ("project squares", None),
        ("train garden --epochs 0", None),
        ("nothing of the kind", None),
    ],
)
def test_half_the_batch(line: str, half: str | None) -> None:
    assert halved(line.split()) == (half.split() if half else None)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_asked(name: str) -> None:
    assert group.get_command(None, name) is not None  # type: ignore[arg-type]
    parsed([name])


def test_all_settings_of_a_training_are_options_of_the_command() -> None:
    settings = set(TrainSettings().to_dict())
    assert set(CHOSEN) == settings - {"backbone"}
    params = parsed(["train", "garden"])
    assert params is not None and settings <= set(params)


def test_asked_for_in_other_words_a_job_is_one(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "PROGRAM", (str(ROOT / "tests" / "jobs_worker.py"),))
    stop = here / "stop"
    monkeypatch.chdir(here)
    blocking = start(["train", "pretend", str(stop)], title="Hold the queue")
    first = start(["train", "photos", "--seed", "7", "--epochs", "1"], title="One")
    monkeypatch.chdir(here / "below")
    second = start(["train", "--epochs=1", "../photos", "-s", "7", "-q"], title="Two")
    third = start(["train", "../photos", "-s", "8"], title="Three")
    for job in (third, first, blocking):
        job.cancel()
    assert first == second and first != third
