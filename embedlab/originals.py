"""The pictures of a run once more: its originals where they are at hand, else its small ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from embedlab.data.dataset import Dataset
from embedlab.data.pictures import decode
from embedlab.data.sources import SOURCES, is_at_hand, load_again
from embedlab.errors import EmbedlabError
from embedlab.progress import Progress, silent
from embedlab.runs import Run

_MOST_BYTES = 2**28


class Originals:
    """Pictures of a run, as `embedlab.data.dataset.Pictures`; make them with `originals`.

    A file counts as the original only while its content is what the run was made from; a
    picture that was drawn, or came from an array, is taken from the set that `again` is.

    Parameters
    ----------
    run : Run
    again : Dataset, optional
        The set that the run was made from, opened once more.
    """

    def __init__(self, run: Run, again: Dataset | None) -> None:
        self.run = run
        self.small: set[int] = set()
        self._paths = _column(run, "path")
        self._digests = _column(run, "digest")
        self._again = again
        self._rows = {} if again is None else {id_: row for row, id_ in enumerate(again.ids)}

    def __len__(self) -> int:
        return self.run.n_items

    def open(self, index: int) -> Image.Image:
        """Give picture `index`; where that is the small one, `small` tells so from then on."""
        picture = self._from_file(index) or self._from_set(index)
        if picture is not None:
            return picture
        self.small.add(index)
        return decode(self.run.thumbnails[index])

    def digest(self, index: int) -> str:
        """Give the SHA-256 of the picture that the run was made from; empty where not kept."""
        return self._digests[index] or ""

    def path(self, index: int) -> Path | None:
        """Say where the picture lay when the run was made, if it was a file."""
        path = self._paths[index]
        return None if path is None else Path(path)

    def _from_file(self, index: int) -> Image.Image | None:
        path, digest = self._paths[index], self._digests[index]
        if path is None:
            return None
        try:
            file = Path(path)
            if not file.is_file() or file.stat().st_size > _MOST_BYTES:
                return None
            data = file.read_bytes()
            if hashlib.sha256(data).hexdigest() == digest:  # no digest, no proof
                return decode(data)
        except (OSError, EmbedlabError):
            pass
        return None

    def _from_set(self, index: int) -> Image.Image | None:
        row = self._rows.get(str(self.run.items["id"].iat[index]))
        if self._again is None or row is None:
            return None
        pictures, digest = self._again.pictures, self._digests[index]
        if digest is not None and pictures.digest(row) != digest:
            return None
        try:
            return pictures.open(row)
        except (OSError, EmbedlabError):
            return None


def originals(run: Run, *, progress: Progress = silent) -> Originals:
    """Find the pictures that a run was made from.

    Pictures that never lay in files of their own (the garden's, those of an array) are taken
    from the run's origin: drawn or opened again, where that needs no download.

    Parameters
    ----------
    run : Run
    progress : Progress

    Returns
    -------
    Originals
        Of pictures that are not to be had, it gives the run's small ones.
    """
    origin = dict(run.info.get("dataset", {}).get("origin", {}))
    drawn_or_array = any(path is None for path in _column(run, "path"))
    if not (drawn_or_array and _opens_again(origin)):
        return Originals(run, None)
    try:
        return Originals(run, load_again(origin, progress=progress))
    except (EmbedlabError, OSError, TypeError, ValueError):  # run.json may be anybody's
        return Originals(run, None)


def drawn_again(run: Run, row: int) -> Image.Image | None:
    """Draw one picture of the garden anew, without the rest of it.

    Parameters
    ----------
    run : Run
        One of the garden.
    row : int

    Returns
    -------
    PIL.Image.Image or None
        None where it does not come out as it was when the run was made.
    """
    from embedlab.data.garden import KINDS, draw, flower

    kind, _, number = str(run.items["id"].iat[row]).partition("/")
    origin = run.info.get("dataset", {}).get("origin", {})
    try:
        index = int(number) * len(KINDS) + KINDS.index(kind)
        picture = draw(flower(index, seed=int(origin.get("garden_seed", 0))))
    except (ValueError, TypeError):  # run.json may be anybody's
        return None
    same = hashlib.sha256(picture.data).hexdigest() == _column(run, "digest")[row]
    return Image.fromarray(picture) if same else None


def _opens_again(origin: Mapping[str, Any]) -> bool:
    """Say whether a set can be opened without a download and without searching folders."""
    if "path" in origin:
        return origin.get("source") == "arrays"
    name = str(origin.get("source"))
    return name in SOURCES and ("root" in origin or is_at_hand(name))


def _column(run: Run, name: str) -> Sequence[str | None]:
    if name not in run.items:
        return [None] * run.n_items
    return [None if pd.isna(value) else str(value) for value in run.items[name]]
