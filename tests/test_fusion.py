"""Fusion: the network's rules, equal care for all arms, and what comes of a folder and a CSV."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mean_absolute_error, r2_score

from embedlab.arms import ARMS, BASELINE, Comparison, Task, arm_inputs, compare, deal, measure
from embedlab.data.columns import detect
from embedlab.errors import EmbedlabError
from embedlab.models.fusion import (
    FusionNet,
    FusionSettings,
    Inputs,
    branch_vectors,
    embedding_width,
    fit_fusion,
    predict,
)
from embedlab.space.repeats import repeated

QUICK = FusionSettings(hidden=16, width=24, epochs=25, patience=5, learning_rate=5e-3)


def synthetic(n: int = 300, *, d: int = 12, number: bool = False) -> Task:
    """Make a task of which the picture tells one half and the table the other."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, n), rng.integers(0, 2, n)
    picture = rng.normal(size=(n, d)).astype(np.float32)
    picture[:, 0] += 4 * a
    frame = pd.DataFrame(
        {
            "size": 3.0 * b + rng.normal(size=n),
            "kind": np.where(b == 1, rng.choice(["x", "y"], n), rng.choice(["y", "z"], n)),
            "noise": rng.normal(size=n),
        }
    )
    frame.loc[::17, "size"] = np.nan
    target = (a + 2.0 * b + 0.1 * rng.normal(size=n)) if number else 2 * a + b
    classes = () if number else ("00", "01", "10", "11")
    return Task(picture, frame, detect(frame), target, classes)


@pytest.fixture(scope="module")
def compared() -> Comparison:
    return compare(synthetic(), QUICK, seeds=range(5))


def test_widths_follow_the_rule() -> None:
    for n in (1, 2, 3, 10, 49, 1000, 40_000, 10**6):
        assert embedding_width(n) == min(600, round(1.6 * n**0.56))
    net = FusionNet(3, FusionSettings(hidden=10), n_dims=7, table=([2, 49], 4))
    assert net.table is not None
    shapes = [tuple(embed.weight.shape) for embed in net.table.embeddings]
    assert shapes == [(3, 2), (50, 14)]  # a row more than values: 0 is unseen
    first, second = (m for m in net.table.layers if isinstance(m, torch.nn.Linear))
    assert (first.in_features, first.out_features, second.out_features) == (2 + 14 + 4, 10, 5)
    assert net.mix.in_features == 7 + 5 and net.mix.out_features == 256


def test_an_unseen_name_counts_for_nothing_even_after_training() -> None:
    task = synthetic(120)
    parts = deal(task, 0)
    inputs, encoder = arm_inputs(task, "table", parts.fit, 0)
    shape = {"n_outputs": 4, "table": (encoder.cardinalities, encoder.n_numbers)}
    fitted = fit_fusion(
        shape, inputs, task.target, QUICK, fit_rows=parts.fit, tune_rows=parts.tune, seed=0
    )
    assert fitted.net.table is not None
    assert not fitted.net.table.embeddings[0].weight[0].any()
    strange = encoder.encode(task.frame.assign(kind="never heard of"))
    out = predict(fitted.net, Inputs(codes=strange.codes, numbers=strange.numbers))
    assert (strange.codes == 0).all() and np.isfinite(out).all()


@pytest.mark.parametrize("keep", [["size", "noise"], ["kind"], ["size", "kind"]])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_tables_without_numbers_or_without_names(keep: list[str], batch_norm: bool) -> None:
    whole = synthetic(80)
    frame = whole.frame[keep]
    task = Task(whole.embeddings, frame, detect(frame), whole.target, whole.classes)
    settings = FusionSettings(hidden=8, width=8, epochs=2, batch_norm=batch_norm)
    found = compare(task, settings, seeds=[0])
    assert list(found.importance) == keep
    assert set(found.scores) == {*ARMS, BASELINE}


