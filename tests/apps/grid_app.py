"""A gallery of drawn pictures, for tests."""

import streamlit as st

from embedlab.ui.picture_grid import Caption, picture_grid
from tests.apps.drawn import jpeg

st.set_page_config(layout="wide")
NAMES = ("daisy", "rose", "<b>tulip</b>")
COLOURS = ("#0072B2", "#D55E00", "#009E73")
SYMBOLS = ("circle", "square", "triangle-up")
st.session_state.setdefault("clicks", [])
rows = [7, 3, 11, 4, 5, 6, 8, 9, 0]
row = picture_grid(
    rows,
    key="grid",
    thumbnails=jpeg,
    captions=[
        Caption(f"photo_{r}.jpg", f"{1 - r / 20:.3f}", NAMES[r % 3], COLOURS[r % 3], SYMBOLS[r % 3])
        for r in rows
    ],
    marks=["query", "same", "other", "wrong", "right", "", "", "", "same"],
    on_click=st.session_state["clicks"].append,
)
st.write("returned", row)
st.write("calls", str(st.session_state["clicks"]))
