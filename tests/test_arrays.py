"""Pictures from .npy and .npz files and from arrays."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedlab import load_dataset
from embedlab.data.arrays import load_arrays
from embedlab.data.pixels import as_pictures
from embedlab.errors import EmbedlabError

RNG = np.random.default_rng(0)


def bytes_of(*shape: int) -> np.ndarray[Any, Any]:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "becomes"),
    [
        ((5, 28, 28), (5, 28, 28)),
        ((5, 28, 30, 1), (5, 28, 30)),
        ((5, 28, 30, 3), (5, 28, 30, 3)),
        ((5, 3, 28, 30), (5, 28, 30, 3)),
        ((5, 1, 28, 30), (5, 28, 30)),
        ((1, 28, 30, 3), (1, 28, 30, 3)),
        ((3, 28, 30), (3, 28, 30)),
        ((7, 4, 4), (7, 4, 4)),
    ],
)
def test_shapes_that_are_pictures(shape: tuple[int, ...], becomes: tuple[int, ...]) -> None:
    array = bytes_of(*shape)
    images, _ = as_pictures(array)
    assert images.shape == becomes
    assert np.shares_memory(images, array)
    if shape[1:2] == (3,) and len(shape) == 4:
        assert np.array_equal(images[2, :, :, 1], array[2, 1])


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((480, 640, 3), "one picture, not 480 grey ones"),
        ((480, 640, 4), "one picture, not 480 grey ones"),
        ((480, 640, 1), "one picture, not 480 grey ones"),
        ((10, 3, 32, 3), "could both be the colours"),
        ((100, 64), "no pictures' shape"),
        ((100,), "no pictures' shape"),
        ((2, 5, 28, 28), "no pictures' shape"),
        ((0, 28, 28), "no picture in it"),
    ],
)
def test_shapes_that_are_none_are_explained(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(EmbedlabError, match=said) as caught:
        as_pictures(np.zeros(shape, np.uint8), name="x.npy")
    assert str(shape) in caught.value.problem and caught.value.remedy


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        (np.float32, [0.0, 0.5, 1.0], [0, 128, 255]),
        (np.float64, [0.0, 7.4, 255.0], [0, 7, 255]),
        (np.int64, [0, 7, 255], [0, 7, 255]),
        (np.uint16, [0, 257, 65535], [0, 1, 255]),
        (bool, [False, True, True], [0, 255, 255]),
        (np.float16, [0.0, 0.0, 0.0], [0, 0, 0]),
    ],
)
def test_values_follow_the_stated_rule(dtype: type, values: list[Any], expected: list[int]) -> None:
    images, _ = as_pictures(np.array(values, dtype).reshape(1, 1, 3))
    assert images.dtype == np.uint8
    assert images.ravel().tolist() == expected


def test_alpha_is_laid_on_white() -> None:
    array = np.zeros((1, 2, 2, 4), np.uint8)
    array[0, 0, 0] = [255, 0, 0, 128]
    images, _ = as_pictures(array)
    assert images[0, 0].tolist() == [[255, 127, 127], [255, 255, 255]]


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([[[-1.0, 1.0]]]), "range from -1 to 1"),
        (np.array([[[0.0, 300.0]]]), "range from 0 to 300"),
        (np.array([[["a", "b"]]]), "no pixels"),
        (np.array([[[1j, 2]]]), "no pixels"),
    ],
)
def test_values_that_are_no_pixels_are_refused(array: np.ndarray[Any, Any], said: str) -> None:
    with pytest.raises(EmbedlabError, match=said):
        as_pictures(array)


def test_the_picture_that_holds_nan_is_named() -> None:
    array = np.zeros((9, 6, 6), np.float32)
    array[7, 2, 2] = np.nan
    with pytest.raises(EmbedlabError, match=r"picture 7 \(counted from 0\)"):
        as_pictures(array)


def test_an_npy_of_bytes_is_mapped_not_read(tmp_path: Path) -> None:
    array = bytes_of(4, 6, 5, 3)
    np.save(tmp_path / "x.npy", array)
    arrays = load_arrays(tmp_path / "x.npy", budget=1)
    assert isinstance(arrays.images, np.memmap)
    assert np.array_equal(arrays.images, array)


def test_what_needs_more_memory_than_the_budget_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 6, 5), np.float32))
    np.savez(tmp_path / "x.npz", x=bytes_of(4, 6, 5))
    for name in ("x.npy", "x.npz"):
        with pytest.raises(EmbedlabError, match=r"more than the .* GB allowed"):
            load_arrays(tmp_path / name, budget=100)
        assert len(load_arrays(tmp_path / name, budget=120).images) == 4


class Evil:
    """An object whose unpickling would be noticed."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("code ran",))


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_pickled_objects_are_refused_unopened(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    array = np.empty(2, object)
    array[:] = [Evil(), Evil()]
    save = np.save if name.endswith("y") else np.savez
    save(tmp_path / name, array, allow_pickle=True)
    with pytest.raises(EmbedlabError, match="pickled Python objects"):
        load_arrays(tmp_path / name)
    (tmp_path / name).write_bytes(pickle.dumps(Evil()))
    with pytest.raises(EmbedlabError, match="cannot be read as an array"):
        load_arrays(tmp_path / name)
    assert capsys.readouterr().out == ""


def lying_npy(shape: tuple[int, ...], values: bytes) -> bytes:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values


@pytest.mark.parametrize("shape", [(10**6, 10**4, 10**4), (3, 9, 9), (-1, 9, 9)])
def test_headers_that_lie_are_found_out(shape: tuple[int, ...], tmp_path: Path) -> None:
    data = lying_npy(shape, bytes(200))
    (tmp_path / "x.npy").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", data)
    for name in ("x.npy", "x.npz"):
        with pytest.raises(EmbedlabError, match="its header claims"):
            load_arrays(tmp_path / name)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_cut_files_are_refused(share: float, tmp_path: Path) -> None:
    for name in ("x.npy", "x.npz"):
        file = io.BytesIO()
        np.save(file, bytes_of(9, 9, 9)) if name == "x.npy" else np.savez(file, x=bytes_of(9, 9, 9))
        data = file.getvalue()
        (tmp_path / name).write_bytes(data[: int(len(data) * share)])
        with pytest.raises(EmbedlabError, match="cannot be read as an array"):
            load_arrays(tmp_path / name)


@pytest.mark.parametrize(
    ("labels", "names", "classes", "given"),
    [
        (np.array([2, 0, 10]), None, ("0", "2", "10"), ("2", "0", "10")),
        (np.array([[1], [0], [1]]), None, ("0", "1"), ("1", "0", "1")),
        (np.array([1.0, 0.0, 1.0]), ["rose", "ash"], ("rose", "ash"), ("ash", "rose", "ash")),
        (np.array(["b", "a", "b"]), None, ("a", "b"), ("b", "a", "b")),
        (np.array([b"b", b"a", b"b"]), None, ("a", "b"), ("b", "a", "b")),
    ],
)
def test_labels_and_class_names(
    labels: Any, names: Any, classes: tuple[str, ...], given: tuple[str, ...], tmp_path: Path
) -> None:
    more = {} if names is None else {"class_names": np.array(names)}
    np.savez(tmp_path / "x.npz", images=bytes_of(3, 6, 6), labels=labels, **more)
    arrays = load_arrays(tmp_path / "x.npz")
    assert (arrays.classes, arrays.labels) == (classes, given)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"photos": 3, "masks": 3}, "photos, masks"),
        ({"x": 3, "y": np.zeros(4)}, r"'y' in x.npz has shape \(4,\) for 3 pictures"),
        ({"x": 3, "y": np.array([0.5, 1, 2])}, "neither whole numbers nor texts"),
        ({"x": 3, "y": np.array([0, 1, 2]), "classes": np.array(["a", "b"])}, "names 2 classes"),
    ],
)
def test_keys_and_labels_that_do_not_fit_are_explained(
    arrays: dict[str, Any], said: str, tmp_path: Path
) -> None:
    made = {k: bytes_of(v, 6, 6) if isinstance(v, int) else v for k, v in arrays.items()}
    np.savez(tmp_path / "x.npz", **made)
    with pytest.raises(EmbedlabError, match=said):
        load_arrays(tmp_path / "x.npz")


