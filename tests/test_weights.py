"""Weights: fetched from a loopback server, read from files, and refused by name."""

from __future__ import annotations

import hashlib
import os
import threading
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor

from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.models import weights as module
from embedlab.models.backbones import BACKBONES, build
from embedlab.models.weights import cached, entry, load, read

NAME = "shufflenet_v2_x0_5"


@pytest.fixture(scope="module")
def original() -> torch.nn.Module:
    torch.manual_seed(3)
    return torchvision.models.get_model(NAME, weights=None).eval()


@pytest.fixture
def state(original: torch.nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in original.state_dict().items()}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@dataclass
class Server:
    """A publisher of one weights file, on this machine."""

    address: str
    folder: Path
    file: Path

    def damage(self) -> None:
        content = bytearray(self.file.read_bytes())
        content[len(content) // 2] ^= 1
        self.file.write_bytes(content)


@pytest.fixture
def server(
    original: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """Publish random weights under a name and hash such as torchvision expects."""
    folder = tmp_path / "published" / "models"
    folder.mkdir(parents=True)
    torch.save(original.state_dict(), folder / "new.pth")
    digest = hashlib.sha256((folder / "new.pth").read_bytes()).hexdigest()
    file = (folder / "new.pth").rename(folder / f"shufflenetv2_x0.5-{digest[:10]}.pth")
    handler = partial(Quiet, directory=str(folder.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{http.server_port}"
        known = replace(
            entry(NAME),
            url=f"{address}/models/{file.name}",
            mib=round(file.stat().st_size / 2**20, 3),
        )
        monkeypatch.setattr(module, "entry", lambda *_: known)
        monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
        yield Server(address, folder, file)
        http.shutdown()


def test_weights_are_fetched_once_and_verified(server: Server, original: torch.nn.Module) -> None:
    assert cached(NAME) is None
    told: list[tuple[int, int]] = []
    network = build(
        NAME,
        n_classes=5,
        weights="imagenet",
        progress=lambda _stage, done, total, **_: told.append((done, total)),
    ).eval()
    size = server.file.stat().st_size
    assert told[-1][0] == size and abs(told[-1][1] - size) < 1024
    assert [path.name for path in home("weights").glob("*.pth")] == [server.file.name]
    assert network.provenance == {
        "kind": "imagenet",
        "name": "IMAGENET1K_V1",
        "file": server.file.name,
        "sha256": hashlib.sha256(server.file.read_bytes()).hexdigest(),
        "head": "new; the file's own, of 1000 classes, was left out",
    }
    server.file.unlink()
    again = build(NAME, weights="imagenet", keep_head=True).eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(again(x), original(x))
    assert again.provenance["head"] == "kept"
    assert len(again.head_classes) == 1000 and "daisy" in again.head_classes


def test_a_file_in_torchs_own_cache_is_taken(server: Server) -> None:
    checkpoints = Path(os.environ["TORCH_HOME"]) / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    place = server.file.rename(checkpoints / server.file.name)
    assert cached(NAME) == place
    load(NAME, "imagenet")
    assert not list(home("weights").glob("*.pth"))


def test_a_school_can_serve_the_weights(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    known = module.entry(NAME)
    away = replace(known, url=f"https://weights.invalid/models/{known.file}")
    monkeypatch.setattr(module, "entry", lambda *_: away)
    monkeypatch.setenv("EMBEDLAB_MIRROR", f"{server.address}/")
    load(NAME, "imagenet")
    assert (home("weights") / known.file).read_bytes() == server.file.read_bytes()


def test_what_cannot_be_fetched_says_what_else_can_be_done(server: Server) -> None:
    name = server.file.name
    server.file.rename(server.folder / "elsewhere.pth")
    with pytest.raises(EmbedlabError) as caught:
        build(NAME, n_classes=2)
    words = str(caught.value)
    for part in (name, "6 MB", str(home("weights")), "--weights FILE", "--weights random", "small"):
        assert part in words
    assert "404" in words


def test_a_damaged_file_is_never_kept_or_used(server: Server) -> None:
    name = server.file.name
    good = server.file.read_bytes()
    server.damage()
    with pytest.raises(EmbedlabError, match="another file"):
        load(NAME, "imagenet")
    assert not list(home("weights").glob("*.pth"))
    (home("weights") / name).write_bytes(server.file.read_bytes())
    with pytest.raises(EmbedlabError, match=r"not the published .*Delete it"):
        load(NAME, "imagenet")
    (home("weights") / name).write_bytes(good)
    load(NAME, "imagenet")


def test_torchvision_pins_a_hash_for_every_file() -> None:
    names = [name for name, known in BACKBONES.items() if known.kind == "torchvision"]
    assert {len(entry(name).digits) >= 8 for name in names} == {True}
    assert entry("resnet50", "IMAGENET1K_V1").name == "IMAGENET1K_V1"
    assert entry("resnet50", "some.pth").name == "IMAGENET1K_V2"


@pytest.mark.parametrize("ending", ["pth", "pt", "safetensors"])
def test_a_file_of_ones_own(state: dict[str, Tensor], tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"mine.{ending}"
    state = {f"module.{name}": tensor for name, tensor in state.items()}  # of DataParallel
    if ending == "safetensors":
        save_file(state, file)
    else:
        torch.save(state, file)
    network = build(NAME, n_classes=5, weights=str(file))
    assert torch.equal(network.body.conv1[0].weight, state["module.conv1.0.weight"])
    assert network.provenance["kind"] == "file"
    assert network.provenance["file"] == file.name


def test_a_head_of_ones_own_is_kept_when_asked(state: dict[str, Tensor], tmp_path: Path) -> None:
    state["fc.weight"], state["fc.bias"] = torch.randn(7, 1024), torch.randn(7)
    file = tmp_path / "mine.safetensors"
    save_file(state, file)
    kept = build(NAME, weights=file, keep_head=True)
    assert torch.equal(kept.head.weight, state["fc.weight"])
    assert torch.equal(kept.head.bias, state["fc.bias"])
    assert (kept.n_classes, kept.head_classes) == (7, ())
    new = build(NAME, n_classes=3, weights=file)
    assert new.n_classes == 3 and "of 7 classes, was left out" in new.provenance["head"]
    with pytest.raises(EmbedlabError, match="head of 7 classes; 3 were asked for"):
        build(NAME, n_classes=3, weights=file, keep_head=True)


def test_weights_of_half_precision_are_widened(state: dict[str, Tensor], tmp_path: Path) -> None:
    halves = {k: t.half() if t.is_floating_point() else t for k, t in state.items()}
    save_file(halves, tmp_path / "half.safetensors")
    network = build(NAME, weights=tmp_path / "half.safetensors", keep_head=True)
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert torch.equal(network.body.conv1[0].weight, halves["conv1.0.weight"].float())


def spoil(state: dict[str, Tensor], how: str) -> None:
    if how == "shape":
        state["conv1.0.weight"] = torch.zeros(16, 3, 3, 3)
    elif how == "quantised":
        state["conv1.0.weight"] = torch.zeros(24, 3, 3, 3, dtype=torch.int8)
    elif how == "missing":
        del state["stage2.0.branch1.0.weight"]
    elif how == "unexpected":
        state["stage9.weight"] = torch.zeros(1)
    elif how == "nan":
        state["conv5.0.weight"][0] = torch.nan
    elif how == "headless":
        del state["fc.weight"], state["fc.bias"]
    elif how == "narrow head":
        state["fc.weight"] = torch.zeros(1000, 512)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("shape", r"conv1\.0\.weight is \(16, 3, 3, 3\) where \(24, 3, 3, 3\) belongs"),
        ("quantised", r"conv1\.0\.weight is \(24, 3, 3, 3\) int8 where \(24, 3, 3, 3\) belongs"),
        ("missing", r"stage2\.0\.branch1\.0\.weight is missing"),
        ("unexpected", r"stage9\.weight has no place"),
        ("nan", r"conv5\.0\.weight holds values that are not finite"),
        ("headless", "it has no head"),
        ("narrow head", "rows of 512 numbers where 1024 belong"),
    ],
)
def test_what_does_not_fit_is_explained_by_name(
    state: dict[str, Tensor], tmp_path: Path, how: str, words: str
) -> None:
    spoil(state, how)
    file = tmp_path / "odd.safetensors"
    save_file(state, file)
    with pytest.raises(EmbedlabError, match=f"odd.safetensors does not fit {NAME}.*{words}"):
        build(NAME, weights=file, keep_head=True)


def test_weights_of_another_backbone_are_refused_in_one_line(
    state: dict[str, Tensor], tmp_path: Path
) -> None:
    save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(EmbedlabError, match=r"and \d+ more\. Name the backbone") as caught:
        build("resnet18", n_classes=2, weights=tmp_path / "other.safetensors")
    assert len(str(caught.value)) < 500


class Trap:
    """What a hostile .pth holds: code that runs when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.marker,))


def test_a_file_with_code_is_refused_and_the_code_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    torch.save({"fc.weight": torch.zeros(1), "trap": Trap(marker)}, tmp_path / "trap.pth")
    with pytest.raises(EmbedlabError, match=r"trap\.pth cannot be read as weights"):
        read(tmp_path / "trap.pth")
    assert not marker.exists()
    torch.load(tmp_path / "trap.pth", weights_only=False)
    assert marker.exists()


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_whole_networks_and_programs_are_refused_for_what_they_are(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 3))
    torch.save(network, tmp_path / "whole.pth")
    torch.save({"model": network.state_dict(), "args": Namespace(lr=1)}, tmp_path / "args.pth")
    torch.jit.script(network).save(tmp_path / "program.pt")
    recwarn.clear()
    for name, said in {
        "whole.pth": "it holds a Python object, torch.nn.modules.container.Sequential, and",
        "args.pth": "it holds a Python object, argparse.Namespace, and",
        "program.pt": r"it is a program, TorchScript\)",
    }.items():
        with pytest.raises(EmbedlabError, match=said) as refused:
            read(tmp_path / name)
        assert "state_dict()" in str(refused.value) and "trust" not in str(refused.value)
    assert not recwarn.list


def test_files_that_are_no_weights_are_named(state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "good.pth")
    save_file(state, tmp_path / "good.safetensors")
    for ending in ("pth", "safetensors"):
        good = (tmp_path / f"good.{ending}").read_bytes()
        for name, content in {
            "cut": good[: len(good) // 2],
            "empty": b"",
            "text": b"hello",
        }.items():
            file = tmp_path / f"{name}.{ending}"
            file.write_bytes(content)
            with pytest.raises(EmbedlabError, match=f"{name}.{ending}"):
                read(file)
    with pytest.raises(EmbedlabError, match="no file"):
        read(tmp_path / "nowhere.pth")
    (tmp_path / "weights.h5").write_bytes(b"\x89HDF")
    with pytest.raises(EmbedlabError, match=r"'\.h5'"):
        read(tmp_path / "weights.h5")
    torch.save({"epoch": 3, "mine": state}, tmp_path / "checkpoint.pth")
    with pytest.raises(EmbedlabError, match=r"more than a state dict: epoch, mine"):
        read(tmp_path / "checkpoint.pth")
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "checkpoint.pth")
    assert read(tmp_path / "checkpoint.pth").keys() == state.keys()
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(EmbedlabError, match="more than a state dict: list"):
        read(tmp_path / "list.pth")


def test_old_names_of_tensors_are_understood(tmp_path: Path) -> None:
    """torchvision's own DenseNet file has names that its network no longer uses."""
    original = torchvision.models.densenet121()
    old = {
        name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): tensor
        for name, tensor in original.state_dict().items()
    }
    assert set(old) != set(original.state_dict())
    save_file(old, tmp_path / "old.safetensors")
    network = build("densenet121", weights=tmp_path / "old.safetensors", keep_head=True)
    for name, tensor in network.body.state_dict().items():
        assert torch.equal(tensor, original.state_dict()[name])


def test_heads_beside_the_head_are_left_out(tmp_path: Path) -> None:
    original = torchvision.models.googlenet(aux_logits=True, init_weights=False)
    assert any(name.startswith("aux1.") for name in original.state_dict())
    save_file(original.state_dict(), tmp_path / "aux.safetensors")
    network = build("googlenet", weights=tmp_path / "aux.safetensors", keep_head=True)
    assert torch.equal(network.head.weight, original.fc.weight)


@pytest.mark.real
@pytest.mark.parametrize("name", ["mobilenet_v2", "squeezenet1_1"])
def test_real_weights_load(shared: Path, name: str) -> None:
    file = shared / "weights" / f"{name}-imagenet.pth"
    state = torch.load(file, weights_only=True)
    network = build(name, weights=file, keep_head=True)
    for key, tensor in network.body.state_dict().items():
        assert torch.equal(tensor, state[key].to(tensor.dtype)), key
    assert torch.equal(network.head.weight, state["classifier.1.weight"].flatten(1).float())
