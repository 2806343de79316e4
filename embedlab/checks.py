"""What pictures and labels are checked for: computed of a run once, kept in it, found again."""

from __future__ import annotations

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError
from embedlab.progress import Progress, silent
from embedlab.runs import Run
from embedlab.space.neighbours import Neighbours, knn
from embedlab.space.oddities import Pairs, near_duplicates

NEAR = 10  # pictures that each is compared with, of all, to tell what is there twice or alone


def _key(run: Run, name: str) -> str:
    text = json.dumps([run.views_of, name, 1])
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def kept_doubts(run: Run) -> NDArray[np.float64] | None:
    """Read the out-of-sample probabilities that were computed before, shape (n_items, c)."""
    kept = run.load_projection(_key(run, "doubts"))
    return None if kept is None else kept["probabilities"]


def make_doubts(run: Run, *, progress: Progress = silent) -> NDArray[np.float64]:
    """Ask of each picture classifiers that have not seen it, and keep the answers in the run.

    Returns
    -------
    ndarray of shape (n_items, n_classes), float64
        As `embedlab.space.quality.out_of_sample_probabilities` gives them.

    Raises
    ------
    EmbedlabError
        If the run has no classes, or fewer than two of them have two pictures.
    """
    from embedlab.space.quality import out_of_sample_probabilities

    kept = kept_doubts(run)
    if kept is not None:
        return kept
    if run.labels is None:
        raise EmbedlabError(
            f"The run {run.id} has no classes, so no label can be doubted.",
            remedy="Choose a run of labelled pictures.",
        )
    probabilities = out_of_sample_probabilities(
        run.embeddings, run.labels, len(run.classes), progress=progress
    )
    run.save_projection(_key(run, "doubts"), probabilities=probabilities)
    return probabilities


def kept_nearest(run: Run) -> Neighbours | None:
    """Read the nearest others of every picture, where they were looked for before."""
    kept = run.load_projection(_key(run, "nearest"))
    return None if kept is None else Neighbours(kept["rows"].astype(np.int64), kept["scores"])


def make_nearest(run: Run, *, progress: Progress = silent) -> Neighbours:
    """Compare every picture with all others, and keep the ten nearest of each in the run.

    What `embedlab.space.oddities` tells duplicates and outliers by. The time grows with the
    square of the number of pictures.

    Returns
    -------
    Neighbours
        By Euclidean distance of the embeddings, in all of the run: `rows` and `scores` of shape
        (n_items, 10), or fewer columns where there are fewer others whose vectors are finite.
    """
    kept = kept_nearest(run)
    if kept is not None:
        return kept
    near = knn(run.embeddings, NEAR, "euclidean", progress=progress)
    rows = near.rows.astype(np.int32)  # half the size on disk
    run.save_projection(_key(run, "nearest"), rows=rows, scores=near.scores)
    return near


def twins(run: Run, near: Neighbours) -> Pairs:
    """Find the pictures of a run that are there twice, by their files and by their embeddings.

    Parameters
    ----------
    run : Run
    near : Neighbours
        As `make_nearest` gives them.
    """
    digests = run.items["digest"].tolist() if "digest" in run.items else None
    return near_duplicates(run.embeddings, digests=digests, near=near)
