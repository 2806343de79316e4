"""Every backbone: built, cut, described; and equal to torchvision's own network."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torchvision.models import regnet

from embedlab.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.models.backbones import BACKBONES, backbone, build
from embedlab.models.known_cuts import known_cuts
from embedlab.models.network import Network

NETWORKS = [name for name, entry in BACKBONES.items() if entry.kind != "plain"]
LIGHT = [
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "regnet_x_400mf",
    "resnet18",
    "shufflenet_v2_x0_5",
]
HEAVY = [
    "alexnet",
    "convnext_tiny",
    "efficientnet_v2_s",
    "inception_v3",
    "maxvit_t",
    "resnext50_32x4d",
    "swin_t",
    "swin_v2_t",
    "vgg11",
    "vit_b_32",
    "wide_resnet50_2",
]
AVERAGED = [
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "mnasnet0_5",
    "mobilenet_v2",
    "regnet_x_400mf",
    "resnet18",
    "shufflenet_v2_x0_5",
    "small",
    "squeezenet1_1",
    "swin_t",
]


@contextmanager
def hollow() -> Iterator[None]:
    """Build networks without numbers: on torch's meta device."""
    widths = regnet.BlockParams.from_init_params

    def on_cpu(*args: object, **kwargs: object) -> object:  # it reads its numbers back
        with torch.device("cpu"):
            return widths(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch, torch.device("meta"):
        patch.setattr(regnet.BlockParams, "from_init_params", on_cpu)
        yield


def pictures(n: int, size: int) -> torch.Tensor:
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(7))


def smallest(name: str) -> int:
    """Give a size at which a network is quick to run."""
    entry = BACKBONES[name]
    return entry.size if entry.fixed_size else 96


def test_the_catalogue_is_torchvisions() -> None:
    ours = {name: entry for name, entry in BACKBONES.items() if entry.kind == "torchvision"}
    assert sorted(ours) == torchvision.models.list_models(module=torchvision.models)
    for name, entry in ours.items():
        meta = torchvision.models.get_model_weights(name).DEFAULT.meta
        assert entry.n_parameters == meta["num_params"], name
        assert entry.download == round(meta["_file_size"], 1), name
    assert len({entry.title for entry in BACKBONES.values()}) == len(BACKBONES)


def test_naming_backbones_costs_no_torch() -> None:
    code = "import sys, embedlab.models.backbones as b; b.BACKBONES; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_cut_and_described(name: str) -> None:
    entry = BACKBONES[name]
    with hollow():
        network = build(name, n_classes=5, weights="random")
        x = torch.empty(2, 3, entry.size, entry.size)
        network.eval()
        maps, embeddings = network.map_and_embedding(x)
        scores = network.head(embeddings)
    assert scores.shape == (2, 5)
    assert embeddings.shape == (2, network.n_dims) == (2, network.head.in_features)
    assert maps.ndim == 4 and maps.shape[2] == maps.shape[3] > 1

    cuts = network.cuts
    known = [(cut.name, cut.shape) for cut in known_cuts(name)]
    assert known == [(cut.name, cut.shape) for cut in cuts[:-1]]
    assert [cut.index for cut in cuts] == list(range(len(cuts)))
    assert (cuts[0].name, cuts[-1].name) == ("stem", "embedding")
    assert len({cut.name for cut in cuts}) == len(cuts) >= 5
    assert cuts[-1].shape == (network.n_dims,)
    sides = [cut.shape[1] for cut in cuts if len(cut.shape) == 3]
    assert sides == sorted(sides, reverse=True)
    found = network.vectors_at(range(len(cuts)), x)
    for cut in cuts:
        width = cut.shape[-1] if len(cut.shape) == 2 else cut.shape[0]
        assert found[cut.name].shape == (2, width), cut

    rows = network.architecture()
    assert [row["name"] for row in rows] == ["input", *(cut.name for cut in cuts), "head"]
    assert [row["shape"] for row in rows[1:-1]] == [[1, *cut.shape] for cut in cuts]
    assert all(row["what"] for row in rows)
    total = sum(row["parameters"] for row in rows)
    assert total == sum(p.numel() for p in network.parameters())
    imagenets_head = 1000 * network.n_dims + (1000 if name != "maxvit_t" else 0)
    if name != "inception_v3":  # torchvision counts a second head there
        expected = entry.n_parameters - (imagenets_head if entry.kind == "torchvision" else 0)
        assert total - rows[-1]["parameters"] == expected


def test_the_way_of_a_picture_through_efficientnet() -> None:
    network = build("efficientnet_b0", n_classes=5, weights="random")
    ends = {row["name"]: row["shape"] for row in network.architecture(256)}
    assert ends["input"] == [1, 3, 256, 256]
    assert ends["features.8"] == [1, 1280, 8, 8]
    assert ends["embedding"] == [1, 1280]
    assert ends["head"] == [1, 5]
    assert network.dropout.p == 0.2


