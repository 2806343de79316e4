"""What turns pictures into vectors, by the name that a person gives it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.models.backbones import BACKBONES, build
from embedlab.models.backbones import backbone as look_up
from embedlab.models.extraction import Body
from embedlab.models.plain import histograms
from embedlab.progress import Progress, silent
from embedlab.runs import Run, open_run

if TYPE_CHECKING:
    from embedlab.models.network import Network

PCA, RUN = "pca", "run:"
ELSEWHERE = "elsewhere"
PCA_DIMENSIONS = 50
# The first 50 components of photographs are coarser than this many pixels show.
PCA_SIZE = 32
MODELS = (PCA, *BACKBONES)


@dataclass(frozen=True)
class Layer:
    """Where a network was cut.

    Parameters
    ----------
    name : str
    index : int or None
        Its place among the network's cuts; None for a block inside one of them.
    shape : tuple of int
        What comes out there for one picture, before it is pooled to a vector.
    """

    name: str
    index: int | None
    shape: tuple[int, ...]

    def __str__(self) -> str:
        place = "" if self.index is None else f" {self.index}"
        pooled = f", pooled to {self.shape[0]:,} numbers" if len(self.shape) == 3 else ""
        return f"layer{place} is {self.name!r}: {self.shape}{pooled}"


@dataclass(frozen=True, eq=False)
class Embedder:
    """A body with all that belongs to it.

    Parameters
    ----------
    name : str
        What people call it.
    body : Body
    preprocessing : Preprocessing
        What is done to a picture first.
    key : str
        Stands for everything that decides what a picture becomes.
    dimensions : int, optional
        To how many the vectors are reduced when nobody asks for a number.
    layer : Layer, optional
        Where a network was cut, if it was.
    """

    name: str
    body: Body
    preprocessing: Preprocessing
    key: str
    dimensions: int | None = None
    layer: Layer | None = None

    def n_dims(self) -> int:
        """Find the length of a vector, by embedding a black picture."""
        side = self.preprocessing.size
        return int(self.body.embed_seen(np.zeros((1, side, side, 3), np.uint8)).shape[1])


def make_embedder(
    model: str,
    *,
    layer: str | None = None,
    size: int | None = None,
    weights: str | Path | None = None,
    seed: int = 123,
    device: str = "auto",
    progress: Progress = silent,
) -> Embedder:
    """Find or build what turns pictures into vectors.

    Parameters
    ----------
    model : str
        "pca" (of pixels), a key of `BACKBONES`, or "run:NAME" for the body of a run.
    layer : str, optional
        Where to cut a network: a name or an index. By default where its head begins.
    size : int, optional
        Side of the pictures in pixels; the model's own by default.
    weights : str or Path, optional
        As for `embedlab.models.backbones.build`.
    seed : int
        Of random weights.
    device : str
        "auto", "cpu", "cuda" or "mps"; `ELSEWHERE` for a GPU that this machine need not have:
        the body is a `TorchBody` then, still on the CPU.
    progress : Progress

    Returns
    -------
    Embedder

    Raises
    ------
    EmbedlabError
        If there is no such model, layer or weights, or an option does not go with the model.
    """
    if model.startswith(RUN):
        if weights is not None:
            raise EmbedlabError(
                f"{model} has weights of its own.", remedy="Leave --weights out, or name a network."
            )
        run = open_run(model.removeprefix(RUN))
        return _of_run(run, layer=layer, size=size, seed=seed, device=device)
    if model != PCA and model not in BACKBONES:
        raise _unknown(model)
    chosen = look_up("pixels" if model == PCA else model)
    if chosen.kind != "plain":
        preprocessing = chosen.preprocessing(size, weights)
        network = build(
            model,
            n_classes=1,
            weights=weights,
            seed=seed,
            size=preprocessing.size,
            progress=progress,
        )
        return _of_network(network, preprocessing, layer=layer, device=device, name=model)
    for option, value in (("--layers", layer), ("--weights", weights)):
        if value is not None:
            raise EmbedlabError(
                f"{model} is no network, so it takes no {option}.",
                remedy="Leave it out, or name a network, such as mobilenet_v2.",
            )
    preprocessing = chosen.preprocessing(PCA_SIZE if size is None and model == PCA else size)
    bodies: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.float32]]] = {
        "pixels": lambda seen: preprocessing.normalise(seen).transpose(0, 2, 3, 1),
        "histogram": histograms,
    }
    return Embedder(
        name=f"PCA of pixels at {preprocessing.size} px" if model == PCA else chosen.name,
        body=_Plain(bodies[chosen.name]),
        preprocessing=preprocessing,
        key=_key(chosen.name, preprocessing),
        dimensions=PCA_DIMENSIONS if model == PCA else None,
    )


class _Plain:
    """A function of what the model sees, as a body."""

    def __init__(self, function: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> None:
        self._function = function

    def embed_seen(self, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._function(seen).reshape(len(seen), -1)


def _of_network(
    network: Network, preprocessing: Preprocessing, *, layer: str | None, device: str, name: str
) -> Embedder:
    from embedlab.models.device import keep_freed_memory, pick_device
    from embedlab.models.network import END
    from embedlab.models.torch_body import TorchBody, body_digest

    cut = network.resolve(END if layer is None else layer)
    network.eval()
    key = _key(body_digest(network), cut.name, preprocessing)
    place = pick_device("cpu" if device == ELSEWHERE else device)
    body: Body | None = None
    if cut.name == END and place.type == "cpu" and device != ELSEWHERE:
        body = _exported(network, preprocessing, key)
    if body is None:
        if place.type == "cpu":
            keep_freed_memory()
        body = TorchBody(network, preprocessing, place, cut=cut.name)
    found = None if layer is None else Layer(cut.name, cut.index, cut.shape)
    return Embedder(name, body, preprocessing, key, layer=found)


def _exported(network: Network, preprocessing: Preprocessing, key: str) -> Body | None:
    """Write the body as ONNX, which is several times as fast on a CPU; None where it cannot be."""
    from embedlab.models.export import export_body
    from embedlab.models.onnx_body import OnnxBody

    path = home("cache", "bodies") / f"{key}.onnx"
    try:
        if not path.exists():
            export_body(network, path, size=preprocessing.size)
        return OnnxBody(path, preprocessing)
    except EmbedlabError:
        return None


def _of_run(run: Run, *, layer: str | None, size: int | None, seed: int, device: str) -> Embedder:
    """Take a run's body: without torch where the file that needs none will do."""
    preprocessing, name = run.preprocessing, str(run.info["backbone"]["name"])
    if preprocessing is None:
        raise EmbedlabError(
            f"The run {run.id} was made from vectors, so it has no body.",
            remedy="Give a run that was trained or imported with its network.",
        )
    if BACKBONES.get(name) and BACKBONES[name].kind == "plain":
        return make_embedder(name, size=size or preprocessing.size, layer=layer)
    own = size in {None, preprocessing.size} and layer is None
    weights = run.folder / "body.safetensors"
    if run.body and ((own and _on_cpu(device)) or not weights.exists()):
        if not own:
            raise EmbedlabError(
                f"The run {run.id} has its body as ONNX only, which takes pictures of "
                f"{preprocessing.size} px and gives its last layer.",
                remedy="Leave --layers and --resize out.",
            )
        from embedlab.data.archives import file_digest
        from embedlab.models.onnx_body import OnnxBody

        key = _key(file_digest(run.body), preprocessing)
        return Embedder(f"{RUN}{run.id}", OnnxBody(run.body, preprocessing), preprocessing, key)
    if not weights.exists():
        raise EmbedlabError(
            f"The run {run.id} was kept without its body.",
            remedy="Train it again, or name a model.",
        )
    if size is not None:
        changed = {**preprocessing.to_dict(), "size": size, "resize": size}
        preprocessing = Preprocessing.from_dict(changed)
    network = build(name, n_classes=1, weights=weights, seed=seed, size=preprocessing.size)
    return _of_network(network, preprocessing, layer=layer, device=device, name=f"{RUN}{run.id}")


def _on_cpu(device: str) -> bool:
    from embedlab.models.device import pick_device

    if device == ELSEWHERE:
        return False
    # Asking costs torch's import, so it is asked only where the answer is open.
    return device == "cpu" or pick_device(device).type == "cpu"


def _key(*facts: Any) -> str:
    plain = [fact.to_dict() if isinstance(fact, Preprocessing) else fact for fact in facts]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def _unknown(model: str) -> EmbedlabError:
    from difflib import get_close_matches

    close = get_close_matches(model, MODELS, n=4, cutoff=0.5)
    return EmbedlabError(
        f"No model is called {model!r}.",
        remedy=f"Close to it: {', '.join(close)}."
        if close
        else "Try mobilenet_v2, pca or run:garden; all names: embedlab embed --help.",
    )
