"""A network that ends at a cut: the vectors there, nothing after it, through files and runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from embedlab.cli.train import command as train_command
from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.estimate import Cost, estimate, keep_cost, kept_cost
from embedlab.experiment import train
from embedlab.home import home
from embedlab.layers import make_layers
from embedlab.models.backbones import BACKBONES, build
from embedlab.models.export import export_body, save_body
from embedlab.models.known_cuts import cut_name, known_cuts, share_until
from embedlab.models.network import END, Network
from embedlab.models.onnx_body import OnnxBody
from embedlab.models.settings import TrainSettings
from embedlab.models.torch_body import body_digest
from embedlab.runs import EMBEDDING, Run

from .conftest import ROOT
from .made_pictures import as_files, coloured
from .make_known_cuts import counted
from .test_backbones import NETWORKS, hollow, pictures

CUTS: list[tuple[str, str | int, int, int]] = [  # backbone, cut, size, numbers there
    ("alexnet", "classifier.2", 224, 4096),
    ("efficientnet_b0", "features.3", 64, 40),
    ("mobilenet_v2", 4, 64, 32),
    ("resnet18", "layer2.0", 64, 128),
    ("small", "stage1", 32, 32),
    ("vit_b_32", "encoder.layers.encoder_layer_1", 224, 768),
    ("vit_b_32", "stem", 224, 768),
]
SMALL: dict[str, Any] = {"backbone": "small", "epochs": 2, "batch_size": 8, "size": 32}


def _size(name: str) -> int:
    return BACKBONES[name].n_parameters


@pytest.fixture(scope="module", params=CUTS, ids=lambda one: f"{one[0]}-{one[1]}")
def ends(request: pytest.FixtureRequest) -> tuple[str | int, int, Network, Network]:
    name, cut, size, width = request.param
    whole, ended = both(name, cut, size)
    assert (ended.n_dims, ended.n_classes, ended.cut) == (width, 3, whole.resolve(cut).name)
    return cut, size, whole, ended


def both(name: str, cut: str | int, size: int) -> tuple[Network, Network]:
    """Build the same random network whole and ending at a cut."""
    told: dict[str, Any] = {"n_classes": 3, "weights": "random", "seed": 5, "size": size}
    return build(name, **told).eval(), build(name, cut=cut, **told).eval()


def seen(run: Run, n: int) -> torch.Tensor:
    assert run.preprocessing is not None
    looks = [run.preprocessing.see(coloured(40).pictures.open(i)) for i in range(n)]
    return torch.from_numpy(run.preprocessing.normalise(np.stack(looks)))


def test_it_gives_the_wholes_vectors_at_the_cut(
    ends: tuple[str | int, int, Network, Network],
) -> None:
    cut, size, whole, ended = ends
    x = pictures(2, size)
    with torch.inference_mode():
        expected = whole.at(cut, x)
        assert torch.equal(ended.body(x), expected)
        assert torch.equal(ended(x), ended.head(expected))
    assert ended.cuts[-1].name == END and whole.cut == END
    assert [one.shape for one in ended.cuts[:-2]] == [
        one.shape for one in whole.cuts[: len(ended.cuts) - 2]
    ]


def test_files_of_it_give_the_same(
    ends: tuple[str | int, int, Network, Network], tmp_path: Path
) -> None:
    """ONNX runs it without torch; safetensors builds it again."""
    _, size, _, ended = ends
    export_body(ended, tmp_path / "body.onnx", size=size)
    half = (0.5, 0.5, 0.5)
    preprocessing = Preprocessing(size, size, "bilinear", half, half)
    array = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), np.uint8)
    x = torch.from_numpy(preprocessing.normalise(array))
    with torch.inference_mode():
        expected = ended.body(x).numpy()
    onnx = OnnxBody(tmp_path / "body.onnx", preprocessing)
    np.testing.assert_allclose(onnx.embed_seen(array), expected, rtol=1e-3, atol=1e-4)
    save_body(ended, tmp_path / "body.safetensors")
    again = build(ended.name, n_classes=2, weights=tmp_path / "body.safetensors", size=size).eval()
    assert again.cut == ended.cut and body_digest(again) == body_digest(ended)
    with torch.inference_mode():
        np.testing.assert_array_equal(again.body(x).numpy(), expected)


def test_nothing_of_what_comes_after_is_left(
    ends: tuple[str | int, int, Network, Network],
) -> None:
    _, size, whole, ended = ends
    left, all_ = dict(ended.body.named_parameters()), dict(whole.body.named_parameters())
    assert set(left) < set(all_) and all(torch.equal(left[one], all_[one]) for one in left)
    ended(pictures(2, size)).sum().backward()
    unused = [one for one, weight in ended.named_parameters() if weight.grad is None]
    assert unused == [], "every weight that there is has a part in the scores"
    rows = ended.architecture()
    assert sum(row["parameters"] for row in rows) == sum(p.numel() for p in ended.parameters())
    loose = [left[one].numel() for one in ("class_token", "encoder.pos_embedding") if one in left]
    assert [row["parameters"] for row in rows[-2:]] == [sum(loose), 3 * ended.n_dims + 3]
    assert rows[-3]["name"] == ended.cut and rows[-2]["shape"] == [1, ended.n_dims]


FAMILIES = {BACKBONES[name].family: name for name in sorted(NETWORKS, key=_size, reverse=True)}


@pytest.mark.parametrize("name", FAMILIES.values())
def test_every_family_can_end_in_its_middle(name: str) -> None:
    known = known_cuts(name)
    middle = known[len(known) // 2]
    with hollow():
        ended = build(name, n_classes=5, weights="random", cut=middle.name).eval()
        map_, vectors = ended.map_and_embedding(
            torch.empty(2, 3, BACKBONES[name].size, BACKBONES[name].size)
        )
        loose = ended.architecture()[-2]["parameters"]
    assert vectors.shape == (2, ended.n_dims) == (2, middle.n_dims) and map_.ndim == 4
    assert loose == 0 or name.startswith("vit_")


def test_ending_at_the_end_changes_nothing() -> None:
    whole, ended = both("small", -1, 32)
    assert ended.cut == END and body_digest(whole) == body_digest(ended)
    _, last = both("small", "stage3", 32)
    with torch.inference_mode():
        assert torch.equal(last.body(pictures(2, 32)), whole.body(pictures(2, 32)))


def test_it_draws_nothing_from_the_processs_chance() -> None:
    before = torch.get_rng_state()
    both("small", "stage1", 32)
    assert torch.equal(before, torch.get_rng_state())


def test_a_kept_head_must_fit(tmp_path: Path) -> None:
    network = build("resnet18", n_classes=4, weights="random", size=32)
    state = {**network.body.state_dict(), "fc.weight": network.head.weight.detach()}
    torch.save({**state, "fc.bias": network.head.bias.detach()}, tmp_path / "whole.pth")
    told: dict[str, Any] = {"weights": tmp_path / "whole.pth", "size": 32, "keep_head": True}
    assert build("resnet18", cut="layer4", **told).n_classes == 4
    with pytest.raises(EmbedlabError, match=r"does not fit behind layer2.*new head"):
        build("resnet18", cut="layer2", **told)


# ---- what is known of cuts without torch --------------


@pytest.mark.parametrize("name", ["small", "efficientnet_b0", "resnet18", "vit_b_32", "vgg11"])
def test_the_shares_are_counted(name: str) -> None:
    with hollow():
        rows = counted(build(name, n_classes=5, weights="random"))
    assert rows == [[cut.name, list(cut.shape), cut.share] for cut in known_cuts(name)]
    shares = [cut.share for cut in known_cuts(name)]
    assert shares == sorted(shares) and shares[0] > 0 and shares[-1] <= 1


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (None, None),
        ("end", None),
        ("embedding", None),
        ("-1", None),
        (4, None),
        ("stage2", "stage2"),
        (2, "stage2"),
        ("-3", "stage2"),
        ("stage1.0", "stage1.0"),
    ],
)
def test_a_cut_has_one_name(asked: str | int | None, name: str | None) -> None:
    assert cut_name("small", asked) == name
    assert TrainSettings.from_dict({"backbone": "small", "cut": asked}).cut == name


@pytest.mark.parametrize("asked", ["stage7", "5", "-6", ""])
def test_an_unknown_cut_names_the_known(asked: str) -> None:
    with pytest.raises(EmbedlabError, match=r"no cut .* 0\.\.4 or -1\.\.-5: stem, .*embedding"):
        TrainSettings(backbone="small", cut=asked)


def test_less_of_the_network_takes_less_time() -> None:
    whole = TrainSettings(backbone="small", batch_size=8)
    part = TrainSettings(backbone="small", batch_size=8, cut="stage1")
    share = share_until("small", "stage1")
    assert share == share_until("small", "stage1.0") == known_cuts("small")[1].share
    one, other = (estimate(settings, 10**6, speed=10.0) for settings in (whole, part))
    files = estimate(whole, 10**6, speed=1e12)  # reading them costs the same
    assert (other.high - files.high) / (one.high - files.high) == pytest.approx(share, rel=1e-3)
    keep_cost(part, Cost(0.001, 0.001, "CPU"))
    assert kept_cost(whole) is None and kept_cost(part) == Cost(0.001, 0.001, "CPU")


# ---- training, and what it leaves behind --------------


@pytest.fixture(scope="module", params=[False, True], ids=["fine-tuned", "frozen"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDLAB_HOME", str(tmp_path_factory.mktemp("home")))
        dataset = as_files(coloured(40), tmp_path_factory.mktemp("squares") / "pictures")
        return train(dataset, freeze=request.param, cut="stage1", **SMALL)


def test_a_run_says_where_its_body_ends(run: Run) -> None:
    info = run.info
    how = "head alone" if info["training"]["freeze"] else "fine-tuned"
    assert run.title.startswith(f"coloured, Small net until stage1, {how}, 32 px, ")
    assert info["cut"] == info["training"]["cut"] == "stage1" and info["n_dims"] == 32
    assert " --cut stage1" in info["command"]
    names = [row["name"] for row in info["architecture"]]
    assert names == ["input", "stem", "stage1", "embedding", "head"]
    assert run.head is not None and run.head.weight.shape == (2, 32)
    body = build("small", n_classes=2, weights=run.folder / "body.safetensors", size=32)
    assert sum(row["parameters"] for row in info["architecture"]) == sum(
        weight.numel() for weight in body.parameters()
    )


def test_its_embedding_is_that_of_the_whole_network_at_the_cut(run: Run) -> None:
    """With the weights that the run has, and any after the cut."""
    from safetensors.torch import load_file

    whole = build("small", n_classes=2, weights="random", seed=123, size=32).eval()
    found = whole.body.load_state_dict(load_file(run.folder / "body.safetensors"), strict=False)
    assert not found.unexpected_keys
    assert {name.partition(".")[0] for name in found.missing_keys} == {"stage2", "stage3"}
    with torch.inference_mode():
        expected = whole.at("stage1", seen(run, 40)).numpy()
    np.testing.assert_allclose(run.embeddings, expected, atol=1e-5)
    assert run.body is not None and run.preprocessing is not None
    later = OnnxBody(run.body, run.preprocessing).embed([coloured(40).pictures.open(7)])
    np.testing.assert_allclose(later[0], run.embeddings[7], atol=1e-5)


def test_its_layers_end_where_it_ends(run: Run) -> None:
    layers = make_layers(run)
    assert layers.names == ("pixels", "stem", "stage1")
    assert layers.depths[-1].vectors == EMBEDDING and layers.depths[-1].end


def test_taken_up_again_it_ends_there_too(tmp_path: Path) -> None:
    told = {**SMALL, "cut": "stage2", "epochs": 3}
    whole = train(coloured(40), folder=tmp_path / "whole", **told)

    class Killed(BaseException):
        pass

    def kill(line: dict[str, Any]) -> None:
        if line["epoch"] == 1:
            raise Killed

    with pytest.raises(Killed):
        train(coloured(40), folder=tmp_path / "killed", on_epoch=kill, **told)
    epochs: list[float] = []
    again = train(
        coloured(40),
        folder=tmp_path / "killed",
        on_epoch=lambda line: epochs.append(line["epoch"]),
        **told,
    )
    assert epochs == [2, 3] and again.fingerprint == whole.fingerprint
    assert again.embeddings.shape == (40, 64)


def test_the_command_takes_a_name_or_an_index(tmp_path: Path) -> None:
    as_files(coloured(12), tmp_path / "a")
    as_files(coloured(12, seed=1), tmp_path / "b")
    words = [str(tmp_path), "-m", "small", "--size", "32", "--epochs", "1", "--json", "-q"]
    done = CliRunner().invoke(train_command, [*words, "--cut", "-3"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout.strip().splitlines()[-1])
    run = Run(Path(said["folder"]))
    assert run.info["cut"] == "stage2" and run.embeddings.shape == (24, 64)
    timed = CliRunner().invoke(train_command, [*words, "--cut", "stem", "--how-long"])
    assert timed.exit_code == 0 and "learn" in json.loads(timed.stdout.strip().splitlines()[-1])
    (kept,) = home("cache", "costs").glob("small-stem-32-*-auto.json")
    assert json.loads(kept.read_text())["learn"] > 0
    with pytest.raises(EmbedlabError, match="no cut 'nose'"):
        CliRunner().invoke(train_command, [*words, "--cut", "nose"], catch_exceptions=False)
    with pytest.raises(EmbedlabError, match=r"no cut 'stem\.9'"):
        CliRunner().invoke(train_command, [*words, "--cut", "stem.9"], catch_exceptions=False)


@pytest.mark.parametrize(
    "page", ["body_and_head", "neighbours", "layers", "prototypes", "train", "compare", "film"]
)
def test_pages_show_such_a_run(page: str) -> None:
    run = train(coloured(40), cut="stage1", **SMALL)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.query_params["run"] = run.id
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception and not app.error, [one.value for one in app.error]


def test_the_page_offers_cuts_and_its_command_has_them() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.switch_page("pages/train.py").run()
    choice = app.selectbox(key="train-cut-small")
    assert choice.value == "end" and "stage1 · 32 x 16 x 16 · 38% of the work" in list(
        choice.options
    )
    guess = next(one.value for one in app.markdown if "guessed from" in one.value)
    choice.set_value("stage1").run()
    assert not app.exception
    words = next(one.value for one in app.code if one.value.startswith("embedlab train"))
    assert words == "embedlab train garden --backbone small --cut stage1"
    assert next(one.value for one in app.markdown if "guessed from" in one.value) != guess
