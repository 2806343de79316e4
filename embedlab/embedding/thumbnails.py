"""Small copies of the pictures of a stream, made when they are asked for."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.dataset import Skipped
from embedlab.data.pictures import thumbnail
from embedlab.embedding.pipeline import CHUNK
from embedlab.embedding.stream import Stream
from embedlab.models.lookahead import each_picture

SIDE = 64

Thumbnails = Callable[[NDArray[np.int64]], Iterator[bytes]]


def thumbnails(stream: Stream, numbers: NDArray[np.int64]) -> Iterator[bytes]:
    """Make thumbnails of some pictures of a stream.

    Parameters
    ----------
    stream : Stream
    numbers : ndarray of int64
        Ascending.

    Yields
    ------
    bytes
        A JPEG of at most 64 px for each; grey where the picture has vanished since it was
        embedded.
    """
    for start in range(0, len(stream), CHUNK):
        here = numbers[(numbers >= start) & (numbers < start + CHUNK)]
        if not len(here):
            continue
        dataset = stream.chunk(start, min(start + CHUNK, len(stream)))
        for _, found in each_picture(dataset, (here - start).tolist(), _small):
            yield _grey() if isinstance(found, Skipped) else found


def _small(picture: Image.Image) -> bytes:
    return thumbnail(picture, side=SIDE)


def _grey() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (128, 128, 128)).save(file, "JPEG")
    return file.getvalue()
