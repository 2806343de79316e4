"""Small pictures for tests: noisy coloured squares of two or three classes, and broken files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from embedlab.data.dataset import Dataset
from embedlab.data.pictures import ArrayPictures, FilePictures

COLOURS = np.array([[190, 90, 80], [90, 170, 90], [80, 90, 190]])


def coloured(
    n: int, *, n_classes: int = 2, side: int = 32, seed: int = 0, labelled: bool = True
) -> Dataset:
    """Make pictures whose class is their dominant colour, under noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    noise = rng.normal(0, 50, (n, side, side, 3))
    array = np.clip(COLOURS[labels][:, None, None] + noise, 0, 255).astype(np.uint8)
    return Dataset(
        name="coloured",
        ids=tuple(f"{i:04d}.png" for i in range(n)),
        pictures=ArrayPictures(array),
        labels=labels if labelled else None,
        classes=("red", "green", "blue")[:n_classes] if labelled else (),
    )


def as_files(dataset: Dataset, folder: Path, *, broken: tuple[int, ...] = ()) -> Dataset:
    """Write a dataset's pictures to files, and damage some of them afterwards."""
    folder.mkdir()
    paths = []
    for i in range(len(dataset)):
        path = folder / f"{i:04d}.png"
        dataset.pictures.open(i).save(path)
        paths.append(path)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    for i in broken:
        paths[i].write_bytes(paths[i].read_bytes()[:200])
    return Dataset(
        name=dataset.name,
        ids=dataset.ids,
        pictures=FilePictures(paths, digests),
        labels=dataset.labels,
        classes=dataset.classes,
    )


def gradient(width: int, height: int) -> Image.Image:
    """Draw a picture in which every pixel differs from its neighbours."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], -1)
    return Image.fromarray(pixels.astype(np.uint8))
