"""Named sets that come as arrays: digits, the MNIST family, CIFAR, house numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedlab.data.array_dataset import array_dataset
from embedlab.data.arrays import Arrays
from embedlab.data.ask import Ask
from embedlab.data.binary import read_cifar, read_idx, read_lines, read_svhn
from embedlab.data.dataset import Dataset
from embedlab.data.download import verify
from embedlab.data.published import FILES, FOLDERS, find, get, places
from embedlab.errors import EmbedlabError

DIGITS = tuple("0123456789")
FASHION = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
ALL = ("train", "test")

# MD5 of what is inside the published files, as many projects pin it: a copy that was packed
# again still has the same content.
_CONTENT = {
    "mnist": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}

Part = tuple[NDArray[np.uint8], NDArray[np.integer]]


def load_digits(ask: Ask) -> Dataset:
    """Take scikit-learn's digits: 8 x 8 pixels, their 17 greys spread over 0..255."""
    from sklearn.datasets import load_digits as load

    bunch = load()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    arrays = Arrays(images, tuple(str(k) for k in bunch.target), DIGITS)
    return array_dataset(
        arrays, name="digits", origin=ask.origin("digits"), limit=ask.limit, seed=ask.seed
    )


def load_mnist(ask: Ask, *, part: str = "all") -> Dataset:
    """Take MNIST; `part` is "train", "test" or "all"."""
    return _idx_family("mnist", DIGITS, part, ask)


def load_fashion(ask: Ask, *, part: str = "all") -> Dataset:
    """Take Fashion-MNIST; `part` is "train", "test" or "all"."""
    return _idx_family("fashion-mnist", FASHION, part, ask)


def load_kmnist(ask: Ask, *, part: str = "all") -> Dataset:
    """Take Kuzushiji-MNIST; `part` is "train", "test" or "all"."""
    return _idx_family("kmnist", KANA, part, ask)


def load_cifar10(ask: Ask, *, part: str = "all") -> Dataset:
    """Take CIFAR-10; `part` is "train", "test" or "all"."""
    source = _cifar_source("cifar10", "cifar-10-batches-py", ask)
    batches = {"train": [f"data_batch_{k}.bin" for k in range(1, 6)], "test": ["test_batch.bin"]}
    found = {
        this: _joined(read_cifar(source, batches[this], label_bytes=1)) for this in _parts(part)
    }
    return _dataset("cifar10", found, read_lines(source, "batches.meta.txt"), part, ask)


def load_cifar100(ask: Ask, *, part: str = "all") -> Dataset:
    """Take CIFAR-100 with its 100 fine classes; `part` is "train", "test" or "all"."""
    source = _cifar_source("cifar100", "cifar-100-python", ask)
    found = {
        this: _joined(read_cifar(source, [f"{this}.bin"], label_bytes=2)) for this in _parts(part)
    }
    return _dataset("cifar100", found, read_lines(source, "fine_label_names.txt"), part, ask)


def load_svhn(ask: Ask, *, part: str = "all") -> Dataset:
    """Take SVHN's cropped house numbers; `part` is "train", "test" or "all"."""
    found = {}
    for this, file in zip(ALL, FILES["svhn"], strict=True):
        if this in _parts(part):
            path = get("svhn", file, ask.root, progress=ask.progress)
            verify(file, path)
            found[this] = read_svhn(path)
    return _dataset("svhn", found, DIGITS, part, ask)


def _idx_family(name: str, classes: Sequence[str], part: str, ask: Ask) -> Dataset:
    """Read idx files as they are published, unpacked, or as torchvision keeps them."""
    train_images, train_labels, test_images, test_labels = FILES[name]
    files = {"train": (train_images, train_labels), "test": (test_images, test_labels)}
    found, notes = {}, []
    for this in _parts(part):
        pair = []
        for file in files[this]:
            path = get(name, file, ask.root, progress=ask.progress)
            pair.append(read_idx(path))
            notes += _strange(name, file.name.removesuffix(".gz"), path, pair[-1])
        found[this] = (pair[0], pair[1])
    return _dataset(name, found, classes, part, ask, notes=notes)


def _strange(name: str, bare: str, path: Path, array: NDArray[np.uint8]) -> list[str]:
    """Say so when a file does not hold what was published."""
    expected = _CONTENT.get(name, {}).get(bare)
    kind = array.ndim.to_bytes(1, "big")
    head = b"\0\0\x08" + kind + np.array(array.shape, ">u4").tobytes()
    found = hashlib.md5(head + array.tobytes(), usedforsecurity=False).hexdigest()
    if expected in {None, found}:
        return []
    return [f"{path.name} differs in content from the published file; results may differ too."]


def _cifar_source(name: str, pickles: str, ask: Ask) -> Path:
    """Find CIFAR's binary version, unpacked or not."""
    folders = places(name, ask.root)
    unpacked = find(FOLDERS[name], folders)
    if unpacked is not None:
        return unpacked
    (file,) = FILES[name]
    try:
        archive = get(name, file, ask.root, progress=ask.progress)
    except EmbedlabError as error:
        if (other := find([pickles], folders)) is None:
            raise
        raise EmbedlabError(
            f"{error.problem} There is {other}, but it holds Python pickles, which can run code; "
            f"embedlab reads {file.name} only.",
            remedy=error.remedy,
        ) from error
    verify(file, archive)
    return archive


def _parts(part: str) -> tuple[str, ...]:
    if part == "all":
        return ALL
    if part in ALL:
        return (part,)
    raise EmbedlabError(f"There is no part {part!r}.", remedy="Parts: train, test, all.")


def _joined(batches: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> Part:
    """Put batches together: pictures, and their last label byte, which is the finest."""
    pictures = np.concatenate([images for _, images in batches])
    return pictures, np.concatenate([labels[:, -1] for labels, _ in batches])


def _dataset(
    name: str,
    found: Mapping[str, Part],
    classes: Sequence[str],
    part: str,
    ask: Ask,
    *,
    notes: Sequence[str] = (),
) -> Dataset:
    for this, (images, labels) in found.items():
        if len(images) != len(labels) or labels.max(initial=0) >= len(classes):
            raise EmbedlabError(
                f"The {this} part of {name} does not fit together: {len(images):,} pictures, "
                f"{len(labels):,} labels up to {labels.max(initial=0)}, {len(classes)} classes.",
                remedy="Fetch its files again.",
            )
    numbers = np.concatenate([labels for _, labels in found.values()])
    pictures = [images for images, _ in found.values()]
    arrays = Arrays(
        pictures[0] if len(pictures) == 1 else np.concatenate(pictures),
        tuple(classes[k] for k in numbers),
        tuple(classes),
        tuple(this for this, (images, _) in found.items() for _ in range(len(images))),
    )
    origin = ask.origin(name, part=part)
    return array_dataset(
        arrays, name=name, origin=origin, limit=ask.limit, seed=ask.seed, notes=notes
    )
