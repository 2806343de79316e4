"""Fusion: the network's rules, equal care for all arms, and what comes of a folder and a CSV."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mean_absolute_error, r2_score

from embedlab.arms import ARMS, BASELINE, Task, arm_inputs, deal, measure
from embedlab.assembling import assemble
from embedlab.cli import main
from embedlab.data.columns import detect
from embedlab.data.sources import load_dataset
from embedlab.data.table import read_table
from embedlab.data.targets import column_target
from embedlab.errors import EmbedlabError
from embedlab.facts import softmax
from embedlab.fusing import fuse, verdict
from embedlab.models.fusion import Inputs, branch_vectors, fit_fusion, predict
from embedlab.models.fusion_net import FusionNet, embedding_width
from embedlab.models.fusion_settings import FusionSettings
from embedlab.runs import open_run
from embedlab.signal import table_signal
from embedlab.space.repeats import repeated
from embedlab.trials import Comparison, compare

from .made_runs import made_run
from .test_pages import FILES, opened, texts

QUICK = FusionSettings(hidden=16, width=24, epochs=15, patience=5, learning_rate=1e-2)


def synthetic(n: int = 240, *, d: int = 12, number: bool = False) -> Task:
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
    assert net.fusion.linear.in_features == 7 + 5 and net.fusion.linear.out_features == 256


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
    assert sorted(rows.tolist()) == list(range(240))
    assert abs(len(parts.held_out) - 48) <= 4 and abs(len(parts.tune) - 29) <= 8


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
    mean = DummyRegressor().fit(task.embeddings, task.target).predict(task.embeddings)
    assert found.of("fused", "MAE").mean < 0.7 * mean_absolute_error(task.target, mean)


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
        "picture": (240, 12),
        "table": (240, 8),
        "fused": (240, 24),
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


def houses(folder: Path, n: int = 48) -> tuple[Path, Path]:
    """Make pictures whose brightness tells half of a price, and a table that tells the rest."""
    rng = np.random.default_rng(0)
    bright, rooms = rng.integers(0, 2, n), rng.integers(1, 5, n)
    (folder / "photos").mkdir(parents=True)
    for i in range(n):
        pixels = rng.normal(80 + 90 * bright[i], 10, (24, 24, 3)).clip(0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / "photos" / f"{i}.png")
    price = 1000.0 * (1 + 4 * bright + rooms) + rng.normal(0, 10, n)
    frame = pd.DataFrame(
        {
            "picture": [f"{i}.png" for i in range(n)],
            "rooms": rooms,
            "town": rng.choice(["A", "B"], n),
            "tax": price * 0.1,
            "price": price,
        }
    )
    frame.loc[3, "price"] = np.nan
    frame.iloc[:-1].to_csv(folder / "houses.csv", index=False)
    return folder / "photos", folder / "houses.csv"


QUICKLY = [
    "-m",
    "histogram",
    "--size",
    "24",
    "--seeds",
    "2",
    "--search",
    "1",
    "--epochs",
    "4",
    "-q",
    "--json",
]


def test_a_folder_and_a_csv_become_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, table = houses(tmp_path)
    words = ["fuse", str(photos), str(table), "--target", "price", "--classes", "2"]
    main([*words, *QUICKLY])
    answer = json.loads(capsys.readouterr().out)
    run = open_run(answer["run"])
    assert "47 pictures have a row" in answer["notes"][0]
    assert "1 picture has no row" in answer["notes"][1]
    assert any("'tax' alone predicts the target" in note for note in answer["notes"])
    assert run.n_items == 46 and len(run.classes) == 2  # one has no row, one has no price
    assert run.classes[0].startswith("below ")
    assert {"picture", "table"} <= set(run.vector_sets) and run.body is None
    assert run.vectors("table").shape == (46, 32) and run.embeddings.shape == (46, 256)
    assert run.head is not None and run.probabilities is not None
    np.testing.assert_allclose(
        softmax(run.head.logits(run.embeddings)), run.probabilities, atol=1e-5
    )
    held = run.split == "validation"
    fused = answer["arms"]["fused"]["accuracy"]["scores"][0]
    assert run.labels is not None
    assert fused == pytest.approx((run.probabilities.argmax(1) == run.labels)[held].mean())
    assert set(answer["arms"]) == {*ARMS, BASELINE}
    assert (
        answer["verdict"].startswith("On 2 splits") and "nothing for certain" in answer["verdict"]
    )
    assert "table.rooms" in run.items and run.items["id"].str.endswith(".png").all()


def test_a_number_becomes_a_run_with_predictions_beside_the_truth(tmp_path: Path) -> None:
    photos, table = houses(tmp_path)
    kinds = {"tax": "ignore", "rooms": "categorical"}
    assembled = assemble(
        load_dataset(photos), read_table(table).frame, target="price", log=True, kinds=kinds
    )
    assert not any("alone predicts" in warning for warning in assembled.warnings)
    run = fuse(assembled, backbone="histogram", size=24, settings=FusionSettings(epochs=4), seeds=2)
    assert run.classes == () and run.info["fusion"]["metrics"] == ["R²", "MAE"]
    held = run.split == "validation"
    truth = np.log(run.items["table.price"].to_numpy())[held]
    guesses = run.items["table.predicted log price"].to_numpy()[held]
    np.testing.assert_allclose(run.items["table.log price"].to_numpy()[held], truth)
    assert run.head is not None and run.head.classes == ("log price",)
    np.testing.assert_allclose(run.head.logits(run.embeddings)[held, 0], guesses, rtol=1e-4)
    score = run.info["fusion"]["arms"]["fused"]["R²"]["scores"][0]
    assert r2_score(truth, guesses) == pytest.approx(score, abs=1e-4)


def test_what_cannot_be_fused_is_said(tmp_path: Path) -> None:
    photos, path = houses(tmp_path)
    pictures, table = load_dataset(photos), read_table(path).frame
    for options, words in (
        ({}, "no classes of its own"),
        ({"target": "nowhere"}, "no column 'nowhere'"),
        ({"target": "town", "log": True}, "holds words"),
        ({"target": "price", "kinds": dict.fromkeys(("rooms", "town", "tax"), "ignore")}, "learn"),
    ):
        with pytest.raises(EmbedlabError, match=words):
            assemble(pictures, table, **options)
    with pytest.raises(EmbedlabError, match="brings no table"):
        assemble(pictures, target="price")
    with pytest.raises(EmbedlabError, match="Only 10 pictures"):
        assemble(pictures, table.iloc[:11], target="price")
    assembled = assemble(pictures, table, target="town")
    with pytest.raises(EmbedlabError, match="seeds is 1"):
        fuse(assembled, backbone="histogram", seeds=1)


def test_verdicts_are_no_better_than_the_numbers(compared: Comparison) -> None:
    assert verdict(compared).startswith("Fusion beats the better branch alone")
    useless = replace(compared, scores={**compared.scores, "fused": compared.scores["picture"]})
    assert "nothing that the table says was of use" in verdict(useless)
    same = {**compared.scores, "picture": compared.scores["fused"]}
    said = verdict(replace(compared, scores=same))
    assert said.startswith("Fusion is exactly as good as picture only on every split")
    near = [
        {"accuracy": s["accuracy"] + d}
        for s, d in zip(useless.scores["fused"], (0, 0.1, -0.1, 0.05, 0), strict=True)
    ]
    said = verdict(replace(useless, scores={**useless.scores, "fused": near}))
    assert said.startswith("Fusion does not beat")
    few = replace(compared, seeds=(0, 1), scores={k: v[:2] for k, v in compared.scores.items()})
    assert verdict(few).startswith("On 2 splits") and "beats" not in verdict(few)
    worse = {**compared.scores, "picture": [{"accuracy": 2.0}] * 5}
    assert verdict(replace(compared, scores=worse)).startswith("Fusion is worse than picture only")


@pytest.mark.parametrize("n", [2, 3, 4])
def test_numbers_are_cut_into_classes_of_equal_size(n: int) -> None:
    values = pd.Series([*np.random.default_rng(0).lognormal(10, 1, 120), np.nan])
    found = column_target(values, "price", n_classes=n)
    np.testing.assert_array_equal(np.bincount(found.values), np.full(n, 120 // n))
    assert len(found.classes) == n and 120 not in found.rows
    np.testing.assert_array_equal(found.values, pd.qcut(values.dropna(), n, labels=False))


def test_on_the_garden_a_table_helps_as_far_as_it_says_something() -> None:
    run = open_run("garden")
    full = table_signal(run, vectors="histogram").arms
    assert full["fused"].value > full["picture"].value + 0.1
    assert full["fused"].value > full["shuffled"].value + 0.1
    none = table_signal(run, vectors="histogram", signal=0.0).arms
    assert none["table"].value < 0.4 < full["table"].value
    assert none["fused"].value < none["picture"].value + 0.05
    trap = table_signal(run, vectors="histogram", signal=0.0, leak=True)
    assert trap.arms["table"].value == 1.0 and "'sold_as' alone predicts" in trap.warnings[0]
    assert table_signal(run).warnings == ()


def test_without_a_table_the_signal_is_refused_kindly(tmp_path: Path) -> None:
    with pytest.raises(EmbedlabError, match="no table came"):
        table_signal(made_run(tmp_path / "squares"))


def test_every_page_shows_a_fused_run(tmp_path: Path) -> None:
    photos, table = houses(tmp_path)
    for log in (False, True):
        assembled = assemble(
            load_dataset(photos),
            read_table(table).frame,
            target="price",
            n_classes=None if log else 3,
            log=log,
        )
        run = fuse(
            assembled, backbone="histogram", size=24, settings=FusionSettings(epochs=2), seeds=2
        )
        for page in FILES:
            app = opened(page, run.id)
            assert not app.exception, (page, app.exception[0].message)
            assert not app.error, (page, texts(app))
            assert "nan" not in texts(app).split(), page
        page = texts(opened("fusion", run.id))
        assert "say nothing for certain" in page
        assert "nearest training pictures" in page and "Shapley values" in page


def test_intervals_of_scores_stay_where_scores_can_be() -> None:
    unused: Any = (None, {}, {})  # the kept network and its settings have no say in it
    scores = {"picture": [{"accuracy": 0.7}, {"accuracy": 0.9}], "table": [{"accuracy": 0.2}] * 2}
    found = Comparison(("accuracy",), scores, {}, (1, 2), *unused)
    assert found.of("picture").mean == pytest.approx(0.8)
    assert found.of("picture").interval == (0, 1)
    assert found.gain("picture", "table").interval.high > 1  # a difference may be bounded wider
    numbers = [{"R²": 0.5, "MAE": 1.0}, {"R²": 0.9, "MAE": 9.0}]
    found = Comparison(("R²", "MAE"), {"table": numbers}, {}, (1, 2), *unused)
    assert found.of("table").interval.high == 1 and found.of("table").interval.low < 0
    assert found.of("table", "MAE").interval.low == 0
