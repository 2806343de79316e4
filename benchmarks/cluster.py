"""What a picture costs, by the local engine and by Ray with one and two workers.

    python benchmarks/cluster.py [--model mobilenet_v2] [--limit 1500]

The flower photographs and weights that EMBEDLAB_TEST_DATA names, or else drawn flowers and random
weights. Each call is a process of its own. Starting is measured by itself, on a single picture, and
taken off; what is left is spread over the pictures.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENGINES = {
    "local": [],
    "ray, 1 worker": ["--engine", "ray", "--workers", "1"],
    "ray, 2 workers": ["--engine", "ray", "--workers", "2"],
}


def pictures(place: Path) -> tuple[Path, list[str]]:
    """Give a folder of pictures, and the options that say which weights."""
    shared = Path(os.environ.get("EMBEDLAB_TEST_DATA") or ROOT.parent / "shared")
    photos = shared / "data" / "flower_photos"
    if photos.is_dir():
        return photos, ["--weights", str(shared / "weights" / "mobilenet_v2-imagenet.pth")]
    from PIL import Image

    from embedlab.data.garden import draw, flower

    place.mkdir()
    for k in range(300):
        Image.fromarray(draw(flower(k))).save(place / f"{k}.jpg", quality=90)
    return place, ["--weights", "random"]


def seconds(source: Path, target: Path, options: list[str]) -> float:
    """Time the command once."""
    shutil.rmtree(target, ignore_errors=True)
    target.with_suffix(".parquet").unlink(missing_ok=True)
    output = target if "ray" in options else target.with_suffix(".parquet")
    words = [sys.executable, "-m", "embedlab", "embed", str(source), str(output), *options, "-q"]
    started = time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="mobilenet_v2")
    parser.add_argument("--limit", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        source, weights = pictures(Path(place) / "pictures")
        os.environ.setdefault("EMBEDLAB_HOME", str(Path(place) / "home"))
        common = ["-m", asked.model, *weights]
        seconds(source, Path(place) / "warm", [*common, "--limit", "2"])  # exports the body
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ENGINES}
        for _ in range(asked.rounds):
            for name, engine in ENGINES.items():
                target = Path(place) / "out"
                start = seconds(source, target, [*common, *engine, "--limit", "1"])
                whole = seconds(source, target, [*common, *engine, "--limit", str(asked.limit)])
                found[name].append((start, (whole - start) / (asked.limit - 1)))
    local = min(each for _, each in found["local"])
    for name, rounds in found.items():
        start, each = (min(values) for values in zip(*rounds, strict=True))
        print(
            f"{name:16} starts in {start:5.1f} s, then {1000 * each:6.2f} ms a picture "
            f"({1 / each:6.1f} a second, {local / each:4.2f} times the local engine)"
        )


if __name__ == "__main__":
    main()
