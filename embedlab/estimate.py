"""How long a training will take here: measured where it can be, else guessed from arithmetic."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embedlab.data.folders import arrange
from embedlab.data.listing import list_folder
from embedlab.errors import EmbedlabError
from embedlab.files import write_json
from embedlab.home import home
from embedlab.models.backbones import backbone
from embedlab.models.defaults import DEFAULTS
from embedlab.models.device import n_cores
from embedlab.models.known_cuts import share_until
from embedlab.models.settings import TrainSettings
from embedlab.progress import Progress, silent

SIZES = {
    "garden": (750, 5),
    "digits": (1797, 10),
    "flowers": (3670, 5),
    "mnist": (70_000, 10),
    "fashion-mnist": (70_000, 10),
    "kmnist": (70_000, 10),
    "cifar10": (60_000, 10),
    "cifar100": (60_000, 100),
    "svhn": (99_289, 10),
    "eurosat": (27_000, 10),
}
START = 8.0  # seconds for imports, the network, saving the run
AROUND = 1.1  # validation and the film take about a tenth more
DECODE = 0.004  # seconds to read a photo and make it small
BEST, WORST = 0.5, 0.12  # shares of the processor's speed that networks reach while learning


@dataclass(frozen=True)
class Cost:
    """What one picture costs, in seconds.

    Parameters
    ----------
    learn : float
        To learn from it once.
    embed : float
        To embed it, all in all.
    device : str
        On what.
    """

    learn: float
    embed: float
    device: str


@dataclass(frozen=True)
class Estimate:
    """How long a training will take, in seconds.

    Parameters
    ----------
    low, high : float
    device : str
        What was measured, in words; empty for a guess.
    """

    low: float
    high: float
    device: str = ""


def count_pictures(source: str) -> tuple[int, int] | None:
    """Say how many pictures and classes a source has, as far as that is quickly seen.

    Parameters
    ----------
    source : str
        As `embedlab.data.sources.load_dataset` takes it.

    Returns
    -------
    pictures, classes : int
        0 classes where there are none. Files are counted, not opened. None for archives and
        arrays, which would have to be unpacked.

    Raises
    ------
    EmbedlabError
        If it is a folder that cannot be read, or there is nothing at this path.
    """
    if source in SIZES:
        return SIZES[source]
    path = Path(source).expanduser()
    if not path.exists():
        raise EmbedlabError(
            f"There is nothing at {source}.", remedy="Give the path of a folder with pictures."
        )
    if not path.is_dir():
        return None
    found = arrange(list_folder(path))
    return len(found.files), len(set(found.labels or ()))


def kept_cost(settings: TrainSettings, device: str = "auto") -> Cost | None:
    """Give what a picture costs here on this device, where it was measured before.

    Parameters
    ----------
    settings : TrainSettings
        Backbone, cut, size, batch size and freeze count.
    device : str
        As it is asked for: "auto", "cpu", "cuda" or "mps".
    """
    try:
        return Cost(**json.loads(_place(settings, device).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def keep_cost(settings: TrainSettings, cost: Cost, device: str = "auto") -> None:
    """Remember what a picture costs here; `kept_cost` says of what else it depends on."""
    write_json(_place(settings, device), asdict(cost))


def _place(settings: TrainSettings, device: str) -> Path:
    how = "head" if settings.freeze else "all"
    size = settings.size or backbone(settings.backbone).size
    until = f"-{settings.cut}" if settings.cut else ""
    name = f"{settings.backbone}{until}-{size}-{settings.batch_size}-{how}-{device}.json"
    return home("cache", "costs") / name


def measure(settings: TrainSettings, *, device: str, progress: Progress = silent) -> Cost:
    """Time a few steps on random pictures, and remember what they cost."""
    from embedlab.models.device import describe_device, pick_device
    from embedlab.models.measure import seconds_a_picture

    picked = pick_device(device)
    learn, look = seconds_a_picture(settings, device=picked, progress=progress)
    # On a CPU the body runs as ONNX in the end, which is at least twice as fast.
    embed = look / (2 if picked.type == "cpu" else 1) + DECODE
    cost = Cost(learn, embed, describe_device(picked).partition(":")[0])
    for name in {device, picked.type}:  # what "auto" turned out to be is measured as well
        keep_cost(settings, cost, name)
    return cost


def estimate(
    settings: TrainSettings,
    n_pictures: int,
    *,
    fraction: float = 0.2,
    speed: float | None = None,
    device: str = "auto",
) -> Estimate:
    """Say how long a training takes here.

    Parameters
    ----------
    settings : TrainSettings
    n_pictures : int
    fraction : float
        Share that is kept for validation.
    speed : float, optional
        Of this processor, as `arithmetic_speed` gives it; measured when it is missing.
    device : str
        "auto", "cpu", "cuda" or "mps".

    Returns
    -------
    Estimate
        From kept costs within a third up or down; else a guess for the processor that may be out
        by more. Downloads are not counted.
    """
    cost = kept_cost(settings, device)
    if cost is not None:
        seconds = _seconds(settings, n_pictures, fraction, cost)
        return Estimate(0.75 * seconds, 1.35 * seconds, cost.device)
    known = backbone(settings.backbone)
    size = settings.size or known.size
    speed = arithmetic_speed() if speed is None else speed
    share = share_until(known.name, settings.cut)
    one = share * DEFAULTS[known.name].operations_at(size) / speed
    low, high = (
        _seconds(
            settings,
            n_pictures,
            fraction,
            Cost(3 * one / reached + DECODE / 4, one / reached / 2 + DECODE, ""),
        )
        for reached in (BEST, WORST)
    )
    return Estimate(low, high)


def _seconds(settings: TrainSettings, n: int, fraction: float, cost: Cost) -> float:
    embedding = n * cost.embed
    if settings.freeze and settings.augment == "none":
        return START + embedding
    return START + AROUND * settings.epochs * (1 - fraction) * n * cost.learn + embedding


def arithmetic_speed() -> float:
    """Multiply matrices for a moment: billions of multiplications and additions a second.

    On one core, times the cores: a busy machine makes threads wait for each other.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    side = 640
    a = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    times = []
    with threadpool_limits(1, user_api="blas"):
        for _ in range(4):
            started = time.perf_counter()
            a @ a
            times.append(time.perf_counter() - started)
    return float(side**3 / min(times) / 1e9) * n_cores()


