"""Pictures in .npy and .npz files, which may lie about themselves."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from embedlab.data.pixels import BUDGET, as_pictures
from embedlab.errors import EmbedlabError

# Names under which an .npz may hold pictures and labels, in the order they are looked for.
IMAGES = ("x", "X", "images", "image", "pictures", "data", "arr_0")
LABELS = ("y", "Y", "labels", "label", "targets", "target", "arr_1")
NAMES = ("classes", "class_names", "names")
# Pairs of pictures and labels that make one dataset together, by the name of their part.
PARTS = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels")),
    "validation": (("x_val", "y_val"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
}


@dataclass(frozen=True)
class Arrays:
    """Pictures from arrays.

    Parameters
    ----------
    images : ndarray of shape (n, height, width) or (n, height, width, 3), uint8
    labels : tuple of str, length n, or None
        The class of each picture.
    classes : tuple of str
        Names of the classes in order: by number where labels are numbers, else by name.
    parts : tuple of str, length n, or None
        "train", "validation", "test", where the file keeps them apart.
    notes : tuple of str
        How shapes and values were understood.
    """

    images: NDArray[np.uint8]
    labels: tuple[str, ...] | None = None
    classes: tuple[str, ...] = ()
    parts: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def load_arrays(path: Path, *, budget: int = BUDGET) -> Arrays:
    """Read pictures, and labels where there are some, from a .npy or .npz file.

    In an .npz, pictures are under the first name of `IMAGES` that is there (or the only one
    there is), labels of `LABELS`, names of the classes of `NAMES`; or there are pairs as in
    `PARTS`. `embedlab.data.pixels.as_pictures` states which shapes and values are pictures.

    Parameters
    ----------
    path : Path
        A file of NumPy's own formats. Pickled objects are never read.
    budget : int
        Bytes that the pictures may need in memory. An .npy of uint8 needs none: it is mapped.

    Returns
    -------
    Arrays

    Raises
    ------
    EmbedlabError
        If the file is damaged or lies about its size, or holds no pictures.
    """
    try:
        if not zipfile.is_zipfile(path):
            images, notes = as_pictures(_map_npy(path), name=path.name, budget=budget)
            return Arrays(images, notes=notes)
        with zipfile.ZipFile(path) as archive:
            return _Npz(archive, path.name, budget).arrays()
    except (ValueError, EOFError, OSError, RuntimeError, zipfile.BadZipFile) as error:
        raise EmbedlabError(
            f"{path.name} cannot be read as an array: {error}.",
            remedy="Write it again with numpy.save or numpy.savez, as numbers.",
        ) from error


def _map_npy(path: Path) -> NDArray[Any]:
    """Open a .npy without reading it, once its header is known to be true."""
    with path.open("rb") as file:
        shape, dtype = _header(file, path.name)
        _must_fit(shape, dtype, path.stat().st_size - file.tell())
    if 0 in shape:
        return np.empty(shape, dtype)
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the header of a .npy: shape and kind; refuse objects."""
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"version {version[0]}.{version[1]} of the format is not known")
    shape, _, dtype = readers[version](file)
    if dtype.hasobject:
        raise EmbedlabError(
            f"{name} holds pickled Python objects, which can run code when they are opened.",
            remedy="Save plain numbers: numpy.save(file, numpy.stack(pictures)).",
        )
    if any(size < 0 for size in shape):
        raise ValueError(f"its header claims the shape {shape}")
    return shape, dtype


def _must_fit(shape: tuple[int, ...], dtype: np.dtype[Any], room: int) -> None:
    needed = prod(shape) * dtype.itemsize
    if needed > room:
        raise ValueError(f"its header claims {needed:,} bytes of values where {room:,} are")


