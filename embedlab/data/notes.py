"""Sentences about a dataset that people should read before they trust it."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

from embedlab.data.decoding import REMARKS, Facts

_SHOWN = 5


def named(names: Sequence[str], *, shown: int = _SHOWN) -> str:
    """List names, and how many more there are: "a, b, c and 4 more"."""
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest:,} more" if rest > 0 else "")


def count(n: int, one: str, many: str = "") -> str:
    """Count things: "1 picture", "3,670 pictures"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def class_notes(
    classes: Sequence[str], labels: Sequence[str], *, empty: Sequence[str] = ()
) -> list[str]:
    """Say what is odd about the classes.

    Parameters
    ----------
    classes : sequence of str
        Names of the classes that have pictures.
    labels : sequence of str
        The class of each picture.
    empty : sequence of str
        Names of class folders without pictures.

    Returns
    -------
    list of str
        Sentences.
    """
    notes = []
    if empty:
        what = "this folder" if len(empty) == 1 else "these folders"
        notes.append(f"No pictures were found in {what}, so no class was made: {named(empty)}.")
    sizes = Counter(labels)
    single = [name for name in classes if sizes[name] == 1]
    if single:
        notes.append(
            f"{count(len(single), 'class has', 'classes have')} one picture only, too few to both "
            f"learn from and test on: {named(single)}."
        )
    if len(classes) == 1:
        notes.append(
            f"All pictures are of one class, {classes[0]}; a classifier needs two or more."
        )
    alike = defaultdict(list)
    for name in classes:
        alike[unicodedata.normalize("NFKC", name).casefold().strip()].append(name)
    for twins in alike.values():
        if len(twins) > 1:
            quoted = " and ".join(f"'{name}'" for name in twins)
            notes.append(
                f"The classes {quoted} look like the same name; they are kept apart. Rename the "
                "folders if they belong together."
            )
    return notes


def picture_notes(
    facts: Sequence[Facts], ids: Sequence[str], labels: Sequence[str] | None
) -> list[str]:
    """Say which pictures repeat others, differ in size, or are converted.

    Parameters
    ----------
    facts : sequence of Facts, length n
    ids : sequence of str, length n
    labels : sequence of str, length n, optional
        The class of each picture.

    Returns
    -------
    list of str
        Sentences.
    """
    notes = []
    for remark, words in REMARKS.items():
        which = [id_ for id_, fact in zip(ids, facts, strict=True) if remark in fact.remarks]
        if which:
            notes.append(f"{count(len(which), 'picture')} {words}: {named(which, shown=3)}.")
    first: dict[str, int] = {}
    repeats = []
    for i, fact in enumerate(facts):
        if first.setdefault(fact.digest, i) != i:
            repeats.append((first[fact.digest], i))
    if repeats:
        pairs = [f"{ids[i]} = {ids[j]}" for i, j in repeats]
        repeat = count(len(repeats), "picture repeats", "pictures repeat")
        notes.append(f"{repeat} the content of another exactly: {named(pairs, shown=3)}.")
        torn = sum(labels[i] != labels[j] for i, j in repeats) if labels else 0
        if torn:
            notes.append(f"{count(torn, 'of these has', 'of these have')} two different classes.")
    sizes = {(fact.width, fact.height) for fact in facts}
    if len(sizes) > 1:
        small, big = (pick(sizes, key=lambda size: size[0] * size[1]) for pick in (min, max))
        notes.append(
            f"Pictures differ in size, from {small[0]} x {small[1]} to {big[0]} x {big[1]} pixels."
        )
    return notes
