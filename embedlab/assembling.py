"""Assembling: pictures, their table and the target, with all that a person should know of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from embedlab.data.archives import archive_kind, unpack
from embedlab.data.columns import Column, detect, leaks
from embedlab.data.dataset import Dataset
from embedlab.data.folders import arrange
from embedlab.data.joining import join
from embedlab.data.listing import list_folder
from embedlab.data.pictures import FilePictures
from embedlab.data.sources import SOURCES
from embedlab.data.targets import Target, column_target
from embedlab.errors import EmbedlabError

_FEWEST = 30  # pictures with a target, below which nothing can be said


@dataclass(frozen=True, eq=False)
class Assembled:
    """Pictures with their table and target.

    Parameters
    ----------
    dataset : Dataset of m pictures
        Those that have a target, with the table; its classes are the target's.
    columns : tuple of Column
    target : Target
    joined : tuple of str
        How table and pictures met, in sentences.
    warnings : tuple of str
        What a person should know before trusting a result.
    """

    dataset: Dataset
    columns: tuple[Column, ...]
    target: Target
    joined: tuple[str, ...]
    warnings: tuple[str, ...]


def assemble(
    dataset: Dataset,
    table: pd.DataFrame | None = None,
    *,
    target: str | None = None,
    n_classes: int | None = None,
    log: bool = False,
    kinds: Mapping[str, str] | None = None,
    key: str | None = None,
) -> Assembled:
    """Join a table to pictures, look at its columns, and make the target.

    Parameters
    ----------
    dataset : Dataset
    table : DataFrame, optional
        As `embedlab.data.table.read_table` gives it; without it, the table that came with the
        pictures.
    target : str, optional
        The column to be predicted; without it, the pictures' own classes.
    n_classes, log
        As for `embedlab.data.targets.column_target`.
    kinds : mapping of column to kind, optional
        Overrules what `embedlab.data.columns.detect` finds.
    key : str, optional
        The column that names the pictures.

    Returns
    -------
    Assembled

    Raises
    ------
    EmbedlabError
        If there is no table, no target, no usable column, or too few pictures.
    """
    joined: tuple[str, ...] = ()
    if table is not None:
        met = join(table, dataset.ids, key=key)
        frame, joined = met.frame, tuple(met.report.sentences())
    elif dataset.table is not None:
        frame, joined = dataset.table, ("The table came with the pictures.",)
    else:
        raise EmbedlabError(f"{dataset.name} brings no table.", remedy="Give a CSV or Parquet.")
    columns = detect(frame, target=target, kinds=kinds)
    if target is not None:
        wanted = column_target(frame[target], target, n_classes=n_classes, log=log)
    else:
        wanted = _own_classes(dataset, n_classes, log)
    if not any(column.kind in ("numeric", "categorical") for column in columns):
        reasons = " ".join(remark for column in columns for remark in column.remarks)
        raise EmbedlabError(
            f"The table has no column to learn from. {reasons}".strip(),
            remedy="Say what a column is: --numeric NAME or --categorical NAME.",
        )
    if len(wanted.rows) < _FEWEST:
        raise EmbedlabError(
            f"Only {len(wanted.rows)} pictures have a target; {_FEWEST} are the least.",
            remedy="Check the join: " + " ".join(joined),
        )
    taken = dataset.take(wanted.rows)
    frame = frame.iloc[wanted.rows].reset_index(drop=True)
    left = len(dataset) - len(taken)
    if target is not None and n_classes:  # the number that was cut tells more than its classes
        numbers = frame[target].to_numpy(np.float64, na_value=np.nan)
        found = leaks(frame, columns, numbers, classes=False)
    else:
        found = leaks(frame, columns, wanted.values, classes=bool(wanted.classes))
    warnings = (
        *(leak.sentence() for leak in found),
        *([f"{left:,} pictures without a target are left out."] if left else []),
        *(remark for column in columns for remark in column.remarks),
    )
    labels = wanted.values if wanted.classes else None
    whole = replace(
        taken, table=frame, labels=labels, classes=wanted.classes, skipped=dataset.skipped
    )
    return Assembled(whole, columns, wanted, joined, warnings)


def sketch(source: str) -> Dataset | None:
    """List the pictures of a folder or an archive without opening one, to try a table on them.

    Parameters
    ----------
    source : str
        As `embedlab.data.sources.load_dataset` takes it.

    Returns
    -------
    Dataset or None
        Names and classes as that function gives them, as long as no picture is damaged; the
        pictures are not to be opened. None for named sets and arrays.

    Raises
    ------
    EmbedlabError
        If the folder or the archive cannot be read, or holds no picture.
    """
    path = Path(source).expanduser()
    if source in SOURCES or not path.exists():
        return None
    if path.is_dir():
        arranged = arrange(list_folder(path))
    elif path.suffix.lower() not in {".npy", ".npz"} and archive_kind(path):
        arranged = arrange(unpack(path), wrapped=True)
    else:
        return None
    if not arranged.files:
        raise EmbedlabError(f"There is no picture in {path.name}.", remedy="Choose another.")
    names = arranged.labels or ()
    classes = tuple(sorted(set(names)))
    numbers = {name: k for k, name in enumerate(classes)}
    return Dataset(
        name=path.name,
        ids=tuple(file.id for file in arranged.files),
        pictures=FilePictures([file.path for file in arranged.files], [""] * len(arranged.files)),
        labels=np.array([numbers[name] for name in names], np.int64) if classes else None,
        classes=classes,
    )


def _own_classes(dataset: Dataset, n_classes: int | None, log: bool) -> Target:
    if dataset.labels is None or len(np.unique(dataset.labels)) < 2:
        raise EmbedlabError(
            f"{dataset.name} has no classes of its own to predict.",
            remedy="Say which column to predict: --target NAME.",
        )
    if n_classes or log:
        raise EmbedlabError(
            "--classes and --log are for a target column of numbers.", remedy="Give --target."
        )
    return Target("class", dataset.labels, dataset.classes, np.arange(len(dataset)))
