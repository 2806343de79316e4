"""Jobs: one at a time, found again by anybody, cancelled whole, taken up after kill -9."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from embedlab import files
from embedlab.cli.jobs import command as jobs_command
from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.jobs import ChildReport, Job, Status, list_jobs, open_job, queue, start, wait
from embedlab.jobs import job as job_module
from embedlab.jobs.endings import ending_of
from embedlab.jobs.failures import explain
from embedlab.jobs.log import tail
from embedlab.jobs.processes import Identity, identify, is_alive
from embedlab.jobs.record import Record, read_json, read_record, write_record
from embedlab.jobs.words import progress_text

WORKER = str(Path(__file__).with_name("jobs_worker.py"))


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run the stand-in instead of `python -m embedlab`; leave no job behind."""
    monkeypatch.setattr(job_module, "PROGRAM", (WORKER,))
    yield
    for job in list_jobs():
        job.cancel()


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not come about")


def count(total: int, seconds: float, trace: Path) -> Job:
    return start(["count", str(total), str(seconds), str(trace)], title=f"Count to {total}")


def numbers(trace: Path) -> list[int]:
    return [int(one) for one in trace.read_text().split()] if trace.exists() else []


def processes(job: Job) -> tuple[Identity, ...]:
    record = read_record(job.folder)
    assert record is not None
    return record.processes


def ended(job: Job) -> Status:
    return wait(job, timeout=60)


def test_a_job_is_done_with_its_result(tmp_path: Path) -> None:
    job = count(5, 0.01, tmp_path / "trace")
    status = ended(job)
    assert (status.state, status.done, status.total) == ("done", 5, 5)
    assert status.result == {"run": "counted"}
    assert status.facts == {"loss": 0.2}
    assert status.history()[-1]["loss"] == 0.2
    assert numbers(tmp_path / "trace") == [0, 1, 2, 3, 4]
    assert open_job(job.id) == job
    until(lambda: not (job.folder / "work").exists())  # its checkpoints have served
    assert [one for one in job.folder.iterdir() if one.name.startswith(files.PARTIAL)] == []


def test_the_real_command_line_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("EMBEDLAB_HOME", str(tmp_path / "home"))
    (tmp_path / "click.py").write_text("raise SystemExit('code from the pictures was run')")
    monkeypatch.chdir(tmp_path)
    job = start(["--version"], title="Say the version")
    assert ended(job).state == "done", job.log_tail()
    assert job.log_tail()[0].startswith("embedlab")


def _ask(barrier: Any, home_: str, ids: Any) -> None:
    os.environ["EMBEDLAB_HOME"] = home_
    job_module.PROGRAM = (WORKER,)
    barrier.wait()
    ids.put(start(["count", "200", "0.05", os.devnull], title="twice").id)


def test_two_processes_that_start_the_same_job_start_one() -> None:
    context = multiprocessing.get_context("spawn")
    barrier, ids = context.Barrier(2), context.Queue()
    askers = [
        context.Process(target=_ask, args=(barrier, os.environ["EMBEDLAB_HOME"], ids))
        for _ in range(2)
    ]
    for one in askers:
        one.start()
    assert ids.get(timeout=20) == ids.get(timeout=20)
    for one in askers:
        one.join()
    assert len(list_jobs()) == 1
    # Those who asked are gone; the job is not.
    assert until(lambda: list_jobs()[0].status().state == "running")


