"""Jobs on a page: watched, cancelled, taken up, removed; a page is run anew once at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from embedlab.jobs import Job, Status, list_jobs, start, wait
from embedlab.jobs import job as job_module

APP = str(Path(__file__).parent / "apps" / "jobs_app.py")
WORKER = str(Path(__file__).with_name("jobs_worker.py"))


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(job_module, "PROGRAM", (WORKER,))
    yield
    for job in list_jobs():
        job.cancel()


def page(job: Job | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    if job is not None:
        app.query_params["job"] = job.id
    return app.run()


def stand_in(monkeypatch: pytest.MonkeyPatch, *statuses: Status) -> None:
    """Let jobs stand as given, one look after the other; the last one stays."""
    looks = list(statuses)
    monkeypatch.setattr(Job, "status", lambda _: looks.pop(0) if len(looks) > 1 else looks[0])


@pytest.fixture
def job() -> Job:
    job = start(["print", "grüße"], title="Count *stars* <b>")
    wait(job, timeout=60)
    return job


def running(job: Job) -> Status:
    return replace(
        job.status(),
        state="running",
        stage="training",
        done=46,
        total=184,
        facts={"loss": 0.4123456},
        seconds_left=200.0,
        ended=None,
    )


def test_a_running_job_shows_step_time_left_and_readings(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, running(job))
    app = page(job)
    assert not app.exception
    bar = app.get("progress")[0].proto
    assert bar.value == 25
    assert bar.text == "training · 46 of 184 · about 3 min 20 s left"
    assert [(one.label, one.value) for one in app.metric] == [("loss", "0.4123")]
    assert any("0 readings" in one.value for one in app.caption)
    assert r"Count \*stars\* \<b\>" in app.markdown[0].value
    assert app.code[0].value == "grüße"


def test_readings_stay_while_a_stage_reports_none(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = '{"at": 1, "stage": "training", "done": 4, "total": 8, "loss": 0.25}\n'
    (job.folder / "history.jsonl").write_text(line)
    stand_in(monkeypatch, replace(running(job), stage="validating", facts={}))
    app = page(job)
    assert app.get("progress")[0].proto.text.startswith("validating · 46 of 184")
    assert [(one.label, one.value) for one in app.metric] == [("loss", "0.25")]


def test_the_page_is_run_anew_once_when_the_job_has_ended(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, running(job), job.status())
    app = page(job)
    assert app.session_state["page runs"] == 2
    assert "The page knows: done" in [one.value for one in app.markdown]


def test_cancel_and_resume(tmp_path: Path) -> None:
    job = start(["count", "400", "0.05", str(tmp_path / "trace")], title="Count")
    app = page(job)
    app.button(key=f"cancel-{job.id}").click().run()
    assert job.status().state == "cancelled"
    assert "The page knows: cancelled" in [one.value for one in app.markdown]
    app.button(key=f"resume-{job.id}").click().run()
    assert job.status().active
    assert not app.exception


def test_a_waiting_job_names_the_one_that_it_waits_for(tmp_path: Path) -> None:
    start(["count", "400", "0.05", str(tmp_path / "trace")], title="Count")
    app = page(start(["print", "x"], title="Print"))
    assert [one.value for one in app.info] == ["Waits for Count."]


def test_a_failure_shows_message_and_remedy() -> None:
    job = start(["fail"], title="Fail")
    wait(job, timeout=60)
    app = page(job)
    assert "The folder 'birds' is empty." in app.error[0].value
    assert "Give another one." in app.error[0].value
    assert app.button(key=f"resume-{job.id}")


@pytest.mark.parametrize("asked", ["../../etc", "20261123-101512-3f2a"])
def test_an_unknown_job_in_the_address_is_said_and_forgotten(asked: str) -> None:
    app = AppTest.from_file(APP, default_timeout=30)
    app.query_params["job"] = asked
    app.run()
    assert not app.exception
    assert "not on this machine" in app.warning[0].value
    assert "job" not in app.query_params


def test_the_queue_leads_to_a_job_and_removes_it(job: Job) -> None:
    app = page()
    app.button(key=f"watch-{job.id}").click().run()
    assert app.query_params["job"] == job.id
    assert "The page knows: done" in [one.value for one in app.markdown]
    app.button(key=f"remove-{job.id}").click().run()
    assert list_jobs() == []
    assert "No job has been started" in app.caption[-1].value
    assert "not on this machine" in app.warning[0].value


def test_strangers_only_look(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDLAB_PUBLIC", "1")
    app = page(job)
    assert [one.key for one in app.button] == [f"watch-{job.id}"]
