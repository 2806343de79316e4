"""Bodies as files: ONNX equals torch, and what is no body is refused by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from PIL import Image

from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.models import export
from embedlab.models.backbones import BACKBONES, build
from embedlab.models.export import export_body, save_body
from embedlab.models.network import Network
from embedlab.models.onnx_body import OnnxBody

SMALL = BACKBONES["small"].preprocessing(32)


@pytest.fixture(scope="module")
def network() -> Network:
    """Give a small network in training mode whose BatchNorm statistics are not the first ones."""
    network = build("small", n_classes=3).train()
    with torch.no_grad():
        network(torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(1)))
    return network


@pytest.fixture(scope="module")
def file(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("body") / "body.onnx"
    export_body(network, path, size=32)
    return path


def seen(n: int, size: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def with_torch(
    network: Network, pictures: NDArray[np.uint8], preprocessing: Preprocessing
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    training = network.training
    network.eval()
    with torch.inference_mode():
        x = torch.from_numpy(preprocessing.normalise(pictures))
        maps, embeddings = network.map_and_embedding(x)
    network.train(training)
    return maps.numpy(), embeddings.numpy()


def close(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> bool:
    """Whether rows are equal to 1e-5 of the largest value (sums differ in their order)."""
    return ours.shape == theirs.shape and np.abs(ours - theirs).max() < 1e-5 * np.abs(theirs).max()


@pytest.mark.parametrize("n", [0, 1, 3, 8, 17])
def test_onnx_equals_torch_for_any_number_of_pictures(network: Network, file: Path, n: int) -> None:
    body = OnnxBody(file, SMALL, threads=1)
    pictures = seen(n, 32)
    ours = body.embed_seen(pictures)
    assert ours.shape == (n, 96) and ours.dtype == np.float32 and body.n_dims == 96
    if n:
        assert close(ours, with_torch(network, pictures, SMALL)[1])


def test_pictures_of_any_shape_are_prepared_first(network: Network, file: Path) -> None:
    body = OnnxBody(file, SMALL)
    pictures = [Image.fromarray(seen(1, 50)[0][:40]), Image.fromarray(seen(1, 32)[0])]
    prepared = np.stack([SMALL.see(picture) for picture in pictures])
    maps, embeddings = with_torch(network, prepared, SMALL)
    assert close(body.embed(pictures), embeddings)
    assert body.has_feature_map
    assert close(body.feature_map(pictures[0]), maps[0])
    assert close(body.feature_map(pictures[1]).mean((1, 2)), embeddings[1])


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2",
        "resnet18",
        pytest.param("convnext_tiny", marks=pytest.mark.slow),
        pytest.param("efficientnet_b0", marks=pytest.mark.slow),
        pytest.param("swin_t", marks=pytest.mark.slow),
        pytest.param("vit_b_32", marks=pytest.mark.slow),
    ],
)
def test_networks_of_torchvision_can_be_written(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    network = build(name, n_classes=2, weights="random")
    network.freeze()
    preprocessing = BACKBONES[name].preprocessing(224 if name == "vit_b_32" else 64)
    export_body(network, tmp_path / "body.onnx", size=preprocessing.size)
    assert not capfd.readouterr().out and not recwarn.list
    assert [path.name for path in tmp_path.iterdir()] == ["body.onnx"]
    body = OnnxBody(tmp_path / "body.onnx", preprocessing)
    pictures = seen(3, preprocessing.size)
    maps, embeddings = with_torch(network, pictures, preprocessing)
    assert close(body.embed_seen(pictures), embeddings)
    assert close(body.feature_map(Image.fromarray(pictures[2])), maps[2])


def test_writing_leaves_the_network_as_it_is(network: Network, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    export_body(network, tmp_path / "body.onnx", size=32)
    assert network.training and network.body.training
    assert all(p.requires_grad for p in network.parameters())
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())
    assert torch.backends.mha.get_fastpath_enabled()


def test_a_file_that_computes_something_else_is_not_kept(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "body.onnx"
    target.write_bytes(b"the older file")
    forward = export._Body.forward

    def wrong_when_traced(body: export._Body, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        maps, embeddings = forward(body, x)
        return maps, embeddings.flip(1) if torch.jit.is_tracing() else embeddings

    monkeypatch.setattr(export._Body, "forward", wrong_when_traced)
    with pytest.raises(EmbedlabError, match=r"ONNX file of small .* for its embedding"):
        export_body(network, target, size=32)
    assert [path.name for path in tmp_path.iterdir()] == ["body.onnx"]
    assert target.read_bytes() == b"the older file"


def test_a_body_too_large_for_onnx_says_so(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_LIMIT", 1000)
    with pytest.raises(EmbedlabError, match="too large for an ONNX file"):
        export_body(network, tmp_path / "body.onnx", size=32)


def test_a_saved_body_is_weights_again(network: Network, tmp_path: Path) -> None:
    network.body.to(memory_format=torch.channels_last)
    save_body(network, tmp_path / "body.safetensors")
    again = build("small", n_classes=9, weights=tmp_path / "body.safetensors")
    for name, tensor in network.body.state_dict().items():
        assert torch.equal(again.body.state_dict()[name], tensor), name
    with pytest.raises(EmbedlabError, match="it has no head"):
        build("small", weights=tmp_path / "body.safetensors", keep_head=True)


def test_embedding_needs_no_torch(file: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from embedlab.data.preprocessing import Preprocessing\n"
        "from embedlab.models.onnx_body import OnnxBody\n"
        f"body = OnnxBody(Path({str(file)!r}), Preprocessing(32, 32))\n"
        "print(body.embed_seen(np.zeros((2, 32, 32, 3), np.uint8)).shape, 'torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "(2, 96) False"


def graph(
    path: Path,
    *,
    takes: tuple[int | str, ...] = ("n", 3, 32, 32),
    kind: int = TensorProto.FLOAT,
    gives: str = "embedding",
    times: float = 1.0,
) -> Path:
    """Write a body that averages each channel, with one thing wrong."""
    nodes = [
        helper.make_node("Cast", ["pictures"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Constant", [], ["factor"], value_float=times),
        helper.make_node("Mul", ["mean", "factor"], [gives]),
    ]
    described = helper.make_graph(
        nodes,
        "body",
        [helper.make_tensor_value_info("pictures", kind, takes)],
        [helper.make_tensor_value_info(gives, TensorProto.FLOAT, ["n", 3])],
    )
    model = helper.make_model(described, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def test_a_body_from_elsewhere_needs_no_map(tmp_path: Path) -> None:
    body = OnnxBody(graph(tmp_path / "mean.onnx"), Preprocessing(32, 32))
    white = np.full((1, 32, 32, 3), 255, np.uint8)
    expected = body.preprocessing.normalise(white).mean((2, 3))
    np.testing.assert_allclose(body.embed_seen(white), expected, rtol=1e-5)
    assert not body.has_feature_map
    with pytest.raises(EmbedlabError, match="no output 'feature_map', only embedding"):
        body.feature_map(Image.new("RGB", (32, 32)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"gives": "logits"}, r"has no output 'embedding' .*it has logits \['n', 3\]"),
        ({"takes": ("n", 3, 64, 64)}, r"takes pictures of \[64, 64\] px, but its run says 32 px"),
        ({"kind": TensorProto.INT64}, r"does not take one batch of pictures"),
    ],
)
def test_what_is_no_body_is_named(tmp_path: Path, wrong: dict[str, object], words: str) -> None:
    path = graph(tmp_path / "odd.onnx", **wrong)  # type: ignore[arg-type]
    with pytest.raises(EmbedlabError, match=rf"odd\.onnx {words}"):
        OnnxBody(path, SMALL)


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    body = OnnxBody(graph(tmp_path / "nan.onnx", times=float("nan")), SMALL)
    with pytest.raises(EmbedlabError, match="not finite"):
        body.embed([Image.fromarray(seen(1, 32)[0])])
    assert np.isnan(body.embed_seen(seen(2, 32))).all(), "of many, the caller says which"


def test_damaged_files_are_named(
    file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good = file.read_bytes()
    damaged = {"empty": b"", "text": b"hello", "cut": good[: len(good) // 2], "zeros": bytes(999)}
    for name, content in damaged.items():
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(content)
        with pytest.raises(EmbedlabError, match=f"{name}.onnx"):
            OnnxBody(path, SMALL)
    with pytest.raises(EmbedlabError, match="no file"):
        OnnxBody(tmp_path / "nowhere.onnx", SMALL)
    assert not capfd.readouterr().err


def test_a_file_that_reads_other_files_is_refused(tmp_path: Path) -> None:
    """Weights outside the file, which ONNX allows, could be anybody's secrets."""
    secret = tmp_path / "secret"
    secret.write_bytes(np.ones(3, np.float32).tobytes())
    (tmp_path / "run").mkdir()
    path = graph(tmp_path / "run" / "body.onnx")
    for location in ("../secret", str(secret)):
        model = onnx.load(path, load_external_data=False)
        factor = TensorProto(name="factor", data_type=TensorProto.FLOAT, dims=[3])
        factor.data_location = TensorProto.EXTERNAL
        factor.external_data.add(key="location", value=location)
        del model.graph.node[2], model.graph.initializer[:]
        model.graph.initializer.append(factor)
        path.write_bytes(model.SerializeToString())
        with pytest.raises(EmbedlabError, match="External data path"):
            OnnxBody(path, SMALL)
        graph(path)
