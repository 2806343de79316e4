"""Learner: a network and its optimiser, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.models.batches import Seen, Source, batches
from embedlab.models.film import Snapshot
from embedlab.models.network import Network
from embedlab.models.settings import TrainSettings
from embedlab.models.tensors import as_input, augmented

CPU = torch.device("cpu")


class Learner:
    """A network that is being trained.

    Parameters
    ----------
    network : Network
        Moved to `device`, trained in place.
    settings : TrainSettings
    preprocessing : Preprocessing
    device : torch.device
        Where its memory does not do, not even for a batch in parts, the work goes on on the CPU.
    n_steps : int
        How many steps the whole training takes; a schedule spans them.
    """

    def __init__(
        self,
        network: Network,
        settings: TrainSettings,
        preprocessing: Preprocessing,
        device: torch.device,
        n_steps: int,
    ) -> None:
        self.network, self.device = network, device
        self._settings, self._preprocessing = settings, preprocessing
        if settings.freeze:
            network.freeze()
        self._parts = 1
        self.notes: list[str] = []
        try:
            network.to(device)
        except RuntimeError as error:
            if not is_out_of_memory(error) or device == CPU:
                raise
            self.notes.append(moved(device, "the network"))
            self.device = CPU
            network.to(CPU)
        network.to(memory_format=torch.channels_last)
        learnt = [weight for weight in network.parameters() if weight.requires_grad]
        # Without weight decay AdamW takes the same steps as Adam.
        self._optimiser = torch.optim.AdamW(
            learnt, lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._schedule = (
            torch.optim.lr_scheduler.OneCycleLR(
                self._optimiser, settings.learning_rate, total_steps=n_steps
            )
            if settings.schedule == "one-cycle"
            else None
        )

    @property
    def learning_rate(self) -> float:
        """That of the next step."""
        return float(self._optimiser.param_groups[0]["lr"])

    def learn(
        self, seen: Seen, labels: NDArray[np.int64], generator: torch.Generator
    ) -> tuple[float, int]:
        """Take one step; in several parts where the memory is too small for the batch at once.

        Parameters
        ----------
        seen : ndarray of shape (b, size, size, 3), uint8
        labels : ndarray of shape (b,), int64
        generator : torch.Generator
            What augmentation draws from.

        Returns
        -------
        loss : float
        correct : int
            How many of the batch were told rightly before the step.
        """
        drawn = generator.get_state()
        while True:
            try:
                generator.set_state(drawn)
                x = as_input(seen, self._preprocessing, self.device)
                y = torch.tensor(labels, device=self.device)
                return self._descend(augmented(x, self._settings.augment, generator), y)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
            # Outside of the handler, whose traceback would hold on to the activations.
            self._make_room(len(seen))

    def answers(
        self, source: Source, rows: NDArray[np.int64]
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Answer without learning.

        Yields
        ------
        embeddings : Tensor of shape (b, d), float32, on the CPU
        logits : Tensor of shape (b, c), float32, on the CPU
        labels : Tensor of shape (b,), int64
        """
        self.network.eval()
        size = max(1, self._settings.batch_size // self._parts)
        with torch.inference_mode():
            for seen, labels in source.batches(rows, batches(len(rows), size)):
                yield *self._answer(seen), torch.tensor(labels)
        self.network.train()

    def _answer(self, seen: Seen) -> tuple[Tensor, Tensor]:
        try:
            vectors = self.network.body(as_input(seen, self._preprocessing, self.device))
            return vectors.float().cpu(), self.network.head(vectors).float().cpu()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        if len(seen) > 1:
            half = len(seen) // 2
            first, second = self._answer(seen[:half]), self._answer(seen[half:])
            return torch.cat([first[0], second[0]]), torch.cat([first[1], second[1]])
        if self.device == CPU:
            raise self._too_small(1)
        self._go_on_on_the_cpu("a picture")
        return self._answer(seen)

    def snapshot(
        self, source: Source, rows: NDArray[np.int64], step: int, epoch: float
    ) -> Snapshot:
        """Take down where these pictures and the head are now."""
        found = [(vectors, logits.softmax(1)) for vectors, logits, _ in self.answers(source, rows)]
        head = self.network.head
        largest = float(np.finfo(np.float16).max)
        vectors = [vectors.clamp(-largest, largest).half() for vectors, _ in found]
        return Snapshot(
            rows=np.array([row for row in rows.tolist() if row not in source.failed], np.int64),
            step=step,
            epoch=epoch,
            embeddings=torch.cat(vectors).numpy(),
            weight=head.weight.detach().cpu().numpy().copy(),
            bias=head.bias.detach().cpu().numpy().copy(),
            probabilities=torch.cat([shares.half() for _, shares in found]).numpy(),
        )

    def state(self) -> dict[str, Any]:
        """Give all that decides the further course."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict() if self._schedule else None,
            "parts": self._parts,
            "on the CPU": self.device == CPU,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        if self._schedule:
            self._schedule.load_state_dict(state["schedule"])
        self._parts = state["parts"]
        if state.get("on the CPU") and self.device != CPU:
            self._move_to_the_cpu()

    def _descend(self, x: Tensor, y: Tensor) -> tuple[float, int]:
        self._optimiser.zero_grad(set_to_none=True)
        loss, correct = 0.0, 0
        smoothing = self._settings.label_smoothing
        for part, target in zip(x.chunk(self._parts), y.chunk(self._parts), strict=True):
            logits = self.network(part)
            summed = cross_entropy(logits, target, label_smoothing=smoothing, reduction="sum")
            share = summed / len(x)
            share.backward()  # type: ignore[no-untyped-call]
            loss += share.item()
            correct += int((logits.argmax(1) == target).sum())
        self._optimiser.step()
        if self._schedule:
            self._schedule.step()
        return loss, correct

    def _make_room(self, n: int) -> None:
        """Take smaller parts of a batch of `n`; where they cannot be smaller, go to the CPU."""
        at_once = -(-n // self._parts)
        if at_once < 4:
            if self.device == CPU:
                raise self._too_small(at_once)
            self._go_on_on_the_cpu(f"{at_once} pictures at once")
            return
        self._parts *= 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.notes.append(
            f"The memory of {self.device} is too small for {n} pictures at once: each step now "
            f"takes its batch in {self._parts} parts."
        )

    def _too_small(self, n: int) -> EmbedlabError:
        return EmbedlabError(
            f"The memory of {self.device} is too small to train on {n} pictures at once.",
            remedy="Choose a smaller size or backbone, or freeze the body.",
        )

    def _go_on_on_the_cpu(self, what: str) -> None:
        self.notes.append(moved(self.device, what))
        self._move_to_the_cpu()

    def _move_to_the_cpu(self) -> None:
        left, self.device, self._parts = self.device, CPU, 1
        # What is made in inference mode could not be learned any more.
        with torch.inference_mode(False):
            self.network.to(CPU)
            for state in self._optimiser.state.values():
                state.update({k: v.to(CPU) for k, v in state.items() if isinstance(v, Tensor)})
        if left.type == "cuda":
            torch.cuda.empty_cache()


def moved(device: torch.device, what: str) -> str:
    """Say for people that a device's memory was too small for something."""
    return (
        f"The memory of {device} is too small for {what}: from here on this is computed on the "
        "CPU, which takes many times longer."
    )


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device's memory was too small; each kind of device says so in its own way."""
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()
