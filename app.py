"""embedlab in the browser: `streamlit run app.py`."""

from embedlab.ui.frame import start

start()
