"""Several linked panels over the same pictures."""

from embedlab.ui.linked_map.component import linked_map
from embedlab.ui.linked_map.memory import map_state, select
from embedlab.ui.linked_map.values import Arrows, Groups, MapState, Panel, Points, Scale

__all__ = [
    "Arrows",
    "Groups",
    "MapState",
    "Panel",
    "Points",
    "Scale",
    "linked_map",
    "map_state",
    "select",
]
