"""SOURCES: the named sets of pictures; and load_dataset, which also takes any path."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedlab.data import named_arrays, named_folders
from embedlab.data.archives import archive_kind, unpack
from embedlab.data.array_dataset import array_dataset
from embedlab.data.arrays import load_arrays
from embedlab.data.ask import Ask
from embedlab.data.dataset import Dataset
from embedlab.data.folders import folder_dataset
from embedlab.data.listing import Found, as_text, list_folder, may_be_picture
from embedlab.data.published import FILES, is_here
from embedlab.errors import EmbedlabError
from embedlab.progress import Progress, silent


@dataclass(frozen=True)
class Source:
    """A named set of pictures.

    Parameters
    ----------
    description : str
        A line for menus.
    loader : callable
        Takes an `Ask` and options of its own, gives a Dataset.
    """

    description: str
    loader: Callable[..., Dataset]


def load_dataset(
    source: str | Path,
    *,
    root: Path | None = None,
    limit: int | None = None,
    seed: int = 123,
    progress: Progress = silent,
    **options: Any,
) -> Dataset:
    """Open a set of pictures, by name or from a path.

    Parameters
    ----------
    source : str or Path
        A name in `SOURCES`; or a folder with a sub-folder for each class, a folder of pictures,
        a zip or tar of either, a .npy or .npz. A name wins over a folder of that name: write
        ``./garden`` to mean the folder.
    root : Path, optional
        The folder that holds a named set's files already. Without it they are looked for where
        the environment variable EMBEDLAB_DATASETS says and in embedlab's home, and downloaded.
    limit : int, optional
        Take a random sample of at most this many pictures.
    seed : int
        Decides which sample.
    progress : Progress
        Told how far the work is.
    **options
        What a named set takes besides: ``part="test"`` (MNIST and its like, CIFAR, SVHN),
        ``n_each=10`` (garden).

    Returns
    -------
    Dataset
        Its `skipped` lists files that were left out and why, its `notes` what else to know.

    Raises
    ------
    EmbedlabError
        If there is nothing of that name, nothing in it can be used, or it cannot be downloaded.

    Examples
    --------
    >>> digits = load_dataset("digits")
    >>> len(digits), digits.classes[:3], digits.pictures.open(0).size
    (1797, ('0', '1', '2'), (8, 8))
    """
    ask = Ask(Path(root) if root is not None else None, limit, seed, progress)
    name = named_set(source)
    if name is not None:
        loader = SOURCES[name].loader
        known = list(inspect.signature(loader).parameters)[1:]
        if strange := [option for option in options if option not in known]:
            raise EmbedlabError(
                f"{name} takes no option {', '.join(strange)}.",
                remedy=f"It takes: {', '.join(known) or 'none'}.",
            )
        return loader(ask, **options)
    check_there(source)
    path = Path(source).expanduser()
    if options or root is not None:
        given = ", ".join([*options, *(["root"] if root is not None else [])])
        raise EmbedlabError(
            f"Only named sets take {given}, and {path} is a path.", remedy="Leave it out."
        )
    return _from_folder(path, ask) if path.is_dir() else _from_file(path, ask)


def check_there(source: str | Path) -> None:
    """Refuse what is neither a named set nor a path that exists.

    Raises
    ------
    EmbedlabError
        That says what comes close.
    """
    if named_set(source) is None and not Path(source).expanduser().exists():
        raise _unknown(str(source))


def load_again(origin: Mapping[str, Any], *, progress: Progress = silent) -> Dataset:
    """Make a dataset again from what its `origin` says.

    Parameters
    ----------
    origin : mapping
        As a Dataset has it.
    progress : Progress

    Returns
    -------
    Dataset

    Raises
    ------
    EmbedlabError
        As from `load_dataset`.
    """
    options = dict(origin)
    name = options.pop("source", "")
    path = options.pop("path", None)
    root = options.pop("root", None)
    return load_dataset(
        name if path is None else Path(path),
        root=None if root is None else Path(root),
        limit=options.pop("limit", None),
        seed=options.pop("sample_seed", 123),
        progress=progress,
        **options,
    )


def is_at_hand(name: str) -> bool:
    """Say whether a named set can be opened without a network.

    Parameters
    ----------
    name : str
        A key of `SOURCES`.
    """
    return name not in FILES or is_here(name)


def download_size(name: str) -> int:
    """Say how many bytes a named set is to download; 0 where there is nothing to download."""
    return sum(file.size for file in FILES.get(name, ()))


def named_set(source: str | Path) -> str | None:
    """Find the named set that is meant, however its name is spelt: fashion_mnist, CIFAR-10."""
    if isinstance(source, Path):
        return None
    if source in SOURCES:
        return source
    folded = {_fold(name): name for name in SOURCES}
    return None if Path(source).exists() else folded.get(_fold(source))


def _fold(name: str) -> str:
    return re.sub(r"[-_ ]", "", name.lower())


def _unknown(source: str) -> EmbedlabError:
    close = difflib.get_close_matches(source.lower(), SOURCES, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    return EmbedlabError(
        f"There is no folder or file {source!r}, and no set of that name.",
        remedy=f"{hint}Sets: {', '.join(SOURCES)}.",
    )


def _from_folder(path: Path, ask: Ask) -> Dataset:
    return folder_dataset(
        list_folder(path),
        name=as_text(path.resolve().name) or "pictures",
        origin={"source": "folder", "path": as_text(str(path.absolute()))},
        limit=ask.limit,
        seed=ask.seed,
        progress=ask.progress,
    )


def holds_pictures(path: Path) -> bool:
    """Say whether a file may be a source of pictures: an archive, or arrays.

    Parameters
    ----------
    path : Path
        A file. One that cannot be read may be one.
    """
    try:
        return bool(archive_kind(path)) or _holds_arrays(path)
    except OSError:
        return True


def _holds_arrays(path: Path) -> bool:
    with path.open("rb") as file:
        is_npy = file.read(6) == b"\x93NUMPY"
    return is_npy or path.suffix.lower() in {".npy", ".npz"}


def _from_file(path: Path, ask: Ask) -> Dataset:
    name = as_text(re.sub(r"(\.tar)?\.[^.]+$", "", path.name) or path.name)
    origin = {"path": as_text(str(path.absolute()))}
    if _holds_arrays(path):
        return array_dataset(
            load_arrays(path),
            name=name,
            origin={"source": "arrays", **origin},
            limit=ask.limit,
            seed=ask.seed,
        )
    if not archive_kind(path) and may_be_picture(Found(path.name, path)):
        raise EmbedlabError(
            f"{path.name} is a single picture.", remedy="Give the folder that it lies in."
        )
    listing = unpack(path, progress=ask.progress)
    return folder_dataset(
        listing,
        name=name,
        origin={"source": "archive", **origin},
        wrapped=True,
        limit=ask.limit,
        seed=ask.seed,
        progress=ask.progress,
    )


SOURCES: dict[str, Source] = {
    "garden": Source(
        "Flowers that embedlab draws itself, every factor known", named_folders.load_garden
    ),
    "digits": Source(
        "1,797 handwritten digits, 8 x 8, from scikit-learn", named_arrays.load_digits
    ),
    "flowers": Source("3,670 photographs of five flowers", named_folders.load_flowers),
    "mnist": Source("70,000 handwritten digits, 28 x 28", named_arrays.load_mnist),
    "fashion-mnist": Source("70,000 pieces of clothing, 28 x 28", named_arrays.load_fashion),
    "kmnist": Source("70,000 cursive Japanese letters, 28 x 28", named_arrays.load_kmnist),
    "cifar10": Source("60,000 small photographs of ten things, 32 x 32", named_arrays.load_cifar10),
    "cifar100": Source("60,000 small photographs of a hundred things", named_arrays.load_cifar100),
    "svhn": Source("99,289 house-number digits, 32 x 32", named_arrays.load_svhn),
    "eurosat": Source("27,000 satellite pictures of ten kinds of land", named_folders.load_eurosat),
}
