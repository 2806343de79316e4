"""What a page remembers in its address, so that every view is a link."""

from __future__ import annotations

import streamlit as st

from embedlab.runs import Run


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
