"""Moments of a training that never was."""

from __future__ import annotations

import numpy as np

from embedlab.models.film import Snapshot


def snapshots(t: int = 5, n: int = 12, d: int = 6, c: int = 2) -> list[Snapshot]:
    """Make moments at which the classes part more and more, and all turn about a little."""
    rng = np.random.default_rng(0)
    labels, noise = np.arange(n) % c, rng.normal(size=(n, d))
    shots = []
    for k in range(t):
        angle = 0.3 * k
        turn = np.eye(d)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        embeddings = (noise + 2.0 * k * np.eye(c, d)[labels]) @ turn
        weight = (np.eye(c, d) @ turn).astype(np.float32)
        logits = embeddings @ weight.T
        odds = np.exp(logits - logits.max(1, keepdims=True))
        shots.append(
            Snapshot(
                rows=np.arange(n),
                step=4 * k,
                epoch=k / 2,
                embeddings=embeddings.astype(np.float16),
                weight=weight,
                bias=np.zeros(c, np.float32),
                probabilities=(odds / odds.sum(1, keepdims=True)).astype(np.float16),
            )
        )
    return shots
