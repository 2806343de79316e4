"""Killed at any moment (kill -9): trainings go on and end the same, run folders are old or new."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedlab.experiment import train
from embedlab.files import PARTIAL
from embedlab.runs import Run, save_run

from .made_pictures import coloured
from .made_runs import made_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="processes are forked and killed"),
]

EPOCHS = 16
KILLS, SAVES = 30, 100


@pytest.fixture(scope="module")
def forked() -> Any:
    """Give a way to start a process in a moment: from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["embedlab.experiment", "embedlab.models.training", "embedlab.models.export", __name__]
    )
    warm = context.Process(target=time.monotonic)  # starts the server, which imports
    warm.start()
    warm.join()
    return context


def killed_after(context: Any, seconds: float, work: Callable[..., None], *args: Any) -> bool:
    """Let a process work for so long at most, then kill it; say whether that was necessary."""
    process = context.Process(target=work, args=args)
    process.start()
    process.join(seconds)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), "it must not fail by itself"
    return bool(process.exitcode)


def _train(home: str, folder: str, told: str) -> None:
    os.environ["EMBEDLAB_HOME"] = home

    def tell(line: Any) -> None:
        with Path(told).open("a") as file:
            file.write(f"{line['epoch']:g}\n")

    train(
        coloured(24),
        folder=Path(folder),
        on_epoch=tell,
        backbone="small",
        epochs=EPOCHS,
        batch_size=8,
        size=16,
        augment="gentle",
        schedule="one-cycle",
        probe=8,
    )


def test_killed_thirty_times_a_training_ends_with_the_same_weights(
    tmp_path: Path, forked: Any
) -> None:
    def seconds_of(folder: str) -> float:
        started = time.monotonic()
        names = (str(tmp_path / name) for name in ("home", folder, f"{folder}.txt"))
        assert not killed_after(forked, 300, _train, *names)
        return time.monotonic() - started

    seconds = seconds_of("whole")
    whole = Run(tmp_path / "whole")
    rng, kills, trainings = random.Random(0), 0, 0
    while kills < KILLS:
        trainings += 1
        folder, told = tmp_path / f"killed-{trainings}", tmp_path / f"killed-{trainings}.txt"
        stopped = True
        while stopped:
            # The last may end by itself; before that, any moment of its way is as likely.
            patience = rng.random() * seconds / 4 if kills < KILLS else 300
            stopped = killed_after(
                forked, patience, _train, str(tmp_path / "home"), str(folder), str(told)
            )
            kills += stopped
            assert not stopped or not folder.exists() or Run(folder).fingerprint
        epochs = [float(line) for line in told.read_text().split()]
        assert epochs == sorted(set(epochs)), "an epoch that was saved is not learned again"
        again = Run(folder)
        assert again.fingerprint == whole.fingerprint
        np.testing.assert_array_equal(again.embeddings, whole.embeddings)
        assert again.head is not None and whole.head is not None
        np.testing.assert_array_equal(again.head.weight, whole.head.weight)
        with np.load(again.folder / "film.npz") as one, np.load(whole.folder / "film.npz") as other:
            np.testing.assert_array_equal(one["embeddings"], other["embeddings"])
    assert not list((tmp_path / "home" / "cache" / "training").iterdir())
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(PARTIAL)]


def _save(source: str, target: str) -> None:
    run = Run(Path(source))
    save_run(
        Path(target),
        info=run.info,
        items=run.items,
        embeddings=run.embeddings,
        thumbnails=list(run.thumbnails),
        inputs=list(run.thumbnails),
        head=run.head,
        history=run.history,
    )


def _add(target: str, value: float) -> None:
    run = Run(Path(target))
    vectors = np.full((run.n_items, 500), value, np.float32)
    run.add_vectors("layer", vectors, {"title": str(value), "n_dims": 500})
    run.save_projection("view", coordinates=vectors[:, :2])


def test_killed_while_saving_a_run_folder_is_old_or_new(tmp_path: Path, forked: Any) -> None:
    source = made_run(tmp_path / "source")
    target = tmp_path / "target"
    started = time.monotonic()
    assert not killed_after(forked, 60, _save, str(source.folder), str(target))
    seconds = time.monotonic() - started
    files = sorted(path.name for path in target.iterdir())
    run = Run(target)
    _add(str(target), 0)
    rng = random.Random(1)
    whole, absent, value = 0, 0, 0
    for number in range(SAVES):
        if number % 2:  # into a run that is there
            killed_after(forked, rng.random() * seconds, _add, str(target), number)
            found = Run(target)
            vectors, about = found.vectors("layer"), found.about_vectors("layer")
            kept = found.load_projection("view")
            assert kept is not None
            for values in (vectors, kept["coordinates"]):
                assert (values == values[0, 0]).all() and values[0, 0] in (value, number)
            assert float(about["title"]) in (value, number)
            value = number
            _add(str(target), value)
            continue
        new = tmp_path / f"new-{number % 4}"
        killed_after(forked, rng.random() * seconds, _save, str(source.folder), str(new))
        # Wherever the load of the machine drives it, half of them shall come to their end.
        seconds *= 0.8 if new.exists() else 1.25
        if not new.exists():
            absent += 1
            continue
        whole += 1
        assert sorted(path.name for path in new.iterdir()) == files
        found = Run(new)
        assert found.fingerprint == run.fingerprint and len(found.items) == 60
        np.testing.assert_array_equal(found.embeddings, source.embeddings)
        assert list(found.thumbnails) == list(source.thumbnails)
        for path in sorted(new.iterdir()):
            path.unlink()
        new.rmdir()
    assert whole and absent, "killed before as well as after it took its place"
    for number in (0, 2):  # what was begun is cleared away by who comes next
        assert not killed_after(
            forked, 60, _save, str(source.folder), str(tmp_path / f"new-{number}")
        )
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(PARTIAL)] == []
