"""A run's pictures through its body once more, with the vectors of every depth kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedlab.data.dataset import Dataset, Skipped
from embedlab.data.preprocessing import Preprocessing
from embedlab.files import write_json
from embedlab.originals import Originals, originals
from embedlab.progress import Progress, silent
from embedlab.runs import EMBEDDING, Run

if TYPE_CHECKING:
    from embedlab.models.cuts import Cut
    from embedlab.models.depths import TorchDepths

_FLUSH = 256
_SAME = 1e-4  # of vectors' lengths; different arithmetic stays well below it


@dataclass(frozen=True)
class Kept:
    """The vectors of one cut, kept in the run.

    Parameters
    ----------
    name : str
        The cut.
    vectors : str
        The set of vectors.
    shape : tuple of int
        What comes out there for a picture, before it is pooled to a vector.
    end : bool
        Whether it is where the body ends.
    """

    name: str
    vectors: str
    shape: tuple[int, ...]
    end: bool = False


def own_size(run: Run, size: int | None) -> bool:
    """Say whether pictures of this size are those that the run was made with."""
    return run.preprocessing is not None and size in (None, run.preprocessing.size)


def layer_name(cut: str, size: int | None = None) -> str:
    """Name the set of vectors at a cut; with the size, where it is not the run's own.

    Examples
    --------
    >>> layer_name("stage2"), layer_name("stage2", 96)
    ('layer-stage2', 'layer-stage2-96px')
    """
    return f"layer-{cut}" + ("" if size is None else f"-{size}px")


def keep_depths(
    run: Run,
    *,
    size: int | None = None,
    batch_size: int = 16,
    device: str = "auto",
    progress: Progress = silent,
) -> tuple[list[Kept], int]:
    """Keep the vectors of a run's pictures at every cut of its body, as sets of the run.

    Where the last stage's average is what the body gives, both are one. Where that is the
    run's embedding, no second copy of it is kept.

    Parameters
    ----------
    run : Run
        One with body.safetensors.
    size, batch_size, device, progress
        As for `embedlab.layers.make_layers`.

    Returns
    -------
    kept : list of Kept
        From the first stage to the end.
    n_small : int
        Of how many pictures only the small copy was at hand.
    """
    from embedlab.lab import workspace
    from embedlab.models.backbones import build
    from embedlab.models.depths import TorchDepths
    from embedlab.models.device import keep_freed_memory, pick_device

    assert run.preprocessing is not None
    seen_as = run.preprocessing
    if not own_size(run, size):
        seen_as = Preprocessing.from_dict({**seen_as.to_dict(), "size": size, "resize": size})
    weights = run.folder / "body.safetensors"
    network = build(
        str(run.info["backbone"]["name"]), n_classes=1, weights=weights, size=seen_as.size
    )
    pictures = originals(run, progress=progress)
    dataset = Dataset(run.title, tuple(run.items["id"].astype(str)), pictures)
    facts = {"layers of": run.fingerprint, "size": seen_as.size, "device": device}
    with workspace(dataset, facts, None) as place:
        if (at := pick_device(device)).type == "cpu":
            keep_freed_memory()
        body = TorchDepths(network, seen_as, at)
        matrix, n_small = _passed(body, dataset, pictures, seen_as, place, batch_size, progress)
        kept = _kept(run, body.cuts, body.places, matrix, size, n_small)
        del matrix  # Windows does not delete what is mapped
    return kept, n_small


def _passed(
    body: TorchDepths,
    dataset: Dataset,
    pictures: Originals,
    preprocessing: Preprocessing,
    place: Path,
    batch_size: int,
    progress: Progress,
) -> tuple[NDArray[np.float32], int]:
    """Fill a matrix on disk, a row a picture and all depths side by side, or go on filling it."""
    from embedlab.models.lookahead import each_picture

    n, width = len(dataset), max(columns.stop for columns in body.places.values())
    matrix = _on_disk(place / "vectors.npy", (n, width), np.float32)
    small = _on_disk(place / "small.npy", (n,), np.bool_)
    mark = place / "done.json"
    done = int(json.loads(mark.read_text(encoding="utf-8"))) if mark.exists() else 0
    looks = each_picture(dataset, range(done, n), preprocessing.see)
    while batch := list(islice(looks, batch_size)):
        rows = [row for row, _ in batch]
        good = [(row, seen) for row, seen in batch if not isinstance(seen, Skipped)]
        matrix[rows] = np.nan
        if good:
            found = body.embed_seen(np.stack([seen for _, seen in good]))
            matrix[[row for row, _ in good]] = found
        small[rows] = [row in pictures.small for row in rows]
        now = rows[-1] + 1
        if now // _FLUSH > done // _FLUSH:
            matrix.flush()
            small.flush()
            write_json(mark, now)
        done = now
        progress("sending pictures through the body", done, n)
    return matrix, int(small.sum())


def _on_disk(path: Path, shape: tuple[int, ...], kind: Any) -> np.memmap[Any, Any]:
    """Open an array that is being filled, or begin it."""
    if path.exists():
        return np.lib.format.open_memmap(path, mode="r+")
    return np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)


def _kept(
    run: Run,
    cuts: tuple[Cut, ...],
    places: Mapping[str, slice],
    matrix: NDArray[np.float32],
    size: int | None,
    n_small: int,
) -> list[Kept]:
    *stages, end = cuts
    last = matrix[:, places[end.name]]
    if stages and _equal(matrix[:, places[stages[-1].name]], last):
        end = stages.pop()
    own = own_size(run, size)
    suffix = None if own else size
    found = [Kept(cut.name, layer_name(cut.name, suffix), cut.shape) for cut in stages]
    if own and _equal(last, run.embeddings):
        found.append(Kept(end.name, EMBEDDING, end.shape, end=True))
    else:
        found.append(Kept(end.name, layer_name(end.name, suffix), end.shape, end=True))
    for one in found:
        if one.vectors != EMBEDDING:
            at = "" if own else f" at {size} px"
            about = {
                "title": f"Layer {one.name}{at}",
                "what": "The map behind this stage of the body, averaged over its places.",
                "cut": one.name,
                "shape": list(one.shape),
                "size": size or run.preprocessing.size,  # type: ignore[union-attr]
                "from small copies": n_small,
            }
            run.add_vectors(one.vectors, matrix[:, places[one.name]], about)
    return found


def _equal(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    """Say whether two sets of vectors are the same but for rounding."""
    if a.shape != b.shape:
        return False
    apart = np.linalg.norm(np.asarray(a, np.float64) - b, axis=1)
    lengths = np.linalg.norm(np.asarray(b, np.float64), axis=1)
    return bool((apart <= _SAME * lengths).all())
