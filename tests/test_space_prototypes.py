"""Prototypes: arrows drawn by hand, then the head of a real classifier on digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from embedlab.errors import EmbedlabError
from embedlab.space.logits import alignments, exciting, logit_parts
from embedlab.space.projections import LinearView, lda, pca
from embedlab.space.prototypes import (
    Directions,
    Points,
    arrows,
    class_means,
    closest_prototypes,
    mean_cosines,
    prototype_cosines,
)


@pytest.fixture(scope="module")
def trained():
    bunch = load_digits()
    vectors, labels = bunch.data.astype(np.float32), bunch.target
    head = LogisticRegression(max_iter=2000, C=0.01).fit(vectors, labels)
    return vectors, labels, head.coef_, head.intercept_


def drawing(axes: list[list[float]]) -> LinearView:
    matrix = np.array(axes, np.float64)
    return LinearView(
        name="drawn",
        coordinates=np.zeros((1, matrix.shape[1]), np.float32),
        unplaced=np.empty(0, np.int64),
        axes=matrix,
        origin=np.array([7.0, -3.0]),
        explained=None,
        fitted_rows=np.array([0]),
    )


def test_the_two_readings_of_an_arrow_by_hand() -> None:
    # The drawing stretches the first dimension by 2: y = (2 x1, x2). A step along w = (1, 1)
    # moves the point by (2, 1). But in drawn units the score x1 + x2 = y1 / 2 + y2 rises along
    # (1/2, 1).
    stretched = drawing([[2, 0], [0, 1]])
    diagonal = Directions(np.array([[1, 1]]), ("w",))
    np.testing.assert_allclose(arrows(stretched, diagonal, scale=1), [[2, 1]])
    np.testing.assert_allclose(arrows(stretched, diagonal, reading="rises", scale=1), [[0.5, 1]])
    np.testing.assert_allclose(arrows(stretched, diagonal), [[10, 5]])
    flat = drawing([[1, 0], [0, 0]])
    for reading in ("moves", "rises"):
        np.testing.assert_allclose(arrows(flat, diagonal, reading=reading, scale=1), [[1, 0]])


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    cosines = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def test_the_readings_agree_in_pca_and_differ_in_lda(trained) -> None:
    vectors, labels, weight, _ = trained
    heads = Directions(weight, tuple("0123456789"))
    slices = pca(vectors, 6)
    for pair in ([0, 1], [4, 5]):
        view = slices.pick(pair)
        np.testing.assert_allclose(
            arrows(view, heads), arrows(view, heads, reading="rises"), rtol=1e-4, atol=1e-6
        )
    parted = lda(vectors, labels, shrinkage=None)
    apart = angles(arrows(parted, heads), arrows(parted, heads, reading="rises"))
    assert 5 < apart.max() < 90
    assert np.median(apart) > 2


def test_rises_is_the_numerical_gradient_of_the_score_in_the_drawing(trained) -> None:
    vectors, labels, weight, _ = trained
    view = lda(vectors, labels)
    lift = np.linalg.lstsq(view.axes.T, np.eye(2), rcond=None)[0]  # y -> nearest x, independently
    # Moving by one drawn unit along an axis and asking the head gives the slope along that axis.
    slopes = [(weight @ (view.origin + lift @ step)) - weight @ view.origin for step in np.eye(2)]
    rises = arrows(view, Directions(weight, tuple("0123456789")), reading="rises", scale=1)
    np.testing.assert_allclose(rises, np.transpose(slopes), rtol=1e-6, atol=1e-9)
    # And a picture that moves along w is drawn where the arrow of the other reading points.
    moves = arrows(view, Directions(weight, tuple("0123456789")), scale=1)
    moved = view.place(vectors[:1] + weight) - view.place(vectors[:1])
    np.testing.assert_allclose(moves, moved, atol=1e-5)


def test_points_and_directions_cannot_be_mixed_up(trained) -> None:
    vectors, labels, _, _ = trained
    means = class_means(vectors, labels, tuple("0123456789"))
    np.testing.assert_allclose(means.values[3], vectors[labels == 3].mean(axis=0), rtol=1e-6)
    view = lda(vectors, labels)
    np.testing.assert_allclose(
        view.place(means.values)[3], view.coordinates[labels == 3].mean(axis=0), atol=1e-4
    )
    with pytest.raises(TypeError, match="directions"):
        arrows(view, means)  # type: ignore[arg-type]
    with pytest.raises(EmbedlabError, match="3 dimensions"):
        arrows(view, Directions(np.ones((1, 3)), ("w",)))
    with pytest.raises(EmbedlabError, match="rose"):
        Directions(np.array([[np.nan]]), ("rose",))
    with pytest.raises(ValueError, match="2 names"):
        Points(np.ones((1, 2)), ("a", "b"))


def test_means_leave_out_empty_classes_and_broken_rows() -> None:
    vectors = np.array([[1, 2], [3, 4], [np.nan, 0]], np.float32)
    means = class_means(vectors, [0, 0, 2], ("rose", "tulip", "daisy"))
    assert means.names == ("rose",)
    np.testing.assert_array_equal(means.values, [[2, 3]])
    assert class_means(vectors[2:], [2], ("a", "b", "c")).values.shape == (0, 2)


def test_cosines_between_prototypes_and_with_means() -> None:
    heads = Directions(np.array([[1, 0], [0, 2], [0, 0]]), ("a", "b", "zero"))
    np.testing.assert_allclose(prototype_cosines(heads), [[1, 0, 0], [0, 1, 0], [0, 0, 0]])
    means = Points(np.array([[2, 1]]), ("m",))
    np.testing.assert_allclose(mean_cosines(heads, means)[:, 0], [2 / 5**0.5, 1 / 5**0.5, 0])
    np.testing.assert_allclose(mean_cosines(heads, means, centre=[1, 1])[:, 0], [1, 0, 0])


def test_scores_logits_and_probabilities_are_the_classifiers(trained) -> None:
    vectors, labels, weight, bias = trained
    found = alignments(weight, bias, vectors, 4)
    expected = vectors.astype(np.float64) @ weight.T
    np.testing.assert_allclose(found.scores, expected[:, 4], rtol=1e-12)
    np.testing.assert_allclose(found.logits, expected[:, 4] + bias[4], rtol=1e-12)
    np.testing.assert_allclose(found.probabilities, softmax(expected + bias, axis=1)[:, 4])
    assert found.most(9).tolist() == np.argsort(-expected[:, 4])[:9].tolist()
    assert found.least(9).tolist() == np.argsort(expected[:, 4])[:9].tolist()
    assert (labels[found.most(9)] == 4).all()


@pytest.mark.filterwarnings("error")
def test_alignments_leave_out_what_has_no_number() -> None:
    vectors = np.array([[1, 0], [np.nan, 0], [500, 0], [1, 0]], np.float32)
    found = alignments([[2, 0], [-2, 0]], [0, 1], vectors, 0)
    assert found.most(9).tolist() == [2, 0, 3]
    assert found.least(1).tolist() == [3]
    assert np.isnan(found.scores[1]) and np.isnan(found.probabilities[1])
    assert found.probabilities[2] == 1


def test_the_parts_add_up_to_the_logit(trained) -> None:
    vectors, _, weight, bias = trained
    for row in range(40):
        parts = logit_parts(weight[3], bias[3], vectors[row])
        product = parts.length_x * parts.length_w * parts.cosine
        assert f"{product + parts.bias:.10g}" == f"{parts.logit:.10g}"
        assert f"{parts.contributions.sum() + parts.bias:.10g}" == f"{parts.logit:.10g}"
        head = vectors[row].astype(np.float64) @ weight[3] + bias[3]
        assert parts.logit == pytest.approx(head, rel=1e-12)
    order = parts.top(3)
    assert (np.abs(parts.contributions[order[0]]) >= np.abs(parts.contributions)).all()
    assert logit_parts([1, 2], 0.5, [0, 0]).logit == 0.5
    with pytest.raises(EmbedlabError, match="not finite"):
        logit_parts([1, 2], 0, [np.inf, 0])


def test_pictures_that_excite_a_dimension(trained) -> None:
    vectors, *_ = trained
    found = exciting(vectors, 20, 5)
    assert found.scores.tolist() == np.sort(vectors[:, 20])[::-1][:5].tolist()
    np.testing.assert_array_equal(vectors[found.rows, 20], found.scores)
    with pytest.raises(EmbedlabError, match="no dimension 64"):
        exciting(vectors, 64, 5)


def test_the_closest_prototypes_of_a_real_head_are_of_the_same_kind(shared: Path) -> None:
    """Of ImageNet's thousand classes, those that MobileNetV2's head puts nearest to one."""
    import torch
    from torchvision.models import MobileNet_V2_Weights

    weights = torch.load(shared / "weights" / "mobilenet_v2-imagenet.pth", weights_only=True)
    categories = MobileNet_V2_Weights.IMAGENET1K_V1.meta["categories"]
    head = Directions(weights["classifier.1.weight"].numpy(), tuple(categories))
    retriever, tabby = categories.index("golden retriever"), categories.index("tabby")
    found = closest_prototypes(head, retriever, 6)
    assert found[0] == retriever and all(151 <= k <= 268 for k in found), "dogs, all of them"
    assert {categories[k] for k in closest_prototypes(head, tabby, 4)} == {
        "tabby",
        "Egyptian cat",
        "tiger cat",
        "Persian cat",
    }
    unit = head.values / np.linalg.norm(head.values, axis=1, keepdims=True)
    np.testing.assert_array_equal(found, np.argsort(-(unit @ unit[retriever]))[:6])


def test_a_prototype_is_the_closest_to_itself_even_of_no_length() -> None:
    head = Directions(np.array([[0.0, 0], [1, 0], [2, 0], [0, 1]]), ("a", "b", "c", "d"))
    assert closest_prototypes(head, 0, 9).tolist() == [0, 1, 2, 3]
    assert closest_prototypes(head, 2, 2).tolist() == [2, 1]