def test_jobs_run_one_after_the_other_in_the_order_asked(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    first = count(8, 0.05, trace)
    second = count(3, 0.01, trace)
    third = count(2, 0.01, trace)
    assert queue() == [first, second, third]
    assert list_jobs() == [third, second, first]
    assert third.ahead() == [first, second]
    assert [ended(job).state for job in (third, second, first)] == ["done"] * 3
    assert numbers(trace) == [*range(8), *range(3), *range(2)]
    assert queue() == []


def test_a_dead_job_in_the_queue_is_passed_over(tmp_path: Path) -> None:
    first, second = count(400, 0.05, tmp_path / "a"), count(2, 0.01, tmp_path / "b")
    third = count(2, 0.01, tmp_path / "c")
    os.kill(processes(second)[0].pid, signal.SIGKILL)
    until(lambda: second.status().state == "lost")
    assert third.ahead() == [first]
    first.cancel()
    assert ended(third).state == "done"
    assert not (tmp_path / "b").exists()


def test_cancel_ends_running_and_waiting_jobs_with_all_their_processes(tmp_path: Path) -> None:
    running, waiting = count(400, 0.05, tmp_path / "a"), count(2, 0.01, tmp_path / "b")
    until(lambda: numbers(tmp_path / "a"))
    family = [*processes(running), *processes(waiting)]
    assert len(family) == 3
    assert all(is_alive(one) for one in family)
    for job in (waiting, running):
        job.cancel()
        assert job.status().state == "cancelled"
    assert not any(is_alive(one) for one in family)
    assert not (tmp_path / "b").exists()
    running.cancel()  # once more does nothing
    assert running.status().state == "cancelled"


def test_a_cancelled_job_is_taken_up_behind_those_that_wait(tmp_path: Path) -> None:
    job = count(12, 0.05, tmp_path / "a")
    until(lambda: len(numbers(tmp_path / "a")) > 2)
    with pytest.raises(EmbedlabError, match="is running"):
        job.resume()
    job.cancel()
    other = count(400, 0.05, tmp_path / "b")
    job.resume()
    assert queue() == [other, job]
    other.cancel()
    assert ended(job).state == "done"
    assert sorted(set(numbers(tmp_path / "a"))) == [*range(12)]


def test_killed_work_is_lost_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    job = count(15, 0.04, tmp_path / "trace")
    until(lambda: len(numbers(tmp_path / "trace")) > 4)
    os.kill(processes(job)[1].pid, signal.SIGKILL)
    status = ended(job)
    assert status.state == "lost"
    assert "killed" in status.message
    assert "Resume" in status.remedy
    before = len(numbers(tmp_path / "trace"))
    job.resume()
    assert ended(job).state == "done"
    after = numbers(tmp_path / "trace")[before:]
    assert after[0] >= before - 1  # at most the step that was under way is repeated
    assert after[-1] == 14


def test_runner_and_work_killed_at_once_are_lost(tmp_path: Path) -> None:
    job = count(400, 0.05, tmp_path / "trace")
    until(lambda: numbers(tmp_path / "trace"))
    for one in processes(job):
        os.kill(one.pid, signal.SIGKILL)
    status = until(lambda: (s := job.status()).state == "lost" and s)
    assert "gone" in status.message
    assert queue() == []
    job.remove()
    with pytest.raises(EmbedlabError, match="No job is called"):
        open_job(job.id)


def test_work_whose_runner_was_killed_keeps_its_turn_and_says_how_it_ended(tmp_path: Path) -> None:
    first, second = count(12, 0.05, tmp_path / "trace"), count(2, 0.01, tmp_path / "trace")
    until(lambda: numbers(tmp_path / "trace"))
    os.kill(processes(first)[0].pid, signal.SIGKILL)
    assert first.status().state == "running"
    assert ended(second).state == "done"
    assert numbers(tmp_path / "trace") == [*range(12), 0, 1]
    assert first.status().state == "done"
    assert first.status().result == {"run": "counted"}


def test_work_that_the_record_does_not_know_joins_or_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the runner is killed between starting the work and writing it down."""
    job = count(2, 0.01, tmp_path / "trace")
    ended(job)
    record, me = read_record(job.folder), identify(os.getpid())
    assert record is not None
    monkeypatch.setenv("EMBEDLAB_JOB_ATTEMPT", "1")
    write_record(job.folder, Record(**{**vars(record), "state": "queued"}))
    with ChildReport(job.folder):
        assert me in processes(job)
        assert job.status().state == "running"
    write_record(job.folder, Record(**{**vars(record), "state": "queued", "attempt": 2}))
    with pytest.raises(SystemExit, match="no longer wanted"), ChildReport(job.folder):
        raise AssertionError("this must not be reached")
    write_record(job.folder, record)


def test_a_number_that_another_process_has_by_now_is_not_the_job(tmp_path: Path) -> None:
    job = count(2, 0.01, tmp_path / "trace")
    ended(job)
    record = read_record(job.folder)
    me = identify(os.getpid())
    assert record is not None
    assert me is not None
    impostor = Identity(me.pid, me.born[:-1] + ("1" if me.born[-1] != "1" else "2"))
    values: dict[str, Any] = {**vars(record), "state": "running", "processes": (impostor,)}
    (job.folder / "report.json").unlink()
    write_record(job.folder, Record(**values))
    assert job.status().state == "lost"
    write_record(job.folder, Record(**{**values, "processes": (me,)}))
    assert job.status().state == "running"
    write_record(job.folder, record)


def test_a_job_of_another_machine_lives_while_its_heart_beats(tmp_path: Path) -> None:
    job = count(2, 0.01, tmp_path / "trace")
    ended(job)
    record = read_record(job.folder)
    assert record is not None
    elsewhere = Record(**{**vars(record), "state": "running", "host": "elsewhere"})
    (job.folder / "report.json").unlink()
    write_record(job.folder, elsewhere)
    (job.folder / "heartbeat").touch()
    assert job.status().state == "running"
    os.utime(job.folder / "heartbeat", (0, 0))
    assert job.status().state == "lost"


def test_the_starter_may_be_killed_with_its_whole_group(tmp_path: Path) -> None:
    script = f"""
        import time
        from embedlab.jobs import job, start
        job.PROGRAM = ({WORKER!r},)
        print(start(["count", "12", "0.05", {str(tmp_path / "trace")!r}], title="x").id, flush=True)
        time.sleep(60)
    """
    starter = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert starter.stdout is not None
    with starter.stdout:
        job = open_job(starter.stdout.readline().strip())
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    assert ended(job).state == "done"


def test_failures_come_with_problem_and_remedy() -> None:
    jobs = {name: start([name], title=name) for name in ("fail", "type-error", "usage")}
    status = {name: ended(job) for name, job in jobs.items()}
    assert {one.state for one in status.values()} == {"failed"}
    assert status["fail"].message == "The folder 'birds' is empty."
    assert status["fail"].remedy == "Give another one."
    assert "TypeError: no such thing" in status["type-error"].message
    assert any("Traceback" in one for one in jobs["type-error"].log_tail())
    assert "No such option: --speling" in status["usage"].message


def test_more_memory_than_the_limit_ends_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDLAB_MEMORY_LIMIT", "200e6")
    job = start(["grow"], title="Grow")
    status = ended(job)
    assert status.state == "failed"
    assert "0.2 GB of memory" in status.message
    assert "EMBEDLAB_MEMORY_LIMIT" in status.remedy and "start it again with" in status.remedy
    assert status.cause == "memory"
    assert not any(is_alive(one) for one in processes(job)[1:])


def test_a_limit_that_is_no_number_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDLAB_MEMORY_LIMIT", "8 GB")
    status = ended(start(["grow"], title="Grow"))
    assert status.state == "failed"
    assert "'8 GB'" in status.message


class OutOfMemoryError(RuntimeError):
    """Looks like torch's."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "The job ran out of memory."),
        (OutOfMemoryError("tried to allocate 2 GiB"), "The graphics card ran out of memory."),
        (RuntimeError("MPS backend out of memory"), "The graphics card ran out of memory."),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "The job ran out of memory."),
        (OSError(errno.ENOSPC, "No space left", "a.npy"), "The disk is full. a.npy could not"),
        (OSError(errno.EROFS, "Read-only file system", "b"), "b may not be written"),
    ],
)
def test_errors_are_put_into_words(error: Exception, words: str, tmp_path: Path) -> None:
    with pytest.raises(EmbedlabError, match=words) as caught, ChildReport(tmp_path):
        raise error
    assert caught.value.remedy
    report = read_json(tmp_path / "report.json")
    assert report is not None
    assert report["outcome"] == "failed"
    assert report["message"].startswith(words)
    assert explain(ValueError("nothing of the kind")) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
