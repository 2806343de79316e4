"""Time the numbers about vectors against the plain way, in one run; print ratios.

    python benchmarks/space.py            all
    python benchmarks/space.py umap       one part: neighbours, gram, umap, figures

Vectors are random with clusters, 1,280 dimensions, as EfficientNet-B0 makes them. Times are CPU
seconds of one thread, the best of several; only ratios should be compared between machines.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
from threadpoolctl import threadpool_limits

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def best(work: Callable[[], object], repeats: int = 5) -> float:
    """Give the fewest CPU seconds that the work took."""
    times = []
    for _ in range(repeats):
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times)


def clusters(n: int, d: int = 1280) -> np.ndarray:
    """Make n vectors in ten clusters, float32."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, d))
    return np.maximum(centres[rng.integers(10, size=n)] + rng.normal(size=(n, d)), 0).astype("f4")


def report(what: str, plain: float, ours: float) -> None:
    """Print one line of the table."""
    print(
        f"{what:<52} {plain * 1e3:>11,.2f} {ours * 1e3:>11,.2f} {plain / ours:>8.1f}x", flush=True
    )


def neighbours() -> None:
    """Ask for the nine nearest pictures: norms at each call and a full sort, or an index."""
    from embedlab.space.neighbours import NeighbourIndex

    for n in (734, 3670, 60_000):
        x = clusters(n)
        index = NeighbourIndex.of(x)

        def plain(x: np.ndarray = x) -> np.ndarray:
            scores = x @ x[3] / (np.linalg.norm(x, axis=1) * np.linalg.norm(x[3]))
            order: np.ndarray = np.argsort(-scores)
            return order[1:10]

        def ours(index: NeighbourIndex = index) -> np.ndarray:
            return index.nearest(3, 9).rows

        assert plain().tolist() == ours().tolist()
        slow, fast = best(plain, 200), best(ours, 200)
        report(f"one neighbour query, {n:,} x 1280", slow, fast)


def gram() -> None:
    """Compare one picture's pixels with all others', or their compact cloud."""
    from embedlab.space.dimension import compact

    n, d = 734, 196_608
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pixels.npy"
        pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(n, d))
        rng = np.random.default_rng(0)
        for row in range(n):
            pixels[row] = rng.integers(0, 255, size=d)
        pixels = np.load(path, mmap_mode="r")
        whole = pixels.astype(np.float32)
        made = best(lambda: compact(pixels), repeats=1)
        small = compact(pixels)
        slow, fast = best(lambda: whole @ whole[3]), best(lambda: small @ small[3])
        assert np.allclose(whole @ whole[3], small @ small[3], rtol=1e-4)
        report(f"pixel similarity, {n} x {d:,}", slow, fast)
        print(
            f"    compact made once in {made:.2f} s; {whole.nbytes / 2**20:,.0f} MB become "
            f"{small.nbytes / 2**20:,.1f} MB"
        )


FRESH = """
import sys, time
import numpy as np
x = np.load(sys.argv[1])
start = time.process_time()
{work}
first = time.process_time() - start
start = time.process_time()
{again}
print(first, time.process_time() - start)
"""
PLAIN = "from umap import UMAP\nUMAP(random_state=0, metric='cosine', n_jobs=1).fit_transform(x)"
OURS = "from embedlab.space.projections import umap\nview = umap(x)"


def fresh(code: str, path: Path) -> list[float]:
    """Run code in a process of its own, twice; give the CPU seconds of both."""
    work = FRESH.format(work=code, again=code)
    command = [sys.executable, "-W", "ignore", "-c", work, str(path)]
    environment = {**os.environ, **ONE_THREAD, "EMBEDLAB_HOME": str(path.parent)}
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return [float(number) for number in answer.stdout.split()]


def umap() -> None:
    """Lay pictures out in a fresh process, and once more in the same one."""
    with tempfile.TemporaryDirectory() as folder:
        for n in (734, 3670):
            path = Path(folder) / f"{n}.npy"
            np.save(path, clusters(n))
            if n == 734:
                print(f"    first use on a machine, compiling: {fresh(OURS, path)[0]:.1f} s")
            slow, fast = fresh(PLAIN, path), fresh(OURS, path)
            report(f"UMAP of {n:,}, first in a process", slow[0], fast[0])
            report(f"UMAP of {n:,}, again", slow[1], fast[1])


def figures() -> None:
    """Make and serialise a map of 100,000 pictures: plotly express with names, or arrays."""
    import pandas as pd
    import plotly.express as px

    from embedlab.figures.maps import scatter_map

    n = 100_000
    rng = np.random.default_rng(0)
    xy, labels = rng.normal(size=(n, 2)), rng.integers(5, size=n)
    classes = ["daisy", "dandelion", "rose", "sunflower", "tulip"]
    names = [f"{classes[label]}/{row}.jpg" for row, label in enumerate(labels)]

    def plain() -> str:
        table = pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "name": names})
        table["class"] = [classes[label] for label in labels]
        figure = px.scatter(table, x="x", y="y", color="class", hover_name="name")
        return str(figure.to_json())

    small = xy.astype(np.float32)

    def ours() -> str:
        return str(scatter_map(small, labels, classes).to_json())

    report("map of 100,000 as JSON", best(plain, 3), best(ours, 3))
    print(f"    {len(plain()) / 1e6:.1f} MB become {len(ours()) / 1e6:.1f} MB")


PARTS = {"neighbours": neighbours, "gram": gram, "umap": umap, "figures": figures}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(PARTS)
    print(f"{'CPU milliseconds':<52} {'plain':>11} {'ours':>11} {'ratio':>9}")
    with threadpool_limits(1):
        for name in chosen:
            PARTS[name]()
