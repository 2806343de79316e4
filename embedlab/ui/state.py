"""What a page remembers in its address, so that every view is a link."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.errors import StreamlitAPIException

from embedlab.runs import Run
from embedlab.ui.linked_map import MapState
from embedlab.ui.text import plain


def chosen_row(run: Run, name: str = "query", default: int | None = None) -> int | None:
    """Read a picture's row from the address or, on another page, from the session.

    A link may also name the picture by its id. What the run does not have is forgotten, and said.

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
    named = (run.items["id"].astype(str) == text).to_numpy().nonzero()[0]
    if len(named):
        choose_row(run, int(named[0]), name)
        return int(named[0])
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


_NOTES = "link-notes"


def heed_link(key: str, titles: Mapping[str, str], what: str) -> None:
    """Prepare a choice whose value stands in the address: call it before the widget.

    Links name a choice by the title that people see, or by its id. What is neither is dropped by
    the widget without a word, so it is said here; `embedlab.ui.frame` shows it above the page.

    Parameters
    ----------
    key : str
        The widget's key, which is also the parameter.
    titles : mapping of id to title
    what : str
        What is chosen, in people's words.
    """
    asked = st.query_params.get(key)
    if asked is None or asked in titles.values():
        return
    if asked in titles:
        try:  # the widget knows titles alone, and would take an id out of the address
            st.query_params[key] = titles[asked]
        except StreamlitAPIException:  # it is there already, and minds its address itself
            st.session_state[key] = asked
            return
        st.rerun()
    note_link(f"The link asks for the {what} {plain(asked[:60])}, which there is not here.")


def note_link(text: str) -> None:
    """Note that a link asks for something that there is not; Markdown."""
    st.session_state.setdefault(_NOTES, []).append(text)


def link_notes() -> list[str]:
    """Give what was noted since the last time, and forget it."""
    return list(dict.fromkeys(st.session_state.pop(_NOTES, [])))


LINKED = 40  # so many selected pictures fit into an address that people still pass on


def linked_selection(run: Run) -> list[int] | None:
    """Read the selected rows from the address, where they were not put there by this session.

    So a link selects, and so do the browser's back and forward. Rows that the run does not have
    are left out, and said.

    Returns
    -------
    list of int, or None
        None where the address says what the map says already.
    """
    text = st.query_params.get("selected", "")
    slot = f"linked_selection:{run.id}"
    # An address without a selection may come from another page, where the selection is kept.
    if not text or st.session_state.get(slot, "") == text:
        st.session_state[slot] = text
        return None
    st.session_state[slot] = text
    parts = [part for part in text.split(".")[:LINKED] if part]
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit()]
    known = [row for row in dict.fromkeys(numbers) if row < run.n_items]
    if len(known) < len(dict.fromkeys(parts)):
        st.warning(
            f"The link selects {len(dict.fromkeys(parts))} pictures, of which this run has "
            f"{len(known)}: it has the pictures 0 to {run.n_items - 1}.",
            icon=":material/link_off:",
        )
    return known


def link_selection(run: Run, state: MapState) -> None:
    """Put the selected rows into the address, where they are few."""
    text = ""
    if 0 < len(state.selected) <= LINKED:
        text = ".".join(map(str, state.selected.tolist()))
    st.session_state[f"linked_selection:{run.id}"] = text
    if text:
        st.query_params["selected"] = text
    else:
        st.query_params.pop("selected", None)
