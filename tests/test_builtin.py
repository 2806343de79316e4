"""The run that comes with the package is what this code makes of the garden it draws."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.garden import draw, flower
from embedlab.data.sources import load_dataset
from embedlab.experiment import train
from embedlab.models.onnx_body import OnnxBody
from embedlab.models.recipes import settings_for
from embedlab.models.settings import TrainSettings
from embedlab.runs import BUILTIN, Run

N = 750


@pytest.fixture(scope="module")
def run() -> Run:
    return Run(BUILTIN / "garden")


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    x, y = a.astype(np.float64), b.astype(np.float64)
    return (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)


def likeness(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Compare two spaces of the same pictures, turned as they may be.

    Linear CKA: S. Kornblith et al., "Similarity of neural network representations revisited",
    ICML 2019.
    """
    x, y = (v.astype(np.float64) - v.mean(0, dtype=np.float64) for v in (a, b))
    return float(np.linalg.norm(x.T @ y) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y))


def test_it_is_whole_and_small(run: Run) -> None:
    assert run.n_items == N == len(run.thumbnails) == len(run.items)
    assert run.embeddings.shape == (N, 96) and np.isfinite(run.embeddings).all()
    held = run.info["metrics"]["validation"]
    assert held["total"] == 150 and held["accuracy"] >= 0.93
    assert run.info["command"] == "embedlab train garden --backbone small"
    assert TrainSettings.from_dict({**run.info["training"], "size": None}) == settings_for(
        "small", {}
    ), "its settings are the recipe's"
    assert sum(path.stat().st_size for path in run.folder.rglob("*")) < 24e6
    assert run.items["path"].isna().all() and "/" not in str(run.info["dataset"]["origin"])


def test_its_pictures_and_embeddings_are_those_of_todays_garden(run: Run) -> None:
    assert run.body is not None and run.preprocessing is not None
    rows = [0, 6, 12, 93, 749]
    pictures = [Image.fromarray(draw(flower(row))) for row in rows]
    for row, picture in zip(rows, pictures, strict=True):
        shown = Image.open(io.BytesIO(run.thumbnails[row])).resize(picture.size)
        difference = np.abs(np.asarray(shown, float) - np.asarray(picture, float)).mean()
        assert difference < 8, f"picture {row} is another one"
    made = OnnxBody(run.body, run.preprocessing).embed(pictures)
    assert cosines(made, run.embeddings[rows]).min() > 0.99


@pytest.mark.slow
def test_the_same_command_makes_the_same(run: Run, tmp_path: Path) -> None:
    dataset = load_dataset("garden")
    again = train(dataset, settings=settings_for("small", {}), device="cpu", folder=tmp_path / "a")
    assert list(again.items["id"]) == list(run.items["id"])
    assert list(again.split) == list(run.split)
    for part in ("train", "validation"):
        old, new = (r.info["metrics"][part]["accuracy"] for r in (run, again))
        assert abs(old - new) <= 0.03
    assert likeness(again.embeddings, run.embeddings) > 0.9
    first = [[line["loss"] for line in r.history[:6]] for r in (run, again)]
    if first[0] == first[1]:  # this machine rounds as the one did that made the run
        assert cosines(again.embeddings, run.embeddings).min() > 0.99
