"""Pictures in batches, as training and validation take them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from embedlab.data.dataset import Dataset, Skipped
from embedlab.data.preprocessing import Preprocessing
from embedlab.models.lookahead import each_picture

Seen = NDArray[np.uint8]


def batches(n: int, batch_size: int) -> list[slice]:
    """Cut 0..n-1 into batches; a last one of a single picture joins the one before it.

    BatchNorm cannot learn from a single picture whose map is one pixel wide.

    Examples
    --------
    >>> [(batch.start, batch.stop) for batch in batches(9, 4)]
    [(0, 4), (4, 9)]
    """
    starts = list(range(0, n, batch_size))
    if len(starts) > 1 and n - starts[-1] == 1 and batch_size > 1:
        starts.pop()
    return [slice(a, b) for a, b in pairwise([*starts, n])]


class Source:
    """Batches of what the model sees, with labels.

    Parameters
    ----------
    dataset : Dataset
    labels : ndarray of shape (n,), int64
    preprocessing : Preprocessing
    remember : bool
        Keep what the model saw of each picture, 3 bytes a pixel, and decode none twice.
    """

    def __init__(
        self,
        dataset: Dataset,
        labels: NDArray[np.int64],
        preprocessing: Preprocessing,
        *,
        remember: bool,
    ) -> None:
        self._dataset, self._labels, self._preprocessing = dataset, labels, preprocessing
        self._remember = remember
        self._known: dict[int, Seen] = {}
        self.failed: dict[int, Skipped] = {}

    def batches(
        self, rows: NDArray[np.int64], slices: list[slice]
    ) -> Iterator[tuple[Seen, NDArray[np.int64]]]:
        """Give the pictures of each slice of `rows` that can be decoded.

        Yields
        ------
        seen : ndarray of shape (b, size, size, 3), uint8
        labels : ndarray of shape (b,), int64
        """
        each = self._each(rows.tolist())
        for part in slices:
            found = [next(each) for _ in range(part.stop - part.start)]
            kept = [row for row, seen in found if seen is not None]
            if kept:
                seen = np.stack([seen for _, seen in found if seen is not None])
                yield seen, self._labels[kept]

    def _each(self, rows: list[int]) -> Iterator[tuple[int, Seen | None]]:
        if all(row in self._known or row in self.failed for row in rows):
            yield from ((row, self._known.get(row)) for row in rows)
            return
        for row, found in each_picture(self._dataset, rows, self._preprocessing.see):
            if isinstance(found, Skipped):
                self.failed[row] = found
                yield row, None
                continue
            if self._remember:
                self._known[row] = found
            yield row, found


@dataclass
class Tally:
    """Means over pictures, and how fast they came."""

    loss: float = 0.0
    correct: int = 0
    count: int = 0

    def __post_init__(self) -> None:
        self._started = time.monotonic()

    def add(self, loss: float, correct: int, count: int) -> None:
        """Take in a batch: its mean loss, how many were told rightly, of how many."""
        self.loss += loss * count
        self.correct += correct
        self.count += count

    def pass_over(self, seconds: float) -> None:
        """Do not count time in which no picture was to come."""
        self._started += seconds

    def means(self) -> dict[str, float]:
        """Give the loss and the accuracy so far."""
        count = max(self.count, 1)
        return {"loss": self.loss / count, "accuracy": self.correct / count}

    def readings(self) -> dict[str, float]:
        """Give `means` and the rate, in pictures a second."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        return {**self.means(), "rate": round(self.count / seconds, 2)}
