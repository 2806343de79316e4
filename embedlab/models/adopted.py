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
from embedlab.models.onnx_graph import (
    add_pooling,
    before_pooling,
    before_weights,
    is_probability,
    last_linear,
    produced,
    set_aside,
    tensors,
)

_HOW = "torch.onnx.export(model, x, FILE, dynamic_axes={INPUT: {0: 'n'}, OUTPUT: {0: 'n'}})"
_DEFAULT_SIZE = 224
_IMAGENET = {1000, 1001, 21841, 21843}  # of its releases, how many classes
_LARGEST = (1 << 31) - 1  # bytes that protobuf takes
EMBEDDING, FEATURE_MAP = "embedding", "feature_map"


@dataclass(frozen=True, eq=False)
class Adopted:
    """What was found in somebody's ONNX file.

    Parameters
    ----------
    size : int
        Side in pixels of the pictures that it takes.
    any_size : bool
        Whether it takes pictures of any side, so that it does not tell its own.
    n_dims : int
        Length of an embedding.
    weight, bias : ndarrays of shape (c, n_dims) and (c,), float32, or None
        The head that was cut off.
    notes : tuple of str
        Sentences for people.
    """

    size: int
    any_size: bool
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
    is cut off. What looks like scores of other classes is not taken for an embedding unless
    `output` says so. Of a map, the average over its places is the embedding; of a row of tokens,
    the first.

    Parameters
    ----------
    path : Path
        A whole ONNX file. Weights may lie in other files in its folder, whose names it knows.
    target : Path
        Where the body is written.
    n_classes : int, optional
        How many classes a head would score; without it, all of the file is body.
    size : int, optional
        Side of the pictures where the file takes any; 224 by default.
    output : str, optional
        Which of several outputs to take, or a tensor or node inside, which is the embedding then.

    Returns
    -------
    Adopted

    Raises
    ------
    EmbedlabError
        If it is no such file, takes something else than a batch of RGB pictures in float32, or
        gives no vectors, or scores of classes instead.
    """
    model = _opened(path)
    graph = model.graph
    entrance, side = _entrance(graph, path.name)
    if side is not None and size not in {None, side}:
        raise EmbedlabError(
            f"{path.name} takes pictures of {side} px, and {size} were asked for.",
            remedy="Leave the size out, or export it with free height and width.",
        )
    any_size = side is None
    side = side or size or _DEFAULT_SIZE
    name, inside = _exit(graph, path.name, output)
    chosen = name if output is not None or name == EMBEDDING else None
    for ours in (EMBEDDING, FEATURE_MAP):
        theirs = set_aside(graph, ours)
        name = theirs if name == ours else name
    notes: list[str] = []
    last = None if inside else last_linear(graph, name)
    head = last if last is not None and len(last[1]) == n_classes else None
    if head is not None:
        name = head[0]
        notes.append(f"Its last layer, of {n_classes} outputs, was taken for the head.")
    elif chosen is not None:
        notes.append(f"What it calls {chosen!r} is the embedding, so it has no head.")
    elif n_classes is not None:
        notes.append(f"It has no last linear layer of {n_classes} outputs, so all of it is body.")
    entrance.type.tensor_type.shape.dim[0].dim_param = "n"
    del graph.value_info[:]  # what it says of shapes holds for the old batch
    shape = _shape_of(model, entrance.name, name, side, path.name)
    if head is None and chosen is None and len(shape) == 2:
        _refuse_scores(model, entrance.name, name, shape[1], n_classes, side, path.name)
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
    return Adopted(side, any_size, n_dims, weight, bias, tuple(notes))


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
    _take_in(model, path)
    return model


def _take_in(model: Any, path: Path) -> None:
    """Read the weights that a file keeps in others beside it."""
    from onnx.external_data_helper import load_external_data_for_model

    apart = [one for one in tensors(model.graph) if one.data_location == one.EXTERNAL]
    facts = [{entry.key: entry.value for entry in one.external_data} for one in apart]
    names = sorted({fact.get("location", "") for fact in facts})
    one_piece = "save it in one piece where it was made: onnx.save(onnx.load(FILE), NEW_FILE)"
    for name in names:
        place = (path.parent / name).resolve()
        if not place.is_relative_to(path.parent.resolve()) or not name:
            raise EmbedlabError(
                f"{path.name} keeps weights in {name!r}, which is not in its own folder.",
                remedy=f"{one_piece[0].upper()}{one_piece[1:]}.",
            )
    missing = [name for name in names if not (path.parent / name).is_file()]
    if missing:
        raise EmbedlabError(
            f"{path.name} keeps its weights in {', '.join(missing)}, and "
            f"{'these are' if len(missing) > 1 else 'that is'} not in {path.parent.resolve()}.",
            remedy=f"Put {'them' if len(missing) > 1 else 'it'} there, or {one_piece}.",
        )
    size = model.ByteSize() + sum((path.parent / name).stat().st_size for name in names)
    if names and size > _LARGEST:
        raise EmbedlabError(
            f"{path.name} and its weights have {size / 1e9:.1f} GB, and an ONNX file in one piece "
            f"has {_LARGEST / 1e9:.1f} at most.",
            remedy="Export a smaller network, or in float16 inside with float32 at both ends.",
        )
    try:
        load_external_data_for_model(model, str(path.parent))
    except Exception as error:  # onnx's own errors share no narrower class
        raise EmbedlabError(
            f"The weights of {path.name} cannot be read from {', '.join(names)} "
            f"({str(error).strip().splitlines()[0][:200]}).",
            remedy="Copy both again from where they were made.",
        ) from None


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


def _exit(graph: Any, name: str, wanted: str | None) -> tuple[str, bool]:
    """Give the tensor to take, and whether it lies inside, where the file gives out another."""
    outputs = [str(one.name) for one in graph.output]
    if wanted is None and "embedding" in outputs:
        wanted = "embedding"
    if wanted is None and len(outputs) == 1:
        wanted = outputs[0]
    if wanted in outputs:
        return wanted, False
    if wanted is None:
        raise EmbedlabError(
            f"{name} has {len(outputs)} outputs.", remedy=f"Name one of them: {_listed(outputs)}."
        )
    inside = produced(graph, wanted)
    if inside is None:
        near = before_weights(graph, outputs[0])
        raise EmbedlabError(
            f"{name} has no output {wanted!r}, and no tensor or node of that name inside.",
            remedy=f"Name an output ({_listed(outputs)})"
            + (f", or what comes before its last layers: {_listed(near)}." if near else "."),
        )
    return inside, True


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def _refuse_scores(
    model: Any,
    entrance: str,
    name: str,
    n: int,
    n_classes: int | None,
    side: int,
    file: str,
) -> None:
    """Refuse to take scores of classes for an embedding; say where that may be instead."""
    linear = last_linear(model.graph, name)
    reason = ""
    if is_probability(model.graph, name):
        reason = "they are probabilities"
    elif linear is not None:
        reason = "they come right out of a linear layer"
    elif n == n_classes:
        reason = "there are as many of them as classes"
    elif n in _IMAGENET:
        reason = "there are as many of them as ImageNet has classes"
    if not reason:
        return
    places = []
    for tensor in before_weights(model.graph, name):
        try:
            shape = _shape_of(model, entrance, tensor, side, file)[1:]
        except EmbedlabError:  # of another kind or shape than embeddings are
            continue
        places.append(f"{_theirs(tensor)} ({' x '.join(map(str, shape))})")
    known = "No classes are known" if n_classes is None else f"The classes known are {n_classes:,}"
    ways = (
        [f"name the classes that they are of: --classes FILE, with {n:,} names"] if linear else []
    )
    if places:
        ways.append(f"say where the embedding is: --output NAME, such as {' or '.join(places)}")
    ways.append(f"say that this is the embedding: --output {_theirs(name)}")
    raise EmbedlabError(
        f"{file} gives {n:,} numbers a picture that look like scores of {n:,} classes, not like "
        f"an embedding: {reason}. {known}.",
        remedy=f"Either {', or '.join(ways)}.",
    )


def _theirs(name: str) -> str:
    """Give the name that a tensor has in their file."""
    return name.removeprefix("their.")


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
