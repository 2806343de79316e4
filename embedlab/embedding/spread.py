"""Pictures through a body on many machines, into a folder of Parquet files that they share."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from embedlab.asked import check_batch_size, check_limit, check_seed, check_side
from embedlab.data.dataset import Skipped
from embedlab.embedding import parts
from embedlab.embedding.cluster import joined_cluster, make_parts, ray_data, share_of_cluster
from embedlab.embedding.embed import NAMED, Embedded
from embedlab.embedding.embedder import ELSEWHERE, PCA, Embedder, make_embedder
from embedlab.embedding.formats import write_csv
from embedlab.embedding.places import Place
from embedlab.embedding.stream import STANDARD_INPUT, open_spool
from embedlab.errors import EmbedlabError
from embedlab.facts import versions
from embedlab.progress import Progress, silent

ABOUT, SKIPPED = "_embedlab.json", "_skipped.csv"
_VERSION = "parts-1"


def embed_on_ray(
    source: str,
    output: str,
    *,
    model: str = "efficientnet_b0",
    layer: str | None = None,
    size: int | None = None,
    compress: bool = False,
    seed: int = 123,
    batch_size: int = 16,
    device: str = "auto",
    weights: str | Path | None = None,
    limit: int | None = None,
    lines: IO[bytes] | None = None,
    workers: int | None = None,
    progress: Progress = silent,
    announce: Callable[[str], None] = lambda _: None,
) -> Embedded:
    """Embed pictures on a Ray cluster, into a folder of Parquet files.

    The files, read in the order of their names, have the rows that `embedlab.embedding.embed.embed`
    writes. A file is there whole or not at all; when the work is stopped, or machines are lost, the
    same call makes what is missing, and anew what holds pictures that were changed (by their size
    or time).

    Parameters
    ----------
    source : str
        A folder, the URI of one (s3://bucket/photos), or "-" for a list of paths on `lines`. All
        machines of the cluster have to find it under this name.
    output : str
        A folder, or the URI of one; new, or of an earlier call with the same model.
    model, layer, size, weights, seed
        As for `embedlab.embedding.embedder.make_embedder`. The body is sent to the workers.
    compress : bool
    batch_size : int
    device : str
        "auto" takes GPUs where the cluster has some, "cuda" needs them, "cpu" leaves them alone.
    limit, lines, progress
        As for `embedlab.embedding.stream.open_stream`.
    workers : int, optional
        At most so many; by default one for each GPU, or else for each core.
    announce : callable
        Told what a person should know before the work is done.

    Returns
    -------
    Embedded

    Raises
    ------
    EmbedlabError
        If there is no Ray or no cluster, or as from `embedlab.embedding.embed.embed`.
    """
    if model == PCA:
        raise EmbedlabError(
            "PCA needs all vectors at once, which --engine ray never has.",
            remedy="Take --model pixels, and reduce its vectors afterwards.",
        )
    check_batch_size(batch_size)
    check_side(size)
    check_limit(limit)
    check_seed(seed)
    target = Place.of(output)
    with (
        _alone_at(target),
        joined_cluster(),
        tempfile.TemporaryDirectory(prefix="embedlab-") as place,
    ):
        share = share_of_cluster(workers, device)
        embedder = make_embedder(
            model,
            layer=layer,
            size=size,
            weights=weights,
            seed=seed,
            device=ELSEWHERE if share.gpus else "cpu",
            progress=progress,
        )
        key = hashlib.sha256(f"{_VERSION}\0{embedder.key}\0{compress}".encode()).hexdigest()
        _check(target, key, embedder)
        listed = open_spool(
            source,
            Path(place) / "pictures.sqlite",
            lines=lines,
            limit=limit,
            seed=seed,
            progress=progress,
        )
        with closing(listed) as spool:
            notes = [*spool.notes, *([str(embedder.layer)] if embedder.layer else [])]
            for note in notes:
                announce(note)
            d = _n_dims(embedder)
            start = "." if source == STANDARD_INPUT else source
            size_of_parts = parts.part_size(len(spool), d)
            names = parts.list_parts(spool, target, key, size=size_of_parts, progress=progress)
            plan = parts.Plan(
                Place.of(start), target, spool.name, spool.classes, d, names, compress
            )
            n, left_out = len(spool), list(spool.skipped())
        _write_json(target, ABOUT, {"key": key, "model": embedder.name, "done": False})
        made = make_parts(
            plan, embedder, share, batch_size=batch_size, n_pictures=n, progress=progress
        )
        left_out += chain.from_iterable(part.skipped for part in made)
        n_rows = sum(part.n_rows for part in made)
        if not n_rows:
            why = f"; {left_out[0].id}: {left_out[0].reason}" if left_out else ""
            raise EmbedlabError(f"None of the {n:,} pictures could be embedded{why}")
        parts.drop_old_parts(target, plan.names)
        target.remove_folder(parts.LISTING)
        files = [target.name.rstrip("/"), *_list_left_out(target, left_out, Path(place))]
        _write_json(target, ABOUT, _about(plan, embedder, key, n_rows, len(left_out)))
    side = embedder.preprocessing.size
    return Embedded(
        name=plan.name,
        model=embedder.name,
        input_shape=(n_rows, side, side, 3),
        shape=(n_rows, d),
        umap_shape=None,
        layer=embedder.layer,
        files=tuple(files),
        n_skipped=len(left_out),
        skipped=tuple(left_out[:NAMED]),
        notes=tuple(notes),
    )


def _n_dims(embedder: Embedder) -> int:
    """Find the length of a vector by embedding a black picture."""
    side = embedder.preprocessing.size
    return int(embedder.body.embed_seen(np.zeros((1, side, side, 3), np.uint8)).shape[1])


def _about(
    plan: parts.Plan, embedder: Embedder, key: str, n_rows: int, n_left_out: int
) -> dict[str, Any]:
    """Say what lies in a finished output, in JSON values."""
    return {
        "key": key,
        "model": embedder.name,
        "done": True,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "shape": [n_rows, plan.n_dims],
        "classes": list(plan.classes),
        "preprocessing": embedder.preprocessing.to_dict(),
        "layer": embedder.layer.name if embedder.layer else None,
        "parts": len(plan.names),
        "left_out": n_left_out,
        "versions": {**versions(), "ray": ray_data().__version__},
    }


@contextmanager
def _alone_at(target: Place) -> Iterator[None]:
    """Keep a second process out of a folder on this machine; an object store has no locks."""
    if target.folder is None:
        yield
        return
    from filelock import FileLock, Timeout

    try:
        target.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(target.folder / "_lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise EmbedlabError(
            f"{target.name} is being made by another process.", remedy="Wait for it, or stop it."
        ) from None
    except OSError as error:
        raise EmbedlabError(
            f"Nothing can be written to {target.name}: {error.strerror or error}.",
            remedy="Choose another place for the output.",
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):
            (target.folder / "_lock").unlink()
        lock.release()


def _check(target: Place, key: str, embedder: Embedder) -> None:
    """Refuse an output that holds something else."""
    data = target.read(ABOUT)
    if data is None:
        if strange := [name for name in target.names() if name != "_lock"]:
            raise EmbedlabError(
                f"There is something in {target.name} already: {strange[0]}.",
                remedy="Name a new folder.",
            )
        return
    facts = json.loads(data)
    if facts["key"] != key:
        raise EmbedlabError(
            f"{target.name} holds vectors of {facts['model']}, made with other settings than "
            f"these of {embedder.name}.",
            remedy="Name a new folder, or give the settings of the first time.",
        )


def _list_left_out(target: Place, left_out: list[Skipped], place: Path) -> list[str]:
    if not left_out:
        if SKIPPED in target.names():
            target.remove(SKIPPED)
        return []
    write_csv(place / SKIPPED, ("id", "reason"), ((one.id, one.reason) for one in left_out))
    target.write(SKIPPED, (place / SKIPPED).read_bytes())
    return [f"{target.name.rstrip('/')}/{SKIPPED}"]


def _write_json(target: Place, name: str, facts: dict[str, Any]) -> None:
    target.write(name, json.dumps(facts, indent=1, ensure_ascii=False).encode())
