"""Calls of `embedlab embed` in tests, and what it wrote read back without embedlab."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embedlab.cli import main
from embedlab.data.preprocessing import Preprocessing
from embedlab.space.views import View

from .made_pictures import coloured

TINY = Preprocessing(4, 4, "bilinear", (0.0,) * 3, (1.0,) * 3)


def photos(
    folder: Path, *, names: list[str] | None = None, classes: tuple[str, ...] = (), n: int = 6
) -> Path:
    """Write small coloured pictures: flat, or n in each of some classes."""
    names = names or [f"{k + 1}.png" for k in range(n)]
    paths = [folder / name for name in names]
    if classes:
        paths = [folder / kind / name for kind in classes for name in names]
    dataset = coloured(len(paths), n_classes=3)
    for k, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.pictures.open(k).save(path)
    return folder


def embed(*arguments: object) -> None:
    """Call the command; it must succeed."""
    main(["embed", *map(str, arguments), "--quiet"])


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Call the command; give the one line with which it gives up."""
    with pytest.raises(SystemExit) as error:
        embed(*arguments)
    assert error.value.code == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("embedlab:")]
    assert len(said) == 1
    return said[0]


def as_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    embed(*arguments, "--json")
    return dict(json.loads(capsys.readouterr().out))


def sidecar(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ids(path: Path) -> list[str]:
    return [row["id"] for row in sidecar(path)]


def pixels(path: Path) -> NDArray[np.float32]:
    """What `--model pixels --resize 4` must give for one file."""
    from embedlab.data.pictures import decode

    return (TINY.see(decode(path)).astype(np.float32) / 255).ravel()


class DrawnAsItIs:
    """Stands for UMAP, which takes long to compile: the first two columns, and a note of calls."""

    def __init__(self) -> None:
        self.seeds: list[int] = []

    def __call__(self, vectors: NDArray[np.float32], *, seed: int, **_: object) -> View:
        self.seeds.append(seed)
        coordinates = np.array(vectors[:, :2], np.float32)
        return View(name="umap", coordinates=coordinates, unplaced=np.array([], np.int64), note="")