def test_parts_become_one_dataset_with_a_column(tmp_path: Path) -> None:
    train, test = bytes_of(3, 6, 6), bytes_of(2, 6, 6)
    np.savez(
        tmp_path / "mnist.npz",
        x_test=test,
        x_train=train,
        y_train=np.array([5, 0, 4]),
        y_test=np.array([7, 5]),
    )
    dataset = load_dataset(tmp_path / "mnist.npz")
    assert dataset.name == "mnist"
    assert dataset.ids == ("train/00000", "train/00001", "train/00002", "test/00000", "test/00001")
    assert dataset.table is not None
    assert dataset.table["part"].tolist() == ["train"] * 3 + ["test"] * 2
    assert dataset.classes == ("0", "4", "5", "7")
    assert dataset.labels is not None and dataset.labels.tolist() == [2, 0, 1, 3, 2]
    assert np.array_equal(np.asarray(dataset.pictures.open(3))[..., 0], test[0])


def test_arrays_without_labels_and_a_sample_of_them(tmp_path: Path) -> None:
    array = bytes_of(50, 6, 6)
    np.save(tmp_path / "faces.npy", array)
    dataset = load_dataset(tmp_path / "faces.npy", limit=10, seed=3)
    assert (len(dataset), dataset.labels, dataset.classes) == (10, None, ())
    assert dataset.ids == tuple(sorted(dataset.ids))
    for i, id_ in enumerate(dataset.ids):
        assert np.array_equal(np.asarray(dataset.pictures.open(i))[..., 0], array[int(id_)])
    assert any("sample of 10 of 50" in note for note in dataset.notes)