class _Npz:
    """An .npz whose arrays are read one by one, each after a look at its header."""

    def __init__(self, archive: zipfile.ZipFile, name: str, budget: int) -> None:
        self.archive = archive
        self.name = name
        self.budget = budget
        names = archive.namelist()
        self.keys = [entry.removesuffix(".npy") for entry in names if entry.endswith(".npy")]

    def arrays(self) -> Arrays:
        pairs = self._pairs()
        made = [
            as_pictures(self._read(key), name=f"{key!r} in {self.name}", budget=self.budget)
            for _, key, _ in pairs
        ]
        images = [pictures for pictures, _ in made]
        if len({pictures.shape[1:] for pictures in images}) > 1:
            shapes = ", ".join(str(pictures.shape) for pictures in images)
            raise EmbedlabError(
                f"The parts of {self.name} differ in shape: {shapes}.",
                remedy="Save them in files of their own.",
            )
        labels: tuple[str, ...] | None = None
        classes: tuple[str, ...] = ()
        if all(key in self.keys for _, _, key in pairs):
            numbers = [
                self._labels(key, len(pictures))
                for (_, _, key), pictures in zip(pairs, images, strict=True)
            ]
            labels, classes = self._classes(np.concatenate(numbers))
        parts = [
            part for (part, _, _), pictures in zip(pairs, images, strict=True) for _ in pictures
        ]
        return Arrays(
            images[0] if len(images) == 1 else np.concatenate(images),
            labels,
            classes,
            tuple(parts) if parts[0] else None,
            tuple(dict.fromkeys(note for _, notes in made for note in notes)),
        )

    def _pairs(self) -> list[tuple[str, str, str]]:
        """Say which arrays belong together: part, key of the pictures, key of the labels."""
        pairs = [
            (part, images, labels)
            for part, choices in PARTS.items()
            for images, labels in choices
            if images in self.keys
        ]
        if pairs:
            return pairs
        alone = self.keys if len(self.keys) == 1 else []
        images = next((key for key in (*IMAGES, *alone) if key in self.keys), None)
        if images is None:
            raise EmbedlabError(
                f"{self.name} has no pictures under a known name; it holds "
                f"{', '.join(self.keys) or 'no arrays'}.",
                remedy=f"Call them one of {', '.join(IMAGES)}; the labels {', '.join(LABELS)}.",
            )
        return [("", images, next((key for key in LABELS if key in self.keys), ""))]

    def _read(self, key: str) -> NDArray[Any]:
        name = f"{key!r} in {self.name}"
        entry = self.archive.getinfo(f"{key}.npy")
        with self.archive.open(entry) as file:
            shape, dtype = _header(file, name)
            _must_fit(shape, dtype, entry.file_size - file.tell())
        needed = prod(shape) * dtype.itemsize
        if needed > self.budget:
            raise EmbedlabError(
                f"{name} needs {needed / 1e9:.3g} GB of memory, more than the "
                f"{self.budget / 1e9:.3g} GB allowed.",
                remedy="Save the pictures as uint8 in a .npy, which stays on the disk.",
            )
        with self.archive.open(entry) as file:
            array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return array

    def _labels(self, key: str, n: int) -> NDArray[Any]:
        labels = self._read(key)
        if labels.shape not in {(n,), (n, 1)}:
            raise EmbedlabError(
                f"{key!r} in {self.name} has shape {labels.shape} for {n:,} pictures.",
                remedy="There must be one label for each picture: shape (n,).",
            )
        return _as_text(labels.reshape(n))

    def _classes(self, labels: NDArray[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Name the class of each picture, and all classes in order."""
        if labels.dtype.kind == "U":
            return tuple(map(str, labels)), tuple(sorted(set(map(str, labels))))
        if labels.dtype.kind not in "buif" or not np.array_equal(labels, np.rint(labels)):
            raise EmbedlabError(
                f"The labels of {self.name} are neither whole numbers nor texts.",
                remedy="Number the classes 0, 1, 2, ... or write their names.",
            )
        numbers = labels.astype(np.int64)
        key = next((key for key in NAMES if key in self.keys), None)
        if key is None:
            return tuple(map(str, numbers)), tuple(map(str, np.unique(numbers)))
        names = [str(name) for name in _as_text(self._read(key)).ravel()]
        if numbers.min() < 0 or numbers.max() >= len(names) or len(set(names)) < len(names):
            raise EmbedlabError(
                f"{self.name} has labels from {numbers.min()} to {numbers.max()} and names "
                f"{len(set(names))} classes.",
                remedy="Give a name of its own to each number from 0 on.",
            )
        return tuple(names[k] for k in numbers), tuple(names)


def _as_text(values: NDArray[Any]) -> NDArray[Any]:
    return np.char.decode(values, "utf-8", "replace") if values.dtype.kind == "S" else values
