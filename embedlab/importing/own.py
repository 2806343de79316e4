"""A run from one's own vectors."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.archives import file_digest
from embedlab.data.dataset import Dataset, Skipped
from embedlab.data.decoding import PictureError, decode
from embedlab.data.notes import count, named
from embedlab.data.pictures import SIDE, thumbnail
from embedlab.errors import EmbedlabError
from embedlab.facts import scores
from embedlab.files import passing_folder
from embedlab.home import home
from embedlab.importing.saving import parts_of, save
from embedlab.importing.vectors import (
    IDS,
    LABELS,
    PATHS,
    PREDICTIONS,
    find_column,
    read_vectors,
)
from embedlab.models.backbones import BACKBONES
from embedlab.models.lookahead import each_picture
from embedlab.models.plain import plain_files, plain_vectors
from embedlab.progress import Progress, silent
from embedlab.runs import Run

NO_LABEL = "(no label)"


def import_vectors(
    path: Path,
    *,
    table: Path | None = None,
    pictures: Path | None = None,
    column: str | None = None,
    validation: float | None = None,
    split_seed: int = 123,
    title: str | None = None,
    progress: Progress = silent,
) -> Run:
    """Make a run of vectors that were computed elsewhere.

    Parameters
    ----------
    path, table : Path
        As for `embedlab.importing.vectors.read_vectors`. Of the columns, the first that is
        called like one of `PATHS` says where the pictures are, of `LABELS` what they show, of
        `PREDICTIONS` what a network took them for, of `IDS` what they are called; "split" or
        "part" say which are training pictures. All others are kept.
    pictures : Path, optional
        The folder that the paths begin in; by default the folder of the table or the vectors.
    column : str, optional
        As for `read_vectors`: which column holds the vectors.
    validation, split_seed
        As for `embedlab.importing.saving.parts_of`.
    title : str, optional
    progress : Progress

    Returns
    -------
    Run
        Without body and head. Rows whose vectors are not finite are left out; pictures that
        cannot be read are shown as grey squares.

    Raises
    ------
    EmbedlabError
        If the vectors or the table will not do.
    """
    own = read_vectors(path, table, column=column)
    finite = np.isfinite(own.vectors).all(axis=1)
    rows = np.flatnonzero(finite)
    if not len(rows):
        raise EmbedlabError(f"No vector in {path.name} is finite.", remedy="Compute them again.")
    base = pictures or (table or path).parent
    dataset, predictions, where, notes = _dataset(own.table, base, path.stem)
    failed = tuple(
        Skipped(dataset.ids[row], "its vector is not finite") for row in np.flatnonzero(~finite)
    )
    missing: list[int] = []
    small = list(_thumbnails(dataset, rows, missing, progress))
    if failed:
        left = [one.id for one in failed]
        verb = "vector is" if len(left) == 1 else "vectors are"
        notes.append(f"{len(left):,} {verb} not finite and left out: {named(left)}.")
    if missing and where is not None:
        notes.append(_unread(dataset, missing, base, where, told=pictures is not None))
    parts, split, note = parts_of(dataset, rows, validation=validation, split_seed=split_seed)
    metrics = {}
    if predictions is not None and dataset.labels is not None:
        predictions = predictions[rows]
        metrics = scores(dataset.labels[rows], predictions, parts, dataset.classes)
    with passing_folder(home("cache")) as place:
        files = {}
        if not missing:
            seen = BACKBONES["pixels"].preprocessing()
            files = plain_files(plain_vectors(dataset.take(rows), seen, progress=progress), place)
        return save(
            dataset,
            rows,
            own.vectors[rows],
            info={
                "title": title or path.stem,
                "backbone": {"name": "vectors", "title": f"Vectors of {path.name}"},
                "weights": {"kind": "vectors", "file": path.name, "sha256": file_digest(path)},
                "split": split,
                "metrics": metrics,
                "preprocessing": None,
                "notes": [*notes, *([note] if note else [])],
            },
            parts=parts,
            thumbnails=small,
            failed=failed,
            predictions=predictions,
            files=files,
        )


@dataclass(frozen=True, eq=False)
class _Somewhere:
    """Pictures at given paths, some of which may not be there."""

    paths: Sequence[Path | None]

    def __len__(self) -> int:
        return len(self.paths)

    def open(self, index: int) -> Image.Image:
        path = self.paths[index]
        if path is None:
            raise PictureError("No path is known.")
        return decode(path)

    def digest(self, index: int) -> str:
        """Give the SHA-256 of the file; empty where there is none, for nothing is like nothing."""
        path = self.paths[index]
        try:
            return file_digest(path) if path is not None else ""
        except OSError:
            return ""

    def path(self, index: int) -> Path | None:
        return self.paths[index]


def _dataset(
    table: pd.DataFrame, base: Path, name: str
) -> tuple[Dataset, NDArray[np.int64] | None, str | None, list[str]]:
    """Make a dataset of a table's rows.

    Returns
    -------
    Dataset
    predictions : ndarray of shape (n,), int64, or None
        Index into the dataset's classes, which those that are only predicted belong to as well.
    where : str or None
        Which column has the paths.
    notes : list of str
        What is odd.
    """
    n, notes = len(table), []
    where, what, called = (find_column(table, names) for names in (PATHS, LABELS, IDS))
    paths: list[Path | None] = [None] * n
    if where is not None:
        given = table[where].astype("string").fillna("").tolist()
        paths = [base / one if one else None for one in given]
    else:
        notes.append("No column says where the pictures are, so they are grey squares.")
    source = called or where
    ids = [] if source is None else table[source].astype("string").fillna("").tolist()
    if len(set(ids)) != n or not all(ids):
        if source is not None:
            notes.append(
                f"The names in column {source!r} repeat or are missing; rows are numbered."
            )
        ids = [f"{row:0{max(5, len(str(n)))}d}" for row in range(n)]
    labels, predictions, classes = None, None, tuple[str, ...]()
    taken = find_column(table, PREDICTIONS) if what is not None else None
    if what is not None:
        texts = _as_names(table[what])
        guesses = [] if taken is None else _as_names(table[taken])
        if NO_LABEL in guesses:
            notes.append(
                f"{count(guesses.count(NO_LABEL), 'row has', 'rows have')} no {taken!r}, so it is "
                "kept as a column, and no mistakes are counted."
            )
            taken, guesses = None, []
        classes = tuple(sorted({*texts, *guesses}, key=_order))
        number = {name: k for k, name in enumerate(classes)}
        labels = np.array([number[text] for text in texts], np.int64)
        if guesses:
            predictions = np.array([number[text] for text in guesses], np.int64)
        if NO_LABEL in classes:
            notes.append(f"{count(texts.count(NO_LABEL), 'row has', 'rows have')} no label.")
    rest = table.drop(columns=[one for one in {where, what, called, taken} if one is not None])
    dataset = Dataset(
        name=name,
        ids=tuple(ids),
        pictures=_Somewhere(paths),
        labels=labels,
        classes=classes,
        table=rest if len(rest.columns) else None,
        origin={"source": "vectors"},
    )
    return dataset, predictions, where, notes


def _unread(dataset: Dataset, missing: list[int], base: Path, where: str, *, told: bool) -> str:
    """Say which pictures could not be read, and where the first that is not there was sought."""
    note = (
        f"{count(len(missing), 'picture')} could not be read and "
        f"{'is a grey square' if len(missing) == 1 else 'are grey squares'}: "
        f"{named([dataset.ids[row] for row in missing])}."
    )
    sought = (dataset.pictures.path(row) for row in missing)
    gone = [path for path in sought if path is not None and not path.exists()]
    if not gone:
        return note
    first = gone[0].relative_to(base) if gone[0].is_relative_to(base) else Path(gone[0].name)
    note += (
        f" {count(len(gone), 'of them is', 'of them are')} not where column {where!r} says: "
        f"there is no {str(first)!r} in the folder {base.resolve().name!r}."
    )
    if len(gone) == len(dataset):
        note += (
            " Import again with another folder of pictures, the one that the paths begin in."
            if told
            else " Import again and say in which folder the paths begin."
        )
    return note


def _as_names(values: pd.Series) -> list[str]:
    """Write labels as texts: 3.0, which a column with gaps makes of 3, is 3."""
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return [text or NO_LABEL for text in values.astype("string").fillna("").tolist()]


def _order(name: str) -> tuple[int, float, str]:
    """Sort numbers as numbers, then names."""
    return (0, float(name), "") if name.lstrip("-").isdecimal() else (1, 0.0, name)


def _thumbnails(
    dataset: Dataset, rows: NDArray[np.int64], missing: list[int], progress: Progress
) -> Iterator[bytes]:
    for done, (row, found) in enumerate(each_picture(dataset, rows.tolist(), thumbnail)):
        progress("making thumbnails", done + 1, len(rows))
        if isinstance(found, Skipped):
            missing.append(row)
            yield _grey()
        else:
            yield found


def _grey() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (170, 176, 173)).save(file, "JPEG")
    return file.getvalue()
