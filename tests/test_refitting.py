"""Other heads on one body: against training anew, scikit-learn, and a process that stands by."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from embedlab import standby
from embedlab.cli import group, main
from embedlab.data.sources import load_dataset
from embedlab.errors import EmbedlabError
from embedlab.experiment import train
from embedlab.files import PARTIAL
from embedlab.home import home
from embedlab.layers import kept_layers
from embedlab.models.settings import HeadSettings
from embedlab.pairing import differences
from embedlab.refitting import Refit, head_words, in_words, keep, refit
from embedlab.runs import Run, open_run
from embedlab.standby import Standby
from embedlab.views import UmapSettings, kept_umap

from .conftest import ROOT
from .made_pictures import coloured
from .made_runs import changed, made_run

# A body with dropout before its head.
FROZEN: dict[str, Any] = {
    "backbone": "mobilenet_v2",
    "size": 32,
    "freeze": True,
    "epochs": 4,
    "batch_size": 8,
}


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Give a run whose head was trained on a frozen body, from a file of weights."""
    place = tmp_path_factory.mktemp("frozen")
    drawn = train(coloured(40), folder=place / "drawn", weights="random", **FROZEN)
    weights = str(drawn.folder / "body.safetensors")
    return train(coloured(40), folder=place / "run", weights=weights, **FROZEN)


def test_a_refitted_head_is_the_one_that_training_finds(frozen: Run, tmp_path: Path) -> None:
    assert frozen.info["dropout"] == 0.2
    other = {"learning_rate": 0.02, "seed": 9, "epochs": 6, "schedule": "one-cycle"}
    own = {**FROZEN, "weights": frozen.info["training"]["weights"], **other}
    trained = train(coloured(40), folder=tmp_path / "trained", **own)
    found = refit(frozen, batch_size=8, **other)
    assert trained.head is not None and frozen.head is not None
    np.testing.assert_array_equal(found.head.weight, trained.head.weight)
    np.testing.assert_array_equal(found.head.bias, trained.head.bias)
    assert not np.array_equal(found.head.weight, frozen.head.weight)
    assert trained.probabilities is not None
    np.testing.assert_array_equal(found.probabilities, trained.probabilities)
    assert found.share.correct == trained.info["metrics"]["validation"]["correct"]
    kept = keep(found, folder=tmp_path / "kept")
    for name in ("metrics", "training", "command", "classes", "split", "dataset", "dropout"):
        assert kept.info[name] == trained.info[name], name
    pd.testing.assert_frame_equal(kept.items, trained.items)
    assert kept.head is not None
    np.testing.assert_array_equal(kept.head.weight, trained.head.weight)
    np.testing.assert_array_equal(kept.embeddings, trained.embeddings)


@pytest.mark.real
def test_on_real_photos_it_is_the_head_of_training_and_as_good_as_scikit_learns(
    shared: Path, tmp_path: Path
) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    photos = load_dataset(shared / "data" / "flower_photos", limit=300)
    asked: dict[str, Any] = {
        "backbone": "mobilenet_v2",
        "weights": str(shared / "weights" / "mobilenet_v2-imagenet.pth"),
        "size": 96,
        "freeze": True,
    }
    run = train(photos, folder=tmp_path / "first", **asked)
    again = train(photos, folder=tmp_path / "again", learning_rate=3e-4, seed=5, **asked)
    found = refit(run, learning_rate=3e-4, seed=5)
    assert again.head is not None and run.labels is not None and run.info["dropout"] > 0
    np.testing.assert_array_equal(found.head.weight, again.head.weight)
    np.testing.assert_array_equal(found.head.bias, again.head.bias)
    learn, held = run.split == "train", run.split == "validation"
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    reference.fit(run.embeddings[learn], run.labels[learn])
    theirs = reference.score(run.embeddings[held], run.labels[held])
    assert found.share.value > theirs - 0.1 and found.share.value > 0.6


