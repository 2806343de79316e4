"""From what the model sees to what torch computes with."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from embedlab.data.preprocessing import Preprocessing


def as_input(seen: NDArray[np.uint8], preprocessing: Preprocessing, device: torch.device) -> Tensor:
    """Standardise a batch on the device, to the same numbers as `Preprocessing.normalise`.

    Parameters
    ----------
    seen : ndarray of shape (n, size, size, 3), uint8
    preprocessing : Preprocessing
    device : torch.device

    Returns
    -------
    Tensor of shape (n, 3, size, size), float32
        In memory the channels come last, as the pictures lie: the layout that is quick.
    """
    x = torch.from_numpy(seen).to(device, non_blocking=True).permute(0, 3, 1, 2).float()
    mean = torch.tensor(preprocessing.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(preprocessing.std, device=device).view(1, 3, 1, 1)
    return x.div_(255).sub_(mean).div_(std)


def augmented(x: Tensor, how: str, generator: torch.Generator) -> Tensor:
    """Vary a batch of standardised pictures; see `AUGMENTATIONS`.

    Parameters
    ----------
    x : Tensor of shape (n, 3, h, w), float32
    how : str
    generator : torch.Generator
        On the CPU, so that every device draws the same.

    Returns
    -------
    Tensor of shape (n, 3, h, w), float32
    """
    if how == "none":
        return x
    n = len(x)
    mirrored = torch.rand(n, generator=generator) < 0.5
    if how == "flip":
        return torch.where(mirrored.to(x.device).view(n, 1, 1, 1), x.flip(3), x)

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(n, *shape, generator=generator)

    turn, scale, shift = draw(-0.26, 0.26), draw(0.9, 1.1), draw(-0.2, 0.2, 2)
    sign = 1 - 2 * mirrored.float()
    cos, sin = scale * turn.cos(), scale * turn.sin()
    # In grid_sample's units the picture is 2 wide, so a tenth of it is 0.2.
    matrix = torch.stack([sign * cos, -sin, shift[:, 0], sign * sin, cos, shift[:, 1]], 1)
    grid = functional.affine_grid(matrix.view(n, 2, 3), list(x.shape), align_corners=False)
    moved = functional.grid_sample(
        x, grid.to(x.device), padding_mode="reflection", align_corners=False
    )
    gain = draw(0.8, 1.2, 1, 1, 1).to(x.device)
    tint = draw(-0.15, 0.15, 3, 1, 1).to(x.device)
    return (moved * gain + tint).contiguous(memory_format=torch.channels_last)
