"""Saving a run: all its files at once, or none."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.data.pack import Pack
from embedlab.errors import EmbedlabError
from embedlab.files import new_folder, write_json
from embedlab.runs.run import SCHEMA, Head, Run


def save_run(
    folder: Path,
    *,
    info: Mapping[str, Any],
    items: pd.DataFrame,
    embeddings: NDArray[np.float32],
    thumbnails: Iterable[bytes],
    inputs: Iterable[bytes] | None = None,
    head: Head | None = None,
    history: Sequence[Mapping[str, Any]] = (),
    files: Mapping[str, Path] | None = None,
) -> Run:
    """Write a run: beside, then renamed, so that it is there whole or not at all.

    Parameters
    ----------
    folder : Path
        Where the run will be. It must not exist yet.
    info : mapping
        JSON values for run.json: title, dataset, classes, split, backbone, preprocessing, ...
        The schema, the number of items and the fingerprint are added here.
    items : DataFrame of n rows
        Columns id, path, label, split, prediction, p.*, table.*, factor.* as far as known.
    embeddings : ndarray of shape (n, d), float32
    thumbnails, inputs : iterables of bytes, n of each
        Encoded JPEGs; generators are read once.
    head : Head, optional
    history : sequence of mappings
        Reports of the training, JSON values.
    files : mapping of name to Path, optional
        Further files to move into the run: ``{"body.onnx": path, "vectors/pixels.npy": path}``.

    Returns
    -------
    Run

    Raises
    ------
    EmbedlabError
        If there is something at `folder` already.
    """
    embeddings = np.ascontiguousarray(embeddings, dtype=np.float32)
    if len(items) != len(embeddings):
        raise ValueError(f"{len(items)} items for {len(embeddings)} embeddings")
    digest = hashlib.sha256(embeddings.tobytes())
    digest.update("\n".join(items["id"].astype(str)).encode())
    for column in ("label", "split", "prediction"):
        if column in items:
            digest.update("\n".join(items[column].astype(str)).encode())
    if head is not None:
        digest.update(head.weight.tobytes() + head.bias.tobytes())
    with _place(folder) as new:
        np.save(new / "embeddings.npy", embeddings)
        items.to_parquet(new / "items.parquet", index=False)
        Pack.write(new, "thumbnails", thumbnails)
        if inputs is not None:
            Pack.write(new, "inputs", inputs)
        for name in ("thumbnails", "inputs"):
            if (new / f"{name}.npy").exists() and len(Pack(new, name)) != len(items):
                raise ValueError(f"{len(Pack(new, name))} {name} for {len(items)} items")
        if head is not None:
            from safetensors.numpy import save_file

            save_file({"weight": head.weight, "bias": head.bias}, new / "head.safetensors")
        if history:
            lines = "".join(json.dumps(dict(line)) + "\n" for line in history)
            (new / "history.jsonl").write_text(lines, encoding="utf-8")
        for name, path in (files or {}).items():
            (new / name).parent.mkdir(exist_ok=True)
            shutil.move(path, new / name)
        # safetensors writes files that none but their owner may read; a run is there to be shared.
        # What is linked to another run's file is shared already, and its mode is that run's too.
        mode = (new / "embeddings.npy").stat().st_mode
        for path in new.rglob("*.safetensors"):
            if path.stat().st_nlink == 1:
                path.chmod(mode)
        whole = {
            "schema": SCHEMA,
            **info,
            "n_items": len(items),
            "n_dims": int(embeddings.shape[1]),
            "fingerprint": digest.hexdigest(),
        }
        write_json(new / "run.json", whole)
    return Run(folder)


def check_free(folder: Path | None) -> None:
    """Refuse a folder for a run before the work begins, not after it."""
    if folder is not None and folder.exists():
        raise _taken(folder)


@contextmanager
def _place(folder: Path) -> Iterator[Path]:
    try:
        with new_folder(folder) as new:
            yield new
    except FileExistsError:
        raise _taken(folder) from None


def _taken(folder: Path) -> EmbedlabError:
    return EmbedlabError(
        f"There is something at {folder} already.", remedy="Give another folder, or remove it."
    )
