"""Finding runs: where they are looked for, by which names, and which cannot be read."""

from __future__ import annotations

import re
from pathlib import Path

from embedlab.errors import EmbedlabError
from embedlab.files import PARTIAL
from embedlab.home import home
from embedlab.runs.run import BUILTIN, NAME, Run

_LONGEST = 80  # characters of a new folder's name, before its number


def run_folders() -> list[Path]:
    """Say where runs are looked for: this machine's home, ``runs/`` here, the built-in ones."""
    return [home("runs"), Path.cwd() / "runs", BUILTIN]


def list_runs() -> list[Run]:
    """Open every run there is, newest first, the built-in ones last.

    Folders that cannot be read as runs are passed over.
    """
    found: dict[str, Run] = {}
    for place in run_folders():
        if not place.is_dir():
            continue
        for path in place.iterdir():
            if path.name in found or path.name.startswith(PARTIAL):
                continue
            try:
                found[path.name] = Run(path)
            except EmbedlabError:
                continue
    return sorted(
        found.values(),
        key=lambda run: (run.folder.parent != BUILTIN, str(run.info.get("created", ""))),
        reverse=True,
    )


def unreadable_runs() -> list[EmbedlabError]:
    """Say of each folder among the runs that was one, and cannot be read, why not."""
    found = []
    for place in run_folders():
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if path.name.startswith(PARTIAL) or not (path / "run.json").exists():
                continue
            try:
                Run(path)
            except EmbedlabError as error:
                found.append(error)
    return found


def open_run(name: str | Path) -> Run:
    """Open a run by its name or its folder.

    Parameters
    ----------
    name : str or Path
        A name that `list_runs` shows ("garden"), or the path of a run's folder.

    Returns
    -------
    Run

    Raises
    ------
    EmbedlabError
        If there is no such run.

    Examples
    --------
    >>> run = open_run("garden")
    >>> run.classes
    ('daisy', 'dandelion', 'rose', 'sunflower', 'tulip')
    """
    if isinstance(name, str) and NAME.fullmatch(name):
        for place in run_folders():
            if (place / name / "run.json").exists():
                return Run(place / name)
    path = Path(name)
    if (path / "run.json").exists():
        return Run(path)
    known = ", ".join(run.id for run in list_runs()) or "none yet"
    raise EmbedlabError(
        f"No run is called {str(name)!r}.", remedy=f"Runs on this machine: {known}."
    )


def new_run_folder(name: str) -> Path:
    """Find a free folder for a run of this name in the home: NAME, NAME-2, NAME-3, ..."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "run"
    if len(stem) > _LONGEST:  # between words: a number that is cut would be another number
        stem = stem[: _LONGEST + 1].rpartition("-")[0].rstrip("-._") or stem[:_LONGEST]
    folder = home("runs") / stem
    number = 2
    while folder.exists():
        folder = home("runs") / f"{stem}-{number}"
        number += 1
    return folder
