"""Small runs for tests: coloured squares whose embeddings are known."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from embedlab.data.preprocessing import Preprocessing
from embedlab.files import write_json
from embedlab.runs import Head, Run, save_run

COLOURS = ((200, 60, 60), (60, 150, 60), (60, 60, 200), (200, 200, 60), (160, 60, 160))


def square(row: int, colour: tuple[int, int, int]) -> bytes:
    """Draw a square whose brightness stripe tells its row; encode it as JPEG."""
    pixels = np.full((48, 48, 3), colour, np.uint8)
    pixels[:8, : 1 + row % 47] = 255
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def made_run(
    folder: Path,
    *,
    per_class: tuple[int, ...] = (20, 20, 20),
    n_dims: int = 8,
    labelled: bool = True,
    names: tuple[str, ...] = ("red", "green", "blue", "yellow", "violet"),
    seed: int = 0,
    scale: float = 1,
    digests: Sequence[str] = (),
) -> Run:
    """Make a run of gaussian clusters, one a class, with a head that knows their centres."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(per_class)), per_class)
    n, classes = len(labels), names[: len(per_class)]
    centres = 3 * rng.normal(size=(len(per_class), n_dims)).astype(np.float32)
    embeddings = centres[labels] + rng.normal(size=(n, n_dims)).astype(np.float32)
    embeddings *= np.float32(scale)
    head = Head(centres, np.zeros(len(classes), np.float32), classes)
    logits = head.logits(embeddings).astype(np.float64)
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    split = np.where(np.arange(n) % 5 == 0, "validation", "train")
    items = pd.DataFrame({"id": [f"{i:04d}.jpg" for i in range(n)], "path": None, "split": split})
    if digests:
        items["digest"] = list(digests)
    info = {
        "title": folder.name,
        "created": "2026-01-01T00:00:00+00:00",
        "dataset": {"name": "squares", "fingerprint": "0" * 64, "n": n, "notes": [], "skipped": []},
        "split": {"fraction": 0.2, "seed": 123, "stratified": False},
        "backbone": {"name": "small", "title": "Small net"},
        "preprocessing": Preprocessing(32, 32).to_dict(),
        "metrics": {},
    }
    if labelled:
        items["label"] = [classes[k] for k in labels]
        items["prediction"] = [classes[k] for k in p.argmax(1)]
        chances = pd.DataFrame(p.astype(np.float32), columns=[f"p.{name}" for name in classes])
        items = pd.concat([items, chances], axis=1)
        info["classes"] = list(classes)
        held = split == "validation"
        correct = int((p.argmax(1) == labels)[held].sum())
        info["metrics"] = {"validation": {"correct": correct, "total": int(held.sum())}}
    thumbnails = [square(i, COLOURS[labels[i] % len(COLOURS)]) for i in range(n)]
    run = save_run(
        folder,
        info=info,
        items=items,
        embeddings=embeddings,
        thumbnails=thumbnails,
        inputs=thumbnails,
        head=head if labelled else None,
        history=[{"step": 1, "epoch": 1, "loss": 1.0}],
    )
    tiny = [Image.open(io.BytesIO(picture)).resize((8, 8)) for picture in thumbnails]
    flat = np.stack([np.asarray(picture, np.float32).ravel() for picture in tiny])
    run.add_vectors("pixels", flat, {"title": "Pixels", "n_dims": 192})
    return run


def changed(run: Run, **columns: Any) -> Run:
    """Give a run's items other columns, and the run a fingerprint that tells: caches go by it."""
    items = run.items.copy()
    for name, values in columns.items():
        items[name] = values
    items.to_parquet(run.folder / "items.parquet", index=False)
    fingerprint = hashlib.sha256(f"{run.fingerprint}{items.to_json()}".encode()).hexdigest()
    write_json(run.folder / "run.json", {**run.info, "fingerprint": fingerprint})
    return Run(run.folder)
