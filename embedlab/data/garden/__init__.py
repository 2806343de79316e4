"""The garden: flowers that embedlab draws itself, with every factor known."""

from embedlab.data.garden.build import garden
from embedlab.data.garden.factors import BACKGROUNDS, FACTORS, HUES, KINDS, RANGES, Flower, flower
from embedlab.data.garden.scene import SIDE, draw

__all__ = [
    "BACKGROUNDS",
    "FACTORS",
    "HUES",
    "KINDS",
    "RANGES",
    "SIDE",
    "Flower",
    "draw",
    "flower",
    "garden",
]
