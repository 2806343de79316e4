"""How fast the garden is drawn: milliseconds a picture, the whole garden, and opening it again.

    python benchmarks/garden.py
    python benchmarks/garden.py --pictures 500 --seed 3

Milliseconds a picture are processor time of one process, the better of two rounds; the other
figures are what a person waits.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from embedlab.data.garden import KINDS, draw, flower, garden
from embedlab.data.garden.build import draw_file


def per_picture(pictures: int, seed: int) -> np.ndarray:
    """Measure processor time for each picture, in milliseconds: shape (pictures,)."""
    recipes = [flower(i, seed=seed) for i in range(pictures)]
    for recipe in recipes[:10]:  # seeds, clouds and grass are drawn once in a process
        draw(recipe)
    rounds = np.empty((2, pictures))
    for k in range(2):
        for i, recipe in enumerate(recipes):
            start = time.process_time()
            draw(recipe)
            rounds[k, i] = 1000 * (time.process_time() - start)
    return rounds.min(axis=0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    times = per_picture(options.pictures, options.seed)
    for k, kind in enumerate(KINDS):
        print(f"{kind:<12}{times[k::5].mean():7.1f} ms a picture")
    print(f"{'all':<12}{times.mean():7.1f} ms a picture, slowest {times.max():.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EMBEDLAB_HOME"] = folder
        for processes in (1, os.cpu_count() or 1):
            start = time.perf_counter()
            draw_file(Path(folder) / "x.npy", 750, seed=options.seed, processes=processes)
            print(f"750 pictures, {processes} process(es): {time.perf_counter() - start:.1f} s")
        for what in ("first call", "second call"):
            start = time.perf_counter()
            garden(seed=options.seed)
            print(f"garden(), {what}: {1000 * (time.perf_counter() - start):.0f} ms")


if __name__ == "__main__":
    main()
