"""Pixel similarity of many pictures: the whole matrix against isometric coordinates.

The plain way holds n x 196,608 floats and multiplies for every query. Ours goes over the pictures
once and keeps n x n coordinates with the same dot products. Each way is a process of its own, so
that its memory can be told.

    python benchmarks/pixels.py
    python benchmarks/pixels.py --pictures 3670 --ways ours
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from extraction import pictures

from embedlab.data.dataset import Dataset
from embedlab.data.preprocessing import Preprocessing
from embedlab.models.plain import plain_vectors

SEEN = Preprocessing(256, 256, "bilinear")


def plain_way(dataset: Dataset) -> np.ndarray:
    """Hold everything."""
    seen = np.stack([SEEN.see(dataset.pictures.open(i)) for i in range(len(dataset))])
    return SEEN.normalise(seen).reshape(len(dataset), -1)


def our_way(dataset: Dataset) -> np.ndarray:
    """Hold coordinates."""
    return np.asarray(plain_vectors(dataset, SEEN)["pixels"].vectors)


WAYS = {"plain": plain_way, "ours": our_way}


def turn(way: str, dataset: Dataset, result: Path) -> None:
    """Do it one way; keep the dot products of the first pictures, print what it took."""
    process = psutil.Process()
    before = process.memory_info().rss
    began = time.perf_counter()
    vectors = WAYS[way](dataset)
    made = time.perf_counter() - began
    began = time.perf_counter()
    for i in range(20):
        vectors @ vectors[i]
    query = (time.perf_counter() - began) / 20
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    np.save(result, vectors[:200] @ vectors[:200].T)
    print(
        f"{way:6} {vectors.shape!s:16} made in {made:6.1f} s, peak {peak / 1e6:6.0f} MB above "
        f"the start, a query {query * 1e3:7.2f} ms"
    )


def main() -> None:
    """Run the comparison, or one turn of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="pictures; by default photographs or drawings")
    parser.add_argument("--pictures", type=int, default=734)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        if options.result:
            dataset = pictures(options.folder, options.pictures, place / "drawn")
            turn(options.ways[0], dataset, options.result)
            return
        os.environ["EMBEDLAB_HOME"] = str(place / "home")
        dots = []
        for way in options.ways:
            result = place / f"{way}.npy"
            command = [sys.executable, __file__, "--ways", way, "--result", str(result)]
            command += ["--pictures", str(options.pictures)]
            command += ["--folder", str(options.folder)] if options.folder else []
            subprocess.run(command, check=True)
            dots.append(np.load(result).astype(np.float64))
        if len(dots) == 2:
            length = np.sqrt(np.diag(dots[0]))
            worst = (np.abs(dots[0] - dots[1]) / np.outer(length, length)).max()
            print(f"largest difference of a cosine: {worst:.1e}")


if __name__ == "__main__":
    main()
