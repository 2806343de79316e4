"""Picture and table mixed: against plain NumPy and scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import KNeighborsRegressor

from embedlab.errors import EmbedlabError
from embedlab.mixture import K, mixture, mixture_curve, picture_and_table
from embedlab.runs import open_run
from embedlab.space.mixing import mixed
from embedlab.space.probes import knn_accuracy

from .made_runs import made_run


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_dot_products_are_means_of_cosines(share: float) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20, 7)) * 50, rng.normal(size=(20, 3)) / 50
    rows = mixed(a, b, share).astype(np.float64)
    expected = (1 - share) * cosine_similarity(a) + share * cosine_similarity(b)
    np.testing.assert_allclose(rows @ rows.T, expected, atol=1e-6)


def test_rows_without_a_direction_count_only_where_they_are_asked() -> None:
    a, b = np.ones((3, 2)), np.ones((3, 4))
    a[0], b[1], b[2, 0] = 0, np.nan, np.inf
    assert np.isnan(mixed(a, b, 0.5)).any(axis=1).tolist() == [True, True, True]
    assert np.isnan(mixed(a, b, 0.0)).any(axis=1).tolist() == [True, False, False]
    assert np.isnan(mixed(a, b, 1.0)).any(axis=1).tolist() == [False, True, True]
    with pytest.raises(EmbedlabError, match="share is"):
        mixed(a, b, 1.5)
    with pytest.raises(EmbedlabError, match="cannot be mixed"):
        mixed(a, b[:2], 0.5)


def test_the_ends_of_the_garden_are_picture_and_table_alone() -> None:
    run = open_run("garden")
    both, points = picture_and_table(run), mixture_curve(run)
    assert both is not None and points is not None and run.labels is not None
    train, held = run.split == "train", run.split == "validation"
    for vectors, point in zip(both, (points[0], points[-1]), strict=True):
        alone = knn_accuracy(
            vectors[train], run.labels[train], vectors[held], run.labels[held], k=K
        )
        assert point.score == pytest.approx(alone.value)
    assert points[0].score > points[-1].score > 0.5
    assert mixture(run, 0.4).shape == (750, both[0].shape[1] + both[1].shape[1])


def test_a_number_is_the_mean_of_its_neighbours(tmp_path: Path) -> None:
    run = made_run(tmp_path / "numbers", labelled=False)
    rng = np.random.default_rng(0)
    price = rng.normal(10, 3, run.n_items)
    run.items["table.rooms"] = price + rng.normal(0, 0.3, run.n_items)
    run.items["table.price"] = price
    run.info["fusion"] = {"target": "price"}
    run.add_vectors("picture", rng.normal(size=(run.n_items, 5)).astype(np.float32), {})
    angle = price / 10
    run.add_vectors("table", np.c_[np.cos(angle), np.sin(angle)].astype(np.float32), {})
    points = mixture_curve(run)
    assert points is not None
    train, held = run.split == "train", run.split == "validation"
    x = run.vectors("table") / np.linalg.norm(run.vectors("table"), axis=1, keepdims=True)
    expected = KNeighborsRegressor(K).fit(x[train], price[train]).score(x[held], price[held])
    assert points[-1].score == pytest.approx(expected, abs=1e-5) and expected > 0.5
    assert points[0].score < 0.5 and points[0].interval.low <= points[0].score


def test_without_a_table_there_is_nothing_to_mix(tmp_path: Path) -> None:
    run = made_run(tmp_path / "squares")
    assert picture_and_table(run) is None and mixture_curve(run) is None