@pytest.mark.parametrize(
    ("code", "starved", "state", "words"),
    [
        (-9, True, "failed", "machine ran out of memory"),
        (-9, False, "lost", "killed from outside"),
        (-15, False, "lost", "gone"),
        (-11, False, "failed", "SIGSEGV"),
        (0, False, "done", ""),
        (3, False, "failed", "status 3: line two"),
    ],
)
def test_the_exit_status_is_read(
    code: int, starved: bool, state: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "log.txt").write_text("line one\nline two\n\n")
    ending = ending_of(tmp_path, code, starved=starved)
    assert ending.state == state
    assert words in ending.message


def test_status_is_never_half(tmp_path: Path) -> None:
    ended_ = threading.Event()

    def write() -> None:
        with ChildReport(tmp_path) as report:
            for i in range(60):
                report.progress("x" * (i % 7) * 1000, i, 60, loss=float(i))
                report._write()
        ended_.set()

    writer = threading.Thread(target=write)
    writer.start()
    read = 0
    while not ended_.is_set():
        path = tmp_path / "report.json"
        if path.exists():
            json.loads(path.read_text(encoding="utf-8"))
            read += 1
    writer.join()
    assert read > 20


def test_reports_are_written_at_a_bearable_pace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Any] = []
    monkeypatch.setattr("embedlab.jobs.child.write_json", lambda *one: written.append(one))
    with ChildReport(tmp_path) as report:
        for i in range(20_000):
            report.progress("training", i, 20_000)
        time.sleep(0.5)
    assert 1 <= len(written) < 10
    assert written[-1][1]["done"] == 19_999


