"""Data quality and comparisons: planted faults are found, small sets get sentences."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss

from embedlab.errors import EmbedlabError
from embedlab.space.compare import changes, contest, disagreements
from embedlab.space.neighbours import knn
from embedlab.space.oddities import leaks, near_duplicates, outliers
from embedlab.space.quality import (
    label_issues,
    most_confident_errors,
    out_of_sample_probabilities,
)


@pytest.fixture(scope="module")
def digits():
    bunch = load_digits()
    return bunch.data[:900].astype(np.float32), bunch.target[:900]


def test_the_most_confident_error_comes_first() -> None:
    shares = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [np.nan, np.nan], [0.2, 0.8]]
    errors = most_confident_errors([0, 0, 0, 1, 0], shares)
    assert errors.rows.tolist() == [2, 4, 1]
    assert errors.predictions.tolist() == [1, 1, 1]
    assert errors.confidences.tolist() == [0.8, 0.8, 0.6]
    assert len(most_confident_errors([0], [[1.0, 0.0]]).rows) == 0


@pytest.mark.filterwarnings("error")
def test_planted_label_errors_are_found(digits) -> None:
    vectors, labels = digits
    wrong = np.random.default_rng(0).choice(900, 15, replace=False)
    given = labels.copy()
    given[wrong] = (given[wrong] + 3) % 10
    shares = out_of_sample_probabilities(vectors, given, 10)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    issues = label_issues(given, shares)
    assert len(np.intersect1d(issues.rows, wrong)) >= 10
    assert len(issues.rows) <= 25
    first = issues.rows[:10]
    assert (issues.suggestions[:10] == labels[first]).mean() >= 0.9
    assert (np.diff(issues.confidences) >= 0).all()
    assert (issues.suggestions != given[issues.rows]).all()
    again = out_of_sample_probabilities(vectors, given, 10)
    np.testing.assert_array_equal(shares, again)


def test_no_classifier_was_asked_about_a_picture_it_had_seen() -> None:
    # Vectors without any information: what is out of sample cannot beat chance.
    rng = np.random.default_rng(0)
    noise, labels = rng.normal(size=(200, 100)), rng.integers(4, size=200)
    shares = out_of_sample_probabilities(noise, labels, 4)
    assert (shares.argmax(axis=1) == labels).mean() < 0.4
    assert log_loss(labels, shares) > 1.2


@pytest.mark.filterwarnings("error")
def test_small_classes_and_broken_rows_are_passed_over(digits) -> None:
    vectors, labels = digits[0][:60].copy(), digits[1][:60].copy()
    labels[labels > 2] = 2
    labels[7], vectors[9] = 3, np.nan
    shares = out_of_sample_probabilities(vectors, labels, 5)
    assert np.flatnonzero(np.isnan(shares).any(axis=1)).tolist() == [7, 9]
    issues = label_issues(labels, shares)
    assert not np.isin([7, 9], issues.rows).any()
    for few in ([0, 0, 0], [0, 1, 2], [0, 0, 1]):
        with pytest.raises(EmbedlabError, match="at least two classes"):
            out_of_sample_probabilities(vectors[:3], few, 3)
    assert "two classes" in label_issues([0, 0], [[1.0, 0.0], [1.0, 0.0]]).note
    assert "two classes" in label_issues([0], [[np.nan, np.nan]]).note


def test_duplicates_exact_and_near_are_found() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 8)).astype(np.float32)
    vectors[30] = vectors[3]
    vectors[31] = vectors[4] + 0.01
    vectors[32] = np.nan
    digests = [str(row) for row in range(40)]
    digests[30], digests[32] = digests[3], digests[5]
    pairs = near_duplicates(vectors, digests=digests)
    assert pairs.rows.tolist() == [[3, 30], [5, 32], [4, 31]]
    assert pairs.exact.tolist() == [True, True, False]
    assert pairs.distances[2] < 0.05
    parts = np.where(np.arange(40) == 31, "validation", "train")
    assert leaks(pairs, parts).rows.tolist() == [[4, 31]]
    assert near_duplicates(vectors).exact.any() == False  # noqa: E712
    assert near_duplicates(vectors[:1]).rows.shape == (0, 2)
    known = near_duplicates(vectors, digests=digests, near=knn(vectors, 10, "euclidean"))
    np.testing.assert_array_equal(known.rows, pairs.rows)
    same = near_duplicates(np.ones((4, 3), np.float32))
    assert same.rows.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]


def test_an_outlier_is_far_from_all() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 5)).astype(np.float32)
    vectors[17] += 30
    vectors[20] = np.inf
    found = outliers(vectors)
    assert found.rows[0] == 17 and found.scores[17] > 3
    assert np.isnan(found.scores[20]) and 20 not in found.rows
    assert np.nanmedian(found.scores) == pytest.approx(1)
    assert outliers(vectors[:1]).rows.tolist() == []
    assert outliers(np.ones((3, 2))).scores.tolist() == [1, 1, 1]
    known = outliers(vectors, near=knn(vectors, 10, "euclidean"))
    np.testing.assert_array_equal(known.scores, found.scores)
    assert outliers(vectors, metric="cosine").scores.shape == (60,)
    with pytest.raises(EmbedlabError, match="dot"):
        outliers(vectors, metric="dot")


def test_disagreement_is_the_share_of_the_list_that_is_not_common() -> None:
    found = disagreements(
        [[1, 2], [0, 2], [0, 1], [-1, -1]], [[2, 1, 9], [0, 3, 9], [3, 3, 9], [0, 1, 9]]
    )
    np.testing.assert_array_equal(found.overlap, [1, 0.5, 0, np.nan])
    assert found.rows.tolist() == [2, 1, 0]
    assert found.mean == 0.5
    assert np.isnan(disagreements(np.empty((1, 0), int), np.empty((1, 0), int)).mean)
    # Of equals, the first few are from all over the rows, which often stand class by class.
    found = disagreements(np.full((500, 1), 1), np.full((500, 1), 2))
    assert sorted(found.rows.tolist()) == list(range(500))
    assert set((found.rows[:20] // 100).tolist()) == {0, 1, 2, 3, 4}


def test_a_contest_is_won_by_neighbours_of_the_same_class() -> None:
    labels = [0, 0, 1, 1]
    found = contest(labels, [[1], [2], [3], [2]], [[2], [0], [3], [-1]])
    np.testing.assert_array_equal(found.advantage, [1, -1, 0, np.nan])
    assert found.rows.tolist() == [0, 2, 1]
    assert found.mean == 0


def test_pictures_that_change_sides_and_mcnemar() -> None:
    found = changes([0, 0, 1, 1, 1], [0, 1, 1, 0, 1], [0, 0, 0, 0, 0])
    assert found.both.tolist() == [0] and found.neither.tolist() == [3]
    assert found.only_first.tolist() == [2, 4] and found.only_second.tolist() == [1]
    assert found.p_value == pytest.approx(1)
    assert changes([0, 0], [0, 0], [0, 0]).p_value == 1
    labels = np.zeros(20, int)
    assert changes(labels, labels, labels + 1).p_value == pytest.approx(2 * 0.5**20)


@pytest.mark.real
def test_the_three_real_duplicates_of_the_flowers_are_found(shared) -> None:
    import hashlib

    from PIL import Image

    paths = sorted((shared / "data" / "flower_photos").glob("*/*.jpg"))
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    copies = [row for row, digest in enumerate(digests) if digests.index(digest) != row]
    rows = sorted({*copies, *(digests.index(digests[row]) for row in copies), *range(0, 3670, 20)})
    small = np.stack(
        [np.asarray(Image.open(paths[row]).convert("RGB").resize((12, 12))) for row in rows]
    )
    pairs = near_duplicates(small.reshape(len(rows), -1), digests=[digests[row] for row in rows])
    assert int(pairs.exact.sum()) == 3
    planted = {tuple(pair) for pair in pairs.rows[:3].tolist()}
    by_pixels = near_duplicates(small.reshape(len(rows), -1))
    assert planted <= {tuple(pair) for pair in by_pixels.rows.tolist()}
