"""What a linked map shows: panels, points, colours; and what comes back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.ui.packing import pack
from embedlab.ui.picture_grid.grid import Thumbnails

NONE = 2**16 - 1  # the code of a point without a group or value
STEPS = 256  # of a continuous scale
CUT = 0.02  # share of the values at each end of a scale that its last colour stands for


@dataclass(frozen=True, eq=False)
class Arrows:
    """Directions with names, drawn from the origin of a panel.

    Parameters
    ----------
    names : sequence of str, c of them
    vectors : ndarray of shape (c, 2) or (c, 3)
        Where each arrow ends, in the panel's coordinates. An arrow with NaN is not drawn.
    colours : sequence of str, c of them, optional
        CSS colours.
    origin : str
        What the origin is, in a few words ("0 is the mean of the data").
    note : str
        What else stands below the panel: by how much the arrows are drawn longer ("arrows x5").
    """

    names: Sequence[str]
    vectors: NDArray[Any]
    colours: Sequence[str] = ()
    origin: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.names):
            raise ValueError(f"{len(self.names)} names for arrows of shape {self.vectors.shape}")
        if self.colours and len(self.colours) != len(self.names):
            raise ValueError(f"{len(self.colours)} colours for {len(self.names)} arrows")


@dataclass(frozen=True, eq=False)
class Panel:
    """One view of the points.

    Parameters
    ----------
    name : str
        What the zoom is remembered by; unique within a map.
    title : str
    coordinates : ndarray of shape (n, 2) or (n, 3)
        Row i belongs to point i. A row with NaN has no place in this panel.
    axes : sequence of str, 2 or 3 of them, optional
        Titles of the axes, with their units if they have any.
    note : str
        A few words below the title.
    ticks : bool
        Whether numbers stand at the axes; False where they mean nothing (UMAP).
    arrows : Arrows, optional
    """

    name: str
    title: str
    coordinates: NDArray[Any]
    axes: Sequence[str] = ()
    note: str = ""
    ticks: bool = True
    arrows: Arrows | None = None

    def __post_init__(self) -> None:
        if self.coordinates.ndim != 2 or self.coordinates.shape[1] not in (2, 3):
            raise ValueError(
                f"panel {self.name!r} has coordinates of shape {self.coordinates.shape}; "
                "it takes (n, 2) or (n, 3)"
            )
        if self.axes and len(self.axes) != self.n_dims:
            raise ValueError(f"panel {self.name!r} has {len(self.axes)} titles for its axes")
        if self.arrows is not None and self.arrows.vectors.shape[1] != self.n_dims:
            raise ValueError(
                f"panel {self.name!r} has {self.n_dims} axes and arrows of shape "
                f"{self.arrows.vectors.shape}"
            )

    @property
    def n_dims(self) -> int:
        """2 or 3."""
        return int(self.coordinates.shape[1])

    @cached_property
    def packed(self) -> bytes:
        """The coordinates for the browser."""
        return pack({"coordinates": self.coordinates.astype(np.float32)})


@dataclass(frozen=True, eq=False)
class Groups:
    """Colours by category: a class, a prediction, right or wrong, a column of the table.

    Parameters
    ----------
    label : str
        What the categories are ("class").
    names : sequence of str, c of them
    codes : ndarray of shape (n,), int
        Which category each point is in; -1 for none.
    colours : sequence of str, c of them
        CSS colours, e.g. "#0072B2".
    symbols : sequence of str, c of them, optional
        "circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star",
        "pentagon", "hexagon", "triangle-left", "triangle-right" (plotly's names).
    """

    label: str
    names: Sequence[str]
    codes: NDArray[Any]
    colours: Sequence[str]
    symbols: Sequence[str] = ()

    def __post_init__(self) -> None:
        c = len(self.names)
        if len(self.colours) != c or (self.symbols and len(self.symbols) != c):
            raise ValueError(
                f"{c} groups, {len(self.colours)} colours and {len(self.symbols)} symbols"
            )
        if self.codes.size and not (self.codes.min() >= -1 and self.codes.max() < min(c, NONE)):
            raise ValueError(f"the codes of {c} groups lie between -1 and {c - 1}")

    @cached_property
    def packed(self) -> bytes:
        """The codes for the browser."""
        return pack({"codes": np.where(self.codes < 0, NONE, self.codes).astype(np.uint16)})


@dataclass(frozen=True, eq=False)
class Scale:
    """Colours by a number: confidence, a numeric column of the table.

    Parameters
    ----------
    label : str
        What the numbers are, with their unit.
    values : ndarray of shape (n,), float
        NaN for points without a value: they are grey, and the legend counts them.
    low, high : float, optional
        Where the colours begin and end. When not given, a fiftieth of the values at that end
        share the last colour, so that one odd value does not leave one colour for all others;
        the legend says so with <= and >=. Of 50 values and fewer none is cut off.
    """

    label: str
    values: NDArray[Any]
    low: float | None = None
    high: float | None = None

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Where the colours begin and end."""
        finite = self.values[np.isfinite(self.values)].astype(np.float64)
        if not finite.size:
            finite = np.array([0.0, 1.0])
        ends = (
            float(np.quantile(finite, CUT, method="lower")),
            float(np.quantile(finite, 1 - CUT, method="higher")),
        )
        if ends[0] == ends[1]:  # nearly all values are one: show those that are not
            ends = float(finite.min()), float(finite.max())
        return (
            ends[0] if self.low is None else self.low,
            ends[1] if self.high is None else self.high,
        )

    @cached_property
    def beyond(self) -> tuple[bool, bool]:
        """Whether there are values below the first colour, and above the last."""
        low, high = self.limits
        with np.errstate(invalid="ignore"):
            return bool((self.values < low).any()), bool((self.values > high).any())

    @cached_property
    def packed(self) -> bytes:
        """The values for the browser, as steps of the scale."""
        low, high = self.limits
        finite = np.isfinite(self.values)
        share = (np.where(finite, self.values, low) - low) / ((high - low) or 1.0)
        steps = np.clip(np.rint(share * (STEPS - 1)), 0, STEPS - 1)
        return pack({"codes": np.where(finite, steps, NONE).astype(np.uint16)})


@dataclass(frozen=True, eq=False)
class Points:
    """The points that all panels of a map share.

    Make it once and keep it (a cached function) where there are more than some ten thousand
    points: what goes to the browser is prepared on first use.

    Parameters
    ----------
    ids : sequence of str, n of them
        Unique names of the pictures. Together with `fingerprint` they say which set of
        pictures this is; selections and pictures of another set are never mixed in.
    fingerprint : str
        A string that changes whenever the pictures do: a run's fingerprint.
    colour : Groups or Scale, optional
    captions : mapping of str to sequence of str, optional
        What the card of a point says: label -> n texts. The id stands above.
    thumbnails : Pack, sequence of bytes, or callable, optional
        ``thumbnails[row]`` or ``thumbnails(row)`` is the picture, encoded as JPEG.
    visible : ndarray of shape (n,), bool, optional
        Which points are shown at all.
    """

    ids: Sequence[str]
    fingerprint: str
    colour: Groups | Scale | None = None
    captions: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    thumbnails: Thumbnails | Callable[[int], bytes] | None = None
    visible: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        n = len(self.ids)
        lengths = {f"caption {label!r}": len(texts) for label, texts in self.captions.items()}
        if isinstance(self.colour, Groups):
            lengths["the codes of the colours"] = len(self.colour.codes)
        elif isinstance(self.colour, Scale):
            lengths["the values of the colours"] = len(self.colour.values)
        if self.visible is not None:
            lengths["visible"] = len(self.visible)
        for what, length in lengths.items():
            if length != n:
                raise ValueError(f"{what}: {length} entries for {n} points")

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def token(self) -> str:
        """A short string that stands for this set of pictures in this order."""
        digest = hashlib.blake2b(self.fingerprint.encode(), digest_size=8)
        digest.update("\0".join(map(str, self.ids)).encode())
        return digest.hexdigest()

    @cached_property
    def packed_captions(self) -> bytes:
        """The texts of the cards for the browser: ids, and for each caption words and codes."""
        codes = {}
        words = []
        for place, texts in enumerate(self.captions.values()):
            column, unique = pd.factorize(np.array([str(text) for text in texts], dtype=object))
            codes[str(place)] = column.astype(np.uint32)
            words.append([str(word) for word in unique])
        return pack(codes, ids=[str(id_) for id_ in self.ids], labels=[*self.captions], words=words)

    @cached_property
    def packed_visible(self) -> bytes | None:
        """The mask of points shown at all, for the browser."""
        return None if self.visible is None else pack({"visible": self.visible.astype(np.uint8)})


@dataclass(frozen=True, eq=False)
class MapState:
    """What the person has done on a map.

    Parameters
    ----------
    selected : ndarray of shape (m,), int64
        Rows of the selected points, ascending.
    clicked : int or None
        The point that was clicked last, while it is the focus of the selection.
    hidden : tuple of str
        Names of the groups that the legend has switched off.
    views : mapping of str to mapping
        Zoom and camera by panel, as of the last selection; a panel at rest is missing.
    """

    selected: NDArray[np.int64]
    clicked: int | None = None
    hidden: tuple[str, ...] = ()
    views: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
