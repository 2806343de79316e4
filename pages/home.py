"""What embedlab is, the runs there are, and how to bring one's own pictures."""

import streamlit as st

from embedlab.ui.frame import framed, header

framed()
header("See what an image network has learned", "…")
