"""The apps beside this file are run by Streamlit, not imported by pytest."""

collect_ignore_glob = ["*_app.py"]
