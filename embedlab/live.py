"""A training while it runs, as its job leaves it for whoever watches.

scene.json          the probe pictures: ids, labels; the classes; how many epochs there will be
thumbnails.bin/.npy the pictures, small
frames/STEP.npz     where they lie after so many steps, what is predicted, where the head points
epochs.jsonl        a line an epoch, as the run's history will have them
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from embedlab.data.dataset import Dataset
from embedlab.data.pack import Pack
from embedlab.data.pictures import thumbnail
from embedlab.errors import EmbedlabError
from embedlab.files import PARTIAL, new_file, new_folder
from embedlab.models.film import Snapshot
from embedlab.models.training import MOST_REPORTS, REPORTS_AN_EPOCH
from embedlab.space.film import following_view

FOLDER = "live"
MOST_FRAMES = 128
Frame = dict[str, NDArray[Any]]
_PARTS = {"step", "epoch", "coordinates", "tips", "predictions", "shown"}


class LiveWriter:
    """Draws each snapshot of a training into a folder, small enough to be read every second.

    What cannot be written is left out: a full disk must not end the training.

    Parameters
    ----------
    folder : Path
        Made when it is missing. Frames that an earlier attempt left there are continued.
    dataset : Dataset
        With labels.
    epochs : int
        How many there will be.
    """

    def __init__(self, folder: Path, dataset: Dataset, *, epochs: int) -> None:
        self._folder, self._dataset, self._epochs = folder, dataset, epochs
        self._rows: list[int] = []
        self._last: NDArray[np.float32] | None = None

    def snapshot(self, snapshot: Snapshot) -> None:
        """Draw a snapshot as a frame that continues the one before."""
        try:
            self._begin(snapshot)
            view = following_view(
                snapshot.embeddings[None], snapshot.weight[None], before=self._last
            )
            self._last = view.coordinates[0]
            with (
                new_file(self._folder / "frames" / f"{snapshot.step:09d}.npz") as path,
                path.open("wb") as file,
            ):
                np.savez(
                    file,
                    coordinates=view.coordinates[0],
                    tips=view.tips[0],
                    predictions=snapshot.probabilities.argmax(axis=1).astype(np.uint16),
                    step=np.int64(snapshot.step),
                    epoch=np.float64(snapshot.epoch),
                    shown=view.shown[0],
                )
            self._thin_out()
        except OSError:
            return

    def epoch(self, line: Mapping[str, Any]) -> None:
        """Note what an epoch came to."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / "epochs.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(dict(line)) + "\n")
        except OSError:
            return

    def _begin(self, snapshot: Snapshot) -> None:
        rows = snapshot.rows.tolist()
        if rows == self._rows:
            return
        dataset = self._dataset
        assert dataset.labels is not None
        scene = {
            "ids": [dataset.ids[row] for row in rows],
            "labels": dataset.labels[rows].tolist(),
            "classes": list(dataset.classes),
            "epochs": self._epochs,
            "fingerprint": dataset.fingerprint,
        }
        before = _scene(self._folder)
        if before == scene:
            earlier = [path for path in _frames(self._folder) if int(path.stem) <= snapshot.step]
            self._last = _frame(str(earlier[-1]), 0)["coordinates"] if earlier else None
        else:
            if self._folder.exists():
                shutil.rmtree(self._folder)
            with new_folder(self._folder) as folder:
                (folder / "frames").mkdir()
                small = (thumbnail(dataset.pictures.open(row)) for row in rows)
                Pack.write(folder, "thumbnails", small)
                text = json.dumps(scene, ensure_ascii=False)
                (folder / "scene.json").write_text(text, encoding="utf-8")
            self._last = None
        self._rows = rows

    def _thin_out(self) -> None:
        """Take every second of the middle frames away when there are too many."""
        frames = _frames(self._folder)
        if len(frames) > MOST_FRAMES:
            for path in frames[1:-1:2]:
                path.unlink(missing_ok=True)


