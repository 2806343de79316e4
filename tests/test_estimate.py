"""How long a training will take: counted by hand, and published figures against torchvision's."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from embedlab.cli import main
from embedlab.data.sources import SOURCES, load_dataset
from embedlab.errors import EmbedlabError
from embedlab.estimate import (
    AROUND,
    BEST,
    DECODE,
    SIZES,
    START,
    WORST,
    Cost,
    Estimate,
    arithmetic_speed,
    count_pictures,
    estimate,
    in_words,
    keep_cost,
    kept_cost,
    learn_from,
)
from embedlab.home import home
from embedlab.models.backbones import BACKBONES
from embedlab.models.defaults import DEFAULTS, weights_at_hand
from embedlab.models.settings import TrainSettings

from .made_pictures import as_files, coloured


def test_defaults_are_torchvisions_own() -> None:
    from torchvision.models import get_model_weights

    assert set(DEFAULTS) == {name for name, one in BACKBONES.items() if one.kind != "plain"}
    for name, known in DEFAULTS.items():
        if name == "small":
            continue
        weights = get_model_weights(name).DEFAULT
        assert known.file == PurePosixPath(weights.url).name
        assert known.operations == weights.meta["_ops"]
        assert known.side == weights.transforms().crop_size[0]


def test_the_small_nets_arithmetic_is_counted() -> None:
    import torch

    from embedlab.models.backbones import build

    total = 0

    def count(layer: torch.nn.Conv2d, _: object, out: torch.Tensor) -> None:
        nonlocal total
        total += layer.weight.numel() * out.shape[-1] * out.shape[-2]

    network = build("small", n_classes=5, size=64).eval()
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(count)
    network(torch.zeros(1, 3, 64, 64))
    assert DEFAULTS["small"].operations == pytest.approx(total / 1e9, rel=0.02)
    assert DEFAULTS["small"].operations_at(128) == 4 * DEFAULTS["small"].operations


def test_weights_are_found_where_torch_and_embedlab_keep_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert weights_at_hand("mobilenet_v2") is None and weights_at_hand("small") is None
    hub = tmp_path / "torch" / "hub" / "checkpoints" / "mobilenet_v2-7ebf99e0.pth"
    hub.parent.mkdir(parents=True)
    hub.touch()
    assert weights_at_hand("mobilenet_v2") == hub
    own = home("weights") / hub.name
    own.touch()
    assert weights_at_hand("mobilenet_v2") == own


def test_pictures_are_counted_without_opening_them(tmp_path: Path) -> None:
    assert set(SIZES) == set(SOURCES)
    digits = load_dataset("digits")
    assert count_pictures("digits") == (len(digits), len(digits.classes))
    for name in ("flowers", "mnist", "cifar10", "svhn", "eurosat"):
        assert f"{SIZES[name][0]:,}" in SOURCES[name].description
    as_files(coloured(6), tmp_path / "flat")
    assert count_pictures(str(tmp_path / "flat")) == (6, 0)
    for k, name in enumerate(("red", "green")):
        (tmp_path / "sorted" / name).mkdir(parents=True)
        for i in range(k + 2):
            (tmp_path / "sorted" / name / f"{i}.jpg").write_bytes(b"\xff\xd8\xff")
    assert count_pictures(str(tmp_path / "sorted")) == (5, 2)
    (tmp_path / "some.zip").write_bytes(b"PK")
    assert count_pictures(str(tmp_path / "some.zip")) is None
    with pytest.raises(EmbedlabError, match="nothing at"):
        count_pictures(str(tmp_path / "nowhere"))


def test_a_measured_cost_is_multiplied_out() -> None:
    settings = TrainSettings(backbone="small", epochs=3, batch_size=8)
    assert kept_cost(settings) is None
    keep_cost(settings, Cost(0.01, 0.002, "CPU, 2 cores"))
    found = estimate(settings, 1000, fraction=0.25)
    expected = START + AROUND * 3 * 750 * 0.01 + 1000 * 0.002
    assert found.device == "CPU, 2 cores"
    assert found.low < expected < found.high
    assert (found.low + found.high) / 2 == pytest.approx(expected, rel=0.06)
    frozen = TrainSettings(backbone="small", freeze=True, batch_size=8)
    assert kept_cost(frozen) is None and kept_cost(TrainSettings(backbone="small")) is None
    keep_cost(frozen, Cost(0.01, 0.002, "CPU"))
    assert estimate(frozen, 1000).high == pytest.approx(1.35 * (START + 2))


def test_a_guess_is_arithmetic_over_speed() -> None:
    settings = TrainSettings(backbone="resnet18", size=224, epochs=1)
    found = estimate(settings, 1000, speed=100.0)
    one = 1.814 / 100
    for share, value in ((BEST, found.low), (WORST, found.high)):
        learn, embed = 3 * one / share + DECODE / 4, one / share / 2 + DECODE
        assert value == pytest.approx(START + AROUND * 800 * learn + 1000 * embed)
    assert found.device == "" and arithmetic_speed() > 0


def test_a_training_that_is_done_tells_what_it_cost() -> None:
    settings = TrainSettings(backbone="small", epochs=2)
    info = {"split": {"train": 100}, "seconds": {"embed": 5.0}, "n_items": 125, "device": "CPU"}
    history = [{"rate": 50.0}, {"event": "note"}, {"rate": 80.0}, {"rate": 2.0, "seconds": 900.0}]
    learn_from(settings, info, history)
    assert kept_cost(settings) == Cost(1 / 80, 0.04, "CPU"), "the fastest report counts"
    assert kept_cost(settings, "cuda") is None
    learn_from(settings, info, [{"rate": 4000.0}], "cuda")
    found = [kept_cost(settings, device) for device in ("auto", "cuda")]
    assert [cost.learn for cost in found if cost] == [1 / 80, 1 / 4000]
    frozen = TrainSettings(backbone="small", freeze=True)
    learn_from(frozen, info, [{"rate": 1.0}])
    assert kept_cost(frozen) is None
    learn_from(TrainSettings(backbone="small", size=32), info, [])
    assert kept_cost(TrainSettings(backbone="small", size=32)) is None


def test_the_fastest_step_is_the_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    from embedlab.models import measure
    from embedlab.progress import silent

    moments = iter([0, 9, 10, 11, 20, 24, 30, 31.5])
    monkeypatch.setattr(measure.time, "perf_counter", lambda: next(moments))
    monkeypatch.setattr(measure, "MOST_STEPS", 4)
    monkeypatch.setattr(measure, "SECONDS", 100)
    assert measure._timed(lambda: None, "learning", silent) == 1


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Estimate(20, 40, "CPU"), "about 30 s"),
        (Estimate(200, 400, "CPU"), "about 5 min"),
        (Estimate(20, 50), "20 to 50 s"),
        (Estimate(50, 200), "50 s to 3 min"),
        (Estimate(6000, 20_000), "2 to 6 h"),
        (Estimate(290, 310), "5 min"),
    ],
)
def test_estimates_in_words(found: Estimate, words: str) -> None:
    assert in_words(found) == words


def test_the_command_measures_and_trains_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "digits", "--size", "16", "--batch-size", "4", "--how-long", "--json"]
    main([*arguments, "--limit", "100", "--device", "cpu"])
    found = json.loads(capsys.readouterr().out)
    assert found["pictures"] == 100 and found["device"].startswith("CPU")
    assert 0 < found["low"] < found["high"] < 600
    assert not list(home("runs").iterdir())
    settings = TrainSettings(backbone="small", size=16, batch_size=4)
    assert kept_cost(settings) is None
    cost = kept_cost(settings, "cpu")
    assert cost is not None and cost.learn == found["learn"]
