"""Similarity and neighbours: geometry drawn by hand, then plain NumPy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.metrics import pairwise_distances, roc_auc_score
from sklearn.neighbors import NearestNeighbors

from embedlab.errors import EmbedlabError
from embedlab.space.neighbours import NeighbourIndex, knn
from embedlab.space.similarity import (
    METRICS,
    odd_one_out,
    pairwise,
    random_triples,
    within_between,
)

# A short vector to the right, a long one beside it, one straight up, one to the left.
DRAWN = np.array([[1, 0], [4, 3], [0, 1], [-2, 0]], np.float32)


def plain(vectors: np.ndarray, metric: str) -> np.ndarray:
    """Every measure, written down a second time and as simply as can be."""
    x = vectors.astype(np.float64)
    if metric.startswith("centred"):
        x = x - x.mean(axis=0)
    if metric.endswith("cosine"):
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
    if metric == "euclidean":
        return pairwise_distances(x)
    return x @ x.T


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    vectors = load_digits().data[:400].astype(np.float32)
    vectors.flags.writeable = False
    return vectors


def test_the_measures_disagree_where_they_should() -> None:
    # Seen from (1, 0): the long vector wins by dot product, and by angle is at 4/5.
    assert NeighbourIndex.of(DRAWN, "dot").nearest(0, 3).rows.tolist() == [1, 2, 3]
    assert NeighbourIndex.of(DRAWN, "euclidean").nearest(0, 3).rows.tolist() == [2, 3, 1]
    cosine = NeighbourIndex.of(DRAWN, "cosine")
    np.testing.assert_allclose(cosine.scores(0), [1, 0.8, 0, -1], atol=1e-7)
    assert cosine.farthest(0, 1).rows.tolist() == [3]


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_agrees_with_plain_numpy(metric: str, digits: np.ndarray) -> None:
    expected = plain(digits, metric)
    index = NeighbourIndex.of(digits, metric)
    for row in (0, 7, 399):
        np.testing.assert_allclose(index.scores(row), expected[row], rtol=2e-5, atol=2e-5)
        ranking = index.nearest(row, 9)
        others = np.delete(expected[row], row)
        best = (
            np.sort(others)[::-1][:9] if METRICS[metric].higher_is_nearer else np.sort(others)[:9]
        )
        np.testing.assert_allclose(ranking.scores, best, rtol=2e-5, atol=2e-5)
        assert row not in ranking.rows
    np.testing.assert_allclose(
        pairwise(digits, [3, 1, 2], metric), expected[np.ix_([3, 1, 2], [3, 1, 2])], atol=1e-9
    )


@pytest.mark.parametrize("metric", METRICS)
def test_all_rows_at_once_equal_one_query_at_a_time(
    metric: str, digits: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedlab.space.vectors.BLOCK_BYTES", 100_000)
    index = NeighbourIndex.of(digits, metric)
    together = index.all_nearest(7)
    elsewhere = index.nearest_of_each(digits[:50], 7)
    for row in range(50):
        alone = index.nearest(row, 7)
        assert together.rows[row].tolist() == alone.rows.tolist()
        np.testing.assert_array_equal(together.scores[row], alone.scores)
        assert elsewhere.rows[row].tolist() == index.nearest(digits[row], 7).rows.tolist()


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_knn_agrees_with_scikit_learn(metric: str, digits: np.ndarray) -> None:
    reference = NearestNeighbors(n_neighbors=10, metric=metric, algorithm="brute")
    distances, _ = reference.fit(digits.astype(np.float64)).kneighbors()
    found = knn(digits, 10, metric)
    as_distance = 1 - found.scores if metric == "cosine" else found.scores
    np.testing.assert_allclose(as_distance, distances, atol=1e-5)


def test_distances_keep_their_digits_far_from_the_origin() -> None:
    line = np.arange(50, dtype=np.float32)[:, None] * np.ones(3, np.float32) / 8 + 10_000
    index = NeighbourIndex.of(line, "euclidean")
    np.testing.assert_allclose(
        index.scores(20), np.abs(np.arange(50) - 20) * np.sqrt(3) / 8, atol=1e-3
    )
    assert index.nearest(20, 4).rows.tolist() == [19, 21, 18, 22]


@pytest.mark.parametrize("metric", METRICS)
def test_equal_rows_come_in_the_order_of_their_numbers(metric: str) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 33)).astype(np.float32)
    vectors[5::3] = vectors[5]
    index = NeighbourIndex.of(vectors, metric)
    twins = np.arange(8, 60, 3)
    ranking = index.nearest(vectors[5], 100)
    places = np.flatnonzero(np.isin(ranking.rows, twins))
    assert ranking.rows[places].tolist() == twins.tolist()
    assert (np.diff(places) == 1).all()
    if not metric.endswith("dot"):
        assert knn(vectors, 3, metric).rows[5].tolist() == [8, 11, 14]


def test_k_is_clamped_and_rows_can_be_chosen() -> None:
    index = NeighbourIndex.of(DRAWN)
    assert len(index.nearest(0, 99).rows) == 3
    assert len(index.nearest(0, 99, exclude_query=False).rows) == 4
    assert index.nearest(0, 99, rows=[3, 2]).rows.tolist() == [2, 3]
    assert index.nearest(0, 5, rows=[]).rows.tolist() == []
    assert knn(DRAWN[:1], 5).rows.shape == (1, 0)
    assert knn(DRAWN, 9).rows.shape == (4, 3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("metric", METRICS)
def test_rows_without_numbers_are_left_out_and_named(metric: str) -> None:
    vectors = np.random.default_rng(1).normal(size=(12, 4)).astype(np.float32)
    clean = NeighbourIndex.of(np.delete(vectors, [2, 5, 7, 9], axis=0), metric)
    vectors[2, 1], vectors[5, 0], vectors[7], vectors[9] = np.nan, np.inf, 3e38, -np.inf
    index = NeighbourIndex.of(vectors, metric)
    assert index.unranked.tolist() == [2, 5, 7, 9]
    kept = np.delete(np.arange(12), [2, 5, 7, 9])
    for query in (0, 11):
        ranking = index.nearest(query, 99)
        expected = clean.nearest(int(np.searchsorted(kept, query)), 99)
        assert ranking.rows.tolist() == kept[expected.rows].tolist()
        np.testing.assert_allclose(ranking.scores, expected.scores, rtol=1e-5)
        assert np.isnan(index.scores(query)[index.unranked]).all()
    every = index.all_nearest(3)
    assert (every.rows[index.unranked] == -1).all()
    assert not np.isin(every.rows, index.unranked).any()
    with pytest.raises(EmbedlabError, match="Row 5"):
        index.nearest(5, 3)


def test_zero_vectors_have_no_cosine_but_a_distance() -> None:
    vectors = np.vstack([DRAWN, np.zeros((1, 2), np.float32)])
    assert NeighbourIndex.of(vectors, "cosine").unranked.tolist() == [4]
    assert NeighbourIndex.of(vectors, "euclidean").nearest(4, 1).rows.tolist() == [0]
    constant = np.full((6, 5), 0.1, np.float32)
    constant[0] = np.nextafter(constant[0], np.float32(1))  # rounding is no direction
    assert len(NeighbourIndex.of(constant, "centred cosine").unranked) == 6
    assert knn(constant, 2, "centred cosine").rows.shape == (6, 0)
    with pytest.raises(EmbedlabError, match="zero"):
        NeighbourIndex.of(DRAWN).nearest(np.zeros(2), 1)
    with pytest.raises(EmbedlabError, match="Row 4"):
        pairwise(vectors, [0, 4], "cosine")


def test_queries_that_do_not_fit_are_named() -> None:
    index = NeighbourIndex.of(DRAWN)
    with pytest.raises(EmbedlabError, match="3 dimensions"):
        index.scores(np.ones(3))
    with pytest.raises(EmbedlabError, match="no row 4"):
        index.nearest(4, 1)
    with pytest.raises(EmbedlabError, match="not finite"):
        index.nearest([np.nan, 1], 1)
    with pytest.raises(EmbedlabError, match="manhattan"):
        NeighbourIndex.of(DRAWN, "manhattan")
    with pytest.raises(EmbedlabError, match="shape"):
        NeighbourIndex.of(np.ones(3))


def test_a_memory_mapped_matrix_is_not_copied(tmp_path, digits: np.ndarray) -> None:
    np.save(tmp_path / "vectors.npy", digits)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    index = NeighbourIndex.of(mapped)
    assert np.shares_memory(index.comparison.vectors, mapped)
    assert (
        index.nearest(3, 5).rows.tolist() == NeighbourIndex.of(digits).nearest(3, 5).rows.tolist()
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 30), k=st.integers(1, 40))
def test_lists_are_best_first_and_name_nobody_twice(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-2, 3, size=(n, 3)).astype(np.float32)  # ties and zeros abound
    for metric, measure in METRICS.items():
        index = NeighbourIndex.of(vectors, metric)
        ranked = n - len(index.unranked)
        every = index.all_nearest(k)
        assert every.rows.shape == (n, max(min(k, ranked - 1), 0))
        for row in np.setdiff1d(np.arange(n), index.unranked):
            line, scores = every.rows[row], every.scores[row].astype(float)
            assert len(set(line.tolist())) == len(line) and row not in line
            falling = -np.diff(scores) if measure.higher_is_nearer else np.diff(scores)
            assert (falling >= 0).all()
            assert line.tolist() == index.nearest(int(row), k).rows.tolist()


def test_within_and_between_are_all_pairs_when_few() -> None:
    sample = within_between(DRAWN, [0, 0, 1, 1], "euclidean")
    assert sorted(sample.within) == pytest.approx(sorted([18**0.5, 5**0.5]))
    assert len(sample.between) == 4
    alone = within_between(DRAWN, [0, 1, 2, 3])
    assert len(alone.within) == 0 and len(alone.between) == 6
    assert np.isnan(alone.overlap)
    assert len(within_between(DRAWN, [0, 0, 0, 0]).between) == 0


def test_drawn_pairs_have_the_same_mean_as_all_pairs(digits: np.ndarray) -> None:
    labels = load_digits().target[:400]
    drawn = within_between(digits, labels, "cosine", n_pairs=4000, seed=3)
    cosines = plain(digits, "cosine")
    i, j = np.triu_indices(400, 1)
    same = labels[i] == labels[j]
    for values, all_values in (
        (drawn.within, cosines[i, j][same]),
        (drawn.between, cosines[i, j][~same]),
    ):
        assert len(values) == 4000
        assert values.mean() == pytest.approx(
            all_values.mean(), abs=4 * all_values.std() / 4000**0.5
        )
    values = np.concatenate([drawn.within, drawn.between])
    truth = np.repeat([1, 0], 4000)
    assert drawn.overlap == pytest.approx(1 - roc_auc_score(truth, values), abs=1e-9)
    again = within_between(digits, labels, "cosine", n_pairs=4000, seed=3)
    np.testing.assert_array_equal(again.within, drawn.within)


def test_every_pair_is_equally_likely_to_be_drawn() -> None:
    # Of 5 + 40 pictures, 10 + 780 pairs lie within a class; the value of a pair tells which.
    labels = np.repeat([1, 2], [5, 40])
    drawn = within_between(labels[:, None], labels, "dot", n_pairs=500)
    assert set(drawn.within) == {1, 4} and set(drawn.between) == {2}
    assert (drawn.within == 1).mean() == pytest.approx(10 / 790, abs=0.02)


def test_triples_are_two_of_one_class_and_one_of_another() -> None:
    labels = np.array([0, 0, 1, 1, 1, 2])
    a, b, c = random_triples(labels, 200, seed=0).T
    assert (labels[a] == labels[b]).all() and (a != b).all() and (labels[c] != labels[a]).all()
    assert set(labels[c]) == {0, 1, 2}
    for odd in ([0, 0, 0, 0], [0, 1, 2, 3]):
        assert all(len(set(t)) == 3 for t in random_triples(odd, 20).tolist())
    assert random_triples([0, 1], 5).shape == (0, 3)


@pytest.mark.parametrize("metric", METRICS)
def test_the_odd_one_out_is_found_as_often_as_whole_rankings_find_it(
    metric: str, digits: np.ndarray
) -> None:
    labels = load_digits().target[: len(digits)]
    triples = random_triples(labels, 300, seed=1)
    index = NeighbourIndex.of(digits, metric)
    sign = 1 if METRICS[metric].higher_is_nearer else -1
    ahead = []
    for a, b, c in triples.tolist():
        scores = sign * index.scores(a)
        ahead.append(scores[b] > scores[c])
    assert 0.6 < np.mean(ahead) < 1
    assert odd_one_out(digits, triples, metric) == pytest.approx(np.mean(ahead), abs=0.01)


def test_ties_are_chance_and_what_cannot_be_compared_is_left_out() -> None:
    vectors = np.array([[1.0, 0], [1, 0], [1, 0], [0, 1], [np.nan, 0], [0, 0]], np.float32)
    assert odd_one_out(vectors, [[0, 1, 2]]) == 0.5
    assert odd_one_out(vectors, [[0, 1, 3], [0, 4, 3], [0, 5, 3]]) == 1
    assert odd_one_out(vectors, [[0, 3, 1]], "euclidean") == 0
    assert np.isnan(odd_one_out(vectors, [[0, 4, 3]]))
    assert np.isnan(odd_one_out(vectors, np.empty((0, 3), int)))