def test_time_left_follows_the_rate_of_the_stage(tmp_path: Path) -> None:
    job = count(2, 0.01, tmp_path / "trace")
    ended(job)
    record = read_record(job.folder)
    me = identify(os.getpid())
    assert record is not None
    assert me is not None
    values = {"stage": "training", "done": 30, "total": 100, "elapsed": 5.0, "advanced": 10}
    files.write_json(job.folder / "report.json", values)
    write_record(job.folder, Record(**{**vars(record), "state": "running", "processes": (me,)}))
    assert job.status().seconds_left == pytest.approx(35)  # 70 steps at 2 a second
    assert job.status().share == 0.3
    write_record(job.folder, record)


def test_a_damaged_record_is_a_lost_job(tmp_path: Path) -> None:
    job = count(2, 0.01, tmp_path / "trace")
    ended(job)
    (job.folder / "status.json").write_text("")
    assert job.status().state == "lost"
    job.resume()
    assert ended(job).state == "done"


@pytest.mark.parametrize(
    "damage",
    [
        {"report.json": {"done": "abc", "total": None, "elapsed": [], "advanced": "x"}},
        {"report.json": {"stage": 3, "done": 1e400, "total": 4, "facts": {"loss": "low", "x": 1}}},
        {"report.json": {"facts": [], "result": 5, "outcome": "done", "at": "yesterday"}},
        {"status.json": {"began": "x", "ended": {}, "ticket": "first", "attempt": None}},
        {"status.json": {"state": 7}},
        {"status.json": {"state": "running", "processes": 3}},
        {"history.jsonl": 3},
        {"history.jsonl": {"done": "x", "loss": "low", "accuracy": 0.5}},
    ],
)
def test_numbers_that_are_none_do_no_harm(damage: dict[str, Any]) -> None:
    job = start(["print", "x"], title="Print")
    ended(job)
    until(lambda: not any(map(is_alive, processes(job))))
    for name, values in damage.items():
        before = (read_json(job.folder / name) or {}) if name == "status.json" else {}
        whole = {**before, **values} if isinstance(values, dict) else values
        (job.folder / name).write_text(json.dumps(whole) + "\n")
    status = job.status()
    assert status.state in ("done", "lost") and 0 <= status.share <= 1
    assert all(isinstance(value, float) for value in status.last_facts().values())
    assert isinstance(progress_text(job, status), str) and json.dumps(status.values())
    assert queue() == [] and job.ahead() == []
    start(["print", "y"], title="Another")


