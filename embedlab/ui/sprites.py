"""Thumbnails for the browser, many to a sheet.

A sheet holds the encoded JPEGs of some rows, one after the other, with their offsets. The browser
fetches a sheet once and decodes only the pictures that are looked at. A sheet that is one big
picture would need decoding here and fill the browser's memory (10,000 thumbnails of 128 px: 650 MB
decoded, 45 MB encoded).
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from embedlab.ui.packing import pack

# Above 1 MiB Streamlit makes a file's address from samples of it, at once; below, from all of it,
# at every run of the page.
_SHEET_BYTES = 5 << 18
_LOOKED_AT = 64  # pictures whose mean size stands for all
_MOST_BYTES = 96 << 20
_lock = threading.Lock()


@dataclass(frozen=True)
class Sprites:
    """The thumbnails of one set of pictures.

    Parameters
    ----------
    token : str
        Stands for the set of pictures and their order; another set has another token.
    n : int
        How many pictures the set has.
    picture : callable
        Gives the encoded picture of a row.
    per_sheet : int
        How many rows are on a sheet.
    n_bytes : int
        About how many bytes all pictures have.
    """

    token: str
    n: int
    picture: Callable[[int], bytes]
    per_sheet: int
    n_bytes: int

    @property
    def n_sheets(self) -> int:
        """How many sheets the pictures fill."""
        return -(-self.n // self.per_sheet)


@dataclass(frozen=True)
class Sheet:
    """One sheet: its bytes, and a name made from them."""

    data: bytes
    name: str


_sizes: dict[str, float] = {}
_sheets: OrderedDict[tuple[str, int], Sheet] = OrderedDict()


def sprites(token: str, n: int, picture: Callable[[int], bytes]) -> Sprites:
    """Divide a set of thumbnails into sheets of a little more than a megabyte.

    Parameters
    ----------
    token, n, picture
        As in `Sprites`.
    """
    if token not in _sizes:
        some = range(0, n, max(1, n // _LOOKED_AT))
        _sizes[token] = sum(len(picture(row)) for row in some) / max(1, len(some))
    size = max(1.0, _sizes[token])
    return Sprites(token, n, picture, max(1, round(_SHEET_BYTES / size)), round(n * size))


def sheet(of: Sprites, number: int) -> Sheet:
    """Give one sheet, from memory where it was asked for before.

    Parameters
    ----------
    of : Sprites
    number : int
        Which sheet: it holds the rows from ``number * of.per_sheet`` on.
    """
    key = (of.token, number)
    with _lock:
        if key in _sheets:
            _sheets.move_to_end(key)
            return _sheets[key]
    first = number * of.per_sheet
    pictures = [of.picture(row) for row in range(first, min(first + of.per_sheet, of.n))]
    offsets = np.cumsum([0, *map(len, pictures)], dtype=np.uint32)
    joined = np.frombuffer(b"".join(pictures), np.uint8)
    data = pack({"offsets": offsets, "pictures": joined}, token=of.token, first=first)
    made = Sheet(data, hashlib.blake2b(data, digest_size=16).hexdigest())
    with _lock:
        _sheets[key] = made
        total = sum(len(kept.data) for kept in _sheets.values())
        while total > _MOST_BYTES and len(_sheets) > 1:
            _, dropped = _sheets.popitem(last=False)
            total -= len(dropped.data)
    return made