@dataclass(frozen=True, eq=False)
class Live:
    """What there is to see of a training: T frames of n probe pictures of c classes.

    Parameters
    ----------
    ids : tuple of str, length n
    labels : ndarray of shape (n,), int64
    classes : tuple of str, length c
    epochs : int
        How many there will be.
    thumbnails : Pack of n pictures
    steps : ndarray of shape (T,), int64
        After how many steps each frame was taken.
    at : ndarray of shape (T,), float64
        The same in epochs.
    coordinates : ndarray of shape (T, n, 2), float32
    tips : ndarray of shape (T, c, 2), float32
    predictions : ndarray of shape (T, n), uint16
    shown : ndarray of shape (T,), float64
        As in `embedlab.space.film.FilmView`.
    fingerprint : str
        The dataset's.
    """

    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    epochs: int
    thumbnails: Pack
    steps: NDArray[np.int64]
    at: NDArray[np.float64]
    coordinates: NDArray[np.float32]
    tips: NDArray[np.float32]
    predictions: NDArray[np.uint16]
    shown: NDArray[np.float64]
    fingerprint: str


def read_live(folder: Path) -> Live | None:
    """Read what a training has left so far; None where there is nothing to see yet.

    Parameters
    ----------
    folder : Path
        What a `LiveWriter` was given.
    """
    scene = _scene(folder)
    if scene is None:
        return None
    n, c = len(scene["ids"]), len(scene["classes"])
    frames = []
    for path in _frames(folder):
        try:
            frame = _frame(str(path), path.stat().st_mtime_ns)
        except (OSError, ValueError, EOFError, BadZipFile):  # thinned out just now, or damaged
            continue
        if not set(frame) >= _PARTS:
            continue
        if frame["coordinates"].shape == (n, 2) and frame["tips"].shape == (c, 2):
            frames.append(frame)
    try:
        thumbnails = Pack(folder, "thumbnails")
    except (OSError, EmbedlabError):  # begun anew just now
        return None
    if not frames:
        return None
    stacked = {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}
    return Live(
        ids=tuple(scene["ids"]),
        labels=np.array(scene["labels"], np.int64),
        classes=tuple(scene["classes"]),
        epochs=int(scene["epochs"]),
        thumbnails=thumbnails,
        steps=stacked["step"],
        at=stacked["epoch"],
        coordinates=stacked["coordinates"],
        tips=stacked["tips"],
        predictions=stacked["predictions"],
        shown=stacked["shown"],
        fingerprint=str(scene["fingerprint"]),
    )


def read_epochs(folder: Path) -> list[dict[str, Any]]:
    """Read the lines of the epochs so far; of an epoch that was repeated, the last."""
    try:
        text = (folder / "epochs.jsonl").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    lines: dict[float, dict[str, Any]] = {}
    for one in text.splitlines():
        try:
            line = json.loads(one)
            lines[float(line["epoch"])] = line
        except (ValueError, KeyError, TypeError):  # a last line that is not whole yet
            continue
    return [lines[epoch] for epoch in sorted(lines)]


def as_history(
    readings: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, Any]], *, epochs: int
) -> list[dict[str, Any]]:
    """Turn what a job has reported so far into lines like those of a run's history.

    Parameters
    ----------
    readings : sequence of mappings
        As `embedlab.jobs.Status.history` gives them: many, each the mean since the last report of
        the training.
    lines : sequence of mappings
        As `read_epochs` gives them.
    epochs : int
        How many there will be.

    Returns
    -------
    list of dict
        For each of the training's reports the last reading before it; then the epochs' lines.
    """
    reports = max(1, min(REPORTS_AN_EPOCH, MOST_REPORTS // epochs))
    kept: dict[int, dict[str, Any]] = {}
    for one in readings:
        total = int(one.get("total", 0))
        if one.get("stage") == "fitting the head":
            kept[-int(one["done"])] = {**one, "epoch": float(one["done"])}
        elif one.get("stage") == "training" and total and "loss" in one:
            steps = total / epochs
            every = math.ceil(steps / reports)
            kept[(int(one["done"]) - 1) // every] = {**one, "epoch": one["done"] / steps}
    points = sorted(kept.values(), key=lambda line: float(line["epoch"]))
    validated = [
        {name: value for name, value in line.items() if name not in ("loss", "accuracy")}
        for line in lines
    ]
    return [*points, *validated]


def _scene(folder: Path) -> dict[str, Any] | None:
    try:
        scene: dict[str, Any] = json.loads((folder / "scene.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = ("ids", "labels", "classes", "epochs", "fingerprint")
    return scene if isinstance(scene, dict) and all(name in scene for name in known) else None


def _frames(folder: Path) -> list[Path]:
    try:
        found = list((folder / "frames").iterdir())
    except OSError:
        return []
    return sorted(path for path in found if not path.name.startswith(PARTIAL))


@lru_cache(maxsize=2 * MOST_FRAMES)
def _frame(path: str, changed: int) -> Frame:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
