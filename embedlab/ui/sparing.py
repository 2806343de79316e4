"""Spare the garbage collector what stays as long as the server: modules and what they define."""

from __future__ import annotations

import gc
import sys

WORTH = 50  # new modules; a page that brings fewer changes little
_spared: set[str] = set()


def spare_modules() -> None:
    """Take what has been imported out of the garbage collector's rounds.

    Streamlit collects garbage after every run of a page and of a fragment, and each time goes
    through all that pandas, plotly and scikit-learn define: a tenth of a second of computing for
    every click, and every second for every tab that watches a training. Whatever there is when
    enough new modules have come is set aside for good; the rest is collected as before.
    """
    found = set(sys.modules)
    if len(found - _spared) < WORTH:
        return
    _spared.update(found)
    gc.collect()  # or garbage of this moment would stay
    gc.freeze()
