"""Dataset through a body: embeddings, thumbnails and what the model saw, at one decode each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.dataset import Dataset, Skipped
from embedlab.data.pictures import thumbnail
from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.models.lookahead import each_picture
from embedlab.models.parts import PART, Chained, Part, each
from embedlab.progress import Progress, silent

NOT_FINITE = "the body gave numbers that are not finite"
# Part of every cache key: raise it when the same picture and weights would give something else.
_VERSION = 1


class Body(Protocol):
    """Whatever turns what the model sees into vectors."""

    def embed_seen(self, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn pictures of shape (n, size, size, 3), uint8, into vectors of shape (n, d)."""
        ...


@dataclass(frozen=True, eq=False)
class Extraction:
    """What came of the pictures. Row i of everything belongs to picture ``rows[i]``.

    Parameters
    ----------
    rows : ndarray of shape (m,), int64
        The dataset's rows that were embedded, ascending.
    embeddings : ndarray of shape (m, d), float32
        All finite.
    thumbnails, inputs : sequences of bytes, m of each
        JPEGs of the pictures, and of what the model saw of them.
    failed : tuple of Skipped
        Pictures that were left out, and why.
    """

    rows: NDArray[np.int64]
    embeddings: NDArray[np.float32]
    thumbnails: Sequence[bytes]
    inputs: Sequence[bytes]
    failed: tuple[Skipped, ...]

    def __post_init__(self) -> None:
        lengths = {
            len(self.rows),
            len(self.embeddings),
            len(self.thumbnails),
            len(self.inputs),
        }
        if len(lengths) != 1:
            raise ValueError(f"rows, embeddings, thumbnails and inputs differ: {lengths}")


def extract(
    dataset: Dataset,
    body: Body,
    preprocessing: Preprocessing,
    *,
    batch_size: int = 16,
    work: Path | None = None,
    progress: Progress = silent,
) -> Extraction:
    """Embed every picture of a dataset.

    Each picture is decoded once, in threads beside the network; it stays 8-bit until its batch.

    Parameters
    ----------
    dataset : Dataset
    body : Body
        An `OnnxBody` on a CPU, a `TorchBody` on a GPU.
    preprocessing : Preprocessing
        The body's own.
    batch_size : int
        How many pictures go through the body at a time. The vectors do not depend on it.
    work : Path, optional
        A folder for parts of 256 pictures: whatever is finished there is not computed again, so
        that work that was stopped goes on and finished work costs nothing. Its name must stand
        for the content, as `embedding_cache` makes it.
    progress : Progress

    Returns
    -------
    Extraction

    Raises
    ------
    EmbedlabError
        If not one picture can be decoded, or the body gives no finite numbers at all.
    """
    if batch_size < 1:
        raise EmbedlabError(f"The batch size is {batch_size}.", remedy="It must be at least 1.")
    n = len(dataset)
    sizes = {start: min(PART, n - start) for start in range(0, n, PART)}
    kept = {start: Part.load(work, start, size) for start, size in sizes.items()} if work else {}
    parts = {start: part for start, part in kept.items() if part}
    missing = [start for start in sizes if start not in parts]
    done = n - sum(sizes[start] for start in missing)
    progress("embedding pictures", done, n)
    rows = (row for start in missing for row in range(start, start + sizes[start]))
    looks = each_picture(dataset, rows, lambda picture: _look(picture, preprocessing))
    for start in missing:
        part = Part()
        coming = islice(looks, sizes[start])
        while batch := list(islice(coming, batch_size)):
            _embed(part, batch, body, dataset.ids)
            done += len(batch)
            progress("embedding pictures", done, n)
        parts[start] = part.save(work, start) if work else part
    return _joined([parts[start] for start in sizes], n)


def embedding_cache(dataset: Dataset, body_digest: str, preprocessing: Preprocessing) -> Path:
    """Name the folder in which the embeddings of these pictures by this body are kept.

    Parameters
    ----------
    dataset : Dataset
    body_digest : str
        Stands for the body's architecture, weights and cut; see `Network.body_digest`.
    preprocessing : Preprocessing

    Returns
    -------
    Path
        A folder below ``home("cache", "embeddings")``, named by a SHA-256 of all of them.
    """
    key = content_key(dataset, body_digest, json.dumps(preprocessing.to_dict()))
    return home("cache", "embeddings") / key


def content_key(dataset: Dataset, *facts: str) -> str:
    """Make one key (64 hexadecimal digits) of the pictures' content, in order, and of facts."""
    digest = hashlib.sha256(f"{_VERSION}\0{len(dataset)}".encode())
    for i in range(len(dataset)):
        digest.update(dataset.pictures.digest(i).encode())
    digest.update("\0".join(facts).encode())
    return digest.hexdigest()


_Look = tuple[NDArray[np.uint8], bytes, bytes]


def _look(picture: Image.Image, preprocessing: Preprocessing) -> _Look:
    seen = preprocessing.see(picture)
    return seen, thumbnail(picture), thumbnail(Image.fromarray(seen))


def _embed(
    part: Part, batch: list[tuple[int, _Look | Skipped]], body: Body, ids: Sequence[str]
) -> None:
    """Add a batch to a part."""
    part.failed += [found for _, found in batch if isinstance(found, Skipped)]
    good = [(row, found) for row, found in batch if not isinstance(found, Skipped)]
    if not good:
        return
    vectors = body.embed_seen(np.stack([look[0] for _, look in good]))
    if vectors.ndim != 2 or len(vectors) != len(good):
        raise ValueError(f"a body gave the shape {vectors.shape} for {len(good)} pictures")
    finite = [bool(np.isfinite(vector).all()) for vector in vectors]
    rows = [row for row, _ in good]
    part.failed += [
        Skipped(ids[row], NOT_FINITE) for row, fine in zip(rows, finite, strict=True) if not fine
    ]
    kept = [pair for pair, fine in zip(good, finite, strict=True) if fine]
    if kept:
        part.embeddings.append(vectors[finite].astype(np.float32, copy=False))
        part.rows += [row for row, _ in kept]
        part.thumbnails = [*each(part.thumbnails), *(look[1] for _, look in kept)]
        part.inputs = [*each(part.inputs), *(look[2] for _, look in kept)]


def _joined(parts: list[Part], n: int) -> Extraction:
    failed = tuple(skipped for part in parts for skipped in part.failed)
    vectors = [block for part in parts for block in part.embeddings]
    if not vectors:
        if not n:
            raise EmbedlabError("There are no pictures to embed.", remedy="Give at least one.")
        diverged = failed[0].reason == NOT_FINITE
        raise EmbedlabError(
            f"None of the {n} pictures could be embedded; {failed[0].id}: {failed[0].reason}",
            remedy="Was it trained with too high a learning rate?" if diverged else "",
        )
    return Extraction(
        rows=np.array([row for part in parts for row in part.rows], np.int64),
        embeddings=np.concatenate(vectors),
        thumbnails=Chained([part.thumbnails for part in parts]),
        inputs=Chained([part.inputs for part in parts]),
        failed=failed,
    )
