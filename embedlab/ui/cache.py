"""What pages compute once and share: opened runs and indexes, keyed by content."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.pictures import decode, thumbnail
from embedlab.errors import EmbedlabError
from embedlab.originals import Originals, drawn_again, originals
from embedlab.runs import Run, list_runs
from embedlab.space.neighbours import NeighbourIndex, Neighbours, knn
from embedlab.space.scores import Precision, precision_at_k
from embedlab.ui.access import public

if TYPE_CHECKING:
    from embedlab.models.onnx_body import OnnxBody

DRAWN = "garden"  # a set whose pictures are made here, from no file
CARD = 480  # pixels of a side of a picture on a card, which a dense screen shows at half the size
MOST = 1024  # pixels of a side of what the model saw, as it is shown


@dataclass
class _Opened:
    runs: dict[tuple[Path, str], Run] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


@st.cache_resource(show_spinner=False)
def _opened() -> _Opened:
    return _Opened()


def runs() -> dict[str, Run]:
    """Give the runs there are, by id, each opened once for all sessions."""
    found = {(run.folder, run.fingerprint): run for run in list_runs()}
    opened = _opened()
    with opened.lock:
        opened.runs = {key: opened.runs.get(key, run) for key, run in found.items()}
        return {run.id: run for run in opened.runs.values()}


@st.cache_resource(max_entries=16, show_spinner="Preparing the vectors …")
def _index(fingerprint: str, name: str, metric: str, _run: Run) -> NeighbourIndex:
    return NeighbourIndex.of(_run.vectors(name), metric)


def index(run: Run, name: str, metric: str) -> NeighbourIndex:
    """Give the prepared index of one set of vectors under one metric."""
    return _index(run.fingerprint, name, metric, run)


@st.cache_resource(max_entries=32, show_spinner="Finding everybody's neighbours …")
def _neighbours(
    fingerprint: str, name: str, metric: str, k: int, part: str, _run: Run
) -> Neighbours:
    vectors = _run.vectors(name)
    if part != "all":  # a copy, which of all would be the whole matrix
        vectors = vectors[part_rows(_run, part)]
    centre = index(_run, name, metric).comparison.centre  # the mean of all pictures, as everywhere
    return knn(vectors, k, metric, centre=centre)


def neighbours(run: Run, name: str, metric: str, k: int, part: str) -> Neighbours:
    """Find the k nearest neighbours of every picture of one part within that part.

    Returns
    -------
    Neighbours
        Of m rows; what counts as a row is a position within ``part_rows(run, part)``.
    """
    return _neighbours(run.fingerprint, name, metric, k, part, run)


def precision(run: Run, name: str, metric: str, k: int, part: str) -> Precision | None:
    """Measure the share of neighbours that have their picture's class; None without classes."""
    if run.labels is None or len(part_rows(run, part)) < 2:
        return None
    near = neighbours(run, name, metric, k, part)
    return precision_at_k(run.labels[part_rows(run, part)], near.rows)


def part_rows(run: Run, part: str) -> NDArray[np.int64]:
    """Give the rows of one part: "validation", "train" or "all"."""
    if part == "all":
        return np.arange(run.n_items)
    return np.flatnonzero(run.split == part)


def embed_upload(run: Run, data: bytes) -> tuple[NDArray[np.float32], bytes]:
    """Embed a visitor's own picture with the run's body.

    Parameters
    ----------
    run : Run
        One that has a body.
    data : bytes
        The file as it came.

    Returns
    -------
    vector : ndarray of shape (n_dims,), float32
    thumbnail : bytes
        The picture as a small JPEG.

    Raises
    ------
    EmbedlabError
        If the file is no picture that embedlab reads, or the body cannot be run.
    """
    digest = hashlib.sha256(data).hexdigest()
    return _embed_upload(run.fingerprint, digest, run, data)


