"""Peak memory of `embedlab embed` on 1,000 and on 20,000 pictures.

    python benchmarks/bulk.py [--model small] [--resize 64] [--few 1000] [--many 20000]

The pictures are drawn once and linked under many names, so that there are as many files to list,
read and embed as it says. Each call is a process of its own; its peak is what the system counted.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

DRAWN, CLASSES = 200, 5


def lay_out(folder: Path, n: int, drawn: list[Path]) -> Path:
    """Link n pictures into class folders."""
    for k in range(n):
        target = folder / f"class {k % CLASSES}" / f"{k}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(drawn[k % len(drawn)])
    return folder


def draw(folder: Path) -> list[Path]:
    """Draw noisy pictures of about 20 kB."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    paths = []
    for k in range(DRAWN):
        rough = Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8))
        buffer = io.BytesIO()
        rough.resize((320, 240), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
        paths.append(folder / f"{k}.jpg")
        paths[-1].write_bytes(buffer.getvalue())
    return paths


def measure(source: Path, output: Path, options: list[str]) -> dict[str, float]:
    """Run the command once; give its seconds and its peak of resident memory in MB."""
    command = [sys.executable, "-m", "embedlab", "embed", str(source), str(output), *options, "-q"]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    scale = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB here
    return {"seconds": time.monotonic() - started, "peak_mb": usage.ru_maxrss * scale / 1e6}


def main() -> None:
    """Measure both and print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="small")
    parser.add_argument("--weights")
    parser.add_argument("--resize", default="64")
    parser.add_argument("--format", default="npy")
    parser.add_argument("--dimensions")
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=20_000)
    chosen = parser.parse_args()
    options = ["-m", chosen.model, "--resize", chosen.resize, "--device", "cpu"]
    options += ["--weights", chosen.weights] if chosen.weights else []
    options += ["-d", chosen.dimensions] if chosen.dimensions else []
    found = {}
    with tempfile.TemporaryDirectory() as place:
        drawn = draw(Path(place) / "drawn")
        for n in (chosen.few, chosen.many):
            source = lay_out(Path(place) / str(n), n, drawn)
            output = Path(place) / f"{n}.{chosen.format}"
            found[n] = {
                **measure(source, output, options),
                "output_mb": output.stat().st_size / 1e6,
            }
            row = found[n]
            print(
                f"{n:>7,} pictures: peak {row['peak_mb']:6.0f} MB, {row['seconds']:6.1f} s, "
                f"{n / row['seconds']:6.1f} a second, matrix {row['output_mb']:.1f} MB"
            )
    few, many = (found[n]["peak_mb"] for n in (chosen.few, chosen.many))
    print(f"ratio of the peaks: {many / few:.3f}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
