"""Scores: worked by hand, then against scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, skew
from sklearn.metrics import confusion_matrix, recall_score

from embedlab.space.scores import (
    accuracy,
    commonest_confusions,
    confusion,
    hubs,
    most_confused,
    precision_at_k,
    recalls,
    wilson,
)


@given(total=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilson_agrees_with_scipy(total: int, share: float) -> None:
    correct = round(share * total)
    expected = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    assert wilson(correct, total) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_nothing_is_known_from_no_picture() -> None:
    assert wilson(0, 0) == (0, 1)
    assert wilson(0, 13)[0] == 0
    assert wilson(13, 13)[1] == 1
    assert np.isnan(accuracy([], []).value)
    assert np.isnan(precision_at_k([0], np.empty((1, 0), int)).mean)


def test_accuracy_confusion_and_recalls_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(4, size=(2, 200))
    matrix = confusion(labels, predictions, 5)
    np.testing.assert_array_equal(matrix, confusion_matrix(labels, predictions, labels=range(5)))
    found = [share.value for share in recalls(matrix)]
    np.testing.assert_allclose(found[:4], recall_score(labels, predictions, average=None))
    assert np.isnan(found[4])
    assert accuracy(labels, predictions).correct == np.trace(matrix)


def test_precision_counts_neighbours_of_the_same_class() -> None:
    labels = [0, 0, 1, 1]
    rows = [[1, 2], [0, 2], [3, 0], [-1, -1]]
    found = precision_at_k(labels, rows)
    np.testing.assert_array_equal(found.per_picture, [0.5, 0.5, 0.5, np.nan])
    assert found.mean == 0.5
    assert found.chance == pytest.approx(1 / 3)  # each picture has one of three others
    assert found.interval == wilson(1.5, 3)
    assert precision_at_k(labels, [[1, -1], [2, -1], [0, -1], [2, -1]]).per_picture.tolist() == [
        1,
        0,
        0,
        1,
    ]


def test_hubs_are_the_pictures_that_many_others_name() -> None:
    found = hubs([[1], [0], [1], [1], [-1]], 5)
    assert found.occurrences.tolist() == [1, 3, 0, 0, 0]
    assert found.rows.tolist() == [1, 0, 2, 3, 4]
    assert found.skewness == pytest.approx(skew(found.occurrences))
    assert hubs([[1], [0]], 2).skewness == 0


@given(seed=st.integers(0, 1000), c=st.integers(2, 12), most=st.integers(2, 12))
def test_the_commonest_confusions_are_all_mistakes_and_their_classes_are_chosen(
    seed: int, c: int, most: int
) -> None:
    matrix = np.random.default_rng(seed).poisson(0.6, size=(c, c))
    found = commonest_confusions(matrix)
    assert (np.diff(found[:, 2]) <= 0).all()
    rebuilt = np.diag(np.diagonal(matrix))
    rebuilt[found[:, 0], found[:, 1]] = found[:, 2]
    np.testing.assert_array_equal(rebuilt, matrix)
    chosen = most_confused(matrix, most)
    assert chosen.tolist() == sorted(set(chosen.tolist())) and len(chosen) == min(c, most)
    if len(found):
        assert set(found[0, :2].tolist()) <= set(chosen.tolist())
