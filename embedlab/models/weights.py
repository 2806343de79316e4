"""Weights: found on this machine, fetched from torchvision's server, or read from a file."""

from __future__ import annotations

import hashlib
import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import Tensor

from embedlab.data.download import DownloadError, RemoteFile, fetch, verify
from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.progress import Progress, silent

RANDOM = "random"
IMAGENET = "imagenet"
_KEPT_UNDER = ("state_dict", "model_state_dict", "model")
_OTHERWISE = "use --weights FILE, --weights random, or --backbone small"


@dataclass(frozen=True)
class Entry:
    """What torchvision says about one set of weights.

    Parameters
    ----------
    name : str
        Such as "IMAGENET1K_V1".
    url : str
        Where the file is; its name ends in the first digits of its SHA-256.
    mib : float
        Its size in MiB.
    resize, crop : int
        Sides in pixels of the preprocessing that belongs to the weights.
    interpolation : str
        "bilinear" or "bicubic".
    mean, std : tuple of 3 floats
        Channel statistics.
    categories : tuple of str
        Names of the rows of the head.
    """

    name: str
    url: str
    mib: float
    resize: int
    crop: int
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    categories: tuple[str, ...]

    @property
    def file(self) -> str:
        """The file's name."""
        return Path(urlsplit(self.url).path).name

    @property
    def digits(self) -> str:
        """The first digits of the file's SHA-256."""
        found = re.search(r"-([0-9a-f]{8,64})\.", self.file)
        if found is None:
            raise ValueError(f"{self.file} names no hash")
        return found[1]


def entry(backbone: str, weights: str | Path | None = None) -> Entry:
    """Look up what torchvision knows about a backbone's weights.

    Parameters
    ----------
    backbone : str
        A name of torchvision's.
    weights : str or Path, optional
        A name such as "IMAGENET1K_V2". Anything else ("imagenet", "random", a file) stands for
        torchvision's default.
    """
    from torchvision.models import get_model_weights

    known = get_model_weights(backbone)
    chosen = known[str(weights)] if str(weights) in known.__members__ else known.DEFAULT
    seen = chosen.transforms()
    return Entry(
        chosen.name,
        chosen.url,
        chosen.meta["_file_size"],
        seen.resize_size[0],
        seen.crop_size[0],
        seen.interpolation.value,
        tuple(seen.mean),
        tuple(seen.std),
        tuple(chosen.meta["categories"]),
    )


