"""A trained body as files: ONNX, which needs no torch to run, and safetensors."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from embedlab.errors import EmbedlabError
from embedlab.files import new_file
from embedlab.models.network import END, Network

INPUT = "pictures"
OUTPUTS = ("feature_map", "embedding")
TOLERANCE = 1e-6
_OPSET = 17
_LIMIT = 2**31  # bytes: protobuf, in which ONNX is written, holds no more


class _Body(nn.Module):
    """A network's body with both of the outputs that the file has."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.map_and_embedding(x)


def export_body(network: Network, path: Path, *, size: int) -> None:
    """Write a network's body as ONNX, and check that it computes the same.

    The file has the input "pictures" of shape (n, 3, size, size) and the outputs "feature_map" of
    shape (n, c, h, w) and "embedding" of shape (n, d), all float32, for any n, and holds its
    weights. It is renamed into place after the check.

    Parameters
    ----------
    network : Network
        On any device, in any mode; it stays as it is.
    path : Path
        Where the file belongs.
    size : int
        Side of the pictures, in pixels.

    Raises
    ------
    EmbedlabError
        If the weights are too large for an ONNX file, or if its embeddings of random pictures
        are not those of torch to 1e-6 in cosine.
    """
    weight = sum(t.numel() * t.element_size() for t in network.body.state_dict().values())
    if weight > 0.95 * _LIMIT:
        raise EmbedlabError(
            f"The body of {network.name} is too large for an ONNX file: {weight / 2**30:.1f} GiB "
            "of weights, and 2 GiB is the limit.",
            remedy="Everything else works; only pictures that come later cannot be embedded.",
        )
    body = _Body(copy.deepcopy(network)).cpu().float().eval()
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    with new_file(Path(path)) as beside:
        with warnings.catch_warnings(), _traceable(), torch.no_grad():
            # The exporter that traces writes EfficientNet-B0 in 1 s where the newer one, of equal
            # results, needs 6 to 12 s; it warns that it is the older one.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                body,
                (x,),
                str(beside),
                dynamo=False,
                opset_version=_OPSET,
                input_names=[INPUT],
                output_names=list(OUTPUTS),
                dynamic_axes={name: {0: "n"} for name in (INPUT, *OUTPUTS)},
            )
        _check(body, beside, x, network.name)


@contextmanager
def _traceable() -> Iterator[None]:
    """Take torch's way through attention that is written in operators that ONNX knows."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _check(body: nn.Module, path: Path, x: Tensor, name: str) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    # One picture as well as two: the batch must not have been taken for a constant.
    for batch in (x, x[:1]):
        given = session.run(None, {INPUT: batch.numpy()})
        with torch.inference_mode():
            expected = body(batch)
        for output, ours, theirs in zip(OUTPUTS, given, expected, strict=True):
            distance = _distance(ours, theirs.numpy())
            if not distance < TOLERANCE:
                raise EmbedlabError(
                    f"The ONNX file of {name} does not compute what torch does: "
                    f"1 - cosine is {distance:.1e} for its {output}.",
                    remedy="Nothing was written. Please report this with the versions that "
                    "'embedlab doctor' shows.",
                )


def _distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Give the largest 1 - cosine of two batches; two zero vectors are equal."""
    a = ours.reshape(len(ours), -1).astype(np.float64)
    b = theirs.reshape(len(theirs), -1).astype(np.float64)
    if a.shape != b.shape:
        return float("inf")
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    both_zero = ~a.any(axis=1) & ~b.any(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = np.where(both_zero, 1.0, (a * b).sum(axis=1) / norms)
    return float(np.max(1.0 - cosines))


def save_body(network: Network, path: Path) -> None:
    """Write a network's body as safetensors, with torchvision's names of the tensors.

    `build` reads the file back as weights of the same backbone, ending where it ends.

    Parameters
    ----------
    network : Network
    path : Path
        Where the file belongs; it should end in .safetensors.
    """
    from safetensors.torch import save_file

    state = {name: t.detach().cpu().contiguous() for name, t in network.body.state_dict().items()}
    with new_file(Path(path)) as beside:
        cut = {} if network.cut == END else {"cut": network.cut}
        save_file(state, beside, metadata={"backbone": network.name, **cut})
