"""Thumbnails for the browser, many to a sheet.

A sheet holds the encoded JPEGs of `PER_SHEET` rows, one after the other, with their offsets. The
browser fetches a sheet once and decodes only the pictures that are looked at. A sheet that is one
big picture would need decoding here and fill the browser's memory (10,000 thumbnails of 96 px:
370 MB decoded, 40 MB encoded).
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from embedlab.ui.packing import pack

PER_SHEET = 256
_KEPT = 32
_sheets: OrderedDict[tuple[str, int], Sheet] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Sheet:
    """One sheet: its bytes, and a name made from them."""

    data: bytes
    name: str


def n_sheets(n: int) -> int:
    """Say how many sheets n pictures fill."""
    return -(-n // PER_SHEET)


def sheet(token: str, number: int, n: int, picture: Callable[[int], bytes]) -> Sheet:
    """Give one sheet, from memory where it was asked for before.

    Parameters
    ----------
    token : str
        Stands for the set of pictures and their order; another set has another token.
    number : int
        Which sheet: it holds the rows from ``number * PER_SHEET`` on.
    n : int
        How many pictures the set has.
    picture : callable
        Gives the encoded picture of a row.
    """
    key = (token, number)
    with _lock:
        if key in _sheets:
            _sheets.move_to_end(key)
            return _sheets[key]
    first = number * PER_SHEET
    pictures = [picture(row) for row in range(first, min(first + PER_SHEET, n))]
    offsets = np.cumsum([0, *map(len, pictures)], dtype=np.uint32)
    joined = np.frombuffer(b"".join(pictures), np.uint8)
    data = pack({"offsets": offsets, "pictures": joined}, token=token, first=first)
    made = Sheet(data, hashlib.blake2b(data, digest_size=16).hexdigest())
    with _lock:
        _sheets[key] = made
        while len(_sheets) > _KEPT:
            _sheets.popitem(last=False)
    return made