def test_a_kept_head_is_a_whole_run_and_takes_little_space(frozen: Run, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in frozen.folder.rglob("*")}
    kept = keep(refit(frozen, learning_rate=0.01, seed=2))
    body = "coloured, MobileNetV2, head alone, weights body, 32 px"
    assert frozen.title == f"{body}, 4 epochs, batch 8"
    assert kept.title == f"{body}, learning rate 0.01, seed 2"
    assert open_run(kept.id).fingerprint == kept.fingerprint != frozen.fingerprint
    assert {path: path.stat().st_mtime_ns for path in frozen.folder.rglob("*")} == before
    assert kept.vector_sets == frozen.vector_sets and kept.body is not None
    assert (kept.folder / "body.onnx").read_bytes() == (frozen.folder / "body.onnx").read_bytes()
    assert (frozen.folder / "body.onnx").stat().st_nlink > 1 or kept.folder.stat().st_dev != (
        frozen.folder.stat().st_dev
    )
    assert [kept.thumbnails[i] for i in range(40)] == [frozen.thumbnails[i] for i in range(40)]
    assert len(kept.history) == 20 and kept.history[-1]["validation_loss"] > 0
    told = dict(differences([frozen, kept]))
    assert told["learning rate"] == ["0.001", "0.01"] and told["seed"] == ["123", "2"]
    assert not any(name.startswith("head's") for name in told)
    # Refitted once more, it is still named after the body.
    assert keep(refit(kept)).title == f"{body}, usual settings"
    with pytest.raises(EmbedlabError, match="something at"):
        keep(refit(frozen), folder=kept.folder)


def test_a_kept_head_has_what_was_drawn_and_computed_of_the_body() -> None:
    run = made_run(home("runs") / "squares")
    drawn = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    run.save_projection(UmapSettings().key(run), coordinates=drawn)
    (run.folder / "vectors" / f"{PARTIAL}01234567-half.npy").write_bytes(b"being written")
    kept = keep(refit(keep(refit(run, epochs=1)), epochs=2))
    assert kept.fingerprint != run.fingerprint
    found = kept_umap(kept)
    assert found is not None
    np.testing.assert_array_equal(found, drawn)
    assert not list(kept.folder.rglob(f"{PARTIAL}*"))


def test_what_the_annex_holds_is_kept_too() -> None:
    garden = open_run("garden")
    garden.add_vectors("more", np.ones((garden.n_items, 2), np.float32), {"what": "ones"})
    garden.save_projection("more", coordinates=np.zeros((3, 2)))
    assert not (garden.folder / "vectors" / "more.npy").exists()
    kept = keep(refit(garden, epochs=1))
    assert kept.vector_sets == garden.vector_sets and "more" in kept.vector_sets
    assert kept.about_vectors("more") == {"what": "ones"}
    assert (kept.folder / "projections" / "more.npz").exists()
    assert kept_layers(kept) is not None


def test_a_kept_head_leaves_the_files_that_it_shares_as_they_are() -> None:
    run = made_run(home("runs") / "squares")
    weights = run.folder / "body.safetensors"
    weights.write_bytes(b"shared")
    weights.chmod(0o440)
    kept = keep(refit(run, epochs=1))
    assert (kept.folder / "body.safetensors").read_bytes() == b"shared"
    if (kept.folder / "body.safetensors").stat().st_nlink > 1:
        assert weights.stat().st_mode & 0o777 == 0o440


def test_a_keep_that_is_killed_leaves_nothing_for_long() -> None:
    """Killed at whatever it writes, it leaves no run, and the next keep sweeps up after it."""
    run = made_run(home("runs") / "squares")
    run.save_projection("kept", coordinates=np.zeros((60, 2), np.float32))
    killed = (
        "import os, sys, shutil\n"
        "from embedlab import refitting, runs\n"
        "from embedlab.runs import saving\n"
        "def dies(*_, **__): os._exit(9)\n"
        "found = refitting.refit(runs.open_run('squares'), epochs=1)\n"
        "setattr(*{'link': (os, 'link', dies), 'save': (saving, 'write_json', dies),\n"
        "    'move': (shutil, 'move', dies)}[sys.argv[1]])\n"
        "refitting.keep(found)\n"
    )
    for stage in ("link", "save", "move"):
        done = subprocess.run([sys.executable, "-c", killed, stage], check=False, cwd=ROOT)
        assert done.returncode == 9
        assert list(home("cache").glob(f"{PARTIAL}*"))
        assert [path.name for path in home("runs").iterdir() if path.name[0] != "."] == ["squares"]
    kept = keep(refit(run, epochs=1))
    assert kept.load_projection("kept") is not None
    assert not list(home().rglob(f"{PARTIAL}*"))


def test_the_seed_of_a_random_body_stays_its_own(frozen: Run) -> None:
    drawn = Run(frozen.folder.parent / "drawn")
    same = keep(refit(drawn, learning_rate=0.01))
    assert same.info["command"].startswith("embedlab train coloured ")
    other = keep(refit(drawn, seed=9))
    assert other.info["command"].startswith("embedlab heads drawn --keep ")
    assert other.info["training"]["seed"] == 123 and "new head" in other.title
    assert dict(differences([drawn, other]))["head's seed"] == ["–", "9"]


