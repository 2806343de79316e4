"""What one picture costs a network on this machine, from a few steps on random pictures."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from embedlab.models.backbones import backbone, build
from embedlab.models.device import keep_freed_memory, threads
from embedlab.models.learner import Learner
from embedlab.models.settings import TrainSettings
from embedlab.models.torch_body import TorchBody
from embedlab.progress import Progress, silent

SECONDS, MOST_STEPS = 6.0, 8
CLASSES = 5


def seconds_a_picture(
    settings: TrainSettings, *, device: torch.device, progress: Progress = silent
) -> tuple[float, float]:
    """Time a few steps of a training with random weights.

    Parameters
    ----------
    settings : TrainSettings
        Backbone, cut, size, batch size and freeze count; nothing is downloaded.
    device : torch.device
    progress : Progress

    Returns
    -------
    learn, look : float
        Seconds a picture, to learn from it and to embed it.
    """
    chosen = backbone(settings.backbone)
    preprocessing = chosen.preprocessing(settings.size)
    side, batch = preprocessing.size, settings.batch_size
    if device.type == "cpu":
        keep_freed_memory()
    progress("building the network", 0, 1)
    network = build(
        chosen.name, n_classes=CLASSES, weights="random", size=settings.size, cut=settings.cut
    )
    learner = Learner(network, settings, preprocessing, device, 10_000)
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    seen = rng.integers(0, 256, (batch, side, side, 3), dtype=np.uint8)
    labels = np.arange(batch) % CLASSES
    with threads(1 if chosen.name == "small" and device.type == "cpu" else None):
        network.train()
        learn = _timed(lambda: learner.learn(seen, labels, generator), "learning", progress)
        body = TorchBody(network, preprocessing, device)
        look = _timed(lambda: body.embed_seen(seen), "embedding", progress)
    return learn / batch, look / batch


def _timed(step: Callable[[], object], stage: str, progress: Progress) -> float:
    """Give the seconds of the fastest step: what slows others down will not be there next time.

    The first one, which prepares things, does not count.
    """
    step()
    times: list[float] = []
    while len(times) < MOST_STEPS and (len(times) < 2 or sum(times) < SECONDS / 2):
        progress(stage, len(times), MOST_STEPS)
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    return min(times)
