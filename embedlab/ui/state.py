"""What a page remembers in its address, so that every view is a link."""

from __future__ import annotations

import streamlit as st

from embedlab.runs import Run
from embedlab.ui.linked_map import MapState


def chosen_row(run: Run, name: str = "query", default: int | None = None) -> int | None:
    """Read a picture's row from the address or, on another page, from the session.

    A row that the run does not have is forgotten, and said.

    Parameters
    ----------
    run : Run
    name : str
        The parameter's name in the address.
    default : int, optional
        The row when none was chosen.

    Returns
    -------
    int or None
    """
    text = st.query_params.get(name)
    if text is None:
        kept = st.session_state.get(f"row:{run.id}:{name}")
        return kept if kept is not None and kept < run.n_items else default
    if text.isascii() and text.isdigit() and int(text) < run.n_items:
        st.session_state[f"row:{run.id}:{name}"] = int(text)
        return int(text)
    del st.query_params[name]
    st.warning(
        f"The link asks for picture {text[:20]!r}; this run has the pictures 0 to "
        f"{run.n_items - 1}. Another one is shown.",
        icon=":material/link_off:",
    )
    return default


def choose_row(run: Run, row: int, name: str = "query") -> None:
    """Put a picture's row into the address and the session."""
    st.session_state[f"row:{run.id}:{name}"] = int(row)
    st.query_params[name] = str(int(row))


LINKED = 40  # so many selected pictures fit into an address that people still pass on


def linked_selection(run: Run) -> list[int] | None:
    """Read the selected rows from the address that a session began with; None afterwards.

    Rows that the run does not have are passed over.
    """
    text = st.query_params.get("selected")
    slot = f"linked_selection:{run.id}"
    if text is None or st.session_state.get(slot, text) != text:
        st.session_state[slot] = ""
        return None
    st.session_state[slot] = text
    numbers = [int(part) for part in text.split(".")[:LINKED] if part.isascii() and part.isdigit()]
    return [row for row in dict.fromkeys(numbers) if row < run.n_items]


def link_selection(state: MapState) -> None:
    """Put the selected rows into the address, where they are few."""
    if 0 < len(state.selected) <= LINKED:
        st.query_params["selected"] = ".".join(map(str, state.selected.tolist()))
    else:
        st.query_params.pop("selected", None)