def learn_from(
    settings: TrainSettings,
    info: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    device: str = "auto",
) -> None:
    """Remember what a picture has cost in a training that is done.

    The fastest report counts: whatever made others slower, another program or a laptop that
    slept, will not be there next time.

    Parameters
    ----------
    settings : TrainSettings
    info : mapping
        The run's.
    history : sequence of mappings
        The run's.
    device : str
        As it was asked for.
    """
    rate = max((float(line["rate"]) for line in history if "rate" in line), default=0.0)
    if settings.freeze or not rate > 0:
        return  # embeddings that were kept from before cost nothing and tell nothing
    embed = float(info["seconds"].get("embed", 0.0)) / max(int(info["n_items"]), 1)
    keep_cost(settings, Cost(1 / rate, embed, str(info.get("device", ""))), device)


def in_words(found: Estimate) -> str:
    """Write an estimate: "about 4 min", "3 to 12 min".

    Examples
    --------
    >>> in_words(Estimate(100, 200, "CPU")), in_words(Estimate(100, 700))
    ('about 2 min', '2 to 12 min')
    """
    if found.device:
        return f"about {_span((found.low + found.high) / 2)}"
    low, high = _span(found.low), _span(found.high)
    if low.split()[1] == high.split()[1]:
        low = low.split()[0]
    return f"{low} to {high}" if low != high.split()[0] else high


def _span(seconds: float) -> str:
    if seconds < 55:
        return f"{max(5 * round(seconds / 5), 5)} s"
    if seconds < 5400:
        return f"{max(round(seconds / 60), 1)} min"
    return f"{seconds / 3600:.0f} h"
