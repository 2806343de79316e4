"""Decode pictures a little ahead of whoever works on them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from PIL import Image

from embedlab.data.dataset import Dataset, Skipped
from embedlab.errors import EmbedlabError
from embedlab.models.device import n_cores

T = TypeVar("T")

# Decoding and resizing let go of Python's lock; more threads only take cores from the network.
THREADS = max(2, n_cores() // 4)
AHEAD = 32


def each_picture(
    dataset: Dataset,
    rows: Iterable[int],
    look: Callable[[Image.Image], T],
    *,
    n_threads: int = THREADS,
) -> Iterator[tuple[int, T | Skipped]]:
    """Decode pictures in a small pool of threads and look at each, in order.

    Parameters
    ----------
    dataset : Dataset
    rows : iterable of int
        Which pictures, in which order. At most `AHEAD` for each thread are held at a time.
    look : callable
        Takes a picture (mode RGB, upright) and gives what is wanted of it. It runs in the pool.
    n_threads : int
        Size of the pool.

    Yields
    ------
    row : int
    found : T or Skipped
        What `look` gave, or which picture could not be decoded and why.
    """

    def one(row: int) -> T | Skipped:
        try:
            return look(dataset.pictures.open(row))
        except (EmbedlabError, OSError) as error:
            return Skipped(dataset.ids[row], str(error))

    waiting = iter(rows)
    running: deque[tuple[int, Future[T | Skipped]]] = deque()
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="decode")
    try:
        running.extend((row, pool.submit(one, row)) for row in islice(waiting, AHEAD * n_threads))
        while running:
            row, future = running.popleft()
            found = future.result()
            running.extend((later, pool.submit(one, later)) for later in islice(waiting, 1))
            yield row, found
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
