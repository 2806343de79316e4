"""The binary formats of the MNIST family, CIFAR and SVHN, read with NumPy alone."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Sequence
from contextlib import ExitStack
from math import prod
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError

_MOST = 1 << 30
_SIDE = 32


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an idx file of bytes, gzipped or not.

    Parameters
    ----------
    path : Path
        Such as ``train-images-idx3-ubyte.gz``. The format: two zeros, 8 for bytes, the number
        of axes, their lengths as big-endian 32-bit integers, the values.

    Returns
    -------
    ndarray of uint8
        (n, height, width) for pictures, (n,) for labels.

    Raises
    ------
    EmbedlabError
        If it is no such file, or is cut off.
    """
    try:
        with ExitStack() as stack:
            file = cast("IO[bytes]", stack.enter_context(path.open("rb")))
            if file.read(2) == b"\x1f\x8b":
                file = cast("IO[bytes]", stack.enter_context(gzip.open(path)))
            file.seek(0)
            zeros, kind, axes = file.read(2), file.read(1), file.read(1)
            if zeros != b"\0\0" or kind != b"\x08" or axes not in {b"\x01", b"\x03"}:
                raise ValueError("it does not begin like an idx file of bytes")
            shape = tuple(int(size) for size in np.frombuffer(file.read(4 * axes[0]), ">u4"))
            if prod(shape) > _MOST:
                raise ValueError(f"it claims the shape {shape}")
            values = file.read(prod(shape) + 1)
            if len(values) != prod(shape):
                raise ValueError(f"it claims the shape {shape} and holds {len(values):,} bytes")
    except (OSError, EOFError, ValueError) as error:
        raise EmbedlabError(
            f"{path} is damaged or no idx file: {error}.", remedy="Fetch it again."
        ) from error
    return np.frombuffer(values, np.uint8).reshape(shape)


def read_cifar(
    source: Path, names: Sequence[str], *, label_bytes: int
) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Read CIFAR's binary batches from their archive or the folder it unpacks to.

    Parameters
    ----------
    source : Path
        ``cifar-10-binary.tar.gz`` or ``cifar-10-batches-bin``.
    names : sequence of str
        Batches: ``data_batch_1.bin``.
    label_bytes : int
        1 for CIFAR-10, 2 (coarse, fine) for CIFAR-100. After the label come 1,024 bytes each of
        red, green and blue, row by row.

    Returns
    -------
    list of pairs
        For each batch: labels of shape (n, label_bytes), pictures of shape (n, 32, 32, 3).

    Raises
    ------
    EmbedlabError
        If a batch is missing or cut off.
    """
    record = label_bytes + 3 * _SIDE * _SIDE
    batches = []
    for name, data in zip(names, _members(source, names), strict=True):
        if not data or len(data) % record:
            raise EmbedlabError(
                f"{name} in {source} is cut off: {len(data):,} bytes.", remedy="Fetch it again."
            )
        rows = np.frombuffer(data, np.uint8).reshape(-1, record)
        planes = rows[:, label_bytes:].reshape(-1, 3, _SIDE, _SIDE)
        batches.append((rows[:, :label_bytes], np.ascontiguousarray(planes.transpose(0, 2, 3, 1))))
    return batches


def read_lines(source: Path, name: str) -> tuple[str, ...]:
    """Read a text that lies beside CIFAR's batches: one class name a line."""
    (data,) = _members(source, [name])
    return tuple(line.strip() for line in data.decode("utf-8").splitlines() if line.strip())


def _members(source: Path, names: Sequence[str]) -> list[bytes]:
    """Read files of these names from a folder or a verified tar."""
    try:
        if source.is_dir():
            return [(source / name).read_bytes() for name in names]
        found: dict[str, bytes] = {}
        with tarfile.open(source, "r:*") as archive:
            for entry in archive:
                name = entry.name.rpartition("/")[2]
                if entry.isreg() and name in names and entry.size <= _MOST:
                    file = archive.extractfile(entry)
                    found[name] = file.read() if file is not None else b""
        return [found[name] for name in names]
    except (OSError, EOFError, KeyError, tarfile.TarError) as error:
        raise EmbedlabError(
            f"{source} is damaged or incomplete: {error}.", remedy="Fetch it again."
        ) from error


def read_svhn(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read cropped house numbers from a MATLAB file.

    Parameters
    ----------
    path : Path
        ``train_32x32.mat`` or ``test_32x32.mat``.

    Returns
    -------
    images : ndarray of shape (n, 32, 32, 3), uint8
    labels : ndarray of shape (n,), int64
        Digits 0..9; the file writes 0 as 10.

    Raises
    ------
    EmbedlabError
        If it is damaged.
    """
    from scipy.io import loadmat

    try:
        values = loadmat(path, variable_names=["X", "y"])
        images = np.ascontiguousarray(values["X"].transpose(3, 0, 1, 2), dtype=np.uint8)
        return images, values["y"].reshape(-1).astype(np.int64) % 10
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        raise EmbedlabError(
            f"{path} is damaged or no MATLAB file: {error}.", remedy="Fetch it again."
        ) from error
