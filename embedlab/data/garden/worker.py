"""Draw a share of a garden's pictures in a process of its own.

``python -m embedlab.data.garden.worker FILE SEED SHARE SHARES`` draws every SHARES-th picture,
from SHARE on, into a file that `build` laid out.
"""

from __future__ import annotations

import sys

import numpy as np

from embedlab.data.garden.store import paint_row


def main(path: str, seed: int, share: int, shares: int) -> None:
    """Draw pictures share, share + shares, share + 2 shares, ... into the file at `path`."""
    rows = np.load(path, mmap_mode="r+", allow_pickle=False)
    for index in range(share, len(rows), shares):
        paint_row(rows, index, seed=seed)
    rows.flush()


if __name__ == "__main__":
    main(sys.argv[1], *(int(word) for word in sys.argv[2:5]))
