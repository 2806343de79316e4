"""Dataset: its checks, its fingerprint; and the split, with torch's own members."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from embedlab.data.dataset import TRAIN, VALIDATION, Dataset, Pictures, Skipped, split
from embedlab.data.pictures import ArrayPictures


def squares(n: int = 4) -> Dataset:
    """Make grey squares, each with a shade of its own, in two classes taken in turn."""
    array = np.arange(n, dtype=np.uint8)[:, None, None] * np.ones((2, 2), np.uint8)
    return Dataset(
        name="squares",
        ids=tuple(f"{i}.png" for i in range(n)),
        pictures=ArrayPictures(array),
        labels=np.arange(n) % 2,
        classes=("even", "odd"),
        table=pd.DataFrame({"row": range(n)}),
    )


@pytest.mark.filterwarnings("ignore:Length of split")
@pytest.mark.parametrize("n", [1, 2, 5, 10, 99, 734, 3670, 70_000])
@pytest.mark.parametrize("fraction", [0.2, 0.25, 1 / 3, 0.5])
@pytest.mark.parametrize("seed", [0, 123, 2**31 + 7])
def test_the_split_has_the_members_of_torchs_random_split(
    n: int, fraction: float, seed: int
) -> None:
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(seed)
    train, validation = torch.utils.data.random_split(
        range(n), [1 - fraction, fraction], generator=generator
    )
    parts = split(n, fraction=fraction, seed=seed)
    assert sorted(train.indices) == np.flatnonzero(parts == TRAIN).tolist()
    assert sorted(validation.indices) == np.flatnonzero(parts == VALIDATION).tolist()


def test_the_flower_photos_split_as_the_notebook_splits_them() -> None:
    parts = split(3670)
    assert ((parts == TRAIN).sum(), (parts == VALIDATION).sum()) == (2936, 734)


def test_a_stratified_split_gives_each_class_its_share() -> None:
    labels = np.repeat([0, 1, 2], [50, 10, 1])
    parts = split(61, seed=1, stratify=labels)
    counts = [int((parts[labels == k] == VALIDATION).sum()) for k in range(3)]
    assert counts == [10, 2, 0]
    assert np.array_equal(parts, split(61, seed=1, stratify=labels))
    assert not np.array_equal(parts, split(61, seed=2, stratify=labels))


@pytest.mark.parametrize("fraction", [-0.1, 1.0, float("nan")])
def test_a_share_that_is_none_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction"):
        split(10, fraction=fraction)


def test_no_share_keeps_all_in_training() -> None:
    assert set(split(7, fraction=0)) == {TRAIN}
    assert split(0).shape == (0,)


def test_lengths_and_labels_are_checked_once() -> None:
    good = squares()
    for wrong in (
        {"ids": ("a", "a", "b", "c")},
        {"ids": ("a", "b", "c")},
        {"labels": np.array([0, 1, 2, 0])},
        {"labels": np.array([0, 1])},
        {"labels": None},
        {"classes": ()},
        {"table": pd.DataFrame({"row": [1]})},
    ):
        with pytest.raises(ValueError, match=r"must|rows|come together"):
            replace(good, **wrong)


def test_labels_are_read_only() -> None:
    labels = np.array([0, 1, 0, 1])
    dataset = replace(squares(), labels=labels)
    labels[0] = 1
    assert dataset.labels is not None and dataset.labels[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        dataset.labels[0] = 1


def test_the_fingerprint_follows_content_and_nothing_else() -> None:
    good = squares()
    assert replace(good, name="others", notes=("n",), skipped=(Skipped("x", "y"),)).fingerprint == (
        good.fingerprint
    )
    changed = [
        replace(good, ids=("0.png", "1.png", "2.png", "three.png")),
        replace(good, labels=np.array([0, 0, 0, 1])),
        replace(good, classes=("even", "uneven")),
        replace(good, pictures=ArrayPictures(np.full((4, 2, 2), 9, np.uint8))),
        good.take([0, 1, 2]),
        good.take([1, 0, 2, 3]),
    ]
    assert len({good.fingerprint, *(dataset.fingerprint for dataset in changed)}) == 7


def test_taking_rows_keeps_everything_together() -> None:
    taken = squares().take([3, 0])
    assert isinstance(taken.pictures, Pictures)
    assert taken.ids == ("3.png", "0.png")
    assert taken.labels is not None and taken.labels.tolist() == [1, 0]
    assert taken.table is not None and taken.table["row"].tolist() == [3, 0]
    assert [taken.pictures.open(i).getpixel((0, 0))[0] for i in range(2)] == [3, 0]
    assert taken.pictures.digest(0) == squares().pictures.digest(3)