@pytest.mark.parametrize(
    "name", [*LIGHT, *(pytest.param(name, marks=pytest.mark.slow) for name in HEAVY)]
)
def test_body_and_head_equal_the_original(name: str, tmp_path: Path) -> None:
    """Weights of the original, read from a file, give the original's scores to the last bit."""
    options = {"transform_input": True} if name in {"googlenet", "inception_v3"} else {}
    torch.manual_seed(0)
    original = torchvision.models.get_model(name, weights=None, **options).eval()
    with torch.no_grad():
        for key, tensor in original.state_dict().items():
            if key.endswith("running_mean"):
                tensor.normal_(std=0.1)
            elif key.endswith("running_var"):
                tensor.uniform_(0.5, 2.0)
    file = tmp_path / "weights.safetensors"
    save_file(original.state_dict(), file)
    network = build(name, weights=file, keep_head=True).eval()
    x = pictures(2, smallest(name))
    with torch.inference_mode():
        assert torch.equal(network(x), original(x))
        assert not torch.equal(network.body(x)[0], network.body(x)[1])


@pytest.mark.parametrize("name", AVERAGED)
def test_the_embedding_is_the_average_of_the_map(name: str) -> None:
    network = build(name, n_classes=3, weights="random").eval()
    with torch.inference_mode():
        maps, embeddings = network.map_and_embedding(pictures(2, 64))
    torch.testing.assert_close(maps.mean((2, 3)), embeddings, rtol=1e-4, atol=1e-6)
    assert torch.equal(network.feature_map(pictures(2, 64)), maps)


@pytest.fixture
def small() -> Network:
    return build("small", n_classes=4)


def test_vectors_at_a_cut_are_averages_of_the_map_there(small: Network) -> None:
    small.eval()
    x, body = pictures(3, 32), small.body
    by_hand = body.stage1(body.stem(x)).mean((2, 3))
    assert torch.equal(small.at("stage1", x), by_hand)
    assert torch.equal(small.at(1, x), by_hand)
    assert torch.equal(small.at("-4", x), by_hand)
    assert torch.equal(small.at(-1, x), small.body(x))
    both = small.vectors_at(["embedding", 1], x)
    assert list(both) == ["embedding", "stage1"]
    assert torch.equal(both["stage1"], by_hand)


def test_a_pass_goes_no_deeper_than_the_cut(small: Network) -> None:
    reached: list[str] = []
    for name, module in small.body.named_children():
        module.register_forward_hook(lambda *_, name=name: reached.append(name))
    small.cuts
    reached.clear()
    small.vectors_at(["stage1", "stem"], pictures(1, 32))
    assert reached == ["stem", "stage1"]
    assert not any("_Reached" in str(hook) for hook in small.body.stem._forward_hooks.values())
    assert len(small.body.stem._forward_hooks) == 1


def test_blocks_inside_a_stage_are_cuts_too() -> None:
    network = build("resnet18", n_classes=2, weights="random").eval()
    x = pictures(1, 64)
    cut = network.resolve("layer3.0")
    assert (cut.index, cut.shape) == (None, (256, 16, 16))
    assert torch.equal(network.at("layer3.1", x), network.at("layer3", x))
    assert not torch.equal(network.at("layer3.0", x), network.at("layer3", x))


@pytest.mark.parametrize("cut", ["layer9", 7, -8, "99", "stage1.0.weight"])
def test_an_unknown_cut_names_the_known(small: Network, cut: str | int) -> None:
    with pytest.raises(EmbedlabError, match=r"no cut .*stem, stage1, stage2, stage3, embedding"):
        small.at(cut, pictures(1, 32))


def test_tokens_are_cut_at_the_class_token_and_laid_out_as_patches() -> None:
    network = build("vit_b_32", n_classes=2, weights="random").eval()
    tokens: list[torch.Tensor] = []
    network.body.encoder.register_forward_hook(lambda _m, _i, out: tokens.append(out))
    with torch.inference_mode():
        x = pictures(1, 224)
        maps = network.feature_map(x)
        vectors = network.vectors_at([-2, -1], x)
        kept = network.body.encoder.ln(vectors["encoder.layers.encoder_layer_11"])
    assert maps.shape == (1, 768, 7, 7)
    assert torch.equal(maps[0, :, 2, 5], tokens[0][0, 1 + 2 * 7 + 5])
    torch.testing.assert_close(kept, vectors["embedding"])


