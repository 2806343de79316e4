"""Answers to the lesson's questions, told with a run's own numbers.

``{class}`` in them stands for the name of the class that is asked of, as in the questions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embedlab.runs import Run
from embedlab.space.neighbours import knn
from embedlab.space.scores import precision_at_k
from embedlab.space.similarity import pairwise

# So many pictures are enough for a number in an answer, and quick.
ENOUGH = 1000


def sample(run: Run) -> NDArray[np.int64]:
    """Give the validation rows, or the first rows where there are too few or too many."""
    held = np.flatnonzero(run.split == "validation")
    return (held if len(held) > 3 else np.arange(run.n_items))[:ENOUGH]


def class_asked(run: Run) -> int | None:
    """Choose the class that the questions ask of: the third, or the last of fewer."""
    names = run.classes if run.head is None else run.head.classes
    return min(2, len(names) - 1) if names else None


def picture_asked(run: Run) -> int | None:
    """Choose a picture of that class: the first in validation, or the first of all."""
    class_ = class_asked(run)
    if class_ is None or run.labels is None:
        return None
    rows = np.flatnonzero(run.labels == class_)
    held = rows[run.split[rows] == "validation"]
    return int((held if len(held) else rows)[0]) if len(rows) else None


def shape(run: Run) -> str:
    """Say what comes out of the body."""
    size = run.preprocessing.size if run.preprocessing else None
    n_dims = run.embeddings.shape[1]
    if size is None:
        return f"A vector of **{n_dims:,}** numbers. This run holds vectors made elsewhere."
    pixels = 3 * size * size
    return (
        f"A vector of **{n_dims:,}** numbers in place of {size} x {size} x 3 = {pixels:,}: "
        f"{pixels / n_dims:,.0f} times fewer. The convolutions trade places for features until a "
        "small map with many channels is left; then each channel is averaged over all its places. "
        "*What* is there stays, *where* it was is gone."
    )


def matrix(run: Run) -> str:
    """Say what the two numbers of the matrix are."""
    held = int((run.split == "validation").sum())
    n, d = run.embeddings.shape
    return (
        f"All pictures together give a matrix of **({n:,}, {d:,})**; the validation pictures alone "
        f"**({held:,}, {d:,})**. A row is a picture. A column is one feature that the network "
        "learned to measure, over all pictures."
    )


def triple(run: Run) -> str:
    """Show with the longest vector why dot products mislead."""
    rows = sample(run)
    vectors = np.asarray(run.embeddings[rows], np.float64)
    norms = np.linalg.norm(vectors, axis=1)
    return (
        f"Lengths differ: among these pictures from {norms.min():.1f} to {norms.max():.1f}. "
        "A long vector has a high dot product with nearly everything. Divide by both lengths and "
        "the cosine is left, which asks for the direction alone."
    )


def least(run: Run) -> str:
    """Say what the least similar pictures of a picture have in common."""
    rows = sample(run)
    cosines = pairwise(run.embeddings, rows[:200], "cosine")
    return (
        f"Cosines run from {np.nanmin(cosines):.2f} to {_highest(cosines):.2f} here. The least "
        "similar pictures are not noise: they lie on the far side, where the features that the "
        "query excites are silent. They are often of one or two other classes."
    )


def _highest(cosines: NDArray[np.float64]) -> float:
    off = cosines[~np.eye(len(cosines), dtype=bool)]
    return float(np.nanmax(off)) if off.size else 1.0


def content(run: Run) -> str:
    """Compare how often neighbours share the class, by pixels and by embedding."""
    if run.labels is None:
        return "This run has no classes to compare by; look at the two galleries."
    if "pixels" not in run.vector_sets:
        return "This run has no pixel vectors; look at another one."
    rows = sample(run)
    parts = []
    for name, title in (("pixels", "pixels"), ("embedding", "the embedding")):
        near = knn(np.asarray(run.vectors(name)[rows]), 9, "cosine")
        value = precision_at_k(run.labels[rows], near.rows)
        low, high = value.interval
        parts.append(f"**{value.mean:.0%}** by {title} ({low:.0%} to {high:.0%})")
    chance = float(max(np.bincount(run.labels[rows])) / len(rows))
    return (
        f"Of the nine nearest pictures, so many share the class: {' and '.join(parts)}. The most "
        f"frequent class has {chance:.0%}. Pixels compare place by place: a flower moved by a few "
        "pixels is another picture to them."
    )


def kept(run: Run) -> str:
    """Say what each representation keeps."""
    if any(str(name).startswith("factor.") for name in run.items):
        return (
            "The factors of these pictures are known, so this can be measured: the page shows how "
            "well each factor is read off pixels, a colour histogram and the embedding. Weakened "
            "is not gone: read the numbers before you say that something was forgotten."
        )
    return (
        "Nobody wrote down how these photos were made, so look: neighbours by pixels share light, "
        "background and place; neighbours by embedding share what the classes differ in. "
        "On the built-in garden, whose factors are known, it can be measured."
    )


def clusters(run: Run) -> str:
    """Say what clusters and how far to trust it."""
    return (
        "The classes, as far as the network tells them apart. The last layer can only cut the "
        "space with planes, so training pushes each class to its own side. One flat view shows a "
        f"tiny slice of {run.embeddings.shape[1]:,} dimensions: trust what several views agree on, "
        "and distances in UMAP least."
    )


def prototype(run: Run) -> str:
    """Say where the prototypes are."""
    class_ = class_asked(run)
    if run.head is None or class_ is None:
        return "This run has no head, so it has no prototypes."
    c, d = run.head.weight.shape
    return (
        f"The head's weight has the shape **({c}, {d:,})**: one row a class. The logit of a class "
        "is the dot product of the picture's embedding with that row, plus a bias. "
        f"`run.head.weight[{class_}]` is the prototype of {{class}}."
    )


def least_aligned(run: Run) -> str:
    """Say what the least aligned pictures are."""
    class_ = class_asked(run)
    if run.head is None or class_ is None:
        return "This run has no head, so nothing can be ranked by it."
    scores = run.embeddings @ run.head.weight[class_]
    return (
        f"For {{class}} the score runs from {scores.min():.1f} to {scores.max():.1f}. "
        "The lowest are not wrong labels: their embedding points away from the prototype. The "
        "score leaves out the bias and the other classes; the probability does not."
    )


def relation(run: Run) -> str:
    """Compare head rows with class means."""
    if run.head is None or run.labels is None:
        return "This run has no head or no classes, so there is nothing to compare."
    means = np.stack(
        [run.embeddings[run.labels == k].mean(axis=0) for k in np.unique(run.labels)]
    ).astype(np.float64)
    centred = means - means.mean(axis=0)
    weight = run.head.weight[np.unique(run.labels)].astype(np.float64)
    lengths = np.linalg.norm(weight, axis=1) * np.linalg.norm(centred, axis=1)
    cosines = (weight * centred).sum(axis=1) / np.where(lengths > 0, lengths, 1)
    return (
        "A prototype is a direction, not a place. It points towards its own class and away from "
        f"the others: its cosine with the class's mean (seen from the mean of all) is "
        f"{cosines.min():.2f} to {cosines.max():.2f} here, high but not 1. A mean says where a "
        "class lies; a prototype says in which direction it is told apart."
    )


def embedding(run: Run) -> str:
    """Give one way to put it."""
    return (
        "One way to put it: an embedding is a list of numbers that a network computes of a "
        "picture, so made that pictures which mean the same for its task lie close together. "
        "It is a description in the network's own words."
    )


def transfer(run: Run) -> str:
    """Say why a trained body is worth having."""
    return (
        "Fifty photos are far too few to learn what an edge, a feather or an eye looks like. A "
        "body trained on a million photos already measures such things; on its embeddings a head "
        "of a few thousand numbers is fitted in a second. Freeze the body, train the head."
    )
