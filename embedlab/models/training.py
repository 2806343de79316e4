"""Fine-tune a network; what was done so far survives being stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedlab.data.dataset import Dataset, Skipped
from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.models.batches import Source, Tally, batches
from embedlab.models.device import keep_freed_memory, threads
from embedlab.models.film import Snapshot, moments
from embedlab.models.settings import TrainSettings
from embedlab.progress import Progress, silent

if TYPE_CHECKING:
    import torch

    from embedlab.models.network import Network

REMEMBERED_BYTES = 2**30
REPORTS_AN_EPOCH, MOST_REPORTS = 20, 400
LOOK_SECONDS, LOOK_SHARE = 4.0, 0.05  # how often, and how much of the time, for whoever watches
Line = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of a training.

    Parameters
    ----------
    network : Network
        In evaluation mode, on the CPU.
    history : list of dict
        A line up to 20 times an epoch (event "step": step, epoch, loss, accuracy,
        learning_rate, rate in pictures a second, seconds) and one after each epoch (event
        "epoch", with validation_loss and validation_accuracy as well), and what else happened
        (event "note": text).
    film : list of Snapshot
    rows_probe : ndarray of int64
        The dataset's rows that the film follows.
    failed : tuple of Skipped
        Pictures that could not be decoded.
    device : torch.device
        Where it ended: on the CPU, if the memory of the one that was asked for did not do.
    """

    network: Network
    history: list[Line]
    film: list[Snapshot]
    rows_probe: NDArray[np.int64]
    failed: tuple[Skipped, ...]
    device: torch.device