def test_the_same_seed_gives_the_same_and_leaves_torch_alone() -> None:
    task = synthetic(80)
    settings = FusionSettings(hidden=8, width=8, epochs=3)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = compare(task, settings, seeds=[4])
    torch.testing.assert_close(torch.rand(3), expected)
    again = compare(task, settings, seeds=[4])
    for a, b in zip(
        first.kept.fitted.net.state_dict().values(),
        again.kept.fitted.net.state_dict().values(),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert first.scores == again.scores and first.importance == again.importance
    other = compare(task, settings, seeds=[5])
    assert other.kept.parts.held_out.tolist() != first.kept.parts.held_out.tolist()


def test_parts_never_overlap_and_hold_out_a_fifth() -> None:
    task = synthetic()
    parts = deal(task, 3)
    rows = np.concatenate([parts.fit, parts.tune, parts.held_out])
    assert sorted(rows.tolist()) == list(range(300))
    assert abs(len(parts.held_out) - 60) <= 4 and abs(len(parts.tune) - 36) <= 8


def test_fusion_helps_where_each_branch_knows_half(compared: Comparison) -> None:
    assert compared.gain("fused", compared.best_single).interval.low > 0.1
    assert compared.gain("fused", "shuffled").interval.low > 0.1


def test_a_shuffled_table_is_no_better_than_none(compared: Comparison) -> None:
    assert compared.gain("shuffled", "picture").interval.low <= 0
    assert compared.of("shuffled").mean < compared.of("picture").mean + 0.05


def test_columns_that_tell_matter_and_noise_does_not(compared: Comparison) -> None:
    drops = {name: float(np.mean(drop)) for name, drop in compared.importance.items()}
    assert drops["size"] > 0.05 and drops["size"] > 3 * abs(drops["noise"])


def test_arms_are_as_good_as_a_linear_reference(compared: Comparison) -> None:
    """Logistic regression is about the best there is on these straight classes."""
    task = synthetic()
    fused, linear = [], []
    for seed, score in zip(compared.seeds, compared.scores["fused"], strict=True):
        parts = deal(task, seed)
        inputs, _ = arm_inputs(task, "fused", parts.fit, seed)
        assert inputs.codes is not None and inputs.numbers is not None
        x = np.hstack([task.embeddings, inputs.numbers, np.eye(4)[inputs.codes[:, 0]]])
        model = LogisticRegression(max_iter=1000).fit(x[parts.train], task.target[parts.train])
        linear.append(model.score(x[parts.held_out], task.target[parts.held_out]))
        fused.append(score["accuracy"])
    assert np.mean(fused) > np.mean(linear) - 0.06


def test_a_number_is_predicted_in_its_own_unit() -> None:
    task = synthetic(number=True)
    found = compare(task, QUICK, seeds=[0, 1])
    assert found.metrics == ("R²", "MAE")
    assert found.of("fused").mean > max(found.of("picture").mean, found.of("table").mean)
    assert found.of("fused", "MAE").mean < 0.6
    mean = DummyRegressor().fit(task.embeddings, task.target)
    assert found.of("picture", "MAE").mean < mean_absolute_error(
        task.target, mean.predict(task.embeddings)
    )


def test_scores_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    y, out = rng.normal(5, 2, 40), rng.normal(5, 2, (40, 1))
    found = measure(out, y, classes=False)
    assert found["R²"] == pytest.approx(r2_score(y, out[:, 0]))
    assert found["MAE"] == pytest.approx(mean_absolute_error(y, out[:, 0]))


def test_embeddings_times_head_are_the_answers(compared: Comparison) -> None:
    kept = compared.kept
    vectors = branch_vectors(kept.fitted.net, kept.inputs)
    assert {name: v.shape for name, v in vectors.items()} == {
        "picture": (300, 12),
        "table": (300, 8),
        "fused": (300, 24),
    }
    head = kept.fitted.net.head
    logits = vectors["fused"] @ head.weight.detach().numpy().T + head.bias.detach().numpy()
    np.testing.assert_allclose(logits, predict(kept.fitted.net, kept.inputs), atol=1e-4)


def test_intervals_are_wider_than_those_of_independent_scores() -> None:
    from scipy.stats import t

    scores = [0.5, 0.6, 0.55, 0.7, 0.65]
    found = repeated(scores, held_out=0.2)
    low, high = t.interval(0.95, 4, np.mean(scores), np.std(scores, ddof=1) / np.sqrt(5))
    assert found.mean == pytest.approx(0.6)
    assert found.interval.high - 0.6 == pytest.approx((high - 0.6) * 1.5)  # sqrt(1 + 5/4)
    assert low > found.interval.low
    assert np.isinf(repeated([0.5], held_out=0.2).interval.high)


def test_settings_out_of_range_are_named() -> None:
    for name, value in (("hidden", 1), ("dropout", 1.0), ("learning_rate", 0.0), ("epochs", 0)):
        with pytest.raises(EmbedlabError, match=name):
            FusionSettings(**{name: value})
