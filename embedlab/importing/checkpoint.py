"""A run from a checkpoint of a known architecture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedlab.data.dataset import Dataset
from embedlab.errors import EmbedlabError
from embedlab.importing.names import name_rows, under_names
from embedlab.importing.saving import assumed, judged, normalised, parts_of
from embedlab.lab import Clock, Lab, workspace
from embedlab.models.backbones import backbone as look_up
from embedlab.models.backbones import build
from embedlab.progress import Progress, silent
from embedlab.runs import Head, Run

if TYPE_CHECKING:
    from embedlab.models.network import Network

ENDINGS = (".safetensors", ".pth", ".pt")


def import_checkpoint(
    path: Path,
    dataset: Dataset,
    *,
    backbone: str | None = None,
    classes: tuple[str, ...] | None = None,
    size: int | None = None,
    normalisation: str | None = None,
    validation: float | None = None,
    split_seed: int = 123,
    title: str | None = None,
    batch_size: int = 16,
    device: str = "auto",
    progress: Progress = silent,
) -> Run:
    """Make a run of pictures and of weights that were trained elsewhere.

    Parameters
    ----------
    path : Path
        A state dict (.safetensors, or .pth / .pt, read without running code) of a network of
        `BACKBONES`, with a head of any number of classes or with none.
    dataset : Dataset
    backbone : str, optional
        Which network; a file that embedlab wrote says so itself.
    classes : tuple of str, optional
        Names of the head's rows; by default the dataset's classes, when there are as many.
    size : int, optional
        Side of the pictures in pixels; the backbone's own by default.
    normalisation : str, optional
        A key of `NORMALISATIONS`; what torchvision's weights of this backbone want by default.
    validation, split_seed
        As for `embedlab.importing.saving.parts_of`.
    title : str, optional
    batch_size, device, progress
        As for `embedlab.experiment.train`.

    Returns
    -------
    Run
        With predictions and scores where the head's classes are the dataset's.

    Raises
    ------
    EmbedlabError
        If the weights do not fit; the message names the tensors and the shapes that they should
        have. Or if the rows of the head cannot be named.
    """
    backbone = backbone or _said(path)
    preprocessing = normalised(look_up(backbone).preprocessing(size, path), normalisation)
    network = _read(backbone, path, preprocessing.size, progress)
    notes, names = assumed(preprocessing, size, normalisation), None
    if network.provenance["head"] == "kept":
        rows, known = network.n_classes, network.head_classes
        names = name_rows(rows, given=classes, dataset=dataset, known=known, what=path.name)
        under = under_names(dataset, names)
        if under is None and dataset.classes:
            notes.append(
                "The head's classes are not those of the pictures, so there are no predictions."
            )
        dataset = under or dataset
    else:
        notes.append(f"{path.name} has no head, so there are no predictions and no prototypes.")
    facts = {
        "weights": network.provenance["sha256"],
        "backbone": backbone,
        "names": names,
        "validation": [validation, split_seed],
        **preprocessing.to_dict(),
    }
    from embedlab.models.device import pick_device

    with workspace(dataset, facts, None) as place:
        lab = Lab(dataset, network, preprocessing, pick_device(device), place, progress, Clock())
        lab.notes.extend(notes)
        found = lab.embed(batch_size, changed=False)
        parts, split, note = parts_of(
            dataset, found.rows, validation=validation, split_seed=split_seed
        )
        lab.notes.extend([note] if note else [])
        head = None if names is None else _head(network, names)
        probabilities, metrics = judged(dataset, found.rows, found.embeddings, parts, head)
        info: dict[str, Any] = {
            "title": title or f"{dataset.name}, {path.stem}",
            "classes": list(dataset.classes),
            "split": split,
            "metrics": metrics,
        }
        if head is not None and head.classes != dataset.classes:
            info["head_classes"] = list(head.classes)
        return lab.save(None, info, found, parts=parts, probabilities=probabilities, head=head)


def _said(path: Path) -> str:
    """Read which network a safetensors file of embedlab's is of."""
    if path.suffix == ".safetensors" and path.is_file():
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                name = (file.metadata() or {}).get("backbone")
        except SafetensorError:
            name = None
        if name:
            return str(name)
    raise EmbedlabError(
        f"{path.name} does not say which network it is of.",
        remedy="Name it: --backbone mobilenet_v2, for instance.",
    )


def _read(backbone: str, path: Path, size: int, progress: Progress) -> Network:
    """Build the network, with the file's head where there is one."""
    network = build(backbone, n_classes=1, weights=path, size=size, progress=progress)
    if network.provenance["head"] == "new":
        return network
    return build(backbone, weights=path, size=size, keep_head=True, progress=progress)


def _head(network: Network, names: tuple[str, ...]) -> Head:
    weight, bias = network.head.weight.detach().numpy(), network.head.bias.detach().numpy()
    return Head(weight, bias, names)
