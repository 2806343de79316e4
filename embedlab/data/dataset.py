"""Dataset: pictures with their ids, labels, classes, table and fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

TRAIN, VALIDATION = "train", "validation"


@runtime_checkable
class Pictures(Protocol):
    """Random access to pictures, wherever they are kept."""

    def __len__(self) -> int: ...

    def open(self, index: int) -> Image.Image:
        """Decode picture `index`: mode RGB, upright, at its full size."""
        ...

    def digest(self, index: int) -> str:
        """Give the SHA-256 of picture `index`'s content, as 64 hexadecimal digits."""
        ...

    def path(self, index: int) -> Path | None:
        """Say which file picture `index` lies in, or None where it is not a file."""
        ...


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why."""

    id: str
    reason: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures and all that is known about them. Row i of everything belongs to picture i.

    Parameters
    ----------
    name : str
        What people call it: "garden", "flowers", a folder's name.
    ids : sequence of str, length n
        Unique, stable names of the pictures, such as ``roses/10503217854_e66a804309.jpg``.
    pictures : Pictures, length n
        Decodes picture i on demand.
    labels : ndarray of shape (n,), int64, optional
        Index into `classes` for each picture. None for pictures without classes.
    classes : sequence of str
        Names of the classes; empty when `labels` is None.
    table : DataFrame of n rows, optional
        Columns that came with the pictures (height_cm, price, ...).
    factors : DataFrame of n rows, optional
        What is known for certain about how each picture was made (hue, size, ...).
    skipped : sequence of Skipped
        Files that were found and left out.
    notes : sequence of str
        Sentences for people: small classes, mixed sizes, what was converted.
    origin : mapping
        What makes the same dataset again: ``{"source": "folder", "path": "/photos"}``.
        JSON values only.

    Raises
    ------
    ValueError
        If lengths differ, ids repeat, or a label has no class.
    """

    name: str
    ids: tuple[str, ...]
    pictures: Pictures
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    table: pd.DataFrame | None = None
    factors: pd.DataFrame | None = None
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    origin: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.ids)
        for name in ("ids", "classes", "skipped", "notes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if len(set(self.ids)) != n:
            raise ValueError("ids must be unique")
        for what in ("pictures", "labels", "table", "factors"):
            value = getattr(self, what)
            if value is not None and len(value) != n:
                raise ValueError(f"{what} has {len(value)} rows for {n} ids")
        if (self.labels is None) != (not self.classes):
            raise ValueError("labels and classes come together or not at all")
        if self.labels is not None:
            labels = np.array(self.labels, dtype=np.int64)
            if n and not (labels.min() >= 0 and labels.max() < len(self.classes)):
                raise ValueError(f"labels must lie in 0..{len(self.classes) - 1}")
            labels.flags.writeable = False
            object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over picture contents, ids, labels and classes: 64 hexadecimal digits."""
        digest = hashlib.sha256()
        for i, id_ in enumerate(self.ids):
            label = "" if self.labels is None else self.classes[self.labels[i]]
            digest.update(f"{id_}\0{label}\0{self.pictures.digest(i)}\n".encode())
        digest.update("\0".join(self.classes).encode())
        return digest.hexdigest()

    def take(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> Dataset:
        """Give the dataset of these rows only, in this order; classes stay as they are."""
        index = np.asarray(rows, dtype=np.int64)
        return Dataset(
            name=self.name,
            ids=tuple(self.ids[i] for i in index),
            pictures=_Taken(self.pictures, index),
            labels=None if self.labels is None else self.labels[index],
            classes=self.classes,
            table=None if self.table is None else self.table.iloc[index].reset_index(drop=True),
            factors=(
                None if self.factors is None else self.factors.iloc[index].reset_index(drop=True)
            ),
            notes=self.notes,
            origin=self.origin,
        )


@dataclass(frozen=True, eq=False)
class _Taken:
    """Some of the pictures of another collection."""

    pictures: Pictures
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def open(self, index: int) -> Image.Image:
        return self.pictures.open(int(self.rows[index]))

    def digest(self, index: int) -> str:
        return self.pictures.digest(int(self.rows[index]))

    def path(self, index: int) -> Path | None:
        return self.pictures.path(int(self.rows[index]))


def split(
    n_items: int,
    *,
    fraction: float = 0.2,
    seed: int = 123,
    stratify: NDArray[np.int64] | None = None,
) -> NDArray[np.str_]:
    """Deal pictures out to training and validation.

    The plain split has the same members as ``torch.utils.data.random_split`` with a generator
    of the same seed, so that results can be compared with a notebook's; torch itself is not
    needed.

    Parameters
    ----------
    n_items : int
        How many pictures there are.
    fraction : float
        The share of validation pictures, at least 0 and below 1. The training part has
        ``floor(n_items * (1 - fraction))`` pictures, give or take rounding of the fraction.
    seed : int
        The same seed gives the same split on every machine.
    stratify : ndarray of shape (n_items,), int64, optional
        Labels: each class is split by itself, so that both parts have its share. A class of
        one picture stays in training.

    Returns
    -------
    ndarray of shape (n_items,), str
        "train" or "validation" for each picture.

    Raises
    ------
    ValueError
        If `fraction` is not in [0, 1), or `stratify` has another length.

    Examples
    --------
    >>> parts = split(3670, seed=123)
    >>> int((parts == "train").sum()), int((parts == "validation").sum())
    (2936, 734)
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction is {fraction}; it must be at least 0 and below 1")
    parts = np.full(n_items, TRAIN, dtype="<U10")
    if stratify is None:
        order = _torch_randperm(n_items, seed)
        parts[order[_n_train(n_items, fraction) :]] = VALIDATION
        return parts
    if len(stratify) != n_items:
        raise ValueError(f"stratify has {len(stratify)} labels for {n_items} items")
    for label in np.unique(stratify):
        rows = np.flatnonzero(stratify == label)
        order = _torch_randperm(len(rows), seed)
        parts[rows[order[max(1, _n_train(len(rows), fraction)) :]]] = VALIDATION
    return parts


def _n_train(n_items: int, fraction: float) -> int:
    # random_split gives each part floor(n * share) and deals what is left, first part first.
    shares = (1 - fraction, fraction)
    counts = [int(np.floor(n_items * share)) for share in shares]
    return counts[0] + (1 if n_items - sum(counts) >= 1 else 0)


def _torch_randperm(n: int, seed: int) -> NDArray[np.int64]:
    """Permute 0..n-1 as torch.randperm does: Fisher-Yates on the Mersenne twister's raw words."""
    words = np.random.MT19937()
    words._legacy_seeding(seed & 0xFFFFFFFF)
    order = np.arange(n, dtype=np.int64)
    raw = words.random_raw(max(n - 1, 0))
    for i in range(n - 1):
        j = i + int(raw[i]) % (n - i)
        order[i], order[j] = order[j], order[i]
    return order
