"""Bodies that others wrote as ONNX: looked at, cut before their head, given our names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError
from embedlab.files import new_file
from embedlab.models.onnx_graph import add_pooling, before_pooling, last_linear, set_aside

_HOW = "torch.onnx.export(model, x, FILE, dynamic_axes={INPUT: {0: 'n'}, OUTPUT: {0: 'n'}})"
_DEFAULT_SIZE = 224
EMBEDDING, FEATURE_MAP = "embedding", "feature_map"


@dataclass(frozen=True, eq=False)
class Adopted:
    """What was found in somebody's ONNX file.

    Parameters
    ----------
    size : int
        Side in pixels of the pictures that it takes.
    n_dims : int
        Length of an embedding.
    weight, bias : ndarrays of shape (c, n_dims) and (c,), float32, or None
        The head that was cut off.
    notes : tuple of str
        Sentences for people.
    """

    size: int
    n_dims: int
    weight: NDArray[np.float32] | None
    bias: NDArray[np.float32] | None
    notes: tuple[str, ...]


def adopt_onnx(
    path: Path,
    target: Path,
    *,
    n_classes: int | None = None,
    size: int | None = None,
    output: str | None = None,
) -> Adopted:
    """Write somebody's ONNX file anew as a body that `OnnxBody` opens.

    A last linear layer (with a softmax behind it or not) of `n_classes` outputs is the head and
    is cut off. Of a map, the average over its places is the embedding; of a row of tokens, the
    first.

    Parameters
    ----------
    path : Path
        A whole ONNX file, with its weights inside.
    target : Path
        Where the body is written.
    n_classes : int, optional
        How many classes a head would score; without it, all of the file is body.
    size : int, optional
        Side of the pictures where the file takes any; 224 by default.
    output : str, optional
        Which of several outputs to take.

    Returns
    -------
    Adopted

    Raises
    ------
    EmbedlabError
        If it is no such file, takes something else than a batch of RGB pictures in float32, or
        gives no vectors.
    """
    model = _opened(path)
    graph = model.graph
    entrance, side = _entrance(graph, path.name)
    if side is not None and size not in {None, side}:
        raise EmbedlabError(
            f"{path.name} takes pictures of {side} px, and {size} were asked for.",
            remedy="Leave the size out, or export it with free height and width.",
        )
    side = side or size or _DEFAULT_SIZE
    name = _exit(graph, path.name, output)
    for ours in (EMBEDDING, FEATURE_MAP):
        theirs = set_aside(graph, ours)
        name = theirs if name == ours else name
    notes: list[str] = []
    head = None if n_classes is None else last_linear(graph, name)
    if head is not None and len(head[1]) == n_classes:
        name = head[0]
        notes.append(f"Its last layer, of {n_classes} outputs, was taken for the head.")
    elif n_classes is not None:
        head = None
        notes.append(f"It has no last linear layer of {n_classes} outputs, so all of it is body.")
    entrance.type.tensor_type.shape.dim[0].dim_param = "n"
    del graph.value_info[:]  # what it says of shapes holds for the old batch
    shape = _shape_of(model, entrance.name, name, side, path.name)
    maps = name if len(shape) == 4 else before_pooling(graph, name)
    if len(shape) == 4:
        notes.append(f"Its maps of {shape[2]} x {shape[3]} places are averaged.")
    if len(shape) == 3:
        notes.append(f"Of its {shape[1]} tokens the first is taken.")
    n_dims = shape[2] if len(shape) == 3 else shape[1]
    del graph.output[:]
    _put_out(graph, EMBEDDING, add_pooling(graph, name, shape), ("n", n_dims))
    if maps is not None:
        _put_out(graph, FEATURE_MAP, maps, ("n", "c", "h", "w"))
    with new_file(target) as beside:
        beside.write_bytes(model.SerializeToString())
    _check(target, entrance.name, side, path.name)
    weight, bias = (None, None) if head is None else head[1:]
    return Adopted(side, n_dims, weight, bias, tuple(notes))


def _put_out(graph: Any, ours: str, theirs: str, shape: tuple[int | str, ...]) -> None:
    from onnx import TensorProto, helper

    graph.node.append(helper.make_node("Identity", [theirs], [ours]))
    graph.output.append(helper.make_tensor_value_info(ours, TensorProto.FLOAT, shape))


def _opened(path: Path) -> Any:
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except FileNotFoundError:
        raise EmbedlabError(f"There is no file {path}.") from None
    except Exception as error:  # protobuf's errors share no narrower class
        raise EmbedlabError(
            f"{path.name} cannot be read as ONNX ({type(error).__name__}).",
            remedy="Export or copy it again.",
        ) from None
    if any(tensor.external_data for tensor in model.graph.initializer):
        raise EmbedlabError(
            f"{path.name} keeps its weights in another file.",
            remedy="Save it in one piece: onnx.save(onnx.load(FILE), NEW_FILE).",
        )
    return model


def _entrance(graph: Any, name: str) -> tuple[Any, int | None]:
    """Give the input that takes pictures, and their side where it is fixed."""
    import onnx

    weights = {tensor.name for tensor in graph.initializer}
    inputs = [one for one in graph.input if one.name not in weights]
    said = ", ".join(f"{one.name!r} {_shape(one)}" for one in inputs)
    wanted = "one input of shape (n, 3, height, width) in float32"
    if len(inputs) != 1 or len(_shape(inputs[0])) != 4:
        raise EmbedlabError(f"{name} takes {said or 'nothing'} where {wanted} belongs.")
    entrance = inputs[0]
    _, channels, height, width = _shape(entrance)
    kind = onnx.TensorProto.DataType.Name(entrance.type.tensor_type.elem_type)
    if kind != "FLOAT":
        raise EmbedlabError(
            f"The input {said} of {name} takes {kind.lower()} where {wanted} belongs.",
            remedy="Export it in float32.",
        )
    if isinstance(channels, int) and channels != 3:
        last = " Its colours come last." if width == 3 else ""
        raise EmbedlabError(
            f"{name} takes {said} where {wanted} belongs.{last}",
            remedy="Export it for RGB pictures with the colours first.",
        )
    sides = {side for side in (height, width) if isinstance(side, int)}
    if len(sides) > 1:
        raise EmbedlabError(
            f"{name} takes pictures of {width} x {height} px, which are not square.",
            remedy="Export it for square pictures, or with free height and width.",
        )
    return entrance, sides.pop() if sides else None


def _shape(value: Any) -> tuple[int | str, ...]:
    dims = value.type.tensor_type.shape.dim
    return tuple(d.dim_value if d.HasField("dim_value") else d.dim_param or "?" for d in dims)


def _exit(graph: Any, name: str, wanted: str | None) -> str:
    outputs = [str(one.name) for one in graph.output]
    if wanted is None and "embedding" in outputs:
        wanted = "embedding"
    if wanted is None and len(outputs) == 1:
        wanted = outputs[0]
    if wanted not in outputs:
        problem = f"no output {wanted!r}" if wanted else f"{len(outputs)} outputs"
        raise EmbedlabError(
            f"{name} has {problem}.", remedy=f"Name one of them: {', '.join(outputs)}."
        )
    return wanted


def _shape_of(model: Any, entrance: str, name: str, side: int, file: str) -> tuple[int, ...]:
    """Run two pictures as far as the tensor `name`: files may leave its shape open."""
    import onnx

    trial = onnx.ModelProto()
    trial.CopyFrom(model)
    del trial.graph.output[:]
    trial.graph.output.append(onnx.ValueInfoProto(name=name))
    (found,) = _run(trial.SerializeToString(), entrance, _pictures(side), file)
    if found.ndim not in {2, 3, 4} or len(found) != 2 or found.dtype != np.float32:
        raise EmbedlabError(
            f"{file} gives {found.dtype} of shape {found.shape} for 2 pictures, where a vector, "
            "a map or a row of tokens for each belongs.",
            remedy=f"Export its body for any number of pictures: {_HOW}.",
        )
    return tuple(map(int, found.shape))


def _pictures(side: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(2, 3, side, side)).astype(np.float32)


def _run(
    model: bytes | Path, entrance: str, pictures: NDArray[np.float32], file: str
) -> Iterator[NDArray[Any]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        yield from session.run(None, {entrance: pictures})
    except Exception as error:  # onnxruntime's errors share no narrower class
        reason = str(error).strip().splitlines()[0][:300] or type(error).__name__
        raise EmbedlabError(
            f"{file} cannot be run on {len(pictures)} pictures of {pictures.shape[2]} px "
            f"({reason}).",
            remedy=f"Export it for any number of pictures: {_HOW}.",
        ) from None


def _check(target: Path, entrance: str, side: int, file: str) -> None:
    """Make sure that a picture's vector does not depend on its company."""
    pictures = _pictures(side)
    both = next(_run(target, entrance, pictures, file))
    alone = next(_run(target, entrance, pictures[1:], file))
    if not np.isfinite(both).all() or not np.allclose(both[1], alone[0], rtol=1e-3, atol=1e-4):
        target.unlink()
        raise EmbedlabError(
            f"{file} gives a picture another vector alone than beside others.",
            remedy="Export it in evaluation mode: model.eval().",
        )
