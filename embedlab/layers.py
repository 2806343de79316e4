"""How deep to cut: a run's pictures at every depth of its body, and what each depth is worth."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedlab.asked import check_batch_size, check_side
from embedlab.data.dataset import TRAIN, VALIDATION, split
from embedlab.errors import EmbedlabError
from embedlab.models.backbones import BACKBONES
from embedlab.origin import origin
from embedlab.passage import Kept, keep_depths, own_size
from embedlab.progress import Progress, silent
from embedlab.runs import Run
from embedlab.space.dimension import intrinsic_dimension
from embedlab.space.probes import knn_accuracy, linear_probe
from embedlab.space.projections import align, pca
from embedlab.space.scores import Share
from embedlab.views import UmapSettings, kept_umap

K = 10  # neighbours that vote
SCORED = 5000  # more pictures than this are neither fitted on nor scored
PIXELS = "pixels"
_VERSION = 1


@dataclass(frozen=True)
class Depth:
    """One place at which the body can be cut.

    Parameters
    ----------
    name : str
        The cut, as `Network.cuts` has it; "pixels" for the picture itself.
    vectors : str
        The run's set of vectors there.
    shape : tuple of int
        What comes out there for a picture, before it is pooled to a vector.
    n_dims : int
        How many numbers that vector has.
    end : bool
        Whether it is where the body ends and the head begins.
    knn, probe : Share or None
        How many fresh pictures are named rightly by their ten nearest training pictures
        (cosine), and by a linear classifier. None without classes.
    dimension : float or None
        Intrinsic dimension; None where it cannot be told.
    """

    name: str
    vectors: str
    shape: tuple[int, ...]
    n_dims: int
    end: bool
    knn: Share | None
    probe: Share | None
    dimension: float | None


@dataclass(frozen=True, eq=False)
class Layers:
    """A run's pictures at every depth.

    Parameters
    ----------
    size : int
        Side of the pictures that went through the body, in pixels.
    depths : tuple of Depth
        From the picture, where the run has pixels, to the body's end.
    maps : ndarray of shape (n_depths, n_items, 2), float32
        Each depth drawn by PCA; see `over_each_other`.
    n_fitted, n_scored : int
        How many pictures the scores were fitted on, and measured on.
    own_split : bool
        Whether those are of the run's training and validation parts; else a split was made.
    n_small : int
        Of how many pictures only the small copy was at hand.
    """

    size: int
    depths: tuple[Depth, ...]
    maps: NDArray[np.float32]
    n_fitted: int
    n_scored: int
    own_split: bool
    n_small: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the depths, the shallowest first."""
        return tuple(depth.name for depth in self.depths)

    def best(self, score: str) -> Depth | None:
        """Give the depth with the highest "knn" or "probe", the shallowest of equals."""
        found: Depth | None = None
        most = -1.0
        for depth in self.depths:
            share: Share | None = getattr(depth, score)
            if share is not None and share.total and share.value > most:
                found, most = depth, share.value
        return found


def refusal(run: Run) -> EmbedlabError | None:
    """Say why a run's body cannot be cut at other depths; None where it can."""
    name = str(run.info.get("backbone", {}).get("name", ""))
    backbone = BACKBONES.get(name)
    if origin(run) == "vectors":
        return EmbedlabError(
            f"{run.title} was made of vectors; the network behind them is not known here.",
            remedy="Choose a run that was made with a network.",
        )
    if backbone and backbone.kind == "plain":
        return EmbedlabError(
            f"{run.title} has no network: its embedding is {backbone.title.lower()}.",
            remedy="Choose a run that was made with a network.",
        )
    if backbone and run.preprocessing and (run.folder / "body.safetensors").exists():
        return None
    if run.body is not None:
        return EmbedlabError(
            f"The body of {run.title} is an ONNX file, of which only the end is known.",
            remedy="Import the file again with --output NAME for each depth, a tensor or node "
            "inside, and compare those runs; or choose one of embedlab's backbones.",
        )
    return EmbedlabError(
        f"{run.title} was kept without the body of its network, so it cannot be cut anywhere.",
        remedy="Choose a run that was trained or embedded with a network.",
    )


