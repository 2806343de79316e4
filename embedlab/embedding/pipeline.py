"""Pictures through a body, a chunk at a time, so that memory does not grow with their number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

from embedlab.asked import check_batch_size
from embedlab.data.dataset import Dataset, Skipped
from embedlab.embedding.embedder import Embedder
from embedlab.embedding.ledger import Block, Ledger, Part
from embedlab.embedding.spool import as_text
from embedlab.embedding.stream import Stream
from embedlab.errors import EmbedlabError
from embedlab.models.extraction import NOT_FINITE
from embedlab.models.lookahead import THREADS, each_picture
from embedlab.progress import Progress, silent

CHUNK = 256
READERS = 4
# Part of every key: raise it when the same picture and model would give something else.
_VERSION = "embed-1"


def embed_stream(
    stream: Stream,
    embedder: Embedder,
    ledger: Ledger,
    *,
    batch_size: int = 16,
    progress: Progress = silent,
) -> list[str]:
    """Embed every picture of a stream into a ledger.

    Parameters
    ----------
    stream : Stream
        n pictures.
    embedder : Embedder
    ledger : Ledger
        What is finished there, of the same pictures by content, is not computed again.
    batch_size : int
        How many pictures go through the body at a time. The vectors do not depend on it.
    progress : Progress

    Returns
    -------
    list of str
        The keys of the ledger's parts, in order: one for each `CHUNK` pictures.

    Raises
    ------
    EmbedlabError
        If the batch size is below 1, or not one picture could be embedded.
    """
    check_batch_size(batch_size)
    n, keys = len(stream), []
    n_embedded, first = 0, None
    progress("embedding pictures", 0, n)
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        dataset = stream.chunk(start, stop)
        key = _key(embedder, dataset)
        part = ledger.find(key)
        if part is None:

            def report(done: int, before: int = start) -> None:
                progress("embedding pictures", before + done, n)

            part = embed_part(embedder, dataset, batch_size, report)
            ledger.keep(key, part)
        keys.append(key)
        n_embedded += len(part.numbers)
        first = first or next(iter(part.skipped), None)
        progress("embedding pictures", stop, n)
    if not n_embedded:
        why = f"; {first.id}: {first.reason}" if first else ""
        what = f"None of the {n:,} pictures could" if n > 1 else "The one picture could not"
        raise EmbedlabError(f"{what} be embedded{why}")
    return keys


def _key(embedder: Embedder, dataset: Dataset) -> str:
    """Stand for all that decides what a part holds."""

    def content(i: int) -> str:
        try:
            return dataset.pictures.digest(i)
        except OSError:  # it may be readable when the work is taken up again
            return ""

    digest = hashlib.sha256(f"{_VERSION}\0{embedder.key}\n".encode())
    with ThreadPoolExecutor(READERS) as pool:
        contents = pool.map(content, range(len(dataset)))
        for i, (id_, held) in enumerate(zip(dataset.ids, contents, strict=True)):
            facts = (id_, _path(dataset, i), _label(dataset, i), held)
            digest.update("\0".join(facts).encode() + b"\n")
    return digest.hexdigest()


def embed_part(
    embedder: Embedder,
    dataset: Dataset,
    batch_size: int,
    report: Callable[[int], None] = lambda _: None,
    *,
    n_threads: int = THREADS,
) -> Part:
    """Embed the pictures of a dataset that fits into memory; those that cannot be are skipped."""
    done = 0
    skipped: list[Skipped] = []
    numbers: list[int] = []
    vectors = []
    see = embedder.preprocessing.see
    coming = each_picture(dataset, range(len(dataset)), see, n_threads=n_threads)
    while batch := list(islice(coming, batch_size)):
        done += len(batch)
        report(done)
        skipped += [found for _, found in batch if isinstance(found, Skipped)]
        good = [(row, seen) for row, seen in batch if not isinstance(seen, Skipped)]
        if not good:
            continue
        made = embedder.body.embed_seen(np.stack([seen for _, seen in good]))
        finite = np.asarray(np.isfinite(made).all(axis=1), bool)
        for (row, _), fine in zip(good, finite, strict=True):
            if fine:
                numbers.append(row)
            else:
                skipped.append(Skipped(dataset.ids[row], NOT_FINITE))
        vectors.append(np.asarray(made[finite], np.float32))
    block = Block(
        np.concatenate(vectors) if numbers else np.empty((0, 0), np.float32),
        np.array([dataset.ids[i] for i in numbers], str),
        np.array([_path(dataset, i) for i in numbers], str),
        np.array([_label(dataset, i) for i in numbers], str),
    )
    return Part(block, np.array(numbers, np.int64), skipped)


def _path(dataset: Dataset, i: int) -> str:
    path = dataset.pictures.path(i)
    return "" if path is None else as_text(path)


def _label(dataset: Dataset, i: int) -> str:
    return "" if dataset.labels is None else dataset.classes[dataset.labels[i]]
