"""Assembling: pictures, their table and the target, with all that a person should know of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.data.archives import archive_kind, unpack
from embedlab.data.columns import Column, Leak, detect, holds, leaks
from embedlab.data.dataset import Dataset
from embedlab.data.folders import arrange
from embedlab.data.joining import join
from embedlab.data.listing import list_folder
from embedlab.data.notes import count, named
from embedlab.data.pictures import FilePictures
from embedlab.data.quantities import Understood, understood
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
        Those that have a row of the table and a target, with the table, whose quantities are
        numbers and which has no columns of lists; its classes are the target's.
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

    Pictures without a row are left out, also where their own classes are predicted: of these the
    table says nothing, and that it says nothing could tell the class.

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
        Overrules what `embedlab.data.columns.detect` finds, and of the target whether it is a
        class or a number.
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
    kinds = dict(kinds or {})
    rows = np.arange(len(dataset))
    if table is not None:
        met = join(table, dataset.ids, key=key)
        joined = tuple(met.report.sentences())
        rows, table = met.rows, table.drop(columns=met.report.key)
        kinds = _but_key(met.report.key, target, kinds)
    elif dataset.table is not None:
        table, joined = dataset.table, ("The table came with the pictures.",)
    else:
        raise EmbedlabError(f"{dataset.name} brings no table.", remedy="Give a CSV or Parquet.")
    read = understood(table, target=target, number=log or bool(n_classes), kinds=kinds)
    with_row = np.flatnonzero(rows >= 0)
    frame = read.frame.iloc[rows[with_row]].reset_index(drop=True)
    if target is not None:
        wanted = _wanted(frame, target, n_classes, log, kinds.get(target), read)
    else:
        wanted = _own_classes(dataset, with_row, n_classes, log)
    if len(wanted.rows) < _FEWEST:
        raise EmbedlabError(
            f"Only {count(len(wanted.rows), 'picture has', 'pictures have')} a target; {_FEWEST} "
            "are the least.",
            remedy="Check the join: " + " ".join(joined),
        )
    frame = frame.iloc[wanted.rows].reset_index(drop=True)
    columns = tuple(
        replace(column, remarks=(*read.remarks.get(column.name, ()), *column.remarks))
        for column in detect(frame, target=target, kinds=kinds)
    )
    if not any(column.kind in ("numeric", "categorical") for column in columns):
        reasons = " ".join(remark for column in columns for remark in column.remarks)
        raise EmbedlabError(
            f"The table has no column to learn from. {reasons}".strip(),
            remedy="Say what a column is: numeric (--numeric NAME), or categorical "
            "(--categorical NAME).",
        )
    number = frame[target] if target is not None and n_classes else None
    warnings = (
        *(leak.sentence() for leak in _leaks(frame, columns, wanted, number)),
        *_left_out(len(dataset) - len(with_row), len(with_row) - len(wanted.rows)),
        *wanted.remarks,
        *(remark for column in columns for remark in column.remarks),
    )
    frame = frame.drop(columns=[name for name in frame if holds(frame[name])])
    taken = dataset.take(with_row[wanted.rows])
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


def _but_key(key: str, target: str | None, kinds: dict[str, str]) -> dict[str, str]:
    """Check that nothing is said of the column that names the pictures but to ignore it."""
    if target == key or kinds.get(key, "ignore") != "ignore":
        raise EmbedlabError(
            f"Column {key!r} names the pictures; it can neither be predicted nor learnt from.",
            remedy="Choose another, or say which column names the pictures (--key NAME).",
        )
    return {name: kind for name, kind in kinds.items() if name != key}


def _wanted(
    frame: pd.DataFrame,
    target: str,
    n_classes: int | None,
    log: bool,
    kind: str | None,
    read: Understood,
) -> Target:
    """Make the target of a column; where it cannot be one, say as well how it was read."""
    try:
        return column_target(frame[target], target, n_classes=n_classes, log=log, kind=kind)
    except EmbedlabError as error:
        said = " ".join([error.remedy, *read.remarks.get(target, ())])
        raise EmbedlabError(error.problem, remedy=said) from None


def _own_classes(
    dataset: Dataset, rows: NDArray[np.int64], n_classes: int | None, log: bool
) -> Target:
    """Take the pictures' own classes, but for those of which no picture is left."""
    if dataset.labels is None or len(np.unique(dataset.labels)) < 2:
        raise EmbedlabError(
            f"{dataset.name} has no classes of its own to predict.",
            remedy="Say which column to predict (--target NAME).",
        )
    if n_classes or log:
        raise EmbedlabError(
            "Cutting into classes and the logarithm (--classes, --log) are for a target column of "
            "numbers.",
            remedy="Choose a target column (--target NAME).",
        )
    kept, codes = np.unique(dataset.labels[rows], return_inverse=True)
    if len(kept) < 2:
        raise EmbedlabError(
            f"All pictures that have a row are of one class, {dataset.classes[kept[0]]}."
            if len(kept)
            else "No picture has a row.",
            remedy="Give a table that has rows for the other classes too.",
        )
    classes = tuple(dataset.classes[k] for k in kept)
    gone = [name for name in dataset.classes if name not in classes]
    said = f"{count(len(gone), 'class has', 'classes have')} no picture with a row: {named(gone)}."
    return Target("class", codes, classes, np.arange(len(rows)), (said,) if gone else ())


def _leaks(
    frame: pd.DataFrame, columns: Sequence[Column], wanted: Target, number: pd.Series | None
) -> list[Leak]:
    """Ask which columns tell the target, and the number that was cut into its classes."""
    found = leaks(frame, columns, wanted.values, classes=bool(wanted.classes))
    if number is not None:
        values = number.to_numpy(np.float64, na_value=np.nan)
        found += leaks(frame, columns, values, classes=False)
    found.sort(key=lambda leak: leak.score)
    best = {leak.column: leak for leak in found}.values()
    return sorted(best, key=lambda leak: -leak.score)


def _left_out(rowless: int, targetless: int) -> list[str]:
    return [
        f"{count(n, f'picture without a {what} is', f'pictures without a {what} are')} left out."
        for n, what in ((rowless, "row"), (targetless, "target"))
        if n
    ]
