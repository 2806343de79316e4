"""Arrays and texts as bytes for the browser: a JSON header, then the arrays, each aligned."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGN = 8


def _padded(data: bytes, fill: bytes = b"\0") -> bytes:
    return data + fill * (-len(data) % _ALIGN)


def pack(arrays: Mapping[str, NDArray[Any]], **texts: Any) -> bytes:
    """Join arrays and JSON values into one piece that linked_map/frontend/pack.js takes apart.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Of dtype float32, int32, uint32, uint16 or uint8; stored little-endian, C order.
    **texts
        Any JSON values.

    Returns
    -------
    bytes
        uint32 length of the header, 4 bytes of nothing, the header (JSON, UTF-8) with each
        array's type, offset after the header and number of elements, then the arrays, aligned
        to 8 bytes.
    """
    places = {}
    body = []
    offset = 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array)
        little = data.astype(data.dtype.newbyteorder("<"), copy=False).tobytes()
        places[name] = [data.dtype.name, offset, data.size]
        body.append(_padded(little))
        offset += len(body[-1])
    header = _padded(json.dumps({"arrays": places, **texts}).encode(), b" ")
    return b"".join([len(header).to_bytes(8, "little"), header, *body])


def rows_to_bits(rows: NDArray[np.int64], n: int) -> str:
    """Write a set of rows as one bit a row, lowest bit first, in base64."""
    mask = np.zeros(n, np.uint8)
    mask[rows] = 1
    return base64.b64encode(np.packbits(mask, bitorder="little").tobytes()).decode()


def bits_to_rows(bits: str, n: int) -> NDArray[np.int64]:
    """Read what `rows_to_bits` wrote; bits beyond n are passed over.

    Raises
    ------
    ValueError
        If the text is not base64, or too short for n rows.
    """
    data = np.frombuffer(base64.b64decode(bits, validate=True), np.uint8)
    if len(data) < (n + 7) // 8:
        raise ValueError(f"{len(data)} bytes cannot hold {n} rows")
    return np.flatnonzero(np.unpackbits(data, count=n, bitorder="little"))