def test_a_frozen_body_stays_as_it_is_while_the_head_trains() -> None:
    network = build("mobilenet_v3_small", n_classes=3, weights="random")
    network.freeze()
    before = {name: t.clone() for name, t in network.state_dict().items()}
    x = pictures(4, 64)
    optimiser = torch.optim.SGD((p for p in network.parameters() if p.requires_grad), lr=1.0)
    network.train()
    assert torch.equal(network.body(x), network.body(x))
    loss = nn.functional.cross_entropy(network(x), torch.tensor([0, 1, 2, 0]))
    loss.backward()
    optimiser.step()
    changed = {k for k, t in network.state_dict().items() if not torch.equal(t, before[k])}
    assert changed == {"head.weight", "head.bias"}
    assert network.dropout.training and network.dropout.p == 0.2

    thawed = build("mobilenet_v3_small", n_classes=3, weights="random").train()
    statistics = thawed.body.features[0][1].running_mean.clone()
    thawed(x)
    assert not torch.equal(thawed.body.features[0][1].running_mean, statistics)


def test_seeds_make_networks_and_leave_the_process_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = (build("small", n_classes=4, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(one.body.stem[0].weight, same.body.stem[0].weight)
    assert torch.equal(one.head.weight, same.head.weight)
    assert not torch.equal(one.body.stem[0].weight, other.body.stem[0].weight)
    assert not torch.equal(one.head.weight, other.head.weight)
    one.replace_head(7, seed=1)
    assert one.head.weight.shape == (7, 96) and one.n_classes == 7


def test_preprocessing_travels_with_the_weights() -> None:
    ask = {name: BACKBONES[name].preprocessing for name in BACKBONES}
    assert ask["efficientnet_b0"]() == Preprocessing(256, 256, "bicubic")
    assert ask["efficientnet_b0"](96) == Preprocessing(96, 96, "bicubic")
    assert ask["resnet18"]() == Preprocessing(256, 256, "bilinear", IMAGENET_MEAN, IMAGENET_STD)
    assert ask["vit_b_16"]() == Preprocessing(224, 256, "bilinear")
    assert ask["vit_b_16"](weights="IMAGENET1K_SWAG_E2E_V1") == Preprocessing(384, 384, "bicubic")
    assert ask["efficientnet_v2_l"]().mean == (0.5, 0.5, 0.5)
    assert ask["small"]() == Preprocessing(64, 64, "bilinear", (0.5,) * 3, (0.5,) * 3)
    assert ask["pixels"](32).std == (1.0, 1.0, 1.0)
    for name in NETWORKS:
        assert ask[name]().size == BACKBONES[name].size, name


def test_what_cannot_be_built_is_named() -> None:
    with pytest.raises(EmbedlabError, match=r"'resnet8'.*resnet18"):
        backbone("resnet8")
    with pytest.raises(EmbedlabError, match="Pixels is no network"):
        build("pixels", n_classes=2)
    with pytest.raises(EmbedlabError, match=r"224 px and no others; 256"):
        build("vit_b_16", n_classes=2, weights="random", size=256)
    with pytest.raises(EmbedlabError, match="small net has no weights from ImageNet"):
        build("small", n_classes=2, weights="imagenet")
    with pytest.raises(EmbedlabError, match="Random weights bring no head"):
        build("small", weights="random", keep_head=True)
    with pytest.raises(EmbedlabError, match="cannot take pictures of 16 px"):
        build("inception_v3", n_classes=2, weights="random", size=16).architecture()


@pytest.mark.real
def test_real_weights_know_real_daisies(shared: Path) -> None:
    file = shared / "weights" / "mobilenet_v2-imagenet.pth"
    network = build("mobilenet_v2", weights=file, keep_head=True).eval()
    original = torchvision.models.mobilenet_v2()
    original.load_state_dict(torch.load(file, weights_only=True))
    original.eval()
    ready = BACKBONES["mobilenet_v2"].preprocessing(weights=file)
    daisies = sorted((shared / "data" / "flower_photos" / "daisy").glob("*.jpg"))[:8]
    seen = np.stack([ready.see(Image.open(path).convert("RGB")) for path in daisies])
    x = torch.from_numpy(ready.normalise(seen))
    with torch.inference_mode():
        scores = network(x)
        assert torch.equal(scores, original(x))
    names = [network.head_classes[k] for k in scores.argmax(1)]
    assert names.count("daisy") >= 6


@pytest.mark.real
def test_squeezenets_straightened_head_mostly_agrees_with_its_own(shared: Path) -> None:
    file = shared / "weights" / "squeezenet1_1-imagenet.pth"
    network = build("squeezenet1_1", weights=file, keep_head=True).eval()
    original = torchvision.models.squeezenet1_1()
    original.load_state_dict(torch.load(file, weights_only=True))
    original.eval()
    ready = BACKBONES["squeezenet1_1"].preprocessing()
    folders = sorted((shared / "data" / "flower_photos").iterdir())
    paths = [path for folder in folders for path in sorted(folder.glob("*.jpg"))[:4]]
    seen = np.stack([ready.see(Image.open(path).convert("RGB")) for path in paths])
    x = torch.from_numpy(ready.normalise(seen))
    with torch.inference_mode():
        same = network(x).argmax(1) == original(x).argmax(1)
    assert len(same) == 20 and same.float().mean() >= 0.85