def test_a_head_on_a_body_that_was_trained_says_so() -> None:
    run = made_run(home("runs") / "squares")
    (run.folder / "film.npz").write_bytes(b"of the first training")
    run.save_projection("kept", coordinates=np.zeros((60, 2), np.float32))
    kept = keep(refit(run, learning_rate=0.01))
    assert kept.title == "squares, new head, learning rate 0.01"
    assert kept.info["command"] == "embedlab heads squares --keep --learning-rate 0.01"
    assert not (kept.folder / "film.npz").exists() and kept.load_projection("kept") is not None
    told = dict(differences([run, kept]))
    assert told["head's learning rate"] == ["–", "0.01"]
    assert keep(refit(kept)).title == "squares, new head, usual settings"


def test_a_refitted_head_comes_near_the_best_there_is() -> None:
    """The same loss as scikit-learn's, where the clouds overlap so that there is a best head."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    run = made_run(home("runs") / "near", per_class=(60, 60, 60), n_dims=3, scale=0.3)
    learn = run.split == "train"
    assert run.labels is not None
    noisy = run.labels.copy()
    noisy[::4] = (noisy[::4] + 1) % 3
    run = changed(run, label=[run.classes[k] for k in noisy])
    x, y = run.embeddings[learn], noisy[learn]
    best = LogisticRegression(C=1e6, max_iter=5000).fit(x, y)
    least = log_loss(y, best.predict_proba(x))
    found = refit(run, epochs=300, learning_rate=0.02, schedule="one-cycle")
    ours = log_loss(y, found.probabilities[learn], labels=[0, 1, 2])
    assert ours == pytest.approx(least, abs=1e-4)
    assert found.history[-1]["loss"] == pytest.approx(ours, abs=0.01)


def test_what_cannot_be_refitted_is_said() -> None:
    with pytest.raises(EmbedlabError, match="no classes"):
        refit(made_run(home("runs") / "unlabelled", labelled=False))
    run = made_run(home("runs") / "squares")
    with pytest.raises(EmbedlabError, match="no setting called 'rate'"):
        refit(run, rate=1)
    with pytest.raises(EmbedlabError, match="learning_rate is 0"):
        refit(run, learning_rate=0)
    run.split = np.full(60, "validation")
    with pytest.raises(EmbedlabError, match="at least 2"):
        refit(run)


def test_settings_in_words_and_as_options() -> None:
    odd = HeadSettings(3, 0.5, 4, 7, 0.1, "one-cycle", 0.01)
    assert in_words(odd) == (
        "3 epochs, learning rate 0.5, one-cycle, batch 4, smoothing 0.1, decay 0.01, seed 7"
    )
    assert in_words(HeadSettings(epochs=1, learning_rate=0.01)) == "1 epoch, learning rate 0.01"
    near = HeadSettings(learning_rate=0.012345671), HeadSettings(learning_rate=0.012345672)
    assert in_words(near[0]) != in_words(near[1])  # they stand side by side on the page
    made_run(home("runs") / "squares")
    words = ["heads", "squares", *head_words(odd), "--no-others", "--json", "-q"]
    done = CliRunner().invoke(group, words, catch_exceptions=False)
    assert json.loads(done.output)[1]["settings"] == asdict(odd)


def test_the_command_tries_every_rate_with_every_seed() -> None:
    run = made_run(home("runs") / "squares")
    words = ["heads", "squares", "--lr", "0.01", "--lr", "0.1", "-s", "1", "-s", "2", "-q"]
    done = CliRunner().invoke(group, [*words, "--keep", "--json"], catch_exceptions=False)
    rows = json.loads(done.output)
    linear = [row for row in rows if "settings" in row]
    asked = [(row["settings"]["learning_rate"], row["settings"]["seed"]) for row in linear]
    assert asked == [(0.01, 1), (0.01, 2), (0.1, 1), (0.1, 2)]
    for row in linear:
        found = refit(run, **row["settings"])
        assert (row["correct"], row["total"]) == (found.share.correct, 12)
        kept = open_run(row["run"]).head
        assert kept is not None
        np.testing.assert_array_equal(kept.weight, found.head.weight)
    assert rows[0]["head"] == "own head" and [row["head"] for row in rows[-4:]] == [
        "Class means",
        "10 nearest neighbours",
        "Logistic regression",
        "LDA",
    ]
    done = CliRunner().invoke(group, [*words, "--no-others"], catch_exceptions=False)
    said = [line for line in done.output.splitlines() if "of 12" in line]
    assert len(said) == 5 and "own head" in said[0] and "linear, learning rate 0.1" in said[-1]
    assert "kept" not in done.output


def test_one_rate_that_is_too_high_loses_no_other() -> None:
    made_run(home("runs") / "squares")
    words = ["heads", "squares", "-q", "--no-others", "--weight-decay", "100", "--keep", "--json"]
    rates = ["--lr", "100", "--lr", "0.01", "--lr", "0.01"]
    done = CliRunner().invoke(group, [*words, *rates])
    assert done.exit_code == 1 and isinstance(done.exception, EmbedlabError)
    said = str(done.exception)
    assert said.startswith("1 of 2 heads could not be fitted, the first with learning rate 100")
    assert "left the finite numbers" in said and "below 100" in said
    (row,) = (row for row in json.loads(done.stdout) if "settings" in row)
    assert row["settings"]["learning_rate"] == 0.01 and open_run(row["run"]).head is not None
    done = CliRunner().invoke(group, [*words, "--lr", "100"])
    assert isinstance(done.exception, EmbedlabError) and not done.stdout
    assert str(done.exception).startswith("The loss left")


def test_a_full_disk_is_one_line_in_a_terminal_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made_run(home("runs") / "squares")
    error = OSError(errno.ENOSPC, "No space left on device", str(run.folder / "x"))

    def fails(_: Refit) -> None:
        raise error

    monkeypatch.setattr("embedlab.refitting.keep", fails)
    with pytest.raises(SystemExit) as ended:
        main(["heads", "squares", "-q", "--epochs", "1", "--keep"])
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("embedlab: The disk is full.") and str(run.folder / "x") in line
    error = OSError("something that nobody foresaw")
    with pytest.raises(OSError, match="foresaw"):
        main(["heads", "squares", "-q", "--epochs", "1", "--keep"])


def test_vectors_that_are_not_finite_are_left_out() -> None:
    run = made_run(home("runs") / "squares")
    held, learn = (np.flatnonzero(run.split == part) for part in ("validation", "train"))
    embeddings = np.array(run.embeddings)
    embeddings[held[0]], embeddings[learn[0]], embeddings[learn[1]] = np.nan, np.inf, 0
    np.save(run.folder / "embeddings.npy", embeddings)
    found = refit(Run(run.folder))
    assert found.share.total == len(held) - 1
    assert found.history[-1]["validation_accuracy"] == pytest.approx(found.share.value)
    metrics = keep(found).info["metrics"]
    assert metrics["validation"]["total"] == len(held) - 1
    assert metrics["train"]["total"] == len(learn) - 1


def test_a_run_that_does_not_say_what_was_dropped_promises_nothing(
    frozen: Run, tmp_path: Path
) -> None:
    old = shutil.copytree(frozen.folder, tmp_path / "old")
    info = json.loads((old / "run.json").read_text())
    del info["dropout"]
    (old / "run.json").write_text(json.dumps(info))
    kept = keep(refit(Run(old), epochs=1))
    assert kept.info["command"].startswith("embedlab heads ") and "new head" in kept.title


# ---- the process that stands by ----------------------------------------------


@pytest.fixture
def helper() -> Iterator[Standby]:
    made = Standby()
    yield made
    made.close()


def test_the_process_that_stands_by_finds_the_same(helper: Standby) -> None:
    run = made_run(home("runs") / "squares")
    settings = HeadSettings(learning_rate=0.01, seed=4)
    helper.wake()
    expected: Refit = refit(run, settings)
    found = helper.fit(run, settings)
    np.testing.assert_array_equal(found.guesses, expected.guesses)
    for ours, theirs in zip(found.history, expected.history, strict=True):
        assert ours["loss"] == theirs["loss"]
    kept = open_run(helper.keep(run, settings)).head
    assert kept is not None
    np.testing.assert_array_equal(kept.weight, expected.head.weight)


def test_it_says_what_is_wrong_and_goes_on(helper: Standby) -> None:
    run = made_run(home("runs") / "squares")
    bare = made_run(home("runs") / "bare", labelled=False)
    with pytest.raises(EmbedlabError, match="no classes") as error:
        helper.fit(bare, HeadSettings())
    assert error.value.remedy
    with pytest.raises(EmbedlabError, match="left the finite"):
        helper.fit(run, HeadSettings(learning_rate=100.0, weight_decay=100.0))
    assert helper.fit(run, HeadSettings()).guesses.shape == (60,)
    assert helper._process is not None
    helper._process.kill()  # as when memory is short
    assert helper.fit(run, HeadSettings()).guesses.shape == (60,)


def test_it_ends_when_nobody_asks_and_with_its_owner() -> None:
    idle = Standby(idle=0.2)
    idle.wake()
    process = idle._process
    assert process is not None and process.wait(60) == 0
    run = made_run(home("runs") / "squares")
    idle.close()
    patient = Standby()
    assert patient.fit(run, HeadSettings()).seconds > 0
    process = patient._process
    assert process is not None and process.poll() is None
    del patient
    assert process.wait(30) is not None


def test_one_that_cannot_start_is_no_riddle(
    helper: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made_run(home("runs") / "squares")
    monkeypatch.setattr(standby.sys, "executable", "/bin/false")
    with pytest.raises(EmbedlabError, match="ended before it answered"):
        helper.fit(run, HeadSettings())
    monkeypatch.setattr(standby.sys, "executable", str(run.folder / "nothing"))
    helper.wake()  # in answer to a click: nobody is bothered before asking for a head
    with pytest.raises(EmbedlabError, match="cannot be started"):
        helper.fit(run, HeadSettings())


def test_half_an_answer_is_none(helper: Standby, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed while it writes leaves a line without an end."""
    run = made_run(home("runs") / "squares")
    halved = home() / "python"
    halved.write_text("#!/bin/sh\nread request\nprintf '{\"guesses\": [0, 1'\n")
    halved.chmod(0o755)
    monkeypatch.setattr(standby.sys, "executable", str(halved))
    with pytest.raises(EmbedlabError, match="ended before it answered"):
        helper.fit(run, HeadSettings())


