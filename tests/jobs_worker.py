"""Stands in for `embedlab` in the tests of jobs: a command that counts, fails, or takes memory."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

from embedlab.errors import EmbedlabError
from embedlab.jobs import ChildReport, current


def count(report: ChildReport, total: int, seconds: float, trace: Path) -> None:
    """Count to `total`, going on from the checkpoint; leave each number in `trace`."""
    checkpoint = report.work / "count.txt"
    first = int(checkpoint.read_text()) if checkpoint.exists() else 0
    for number in range(first, total):
        with trace.open("a") as file:
            file.write(f"{number}\n")
        time.sleep(seconds)
        checkpoint.with_suffix(".new").write_text(str(number + 1))
        checkpoint.with_suffix(".new").replace(checkpoint)
        report.progress("counting", number + 1, total, loss=1 / (number + 1))
    report.result(run="counted")


def pretend(report: ChildReport, stop: Path) -> None:
    """Look like a training until the file `stop` is there, which names the run that it made.

    Two steps are learned, with loss and accuracy; then nothing but validation is reported.
    """
    from embedlab.live import FOLDER, LiveWriter
    from tests.made_films import snapshots
    from tests.made_pictures import coloured

    n = 120  # moments, two an epoch: for longer than any test looks on, also on a slow machine
    writer = LiveWriter(report.folder / FOLDER, coloured(12), epochs=n // 2)
    for k, shot in enumerate(snapshots(n)):
        writer.snapshot(shot)
        report.progress("training", 4 * k + 4, 4 * n, loss=1 / (k + 1), accuracy=k / n)
        time.sleep(0.5)
        if k % 2:
            report.progress("validating", k, n)
            writer.epoch({"event": "epoch", "epoch": shot.epoch, "validation_loss": 1 / (k + 2)})
            time.sleep(1.0)
        if stop.exists():
            report.result(run=stop.read_text())
            return


def main() -> None:
    """Run one of the commands."""
    command, *rest = sys.argv[1:]
    folder = current()
    assert folder is not None
    if command == "usage":
        sys.exit("No such option: --speling")
    with ChildReport(folder) as report:
        if command == "count":
            count(report, int(rest[0]), float(rest[1]), Path(rest[2]))
        elif command == "train" and rest[0] == "pretend":
            pretend(report, Path(rest[1]))
        elif command == "fill" and not (report.work / "enough").exists():
            with (report.work / "fill").open("wb", buffering=0) as file:
                for size in (2**16, 2**12, 1):  # to the last byte
                    with suppress(OSError):
                        while file.write(bytes(size)) == size:
                            pass
                file.write(b"more")
        elif command == "fail":
            raise EmbedlabError("The folder 'birds' is empty.", remedy="Give another one.")
        elif command == "type-error":
            raise TypeError("no such thing")
        elif command == "grow" or rest == ["garden", "--name", "grow"]:
            print("growing", flush=True)
            hoard = []
            while True:
                hoard.append(bytearray(b"x" * 20_000_000))
                time.sleep(0.02)
        elif command == "print":
            print(rest[0])


if __name__ == "__main__":
    main()
