"""Probes and dimensions: known answers, then scikit-learn on digits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree
from sklearn.datasets import load_digits, load_iris
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsClassifier

from embedlab.errors import EmbedlabError
from embedlab.space.dimension import compact, intrinsic_dimension, participation_ratio
from embedlab.space.neighbours import knn
from embedlab.space.probes import knn_accuracy, knn_vote, linear_probe, read_off
from embedlab.space.similarity import METRICS, pairwise


@pytest.fixture(scope="module")
def digits():
    bunch = load_digits()
    return bunch.data.astype(np.float32), bunch.target


TRAIN, REST = slice(0, 1200), slice(1200, 1797)


def test_neighbours_vote_and_the_nearest_breaks_ties() -> None:
    labels = [5, 5, 7, 9]
    assert knn_vote(labels, [[2, 0, 1], [2, 3, 0], [3, 2, -1]]).tolist() == [5, 7, 9]
    assert knn_vote(labels, np.empty((2, 0), int)).tolist() == [-1, -1]
    assert knn_vote(labels, [[-1, -1]]).tolist() == [-1]


def test_knn_accuracy_is_scikit_learns(digits) -> None:
    vectors, labels = digits
    for k, metric in ((1, "cosine"), (1, "euclidean")):
        reference = KNeighborsClassifier(k, metric=metric).fit(vectors[TRAIN], labels[TRAIN])
        share = knn_accuracy(
            vectors[TRAIN], labels[TRAIN], vectors[REST], labels[REST], k=k, metric=metric
        )
        assert share.value == pytest.approx(reference.score(vectors[REST], labels[REST]))
    broken = vectors[REST].copy()
    broken[0] = np.nan
    share = knn_accuracy(vectors[TRAIN], labels[TRAIN], broken, labels[REST])
    assert share.total == 596 and share.value > 0.9


@pytest.mark.filterwarnings("error")
def test_linear_probe_reads_digits_but_not_shuffled_ones(digits) -> None:
    vectors, labels = digits
    share = linear_probe(vectors[TRAIN], labels[TRAIN], vectors[REST], labels[REST])
    assert share.total == 597 and share.value > 0.9
    assert share == linear_probe(vectors[TRAIN], labels[TRAIN], vectors[REST], labels[REST])
    shuffled = np.random.default_rng(0).permutation(labels[TRAIN])
    assert linear_probe(vectors[TRAIN], shuffled, vectors[REST], labels[REST]).value < 0.2
    one_class = linear_probe(vectors[:3], [4, 4, 4], vectors[REST], labels[REST])
    assert one_class.correct == (labels[REST] == 4).sum()
    assert linear_probe(vectors[:9], labels[:9], vectors[:0], labels[:0]).total == 0


@pytest.mark.filterwarnings("error")
def test_long_vectors_are_probed_too(digits, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = digits
    whole = linear_probe(vectors[TRAIN], labels[TRAIN], vectors[REST], labels[REST])
    monkeypatch.setattr("embedlab.space.probes.LONG", 40)
    short = linear_probe(vectors[TRAIN], labels[TRAIN], vectors[REST], labels[REST])
    assert abs(short.value - whole.value) < 0.01
    size = vectors[:30, :50].sum(axis=1)
    read = read_off(vectors[:30], size, rows=np.arange(20), held_out=np.arange(20, 30))
    assert read.score > 0.3
    assert linear_probe(vectors[:5], [0, 1, 0, 1, 0], vectors[:5], [0, 1, 0, 1, 0]).value == 1


def test_read_off_tells_what_is_there_from_what_is_not() -> None:
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(300, 3))
    vectors = (hidden @ rng.normal(size=(3, 20)) + 0.01 * rng.normal(size=(300, 20))) * 100
    rows, held_out = np.arange(300) < 200, np.arange(300) >= 200
    number = read_off(vectors, 1e6 + hidden[:, 0], rows=rows, held_out=held_out)
    assert number.kind == "number" and number.score > 0.99 and number.baseline == 0
    assert number.interval.low <= number.score <= number.interval.high
    kind = np.where(hidden[:, 1] > 0, "left", "right").astype(object)
    kind[:50] = None
    category = read_off(vectors, kind, rows=rows, held_out=held_out)
    assert category.kind == "category" and category.score > 0.9 and category.n_held_out == 100
    usual = max(("left", "right"), key=kind[50:200].tolist().count)
    assert category.baseline == (kind[200:] == usual).mean()
    absent = read_off(vectors, rng.normal(size=300), rows=rows, held_out=held_out)
    assert absent.score < 0.05
    assert read_off(vectors, hidden[:, 2] > 0, rows=rows, held_out=held_out).kind == "category"


def test_read_offs_r2_is_scikit_learns() -> None:
    flowers = load_iris().data
    order = np.random.default_rng(0).permutation(150)
    rows, held_out = order[:100], order[100:]
    found = read_off(flowers[:, :3], flowers[:, 3], rows=rows, held_out=held_out)
    design = np.c_[flowers[:, :3], np.ones(150)]
    solution = np.linalg.lstsq(design[rows], flowers[rows, 3], rcond=None)[0]
    expected = r2_score(flowers[held_out, 3], design[held_out] @ solution)
    assert found.score == pytest.approx(expected, abs=0.01)


@pytest.mark.filterwarnings("error")
def test_read_off_says_when_there_is_nothing_to_read() -> None:
    vectors = np.random.default_rng(0).normal(size=(8, 3))
    with pytest.raises(EmbedlabError, match="same value"):
        read_off(vectors, np.ones(8), rows=[0, 1, 2, 3], held_out=[4, 5, 6, 7])
    with pytest.raises(EmbedlabError, match="Too few"):
        read_off(vectors, [np.nan] * 8, rows=[0, 1, 2, 3], held_out=[4, 5])
    two = read_off(vectors, np.arange(8.0), rows=[0, 1], held_out=[4, 5, 6])
    assert np.isfinite([two.score, *two.interval]).all()


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_intrinsic_dimension_of_a_sheet_in_space(dimension: int) -> None:
    rng = np.random.default_rng(0)
    sheet = rng.uniform(size=(2000, dimension)) @ rng.normal(size=(dimension, 30))
    assert intrinsic_dimension(sheet) == pytest.approx(dimension, rel=0.12)
    doubled = np.vstack([sheet, sheet[:500]])
    assert intrinsic_dimension(doubled) == pytest.approx(intrinsic_dimension(sheet), rel=1e-3)


def test_the_intrinsic_dimension_is_the_published_fit() -> None:
    points = np.random.default_rng(1).normal(size=(300, 6))
    near, _ = cKDTree(points).query(points, k=3)
    x = np.log(np.sort(near[:, 2] / near[:, 1]))[:270]
    y = -np.log(1 - np.arange(1, 271) / 300)
    slope = np.linalg.lstsq(x[:, None], y, rcond=None)[0][0]
    assert intrinsic_dimension(points) == pytest.approx(slope, rel=1e-3)


def test_dimensions_that_cannot_be_told_are_errors() -> None:
    with pytest.raises(EmbedlabError, match="1 different"):
        intrinsic_dimension(np.ones((20, 3)))
    with pytest.raises(EmbedlabError, match="same distance"):
        intrinsic_dimension(np.eye(12))


def test_the_participation_ratio_counts_directions() -> None:
    axes = np.vstack([np.eye(4, 9), -np.eye(4, 9)]) + 3
    assert participation_ratio(axes) == pytest.approx(4)
    assert participation_ratio(axes[:, :8].T) <= 7
    assert participation_ratio(np.full((5, 3), 0.1)) == 0
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(50, 7)) * np.arange(1, 8)
    values = np.linalg.eigvalsh(np.cov(cloud.T))
    expected = values.sum() ** 2 / (values**2).sum()
    assert participation_ratio(cloud) == pytest.approx(expected, rel=1e-5)
    wide = rng.normal(size=(6, 40))
    values = np.linalg.eigvalsh(np.cov(wide.T))
    assert participation_ratio(wide) == pytest.approx(
        values.sum() ** 2 / (values**2).sum(), rel=1e-5
    )


@pytest.mark.parametrize("metric", METRICS)
def test_a_compact_cloud_has_the_same_geometry(metric: str, monkeypatch) -> None:
    rng = np.random.default_rng(0)
    monkeypatch.setattr("embedlab.space.vectors.BLOCK_BYTES", 10_000)
    pixels = rng.integers(0, 255, size=(60, 3000)).astype(np.uint8)
    pixels[50:] = pixels[:10]  # equal pictures: the matrix of dot products has no full rank
    small = compact(pixels)
    assert small.shape[1] <= 60 and small.dtype == np.float32
    expected = pairwise(pixels, np.arange(60), metric)
    found = pairwise(small, np.arange(60), metric)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-3 * np.abs(expected).max())
    if METRICS[metric].kind == "cosine":
        assert (knn(small, 5, metric).rows[:, 0] == knn(pixels, 5, metric).rows[:, 0]).mean() > 0.95


def test_compact_keeps_broken_rows_apart(digits) -> None:
    vectors = digits[0][:100].copy()
    vectors[4, 0] = np.nan
    small = compact(vectors)
    assert np.isnan(small[4]).all() and np.isfinite(np.delete(small, 4, axis=0)).all()
    assert small.shape[1] <= 64
    np.testing.assert_allclose(small[:3] @ small[1], vectors[:3] @ vectors[1], rtol=1e-4)
