"""Fusions: gated, thinned, searched, fine-tuned, and taken apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from embedlab.arms import Task, arm_inputs, deal
from embedlab.assembling import assemble
from embedlab.data.columns import detect
from embedlab.data.dataset import Dataset
from embedlab.data.pictures import ArrayPictures
from embedlab.data.sources import load_dataset
from embedlab.data.table import read_table
from embedlab.errors import EmbedlabError
from embedlab.fusing import fuse
from embedlab.models.backbones import backbone, build
from embedlab.models.fusion import (
    Inputs,
    branch_shares,
    branch_vectors,
    fit_fusion,
    predict,
)
from embedlab.models.fusion_net import FusionNet, Gated
from embedlab.models.fusion_settings import FUSIONS, FusionSettings, candidates
from embedlab.models.joint import Tunable, fine_tune_fusion
from embedlab.runs import open_run
from embedlab.shares import load_shares
from embedlab.trials import _chosen, compare

from .test_fusion import QUICK, houses, synthetic


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion_learns_from_both_branches(fusion: str) -> None:
    found = compare(synthetic(), replace(QUICK, fusion=fusion), seeds=range(5), search=1)
    assert found.gain("fused", found.best_single).interval.low > 0.1


def test_a_gate_is_the_formula() -> None:
    torch.manual_seed(0)
    gated = Gated([3, 2], 4)
    x, t = torch.randn(5, 3), torch.randn(5, 2)
    a, b = (torch.tanh(one(v)) for one, v in zip(gated.own, (x, t), strict=True))
    g = 1 / (1 + torch.exp(-gated.gate(torch.hstack([x, t]))))
    torch.testing.assert_close(gated((x, t)), g * a + (1 - g) * b)
    alone = FusionNet(2, FusionSettings(fusion="gated"), n_dims=3)
    assert not isinstance(alone.fusion, Gated), "one branch has nothing to gate"


def test_modality_dropout_takes_one_branch_from_its_share_and_only_in_training() -> None:
    net = FusionNet(2, FusionSettings(modality_dropout=0.4), n_dims=3, table=([2], 1))
    branches = {"picture": torch.ones(20_000, 3), "table": torch.ones(20_000, 2)}
    torch.manual_seed(0)
    thinned = net.train()._thinned(branches)
    gone = [(thinned[name] == 0).all(dim=1) for name in ("picture", "table")]
    assert [float(g.float().mean()) for g in gone] == pytest.approx([0.2, 0.2], abs=0.01)
    assert not (gone[0] & gone[1]).any(), "never both"
    assert net.eval()._thinned(branches) is branches


def test_candidates_begin_with_what_was_given_and_are_the_same_each_time() -> None:
    given = FusionSettings(batch_size=8, patience=3)
    drawn = candidates(given, 6, 1)
    assert drawn[0] == given and len(set(drawn)) == 6
    assert drawn == candidates(given, 6, 1) != candidates(given, 6, 2)
    assert all(one.batch_size == 8 and one.patience == 3 for one in drawn)
    assert candidates(given, 1, 0) == [given]


def wide(n: int = 240, d: int = 1280) -> Task:
    """A strong table beside a long, weak picture: the case in which a network learns by heart."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, n)
    picture = rng.normal(size=(n, d)).astype(np.float32)
    picture[:, :40] += 0.35 * rng.normal(size=(3, 40)).astype(np.float32)[y]
    frame = pd.DataFrame(
        {
            "size": y + 0.3 * rng.normal(size=n),
            "rooms": y + rng.integers(-1, 2, n),
            "zip": rng.integers(0, 40, n),
        }
    )
    return Task(picture, frame, detect(frame), y, ("low", "mid", "high"))


def gain(task: Task, search: int, seeds: int = 3) -> float:
    """By how much both together beat the table, as the mean over some splits."""
    found = []
    for seed in range(seeds):
        parts = deal(task, seed)
        held = parts.held_out
        right = {}
        for arm in ("fused", "table"):
            inputs, encoder = arm_inputs(task, arm, parts.fit, seed)
            fitted = _chosen(task, inputs, encoder, parts, FusionSettings(), seed, search)
            answers = predict(fitted.net, inputs.take(held)).argmax(axis=1)
            right[arm] = (answers == task.target[held]).mean()
        found.append(right["fused"] - right["table"])
    return float(np.mean(found))


