"""A small convolutional network of our own, for the garden and for digits."""

from __future__ import annotations

from torch import Tensor, nn


def _convolution(inputs: int, outputs: int, *, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


class SmallNet(nn.Module):
    """Four stages of 3x3 convolutions; the embedding is the average over the last map.

    It ends as EfficientNet does, so that a score is a dot product with the embedding and a map of
    scores averages to the logit. Any picture of at least 16 px fits.
    """

    width = 96

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_convolution(3, 16, stride=2))
        self.stage1 = nn.Sequential(*_convolution(16, 32), nn.MaxPool2d(2))
        self.stage2 = nn.Sequential(*_convolution(32, 64), nn.MaxPool2d(2))
        self.stage3 = nn.Sequential(*_convolution(64, self.width))
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        """Embed pictures of shape (n, 3, h, w): vectors of shape (n, 96)."""
        x = self.stage3(self.stage2(self.stage1(self.stem(x))))
        pooled: Tensor = self.pool(x)
        return pooled.flatten(1)
