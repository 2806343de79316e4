"""Names of classes: from a file, from the folders, from the weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from embedlab.data.dataset import Dataset
from embedlab.errors import EmbedlabError


def read_names(path: Path) -> tuple[str, ...]:
    """Read names of classes, in the order of a head's rows.

    Parameters
    ----------
    path : Path
        A text with a name a line; or JSON: a list of names, names by number
        (``{"0": "rose"}``), or numbers by name (``{"rose": 0}``, as torchvision's class_to_idx).
        Of several names for a number, as in ImageNet's ``{"0": ["n01440764", "tench"]}``, the
        last is taken.

    Returns
    -------
    tuple of str

    Raises
    ------
    EmbedlabError
        If it is none of these, a number is missing, or a name occurs twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EmbedlabError(
            f"The names of the classes cannot be read from {path}: {error}.",
            remedy="Write a text file with a name a line.",
        ) from None
    try:
        names = _of_json(json.loads(text)) if text.lstrip()[:1] in {"[", "{"} else _of_lines(text)
    except ValueError as error:
        raise EmbedlabError(
            f"{path} is no list of names: {error}.",
            remedy='Write a name a line, or JSON such as ["daisy", "rose"] or {"daisy": 0, '
            '"rose": 1}.',
        ) from None
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        what = f"{twice[0]!r} occurs twice" if twice else "it is empty"
        raise EmbedlabError(f"{path} does not name classes: {what}.")
    return names


def _of_lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _of_json(value: Any) -> tuple[str, ...]:
    if isinstance(value, dict):
        if all(key.strip().isdecimal() for key in value):
            numbered = [(int(key), name) for key, name in value.items()]
        else:
            numbered = [(_number(number, name), name) for name, number in value.items()]
        numbers = [number for number, _ in numbered]
        if gone := sorted(set(range(len(numbers))) - set(numbers)):
            raise ValueError(
                f"of the numbers 0 to {len(numbers) - 1}, one for each name, {gone[0]} is missing"
            )
        value = [name for _, name in sorted(numbered, key=lambda pair: pair[0])]
    return tuple(_name(one, row) for row, one in enumerate(value))


def _number(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name!r} has {json.dumps(value)} where its number belongs")
    return value


def _name(value: Any, row: int) -> str:
    if isinstance(value, list) and value:
        value = value[-1]
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
        raise ValueError(f"number {row} has {json.dumps(value)} where a name belongs")
    return str(value).strip()


def name_rows(
    n_rows: int,
    *,
    given: tuple[str, ...] | None,
    dataset: Dataset,
    known: tuple[str, ...],
    what: str,
) -> tuple[str, ...]:
    """Name the rows of a head.

    Parameters
    ----------
    n_rows : int
    given : tuple of str, optional
        What a person gave.
    dataset : Dataset
        Its classes are taken when there are as many.
    known : tuple of str
        What the weights bring along, such as ImageNet's classes; may be empty.
    what : str
        What errors call the head's file.

    Returns
    -------
    tuple of str, length n_rows

    Raises
    ------
    EmbedlabError
        If none of these fits.
    """
    for names in (given, known, dataset.classes):
        if names and len(names) == n_rows:
            return names
        if names is given and given is not None:
            break
    if given is not None:
        raise EmbedlabError(
            f"{len(given)} classes are named, and the head of {what} has {n_rows} rows.",
            remedy=f"Name {n_rows} classes, in the order of the rows.",
        )
    there = f"{len(dataset.classes)} classes" if dataset.classes else "no classes"
    raise EmbedlabError(
        f"The head of {what} has {n_rows} rows, and {dataset.name} has {there}.",
        remedy=f"Say what the rows are: --classes FILE, with {n_rows} names in their order.",
    )


def under_names(dataset: Dataset, names: tuple[str, ...]) -> Dataset | None:
    """Give the dataset with a head's classes for its own; None where they are others."""
    if dataset.labels is None or not set(dataset.classes) <= set(names):
        return None
    order = {name: k for k, name in enumerate(names)}
    renumbered = np.array([order[name] for name in dataset.classes], np.int64)
    return replace(dataset, classes=names, labels=renumbered[dataset.labels])
