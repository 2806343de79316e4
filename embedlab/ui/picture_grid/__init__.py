"""A gallery of small pictures that can be clicked."""

from embedlab.ui.picture_grid.grid import Caption, picture_grid

__all__ = ["Caption", "picture_grid"]
