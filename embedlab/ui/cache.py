"""What pages compute once and share: opened runs and indexes, keyed by content."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from embedlab.errors import EmbedlabError
from embedlab.runs import Run, list_runs
from embedlab.space.neighbours import NeighbourIndex, Neighbours, knn
from embedlab.space.scores import Precision, precision_at_k
from embedlab.ui.access import public

if TYPE_CHECKING:
    from embedlab.models.onnx_body import OnnxBody


@st.cache_resource(max_entries=64, show_spinner=False)
def _opened(folder: str, fingerprint: str, _run: Run) -> Run:
    return _run


def runs() -> dict[str, Run]:
    """Give the runs there are, by id, each opened once for all sessions."""
    return {run.id: _opened(str(run.folder), run.fingerprint, run) for run in list_runs()}


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
    rows = part_rows(_run, part)
    centre = index(_run, name, metric).comparison.centre  # the mean of all pictures, as everywhere
    return knn(np.asarray(_run.vectors(name)[rows]), k, metric, centre=centre)


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
    from embedlab.data.pictures import decode, thumbnail

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


def original(run: Run, row: int) -> tuple[Image.Image, bool]:
    """Open a picture of the run: the original where it is still there, else the small one.

    Returns
    -------
    picture : PIL.Image.Image
        Mode RGB.
    exact : bool
        Whether it is the original.
    """
    from embedlab.data.pictures import decode

    path = run.items["path"].iat[row] if "path" in run.items else None
    if isinstance(path, str) and not public():
        try:
            return decode(Path(path)), True
        except (EmbedlabError, OSError):
            pass
    return decode(run.thumbnails[row]), False


@st.cache_data(max_entries=32, show_spinner="Sending the picture through the body …")
def _feature_map(fingerprint: str, row: int, _run: Run) -> tuple[NDArray[np.float32], bool]:
    picture, exact = original(_run, row)
    return _body(fingerprint, _run).feature_map(picture), exact


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
