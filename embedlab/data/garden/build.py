"""Grow a whole garden: a Dataset of drawn flowers, with their factors and their table."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedlab.data.garden import store
from embedlab.data.garden.factors import FACTORS, KINDS, flower
from embedlab.data.garden.table import table
from embedlab.files import PARTIAL, new_file
from embedlab.home import home
from embedlab.progress import Progress, silent

if TYPE_CHECKING:
    from embedlab.data.dataset import Dataset

NOTE = (
    "These flowers are drawn, not photographed. Each kind has a favourite background and "
    "favourite hues, on purpose: shortcuts that a network may fall for."
)
_WORTH_A_PROCESS = 60  # pictures below which starting another Python costs more than it saves
_FORGOTTEN_S = 3600  # age of an unfinished file that nobody is writing any more


def garden(*, n_each: int = 150, seed: int = 0, progress: Progress = silent) -> Dataset:
    """Grow the built-in set of pictures: daisies, dandelions, roses, sunflowers, tulips.

    The first call draws (a few seconds for 750 pictures) and keeps the pictures under embedlab's
    home; later calls open them. Kinds take turns and picture i hangs on `seed` and i alone, so
    a smaller garden is the beginning of a larger one.

    Which flowers there are and what their table says is the same on every machine as long as
    NumPy's random streams stay as they are. Pixels follow from operations that IEEE 754 rounds
    exactly, from tables made with sines and powers in double precision, and from Pillow's
    lines, polygons and blurs. The last two are not promised to the last bit: with another
    version of Pillow or another C library a few pixels may differ by a level or two. The same
    machine and versions always draw the same bytes, with any number of processes.

    Parameters
    ----------
    n_each : int
        Pictures of each of the five kinds, at least 1.
    seed : int
        At least 0; 0 is a seed like any other.
    progress : Progress
        Told how many pictures are drawn.

    Returns
    -------
    Dataset
        5 * n_each pictures of 128 x 128 pixels; `factors` holds how each was drawn, `table`
        what a gardener wrote down (see `embedlab.data.garden.table`).

    Raises
    ------
    ValueError
        If `n_each` or `seed` is too small.
    """
    import pandas as pd

    from embedlab.data.dataset import Dataset

    if n_each < 1 or seed < 0:
        raise ValueError(f"n_each is {n_each} (at least 1) and seed is {seed} (at least 0)")
    n = n_each * len(KINDS)
    flowers = [flower(i, seed=seed) for i in range(n)]
    return Dataset(
        name="garden",
        ids=tuple(f"{f.kind}/{f.index // len(KINDS):04d}" for f in flowers),
        pictures=store.Drawn(_rows(n, seed, progress), seed),
        labels=np.arange(n, dtype=np.int64) % len(KINDS),
        classes=KINDS,
        table=table(n_each, seed=seed),
        factors=pd.DataFrame([{name: getattr(f, name) for name in FACTORS} for f in flowers]),
        notes=(NOTE,),
        origin={"source": "garden", "n_each": n_each, "seed": seed},
    )


def _rows(n: int, seed: int, progress: Progress) -> NDArray[np.void]:
    """Open the drawn pictures, drawing them first where that is due."""
    path = home("cache", "garden") / f"{store.key()}-{seed}-{n}.npy"
    rows = store.opened(path, n)
    if rows is not None:
        return rows
    try:
        with new_file(path) as fresh:
            draw_file(fresh, n, seed=seed, progress=progress)
        _tidy(path)
    except OSError:  # a full or read-only disk, or another process was faster
        rows = store.opened(path, n)
    else:
        rows = store.opened(path, n)
    if rows is None:
        rows = np.zeros(n, store.ROW)
        _draw_missing(rows, seed, progress)
    return rows


def _tidy(path: Path) -> None:
    """Delete what older drawing code drew, and what processes left that were killed."""
    code = path.name.split("-")[0]
    for old in path.parent.iterdir():
        try:
            if old.name.startswith(PARTIAL):
                useless = time.time() - old.stat().st_mtime > _FORGOTTEN_S
            else:
                useless = not old.name.startswith(code)
            if useless:
                old.unlink()
        except OSError:  # gone already, or still looked at (Windows)
            continue


def draw_file(
    path: Path, n: int, *, seed: int, processes: int | None = None, progress: Progress = silent
) -> None:
    """Draw n pictures into a file.

    Other processes help; each is a plain ``python -m``, so that neither a notebook's nor
    Streamlit's main script runs again in it. What a helper leaves undone is done here.

    Parameters
    ----------
    path : Path
        The .npy file to write, of dtype `store.ROW`.
    n, seed : int
        How many pictures, and of which garden.
    processes : int, optional
        How many processes share the work; as many as there are cores, where it pays.
    progress : Progress
        Told how many pictures are drawn.
    """
    rows = np.lib.format.open_memmap(path, mode="w+", dtype=store.ROW, shape=(n,))
    shares = processes or max(1, min(_cores(), n // _WORTH_A_PROCESS))
    helpers: list[subprocess.Popen[bytes]] = []
    try:
        with suppress(OSError):  # no more processes to be had
            helpers += (_helper(path, seed, share, shares) for share in range(1, shares))
        for index in range(0, n, shares):
            store.paint_row(rows, index, seed=seed)
            progress("drawing pictures", int(store.done(rows).sum()), n)
        for helper in helpers:
            helper.wait()
    except BaseException:
        for helper in helpers:
            helper.kill()
            helper.wait()
        raise
    _draw_missing(rows, seed, progress)
    rows.flush()


def _draw_missing(rows: NDArray[np.void], seed: int, progress: Progress) -> None:
    n = len(rows)
    missing = np.flatnonzero(~store.done(rows))
    for count, index in enumerate(missing):
        progress("drawing pictures", n - len(missing) + count, n)
        store.paint_row(rows, int(index), seed=seed)
    progress("drawing pictures", n, n)


def _helper(path: Path, seed: int, share: int, shares: int) -> subprocess.Popen[bytes]:
    words = (str(word) for word in (path, seed, share, shares))
    root = str(Path(__file__).resolve().parents[3])
    found = [root, os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else [root]
    return subprocess.Popen(
        [sys.executable, "-m", "embedlab.data.garden.worker", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(found)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
