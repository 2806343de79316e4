"""Heads on one body, against plain NumPy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from embedlab.space import heads
from embedlab.space.heads import HEADS, compare_heads
from embedlab.space.scores import wilson


@pytest.fixture
def clouds() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give vectors (90, 6) of three stretched clouds, labels, and a mask of 60 to fit on."""
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1, 2], 30)
    stretched = rng.normal(size=(90, 6)) * [4, 1, 1, 1, 1, 0.3]
    vectors = stretched + 1.2 * np.eye(3, 6)[labels] + 1
    return vectors.astype(np.float32), labels, np.arange(90) % 3 > 0


def test_means_by_hand() -> None:
    vectors = np.array([[0, 0], [2, 0], [10, 0], [12, 0], [5.9, 0], [6.1, 50]], np.float32)
    found = compare_heads(
        vectors, [4, 4, 7, 7, 7, 7], rows=[0, 1, 2, 3], held_out=[4, 5], names=["means"]
    )
    (score,) = found.scores
    assert score.guesses.tolist() == [4, 7]  # the means stand at 1 and 11
    assert (score.share.correct, score.share.total) == (1, 2)
    assert score.share.interval == wilson(1, 2)
    assert found.fitted.tolist() == [0, 1, 2, 3] and found.scored.tolist() == [4, 5]


def test_heads_agree_with_scikit_learn(clouds: tuple[np.ndarray, ...]) -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    vectors, labels, fit = clouds
    references = {
        "means": NearestCentroid(),
        "regression": make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)),
        "discriminant": LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    }
    found = compare_heads(vectors, labels, rows=fit, held_out=~fit)
    assert [score.name for score in found.scores] == list(HEADS)
    guesses = {score.name: score.guesses for score in found.scores}
    for name, model in references.items():
        expected = model.fit(vectors[fit], labels[fit]).predict(vectors[~fit])
        np.testing.assert_array_equal(guesses[name], expected, err_msg=name)
    for score in found.scores:
        assert score.share.correct == (score.guesses == labels[~fit]).sum()
    # Ties among ten votes are broken in different ways: compare where there is none.
    model = KNeighborsClassifier(10, metric="cosine", algorithm="brute")
    votes = model.fit(vectors[fit], labels[fit]).predict_proba(vectors[~fit])
    ordered = np.sort(votes, axis=1)
    clear = ordered[:, -1] > ordered[:, -2]
    assert clear.sum() > 15
    np.testing.assert_array_equal(guesses["neighbours"][clear], votes.argmax(axis=1)[clear])


@pytest.mark.parametrize("name", HEADS)
def test_heads_take_what_may_come(name: str) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(12, 3)).astype(np.float32)
    vectors[0] = np.nan
    few = compare_heads(
        vectors, [0, 0, 0, 1, 2, 3] * 2, rows=np.arange(6), held_out=np.arange(6, 12), names=[name]
    )
    assert 0 not in few.fitted and few.scores[0].share.total == 6
    same = compare_heads(
        np.ones((8, 4)), [0, 0, 1, 1] * 2, rows=np.arange(4), held_out=np.arange(4, 8), names=[name]
    )
    assert set(same.scores[0].guesses.tolist()) <= {0, 1}
    alone = compare_heads(vectors, np.full(12, 5), rows=[1, 2, 3], held_out=[4], names=[name])
    assert alone.scores[0].guesses.tolist() == [5]
    assert compare_heads(vectors, np.zeros(12), rows=[], held_out=[1], names=[name]).scores == ()
    assert compare_heads(vectors, np.zeros(12), rows=[1], held_out=[], names=[name]).scores == ()


def test_many_pictures_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "MOST", 20)
    vectors = np.random.default_rng(1).normal(size=(100, 2))
    found = compare_heads(
        vectors, np.arange(100) % 2, rows=np.arange(50), held_out=np.arange(50, 100)
    )
    assert len(found.fitted) == len(found.scored) == 20
    assert found.fitted.max() < 50 <= found.scored.min()
    assert len(set(found.fitted.tolist())) == 20
