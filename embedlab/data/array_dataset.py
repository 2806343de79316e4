"""Datasets from arrays of pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from embedlab.data.arrays import Arrays
from embedlab.data.dataset import Dataset
from embedlab.data.notes import class_notes
from embedlab.data.pictures import ArrayPictures
from embedlab.data.sampling import sample, sample_note, sample_origin


def array_dataset(
    arrays: Arrays,
    *,
    name: str,
    origin: Mapping[str, Any],
    limit: int | None = None,
    seed: int = 123,
    notes: Sequence[str] = (),
) -> Dataset:
    """Make a dataset of pictures in an array.

    Parameters
    ----------
    arrays : Arrays
        Pictures, labels, parts.
    name : str
        What people call it.
    origin : mapping
        As in `Dataset`; the sample is added.
    limit : int, optional
        Take a random sample of at most this many.
    seed : int
        Decides which sample.
    notes : sequence of str
        Sentences to put before those found here.

    Returns
    -------
    Dataset
        Ids are row numbers, counted from 0 in each part: ``00017``, ``test/00017``. Where there
        are parts, the table's column "part" names them.
    """
    n = len(arrays.images)
    rows = sample(n, limit=limit, seed=seed)
    ids = _ids(n, arrays.parts)
    numbers = {label: k for k, label in enumerate(arrays.classes)}
    given = arrays.labels
    labels = None if given is None else [given[i] for i in rows]
    parts = arrays.parts
    said = [*notes, *arrays.notes, *sample_note(len(rows), n, seed=seed)]
    if labels is not None:
        there = Counter(labels)
        said += class_notes([label for label in arrays.classes if label in there], labels)
    whole = ArrayPictures(arrays.images)
    dataset = Dataset(
        name=name,
        ids=ids,
        pictures=whole,
        labels=None if given is None else np.array([numbers[name] for name in given], np.int64),
        classes=arrays.classes,
        table=None if parts is None else pd.DataFrame({"part": parts}),
        notes=tuple(said),
        origin={**origin, **sample_origin(limit=limit, seed=seed)},
    )
    return dataset if len(rows) == n else dataset.take(rows)


def _ids(n: int, parts: Sequence[str] | None) -> tuple[str, ...]:
    width = max(5, len(str(n - 1)))
    if parts is None:
        return tuple(f"{i:0{width}d}" for i in range(n))
    seen: Counter[str] = Counter()
    ids = []
    for part in parts:
        ids.append(f"{part}/{seen[part]:0{width}d}")
        seen[part] += 1
    return tuple(ids)
