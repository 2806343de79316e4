"""Looking into ONNX graphs: the last linear layer, the map before pooling, names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What may stand behind the layer that scores classes, and between a map's average and the vector.
_BEHIND_HEAD = {"Softmax", "LogSoftmax", "Identity"}
_BEHIND_POOLING = {"Flatten", "Reshape", "Squeeze", "Identity", "Dropout"}
_POOLING = {"GlobalAveragePool", "ReduceMean"}
_PROBABILITIES = {"Softmax", "LogSoftmax", "Sigmoid"}
_WEIGHTY = {"Conv", "Gemm", "MatMul"}

Linear = tuple[str, NDArray[np.float32], NDArray[np.float32]]


def last_linear(graph: Any, name: str) -> Linear | None:
    """Find the linear layer that a tensor comes from, behind a softmax or not.

    Parameters
    ----------
    graph : onnx.GraphProto
    name : str
        Of the tensor.

    Returns
    -------
    tuple of str, ndarray of shape (c, d), ndarray of shape (c,), or None
        The layer's input, weight and bias; None where the tensor comes from something else.
    """
    producers, constants = _producers(graph), _constants(graph)
    while (node := producers.get(name)) is not None and node.op_type in _BEHIND_HEAD:
        name = node.input[0]
    bias: NDArray[Any] | float = 0.0
    if node is not None and node.op_type == "Add":
        added = [one for one in node.input if one in constants]
        others = [one for one in node.input if one not in constants]
        node = producers.get(others[0]) if len(added) == len(others) == 1 else None
        if node is None or node.op_type != "MatMul":
            return None
        bias = _array(constants[added[0]])
    known = node is not None and all(one in constants for one in node.input[1:])
    if node is None or not known or node.op_type not in {"Gemm", "MatMul"}:
        return None
    weight = _array(constants[node.input[1]])
    options = {one.name: one for one in node.attribute}
    if weight.ndim != 2 or ("transA" in options and options["transA"].i):
        return None
    if not ("transB" in options and options["transB"].i):
        weight = weight.T
    if node.op_type == "Gemm":
        weight = weight * (options["alpha"].f if "alpha" in options else 1)
        if len(node.input) > 2:
            bias = _array(constants[node.input[2]]) * (
                options["beta"].f if "beta" in options else 1
            )
    whole = np.zeros(len(weight), np.float32)
    whole += np.asarray(bias, np.float32).ravel()
    return str(node.input[0]), np.ascontiguousarray(weight, np.float32), whole


def before_pooling(graph: Any, name: str) -> str | None:
    """Follow a vector back to the map that it is the average of; None where it is none."""
    producers = _producers(graph)
    while (node := producers.get(name)) is not None and node.op_type in _BEHIND_POOLING:
        name = node.input[0]
    return str(node.input[0]) if node is not None and node.op_type in _POOLING else None


def is_probability(graph: Any, name: str) -> bool:
    """Say whether a tensor comes out of a softmax or sigmoid."""
    producers = _producers(graph)
    while (node := producers.get(name)) is not None and node.op_type in _BEHIND_POOLING:
        name = node.input[0]
    return node is not None and node.op_type in _PROBABILITIES


def before_weights(graph: Any, name: str, *, n: int = 2) -> list[str]:
    """Name what goes into the last layers that have weights, the last one first.

    Parameters
    ----------
    graph : onnx.GraphProto
    name : str
        The tensor to go back from.
    n : int
        How many layers to go back at most.

    Returns
    -------
    list of str
    """
    producers, constants = _producers(graph), _constants(graph)
    found: list[str] = []
    while len(found) < n and (node := producers.get(name)) is not None:
        into = [one for one in node.input if one in producers and one not in constants]
        if not into:
            break
        name = into[0]
        if node.op_type in _WEIGHTY and len(into) == 1:
            found.append(name)
    return found


def produced(graph: Any, name: str) -> str | None:
    """Find a tensor that is computed, by its name or by that of the node that gives it."""
    if name in _producers(graph) and name not in _constants(graph):
        return name
    nodes = [node for node in graph.node if node.name == name and node.op_type != "Constant"]
    return str(nodes[0].output[0]) if nodes else None


def tensors(graph: Any) -> Iterator[Any]:
    """Give all tensors that hold weights: of the graph, of its constants and of graphs inside."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from tensors(inner)


def set_aside(graph: Any, name: str) -> str:
    """Rename a tensor that bears a name which is needed for another; give its new name."""
    new = f"their.{name}"
    for node in graph.node:
        for names in (node.input, node.output):
            for k, one in enumerate(names):
                if one == name:
                    names[k] = new
    for value in (*graph.initializer, *graph.input, *graph.output):
        if value.name == name:
            value.name = new
    return new


def add_pooling(graph: Any, name: str, shape: tuple[int, ...]) -> str:
    """Add what turns a tensor of this shape into one vector a picture; give that one's name.

    A map is averaged over its places; of tokens the first is taken.
    """
    from onnx import helper, numpy_helper

    made = "embedlab.vector"
    if len(shape) == 4:
        graph.node.append(helper.make_node("GlobalAveragePool", [name], ["embedlab.pooled"]))
        graph.node.append(helper.make_node("Flatten", ["embedlab.pooled"], [made]))
    elif len(shape) == 3:
        first = numpy_helper.from_array(np.array(0, np.int64), "embedlab.first")
        graph.initializer.append(first)
        graph.node.append(helper.make_node("Gather", [name, first.name], [made], axis=1))
    return name if len(shape) == 2 else made


def _producers(graph: Any) -> dict[str, Any]:
    return {output: node for node in graph.node for output in node.output}


def _constants(graph: Any) -> dict[str, Any]:
    found = {one.name: one for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
            found[node.output[0]] = node.attribute[0].t
    return found


def _array(tensor: Any) -> NDArray[Any]:
    from onnx import numpy_helper

    return np.asarray(numpy_helper.to_array(tensor))
