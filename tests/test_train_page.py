"""The page that trains: the form, the jobs that it starts, what it shows while and after."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from embedlab.estimate import Cost, keep_cost, kept_cost
from embedlab.home import home
from embedlab.jobs import Job, Status, list_jobs, start, wait
from embedlab.jobs import job as job_module
from embedlab.live import LiveWriter, as_history, read_live
from embedlab.models.recipes import settings_for
from embedlab.pairing import siblings
from embedlab.runs import Run, open_run
from embedlab.space.scores import wilson
from embedlab.ui.text import plain
from embedlab.ui.train_watch import is_training

from .conftest import ROOT
from .made_films import snapshots
from .made_pictures import coloured
from .made_runs import made_run

WORKER = str(ROOT / "tests" / "jobs_worker.py")


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let jobs be done by a stand-in that does nothing; forget what other tests computed."""
    monkeypatch.setattr(job_module, "PROGRAM", (WORKER,))
    st.cache_resource.clear()
    yield
    for job in list_jobs():
        job.cancel()


def opened(**query: str) -> AppTest:
    if not (home("runs") / "squares").exists():
        made_run(home("runs") / "squares")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    for name, value in query.items():
        app.query_params[name] = value
    return app.switch_page("pages/train.py").run()


def texts(app: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "warning", "error")
    return "\n".join(str(one.value) for kind in kinds for one in getattr(app, kind))


def command(app: AppTest) -> str:
    return next(one.value for one in app.code if one.value.startswith("embedlab train"))


def button(app: AppTest, label: str) -> Any:
    return next(one for one in app.button if one.label == label)


# ---- the form ----------------------------------------


def test_the_command_shown_is_the_job_that_is_started() -> None:
    app = opened()
    assert not app.exception and not app.error
    assert command(app) == "embedlab train garden --backbone small"
    assert "They are drawn first, once" in texts(app)
    app.number_input(key="train-epochs-small-all").set_value(3)
    app.number_input(key="train-seed").set_value(7)
    app.slider(key="train-fraction").set_value(0.3)
    app.number_input(key="train-limit").set_value(100)
    app.text_input(key="train-name").set_value("three & more").run()
    assert command(app) == (
        "embedlab train garden --backbone small --epochs 3 --seed 7 --limit 100 "
        "--name 'three & more' --validation 0.3"
    )
    words = shlex.split(command(app))[1:]
    button(app, "Start training").click().run()
    (job,) = list_jobs()
    assert list(job.arguments) == words and app.query_params["job"] == job.id
    assert job.title == "Train three & more"


def test_what_is_typed_counts_though_the_click_follows_at_once() -> None:
    app = opened()
    app.number_input(key="train-seed").set_value(7)  # arrives together with the click
    button(app, "Start training").click().run()
    (job,) = list_jobs()
    assert not app.exception and job.arguments[-2:] == ("--seed", "7")
    assert app.query_params["job"] == job.id
    app.run()  # one click, one job
    assert len(list_jobs()) == 1


def test_trainings_that_differ_can_be_told_apart_in_the_queue() -> None:
    app = opened()
    button(app, "Start training").click().run()
    app.number_input(key="train-epochs-small-all").set_value(3)
    app.number_input(key="train-rate-small-all").set_value(0.01)
    app.number_input(key="train-seed").set_value(7)
    app.number_input(key="train-limit").set_value(100).run()
    button(app, "Start training").click().run()
    titles = [job.title for job in list_jobs()]
    assert titles == [
        "Train Small net on garden, 3 epochs, learning rate 0.01, seed 7, 100 pictures",
        "Train Small net on garden",
    ]


def test_usual_settings_follow_the_backbone_and_the_freeze() -> None:
    app = opened()
    app.selectbox(key="train-set").set_value("flowers").run()
    assert command(app) == "embedlab train flowers --backbone efficientnet_b0"
    app.toggle(key="train-freeze").set_value(True).run()
    assert command(app).endswith("--backbone efficientnet_b0 --freeze")
    assert app.number_input(key="train-epochs-efficientnet_b0-head").value == 20
    app.selectbox(key="train-backbone-efficientnet_b0").set_value("vit_b_16").run()
    assert app.number_input(key="train-size-vit_b_16").disabled
    assert not app.exception


def test_it_says_what_has_to_be_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("EMBEDLAB_DATASETS", raising=False)
    app = opened()
    app.selectbox(key="train-set").set_value("flowers").run()
    assert "The pictures, 229 MB, are downloaded and verified first" in texts(app)
    assert "are not on this machine and are downloaded first" in texts(app)
    (home("weights") / "efficientnet_b0_rwightman-7f5810bc.pth").touch()
    assert "Its weights are on this machine" in texts(app.run())