def test_a_home_that_may_not_be_written_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*parts: str) -> Path:
        raise PermissionError(errno.EACCES, "Permission denied", "/srv/embedlab")

    with monkeypatch.context() as patch:
        patch.setattr(job_module, "home", closed)
        for ask in (queue, list_jobs, lambda: start(["print", "x"], title="x")):
            with pytest.raises(EmbedlabError, match="/srv/embedlab may not be written"):
                ask()


def test_a_full_disk_is_said_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(target: Path, value: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(job_module, "write_json", full)
    with pytest.raises(EmbedlabError, match="disk is full"):
        start(["print", "x"], title="x")
    assert list_jobs() == []
    assert [one.name for one in home("jobs").iterdir() if one.is_dir()] == []


def test_a_report_that_finds_the_disk_full_does_not_end_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(target: Path, value: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr("embedlab.jobs.child.write_json", full)
    with ChildReport(tmp_path) as report:
        report.progress("training", 1, 2)
        report._write()
    assert "No space left" in capsys.readouterr().err


def test_the_log_keeps_unicode_and_the_last_state_of_bars(tmp_path: Path) -> None:
    job = start(["print", "grüße 🌹\nbar 1\rbar 2\nEnde"], title="Print")
    assert ended(job).state == "done"
    assert job.log_tail() == ["grüße 🌹", "bar 2", "Ende"]
    assert job.log_tail(1) == ["Ende"]
    path = tmp_path / "log"
    path.write_bytes(("🌹" * 1000 + "\n").encode() + b"\xff\xfe tail\n")
    assert tail(path, 1) == ["\ufffd\ufffd tail"]
    path.write_bytes(("🌹" * 1000).encode())  # cut within a character
    assert set(tail(path, 1)[0]) == {"🌹"}
    assert tail(tmp_path / "none") == []


@pytest.mark.parametrize("id_", ["../../etc", "20261123-101512-3f2a", "", "x" * 300, "a/../b"])
def test_only_known_ids_open(id_: str) -> None:
    with pytest.raises(EmbedlabError, match="No job is called"):
        open_job(id_)


@pytest.mark.parametrize("arguments", [[], ["app"], ["jobs", "start"]])
def test_what_would_block_the_queue_is_refused(arguments: list[str]) -> None:
    with pytest.raises(EmbedlabError, match="cannot run as a job"):
        start(arguments, title="x")


def test_the_command_line(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(jobs_command, list(arguments), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    id_ = run("start", "--", "count", "400", "0.05", str(tmp_path / "trace")).strip()
    waiting = run("start", "--title", "Hello", "--", "print", "grüße").strip()
    until(lambda: open_job(id_).status().done)
    assert "counting" in run("show", id_)
    assert "1 job before it" in run("list")
    assert "cancelled" in run("cancel", id_)
    assert run("log", waiting, "-f").endswith("grüße\n")
    values = json.loads(run("list", "--json"))
    assert json.loads(run("--json")) == values
    assert [(one["id"], one["state"]) for one in values] == [
        (waiting, "done"),
        (id_, "cancelled"),
    ]
    assert "queued" in run("resume", id_)
    with pytest.raises(EmbedlabError, match=r"is (queued|running)"):
        run("remove", id_)
    assert run("remove", "--ended") == f"Removed {waiting}.\n"
    run("cancel", id_)
    assert run("remove", id_) == f"Removed {id_}.\n"
    assert json.loads(run("list", "--json")) == []


def test_no_process_is_left_behind(tmp_path: Path) -> None:
    job = count(2, 0.01, tmp_path / "trace")
    ended(job)
    until(lambda: not any(psutil.pid_exists(one.pid) for one in processes(job)))
