"""Check every picture file once: read it, name it by its content, decode it to its end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from embedlab.data.dataset import Skipped
from embedlab.data.decoding import Facts, PictureError, check
from embedlab.data.listing import Found
from embedlab.progress import Progress, silent

_BATCH = 64


@dataclass(frozen=True)
class Scan:
    """What a scan found.

    Parameters
    ----------
    files : tuple of Found, length n
        The pictures that can be used, in the order given.
    facts : tuple of Facts, length n
        Digest, size and remarks of each.
    skipped : tuple of Skipped
        The others, and why.
    """

    files: tuple[Found, ...]
    facts: tuple[Facts, ...]
    skipped: tuple[Skipped, ...]


def scan(files: Sequence[Found], *, progress: Progress = silent) -> Scan:
    """Check picture files in a few threads.

    Parameters
    ----------
    files : sequence of Found
        Files that may be pictures.
    progress : Progress
        Told how many were checked.

    Returns
    -------
    Scan
    """
    good: list[tuple[Found, Facts]] = []
    skipped: list[Skipped] = []
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        for start in range(0, len(files), _BATCH):
            progress("checking pictures", start, len(files))
            batch = files[start : start + _BATCH]
            for file, result in zip(batch, pool.map(_check, batch), strict=True):
                if isinstance(result, Facts):
                    good.append((file, result))
                else:
                    skipped.append(Skipped(file.id, result))
    progress("checking pictures", len(files), len(files))
    return Scan(tuple(file for file, _ in good), tuple(facts for _, facts in good), tuple(skipped))


def _check(file: Found) -> Facts | str:
    try:
        return check(file.path, name=file.id.rpartition("/")[2])
    except PictureError as error:
        return str(error)
