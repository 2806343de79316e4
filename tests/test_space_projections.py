"""Views: drawn by hand, then scikit-learn and umap-learn on the same vectors."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.manifold import trustworthiness as reference_trustworthiness

from embedlab.errors import EmbedlabError
from embedlab.space import nonlinear
from embedlab.space.neighbours import NeighbourIndex, knn
from embedlab.space.projections import (
    PROJECTIONS,
    LinearView,
    align,
    lda,
    lda_control,
    neighbours_kept,
    pca,
    trustworthiness,
    umap,
)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    bunch = load_digits()
    vectors = bunch.data.astype(np.float32)
    vectors.flags.writeable = False
    return vectors, bunch.target.astype(np.int64)


def same_up_to_sign(found: np.ndarray, expected: np.ndarray, **tolerance: float) -> None:
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, **tolerance)


def test_pca_of_a_drawn_cross() -> None:
    cross = np.array([[-3, 0], [3, 0], [0, -1], [0, 1]], np.float32) + 5
    view = pca(cross, 2)
    np.testing.assert_allclose(view.axes, np.eye(2), atol=1e-7)
    np.testing.assert_allclose(view.coordinates, cross - 5, atol=1e-6)
    np.testing.assert_allclose(view.explained, [0.9, 0.1])
    assert view.note == ""


def test_pca_agrees_with_scikit_learn(digits) -> None:
    vectors, _ = digits
    view = pca(vectors, 6)
    reference = PCA(6, svd_solver="full").fit(vectors.astype(np.float64))
    same_up_to_sign(view.axes, reference.components_.T, atol=1e-4)
    np.testing.assert_allclose(view.explained, reference.explained_variance_ratio_, atol=1e-6)
    np.testing.assert_allclose(view.place(vectors[:9]), view.coordinates[:9])
    leading = np.abs(view.axes).argmax(axis=0)
    assert (view.axes[leading, range(6)] > 0).all()
    np.testing.assert_array_equal(pca(vectors, 6).coordinates, view.coordinates)


def test_pca_fits_the_rows_it_is_told_and_places_all(digits) -> None:
    vectors, _ = digits
    rows = np.arange(0, 1797, 2)
    view = pca(vectors, 2, rows=rows)
    reference = PCA(2).fit(vectors[rows].astype(np.float64))
    same_up_to_sign(view.coordinates, reference.transform(vectors), atol=1e-3)
    mask = np.zeros(1797, bool)
    mask[rows] = True
    np.testing.assert_array_equal(pca(vectors, 2, rows=mask).coordinates, view.coordinates)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("n", "spans"), [(1, 0), (2, 1), (3, 2), (30, 4)])
def test_pca_says_which_axes_the_pictures_do_not_span(n: int, spans: int) -> None:
    vectors = np.random.default_rng(n).normal(size=(n, 4)).astype(np.float32)
    view = pca(vectors, 6)
    assert view.coordinates.shape == (n, 6)
    assert np.isfinite(view.coordinates).all()
    assert (view.explained > 0).sum() == spans
    assert (view.coordinates[:, spans:] == 0).all()
    assert f"{6 - spans} drawn here are flat" in view.note


def test_a_sheet_of_many_pictures_spans_two_dimensions() -> None:
    rng = np.random.default_rng(0)
    sheet = (rng.normal(size=(40, 2)) @ rng.normal(size=(2, 7))).astype(np.float32)
    view = pca(sheet, 4)
    assert (view.explained > 0).sum() == 2 and (view.coordinates[:, 2:] == 0).all()


@pytest.mark.filterwarnings("error")
def test_equal_pictures_lie_on_one_point() -> None:
    view = pca(np.full((9, 5), 0.1, np.float32), 2)
    assert (view.coordinates == 0).all() and (view.explained == 0).all()


@pytest.mark.filterwarnings("error")
def test_rows_without_numbers_are_not_placed(digits) -> None:
    vectors, labels = digits
    broken = vectors[:300].copy()
    broken[7, 3], broken[20] = np.nan, np.inf
    kept = np.delete(np.arange(300), [7, 20])
    for view, clean in (
        (pca(broken, 2), pca(vectors[kept], 2)),
        (lda(broken, labels[:300]), lda(vectors[kept], labels[kept])),
    ):
        assert view.unplaced.tolist() == [7, 20]
        assert np.isnan(view.coordinates[[7, 20]]).all()
        np.testing.assert_allclose(view.coordinates[kept], clean.coordinates, atol=1e-4)
    with pytest.raises(EmbedlabError, match="no picture with a finite vector"):
        pca(np.full((3, 2), np.nan))


@pytest.mark.parametrize("shrinkage", ["auto", None])
def test_lda_agrees_with_scikit_learn(digits, shrinkage: str | None) -> None:
    vectors, labels = digits
    rows = np.arange(1000)
    view = lda(vectors, labels, rows=rows, n_components=3, shrinkage=shrinkage)
    solver = "svd" if shrinkage is None else "eigen"
    reference = LinearDiscriminantAnalysis(solver=solver, shrinkage=shrinkage, n_components=3)
    drawn = reference.fit(vectors[rows].astype(np.float64), labels[rows]).transform(vectors)
    same_up_to_sign(view.coordinates, drawn - drawn[rows].mean(axis=0), atol=1e-3)
    whole = LinearDiscriminantAnalysis(solver=solver, shrinkage=shrinkage)
    ratios = whole.fit(vectors[rows].astype(np.float64), labels[rows]).explained_variance_ratio_
    np.testing.assert_allclose(view.explained, ratios[:3] / ratios.sum(), rtol=1e-5)
    leading = np.abs(view.axes).argmax(axis=0)
    assert (view.axes[leading, range(3)] > 0).all()


def test_lda_of_long_vectors_has_axes_for_the_raw_vectors(
    digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, labels = digits
    monkeypatch.setattr("embedlab.space.discriminant.LDA_DIMS", 40)
    monkeypatch.setattr("embedlab.space.discriminant.LDA_COMPONENTS", 20)
    view = lda(vectors, labels)
    reduced = PCA(20, svd_solver="full").fit_transform(vectors.astype(np.float64))
    reference = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto", n_components=2)
    same_up_to_sign(view.coordinates, reference.fit(reduced, labels).transform(reduced), atol=0.02)
    assert view.axes.shape == (64, 2)
    np.testing.assert_allclose((vectors - view.origin) @ view.axes, view.coordinates, atol=1e-4)


def test_two_classes_have_one_discriminant_axis_and_a_second_to_look_at(digits) -> None:
    vectors, labels = digits
    two = labels < 2
    view = lda(vectors[two], labels[two])
    assert "2 classes have 1 discriminant axis" in view.note
    assert view.explained == pytest.approx([1, 0])
    first, second = view.axes.T
    assert first @ second == pytest.approx(0, abs=1e-9)
    within = [view.coordinates[labels[two] == k].std(axis=0) for k in (0, 1)]
    assert np.sqrt(np.mean(np.square(within), axis=0))[1] == pytest.approx(1, abs=0.1)
    assert view.coordinates[:, 1].std() > 0.5


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shrinkage", ["auto", None])
def test_lda_with_fewer_pictures_than_dimensions(digits, shrinkage: str | None) -> None:
    vectors, labels = digits
    view = lda(vectors, labels, rows=np.arange(25), shrinkage=shrinkage)
    assert np.isfinite(view.coordinates).all()
    # A class of one picture says nothing about the spread within: it is placed, not fitted.
    labelled = np.array([0, 0, 0, 1, 1, 1, 2])
    view = lda(vectors[:7], labelled, shrinkage=shrinkage)
    assert view.fitted_rows.tolist() == [0, 1, 2, 3, 4, 5]
    assert np.isfinite(view.coordinates).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 1, 2]])
def test_lda_says_when_there_is_nothing_to_part(labels: list[int]) -> None:
    vectors = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    with pytest.raises(EmbedlabError, match="two classes of at least two pictures"):
        lda(vectors, labels)
    with pytest.raises(EmbedlabError, match="all vectors are equal"):
        lda(np.full((4, 3), 0.1, np.float32), [0, 0, 1, 1])


def test_the_control_tells_learning_from_over_fitting(digits) -> None:
    vectors, labels = digits
    control = lda_control(vectors, labels, rows=np.arange(1000), held_out=np.arange(1000, 1797))
    assert control.held_out.value > 0.9
    assert control.shuffled_held_out.value < 0.2
    rng = np.random.default_rng(0)
    noise, classes = rng.normal(size=(400, 300)), rng.integers(5, size=400)
    control = lda_control(
        noise, classes, rows=np.arange(300), held_out=np.arange(300, 400), shrinkage=None
    )
    assert control.fitted.value > 0.95 and control.shuffled_fitted.value > 0.95
    assert control.held_out.value < 0.35 and control.shuffled_held_out.value < 0.35
    one = lda(vectors, labels, shuffle_seed=1).coordinates
    assert not np.allclose(one, lda(vectors, labels).coordinates)
    np.testing.assert_array_equal(one, lda(vectors, labels, shuffle_seed=1).coordinates)


def test_a_pair_of_axes_can_be_picked(digits) -> None:
    view = pca(digits[0], 6)
    pair = view.pick([2, 3])
    np.testing.assert_array_equal(pair.coordinates, view.coordinates[:, 2:4])
    np.testing.assert_array_equal(pair.place(digits[0][:3]), view.coordinates[:3, 2:4])
    with pytest.raises(EmbedlabError, match="5 dimensions"):
        pair.place(np.ones((1, 5)))


def test_the_menu_says_which_views_have_axes() -> None:
    vectors = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    assert set(PROJECTIONS) == {"pca", "lda", "umap"}
    made = {
        "pca": pca(vectors),
        "lda": lda(np.vstack([vectors, -vectors]), [0, 0, 0, 1, 1, 1]),
        "umap": umap(vectors),
    }
    for name, view in made.items():
        assert view.name == name
        assert isinstance(view, LinearView) == PROJECTIONS[name].has_axes


def layout(vectors: np.ndarray, **settings: object) -> np.ndarray:
    return umap(vectors, n_epochs=60, **settings).coordinates  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_umap_is_umap_learns(digits, metric: str) -> None:
    vectors = digits[0][:400]
    found = layout(vectors, metric=metric, seed=0, n_neighbors=12, min_dist=0.2)
    from umap import UMAP

    index = NeighbourIndex.of(vectors, metric)
    near, away = nonlinear._neighbourhoods(index, np.arange(400), 12)
    reference = UMAP(
        n_neighbors=12,
        min_dist=0.2,
        metric=metric,
        n_epochs=60,
        random_state=0,
        n_jobs=1,
        init=nonlinear._start(vectors, 2, 0),
        precomputed_knn=(near, away),
        force_approximation_algorithm=True,
    ).fit_transform(vectors)
    np.testing.assert_allclose(found, reference - reference.mean(axis=0), atol=1e-4)


@pytest.mark.slow
def test_a_umap_seed_repeats_in_another_process_and_zero_is_one(digits, tmp_path) -> None:
    vectors = digits[0][:300]
    np.save(tmp_path / "vectors.npy", vectors)
    found = layout(vectors, seed=0)
    assert not np.array_equal(found, layout(vectors, seed=1))
    code = (
        "import sys, hashlib, numpy; from embedlab.space.projections import umap;"
        "v = umap(numpy.load(sys.argv[1]), n_epochs=60, seed=0).coordinates;"
        "print(hashlib.sha256(v.tobytes()).hexdigest())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "vectors.npy")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert out.stdout.strip() == hashlib.sha256(found.tobytes()).hexdigest()
    assert layout(vectors, n_components=3).shape == (300, 3)


@pytest.mark.slow
@pytest.mark.parametrize("n", [4, 5, 9])
def test_umap_of_few_equal_or_broken_pictures_is_finite(n: int) -> None:
    few = np.random.default_rng(0).normal(size=(n, 6)).astype(np.float32)
    assert np.isfinite(layout(few)).all()
    assert np.isfinite(layout(np.ones((n, 6), np.float32))).all()
    line = np.arange(1, n + 1, dtype=np.float32)[:, None] * np.ones(6, np.float32)
    assert np.isfinite(layout(line, metric="euclidean")).all()
    broken = np.vstack([few, np.full((1, 6), np.nan), np.zeros((1, 6))]).astype(np.float32)
    view = umap(broken)
    assert view.unplaced.tolist() == [n, n + 1]
    assert np.isfinite(view.coordinates[:n]).all() and np.isnan(view.coordinates[n:]).all()


def test_umap_of_fewer_than_four_is_pca_and_says_so() -> None:
    vectors = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    for n in range(4):
        view = umap(vectors[:n])
        assert "this is PCA" in view.note and view.coordinates.shape == (n, 2)
    np.testing.assert_array_equal(view.coordinates, pca(vectors, 2).coordinates)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("n_neighbors", 1), ("min_dist", 1.5), ("metric", "dot"), ("n_components", 1)],
)
def test_umap_names_a_setting_out_of_range(setting: str, value: object) -> None:
    with pytest.raises(EmbedlabError, match=setting):
        umap(np.ones((9, 2)), **{setting: value})  # type: ignore[arg-type]


def test_all_neighbours_are_kept_where_the_drawing_is_the_data() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(80, 2)).astype(np.float32)
    true = knn(points, 10, "euclidean").rows
    np.testing.assert_array_equal(neighbours_kept(true, points, 10), 1)
    shuffled = points[rng.permutation(80)]
    drawn = knn(shuffled, 10, "euclidean").rows
    expected = [len(np.intersect1d(a, b)) / 10 for a, b in zip(true, drawn, strict=True)]
    np.testing.assert_allclose(neighbours_kept(true, shuffled, 10), expected)


def test_neighbours_kept_counts_only_pictures_that_are_drawn() -> None:
    line = np.array([[0, 0], [1, 0], [2.5, 0], [np.nan, 0]])
    kept = neighbours_kept([[1, 2], [0, 2], [1, 0], [-1, -1]], line, 1)
    np.testing.assert_array_equal(kept, [1, 1, 1, np.nan])
    on_one_point = neighbours_kept(np.array([[1], [2], [0]]), np.zeros((3, 2)), 1)
    assert ((on_one_point >= 0) & (on_one_point <= 1)).all()
    assert np.isnan(neighbours_kept(np.empty((1, 0), int), np.zeros((1, 2)), 5)).all()


def test_trustworthiness_is_scikit_learns(digits) -> None:
    vectors = digits[0][:500]
    view = pca(vectors, 2)
    expected = reference_trustworthiness(vectors, view.coordinates, n_neighbors=15)
    assert trustworthiness(vectors, view.coordinates) == pytest.approx(expected)
    assert 0 <= trustworthiness(vectors[:4], view.coordinates[:4], k=99) <= 1
    with pytest.raises(EmbedlabError, match="four pictures"):
        trustworthiness(vectors[:3], view.coordinates[:3])


def test_a_turned_and_mirrored_drawing_is_laid_back() -> None:
    rng = np.random.default_rng(0)
    drawing = rng.normal(size=(30, 2))
    turn = np.array([[0.6, -0.8], [-0.8, -0.6]])  # a rotation and a mirror
    found = align(drawing, drawing @ turn * 3 + 7)
    np.testing.assert_allclose(found.coordinates, drawing, atol=1e-6)
    assert found.scale == pytest.approx(1 / 3) and found.remaining == pytest.approx(0, abs=1e-9)
    same_size = align(drawing, drawing @ turn * 3, scale=False)
    assert same_size.scale == 1
    np.testing.assert_allclose(
        same_size.coordinates.std(axis=0), drawing.std(axis=0) * 3, rtol=1e-5
    )
    holes = drawing.copy()
    holes[3] = np.nan
    assert np.isfinite(align(holes, drawing).coordinates).all()
    assert align(np.zeros((3, 2)), np.zeros((3, 2))).remaining == 0
    with pytest.raises(EmbedlabError, match="shapes"):
        align(drawing, drawing[:, :1])
