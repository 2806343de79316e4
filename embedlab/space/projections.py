"""The menu of projections: PCA, LDA, UMAP, with what each shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embedlab.space.discriminant import LdaControl, ScoredLda, lda, lda_control, scored_lda
from embedlab.space.fidelity import Alignment, align, neighbours_kept, trustworthiness
from embedlab.space.nonlinear import umap
from embedlab.space.principal import pca
from embedlab.space.views import LinearView, View

__all__ = [
    "PROJECTIONS",
    "Alignment",
    "LdaControl",
    "LinearView",
    "Projection",
    "ScoredLda",
    "View",
    "align",
    "lda",
    "lda_control",
    "neighbours_kept",
    "pca",
    "scored_lda",
    "trustworthiness",
    "umap",
]


@dataclass(frozen=True)
class Projection:
    """A way to draw vectors.

    Parameters
    ----------
    title : str
    explanation : str
        What it shows and what it hides, in a sentence or two.
    has_axes : bool
        Whether the drawing has directions, so that arrows can be drawn in it.
    needs_labels : bool
    """

    title: str
    explanation: str
    has_axes: bool
    needs_labels: bool


PROJECTIONS: Mapping[str, Projection] = {
    "pca": Projection(
        title="PCA",
        explanation="The directions in which the vectors vary most, classes unseen. Each pair of "
        "axes is one slice: what lies together here may lie apart in another.",
        has_axes=True,
        needs_labels=False,
    ),
    "lda": Projection(
        title="LDA",
        explanation="The directions that part the classes best. On the pictures it was fitted on "
        "it flatters itself; look at others.",
        has_axes=True,
        needs_labels=True,
    ),
    "umap": Projection(
        title="UMAP",
        explanation="Keeps neighbours together. Sizes of clusters and distances between them "
        "mean little, and there are no axes, so a prototype has no arrow here.",
        has_axes=False,
        needs_labels=False,
    ),
}
