"""What a stopped training needs to go on."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from embedlab.errors import EmbedlabError
from embedlab.files import new_file
from embedlab.models.network import Network


def training_key(network: Network, facts: list[Any], rows: Iterable[NDArray[np.int64]]) -> str:
    """Stand for everything that decides what a training ends with.

    Parameters
    ----------
    network : Network
        As it is before the first step.
    facts : list of JSON values
        Settings, preprocessing, the dataset's fingerprint.
    rows : iterable of ndarrays, int64
        Which pictures are used for what.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for part in rows:
        digest.update(part.tobytes() + b";")
    for name, tensor in network.state_dict().items():
        digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def save_checkpoint(path: Path, key: str, state: dict[str, Any]) -> None:
    """Write a checkpoint beside and rename it: tensors and plain values only.

    Parameters
    ----------
    path : Path
    key : str
        Stands for the training that this state belongs to.
    state : dict
        Tensors and plain values; "film" is a list of mappings that may hold arrays.
    """
    # torch reads tensors back without running code, NumPy's arrays it does not.
    film = [_tensors(values) for values in state["film"]]
    with new_file(path) as beside:
        torch.save({"key": key, **state, "film": film}, beside)


def load_checkpoint(path: Path, key: str) -> dict[str, Any] | None:
    """Read a checkpoint, or None where there is none yet.

    No code is run by reading it, whatever the file holds.

    Raises
    ------
    EmbedlabError
        If the file is damaged or belongs to another training.
    """
    if not path.exists():
        return None
    remedy = "Delete it to train from the beginning, or give another file."
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = state["key"]
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise EmbedlabError(
            f"The checkpoint {path} cannot be read: {reason}", remedy=remedy
        ) from None
    if found != key:
        raise EmbedlabError(
            f"The checkpoint {path} belongs to a training with other pictures or settings.",
            remedy=remedy,
        )
    return {**state, "film": [_arrays(values) for values in state["film"]]}


def _tensors(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }


def _arrays(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.numpy() if isinstance(value, torch.Tensor) else value
        for name, value in values.items()
    }
