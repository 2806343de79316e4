from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import affine_grid, grid_sample

from embedlab.data.dataset import Dataset
from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.models import training
from embedlab.models.backbones import build
from embedlab.models.batches import batches
from embedlab.models.film import Snapshot, choose_probe, film_arrays, moments
from embedlab.models.frozen import fit_head
from embedlab.models.network import Network
from embedlab.models.settings import AUGMENTATIONS, TrainSettings
from embedlab.models.tensors import as_input, augmented
from embedlab.models.torch_body import TorchBody
from embedlab.models.training import Trained, fine_tune

from .made_pictures import as_files, coloured, gradient

SEEN = Preprocessing(32, 32, "bilinear", (0.5,) * 3, (0.5,) * 3)
QUICK = TrainSettings(
    backbone="small", weights="random", epochs=3, learning_rate=3e-3, batch_size=8, probe=0
)
CPU = torch.device("cpu")


def network(n_classes: int = 2, dropout: float = 0.3) -> Network:
    made = build("small", n_classes=n_classes, weights="random", seed=5, size=32)
    made.dropout = torch.nn.Dropout(dropout)
    return made


def trained(dataset: Dataset, settings: TrainSettings = QUICK, **more: object) -> Trained:
    n = len(dataset)
    rows = np.arange(n)
    return fine_tune(
        more.pop("network", None) or network(),  # type: ignore[arg-type]
        dataset,
        rows[: n * 3 // 4],
        rows[n * 3 // 4 :],
        settings,
        preprocessing=SEEN,
        **more,  # type: ignore[arg-type]
    )


def weights(network: Network) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(a[name], b[name]) for name in a)


def test_it_learns_to_tell_red_from_green() -> None:
    reports: list[tuple[str, int, int]] = []
    done = trained(coloured(64), progress=lambda stage, i, n, **_: reports.append((stage, i, n)))
    epochs = [line for line in done.history if line["event"] == "epoch"]
    assert [line["epoch"] for line in epochs] == [1, 2, 3]
    assert epochs[-1]["validation_accuracy"] == 1.0
    assert epochs[-1]["validation_loss"] < epochs[0]["loss"]
    assert epochs[-1]["step"] == 18 and ("training", 18, 18) in reports
    steps = [line for line in done.history if line["event"] == "step"]
    assert len(steps) == 18 and steps[0]["learning_rate"] == 3e-3
    json.dumps(done.history)
    assert not done.network.training


@pytest.mark.parametrize(
    "settings",
    [
        replace(QUICK, probe=6),
        replace(QUICK, augment="gentle", schedule="one-cycle", weight_decay=0.01),
    ],
    ids=["plain", "all"],
)
@pytest.mark.parametrize("stop_after", [1, 2])
def test_training_that_was_stopped_ends_with_the_same_weights(
    tmp_path: Path, settings: TrainSettings, stop_after: int
) -> None:
    dataset, probe = coloured(40), np.arange(30, 36)
    whole = trained(dataset, settings, rows_probe=probe)

    class Killed(Exception):  # noqa: N818
        pass

    def kill(line: dict[str, object]) -> None:
        if line["epoch"] == stop_after:
            raise Killed

    checkpoint = tmp_path / "training.pt"
    with pytest.raises(Killed):
        trained(dataset, settings, rows_probe=probe, checkpoint=checkpoint, on_epoch=kill)
    torch.rand(7)  # what others draw in the meantime must not matter
    later: list[float] = []
    resumed = trained(
        dataset,
        settings,
        rows_probe=probe,
        checkpoint=checkpoint,
        on_epoch=lambda line: later.append(line["epoch"]),
    )
    assert later == list(range(stop_after + 1, 4))
    assert same(weights(whole.network), weights(resumed.network))
    untimed = [
        [{k: v for k, v in line.items() if k not in ("seconds", "rate")} for line in run.history]
        for run in (whole, resumed)
    ]
    assert untimed[0] == untimed[1]
    assert len(whole.film) == len(resumed.film) > 3
    for one, other in zip(whole.film, resumed.film, strict=True):
        np.testing.assert_array_equal(one.embeddings, other.embeddings)
        assert one.step == other.step


def test_the_film_changes_nothing() -> None:
    with_film = trained(coloured(40), rows_probe=np.arange(30, 36))
    assert same(weights(with_film.network), weights(trained(coloured(40)).network))
    assert trained(coloured(40)).film == []


def test_whoever_watches_sees_more_often_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(training, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(training, "LOOK_SHARE", 1e9)
    shots: list[Snapshot] = []
    watched = trained(coloured(40), rows_probe=np.arange(30, 36), on_snapshot=shots.append)
    assert {shot.step for shot in shots} == set(range(13))  # 3 epochs of 4 steps
    assert [shot.step for shot in watched.film] == moments(3, 4)
    assert shots[0].rows.tolist() == list(range(30, 36))
    assert same(weights(watched.network), weights(trained(coloured(40)).network))


def test_training_leaves_the_random_state_of_the_process_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    trained(coloured(16), replace(QUICK, epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "training.pt"
    one = replace(QUICK, epochs=1)
    trained(coloured(16), one, checkpoint=checkpoint)
    with pytest.raises(EmbedlabError, match="other pictures or settings"):
        trained(coloured(16), replace(one, learning_rate=1e-4), checkpoint=checkpoint)
    with pytest.raises(EmbedlabError, match="other pictures or settings"):
        trained(coloured(16, seed=1), one, checkpoint=checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(EmbedlabError, match="cannot be read"):
        trained(coloured(16), one, checkpoint=checkpoint)


def test_a_frozen_body_stays_as_it_is_its_statistics_too() -> None:
    before = network()
    kept = weights(before)
    after = weights(trained(coloured(32), replace(QUICK, freeze=True), network=before).network)
    changed = {name for name in kept if not np.array_equal(kept[name], after[name])}
    assert changed == {"head.weight", "head.bias"}
    moved = weights(trained(coloured(32), QUICK).network)
    assert not np.array_equal(kept["body.stem.1.running_mean"], moved["body.stem.1.running_mean"])


def test_a_head_on_kept_embeddings_learns_what_it_learns_behind_the_frozen_body() -> None:
    dataset, settings = coloured(44), replace(QUICK, freeze=True, learning_rate=0.03)
    the_long_way = trained(dataset, settings, network=network(dropout=0)).network
    quick = network(dropout=0)
    seen = np.stack([SEEN.see(dataset.pictures.open(i)) for i in range(44)])
    embeddings = TorchBody(quick, SEEN, CPU).embed_seen(seen)
    assert dataset.labels is not None
    history = fit_head(
        quick.head,
        embeddings[:33],
        dataset.labels[:33],
        settings,
        validation=(embeddings[33:], dataset.labels[33:]),
    )
    np.testing.assert_allclose(
        quick.head.weight.detach(), the_long_way.head.weight.detach(), atol=1e-5
    )
    logits = embeddings[33:] @ quick.head.weight.detach().numpy().T
    right = (logits + quick.head.bias.detach().numpy()).argmax(1) == dataset.labels[33:]
    assert len(history) == 3
    assert history[-1]["validation_accuracy"] == pytest.approx(right.mean())
    assert history[-1]["loss"] < history[0]["loss"]


@pytest.mark.parametrize(
    ("n", "size", "expected"),
    [(9, 4, [4, 5]), (8, 4, [4, 4]), (10, 4, [4, 4, 2]), (1, 4, [1]), (3, 1, [1, 1, 1])],
)
def test_no_batch_of_one_is_left_over(n: int, size: int, expected: list[int]) -> None:
    cut = batches(n, size)
    assert [part.stop - part.start for part in cut] == expected
    assert sorted(i for part in cut for i in range(n)[part]) == list(range(n))


def test_one_picture_too_many_for_batchnorm_is_no_trouble() -> None:
    # The last map of 16 px pictures is 1 x 1: BatchNorm cannot take a batch of one there.
    tiny = Preprocessing(8, 8, "bilinear")
    done = fine_tune(
        network(), coloured(9), range(9), [], replace(QUICK, batch_size=4), preprocessing=tiny
    )
    assert "validation_accuracy" not in done.history[-1]


def test_pictures_that_break_are_named(tmp_path: Path) -> None:
    dataset = as_files(coloured(24), tmp_path / "pictures", broken=(2, 19, 20))
    done = trained(dataset, rows_probe=np.array([18, 19, 20, 21]))
    assert [skipped.id for skipped in done.failed] == ["0002.png", "0019.png", "0020.png"]
    assert done.rows_probe.tolist() == [18, 21]
    assert done.film[0].embeddings.shape == (2, 96)


def test_small_memory_means_smaller_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that holds two pictures at a time still takes steps of eight."""
    forward = Network.forward
    sizes: list[int] = []

    def small(self: Network, x: torch.Tensor) -> torch.Tensor:
        sizes.append(len(x))
        if len(x) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return forward(self, x)

    monkeypatch.setattr(Network, "forward", small)
    done = trained(coloured(32), replace(QUICK, epochs=1))
    notes = [line["text"] for line in done.history if line["event"] == "note"]
    assert len(notes) == 2 and "4 parts" in notes[1]
    assert sizes == [8, 4] + [2] * 12
    assert done.history[-1]["step"] == 3

    monkeypatch.setattr(
        Network, "forward", lambda self, x: (_ for _ in ()).throw(torch.OutOfMemoryError("full"))
    )
    with pytest.raises(EmbedlabError, match="too small to train on 2 pictures"):
        trained(coloured(32), QUICK)


def test_too_small_a_device_hands_over_to_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was learned on it counts: the weights are those of a training without trouble."""
    from embedlab.models.learner import Learner

    whole = trained(coloured(32), replace(QUICK, epochs=2))
    forward, learn, move = Network.forward, Learner.learn, Learner._move_to_the_cpu
    steps: list[torch.device] = []
    handed: list[torch.device] = []

    def counted(self: Learner, *given: Any) -> tuple[float, int]:
        steps.append(self.device)
        return learn(self, *given)

    def small(self: Network, x: torch.Tensor) -> torch.Tensor:
        if len(steps) == 4 and not handed:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return forward(self, x)

    def noted(self: Learner) -> None:
        move(self)
        handed.append(self.device)

    monkeypatch.setattr(Learner, "learn", counted)
    monkeypatch.setattr(Learner, "_move_to_the_cpu", noted)
    monkeypatch.setattr(Network, "forward", small)
    # The first processor stands for a device of its own: to torch, "cpu:0" is not "cpu".
    done = trained(coloured(32), replace(QUICK, epochs=2), device=torch.device("cpu", 0))
    notes = [line["text"] for line in done.history if line["event"] == "note"]
    assert len(notes) == 3 and "cpu:0 is too small for 2 pictures" in notes[-1]
    assert handed == [CPU] and done.device == CPU
    for ours, theirs in zip(done.network.parameters(), whole.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    with torch.no_grad():
        assert all(weight.requires_grad for weight in done.network.parameters())


def test_a_picture_that_does_not_fit_is_answered_for_by_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from embedlab.models.learner import Learner

    net = network()
    learner = Learner(net, QUICK, SEEN, torch.device("cpu", 0), 4)
    seen = np.stack([SEEN.see(coloured(4).pictures.open(i)) for i in range(4)])
    forward = type(net.body).forward

    def small(self: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        if learner.device != CPU:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, x)

    monkeypatch.setattr(type(net.body), "forward", small)
    with torch.inference_mode():
        vectors, logits = learner._answer(seen)
    assert vectors.shape == (4, 96) and logits.shape[0] == 4 and len(learner.notes) == 1
    learner.learn(seen, np.zeros(4, np.int64), torch.Generator())


def test_a_body_that_does_not_fit_embeds_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network()
    seen = np.stack([SEEN.see(coloured(4).pictures.open(i)) for i in range(4)])
    expected = TorchBody(net, SEEN, CPU).embed_seen(seen)
    body = TorchBody(net, SEEN, torch.device("cpu", 0))
    forward = type(net.body).forward

    def small(self: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        if body._device != CPU:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, x)

    monkeypatch.setattr(type(net.body), "forward", small)
    np.testing.assert_allclose(body.embed_seen(seen), expected, atol=1e-5)
    (note,) = body.notes
    assert "cpu:0 is too small for a picture of 32 px" in note


def test_a_training_that_went_to_the_cpu_is_taken_up_there() -> None:
    from embedlab.models.learner import Learner

    learner = Learner(network(), QUICK, SEEN, CPU, 4)
    other = Learner(network(), QUICK, SEEN, torch.device("cpu", 0), 4)
    other.load(learner.state())
    assert other.device == CPU and other.notes == []


def test_parts_add_up_to_the_same_gradient() -> None:
    """Without BatchNorm, a step in parts is the step in one."""
    from embedlab.models.learner import Learner

    dataset = coloured(8)
    seen = np.stack([SEEN.see(dataset.pictures.open(i)) for i in range(8)])
    frozen = replace(QUICK, freeze=True, learning_rate=0.1, label_smoothing=0.1)
    heads = []
    assert dataset.labels is not None
    for parts in (1, 4):
        learner = Learner(network(dropout=0), frozen, SEEN, CPU, 1)
        learner._parts = parts
        learner.learn(seen, dataset.labels, torch.Generator())
        heads.append(learner.network.head.weight.detach().numpy())
    np.testing.assert_allclose(heads[0], heads[1], atol=1e-6)


def test_a_loss_that_is_no_number_stops_the_training() -> None:
    with pytest.raises(EmbedlabError, match=r"left the finite numbers.*below 100"):
        sick = network()
        torch.nn.init.constant_(sick.head.bias, float("inf"))
        trained(coloured(32), replace(QUICK, learning_rate=100.0), network=sick)


def test_refusals_have_reasons() -> None:
    with pytest.raises(EmbedlabError, match="at least 2 pictures; there are 1"):
        fine_tune(network(), coloured(4), [0], [1], QUICK, preprocessing=SEEN)
    with pytest.raises(EmbedlabError, match="no classes"):
        trained(coloured(8, labelled=False))
    with pytest.raises(EmbedlabError, match="at least 2"):
        fit_head(network().head, np.zeros((1, 96), np.float32), np.zeros(1, np.int64), QUICK)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("epochs", 0, "whole number from 1"),
        ("epochs", 1.5, "whole number"),
        ("batch_size", 0, "from 1"),
        ("learning_rate", 0, "above 0"),
        ("learning_rate", float("nan"), "number from 0"),
        ("label_smoothing", 1.0, "0.99"),
        ("seed", -1, "from 0"),
        ("size", 4, "from 8"),
        ("augment", "wild", "none, flip, gentle"),
        ("schedule", "cosine", "constant, one-cycle"),
        ("backbone", "pixels", "nothing to train"),
        ("backbone", "mobilnet_v2", "mobilenet_v2"),
    ],
)
def test_settings_name_what_is_wrong(name: str, value: object, text: str) -> None:
    with pytest.raises(EmbedlabError, match=text) as error:
        TrainSettings(**{name: value})  # type: ignore[arg-type]
    assert name in str(error.value) or name == "backbone"


def test_settings_have_the_notebooks_defaults_and_read_back() -> None:
    settings = TrainSettings()
    assert (settings.backbone, settings.epochs, settings.learning_rate) == (
        "efficientnet_b0",
        1,
        1e-3,
    )
    assert (settings.batch_size, settings.seed, settings.freeze) == (16, 123, False)
    assert TrainSettings(freeze=True).epochs == 20
    assert TrainSettings(seed=0).seed == 0
    odd = TrainSettings(weights=Path("w.pth"), freeze=True, augment="flip")  # type: ignore[arg-type]
    assert TrainSettings.from_dict(json.loads(json.dumps(odd.to_dict()))) == odd
    with pytest.raises(EmbedlabError, match="no setting called 'lr'"):
        TrainSettings.from_dict({"lr": 1})


def test_torch_is_given_what_preprocessing_gives() -> None:
    preprocessing = Preprocessing(32, 40)
    seen = np.stack([preprocessing.see(gradient(60, 50)), preprocessing.see(gradient(41, 90))])
    given = as_input(seen, preprocessing, CPU)
    assert given.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(given.numpy(), preprocessing.normalise(seen), atol=2e-7)


def test_augmentation_mirrors_moves_and_repeats() -> None:
    seen = np.stack([SEEN.see(gradient(64, 64))] * 64)
    x = as_input(seen, SEEN, CPU)

    def drawn(how: str, seed: int = 0) -> torch.Tensor:
        return augmented(x.clone(), how, torch.Generator().manual_seed(seed))

    assert torch.equal(drawn("none"), x)
    flipped = drawn("flip")
    mirrored = [bool(torch.equal(flipped[i], x[i].flip(2))) for i in range(64)]
    kept = [bool(torch.equal(flipped[i], x[i])) for i in range(64)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True)) and 20 < sum(mirrored) < 44
    gentle = drawn("gentle")
    assert gentle.shape == x.shape and bool(gentle.isfinite().all())
    assert not torch.equal(gentle, drawn("gentle", 1)) and torch.equal(gentle, drawn("gentle"))
    # Gentle: still far more like the picture, or its mirror image, than like its negative.
    for i in range(64):
        candidates = torch.stack([x[i], x[i].flip(2)]).flatten(1)
        likeness = torch.corrcoef(torch.cat([gentle[i].flatten()[None], candidates]))[0, 1:]
        assert likeness.max() > 0.5
    assert set(AUGMENTATIONS) == {"none", "flip", "gentle"}
    identity = affine_grid(torch.eye(2, 3)[None], [1, 3, 32, 32], align_corners=False)
    np.testing.assert_allclose(
        grid_sample(x[:1], identity, align_corners=False).numpy(), x[:1].numpy(), atol=1e-5
    )


def test_snapshots_come_early_and_at_the_end() -> None:
    assert moments(1, 184) == [0, 12, 23, 46, 92, 184]
    assert moments(3, 2) == [0, 1, 2, 4, 6]
    many = moments(100, 10)
    assert many[0] == 0 and many[-1] == 1000 and len(many) <= 30


def test_the_probe_has_all_classes() -> None:
    labels = np.array([0] * 50 + [1] * 3 + [2] * 20)
    rows = np.arange(0, 73)
    probe = choose_probe(labels, rows, 12)
    assert np.bincount(labels[probe]).tolist() == [5, 3, 4]
    assert (np.diff(probe) > 0).all()
    assert choose_probe(labels, rows[:4], 12).tolist() == [0, 1, 2, 3]


def test_a_film_is_the_probe_through_the_network() -> None:
    dataset, probe = coloured(40), np.array([3, 31, 32])
    seen_by: list[int] = []
    done = trained(dataset, rows_probe=probe, on_snapshot=lambda shot: seen_by.append(shot.step))
    arrays = film_arrays(done.rows_probe, done.film)
    assert arrays["steps"].tolist() == seen_by == moments(3, 4)
    assert arrays["embeddings"].shape == (len(seen_by), 3, 96)
    assert arrays["embeddings"].dtype == np.float16
    seen = np.stack([SEEN.see(dataset.pictures.open(int(i))) for i in probe])
    embeddings = TorchBody(done.network, SEEN, CPU).embed_seen(seen)
    np.testing.assert_allclose(arrays["embeddings"][-1], embeddings, rtol=2e-3, atol=1e-3)
    logits = embeddings @ arrays["weights"][-1].T + arrays["biases"][-1]
    odds = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(
        arrays["probabilities"][-1], odds / odds.sum(1, keepdims=True), atol=2e-3
    )
    assert not np.allclose(arrays["embeddings"][0], arrays["embeddings"][-1])
