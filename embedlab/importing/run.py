"""import_run: the way in for whatever was made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from embedlab.asked import check_limit, check_seed, check_share, check_side
from embedlab.data.sources import load_dataset
from embedlab.errors import EmbedlabError
from embedlab.importing import checkpoint, onnx, vectors
from embedlab.importing.checkpoint import import_checkpoint
from embedlab.importing.names import read_names
from embedlab.importing.onnx import import_onnx
from embedlab.importing.own import import_vectors
from embedlab.importing.saving import check_normalisation
from embedlab.progress import Progress, silent
from embedlab.runs import Run

_OPTIONS = {
    **dict.fromkeys(
        checkpoint.ENDINGS, ("backbone", "classes", "size", "normalisation", "device", "limit")
    ),
    **dict.fromkeys(onnx.ENDINGS, ("classes", "size", "normalisation", "output", "limit")),
    **dict.fromkeys(vectors.ENDINGS, ("table", "column")),
}
_COMMON = ("validation", "split_seed", "title")


def import_run(
    file: Path,
    pictures: str | None = None,
    *,
    root: Path | None = None,
    limit: int | None = None,
    classes: Path | None = None,
    progress: Progress = silent,
    **options: Any,
) -> Run:
    """Make a run from a file of weights, an ONNX file or vectors.

    Parameters
    ----------
    file : Path
        Its ending says what it is: .safetensors, .pth and .pt are weights, .onnx is a network or
        its body, .npy, .npz and .parquet are vectors.
    pictures : str, optional
        What `load_dataset` takes; for vectors, the folder that paths begin in.
    root, limit
        As for `load_dataset`.
    classes : Path, optional
        A file that names the rows of the head; see `embedlab.importing.names.read_names`.
    progress : Progress
    **options
        Those of `import_checkpoint`, `import_onnx` or `import_vectors`; None stands for not given.

    Returns
    -------
    Run

    Raises
    ------
    EmbedlabError
        If the file, the pictures or an option will not do.
    """
    ending = file.suffix.lower()
    if ending not in _OPTIONS:
        raise EmbedlabError(
            f"{file.name} ends in {ending or 'nothing'!r}.",
            remedy=f"A run can be made from {', '.join(_OPTIONS)}.",
        )
    given = {name: value for name, value in options.items() if value is not None}
    asked = {
        **given,
        **({"classes": classes} if classes else {}),
        **({"limit": limit} if limit is not None else {}),
    }
    allowed = (*_OPTIONS[ending], *_COMMON)
    strange = [name for name in asked if name not in allowed and asked[name] != "auto"]
    if strange:
        raise EmbedlabError(
            f"{file.name} does not go with {', '.join(f'--{name}' for name in strange)}.",
            remedy="Leave it out.",
        )
    given = {name: value for name, value in given.items() if name in allowed}
    check_side(given.get("size"))
    check_share(given.get("validation"))
    check_seed(given.get("split_seed", 123))
    check_limit(limit)
    check_normalisation(given.get("normalisation"))
    if ending in vectors.ENDINGS:
        folder = None if pictures is None else Path(pictures).expanduser()
        if folder is not None and not folder.is_dir():
            raise EmbedlabError(
                f"There is no folder {folder}.", remedy="Give the one that the paths begin in."
            )
        return import_vectors(file, pictures=folder, progress=progress, **given)
    if pictures is None:
        raise EmbedlabError(
            f"{file.name} is a network; it needs pictures to look at.",
            remedy=f"Give a folder of them: embedlab import {file.name} PICTURES.",
        )
    if classes is not None:
        given["classes"] = read_names(classes)
    if "device" in given:
        from embedlab.models.device import pick_device

        pick_device(given["device"])
    dataset = load_dataset(
        pictures, root=root, limit=limit, seed=given.get("split_seed", 123), progress=progress
    )
    make = import_checkpoint if ending in checkpoint.ENDINGS else import_onnx
    return make(file, dataset, progress=progress, **given)
