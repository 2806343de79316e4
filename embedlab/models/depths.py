"""TorchDepths: a body that gives the vectors at every depth from one pass."""

from __future__ import annotations

import torch
from torch import Tensor

from embedlab.data.preprocessing import Preprocessing
from embedlab.models.cuts import Cut
from embedlab.models.network import Network
from embedlab.models.torch_body import TorchBody


class TorchDepths(TorchBody):
    """A network's body, cut at every depth at once.

    `embed_seen` gives, for each picture, the vectors of all cuts one after the other.

    Parameters
    ----------
    network : Network
        It is moved to `device` and put into evaluation mode.
    preprocessing : Preprocessing
    device : torch.device
    """

    def __init__(
        self, network: Network, preprocessing: Preprocessing, device: torch.device
    ) -> None:
        super().__init__(network, preprocessing, device)
        self.cuts = network.cuts

    @property
    def places(self) -> dict[str, slice]:
        """Which columns of a row belong to which cut, by the cuts' names."""
        found, start = {}, 0
        for cut in self.cuts:
            stop = start + width(cut)
            found[cut.name] = slice(start, stop)
            start = stop
        return found

    def _vectors(self, x: Tensor) -> Tensor:
        found = self._network.vectors_at([cut.name for cut in self.cuts], x)
        return torch.cat(list(found.values()), dim=1)


def width(cut: Cut) -> int:
    """Say how many numbers a picture becomes at a cut.

    Examples
    --------
    >>> width(Cut(3, "layer3", (256, 14, 14))), width(Cut(0, "block", (197, 768)))
    (256, 768)
    """
    return cut.shape[1] if len(cut.shape) == 2 else cut.shape[0]