def test_it_says_how_long_it_takes() -> None:
    app = opened()
    assert "guessed from the network's arithmetic" in texts(app)
    button(app, "Measure it").click().run()
    job = list_jobs()[0]
    assert job.arguments[-1] == "--how-long" and not is_training(job)
    keep_cost(settings_for("small", {}), Cost(0.001, 0.001, "CPU, 2 cores"))
    wait(job, timeout=20)
    app = opened()
    # 8 s to begin with, 44 epochs of 600 pictures at 1.1 ms, 750 ms to embed
    assert r"**About 40 s**, as measured on this machine (CPU, 2 cores)" in texts(app)
    button(app, "Measure again").click().run()
    assert list_jobs()[0].arguments == job.arguments and list_jobs()[0] != job
    app.selectbox(key="train-device").set_value("cuda").run()
    assert "guessed from" in texts(app) and button(app, "Measure it"), (
        "another device, another cost"
    )


def test_a_folder_is_looked_into(tmp_path: Path) -> None:
    for name, n in (("a*b", 3), ("c", 2)):
        (tmp_path / "sorted" / name).mkdir(parents=True)
        for i in range(n):
            (tmp_path / "sorted" / name / f"{i}.jpg").write_bytes(b"\xff\xd8\xff")
    app = opened()
    app.segmented_control(key="train-kind").set_value("folder").run()
    assert button(app, "Start training").disabled
    app.text_input(key="train-folder").set_value(str(tmp_path / "sorted")).run()
    assert "5 files that may be pictures, in 2 classes" in texts(app)
    assert command(app).startswith(f"embedlab train {tmp_path / 'sorted'} --backbone effic")
    app.text_input(key="train-folder").set_value(str(tmp_path / "sorted" / "c")).run()
    assert "nothing to tell apart" in texts(app) and button(app, "Start training").disabled
    app.text_input(key="train-folder").set_value(str(tmp_path / "none")).run()
    assert "There is nothing at" in texts(app) and not app.exception
    (tmp_path / "notes.txt").write_text("no pictures")
    app.text_input(key="train-folder").set_value(str(tmp_path / "notes.txt")).run()
    assert "neither an archive nor arrays" in texts(app) and not app.exception
    assert button(app, "Start training").disabled
    np.savez(tmp_path / "arrays.npz", x=np.zeros((4, 8, 8, 3), np.uint8), y=[0, 0, 1, 1])
    app.text_input(key="train-folder").set_value(str(tmp_path / "arrays.npz")).run()
    assert "neither an archive" not in texts(app) and not button(app, "Start training").disabled


def test_an_archive_is_kept_under_its_content() -> None:
    app = opened()
    app.segmented_control(key="train-kind").set_value("archive").run()
    app.file_uploader(key="train-archive").set_value(
        ("../my photos.zip", b"PK\x05\x06" + bytes(18), "application/zip")
    ).run()
    (kept,) = home("uploads").rglob("*.zip")
    assert kept.name == "my-photos.zip" and str(kept) in command(app)
    assert "for 1,000 pictures" in texts(app)


def test_a_weights_file_must_be_named() -> None:
    app = opened()
    app.segmented_control(key="train-weights-small").set_value("file").run()
    assert "Give the path of a file" in texts(app) and button(app, "Start training").disabled
    app.text_input(key="train-weights-file").set_value("/some/body.safetensors").run()
    assert "--weights /some/body.safetensors" in command(app)


def test_strangers_get_an_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDLAB_PUBLIC", "1")
    app = opened()
    assert not app.exception and not app.button and not app.text_input
    assert "does not train for visitors" in texts(app)


# ---- while it runs ----------------------------------------


