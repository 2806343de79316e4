"""Run: the folder that holds all that was found out about one set of pictures.

A run can be read with NumPy and pandas alone::

    run.json            what was done: dataset, split, backbone, settings, metrics, versions
    items.parquet       a row a picture: id, path, label, split, prediction, p.<class>,
                        table.<column>, factor.<name>
    embeddings.npy      float32 (n, d); row i belongs to item i
    vectors/NAME.npy    other vectors of the same pictures (pixels, histogram, a layer, ...)
    head.safetensors    weight (c, d) and bias (c,) of the last linear layer
    body.onnx           picture -> feature map and embedding, for pictures that come later
    body.safetensors    the body's weights
    thumbnails.bin/.npy JPEGs one after the other, and where each begins
    inputs.bin/.npy     the same for what the model saw
    history.jsonl       what happened in training, a line a report
    projections/        computed views, by key
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from embedlab.data.pack import Pack
from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.files import PARTIAL, new_file, write_json
from embedlab.home import home

SCHEMA = 1
EMBEDDING = "embedding"
BUILTIN = Path(__file__).parents[1] / "builtin"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # of a run, a set of vectors, a view
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True, eq=False)
class Head:
    """The last linear layer: one row of weights, a class prototype, for each class.

    Parameters
    ----------
    weight : ndarray of shape (c, d), float32
        Row k is the direction in which the logit of class k grows.
    bias : ndarray of shape (c,), float32
    classes : tuple of str, length c
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        c = len(self.classes)
        if self.weight.ndim != 2 or len(self.weight) != c or self.bias.shape != (c,):
            raise ValueError(
                f"a head of {c} classes has a weight of shape ({c}, d) and a bias of shape "
                f"({c},); given {self.weight.shape} and {self.bias.shape}"
            )

    def logits(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score embeddings of shape (n, d): ``embeddings @ weight.T + bias``, shape (n, c)."""
        return np.asarray(embeddings @ self.weight.T + self.bias, dtype=np.float32)


class Run:
    """A finished run, opened for reading. Nothing is loaded before it is asked for.

    Parameters
    ----------
    folder : Path
        The run's folder.

    Raises
    ------
    EmbedlabError
        If the folder is no run, or was written by a later embedlab.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        try:
            info = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise EmbedlabError(
                f"{self.folder} is not a run: it has no run.json.",
                remedy="Give the folder that 'embedlab train' made, or a run's name.",
            ) from None
        except (OSError, ValueError) as error:
            raise _damaged(self.folder / "run.json", error) from None
        if not isinstance(info, dict) or not _whole(info):
            raise _damaged(self.folder / "run.json", "it does not say what a run has to say")
        if info.get("schema", 0) > SCHEMA:
            raise EmbedlabError(
                f"The run {self.folder.name} has schema {info['schema']}; "
                f"this embedlab reads up to {SCHEMA}.",
                remedy="Update embedlab: pip install --upgrade embedlab.",
            )
        self.info: dict[str, Any] = info

    def __repr__(self) -> str:
        return f"<Run {self.id}: {self.n_items} pictures, {self.info['backbone']['name']}>"

    @property
    def id(self) -> str:
        """The folder's name, which also stands in links."""
        return self.folder.name

    @property
    def title(self) -> str:
        """What people call the run."""
        return str(self.info.get("title") or self.id)

    @property
    def fingerprint(self) -> str:
        """A string that changes whenever the run's content does; caches are keyed by it."""
        return str(self.info["fingerprint"])

    @property
    def views_of(self) -> str:
        """A string that changes whenever vectors, labels or split do; kept views are keyed by it.

        A run that differs from another by its head alone has the other's, and so its views.
        """
        return str(self.info.get("views_of") or self.fingerprint)

    @property
    def n_items(self) -> int:
        """How many pictures there are."""
        return int(self.info["n_items"])

    @property
    def _annex(self) -> Path:
        """Where additions go when the run itself cannot be written to."""
        return home("annexes") / self.fingerprint[:32]

    def _find(self, name: str) -> Path:
        inside = self.folder / name
        return inside if inside.exists() else self._annex / name

    def find_all(self, pattern: str) -> dict[str, Path]:
        """Give the finished files that match a pattern such as "vectors/*", by name in the run."""
        found: dict[str, Path] = {}
        for place in (self._annex, self.folder):
            for path in sorted(place.glob(pattern)):
                if not path.name.startswith(PARTIAL):
                    found[path.relative_to(place).as_posix()] = path
        return found

    def _place_for_more(self) -> Path:
        # The built-in runs belong to the installation; what is computed later stays at home.
        writable = self.folder.parent != BUILTIN and os.access(self.folder, os.W_OK)
        return self.folder if writable else self._annex

    @cached_property
    def items(self) -> pd.DataFrame:
        """A row a picture. Columns: id, path, label, split, prediction, p.*, table.*, factor.*."""
        path = self.folder / "items.parquet"
        with _readable(path):
            return pd.read_parquet(path)

    @cached_property
    def embeddings(self) -> NDArray[np.float32]:
        """The embedding matrix: shape (n_items, n_dims), float32, memory-mapped, read-only."""
        return self.vectors(EMBEDDING)

    @property
    def vector_sets(self) -> tuple[str, ...]:
        """Names that `vectors` takes: "embedding" first, then what else was computed."""
        places = [place / "vectors" for place in (self.folder, self._annex)]
        return (EMBEDDING, *sorted({path.stem for at in places for path in at.glob("*.npy")}))

    def vectors(self, name: str = EMBEDDING) -> NDArray[np.float32]:
        """Open one set of vectors.

        Parameters
        ----------
        name : str
            One of `vector_sets`.

        Returns
        -------
        ndarray of shape (n_items, d), float32
            Memory-mapped and read-only. Row i belongs to item i.
        """
        if name not in self.vector_sets:
            raise EmbedlabError(
                f"The run {self.id} has no vectors called {name!r}.",
                remedy=f"It has: {', '.join(self.vector_sets)}.",
            )
        path = self._find("embeddings.npy" if name == EMBEDDING else f"vectors/{name}.npy")
        with _readable(path):
            vectors: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
        if len(vectors) != self.n_items:
            raise EmbedlabError(
                f"{path} has {len(vectors)} rows for {self.n_items} pictures.",
                remedy="The run is mixed from two; copy it again from where it came.",
            )
        return vectors

    def about_vectors(self, name: str) -> dict[str, Any]:
        """Say what one set of vectors is: the JSON that was written beside it."""
        path = self._find(f"vectors/{name}.json")
        if not path.exists():
            return {}
        with _readable(path):
            return dict(json.loads(path.read_text(encoding="utf-8")))

    def add_vectors(
        self, name: str, vectors: NDArray[np.float32], about: Mapping[str, Any]
    ) -> None:
        """Keep another set of vectors of the same pictures in the run.

        Parameters
        ----------
        name : str
            Letters, digits, dots, underscores and hyphens.
        vectors : ndarray of shape (n_items, d), float32
            Row i belongs to item i.
        about : mapping
            What they are, in JSON values.
        """
        if not NAME.fullmatch(name) or name == EMBEDDING:
            raise ValueError(f"{name!r} cannot name a set of vectors")
        if vectors.ndim != 2 or len(vectors) != self.n_items:
            raise ValueError(f"{name} has shape {vectors.shape} for {self.n_items} pictures")
        place = self._place_for_more() / "vectors"
        write_json(place / f"{name}.json", dict(about))
        with new_file(place / f"{name}.npy") as path, path.open("wb") as file:
            np.save(file, np.asarray(vectors, np.float32), allow_pickle=False)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of labels and head rows; empty without labels."""
        return tuple(self.info.get("classes") or ())

    @cached_property
    def labels(self) -> NDArray[np.int64] | None:
        """Index into `classes` for each picture, shape (n_items,); None without classes."""
        if not self.classes:
            return None
        order = {name: k for k, name in enumerate(self.classes)}
        labels = np.array([order[name] for name in self.items["label"]], dtype=np.int64)
        labels.flags.writeable = False
        return labels

    @cached_property
    def split(self) -> NDArray[np.str_]:
        """Which part each picture is in: "train" or "validation", shape (n_items,)."""
        return self.items["split"].to_numpy(str)

    @cached_property
    def probabilities(self) -> NDArray[np.float32] | None:
        """Softmax probabilities, shape (n_items, n_classes); None without a head."""
        names = [f"p.{name}" for name in self.classes]
        if not names or any(name not in self.items for name in names):
            return None
        return self.items[names].to_numpy(np.float32)

    @cached_property
    def head(self) -> Head | None:
        """The last linear layer, or None for a run without one."""
        path = self.folder / "head.safetensors"
        if not path.exists():
            return None
        from safetensors.numpy import load_file

        with _readable(path):
            tensors = load_file(path)
            weight, bias = tensors["weight"], tensors["bias"]
        names = tuple(self.info.get("head_classes") or self.classes)
        return Head(weight, bias, names)

    @cached_property
    def thumbnails(self) -> Pack:
        """The pictures, small, as JPEGs."""
        return Pack(self.folder, "thumbnails")

    @cached_property
    def inputs(self) -> Pack | None:
        """What the model saw of each picture, small, as JPEGs; None where it was not kept."""
        return Pack(self.folder, "inputs") if (self.folder / "inputs.npy").exists() else None

    @cached_property
    def preprocessing(self) -> Preprocessing | None:
        """What is done to a picture before the body sees it; None for imported vectors."""
        values = self.info.get("preprocessing")
        return Preprocessing.from_dict(values) if values else None

    @property
    def body(self) -> Path | None:
        """The ONNX file that embeds new pictures, or None for a run without one."""
        path = self.folder / "body.onnx"
        return path if path.exists() else None

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """What training reported, in order."""
        path = self.folder / "history.jsonl"
        if not path.exists():
            return []
        with _readable(path):
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if not all(isinstance(line, dict) and _of_numbers(line) for line in lines):
            raise _damaged(path, "a line is no report of a training")
        return lines

    def load_projection(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Read a kept view, or None where there is none under this key."""
        path = self._find(f"projections/{key}.npz")
        if not NAME.fullmatch(key) or not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except _UNREADABLE:  # it can be computed again
            return None

    def save_projection(self, key: str, **arrays: NDArray[Any]) -> None:
        """Keep a view under a key made from what it was computed of."""
        if not NAME.fullmatch(key):
            raise ValueError(f"{key!r} cannot name a projection")
        target = self._place_for_more() / "projections" / f"{key}.npz"
        with new_file(target) as path, path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Let a file of a run that cannot be read be named."""
    from safetensors import SafetensorError

    try:
        yield
    except (*_UNREADABLE, SafetensorError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, reason: object) -> EmbedlabError:
    words = str(reason).partition("\n")[0].rstrip(".") or type(reason).__name__
    return EmbedlabError(
        f"{path} cannot be read: {words}.", remedy="Copy the run again from where it came."
    )


def _of_numbers(line: Mapping[str, Any]) -> bool:
    """Say whether a report of a training has numbers where pages draw numbers."""
    drawn = ("step", "epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")
    return all(isinstance(line.get(name, 0), (int, float)) for name in drawn)


def _whole(info: Mapping[str, Any]) -> bool:
    """Say whether a run's description has what no run is without."""
    if info.get("schema", 0) != SCHEMA and "schema" in info:
        return True  # of another embedlab, which is said in other words
    counted = all(isinstance(info.get(name), int) for name in ("n_items", "n_dims"))
    return counted and all(
        (isinstance(info.get("fingerprint"), str), isinstance(info.get("backbone"), dict))
    )