def kept_layers(run: Run, *, size: int | None = None) -> Layers | None:
    """Read what `make_layers` has kept in the run; None where it was not called."""
    kept = run.load_projection(_key(run, size))
    if kept is None:
        return None
    values = json.loads(str(kept["layers"]))
    depths = tuple(_depth_from(depth) for depth in values.pop("depths"))
    if any(depth.vectors not in run.vector_sets for depth in depths):
        return None
    return Layers(depths=depths, maps=kept["maps"], **values)


def kept_sizes(run: Run) -> list[int]:
    """Give the sizes of picture whose layers are kept, the run's own first."""
    if run.preprocessing is None:
        return []
    own = run.preprocessing.size
    sets = [name for name in run.vector_sets if name.startswith("layer-")]
    sizes = {int(run.about_vectors(name).get("size", own)) for name in sets} | {own}
    ordered = sorted(sizes, key=lambda size: (size != own, size))
    return [size for size in ordered if kept_layers(run, size=size) is not None]


def make_layers(
    run: Run,
    *,
    size: int | None = None,
    batch_size: int = 16,
    device: str = "auto",
    progress: Progress = silent,
) -> Layers:
    """Send a run's pictures through its body, keep the vectors of every depth, and score them.

    The vectors become sets of the run: ``run.vectors("layer-stage2")``. Work that was stopped
    goes on where it was. Needs torch; meant for a job's process.

    Parameters
    ----------
    run : Run
        One that has its body's weights.
    size : int, optional
        Side of the pictures in pixels; the run's own by default.
    batch_size : int
        How many pictures go through the body at a time.
    device : str
        "auto", "cpu", "cuda" or "mps".
    progress : Progress

    Returns
    -------
    Layers

    Raises
    ------
    EmbedlabError
        If there is no body, the size will not do, or another process is at it.
    """
    check_side(size)
    check_batch_size(batch_size)
    kept = kept_layers(run, size=size)
    if kept is not None:
        return kept
    if (reason := refusal(run)) is not None:
        raise reason
    assert run.preprocessing is not None
    cuts, n_small = keep_depths(
        run, size=size, batch_size=batch_size, device=device, progress=progress
    )
    if PIXELS in run.vector_sets:
        side = int(run.about_vectors(PIXELS).get("side", run.preprocessing.size))
        cuts.insert(0, Kept(PIXELS, PIXELS, (3, side, side)))
    values = {
        "size": size or run.preprocessing.size,
        "n_small": n_small,
        **_scores(run, cuts, progress),
    }
    maps = over_each_other([pca(run.vectors(cut.vectors), 2).coordinates for cut in cuts])
    run.save_projection(_key(run, size), layers=np.array(json.dumps(values)), maps=maps)
    made = kept_layers(run, size=size)
    assert made is not None
    return made


def umap_maps(run: Run, layers: Layers) -> NDArray[np.float32] | None:
    """Give the depths drawn by UMAP, laid over each other; None until every one is computed."""
    drawn = []
    for depth in layers.depths:
        layout = kept_umap(run, UmapSettings(), vectors=depth.vectors)
        if layout is None:
            return None
        drawn.append(layout)
    return over_each_other(drawn)


