"""A fine-tuning step on the CPU: the plain loop against embedlab's, in turns.

The plain loop is PIL, torchvision's transforms, a DataLoader, the network as it comes and Adam.
Each turn is a process of its own, because glibc, once told to keep freed memory, keeps it.

    python benchmarks/training.py
    python benchmarks/training.py --backbone resnet18 --steps 12
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from extraction import BATCH, Files, pictures
from torch.utils.data import DataLoader, TensorDataset

from embedlab.data.dataset import Dataset
from embedlab.models.backbones import BACKBONES, build
from embedlab.models.settings import TrainSettings
from embedlab.models.training import fine_tune

WARM = 2


def plain_seconds(name: str, dataset: Dataset, size: int) -> float:
    """Time a step of the plain loop, the first ones left out."""
    preprocessing = BACKBONES[name].preprocessing(size, "random")
    network = build(name, n_classes=5, weights="random", size=size)
    paths = [path for i in range(len(dataset)) if (path := dataset.pictures.path(i))]
    labels = torch.arange(len(paths)) % 5
    loader = DataLoader(Files(paths, preprocessing), batch_size=BATCH)
    targets = DataLoader(TensorDataset(labels), batch_size=BATCH)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    ends = []
    for x, (y,) in zip(loader, targets, strict=True):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(x), y).backward()
        optimiser.step()
        ends.append(time.perf_counter())
    return statistics.median(np.diff(ends[WARM - 1 :]))


def our_seconds(name: str, dataset: Dataset, size: int) -> float:
    """Time a step of `fine_tune`, the first ones left out."""
    ends: list[float] = []
    fine_tune(
        build(name, n_classes=5, weights="random", size=size),
        dataset,
        range(len(dataset)),
        [],
        TrainSettings(backbone=name, weights="random", batch_size=BATCH),
        preprocessing=BACKBONES[name].preprocessing(size, "random"),
        progress=lambda *_, **__: ends.append(time.perf_counter()),
    )
    return statistics.median(np.diff(ends[WARM - 1 :]))


WAYS = {"plain": plain_seconds, "ours": our_seconds}


def main() -> None:
    """Run the comparison, or one turn of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backbone", default="efficientnet_b0")
    parser.add_argument("--folder", type=Path, help="pictures; by default photographs or drawings")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--turn", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        with tempfile.TemporaryDirectory() as place:
            dataset = pictures(options.folder, BATCH * options.steps, Path(place) / "drawn")
            print(WAYS[options.turn](options.backbone, dataset, options.size))
        return
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(options.repeat):
        for way, seconds in found.items():
            command = [sys.executable, *sys.argv, "--turn", way]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds.append(float(done.stdout.splitlines()[-1]))
    plain, ours = (statistics.median(found[way]) for way in WAYS)
    print(
        f"{options.backbone}, batch {BATCH}, {options.size} px: plain {plain:.2f} s a step, "
        f"ours {ours:.2f} s, {plain / ours:.2f}x"
    )


if __name__ == "__main__":
    main()