def standing(job: Job, state: str, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    status = replace(job.status(), state=state, stage="training", done=6, total=8, **fields)
    monkeypatch.setattr(Job, "status", lambda _: status)


def test_a_closed_tab_finds_the_training_again_and_the_map_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = start(["train", "garden"], title="Train on <b>")
    wait(job, timeout=20)
    writer = LiveWriter(job.folder / "live", coloured(12), epochs=2)
    for shot in snapshots()[:3]:
        writer.snapshot(shot)
    writer.epoch({"event": "epoch", "epoch": 1.0, "step": 4, "loss": 0.7, "validation_loss": 0.6})
    with (job.folder / "history.jsonl").open("w") as file:
        for done in range(1, 7):
            line = {"stage": "training", "done": done, "total": 8, "loss": 1 / done}
            file.write(json.dumps(line) + "\n")
    standing(job, "running", monkeypatch, facts={"loss": 0.5, "rate": 12.0})
    monkeypatch.setattr("embedlab.ui.train_watch.queue", lambda: [job])
    app = opened()
    assert not app.exception
    assert app.query_params["job"] == job.id  # so that it is the one still when it has ended
    assert app.get("progress")[0].proto.value == 75
    readings = [(one.label, one.value) for one in app.metric]
    assert readings == [("loss", "0.5"), ("pictures/s", "12")]
    assert any("loss 0.5, 12 pictures/s" in one.value for one in app.caption)  # in the queue
    film = next(one for one in app.get("bidi_component") if "film_player" in str(one.proto))
    assert "live-" in film.proto.id
    loss = next(one for one in app.get("plotly_chart") if "loss" in one.proto.id)
    training, validation = json.loads(loss.proto.spec)["data"]
    assert training["x"] == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5]
    assert training["y"] == pytest.approx([1 / k for k in range(1, 7)])
    assert (validation["x"], validation["y"]) == ([1.0], [0.6])
    assert "Train another network" in [one.value for one in app.subheader]


def test_readings_become_a_history() -> None:
    readings = [
        {"stage": "embedding", "done": 1, "total": 9},
        *({"stage": "training", "done": k, "total": 400, "loss": float(k)} for k in range(1, 121)),
        {"stage": "training", "done": 101, "total": 400, "loss": 0.5},  # taken up again
    ]
    found = as_history(readings, [{"epoch": 1.0, "loss": 9.0, "validation_loss": 3.0}], epochs=4)
    *points, epoch = found
    assert [line["epoch"] for line in points] == [
        *(k / 20 for k in range(1, 21)),
        1.01,
        *(k / 20 for k in range(22, 25)),
    ]
    assert points[3]["loss"] == 20 and points[20]["loss"] == 0.5
    assert epoch == {"epoch": 1.0, "validation_loss": 3.0}
    fitted = [
        {"stage": "fitting the head", "done": 3, "total": 20, "loss": 1.0, "validation_loss": 2.0}
    ]
    assert as_history(fitted, [], epochs=20)[0]["epoch"] == 3.0


def test_what_took_too_much_memory_is_started_again_with_half_the_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EMBEDLAB_MEMORY_LIMIT", "200e6")
    job = start(["train", "garden", "--name", "grow"], title="Train grow")
    status = wait(job, timeout=60)
    assert (status.state, status.cause) == ("failed", "memory")
    half = "train garden --name grow --batch-size 16"
    assert status.remedy.endswith(f"start it again with half the batch: embedlab {half}")
    app = opened()
    assert "0.2 GB of memory" in texts(app) and button(app, "Resume")
    button(app, "Start again with batch 16").click().run()
    again = list_jobs()[0]
    assert list(again.arguments) == half.split() and again.title == "Train grow, batch 16"
    assert app.query_params["job"] == again.id and not app.exception


# ---- afterwards ----------------------------------------


def finished(run: Run, monkeypatch: pytest.MonkeyPatch) -> Job:
    job = start(["train", "garden", "--seed", "5"], title="Train it")
    wait(job, timeout=20)
    standing(job, "done", monkeypatch, result={"run": run.id})
    return job


def with_confusion(run: Run, seed: int) -> Run:
    info = run.info
    held = info["metrics"]["validation"]
    n = held["total"] // 3
    held["confusion"] = [[n, 0, 0], [1, n - 1, 0], [0, 2, n - 2]]
    held["correct"] = 3 * n - 3
    info["training"] = {"seed": seed, "epochs": 2}
    (run.folder / "run.json").write_text(json.dumps(info))
    return Run(run.folder)