def test_it_needs_no_home_that_can_be_written_to(
    helper: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made_run(home("runs") / "squares")
    # A folder where the log would be cannot be written to, whoever tries.
    (home("cache") / "standby.txt").mkdir()
    assert helper.fit(run, HeadSettings()).guesses.shape == (60,)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "Memory did not suffice"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "The disk is full"),
        (KeyError("split"), "Unforeseen: KeyError: 'split'"),
    ],
)
def test_it_says_in_words_what_went_wrong(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("embedlab.refitting.refit", fails)
    run = made_run(home("runs") / "squares")
    request = {"do": "fit", "run": str(run.folder), "settings": {}}
    problem, remedy = standby._answer(request)["error"]
    assert problem.startswith(said) and remedy


# ---- the page ----------------------------------------------


def opened(run: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90).run()
    app.query_params["run"] = run
    app.query_params["compare-view"] = "Heads on one body"
    app.query_params["compare-view-alone"] = "Heads on one body"
    return app.switch_page("pages/compare.py").run()


def heads_of(app: AppTest) -> dict[str, str]:
    table = app.dataframe[-1].value
    return dict(zip(table["head"], table["right"], strict=True))


@pytest.fixture
def _released() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()  # and the process with them


@pytest.mark.usefixtures("_released")
def test_heads_are_tried_kept_and_put_away_on_the_page() -> None:
    run = made_run(home("runs") / "squares", per_class=(40, 40, 40), n_dims=3, scale=0.2)
    app = opened("squares")
    assert not app.exception and "Linear, usual settings" not in heads_of(app)
    app.number_input(key="refit-rate").set_value(0.01).run()
    app.button(key="refit-start").click().run()
    app.number_input(key="refit-seed").set_value(5).run()
    app.button(key="refit-start").click().run()
    assert not app.exception and not app.error
    shown = heads_of(app)
    for settings in ({"learning_rate": 0.01}, {"learning_rate": 0.01, "seed": 5}):
        found = refit(run, **settings)
        assert shown[f"Linear, {in_words(found.settings)}"] == f"{found.share.correct} of 24"
    app.button(key="keep-squares-learning rate 0.01, seed 5").click().run()
    assert not app.exception
    kept = open_run("squares-new-head-learning-rate-0.01-seed-5")
    assert kept.info["metrics"]["validation"]["total"] == 24
    app.button(key="drop-squares-learning rate 0.01").click().run()
    assert "Linear, learning rate 0.01" not in heads_of(app)
    assert "Linear, learning rate 0.01, seed 5" in heads_of(app)


@pytest.mark.usefixtures("_released")
def test_what_is_typed_counts_though_the_click_follows_at_once() -> None:
    made_run(home("runs") / "squares")
    app = opened("squares")
    app.number_input(key="refit-seed").set_value(5)  # arrives together with the click
    app.button(key="refit-start").click().run()
    assert not app.exception and "Linear, seed 5" in heads_of(app)
    assert "Linear, usual settings" not in heads_of(app)
    # What cannot be is said, and nothing is fitted in its place, then or later.
    app.number_input(key="refit-rate").set_value(-0.5)
    app.button(key="refit-start").click().run()
    assert any("learning" in one.value and "-0.5" in one.value for one in app.warning)
    assert not app.exception and app.button(key="refit-start").disabled
    app.number_input(key="refit-rate").set_value(0.001).run()
    assert [name for name in heads_of(app) if "Linear" in name] == ["Linear, seed 5"]
    # The same where what is typed is what the button is closed for.
    app.number_input(key="refit-epochs").set_value(10_000)
    app.number_input(key="refit-batch").set_value(2)
    app.button(key="refit-start").click().run()
    assert not app.exception and app.button(key="refit-start").disabled
    app.number_input(key="refit-epochs").set_value(20).run()
    assert [name for name in heads_of(app) if "Linear" in name] == ["Linear, seed 5"]


@pytest.mark.usefixtures("_released")
def test_five_seeds_tell_how_far_the_seed_moves_it() -> None:
    run = made_run(home("runs") / "squares", per_class=(40, 40, 40), n_dims=3, scale=0.2)
    app = opened("squares")
    app.number_input(key="refit-epochs").set_value(2).run()
    app.button(key="refit-seeds").click().run()
    assert not app.exception and not app.error
    values = [refit(run, epochs=2, seed=seed).share.value for seed in range(123, 128)]
    assert len(set(values)) > 1
    mean, spread = np.mean(values), 100 * np.std(values, ddof=1)
    said = next(one.value for one in app.markdown if "5 seeds: mean" in one.value)
    assert f"2 epochs, 5 seeds: mean **{mean:.1%}**, standard deviation {spread:.1f}" in said
    assert sum("Linear" in name for name in heads_of(app)) == 5


@pytest.mark.usefixtures("_released")
def test_a_head_that_fails_is_said_once_and_is_gone() -> None:
    made_run(home("runs") / "squares")
    app = opened("squares")
    app.number_input(key="refit-rate").set_value(100.0).run()
    app.number_input(key="refit-decay").set_value(10.0).run()
    app.number_input(key="refit-epochs").set_value(2000).run()
    app.button(key="refit-start").click().run()
    assert not app.exception and "left the finite numbers" in app.warning[0].value
    app.number_input(key="refit-seed").set_value(5).run()
    assert not app.warning and not app.exception


def test_what_is_waited_for_is_said_below_the_button(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `tried` stands on the page, there its words stand while a head is fitted."""

    def waiting(run: Run) -> list[standby.Fitted]:
        st.markdown("Fitting a head")
        return []

    monkeypatch.setattr("embedlab.ui.compare.heads.tried", waiting)
    made_run(home("runs") / "squares")
    app = opened("squares")
    assert not app.exception
    words = {"button": "label", "markdown": "value"}
    order = [getattr(one, words[one.type]) for one in app.main if one.type in words]
    assert order.index("Fitting a head") > order.index("Fit it")
    assert heads_of(app)


def test_too_many_steps_are_for_the_command_line() -> None:
    made_run(home("runs") / "squares")
    app = opened("squares")
    app.number_input(key="refit-epochs").set_value(10_000).run()
    app.number_input(key="refit-batch").set_value(2).run()
    assert app.button(key="refit-start").disabled
    assert any("240,000 steps" in one.value for one in app.warning)


def test_a_public_server_fits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDLAB_PUBLIC", "1")
    made_run(home("runs") / "squares")
    app = opened("squares")
    app.session_state[f"refit-tried-{open_run('squares').fingerprint}"] = [HeadSettings()]
    monkeypatch.setattr(Standby, "fit", lambda *_: pytest.fail("something was fitted"))
    app.run()
    assert not app.exception and "Linear, usual settings" not in heads_of(app)
    assert not any(one.key == "refit-start" for one in app.button)
    assert any("embedlab heads squares" in one.value for one in app.code)
