"""Where the arithmetic is done, said in words that people understand."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from embedlab.errors import EmbedlabError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda", "mps")


def pick_device(wish: str = "auto") -> torch.device:
    """Choose the device to compute on.

    Parameters
    ----------
    wish : str
        "auto" takes CUDA where there is one, else Apple's MPS, else the CPU. "cpu", "cuda" and
        "mps" ask for one of them.

    Returns
    -------
    torch.device

    Raises
    ------
    EmbedlabError
        If `wish` is none of these, or this machine does not have it.
    """
    import torch

    if wish not in DEVICES:
        raise EmbedlabError(
            f"{wish!r} is no device.", remedy=f"Choose one of {', '.join(DEVICES)}."
        )
    here = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wish == "auto":
        wish = next(name for name, available in here.items() if available)
    if not here[wish]:
        present = ", ".join(name for name, available in here.items() if available)
        raise EmbedlabError(
            f"This machine has no {wish!r} that torch {torch.__version__} can use.",
            remedy=f"It has {present}; 'auto' takes the best there is.",
        )
    return torch.device(wish)


def describe_device(device: torch.device) -> str:
    """Say in a sentence what this device is and what to expect of it."""
    if device.type == "cuda":
        import torch

        facts = torch.cuda.get_device_properties(device)
        return f"{facts.name}, {facts.total_memory / 2**30:.0f} GB: fine-tuning takes minutes"
    if device.type == "mps":
        return "Apple GPU (MPS): fine-tuning takes minutes"
    cores = n_cores()
    return (
        f"CPU, {cores} core{'s' if cores > 1 else ''}: fine-tuning at 256 px will be slow, "
        "a frozen backbone or the small net is quick"
    )


def n_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def threads(n: int | None) -> Iterator[None]:
    """Let torch compute with n threads inside the block; None leaves it as it is.

    Small nets and heads lose more to waiting for a second thread than they win by it, most of
    all on a machine that has other work, and one thread gives the same numbers everywhere.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def keep_freed_memory() -> bool:
    """Tell glibc to hold on to big freed blocks for the next step.

    torch's activations are big; glibc maps them anew and gives them back at every step, and on
    a CPU the page faults take about as long as the arithmetic (``man 3 mallopt``). Call this
    once in a process that trains or extracts; it holds until the process ends.

    Returns
    -------
    bool
        Whether anything was done: only Linux with glibc has this trouble.
    """
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return False
    trim_threshold, top_pad, mmap_max = -1, -2, -4
    mallopt = ctypes.CDLL(None).mallopt
    set_ = (
        mallopt(mmap_max, 0),
        mallopt(trim_threshold, 2**31 - 1),
        mallopt(top_pad, 256 * 2**20),
    )
    return all(set_)
