"""The measures of likeness: what each means, and how it follows from inner products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError


@dataclass(frozen=True)
class Metric:
    """A measure of likeness.

    Parameters
    ----------
    title : str
        What people read.
    higher_is_nearer : bool
        Whether a higher value means more alike.
    explanation : str
        One sentence.
    formula : str
        LaTeX, without dollar signs.
    kind : str
        "cosine", "dot" or "euclidean": what is computed once the vectors are centred or not.
    centred : bool
        Whether the mean of all vectors is taken off first.
    """

    title: str
    higher_is_nearer: bool
    explanation: str
    formula: str
    kind: str
    centred: bool

    @property
    def phrase(self) -> str:
        """The title within a sentence."""
        named = self.title.startswith("Euclid")
        return self.title if named else self.title[0].lower() + self.title[1:]


def metric_named(name: str) -> Metric:
    """Look a measure up, or say which there are."""
    try:
        return METRICS[name]
    except KeyError:
        raise EmbedlabError(
            f"There is no metric called {name!r}.", remedy=f"Choose one of: {', '.join(METRICS)}."
        ) from None


def from_inner(
    metric: Metric,
    inner: NDArray[np.float64],
    lengths_a: NDArray[np.float64],
    lengths_b: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Turn inner products and lengths, which broadcast, into the measure's values.

    A zero vector has no direction: its cosine with anything is NaN.
    """
    if metric.kind == "dot":
        return inner
    if metric.kind == "euclidean":
        with np.errstate(invalid="ignore", over="ignore"):
            squares = lengths_a**2 + lengths_b**2 - 2 * inner
            return np.sqrt(np.maximum(squares, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(inner / (lengths_a * lengths_b), -1, 1)


METRICS: Mapping[str, Metric] = {
    "cosine": Metric(
        title="Cosine",
        higher_is_nearer=True,
        explanation="The angle between two vectors, whatever their lengths: 1 same direction, "
        "0 at right angles, -1 opposite.",
        formula=r"\frac{x \cdot y}{\lVert x \rVert\,\lVert y \rVert}",
        kind="cosine",
        centred=False,
    ),
    "dot": Metric(
        title="Dot product",
        higher_is_nearer=True,
        explanation="What the head computes; a long vector scores high with everything.",
        formula=r"x \cdot y = \sum_j x_j y_j",
        kind="dot",
        centred=False,
    ),
    "euclidean": Metric(
        title="Euclidean distance",
        higher_is_nearer=False,
        explanation="The straight line between two points: 0 means the same point.",
        formula=r"\lVert x - y \rVert = \sqrt{\sum_j (x_j - y_j)^2}",
        kind="euclidean",
        centred=False,
    ),
    "centred cosine": Metric(
        title="Cosine, centred",
        higher_is_nearer=True,
        explanation="The angle seen from the mean of all vectors, so that what all pictures "
        "share no longer counts.",
        formula=r"\frac{(x - \bar{x}) \cdot (y - \bar{x})}"
        r"{\lVert x - \bar{x} \rVert\,\lVert y - \bar{x} \rVert}",
        kind="cosine",
        centred=True,
    ),
    "centred dot": Metric(
        title="Dot product, centred",
        higher_is_nearer=True,
        explanation="The dot product of the differences from the mean: brightness that all "
        "pixels share drops out, length still counts.",
        formula=r"(x - \bar{x}) \cdot (y - \bar{x})",
        kind="dot",
        centred=True,
    ),
}
