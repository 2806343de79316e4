"""Runs from what was made elsewhere: checkpoints, ONNX, vectors."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, save
from PIL import Image
from torch import nn

from embedlab.cli import main
from embedlab.data.sources import load_dataset
from embedlab.errors import EmbedlabError
from embedlab.importing.names import read_names
from embedlab.importing.run import import_run
from embedlab.models.backbones import build
from embedlab.models.export import export_body, save_body
from embedlab.models.onnx_body import OnnxBody
from embedlab.runs import Run, open_run

from .embed_call import embed, photos, sidecar

CLASSES = ("blue", "red", "yellow")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return photos(tmp_path / "pictures", classes=CLASSES, n=4)


def seen(run: Run, source: Path) -> torch.Tensor:
    """What the network of a run is given for each of its pictures, prepared by hand."""
    preprocessing = run.preprocessing
    assert preprocessing is not None
    dataset = load_dataset(source)
    assert list(dataset.ids) == list(run.items["id"])
    pixels = np.stack([preprocessing.see(dataset.pictures.open(i)) for i in range(len(dataset))])
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (preprocessing.mean, preprocessing.std))
    return (x - mean) / std


# Checkpoints


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    from torchvision.models import resnet18

    torch.manual_seed(0)
    return resnet18(num_classes=3).eval()


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_checkpoint_gives_what_its_network_gives(
    tmp_path: Path, pictures: Path, resnet: nn.Module, ending: str
) -> None:
    path = tmp_path / f"mine.{ending}"
    if ending == "pth":
        state = {f"module.{name}": tensor for name, tensor in resnet.state_dict().items()}
        torch.save({"epoch": 7, "state_dict": state, "optimizer": {"lr": 0.1}}, path)
    else:
        from safetensors.torch import save_file

        save_file(resnet.state_dict(), path)
    run = import_run(path, str(pictures), backbone="resnet18", size=64)
    with torch.inference_mode():
        expected = resnet(seen(run, pictures)).softmax(1).numpy()
    assert run.classes == CLASSES and run.head is not None and run.head.weight.shape == (3, 512)
    np.testing.assert_allclose(run.probabilities, expected, atol=1e-5)
    held = run.info["metrics"]["validation"]
    assert held["total"] == 12
    assert held["correct"] == int((expected.argmax(1) == run.labels).sum())
    notes = run.info["notes"]
    assert any("not known" in note for note in notes)
    assert any("seen with colours normalised by 'imagenet', as is usual" in note for note in notes)
    told = import_run(path, str(pictures), backbone="resnet18", size=64, normalisation="half")
    assert not any("as is usual" in note for note in told.info["notes"])
    assert run.body is not None and "pixels" in run.vector_sets and run.info["architecture"]


def test_shapes_that_do_not_fit_are_named(
    tmp_path: Path, pictures: Path, resnet: nn.Module
) -> None:
    def complaint(state: dict[str, torch.Tensor], **options: Any) -> str:
        torch.save(state, tmp_path / "mine.pth")
        with pytest.raises(EmbedlabError) as error:
            import_run(tmp_path / "mine.pth", str(pictures), size=64, **options)
        return str(error.value)

    state = resnet.state_dict()
    assert "--backbone" in complaint(state)
    said = complaint(state, backbone="resnet34")
    assert "mine.pth does not fit resnet34" in said and "layer1.2.conv1.weight is missing" in said
    changed = {**state, "conv1.weight": torch.zeros(64, 1, 7, 7)}
    said = complaint(changed, backbone="resnet18")
    assert "conv1.weight is (64, 1, 7, 7) where (64, 3, 7, 7) belongs" in said
    changed = {**state, "fc.weight": torch.zeros(3, 100)}
    said = complaint(changed, backbone="resnet18")
    assert "rows of 100 numbers where 512 belong" in said
    deeper = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    said = complaint(deeper | {"layer9.weight": torch.zeros(3)}, backbone="resnet18")
    assert "layer9.weight has no place" in said


@pytest.mark.parametrize("place", ["fc.1", "fc.head.linear"])
def test_a_head_below_its_usual_name_is_taken(
    tmp_path: Path, pictures: Path, resnet: nn.Module, place: str
) -> None:
    state = {name.replace("fc", place): tensor for name, tensor in resnet.state_dict().items()}
    torch.save(state, tmp_path / "mine.pth")
    run = import_run(tmp_path / "mine.pth", str(pictures), backbone="resnet18", size=64)
    with torch.inference_mode():
        expected = resnet(seen(run, pictures)).softmax(1).numpy()
    np.testing.assert_allclose(run.probabilities, expected, atol=1e-5)


def test_a_head_above_its_usual_name_is_taken(tmp_path: Path, pictures: Path) -> None:
    from torchvision.models import mobilenet_v2

    network = mobilenet_v2()
    network.classifier = nn.Linear(1280, 3, bias=False)
    torch.save(network.eval().state_dict(), tmp_path / "mine.pth")
    run = import_run(tmp_path / "mine.pth", str(pictures), backbone="mobilenet_v2", size=64)
    with torch.inference_mode():
        expected = network(seen(run, pictures)).softmax(1).numpy()
    np.testing.assert_allclose(run.probabilities, expected, atol=1e-5)


@pytest.mark.parametrize("normalised", [False, True])
def test_a_head_of_several_layers_is_named_and_left_out_where_none_is_needed(
    tmp_path: Path, pictures: Path, resnet: nn.Module, normalised: bool
) -> None:
    between = [nn.BatchNorm1d(16)] if normalised else []
    deep = nn.Sequential(nn.Linear(512, 16), *between, nn.ReLU(), nn.Linear(16, 3))
    state = {name: tensor for name, tensor in resnet.state_dict().items() if name[:2] != "fc"}
    state |= {f"fc.{name}": tensor for name, tensor in deep.state_dict().items()}
    torch.save(state, tmp_path / "mine.pth")
    with pytest.raises(EmbedlabError) as error:
        import_run(tmp_path / "mine.pth", str(pictures), backbone="resnet18", size=64)
    names = "fc.0 (512 -> 16), fc.1, fc.3 (16 -> 3)" if normalised else "fc.2 (16 -> 3)"
    assert names in str(error.value) and "ONNX" in str(error.value)
    assert "backbone" not in str(error.value)
    embed(pictures, tmp_path / "x.npy", "-m", "resnet18", "--weights", tmp_path / "mine.pth",
          "--resize", 64)  # fmt: skip
    assert np.load(tmp_path / "x.npy").shape == (12, 512)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_file_of_no_weights_is_refused(tmp_path: Path, pictures: Path, ending: str) -> None:
    path = tmp_path / f"empty.{ending}"
    for content in ({}, {"state_dict": {}}) if ending == "pth" else ({},):
        if ending == "pth":
            torch.save(content, path)
        else:
            from safetensors.torch import save_file

            save_file(content, path)
        with pytest.raises(EmbedlabError, match="holds no weights"):
            import_run(path, str(pictures), backbone="small", size=32)
        with pytest.raises(EmbedlabError, match="holds no weights"):
            build("small", n_classes=2, weights=path)


def test_rows_of_a_head_are_named(tmp_path: Path, pictures: Path) -> None:
    network = build("small", n_classes=4, size=32)
    torch.save(network.body.state_dict() | head_of(network), tmp_path / "mine.pth")
    names = tmp_path / "names.txt"

    def imported(text: str | None) -> Run:
        if text is not None:
            names.write_text(text, encoding="utf-8")
        chosen = None if text is None else names
        file = tmp_path / "mine.pth"
        return import_run(file, str(pictures), backbone="small", size=32, classes=chosen)

    with pytest.raises(EmbedlabError, match=r"has 4 rows, and pictures has 3 classes.*--classes"):
        imported(None)
    with pytest.raises(EmbedlabError, match=r"3 classes are named, and the head .* has 4 rows"):
        imported("blue\nred\nyellow\n")
    with pytest.raises(EmbedlabError, match="'red' occurs twice"):
        imported("blue\nred\nred\nyellow")
    run = imported("yellow\r\nred\ngreen\nblue\n")
    assert run.classes == ("yellow", "red", "green", "blue")
    assert run.items["label"].tolist() == ["blue"] * 4 + ["red"] * 4 + ["yellow"] * 4
    assert run.labels is not None and run.labels.tolist() == [3] * 4 + [1] * 4 + [0] * 4
    assert imported('{"0": "yellow", "1": "red", "2": "green", "3": "blue"}').classes == run.classes
    other = imported('["a", "b", "c", "d"]')
    assert other.classes == CLASSES and other.probabilities is None
    assert other.head is not None and other.head.classes == ("a", "b", "c", "d")
    assert any("no predictions" in note for note in other.info["notes"])


@pytest.mark.parametrize(
    "text",
    [
        "daisy\nrose\n\ntulip\n",
        '["daisy", "rose", " tulip"]',
        '{"0": "daisy", "1": "rose", "2": "tulip"}',
        '{"rose": 1, "tulip": 2, "daisy": 0}',
        '\ufeff{"0": ["n1", "daisy"], "2": ["n3", "tulip"], "1": ["n2", "rose"]}',
    ],
)
def test_names_are_read_as_they_are_usually_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "names.json"
    path.write_text(text, encoding="utf-8")
    assert read_names(path) == ("daisy", "rose", "tulip")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"daisy": 0, "rose": 2}', "0 to 1, one for each name, 1 is missing"),
        ('{"10": "tulip", "9": "rose"}', "0 is missing"),
        ('{"daisy": 0, "rose": 0}', "1 is missing"),
        ('{"daisy": 0, "rose": "red"}', "'rose' has \"red\" where its number belongs"),
        ('{"daisy": true, "rose": 0}', "'daisy' has true"),
        ('["daisy", ""]', 'number 1 has "" where a name belongs'),
        ('["daisy", {}]', "number 1 has {} where a name belongs"),
        ('["daisy", "rose"', "Expecting"),
        ('["daisy", "daisy"]', "'daisy' occurs twice"),
        ("{}", "it is empty"),
    ],
)
def test_names_that_will_not_do_are_described(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "names.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EmbedlabError) as error:
        read_names(path)
    assert said in str(error.value) and "names.json" in str(error.value)


def head_of(network: Any) -> dict[str, torch.Tensor]:
    return {f"head.{name}": tensor for name, tensor in network.head.state_dict().items()}


def test_a_body_without_a_head_and_pictures_without_classes(tmp_path: Path) -> None:
    flat = photos(tmp_path / "flat", n=5)
    save_body(build("small", n_classes=2, size=32), tmp_path / "body.safetensors")
    run = import_run(tmp_path / "body.safetensors", str(flat), size=32, normalisation="none")
    assert run.info["backbone"]["name"] == "small", "the file says so itself"
    assert run.head is None and run.labels is None and run.embeddings.shape == (5, 96)
    assert run.preprocessing is not None and run.preprocessing.mean == (0, 0, 0)
    with pytest.raises(EmbedlabError, match="imagenet, half, none"):
        import_run(tmp_path / "body.safetensors", str(flat), size=32, normalisation="mine")


def test_the_split_is_trains_or_what_the_folders_say(tmp_path: Path, pictures: Path) -> None:
    from embedlab.data.dataset import split

    save_body(build("small", n_classes=2, size=32), tmp_path / "body.safetensors")
    run = import_run(tmp_path / "body.safetensors", str(pictures), size=32, validation=0.25)
    assert run.split.tolist() == split(12, fraction=0.25).tolist()
    parts = photos(tmp_path / "parts", names=["train/a/1.png", "train/b/1.png", "val/a/1.png"])
    run = import_run(tmp_path / "body.safetensors", str(parts), size=32)
    assert run.split.tolist() == ["train", "train", "validation"]


# ONNX


def exported(network: nn.Module, path: Path, *, size: int = 64, free: bool = True) -> Path:
    import warnings

    x = torch.randn(1, 3, size, size)
    axes = {"x": {0: "n"}, "y": {0: "n"}} if free else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(), (x,), str(path), dynamo=False, input_names=["x"], output_names=["y"],
            dynamic_axes=axes,
        )  # fmt: skip
    return path


def test_an_onnx_classifier_is_cut_before_its_head(
    tmp_path: Path, pictures: Path, resnet: nn.Module
) -> None:
    path = exported(nn.Sequential(resnet, nn.Softmax(1)), tmp_path / "net.onnx")
    run = import_run(path, str(pictures))
    x = seen(run, pictures)
    with torch.inference_mode():
        expected = resnet(x).softmax(1).numpy()
    np.testing.assert_allclose(run.probabilities, expected, atol=1e-5)
    assert run.head is not None
    np.testing.assert_allclose(run.head.weight, resnet.fc.weight.detach(), atol=1e-6)
    np.testing.assert_allclose(run.head.bias, resnet.fc.bias.detach(), atol=1e-6)
    assert run.embeddings.shape == (12, 512) and run.info["metrics"]["validation"]["total"] == 12
    # New pictures go through the body of the run; the map before pooling came along.
    assert run.body is not None and run.preprocessing is not None
    body = OnnxBody(run.body, run.preprocessing)
    picture = load_dataset(pictures).pictures.open(3)
    np.testing.assert_allclose(body.embed([picture])[0], run.embeddings[3], atol=1e-5)
    maps = body.feature_map(picture)
    assert maps.shape == (512, 2, 2)
    np.testing.assert_allclose(maps.mean((1, 2)), run.embeddings[3], atol=1e-5)


def test_an_onnx_body_of_maps_is_averaged(
    tmp_path: Path, pictures: Path, resnet: nn.Module
) -> None:
    body = nn.Sequential(*list(resnet.children())[:-2])
    run = import_run(exported(body, tmp_path / "body.onnx"), str(pictures), size=64)
    with torch.inference_mode():
        expected = body(seen(run, pictures)).mean((2, 3)).numpy()
    np.testing.assert_allclose(run.embeddings, expected, atol=1e-5)
    assert run.head is None and any("averaged" in note for note in run.info["notes"])
    fixed = import_run(tmp_path / "body.onnx", str(pictures))
    assert not any("resized to" in note for note in fixed.info["notes"]), "its size is its own"
    with pytest.raises(EmbedlabError, match=r"64 px, and 96 were asked for"):
        import_run(tmp_path / "body.onnx", str(pictures), size=96)


def test_our_own_body_comes_back(tmp_path: Path, pictures: Path) -> None:
    network = build("small", n_classes=3, size=32).eval()
    export_body(network, tmp_path / "body.onnx", size=32)
    run = import_run(tmp_path / "body.onnx", str(pictures), normalisation="half")
    with torch.inference_mode():
        expected = network.body(seen(run, pictures)).numpy()
    np.testing.assert_allclose(run.embeddings, expected, atol=1e-6)


def made_graph(
    path: Path,
    *,
    shape: tuple[Any, ...] = ("n", 3, 8, 8),
    kind: int = TensorProto.FLOAT,
    separate: bool = False,
) -> tuple[Path, NDArray[np.float32], NDArray[np.float32]]:
    """Write average -> linear layer of 3 outputs, as Gemm or as MatMul and Add, by hand."""
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(3, 3)).astype(np.float32), np.arange(3, dtype=np.float32)
    last = (
        [
            helper.make_node("MatMul", ["embedding", "w"], ["product"]),
            helper.make_node("Add", ["b", "product"], ["scores"]),
        ]
        if separate
        else [helper.make_node("Gemm", ["embedding", "w"], ["scores"], alpha=2.0)]
    )
    nodes = [
        helper.make_node("GlobalAveragePool", ["in"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embedding"]),
        *last,
        helper.make_node("Softmax", ["scores"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("in", kind, shape)],
        [helper.make_tensor_value_info("out", kind, None)],
        [numpy_helper.from_array(weight.T, "w"), numpy_helper.from_array(bias, "b")],
    )
    opset = helper.make_opsetid("", 17)
    save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return path, (1 if separate else 2) * weight, bias * separate


@pytest.mark.parametrize("separate", [False, True])
def test_a_head_drawn_by_hand_is_found(tmp_path: Path, pictures: Path, separate: bool) -> None:
    path, weight, bias = made_graph(tmp_path / "made.onnx", separate=separate)
    run = import_run(path, str(pictures))
    means = seen(run, pictures).mean((2, 3)).numpy()
    np.testing.assert_allclose(run.embeddings, means, atol=1e-6)
    assert run.head is not None
    np.testing.assert_allclose(run.head.weight, weight, rtol=1e-6)
    np.testing.assert_allclose(run.head.bias, bias)
    # Where somebody says that the scores are the embedding, they are.
    flat = photos(tmp_path / "flat", n=3)
    run = import_run(path, str(flat), output="out")
    assert run.head is None
    np.testing.assert_allclose(run.embeddings.sum(axis=1), 1, atol=1e-6)
    assert "What it calls 'out' is the embedding, so it has no head." in run.info["notes"]


def test_scores_of_other_classes_are_not_taken_for_an_embedding(
    tmp_path: Path, pictures: Path
) -> None:
    from torchvision.models import resnet18

    torch.manual_seed(0)
    network = resnet18(num_classes=7).eval()
    path = exported(network, tmp_path / "net.onnx")

    def complaint(source: Path, **options: Any) -> str:
        with pytest.raises(EmbedlabError) as error:
            import_run(path, str(source), **options)
        return str(error.value)

    said = complaint(pictures)
    assert "7 numbers a picture that look like scores of 7 classes" in said
    assert "The classes known are 3." in said and "--classes FILE, with 7 names" in said
    assert "--output y" in said
    where = said.split("--output NAME, such as ")[1].split(" (512)")[0]
    assert "No classes are known." in complaint(photos(tmp_path / "flat", n=2))
    (tmp_path / "names.txt").write_text("a\nb")
    assert "The classes known are 2." in complaint(pictures, classes=tmp_path / "names.txt")

    with torch.inference_mode():
        body = nn.Sequential(*list(network.children())[:-1], nn.Flatten())
        run = import_run(path, str(pictures), output=where)
        x = seen(run, pictures)
        np.testing.assert_allclose(run.embeddings, body(x).numpy(), atol=1e-5)
        run = import_run(path, str(pictures), output="y")
        np.testing.assert_allclose(run.embeddings, network(x).numpy(), atol=1e-4)
    (tmp_path / "names.txt").write_text("\n".join("abcdefg"))
    run = import_run(path, str(pictures), classes=tmp_path / "names.txt")
    assert run.embeddings.shape == (12, 512) and run.head is not None
    assert run.head.classes == tuple("abcdefg")


def test_scores_that_no_linear_layer_gives_are_found_out_too(
    tmp_path: Path, pictures: Path
) -> None:
    maps = nn.Sequential(nn.Conv2d(3, 5, 8, 8), nn.ReLU())
    scores = nn.Sequential(nn.Conv2d(5, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    path = exported(nn.Sequential(maps, scores), tmp_path / "net.onnx")
    with pytest.raises(EmbedlabError, match="as many of them as classes") as error:
        import_run(path, str(pictures))
    where = str(error.value).split("such as ")[1].split(" (5 x 8 x 8)")[0]
    run = import_run(path, str(pictures), output=where)
    with torch.inference_mode():
        expected = maps(seen(run, pictures)).mean((2, 3)).numpy()
    np.testing.assert_allclose(run.embeddings, expected, atol=1e-5)
    path = exported(nn.Sequential(maps, scores, nn.Sigmoid()), tmp_path / "sigmoid.onnx")
    with pytest.raises(EmbedlabError, match="they are probabilities"):
        import_run(path, str(pictures))


def test_a_node_may_say_where_the_embedding_is(tmp_path: Path, pictures: Path) -> None:
    import onnx

    path, *_ = made_graph(tmp_path / "made.onnx")
    model = onnx.load(path)
    model.graph.node[0].name = "the average"
    onnx.save(model, path)
    run = import_run(path, str(pictures), output="the average")
    means = seen(run, pictures).mean((2, 3)).numpy()
    np.testing.assert_allclose(run.embeddings, means, atol=1e-6)
    assert run.head is None
    with pytest.raises(EmbedlabError, match=r"no tensor or node .* an output \(out\).* embedding"):
        import_run(path, str(pictures), output="w")


def apart(path: Path, **options: Any) -> Path:
    """Write a file again with its weights beside it."""
    import onnx

    new = path.with_name("apart.onnx")
    onnx.save(onnx.load(path), new, save_as_external_data=True, size_threshold=0, **options)
    return new


@pytest.mark.parametrize("one_file", [False, True])
def test_weights_beside_an_onnx_file_are_taken_along(
    tmp_path: Path, pictures: Path, one_file: bool
) -> None:
    whole, weight, _ = made_graph(tmp_path / "made.onnx", separate=True)
    options = {"location": "apart.data"} if one_file else {"all_tensors_to_one_file": False}
    path = apart(whole, **options)
    weights = [tmp_path / "apart.data"] if one_file else [tmp_path / "w", tmp_path / "b"]
    assert all(one.stat().st_size for one in weights)
    run = import_run(path, str(pictures))
    np.testing.assert_array_equal(run.embeddings, import_run(whole, str(pictures)).embeddings)
    assert run.head is not None
    np.testing.assert_allclose(run.head.weight, weight, rtol=1e-6)
    for one in weights:  # the run needs them no more
        one.unlink()
    assert run.body is not None and run.preprocessing is not None
    assert OnnxBody(run.body, run.preprocessing).n_dims == 3
    with pytest.raises(EmbedlabError) as error:
        import_run(path, str(pictures))
    names = "apart.data, and that is not in" if one_file else "b, w, and these are not in"
    assert f"keeps its weights in {names} {tmp_path}" in str(error.value)


def test_weights_beside_an_onnx_file_that_will_not_do(tmp_path: Path, pictures: Path) -> None:
    import onnx

    path = apart(made_graph(tmp_path / "made.onnx")[0], location="apart.data")
    (tmp_path / "apart.data").write_bytes(b"short")
    with pytest.raises(
        EmbedlabError, match=r"weights of apart.onnx cannot be read from apart.data"
    ):
        import_run(path, str(pictures))
    (tmp_path / "secret").write_bytes(bytes(999))
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        tensor.external_data[0].value = "../secret"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "made.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(EmbedlabError, match=r"'\.\./secret', which is not in its own folder"):
        import_run(tmp_path / "in" / "made.onnx", str(pictures))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shape": ("n", 8, 8, 3)}, "'in' ('n', 8, 8, 3) where one input of shape (n, 3,"),
        ({"shape": ("n", 1, 8, 8)}, "colours first"),
        ({"shape": ("n", 3, 8, 9)}, "9 x 8 px, which are not square"),
        ({"shape": ("n", 192)}, "where one input of shape (n, 3, height, width)"),
        ({"kind": TensorProto.FLOAT16}, "takes float16"),
    ],
)
def test_an_onnx_input_that_will_not_do_is_described(
    tmp_path: Path, pictures: Path, changes: dict[str, Any], said: str
) -> None:
    path, *_ = made_graph(tmp_path / "made.onnx", **changes)
    with pytest.raises(EmbedlabError) as error:
        import_run(path, str(pictures))
    assert said in str(error.value)


def test_onnx_files_that_will_not_do(tmp_path: Path, pictures: Path, resnet: nn.Module) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(EmbedlabError, match="cannot be read as ONNX"):
        import_run(tmp_path / "text.onnx", str(pictures))

    class ForOne(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.reshape(1, 3, 64 * 64).mean(2)

    fixed = exported(ForOne(), tmp_path / "one.onnx", free=False)
    with pytest.raises(EmbedlabError, match="any number of pictures"):
        import_run(fixed, str(pictures))
    # A batch of one in the file's header alone is put right.
    fixed = exported(resnet, tmp_path / "fixed.onnx", free=False)
    assert import_run(fixed, str(pictures)).embeddings.shape == (12, 512)
    with pytest.raises(EmbedlabError, match="no output 'z'"):
        import_run(fixed, str(pictures), output="z")
    with pytest.raises(EmbedlabError, match="needs pictures"):
        import_run(fixed)
    with pytest.raises(EmbedlabError, match="--table"):
        import_run(fixed, str(pictures), table=tmp_path / "t.csv")
    with pytest.raises(EmbedlabError, match=r"ends in '\.onnx2'"):
        import_run(tmp_path / "x.onnx2", str(pictures))


# Vectors


@pytest.mark.parametrize("ending", ["npy", "npz", "parquet"])
def test_what_embed_wrote_becomes_a_run(tmp_path: Path, pictures: Path, ending: str) -> None:
    (pictures / "red" / "1.png").rename(pictures / "red" / "=1.png")
    output = tmp_path / f"out.{ending}"
    embed(pictures, output, "-m", "pixels", "--resize", "4")
    run = import_run(output)
    dataset = load_dataset(pictures)
    assert run.classes == CLASSES and run.items["id"].tolist() == list(dataset.ids)
    assert dataset.labels is not None and run.labels is not None
    np.testing.assert_array_equal(run.labels, dataset.labels)
    assert run.embeddings.shape == (12, 48) and run.body is None and run.preprocessing is None
    for row in range(12):
        small = np.asarray(Image.open(io.BytesIO(run.thumbnails[row])), float)
        assert abs((small - np.asarray(dataset.pictures.open(row), float)).mean()) < 3
        assert Path(run.items["path"][row]) == dataset.pictures.path(row)
    assert set(run.vector_sets) == {"embedding", "pixels", "histogram"}


def test_own_vectors_with_a_table(tmp_path: Path, pictures: Path) -> None:
    x = np.random.default_rng(0).normal(size=(6, 5))
    x[2, 1] = np.nan
    np.save(tmp_path / "x.npy", x)
    table = pd.DataFrame(
        {
            "File": ["red/1.png", "red/2.png", "blue/1.png", "blue/2.png", "gone.png", None],
            "target": [3, 10, 3, 10, None, 3],
            "split": ["train", "train", "test", "test", "train", "val"],
            "price": [1.5, 2, 3, 4, 5, 6],
        }
    )
    table.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    run = import_run(tmp_path / "x.npy", str(pictures), table=tmp_path / "t.tsv", title="My own")
    assert run.id == "My-own" and run.embeddings.shape == (5, 5)
    np.testing.assert_allclose(run.embeddings, x[[0, 1, 3, 4, 5]].astype(np.float32))
    assert run.classes == ("3", "10", "(no label)")
    assert run.items["label"].tolist() == ["3", "10", "10", "(no label)", "3"]
    assert run.split.tolist() == ["train", "train", "validation", "train", "validation"]
    assert run.items["table.price"].tolist() == [1.5, 2, 4, 5, 6]
    notes = " ".join(run.info["notes"])
    assert "2 pictures could not be read and are grey squares" in notes and "numbered" in notes
    (skipped,) = run.info["dataset"]["skipped"]
    assert skipped == {"id": "00002", "reason": "its vector is not finite"}
    grey = np.asarray(Image.open(io.BytesIO(run.thumbnails[3])))
    assert np.ptp(grey) < 12


def test_predictions_beside_own_vectors_are_counted(tmp_path: Path) -> None:
    from .test_pages import FILES, opened, texts

    rng = np.random.default_rng(2)
    labels = np.array(["cat", "dog", "fox"])[rng.integers(0, 3, 90)]
    guesses = np.where(rng.random(90) < 0.3, rng.permutation(labels), labels)
    guesses[:4] = "owl"  # which no picture is
    np.save(tmp_path / "own.npy", rng.normal(size=(90, 5)).astype(np.float32))
    table = pd.DataFrame({"label": labels, "pred": guesses, "price": np.arange(90)})
    table.to_csv(tmp_path / "own.csv", index=False)
    run = import_run(tmp_path / "own.npy", table=tmp_path / "own.csv")
    assert run.classes == ("cat", "dog", "fox", "owl") and run.probabilities is None
    assert run.items["prediction"].tolist() == guesses.tolist() and "table.pred" not in run.items
    held = run.info["metrics"]["validation"]
    assert (held["correct"], held["total"]) == ((labels == guesses).sum(), 90)
    assert held["confusion"][3] == [0, 0, 0, 0] and sum(row[3] for row in held["confusion"]) == 4
    app = opened("mistakes", run.id)
    assert not app.exception and not app.error
    assert f"**{(labels == guesses).sum()} of 90 right" in texts(app)
    for page in FILES:
        app = opened(page, run.id)
        assert not app.exception, page
        # What the table tells is learned from training pictures, and these are all held out.
        assert not app.error or page == "fusion", [one.value for one in app.error]
    table.loc[5, "pred"] = None
    table.to_csv(tmp_path / "own.csv", index=False)
    gaps = import_run(tmp_path / "own.npy", table=tmp_path / "own.csv")
    assert "prediction" not in gaps.items and "table.pred" in gaps.items
    assert any("1 row has no 'pred'" in note for note in gaps.info["notes"])


def test_what_is_missing_beside_vectors_is_said_once_and_with_its_place(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.eye(4, dtype=np.float32)
    x[1, 0] = np.nan
    np.save(tmp_path / "x.npy", x)
    files = ["red/1.png", "red/2.png", "red/3.png", "red/4.png"]
    named = pd.DataFrame({"id": list("aabc"), "path": files})
    named.to_csv(tmp_path / "x.csv", index=False)

    def said(*words: str) -> str:
        main(["import", str(tmp_path / "x.npy"), *words, "-q"])
        return capsys.readouterr().out

    wrong = said()
    assert "1 vector is not finite and left out: 00001." in wrong
    assert wrong.count("rows are numbered") == 1
    assert (
        "3 pictures could not be read and are grey squares: 00000, 00002, 00003. 3 of them are "
        f"not where column 'path' says: there is no 'red/1.png' in the folder '{tmp_path.name}'."
    ) in wrong
    assert str(tmp_path) not in wrong.split("kept in")[0]  # a run may be passed on
    right = said(str(pictures))
    assert "grey" not in right and "1 vector is not finite" in right
    x[1, 0] = 0
    np.save(tmp_path / "x.npy", x)
    assert "say in which folder the paths begin" in said()
    assert "another folder of pictures" in said(str(pictures / "red"))
    (tmp_path / "x.csv").unlink()
    alone = said()
    assert alone.count("grey squares") == 1 and "could not be read" not in alone


def test_vectors_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(4, dtype=np.float16))
    run = import_run(tmp_path / "x.npy")
    assert run.embeddings.dtype == np.float32 and run.labels is None
    assert run.items["id"].tolist() == ["00000", "00001", "00002", "00003"]
    assert len(run.thumbnails) == 4 and run.vector_sets == ("embedding",)


def ragged(path: Path) -> None:
    pd.DataFrame({"vector": [[1.0, 2.0], [1.0, 2.0, 3.0]]}).to_parquet(path)


WRONG = {
    "x.npy": (lambda path: np.save(path, np.zeros((2, 3, 4))), r"shape \(2, 3, 4\), where \(n, d"),
    "t.npy": (lambda path: np.save(path, np.array([["a", "b"]])), "no numbers to compare"),
    "o.npy": (lambda path: np.save(path, np.array([{}, 1]), allow_pickle=True), "cannot be read"),
    "c.npy": (lambda path: path.write_bytes(b"\x93NUMPY"), "cannot be read"),
    "n.npy": (lambda path: np.save(path, np.full((2, 2), np.inf)), "No vector in n.npy is finite"),
    "x.npz": (lambda path: np.savez(path, a=np.zeros((2, 3)), b=[1]), "holds a, b"),
    "z.npz": (lambda path: path.write_text("no"), "cannot be read"),
    "r.parquet": (ragged, "row 0 has 2 numbers, row 1 has 3"),
    "p.parquet": (lambda path: pd.DataFrame({"a": [1]}).to_parquet(path), "no column of vectors"),
    "q.parquet": (lambda path: path.write_text("PAR1"), "cannot be read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_vectors_that_will_not_do_are_described(tmp_path: Path, name: str) -> None:
    write, said = WRONG[name]
    write(tmp_path / name)
    with pytest.raises(EmbedlabError, match=said):
        import_run(tmp_path / name)


def several(path: Path) -> Path:
    """Write two sets of vectors, tags and names under names that tell nothing."""
    columns = {
        "early": [[1.0, 2.0], [3.0, 4.0]],
        "late": [[5, 6], [7, 8]],
        "tags": [["a"], ["b"]],
        "label": ["x", "y"],
    }
    if path.suffix == ".parquet":
        pd.DataFrame(columns).to_parquet(path)
    else:
        np.savez(path, **{name: np.array(values) for name, values in columns.items()})
    return path


@pytest.mark.parametrize("ending", ["parquet", "npz"])
def test_a_column_of_several_can_be_named(tmp_path: Path, ending: str) -> None:
    path = several(tmp_path / f"x.{ending}")
    run = import_run(path, column="late")
    np.testing.assert_array_equal(run.embeddings, [[5, 6], [7, 8]])
    assert run.classes == ("x", "y")
    with pytest.raises(EmbedlabError, match=r"early.*--column early"):
        import_run(path)
    with pytest.raises(EmbedlabError, match=r"no \w+ 'lat'. Vectors are in: early, late"):
        import_run(path, column="lat")
    for other in ("label", "tags"):
        with pytest.raises(EmbedlabError, match=rf"'{other}' of x.{ending} does not hold vectors"):
            import_run(path, column=other)


def test_a_column_is_named_where_there_are_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.DataFrame({"a": [1], "b": ["x"]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(EmbedlabError, match=r"no column 'c', and no other column .* a, b"):
        import_run(tmp_path / "x.parquet", column="c")
    np.save(tmp_path / "x.npy", np.eye(2))
    with pytest.raises(SystemExit):
        main(["import", str(tmp_path / "x.npy"), "--column", "a", "-q"])
    assert "x.npy has no columns. Leave --column out." in capsys.readouterr().err


def test_a_table_of_another_length_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 2)))
    (tmp_path / "t.csv").write_text("path,label\na.png,1\nb.png,2\n")
    with pytest.raises(EmbedlabError, match=r"t.csv has 2 rows, and x.npy has 4 vectors"):
        import_run(tmp_path / "x.npy", table=tmp_path / "t.csv")


def test_the_command_says_what_it_made(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    embed(pictures, tmp_path / "out.npy", "-m", "pixels", "--resize", "4")
    assert len(sidecar(tmp_path / "out.npy.csv")) == 12
    capsys.readouterr()
    main(["import", str(tmp_path / "out.npy"), "--name", "mine", "--json", "-q"])
    assert json.loads(capsys.readouterr().out)["run"] == "mine"
    main(["import", str(tmp_path / "out.npy"), "--name", "mine", "--validation", "0.5", "-q"])
    said = capsys.readouterr().out
    assert "run mine-2: 12 pictures, embeddings (12, 48)" in said
    assert open_run("mine-2").info["split"] == {
        "fraction": 0.5, "seed": 123, "stratified": False, "train": 6, "validation": 6,
    }  # fmt: skip


# Looking at them


def test_an_onnx_run_is_described_as_what_it_is(tmp_path: Path, pictures: Path) -> None:
    from .test_pages import opened, texts

    path, *_ = made_graph(tmp_path / "made.onnx")
    run = import_run(path, str(pictures))
    flat = photos(tmp_path / "flat", n=5)
    body = import_run(path, str(flat), output="out")  # a softmax averages no map
    line = next(text for text in texts(opened("home", run.id)).splitlines() if "made ·" in text)
    assert "accuracy on all pictures, whether it was trained on them or not," in line
    assert "validation" not in line
    inside = texts(opened("body_and_head", run.id))
    assert "came as an ONNX file" in inside and "imported as vectors" not in inside
    assert "before it is the body, after it the head" in inside and "shrinks" not in inside
    assert "3 channels of 8 x 8" in inside
    app = opened("body_and_head", body.id)
    inside = texts(app)
    assert "gives a vector for a picture and no map before it" in inside
    assert "no output 'feature_map'" not in inside and "no head" in inside
    for code in app.code:
        exec(code.value, {})
    assert "--output NAME for each depth" in texts(opened("layers", body.id))


def test_vectors_are_described_as_what_they_are(tmp_path: Path, pictures: Path) -> None:
    from .test_pages import opened, texts

    embed(pictures, tmp_path / "out.npz", "-m", "pixels", "--resize", "4")
    run = import_run(tmp_path / "out.npz", validation=0.5)
    home = texts(opened("home", run.id))
    assert "the vectors that were brought" in home and "network's embedding" not in home
    inside = texts(opened("body_and_head", run.id))
    assert "imported as vectors" in inside and "How it came to be is not known" in inside
    layers = texts(opened("layers", run.id))
    assert "was made of vectors; the network behind them is not known here" in layers


@pytest.mark.slow
def test_the_depths_of_a_run_without_a_training_part_are_scored_as_is_said(
    tmp_path: Path,
) -> None:
    from embedlab.layers import make_layers

    from .test_pages import opened, texts

    source = photos(tmp_path / "pictures", classes=CLASSES, n=12)
    save_body(build("small", n_classes=2, size=32), tmp_path / "body.safetensors")
    run = import_run(tmp_path / "body.safetensors", str(source), size=32)
    layers = make_layers(run)
    assert not layers.own_split
    app = opened("layers", run.id)
    assert "the run has no training part, so they were drawn" in texts(app)
    (code,) = [element.value for element in app.code if "knn_accuracy" in element.value]
    said: dict[str, Any] = {}
    lines = code.strip().splitlines()
    exec("\n".join([*lines[:-1], f"share = {lines[-1]}"]), said)
    assert layers.depths[0].knn is not None
    assert (said["share"].correct, said["share"].total) == (
        layers.depths[0].knn.correct,
        layers.depths[0].knn.total,
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["onnx", "other head", "vectors", "vectors alone"])
def test_every_page_goes_as_far_as_an_imported_run_goes(
    tmp_path: Path, pictures: Path, kind: str
) -> None:
    from embedlab.ui.frame import PAGES

    from .test_pages import opened, texts

    if kind == "onnx":
        run = import_run(made_graph(tmp_path / "made.onnx")[0], str(pictures))
    elif kind == "other head":
        network = build("small", n_classes=4, size=32)
        torch.save(network.body.state_dict() | head_of(network), tmp_path / "mine.pth")
        (tmp_path / "names.txt").write_text("a\nb\nc\nd")
        run = import_run(
            tmp_path / "mine.pth",
            str(pictures),
            backbone="small",
            size=32,
            classes=tmp_path / "names.txt",
        )
    elif kind == "vectors":
        embed(pictures, tmp_path / "out.npz", "-m", "pixels", "--resize", "4")
        run = import_run(tmp_path / "out.npz", validation=0.5)
    else:
        np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(9, 5)))
        run = import_run(tmp_path / "x.npy")
    for entry in (entry for entries in PAGES.values() for entry in entries):
        app = opened(entry.file, run.id)
        assert not app.exception, f"{entry.file}: {app.exception[0].message}"
        assert not app.error, f"{entry.file}: {texts(app)}"


@pytest.mark.real
def test_mobilenet_on_photographs(tmp_path: Path, shared: Path) -> None:
    weights = shared / "weights" / "mobilenet_v2-imagenet.pth"
    if not weights.exists():
        pytest.skip("no weights of MobileNetV2")
    for kind in ("daisy", "roses"):
        (tmp_path / "flowers" / kind).mkdir(parents=True)
        for path in sorted((shared / "data" / "flower_photos" / kind).glob("*.jpg"))[:8]:
            (tmp_path / "flowers" / kind / path.name).write_bytes(path.read_bytes())
    run = import_run(weights, str(tmp_path / "flowers"), backbone="mobilenet_v2", size=224)
    assert run.classes == ("daisy", "roses") and run.head is not None
    assert len(run.head.classes) == 1000 and run.probabilities is None
    best = run.head.logits(np.asarray(run.embeddings)).argmax(1)
    named = [run.head.classes[k] for k in best]
    assert named[:8].count("daisy") >= 5, "ImageNet knows daisies"