@st.cache_data(max_entries=8, scope="session", show_spinner="Embedding your picture …")
def _embed_upload(
    fingerprint: str, digest: str, _run: Run, _data: bytes
) -> tuple[NDArray[np.float32], bytes]:
    picture = decode(_data)
    return _body(fingerprint, _run).embed([picture])[0], thumbnail(picture)


@st.cache_resource(max_entries=4, show_spinner="Opening the network's body …")
def _body(fingerprint: str, _run: Run) -> OnnxBody:
    from embedlab.models.onnx_body import OnnxBody

    if _run.body is None or _run.preprocessing is None:
        raise EmbedlabError(
            f"The run {_run.id} has no body to embed a picture with.",
            remedy="Choose a run that was trained or embedded with a network.",
        )
    return OnnxBody(_run.body, _run.preprocessing)


@st.cache_resource(max_entries=8, show_spinner="Looking for the original pictures …")
def _originals(fingerprint: str, _run: Run) -> Originals:
    return originals(_run)


def original(run: Run, row: int) -> tuple[Image.Image, bool]:
    """Open a picture of the run: the original where it is at hand, else the small one.

    A picture that was drawn is drawn anew. To strangers, no file of this machine is opened.

    Returns
    -------
    picture : PIL.Image.Image
        Mode RGB.
    exact : bool
        Whether it is the original.
    """
    if _drawn(run, row):
        picture = drawn_again(run, row)
        return (decode(run.thumbnails[row]), False) if picture is None else (picture, True)
    if public():
        return decode(run.thumbnails[row]), False
    found = _originals(run.fingerprint, run)
    return found.open(row), row not in found.small


def _drawn(run: Run, row: int) -> bool:
    """Say whether a picture never lay in a file: the garden's are drawn."""
    source = run.info.get("dataset", {}).get("origin", {}).get("source")
    return source == DRAWN and not isinstance(run.items["path"].iat[row], str)


@st.cache_data(max_entries=128, show_spinner=False)
def _crisp(fingerprint: str, row: int, _run: Run) -> bytes:
    picture, exact = original(_run, row)
    return thumbnail(picture, side=CARD) if exact else _run.thumbnails[row]


def crisp(run: Run, row: int) -> bytes:
    """Give a picture as JPEG, sharp at the size of a card where it is a file; else the small one.

    A whole set is not opened for the sake of one picture, and the garden's drawings are no larger
    than its small pictures.
    """
    filed = "path" in run.items and isinstance(run.items["path"].iat[row], str)
    return _crisp(run.fingerprint, row, run) if filed else run.thumbnails[row]


def seen(run: Run, row: int) -> bytes | None:
    """Give what the model saw of a picture, as JPEG; None where that is not known."""
    if run.preprocessing is not None:
        picture, exact = original(run, row)
        if exact:
            return thumbnail(Image.fromarray(run.preprocessing.see(picture)), side=MOST)
    return None if run.inputs is None else run.inputs[row]


@st.cache_data(max_entries=32, show_spinner="Sending the picture through the body …")
def _feature_map(fingerprint: str, row: int, _run: Run) -> tuple[NDArray[np.float32], bool]:
    picture, exact = original(_run, row)
    return _body(fingerprint, _run).feature_map(picture), exact


def has_feature_map(run: Run) -> bool:
    """Say whether a run has a body that gives the map before pooling.

    Raises
    ------
    EmbedlabError
        If its body cannot be opened.
    """
    there = run.body is not None and run.preprocessing is not None
    return there and _body(run.fingerprint, run).has_feature_map


def feature_map(run: Run, row: int) -> tuple[NDArray[np.float32], bool]:
    """Send one picture through the body up to the map before pooling.

    Returns
    -------
    map : ndarray of shape (c, h, w), float32
    exact : bool
        Whether the original picture was at hand.

    Raises
    ------
    EmbedlabError
        If the run has no body, or the body no such map.
    """
    return _feature_map(run.fingerprint, row, run)
