"""Shares: what the picture and the table each brought to one answer of a fused network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedlab.runs import Run

SHARES = "shares.npz"


@dataclass(frozen=True, eq=False)
class Shares:
    """Answers taken apart. Row i belongs to picture i.

    Parameters
    ----------
    base : ndarray of shape (c,), float32
        The answer when neither branch says anything of its own: logits, or one number in the
        target's unit.
    picture, table : ndarrays of shape (n, c), float32
        What each branch adds to it; ``base + picture + table`` is the answer.
    """

    base: NDArray[np.float32]
    picture: NDArray[np.float32]
    table: NDArray[np.float32]

    @property
    def answers(self) -> NDArray[np.float32]:
        """The answers, of shape (n, c)."""
        return self.base + self.picture + self.table

    def lead(self) -> NDArray[np.float32]:
        """Say how far the picture led the table towards what was answered, shape (n,).

        Of the class with the largest logit: what the picture added less what the table added,
        each counted from its mean over all classes, which moves no decision. Of a number: the
        size of what the picture added less that of the table.
        """
        if len(self.base) == 1:
            return np.asarray(np.abs(self.picture[:, 0]) - np.abs(self.table[:, 0]))
        rows, best = np.arange(len(self.picture)), self.answers.argmax(axis=1)
        pull = [
            (part - part.mean(axis=1, keepdims=True))[rows, best]
            for part in (self.picture, self.table)
        ]
        return np.asarray(pull[0] - pull[1])


def load_shares(run: Run) -> Shares | None:
    """Read what `embedlab fuse` kept of its answers; None for other runs."""
    path = run.folder / SHARES
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as kept:
        return Shares(kept["base"], kept["picture"], kept["table"])
