"""What kills leave behind is told from what is being written, and cleared away."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from embedlab.cli.doctor import command as doctor
from embedlab.files import PARTIAL, is_left_behind, new_file, new_folder
from embedlab.home import home
from embedlab.jobs import Job, list_jobs, start, wait
from embedlab.jobs import job as job_module
from embedlab.jobs.processes import is_alive
from embedlab.jobs.record import read_record
from embedlab.leftovers import clear_leftovers, find_leftovers

from .conftest import ROOT

WRITER = """
    import sys, time
    from pathlib import Path
    from embedlab.files import new_folder
    with new_folder(Path(sys.argv[1])) as folder:
        (folder / "half").write_bytes(bytes(1000))
        print("ready", flush=True)
        time.sleep(60)
"""


def writing(target: Path) -> subprocess.Popen[str]:
    """Let another process fill a folder, and wait until it is at it."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(target)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def partials(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{PARTIAL}*"))


def aged(path: Path, days: float) -> None:
    moment = time.time() - 86_400 * days
    for one in [*path.rglob("*"), path]:
        os.utime(one, (moment, moment))


def settled(job: Job) -> None:
    """Wait until the job has ended, and its runner has cleared up."""
    wait(job, timeout=60)
    record = read_record(job.folder)
    assert record is not None
    deadline = time.monotonic() + 20
    while any(map(is_alive, record.processes)) and time.monotonic() < deadline:
        time.sleep(0.02)


def test_what_is_being_written_stays_and_what_was_left_goes() -> None:
    runs = home("runs")
    process = writing(runs / "one")
    folder, lock = partials(runs)
    assert not is_left_behind(folder) and not is_left_behind(lock)
    assert find_leftovers() == clear_leftovers() == []
    killed(process)
    assert find_leftovers() == [folder, lock]
    shown = CliRunner().invoke(doctor, catch_exceptions=False).output
    assert f"runs/{folder.name}" in shown and "0.0 MB that killed processes" in shown
    assert partials(runs) == [folder, lock], "looking removes nothing"
    shown = CliRunner().invoke(doctor, ["--clear"], catch_exceptions=False).output
    assert partials(runs) == [] and "left over          nothing" in shown


def test_whoever_writes_the_same_again_clears_what_was_left(tmp_path: Path) -> None:
    killed(writing(tmp_path / "one"))
    other = writing(tmp_path / "another-one")
    assert len(partials(tmp_path)) == 4
    with new_folder(tmp_path / "one") as folder:
        (folder / "whole").touch()
    assert (tmp_path / "one" / "whole").exists()
    assert {path.name.removesuffix(".lock")[-11:] for path in partials(tmp_path)} == {"another-one"}
    killed(other)


def test_nothing_is_left_of_what_was_written() -> None:
    with new_folder(home("runs") / "one") as folder:
        (folder / "whole").touch()
    with pytest.raises(RuntimeError), new_folder(home("runs") / "two"):
        raise RuntimeError
    with new_file(home("runs") / "file") as path:
        path.touch()
    assert {path.name for path in home("runs").iterdir()} == {"one", "file"}


def test_without_a_lock_it_is_age_that_counts() -> None:
    fresh = home("cache", "garden", f"{PARTIAL}0123abcd-drawn")
    old = home("cache", "garden", f"{PARTIAL}0123abce-drawn")
    file = home("cache", "costs") / f"{PARTIAL}0123abcf-cost.json"
    foreign = home("runs") / f"{PARTIAL}out.npy"  # embedlab embed goes on from such a one
    for path in (fresh, old, foreign):
        path.mkdir(exist_ok=True)
        (path / "half").touch()
    file.touch()
    for path in (old, file, foreign):
        aged(path, days=1.1)
    aged(fresh, days=0.9)
    assert sorted(clear_leftovers()) == sorted([old, file])
    assert fresh.exists() and foreign.exists()


def test_jobs_that_are_done_keep_no_checkpoints(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(job_module, "PROGRAM", (str(ROOT / "tests" / "jobs_worker.py"),))
    done, failed = start(["print", "x"], title="Print"), start(["fail"], title="Fail")
    for job in (done, failed):
        settled(job)
    (done.folder / "work").mkdir()  # as when the runner is killed right at its end
    doomed = home("jobs") / f"{PARTIAL}{done.id[:-4]}ffff"
    doomed.mkdir()
    killed(writing(home("runs") / "one"))
    assert len(find_leftovers()) == 4
    last = start(["print", "y"], title="Print again")
    settled(last)
    assert find_leftovers() == []
    assert (failed.folder / "work").exists(), "it can be resumed"
    assert len(list_jobs()) == 3
