"""One colour and one symbol for each class, the same on every page, in light and in dark."""

from __future__ import annotations

from dataclasses import dataclass

# Okabe and Ito's colours (2008), which people with any colour vision tell apart, each shifted in
# lightness until it stands out (3:1 or more) on white as on the dark background.
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC5FA0",
    "#A67C00",
    "#3A8FC8",
    "#7A5BD0",
    "#808080",
    "#B8433B",
    "#5E8C1E",
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
    ClassStyle(colour='#0072B2', symbol='circle')
    >>> len({class_style(k) for k in range(60)})
    60
    """
    return ClassStyle(COLOURS[index % len(COLOURS)], SYMBOLS[index % len(SYMBOLS)])
