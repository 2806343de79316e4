"""A full disk is called one, by the name of the file; the job says so, and can be resumed.

The disks are small ones in memory; where nothing may be mounted, these tests are skipped.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from embedlab.files import new_file, new_folder
from embedlab.jobs import ChildReport, start, wait
from embedlab.jobs import job as job_module
from embedlab.jobs.endings import ending_of
from embedlab.jobs.failures import Shortage, explain, is_full
from embedlab.jobs.record import read_json
from embedlab.models.backbones import build
from embedlab.models.checkpoint import save_checkpoint
from embedlab.models.export import export_body, save_body

from .conftest import ROOT

WORKER = str(ROOT / "tests" / "jobs_worker.py")
MIB = 2**20
LARGE = torch.zeros(2 * MIB)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 8 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("no small disk can be made here")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path, *, left: int) -> Path:
    """Take up the room on a disk but for so many bytes."""
    path = disk / "filler"
    # Unbuffered: where a job writes beside and takes some of the room, less is written, no error.
    with path.open("wb", buffering=0) as file, suppress(OSError):
        file.write(bytes(shutil.disk_usage(disk).free - left))
    return path


def _checkpoint(folder: Path) -> Path:
    save_checkpoint(folder / "training.pt", "key", {"film": [], "network": LARGE})
    return folder / "training.pt"


def _matrix(folder: Path) -> Path:
    with new_folder(folder / "run") as new:
        np.save(new / "embeddings.npy", LARGE.numpy())
    return folder / "run"


def _items(folder: Path) -> Path:
    with new_file(folder / "items.parquet") as path:
        frame = pd.DataFrame({"p": np.random.default_rng(0).random(MIB)})
        frame.to_parquet(path, index=False)
    return folder / "items.parquet"


def _copy(folder: Path) -> Path:
    source = folder.parent / "source.onnx"
    source.write_bytes(bytes(4 * MIB))
    shutil.copyfile(source, folder / "body.onnx")
    return folder / "body.onnx"


def _body(folder: Path) -> Path:
    save_body(build("mobilenet_v2", n_classes=2, weights="random"), folder / "body.safetensors")
    return folder / "body.safetensors"


def _onnx(folder: Path) -> Path:
    network = build("mobilenet_v2", n_classes=2, weights="random")
    export_body(network, folder / "body.onnx", size=64)
    return folder / "body.onnx"


@pytest.mark.parametrize("write", [_checkpoint, _matrix, _items, _copy, _body, _onnx])
def test_whoever_writes_is_understood(disk: Path, write: Callable[[Path], Path]) -> None:
    fill(disk, left=MIB)
    names = {"_checkpoint": "training.pt", "_matrix": "run", "_items": "items.parquet"}
    names |= {"_copy": "body.onnx", "_body": "body.safetensors", "_onnx": "body.onnx"}
    with pytest.raises(Exception, match=r".") as caught:
        write(disk)
    words = explain(caught.value)
    assert isinstance(words, Shortage) and words.of == "disk"
    assert f"{disk / names[write.__name__]} could not be written" in words.problem
    assert "MB are free there" in words.problem and "then resume" in words.remedy
    left = {path.name for path in disk.iterdir()} - {"filler", "body.onnx"}
    assert not left, "nothing half is left behind"


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (
            RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 128 vs 22"),
            True,
        ),
        (OSError("4194304 requested and 1047424 written"), True),
        (Exception("I/O error: No space left on device (os error 28)"), True),
        (OSError(errno.ENOSPC, "No space left on device", "a", None, "b"), True),
        (OSError("cannot identify image file"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied (4x3 and 5x6)"), False),
    ],
)
def test_words_of_libraries(error: Exception, full: bool) -> None:
    words = explain(error)
    assert (words is not None) == full
    assert not full or "The disk is full." in str(words)


def test_whether_a_disk_is_full_is_tried(disk: Path) -> None:
    assert not is_full(disk)
    filler = fill(disk, left=4096)
    assert is_full(disk)
    filler.unlink()
    assert not is_full(disk) and not list(disk.iterdir())


def test_a_process_that_ended_without_a_word_on_a_full_disk(disk: Path) -> None:
    assert "SIGBUS" in ending_of(disk, -7, starved=False).message
    fill(disk, left=4096)
    ending = ending_of(disk, -7, starved=False)
    assert (ending.state, ending.cause) == ("failed", "disk")
    assert "SIGBUS" in ending.message and "full" in ending.message
    assert ending_of(disk, 1, starved=False).cause == "disk"


def test_the_last_report_has_room_kept_for_it(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work fills its disk to the last byte; what it says then is read, and it can go on."""
    monkeypatch.setattr(job_module, "PROGRAM", (WORKER,))
    monkeypatch.setenv("EMBEDLAB_HOME", str(disk))
    job = start(["fill"], title="Fill the disk")
    status = wait(job, timeout=60)
    assert (status.state, status.cause) == ("failed", "disk"), job.log_tail()
    assert "The disk is full." in status.message and "then resume" in status.remedy
    assert read_json(job.folder / "status.json")["state"] == "failed"  # type: ignore[index]
    assert not (job.folder / "reserve").exists()
    with pytest.raises(Exception, match="disk is full"):
        job.resume()
    assert job.status().message == status.message, "that it cannot be resumed loses nothing"
    (job.folder / "work" / "fill").unlink()
    job.resume()
    assert wait(job, timeout=60).state == "failed"
    (job.folder / "work" / "fill").unlink()
    (job.folder / "work" / "enough").touch()
    job.resume()
    assert wait(job, timeout=60).state == "done", job.log_tail()
    assert not (job.folder / "reserve").exists()


def test_a_job_on_a_full_disk_can_be_cancelled(
    disk: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(job_module, "PROGRAM", (WORKER,))
    monkeypatch.setenv("EMBEDLAB_HOME", str(disk))
    job = start(["count", "4000", "0.05", str(tmp_path / "trace")], title="Count")
    while not (tmp_path / "trace").exists():
        assert wait(job, timeout=0.1).active
    fill(disk, left=0)
    job.cancel()
    assert job.status().state == "cancelled"


def test_what_is_not_understood_on_a_full_disk(disk: Path) -> None:
    folder = disk / "job"
    folder.mkdir()
    (folder / "reserve").write_bytes(bytes(2**18))
    with pytest.raises(Shortage, match=r"KeyError: 'x'. The disk that"), ChildReport(folder):
        fill(disk, left=0)
        raise KeyError("x")
    report: Any = read_json(folder / "report.json")
    assert (report["outcome"], report["cause"]) == ("failed", "disk")
