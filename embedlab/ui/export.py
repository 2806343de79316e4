"""Take a list of pictures away, as CSV or Parquet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from embedlab.cells import quoted
from embedlab.runs import Run


def selection_table(
    run: Run, rows: NDArray[np.int64], **columns: Sequence[Any] | NDArray[Any]
) -> pd.DataFrame:
    """Lay out some pictures with what is known of them, and further columns.

    Parameters
    ----------
    run : Run
    rows : ndarray of shape (m,), int64
    **columns : sequences of m values

    Returns
    -------
    DataFrame of m rows
        The run's columns id, path, label, split, prediction and p.* as far as it has them.
    """
    names = [
        str(name)
        for name in run.items
        if name in ("id", "path", "label", "split", "prediction") or str(name).startswith("p.")
    ]
    table = run.items[names].iloc[rows].reset_index(drop=True)
    table.insert(0, "row", rows)
    for name, values in columns.items():
        table[name] = np.asarray(values)
    return table


def export_buttons(
    run: Run, rows: NDArray[np.int64], *, name: str, **columns: Sequence[Any] | NDArray[Any]
) -> None:
    """Offer a list of pictures as CSV and as Parquet.

    Parameters
    ----------
    run : Run
    rows : ndarray of shape (m,), int64
    name : str
        The file's name, without an ending.
    **columns : sequences of m values
        Scores and suggestions that belong to the pictures.
    """
    if not len(rows):
        return

    def csv() -> bytes:
        table = selection_table(run, rows, **columns).map(quoted)
        return table.to_csv(index=False).encode("utf-8-sig")

    def parquet() -> bytes:
        buffer = io.BytesIO()
        selection_table(run, rows, **columns).to_parquet(buffer, index=False)
        return buffer.getvalue()

    with st.container(horizontal=True):
        for word, make, mime in (
            ("CSV", csv, "text/csv"),
            ("Parquet", parquet, "application/vnd.apache.parquet"),
        ):
            st.download_button(
                f"{word} of {'this one' if len(rows) == 1 else f'these {len(rows):,}'}",
                make,
                file_name=f"{run.id}-{name}.{word.lower()}",
                mime=mime,
                key=f"export-{name}-{word.lower()}",
                icon=":material/download:",
                type="tertiary",
            )