def test_another_seed_takes_the_place_of_the_one_in_the_title(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = with_confusion(made_run(home("runs") / "squares"), 5)
    title = "Train it, 2 epochs, seed 5, 90 pictures"
    job = start(["train", "garden", "--seed", "5"], title=title)
    wait(job, timeout=20)
    standing(job, "done", monkeypatch, result={"run": run.id})
    app = opened(job=job.id)
    button(app, "Once more with seed 6").click().run()
    assert list_jobs()[0].title == "Train it, 2 epochs, 90 pictures, seed 6"


def test_what_came_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    run = with_confusion(made_run(home("runs") / "squares"), 5)
    with_confusion(made_run(home("runs") / "other"), 9)
    job = finished(run, monkeypatch)
    app = opened(job=job.id)
    assert not app.exception and not app.error
    low, high = wilson(9, 12)
    assert next(one.value for one in app.metric if one.label == "Validation accuracy") == "75.0%"
    assert f"9 of 12 right; 95 % interval **{low:.1%} to {high:.1%}**" in texts(app)
    assert "Hardest class: blue, 2 of 4." in texts(app)
    assert "2 seeds: 75.0%, 75.0%; mean 75.0%, standard deviation 0.0 points." in texts(app)
    links = [one.proto for one in app.get("page_link")]
    assert {"Neighbours", "Compare"} <= {link.label for link in links}
    assert all("squares" in link.query_string for link in links)
    chart = next(one for one in app.get("plotly_chart") if "outcome-squares" in one.proto.id)
    assert json.loads(chart.proto.spec)["data"][0]["customdata"] is not None
    button(app, "Once more with seed 10").click().run()
    assert list_jobs()[0].arguments == ("train", "garden", "--seed", "10")


def test_who_comes_back_finds_the_newest_training_until_it_is_put_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = with_confusion(made_run(home("runs") / "squares"), 5)
    job = finished(run, monkeypatch)
    app = opened()
    assert next(one.value for one in app.metric if one.label == "Validation accuracy") == "75.0%"
    assert app.query_params["job"] == job.id
    button(app, "Put away").click().run()
    assert "job" not in app.query_params and not app.metric and not app.exception
    assert not opened().metric, "another visit"
    assert opened(job=job.id).metric, "a link still shows it"
    (job.folder / "dismissed").unlink()
    assert opened().metric
    wait(start(["train", "garden", "--how-long"], title="Time it"), timeout=20)
    assert opened().metric, "a measurement is no training"
    standing(job, "cancelled", monkeypatch)
    app = opened()
    assert "job" not in app.query_params, "whoever cancelled it knows"


def test_a_job_that_is_taken_up_again_is_brought_up_again() -> None:
    job = start(["fail"], title="Fail")
    wait(job, timeout=20)
    job.dismiss()
    assert job.dismissed
    job.resume()
    assert not job.dismissed


def test_a_run_that_is_gone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    run = made_run(home("runs") / "squares")
    job = finished(run, monkeypatch)
    standing(job, "done", monkeypatch, result={"run": "removed"})
    app = opened(job=job.id)
    assert not app.exception and "The run removed that it made is not on this" in texts(app)


def test_other_seeds_are_siblings_and_nothing_else_is() -> None:
    run = with_confusion(made_run(home("runs") / "a"), 1)
    other = with_confusion(made_run(home("runs") / "b"), 2)
    third = with_confusion(made_run(home("runs") / "c"), 3)
    third.info["training"]["epochs"] = 4
    fourth = with_confusion(made_run(home("runs") / "d"), 1)
    assert [one.id for one in siblings(run, [run, other, third, fourth])] == ["b"]


@pytest.mark.slow
def test_a_real_training_from_the_form_to_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "PROGRAM", ("-m", "embedlab"))
    app = opened()
    app.selectbox(key="train-set").set_value("digits").run()
    app.number_input(key="train-limit").set_value(80)
    app.number_input(key="train-size-small").set_value(16)
    app.number_input(key="train-epochs-small-all").set_value(2).run()
    button(app, "Start training").click().run()
    (job,) = list_jobs()
    status: Status = wait(job, timeout=240)
    assert status.state == "done", job.log_tail()
    run = open_run(str(status.result["run"]))
    assert run.n_items == 80 and "--limit 80" in command_of(run)
    live = read_live(job.folder / "live")
    assert live is not None and live.steps[0] == 0 and len(live.ids) == 16
    with np.load(run.folder / "film.npz") as film:
        assert set(film["steps"]) <= set(live.steps)
        final = film["probabilities"][-1].argmax(1)
    np.testing.assert_array_equal(live.predictions[-1], final)
    assert kept_cost(settings_for("small", {"epochs": 2, "size": 16})) is not None
    app = opened(job=job.id)
    held = run.info["metrics"]["validation"]
    assert f"{held['correct']} of 16 right" in texts(app)


def command_of(run: Run) -> str:
    return str(run.info["command"])


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [("epochs", 0, "epochs is 0"), ("rate", -1.0, "learning_rate"), ("seed", -1, "seed is -1")],
)
def test_a_number_that_cannot_be_is_said_and_nothing_is_started(
    field: str, value: float, named: str
) -> None:
    app = opened()
    key = "train-seed" if field == "seed" else f"train-{field}-small-all"
    app.number_input(key=key).set_value(value).run()
    assert plain(named) in texts(app) and button(app, "Start training").disabled
    assert not app.exception and not list_jobs()