def fine_tune(
    network: Network,
    dataset: Dataset,
    rows_train: Sequence[int] | NDArray[np.int64],
    rows_validation: Sequence[int] | NDArray[np.int64],
    settings: TrainSettings,
    *,
    preprocessing: Preprocessing,
    device: torch.device | None = None,
    rows_probe: Sequence[int] | NDArray[np.int64] = (),
    checkpoint: Path | None = None,
    progress: Progress = silent,
    on_epoch: Callable[[Line], None] | None = None,
    on_snapshot: Callable[[Snapshot], None] | None = None,
) -> Trained:
    """Train body and head, or the head alone where the settings freeze the body.

    The order of the pictures, augmentation and dropout depend on the seed and the epoch alone:
    a training that goes on from its checkpoint ends, on a CPU, with the very weights of one that
    was never stopped. Where a device's memory is too small for a batch, it is taken in parts;
    where it is too small for those, the training goes on on the CPU. The history says so.

    Parameters
    ----------
    network : Network
        Trained in place.
    dataset : Dataset
        With labels.
    rows_train, rows_validation : sequences of int
    settings : TrainSettings
    preprocessing : Preprocessing
        The network's own.
    device : torch.device, optional
        The CPU by default.
    rows_probe : sequence of int
        Pictures to follow from the start to the end, for `Trained.film`.
    checkpoint : Path, optional
        A file that is written after each epoch; if it is there, training goes on from it.
    progress : Progress
    on_epoch, on_snapshot : callables, optional
        Told each epoch's line and each snapshot as they come; snapshots also every few seconds
        between those of the film, as often as costs no more than a twentieth of the time.

    Raises
    ------
    EmbedlabError
        If there are no labels or fewer than 2 training pictures, the loss leaves the finite
        numbers, a checkpoint does not fit, or not even the CPU's memory does for 2 pictures.
    """
    import torch

    if dataset.labels is None:
        raise EmbedlabError(f"{dataset.name} has no classes to learn.")
    if len(rows_train) < 2:
        raise EmbedlabError(f"Training needs at least 2 pictures; there are {len(rows_train)}.")
    device = device or torch.device("cpu")
    if device.type == "cpu":
        keep_freed_memory()
    rows = _Rows(
        *(np.asarray(part, np.int64) for part in (rows_train, rows_validation, rows_probe))
    )
    seeded = torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
    with seeded, threads(1 if network.name == "small" and device.type == "cpu" else None):
        training = _Training(
            network, dataset, rows, settings, preprocessing=preprocessing, device=device
        )
        training.progress, training.on_snapshot = progress, on_snapshot
        training.begin(checkpoint)
        while training.epoch < settings.epochs:
            line = training.run_epoch()
            if checkpoint:
                training.save(checkpoint)
            if on_epoch:
                on_epoch(line)
    network.to("cpu").to(memory_format=torch.contiguous_format).eval()
    failed = training.source.failed | training.probe.failed
    return Trained(
        network,
        training.history,
        training.film,
        np.array([row for row in rows.probe.tolist() if row not in failed], np.int64),
        tuple(failed[row] for row in sorted(failed)),
        training.device,
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    probe: NDArray[np.int64]


class _Training:
    """A training between its first step and its last."""

    progress: Progress = staticmethod(silent)
    on_snapshot: Callable[[Snapshot], None] | None = None

    def __init__(
        self,
        network: Network,
        dataset: Dataset,
        rows: _Rows,
        settings: TrainSettings,
        *,
        preprocessing: Preprocessing,
        device: torch.device,
    ) -> None:
        from embedlab.models.checkpoint import training_key
        from embedlab.models.learner import Learner

        self._rows, self._settings = rows, settings
        facts = [settings.to_dict(), preprocessing.to_dict(), dataset.fingerprint]
        own = (rows.train, rows.validation, rows.probe)
        self._key = training_key(network, facts, own)
        self._slices = batches(len(rows.train), settings.batch_size)
        self._n_steps = len(self._slices) * settings.epochs
        self._learner = Learner(network, settings, preprocessing, device, self._n_steps)
        assert dataset.labels is not None
        needed = 3 * preprocessing.size**2 * (len(rows.train) + len(rows.validation))
        remember = settings.epochs > 1 and needed <= REMEMBERED_BYTES
        self.source = Source(dataset, dataset.labels, preprocessing, remember=remember)
        self.probe = Source(dataset, dataset.labels, preprocessing, remember=True)
        self._moments = moments(settings.epochs, len(self._slices)) if len(rows.probe) else []
        self.epoch = self._step = 0
        self.history: list[Line] = []
        self.film: list[Snapshot] = []
        self._seconds_before, self._started = 0.0, time.monotonic()
        self._next_look = self._started + LOOK_SECONDS

    @property
    def device(self) -> torch.device:
        """Where it is computed now."""
        return self._learner.device

    def begin(self, checkpoint: Path | None) -> None:
        """Go on from a checkpoint, if there is one; else take the first snapshot."""
        from embedlab.models.checkpoint import load_checkpoint

        state = load_checkpoint(checkpoint, self._key) if checkpoint else None
        if state is None:
            self._snap()
            return
        self._learner.load(state)
        self.epoch = state["epoch"]
        self._step = self.epoch * len(self._slices)
        self.history = state["history"]
        self.film = [Snapshot(**shot) for shot in state["film"]]
        self._seconds_before = state["seconds"]
        self.progress("training", self._step, self._n_steps)

    def save(self, checkpoint: Path) -> None:
        """Write all that is needed to go on after this epoch."""
        from embedlab.models.checkpoint import save_checkpoint

        state = {
            **self._learner.state(),
            "epoch": self.epoch,
            "history": self.history,
            "film": [vars(snapshot) for snapshot in self.film],
            "seconds": self._seconds(),
        }
        save_checkpoint(checkpoint, self._key, state)

    def run_epoch(self) -> Line:
        """See every training picture once; give the epoch's line of the history."""
        import torch

        seed = epoch_seed(self._settings.seed, self.epoch)
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self._rows.train), generator=generator).numpy()
        whole, group = Tally(), Tally()
        reports = max(1, min(REPORTS_AN_EPOCH, MOST_REPORTS // self._settings.epochs))
        every = math.ceil(len(self._slices) / reports)
        self._learner.network.train()
        for seen, labels in self.source.batches(self._rows.train[order], self._slices):
            learning_rate = self._learner.learning_rate
            loss, correct = self._learner.learn(seen, labels, generator)
            self._step += 1
            self._check(loss)
            whole.add(loss, correct, len(labels))
            group.add(loss, correct, len(labels))
            self.progress("training", self._step, self._n_steps, **group.readings())
            if self._step % every == 0:
                self._report("step", learning_rate=learning_rate, **group.readings())
                group = Tally()
            if self._step in self._moments and self._step % len(self._slices):
                looked = self._snap()
            elif self.on_snapshot and time.monotonic() > self._next_look:
                looked = self._snap(keep=False)
            else:
                continue
            for tally in (whole, group):
                tally.pass_over(looked)
        self.epoch += 1
        # A batch of which no picture can be decoded is no step, but counts as one.
        self._step = self.epoch * len(self._slices)
        line = self._report("epoch", **whole.readings(), **self._validate())
        if self._step in self._moments:
            self._snap()
        return line

    def _check(self, loss: float) -> None:
        for text in self._learner.notes:
            self.history.append({"event": "note", "step": self._step, "text": text})
        self._learner.notes.clear()
        if not math.isfinite(loss):
            raise EmbedlabError(
                f"The loss left the finite numbers at step {self._step}.",
                remedy=f"Try a learning rate below {self._settings.learning_rate:g}, "
                "such as a tenth of it.",
            )

    def _validate(self) -> dict[str, float]:
        from torch.nn.functional import cross_entropy

        rows, tally = self._rows.validation, Tally()
        for _, logits, y in self._learner.answers(self.source, rows):
            tally.add(cross_entropy(logits, y).item(), int((logits.argmax(1) == y).sum()), len(y))
            self.progress("validating", tally.count, len(rows))
        if not tally.count:
            return {}
        return {f"validation_{name}": value for name, value in tally.means().items()}

    def _snap(self, *, keep: bool = True) -> float:
        """Take down where the probe pictures are; give the seconds that it took."""
        if not len(self._rows.probe):
            return 0.0
        started = time.monotonic()
        epoch = self._step / len(self._slices)
        snapshot = self._learner.snapshot(self.probe, self._rows.probe, self._step, epoch)
        if keep:
            self.film.append(snapshot)
        if self.on_snapshot:
            self.on_snapshot(snapshot)
        now = time.monotonic()
        self._next_look = now + max(LOOK_SECONDS, (now - started) / LOOK_SHARE)
        return now - started

    def _report(self, event: str, **facts: float) -> Line:
        line: Line = {
            "event": event,
            "step": self._step,
            "epoch": round(self._step / len(self._slices), 4),
            **facts,
            "seconds": round(self._seconds(), 2),
        }
        self.history.append(line)
        return line

    def _seconds(self) -> float:
        return self._seconds_before + time.monotonic() - self._started


def epoch_seed(seed: int, epoch: int) -> int:
    """Seed one epoch, so that it does not matter whether the epochs before it ran just now."""
    # Neighbouring seeds and epochs must not share their draws.
    words = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))
