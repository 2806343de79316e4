"""A form's button, whose click counts for what the form says when it is clicked."""

from __future__ import annotations

from typing import Any

import streamlit as st


def clicked(label: str, *, key: str, disabled: bool = False, **look: Any) -> bool:
    """Draw a button below the inputs that it is about; say whether it was clicked.

    Who types a number and clicks at once sends both together. What a callback was given is from
    the run before, and does not have the number. What a button itself returns is gone where that
    run of the page is not finished, as on a page that a link opened alone (see `framed`). So the
    click is noted, and stands until the form is drawn with all that was typed.

    Parameters
    ----------
    label, key, disabled
        Of the button.
    **look
        Further options of `st.button`.

    Returns
    -------
    bool
        Once for each click; never for a button that cannot be clicked any more.
    """
    slot = f"clicked:{key}"
    if disabled:  # a primary one's words could not be read in the dark
        look["type"] = "secondary"
    st.button(label, key=key, disabled=disabled, on_click=_note, args=(slot,), **look)
    return bool(st.session_state.pop(slot, False)) and not disabled


def _note(slot: str) -> None:
    st.session_state[slot] = True
