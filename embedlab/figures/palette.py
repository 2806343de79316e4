"""One colour and one symbol for each class, the same on every page, in light and in dark."""

from __future__ import annotations

from dataclasses import dataclass

# Chosen by search: each stands out 3:1 or more on white as on the dark background, and the first
# five, like all ten, lie as far apart as that allows also for people who do not see red or green.
COLOURS = (
    "#0077AA",
    "#DD7700",
    "#00A667",
    "#AA3C6E",
    "#A67BEA",
    "#1E780F",
    "#FF5A78",
    "#694BD2",
    "#C33C0F",
    "#8787A5",
)
SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "triangle-down",
    "cross",
    "x",
    "star",
    "pentagon",
    "hexagon",
    "triangle-left",
    "triangle-right",
)
NEUTRAL = "#7A8580"


@dataclass(frozen=True)
class ClassStyle:
    """How a class looks: a CSS colour, and a symbol by the name that plotly gives it."""

    colour: str
    symbol: str


def class_style(index: int) -> ClassStyle:
    """Give the style of class `index`.

    There are 10 colours and 12 symbols; the two cycles together repeat after 60 classes.

    Parameters
    ----------
    index : int
        Position of the class in the run's classes, from 0.

    Returns
    -------
    ClassStyle

    Examples
    --------
    >>> class_style(0)
    ClassStyle(colour='#0077AA', symbol='circle')
    >>> len({class_style(k) for k in range(60)})
    60
    """
    return ClassStyle(COLOURS[index % len(COLOURS)], SYMBOLS[index % len(SYMBOLS)])
