from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from embedlab.data.dataset import Dataset
from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.models import plain
from embedlab.models.plain import histograms, isometric, plain_vectors

from .made_pictures import as_files, coloured

WIDE = Preprocessing(16, 18, "bicubic")


def raw_pixels(dataset: Dataset, preprocessing: Preprocessing) -> NDArray[np.float64]:
    """The direct way: the whole matrix in memory."""
    seen = np.stack([preprocessing.see(dataset.pictures.open(i)) for i in range(len(dataset))])
    flat = (seen / 255.0 - preprocessing.mean) / preprocessing.std
    return flat.reshape(len(dataset), -1)


def test_two_right_angled_vectors_keep_their_triangle() -> None:
    # (3, 0, 0, ...), (0, 4, 0, ...) and their sum: sides 3, 4 and 5.
    rows = np.zeros((3, 1000), np.float32)
    rows[0, 7], rows[1, 700] = 3, 4
    rows[2] = rows[0] + rows[1]
    z = isometric([rows[:, :500], rows[:, 500:]], 3)
    assert z.shape == (3, 2), "three vectors in a plane need two coordinates"
    assert np.linalg.norm(z[0] - z[1]) == pytest.approx(5)
    np.testing.assert_allclose(z[2], z[0] + z[1], atol=1e-6)


def test_isometric_coordinates_keep_all_that_is_measured() -> None:
    dataset = coloured(40, n_classes=3)
    x = raw_pixels(dataset, WIDE)
    made = plain_vectors(dataset, WIDE)["pixels"]
    z = np.asarray(made.vectors, np.float64)
    assert z.shape == (40, 40) and made.about["isometric"] and made.about["n_dims"] == 768
    scale = np.linalg.norm(x, axis=1)
    tolerance = 2e-6 * np.outer(scale, scale)
    assert (np.abs(z @ z.T - x @ x.T) < tolerance).all()
    # Centring is where precision goes if anywhere: means, centred cosines and PCA scores.
    zc, xc = z - z.mean(0), x - x.mean(0)
    unit = lambda m: m / np.linalg.norm(m, axis=1, keepdims=True)  # noqa: E731
    np.testing.assert_allclose(unit(zc) @ unit(zc).T, unit(xc) @ unit(xc).T, atol=2e-5)
    np.testing.assert_allclose(
        np.linalg.svd(zc, compute_uv=False), np.linalg.svd(xc, compute_uv=False), atol=1e-3
    )


def test_copies_stay_copies() -> None:
    dataset = coloured(6)
    rows = np.array([0, 1, 2, 0, 4, 2])
    x = raw_pixels(dataset, WIDE)[rows].astype(np.float32)
    z = isometric([x], 6)
    assert z.shape[1] <= 6 and np.isfinite(z).all()
    length = np.linalg.norm(x[0])
    assert np.linalg.norm(z[0] - z[3]) < 1e-3 * length
    assert np.linalg.norm(z[0] - z[1]) > 0.1 * length
    assert isometric([np.zeros((3, 5), np.float32)], 3).tolist() == [[0], [0], [0]]


def test_more_pictures_than_pixels_are_kept_as_they_are() -> None:
    tiny = Preprocessing(2, 2, "bilinear")
    dataset = coloured(30)
    made = plain_vectors(dataset, tiny)["pixels"]
    assert not made.about["isometric"]
    np.testing.assert_allclose(made.vectors, raw_pixels(dataset, tiny), atol=1e-5)


def test_many_pictures_are_compared_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "MANY", 20)
    monkeypatch.setattr(plain, "MANY_SIDE", 4)
    about = plain_vectors(coloured(30), WIDE)["pixels"].about
    assert about["side"] == 4 and about["n_dims"] == 48 and "compared at 4 px" in about["what"]


def test_histograms_count_colours_and_nothing_else() -> None:
    seen = np.zeros((3, 2, 2, 3), np.uint8)
    seen[0, 0] = (255, 0, 0)  # half red, half black
    seen[1, :, 1] = (255, 0, 0)  # the same elsewhere
    h = histograms(seen)
    assert h.shape == (3, 512) and h.dtype == np.float32
    red, black = 7 * 64, 0
    np.testing.assert_allclose(h[0, [red, black]], np.sqrt(0.5))
    np.testing.assert_array_equal(h[0], h[1])
    assert h[2, black] == 1
    np.testing.assert_allclose(np.linalg.norm(h, axis=1), 1, rtol=1e-6)
    # Bhattacharyya coefficient of (1/2, 1/2) and (0, 1).
    assert h[0] @ h[2] == pytest.approx(np.sqrt(0.5))


def test_they_are_kept_by_content(monkeypatch: pytest.MonkeyPatch) -> None:
    first = plain_vectors(coloured(8), WIDE)

    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(plain, "PLAIN", dict.fromkeys(plain.PLAIN, never))
    again = plain_vectors(coloured(8), WIDE)
    for name, made in first.items():
        np.testing.assert_array_equal(again[name].vectors, made.vectors)
        assert again[name].about == made.about
    with pytest.raises(AssertionError, match="computed again"):
        plain_vectors(coloured(8, seed=1), WIDE)


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbedlabError, match=r"0003\.png"):
        plain_vectors(as_files(coloured(5), tmp_path / "pictures", broken=(3,)), WIDE)


def test_the_matrix_is_never_in_memory() -> None:
    """90 pictures of 128 px would be 17 MB as float32; groups of columns hold a tenth."""
    dataset = coloured(90, side=32)
    preprocessing = Preprocessing(128, 128, "bilinear")
    whole = 90 * 3 * 128**2 * 4
    plain_vectors(dataset.take([0]), preprocessing)  # what is imported on the way is not meant
    tracemalloc.start()
    try:
        monkey = pytest.MonkeyPatch()
        with monkey.context() as patch:
            patch.setattr(plain, "_CHUNK_BYTES", 2**20)
            plain_vectors(dataset, preprocessing)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < whole / 2, f"{peak / 1e6:.1f} of {whole / 1e6:.1f} MB"