def over_each_other(drawings: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Give drawings of the same pictures one spread, and turn each to lie over the next.

    The last one keeps its directions, so it looks as it does on other pages.

    Parameters
    ----------
    drawings : sequence of m ndarrays of shape (n, 2)

    Returns
    -------
    ndarray of shape (m, n, 2), float32
        Each is centred; the mean square of the distances from the centre is 1.
    """
    turned = [_of_unit_spread(drawing) for drawing in drawings]
    for place in reversed(range(len(turned) - 1)):
        turned[place] = align(turned[place + 1], turned[place], scale=False).coordinates
    return np.stack(turned)


def _of_unit_spread(drawing: NDArray[np.float32]) -> NDArray[np.float32]:
    drawn = np.isfinite(drawing).all(axis=1)
    centred = drawing - drawing[drawn].mean(axis=0, dtype=np.float64)
    spread = float(np.sqrt((centred[drawn] ** 2).sum(axis=1).mean()))
    return np.asarray(centred / (spread or 1.0), np.float32)


def _key(run: Run, size: int | None) -> str:
    text = json.dumps([run.views_of, None if own_size(run, size) else size, _VERSION])
    return f"layers-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def _depth_from(values: dict[str, Any]) -> Depth:
    for score in ("knn", "probe"):
        if values[score] is not None:
            values[score] = Share(**values[score])
    return Depth(**{**values, "shape": tuple(values["shape"])})


def _scores(run: Run, cuts: Sequence[Kept], progress: Progress) -> dict[str, Any]:
    """Score every depth, in JSON values."""
    fitted, scored, own = _rows(run)
    progress("scoring depths", 0, len(cuts))
    depths = []
    for done, cut in enumerate(cuts, 1):
        depth = Depth(**vars(cut), n_dims=_n_dims(run, cut), **_scores_of(run, cut, fitted, scored))
        depths.append(asdict(depth))
        facts = {name: share.value for name in ("knn", "probe") if (share := getattr(depth, name))}
        progress("scoring depths", done, len(cuts), **facts)
    return {
        "depths": depths,
        "n_fitted": len(fitted),
        "n_scored": len(scored),
        "own_split": own,
    }


def _n_dims(run: Run, cut: Kept) -> int:
    width = int(run.vectors(cut.vectors).shape[1])
    return int(run.about_vectors(PIXELS).get("n_dims", width)) if cut.name == PIXELS else width


def _scores_of(
    run: Run, cut: Kept, fitted: NDArray[np.int64], scored: NDArray[np.int64]
) -> dict[str, Any]:
    vectors = run.vectors(cut.vectors)
    knn = probe = dimension = None
    if run.labels is not None:
        labels = run.labels[fitted], run.labels[scored]
        knn = knn_accuracy(vectors[fitted], labels[0], vectors[scored], labels[1], k=K)
        even = _evened(vectors) if run.about_vectors(cut.vectors).get("isometric") else vectors
        probe = linear_probe(even[fitted], labels[0], even[scored], labels[1])
        # A depth at which a picture leaves nothing, a zero vector, has not named it rightly.
        knn, probe = (Share(share.correct, len(scored)) for share in (knn, probe))
    try:
        dimension = intrinsic_dimension(vectors[np.sort(np.concatenate([fitted, scored]))])
    except EmbedlabError:  # too few pictures, or all alike
        dimension = None
    return {"knn": knn, "probe": probe, "dimension": dimension}


def _evened(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn coordinates at random, so that no direction is special.

    Pixels are kept in coordinates of which the last are nearly all zero. A linear probe gives
    every coordinate the same spread and would learn single pictures by them.
    """
    width = vectors.shape[1]
    noise = np.random.default_rng(0).normal(size=(width, width)).astype(np.float32)
    return np.asarray((vectors - vectors.mean(axis=0)) @ np.linalg.qr(noise)[0])


def _rows(run: Run) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Choose the pictures to fit on and those to score, and say whether the run parts them so."""
    parts, own = run.split, True
    if (parts == TRAIN).sum() < 2 or not (parts == VALIDATION).any():
        parts, own = split(run.n_items, stratify=run.labels), False
    chosen = []
    for part in (TRAIN, VALIDATION):
        rows = np.flatnonzero(parts == part)
        if len(rows) > SCORED:
            rows = np.sort(np.random.default_rng(0).choice(rows, SCORED, replace=False))
        chosen.append(rows)
    return chosen[0], chosen[1], own