def test_a_search_keeps_a_long_picture_from_drowning_a_strong_table() -> None:
    """With one setting for all, both together are worse than the table alone."""
    assert gain(wide(), search=1) < -0.03
    assert gain(wide(), search=6) > -0.01


def test_pictures_that_are_held_out_have_no_say_in_the_search() -> None:
    task = synthetic(120)
    parts = deal(task, 0)
    spoilt = replace(
        task,
        embeddings=task.embeddings.copy(),
        target=task.target.copy(),
        frame=task.frame.copy(),
    )
    spoilt.embeddings[parts.held_out] = 1e3
    spoilt.frame.loc[parts.held_out, ["size", "noise"]] = -5e3
    a = compare(task, QUICK, seeds=[0], search=3)
    b = compare(spoilt, QUICK, seeds=[0], search=3)
    assert a.settings == b.settings
    for first, second in zip(
        a.kept.fitted.net.state_dict().values(),
        b.kept.fitted.net.state_dict().values(),
        strict=True,
    ):
        torch.testing.assert_close(first, second, rtol=0, atol=0)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_shares_are_shapley_values_and_add_up_to_the_answer(fusion: str) -> None:
    task = synthetic(100)
    parts = deal(task, 0)
    inputs, encoder = arm_inputs(task, "fused", parts.fit, 0)
    shape = {"n_outputs": 4, "n_dims": 12, "table": (encoder.cardinalities, encoder.n_numbers)}
    settings = replace(QUICK, fusion=fusion)
    fitted = fit_fusion(
        shape, inputs, task.target, settings, fit_rows=parts.fit, tune_rows=parts.tune, seed=0
    )
    shares = branch_shares(fitted.net, inputs, parts.train)
    whole = shares["base"] + shares["picture"] + shares["table"]
    np.testing.assert_allclose(whole, predict(fitted.net, inputs), atol=1e-4)

    vectors = branch_vectors(fitted.net, inputs)
    typical = {name: vectors[name][parts.train].mean(axis=0) for name in ("picture", "table")}

    def answer(picture: np.ndarray, table: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            both = {
                "picture": torch.tensor(picture[None]),
                "table": torch.tensor(table[None]),
            }
            return fitted.net.head(fitted.net.fused(both))[0].numpy()

    row = 17
    x, t = vectors["picture"][row], vectors["table"][row]
    first = answer(x, typical["table"]) - answer(typical["picture"], typical["table"])
    second = answer(x, t) - answer(typical["picture"], t)
    np.testing.assert_allclose(shares["picture"][row], (first + second) / 2, atol=1e-4)


def lights(n: int = 72) -> tuple[Dataset, Task, Tunable]:
    """Pictures whose one half is bright; which half it is tells the class, the table nearly so."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    pixels = rng.integers(0, 120, (n, 32, 32, 3))
    for k in range(n):
        pixels[k, :, 16 * y[k] : 16 * y[k] + 16] += 100
    dataset = Dataset(
        name="lights",
        ids=tuple(str(k) for k in range(n)),
        pictures=ArrayPictures(pixels.astype(np.uint8)),
    )
    network = build("small", n_classes=1, weights="random", seed=0, size=32)
    preprocessing = backbone("small").preprocessing(32)
    from embedlab.models.torch_body import TorchBody

    seen = np.stack([preprocessing.see(dataset.pictures.open(k)) for k in range(n)])
    vectors = TorchBody(network, preprocessing, torch.device("cpu")).embed_seen(seen)
    frame = pd.DataFrame({"size": y + 1.5 * rng.normal(size=n)})
    tunable = Tunable(network, dataset, preprocessing, torch.device("cpu"))
    task = Task(vectors, frame, detect(frame), y, ("left", "right"), tunable)
    return dataset, task, tunable


def test_fine_tuning_moves_the_body_towards_the_answer_and_leaves_the_given_one_alone() -> None:
    _, task, tunable = lights()
    before = {k: v.clone() for k, v in tunable.network.state_dict().items()}
    settings = FusionSettings(
        hidden=8, width=16, epochs=5, fine_tune=6, body_learning_rate=1e-3, learning_rate=1e-2
    )
    parts = deal(task, 0)
    inputs, _ = arm_inputs(task, "picture", parts.fit, 0)
    how = {"fit_rows": parts.fit, "tune_rows": parts.tune, "seed": 0}
    shape = {"n_outputs": 2, "n_dims": task.embeddings.shape[1]}
    fitted = fit_fusion(shape, inputs, task.target, settings, **how)
    source = tunable.source()
    done, vectors = fine_tune_fusion(fitted, tunable, source, inputs, task.target, **how)
    again, same = fine_tune_fusion(fitted, tunable, source, inputs, task.target, **how)
    np.testing.assert_array_equal(vectors, same)
    assert done.tuned_epochs == again.tuned_epochs > 0 and done.loss < fitted.loss
    assert not np.allclose(vectors, task.embeddings, atol=1e-3)
    held = parts.held_out
    tuned = (predict(done.net, Inputs(vectors[held])).argmax(1) == task.target[held]).mean()
    plain = (predict(fitted.net, inputs.take(held)).argmax(1) == task.target[held]).mean()
    assert tuned >= max(plain, 0.9)
    for name, tensor in tunable.network.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)


def test_where_no_epoch_is_better_fine_tuning_changes_nothing() -> None:
    _, task, tunable = lights(60)
    settings = FusionSettings(
        hidden=8, width=8, epochs=2, fine_tune=1, body_learning_rate=1.0, learning_rate=1e-3
    )
    parts = deal(task, 0)
    inputs, _ = arm_inputs(task, "picture", parts.fit, 0)
    how = {"fit_rows": parts.fit, "tune_rows": parts.tune, "seed": 0}
    shape = {"n_outputs": 2, "n_dims": task.embeddings.shape[1]}
    fitted = fit_fusion(shape, inputs, task.target, settings, **how)
    done, vectors = fine_tune_fusion(
        replace(fitted, loss=-1.0), tunable, tunable.source(), inputs, task.target, **how
    )
    assert done.tuned_epochs == 0
    np.testing.assert_array_equal(vectors, task.embeddings)
    np.testing.assert_array_equal(predict(done.net, inputs), predict(fitted.net, inputs))


def test_all_arms_with_pictures_are_fine_tuned_and_the_table_is_not() -> None:
    _, task, _ = lights()
    settings = FusionSettings(
        hidden=8, width=16, epochs=5, fine_tune=4, body_learning_rate=3e-3, learning_rate=1e-2
    )
    found = compare(task, settings, seeds=[0, 1], search=1)
    assert found.tuned_epochs["table"] == [0, 0]
    assert all(sum(found.tuned_epochs[arm]) > 0 for arm in ("picture", "fused", "shuffled"))
    assert found.of("fused").mean > found.of("table").mean
    assert not np.allclose(found.kept.inputs.picture, task.embeddings)


def test_a_fused_run_says_what_was_chosen_and_keeps_the_shares(tmp_path: Path) -> None:
    photos, table = houses(tmp_path)
    assembled = assemble(
        load_dataset(photos), read_table(table).frame, target="price", kinds={"tax": "ignore"}
    )
    settings = FusionSettings(hidden=8, width=8, epochs=3, fine_tune=1, augment="flip")
    run = fuse(
        assembled,
        backbone="small",
        weights="random",
        size=32,
        settings=settings,
        seeds=2,
        search=2,
        device="cpu",
    )
    found = open_run(run.id).info["fusion"]
    assert found["body"] == "fine-tuned" and found["search"] == 2
    assert len(found["chosen_settings"]["fused"]) == len(found["tuned_epochs"]["fused"]) == 2
    shares = load_shares(run)
    assert shares is not None and shares.picture.shape == (run.n_items, 1)
    predicted = run.items["table.predicted price"].to_numpy()
    np.testing.assert_allclose(shares.answers[:, 0], predicted, rtol=1e-4, atol=1e-2)
    assert np.isfinite(shares.lead()).all()
    with pytest.raises(EmbedlabError, match="nothing that could be fine-tuned"):
        fuse(assembled, backbone="histogram", settings=settings, seeds=2)
    with pytest.raises(EmbedlabError, match="search is 0"):
        fuse(assembled, backbone="histogram", seeds=2, search=0)
