"""Where embedlab keeps things on this machine: runs, jobs, downloads, caches."""

from __future__ import annotations

import os
from pathlib import Path

from embedlab.errors import EmbedlabError


def home(*parts: str) -> Path:
    """Give a folder below embedlab's home, made when it is missing.

    The home is the environment variable EMBEDLAB_HOME or, when that is unset, the place where
    this operating system keeps an application's data.

    Parameters
    ----------
    *parts : str
        Names of folders below the home: ``home("runs")``, ``home("cache", "garden")``.

    Returns
    -------
    Path
        An existing folder.
    """
    root = os.environ.get("EMBEDLAB_HOME")
    if not root:
        from platformdirs import user_data_dir

        root = user_data_dir("embedlab", appauthor=False)
    folder = Path(root).expanduser().joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def app_folder() -> Path:
    """Find the folder of app.py and pages/: the checkout's, or where a wheel put them.

    Returns
    -------
    Path

    Raises
    ------
    EmbedlabError
        If they are missing from this installation.
    """
    checkout = Path(__file__).resolve().parents[1]
    if (checkout / "app.py").exists() and (checkout / "pages").is_dir():
        return checkout
    from importlib.metadata import files

    for file in files("embedlab") or ():
        if file.name == "app.py" and file.parent.name != "cli":
            return Path(str(file.locate())).resolve().parent
    raise EmbedlabError(
        "The pages of the app are missing from this installation.",
        remedy="Install embedlab again: pip install --force-reinstall embedlab.",
    )
