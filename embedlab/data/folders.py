"""Datasets from files: which class each belongs to, and which can be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from embedlab.data.dataset import Dataset, Skipped
from embedlab.data.listing import Found, Listing, natural_key
from embedlab.data.notes import class_notes, count, named, picture_notes
from embedlab.data.pictures import FilePictures
from embedlab.data.sampling import sample, sample_note, sample_origin
from embedlab.data.scan import scan
from embedlab.errors import EmbedlabError
from embedlab.progress import Progress, silent

# Top folders of these names hold the same classes each; they are no classes themselves.
PARTS = ("train", "training", "val", "valid", "validation", "test", "testing")


@dataclass(frozen=True)
class Arranged:
    """Files in the order of a dataset, with what their folders say.

    Parameters
    ----------
    files : tuple of Found, length n
    labels : tuple of str, length n, or None
        The class of each file; None without class folders.
    parts : tuple of str, length n, or None
        "train", "val", ...: the top folder of each, where these are no classes.
    empty : tuple of str
        Class folders without pictures.
    loose : tuple of Found
        Files beside the class folders, so without a class.
    listing : Listing
        What was arranged, below the folder that holds the classes.
    """

    files: tuple[Found, ...]
    labels: tuple[str, ...] | None
    parts: tuple[str, ...] | None
    empty: tuple[str, ...]
    loose: tuple[Found, ...]
    listing: Listing


def arrange(listing: Listing, *, wrapped: bool = False) -> Arranged:
    """Tell classes from folders.

    Each folder at the top is a class, with everything below it; classes are sorted by name, and
    files within a class by folder and name as plain strings, as torchvision's ImageFolder does.
    Without folders there are no classes, and files come in natural order: 2.jpg before 10.jpg.
    A single folder that holds nothing but folders is entered. Folders called train, val, test
    and the like are parts with classes of their own below.

    Parameters
    ----------
    listing : Listing
    wrapped : bool
        Also enter a single folder that holds the pictures themselves, as archives have it.

    Returns
    -------
    Arranged
    """
    while (top := _only_folder(listing)) is not None:
        inner = listing.below(top)
        if not wrapped and any("/" not in file.id for file in inner.files):
            break
        listing = inner
    inside = [file for file in listing.files if "/" in file.id]
    loose = tuple(file for file in listing.files if "/" not in file.id)
    if not inside:
        order = sorted(loose, key=lambda file: natural_key(file.id))
        return Arranged(tuple(order), None, None, (), (), listing)
    depth = 1 if _are_parts(listing) else 0
    names = {id_: id_.split("/") for id_ in (file.id for file in inside)}

    def key(file: Found) -> tuple[int, str, str, str]:
        *folders, name = names[file.id]
        part = PARTS.index(folders[0].lower()) if depth else 0
        return part, folders[depth], "/".join(folders), name

    files = tuple(sorted(inside, key=key))
    labels = tuple(names[file.id][depth] for file in files)
    folders = {name.split("/")[depth] for name in listing.folders if name.count("/") >= depth}
    return Arranged(
        files,
        labels,
        tuple(names[file.id][0] for file in files) if depth else None,
        tuple(sorted(folders - set(labels))),
        loose,
        listing,
    )


def folder_dataset(
    listing: Listing,
    *,
    name: str,
    origin: Mapping[str, Any],
    wrapped: bool = False,
    limit: int | None = None,
    seed: int = 123,
    notes: Sequence[str] = (),
    progress: Progress = silent,
) -> Dataset:
    """Make a dataset of the pictures in a folder or an unpacked archive.

    Parameters
    ----------
    listing : Listing
        What there is.
    name : str
        What people call it.
    origin : mapping
        As in `Dataset`; the sample is added.
    wrapped : bool
        As in `arrange`.
    limit : int, optional
        Take a random sample of at most this many.
    seed : int
        Decides which sample.
    notes : sequence of str
        Sentences to put before those found here.
    progress : Progress
        Told how many pictures were checked.

    Returns
    -------
    Dataset
        Ids are paths with forward slashes, below the folder that holds the classes.

    Raises
    ------
    EmbedlabError
        If there is not one picture that can be used.
    """
    arranged = arrange(listing, wrapped=wrapped)
    rows = sample(len(arranged.files), limit=limit, seed=seed)
    scanned = scan([arranged.files[i] for i in rows], progress=progress)
    skipped = (
        *scanned.skipped,
        *(
            Skipped(file.id, "It lies beside the class folders, so it has no class.")
            for file in arranged.loose
        ),
        *listing.refused,
    )
    if not scanned.files:
        raise _nothing(name, arranged, skipped)
    ids = tuple(file.id for file in scanned.files)
    known = dict(zip((file.id for file in arranged.files), range(len(arranged.files)), strict=True))
    kept = [known[id_] for id_ in ids]
    labels = None if arranged.labels is None else [arranged.labels[i] for i in kept]
    classes = tuple(sorted(set(labels))) if labels else ()
    numbers = {label: k for k, label in enumerate(classes)}
    lost = sorted(set(arranged.labels or ()) - set(classes)) if limit is None else []
    said = [*notes, *_left_out(arranged), *_merged(arranged)]
    said += sample_note(len(rows), len(arranged.files), seed=seed)
    if arranged.parts is not None:
        said.append("The column 'part' says which top folder a picture came from.")
    if labels is not None:
        said += class_notes(classes, labels, empty=sorted({*arranged.empty, *lost}))
    said += picture_notes(scanned.facts, ids, labels)
    parts = arranged.parts
    return Dataset(
        name=name,
        ids=ids,
        pictures=FilePictures(
            [file.path for file in scanned.files], [fact.digest for fact in scanned.facts]
        ),
        labels=None if labels is None else np.array([numbers[name] for name in labels], np.int64),
        classes=classes,
        table=None if parts is None else pd.DataFrame({"part": [parts[i] for i in kept]}),
        skipped=skipped,
        notes=tuple(said),
        origin={**origin, **sample_origin(limit=limit, seed=seed)},
    )


def _only_folder(listing: Listing) -> str | None:
    """Name the folder that holds every picture, where it is the only one at the top."""
    if not listing.files or any("/" not in file.id for file in listing.files):
        return None
    tops = {name for name in listing.folders if "/" not in name}
    tops |= {file.id.partition("/")[0] for file in listing.files}
    return tops.pop() if len(tops) == 1 else None


def _are_parts(listing: Listing) -> bool:
    tops = {file.id.partition("/")[0] for file in listing.files}
    deep = all(file.id.count("/") >= 2 for file in listing.files)
    return deep and len(tops) > 1 and all(top.lower() in PARTS for top in tops)


def _left_out(arranged: Arranged) -> list[str]:
    said = []
    if hidden := arranged.listing.hidden:
        said.append(f"Hidden files and folders left out: {hidden:,}.")
    if others := [file.id for file in arranged.listing.others]:
        said.append(
            f"{count(len(others), 'file that is no picture', 'files that are no pictures')} left "
            f"out: {named(sorted(others), shown=3)}."
        )
    return said


def _merged(arranged: Arranged) -> list[str]:
    """Say which classes are made of several folders, each of which might have been meant as one."""
    depth = 0 if arranged.parts is None else 1
    inner: dict[str, set[str]] = {}
    for file in arranged.files if arranged.labels is not None else ():
        folders = file.id.split("/")[depth:-1]
        if len(folders) > 1:
            inner.setdefault(folders[0], set()).add(folders[1])
    if not inner:
        return []
    (name, found), *others = sorted(inner.items())
    lie = "lies" if len(found) == 1 else "lie"
    rest = count(len(others), "other class does", "other classes do")
    return [
        f"Class {name} takes in what {lie} in {count(len(found), 'folder')} of its own "
        f"({named(sorted(found), shown=3)})"
        + (f"; {rest} the like: {named([name for name, _ in others], shown=3)}." if others else ".")
    ]


def _nothing(name: str, arranged: Arranged, skipped: Sequence[Skipped]) -> EmbedlabError:
    remedy = "It should hold pictures (JPEG, PNG, GIF, BMP, WebP, TIFF) or a folder for each class."
    if skipped:
        first = skipped[0]
        remedy = (
            f"{count(len(skipped), 'file was', 'files were')} left out; the first, {first.id}: "
            f"{first.reason}"
        )
    elif others := arranged.listing.others:
        remedy = f"It holds {named(sorted(file.id for file in others), shown=3)}. {remedy}"
    return EmbedlabError(f"There is no picture in {name} that can be used.", remedy=remedy)