def load(
    backbone: str, weights: str | Path, *, progress: Progress = silent
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Load a state dict.

    Parameters
    ----------
    backbone : str
        A key of BACKBONES.
    weights : str or Path
        "imagenet", a name of torchvision's, or a file (.safetensors, .pth, .pt).
    progress : callable
        Told how far a download is, in bytes.

    Returns
    -------
    state : dict of str to Tensor
    provenance : dict
        kind ("imagenet" or "file"), name, file, sha256: JSON values; and cut, for a body that
        ends before the backbone's head.

    Raises
    ------
    EmbedlabError
        If the weights are not to be had, or are not what they should be.
    """
    if not _named(backbone, weights):
        path = Path(weights).expanduser()
        state, provenance = read(path), _provenance("file", path.stem, path)
        cut = said_of(path).get("cut")
        return state, provenance if cut is None else {**provenance, "cut": cut}
    known = entry(backbone, weights)
    path = _found(known) or _fetched(known, backbone, progress)
    return read(path), _provenance(IMAGENET, known.name, path)


def cached(backbone: str, weights: str = IMAGENET) -> Path | None:
    """Give the file of torchvision's weights where it is on this machine, else None."""
    return _found(entry(backbone, weights))


def read(path: Path) -> dict[str, Tensor]:
    """Read a state dict from a file, running none of its code.

    Parameters
    ----------
    path : Path
        .safetensors, or .pth / .pt with a state dict, alone or as "state_dict",
        "model_state_dict" or "model" of a checkpoint.

    Returns
    -------
    dict of str to Tensor

    Raises
    ------
    EmbedlabError
        If there is no such file, it is damaged, or holds something else; never a second try
        with a reader that would run code.
    """
    if not path.is_file():
        raise EmbedlabError(
            f"There is no file {path}.",
            remedy="Give a .safetensors or .pth file, 'imagenet', or 'random'.",
        )
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return _some(dict(load_file(path)), path)
        except (SafetensorError, OSError) as error:
            raise EmbedlabError(
                f"{path} is no safetensors file, or a damaged one ({error}).",
                remedy="Save or copy it again.",
            ) from None
    if path.suffix not in {".pth", ".pt"}:
        raise EmbedlabError(
            f"{path} ends in {path.suffix or 'nothing'!r}.",
            remedy="Weights are .safetensors, .pth or .pt files.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what it says of TorchScript, we say
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        raise EmbedlabError(
            f"{path} cannot be read as weights and nothing else ({_reason(error)}).",
            remedy="Save it again with torch.save(model.state_dict(), FILE), or as .safetensors.",
        ) from None
    for key in _KEPT_UNDER:  # what training scripts keep beside an optimiser's state
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        what = ", ".join(map(str, state)) if isinstance(state, Mapping) else type(state).__name__
        raise EmbedlabError(
            f"{path} holds more than a state dict: {what[:200]}.",
            remedy="Save the weights alone: torch.save(model.state_dict(), FILE).",
        )
    plain = dict(state) if not hasattr(state, "_metadata") else state
    return _some(plain, path)  # type: ignore[arg-type]  # only tensors, as checked above


def _reason(error: Exception) -> str:
    """Say why torch read no weights; its own advice is to run what is in the file."""
    said = str(error)
    if "TorchScript" in said:
        return "it is a program, TorchScript"
    strange = re.search(r"GLOBAL (\S+)", said)
    if strange is not None:
        return f"it holds a Python object, {strange[1]}, and reading that would run code"
    return said.splitlines()[0].removesuffix(".") if said else type(error).__name__


def _some(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Refuse a file of no weights, which would leave random ones in their place."""
    if not state:
        raise EmbedlabError(
            f"{path} holds no weights.",
            remedy="Save them with torch.save(model.state_dict(), FILE).",
        )
    return state


def said_of(path: Path) -> dict[str, str]:
    """Give what `embedlab.models.export.save_body` has noted in a file of weights, if anything."""
    if path.suffix != ".safetensors":
        return {}
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError):
        return {}


def _named(backbone: str, weights: str | Path) -> bool:
    """Say whether weights are named (torchvision's) rather than a file."""
    if isinstance(weights, Path):
        return False
    if weights == IMAGENET:
        return True
    from torchvision.models import get_model_weights, list_models

    return backbone in list_models() and weights in get_model_weights(backbone).__members__


def _provenance(kind: str, name: str, path: Path) -> dict[str, Any]:
    return {"kind": kind, "name": name, "file": path.name, "sha256": _sha256(path)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remote(known: Entry) -> RemoteFile:
    size = round(known.mib * 2**20)
    # torchvision publishes the size as rounded MiB; the hash decides.
    return RemoteFile(known.file, (known.url,), size, known.digits, slack=size // 20 + 1024)


def _found(known: Entry) -> Path | None:
    for folder in (home("weights"), Path(torch.hub.get_dir()) / "checkpoints"):
        path = folder / known.file
        if path.is_file():
            verify(_remote(known), path)
            return path
    return None


def _fetched(known: Entry, backbone: str, progress: Progress) -> Path:
    try:
        return fetch(_remote(known), home("weights"), progress=progress)
    except DownloadError as error:
        raise EmbedlabError(
            f"The weights {known.name} of {backbone} are not on this machine. {error.problem}",
            remedy=f"{error.remedy} Or {_OTHERWISE}.",
        ) from None
