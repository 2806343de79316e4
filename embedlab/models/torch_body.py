"""TorchBody: a network's body that embeds, on a GPU or where there is no ONNX file of it."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.models.learner import CPU, is_out_of_memory, moved
from embedlab.models.network import END, Network
from embedlab.models.tensors import as_input


class TorchBody:
    """A network's body.

    Parameters
    ----------
    network : Network
        It is moved to `device` and put into evaluation mode.
    preprocessing : Preprocessing
    device : torch.device
    cut : str or int
        Where it ends, as for `Network.resolve`; by default where the head begins.
    """

    def __init__(
        self,
        network: Network,
        preprocessing: Preprocessing,
        device: torch.device,
        *,
        cut: str | int = END,
    ) -> None:
        self._network = network
        self._cut = network.resolve(cut).name
        self._preprocessing = preprocessing
        self.notes: list[str] = []  # for people: what turned out otherwise than asked for
        try:
            self.to(device)
        except RuntimeError as error:
            if not is_out_of_memory(error) or device == CPU:
                raise
            self.notes.append(moved(device, "the network"))
            self.to(CPU)

    def to(self, device: torch.device) -> None:
        """Move the network to another device, and work there."""
        self._network.body.to(device).eval()
        self._device = device

    def settle(self, device: str, *, n_threads: int) -> None:
        """Make oneself at home in a process that does nothing else."""
        torch.set_num_threads(n_threads)
        self.to(torch.device(device))

    def embed_seen(self, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed a batch; in halves where the device's memory is too small, at last on the CPU.

        Parameters
        ----------
        seen : ndarray of shape (n, size, size, 3), uint8

        Returns
        -------
        ndarray of shape (n, d), float32

        Raises
        ------
        EmbedlabError
            If not even one picture fits into the CPU's memory.
        """
        try:
            with torch.inference_mode():
                x = as_input(seen, self._preprocessing, self._device)
                return np.asarray(self._vectors(x).float().cpu().numpy())
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        if len(seen) == 1:
            what = f"a picture of {seen.shape[1]} px"
            if self._device == CPU:
                raise EmbedlabError(
                    f"The memory of {self._device} is too small for {what}.",
                    remedy="Choose a smaller size or backbone.",
                )
            self.notes.append(moved(self._device, what))
            self.to(CPU)
            return self.embed_seen(seen)
        half = len(seen) // 2
        return np.concatenate([self.embed_seen(seen[:half]), self.embed_seen(seen[half:])])

    def _vectors(self, x: Tensor) -> Tensor:
        return self._network.at(self._cut, x)


def body_digest(network: Network) -> str:
    """Stand for the body's architecture and weights: 64 hexadecimal digits."""
    name = network.name if network.cut == END else f"{network.name} until {network.cut}"
    digest = hashlib.sha256(name.encode())
    for name, tensor in network.body.state_dict().items():
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
