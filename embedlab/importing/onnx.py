"""A run from somebody's ONNX file."""

from __future__ import annotations

from pathlib import Path

from embedlab.data.archives import file_digest
from embedlab.data.dataset import Dataset
from embedlab.data.preprocessing import Preprocessing
from embedlab.files import passing_folder
from embedlab.home import home
from embedlab.importing.names import name_rows, under_names
from embedlab.importing.saving import assumed, judged, normalised, parts_of, save
from embedlab.models.adopted import adopt_onnx
from embedlab.models.extraction import embedding_cache, extract
from embedlab.models.onnx_body import OnnxBody
from embedlab.models.plain import plain_files, plain_vectors
from embedlab.progress import Progress, silent
from embedlab.runs import Head, Run

ENDINGS = (".onnx",)


def import_onnx(
    path: Path,
    dataset: Dataset,
    *,
    classes: tuple[str, ...] | None = None,
    size: int | None = None,
    normalisation: str | None = None,
    output: str | None = None,
    validation: float | None = None,
    split_seed: int = 123,
    title: str | None = None,
    batch_size: int = 16,
    progress: Progress = silent,
) -> Run:
    """Make a run of pictures and of a body, with or without a head, in an ONNX file.

    Parameters
    ----------
    path : Path
        It takes a batch of pictures (n, 3, height, width) in float32. A last linear layer of as
        many outputs as there are classes is taken for the head. Its weights may lie in other
        files in the same folder.
    dataset : Dataset
    classes : tuple of str, optional
        Names of the head's rows; the dataset's classes by default.
    size : int, optional
        Side of the pictures in pixels, where the file takes any.
    normalisation : str, optional
        A key of `NORMALISATIONS`; "imagenet" by default.
    output : str, optional
        Which of several outputs to take, or where inside the embedding is: a tensor or a node.
    validation, split_seed, title, batch_size, progress
        As for `embedlab.importing.checkpoint.import_checkpoint`.

    Returns
    -------
    Run
        With predictions and scores where there is a head.

    Raises
    ------
    EmbedlabError
        If the file is no such network; the message says what was found and what belongs there.
    """
    wanted = classes or dataset.classes or None
    with passing_folder(home("cache")) as place:
        target = place / "body.onnx"
        adopted = adopt_onnx(
            path, target, n_classes=len(wanted) if wanted else None, size=size, output=output
        )
        notes, head = list(adopted.notes), None
        if adopted.weight is not None and adopted.bias is not None:
            rows = len(adopted.weight)
            names = name_rows(rows, given=classes, dataset=dataset, known=(), what=path.name)
            head = Head(adopted.weight, adopted.bias, names)
            dataset = under_names(dataset, names) or dataset
        preprocessing = Preprocessing(adopted.size, adopted.size, "bilinear")
        preprocessing = normalised(preprocessing, normalisation)
        known = size if adopted.any_size else adopted.size
        notes += assumed(preprocessing, known, normalisation)
        digest = file_digest(target)
        found = extract(
            dataset,
            OnnxBody(target, preprocessing),
            preprocessing,
            batch_size=batch_size,
            work=embedding_cache(dataset, digest, preprocessing),
            progress=progress,
        )
        made = plain_vectors(dataset.take(found.rows), preprocessing, progress=progress)
        parts, split, note = parts_of(
            dataset, found.rows, validation=validation, split_seed=split_seed
        )
        probabilities, metrics = judged(dataset, found.rows, found.embeddings, parts, head)
        return save(
            dataset,
            found.rows,
            found.embeddings,
            info={
                "title": title or f"{dataset.name}, {path.stem}",
                "backbone": {"name": "onnx", "title": path.stem},
                "weights": {"kind": "file", "file": path.name, "sha256": file_digest(path)},
                "split": split,
                "metrics": metrics,
                "preprocessing": preprocessing.to_dict(),
                "notes": [*notes, *([note] if note else [])],
            },
            parts=parts,
            thumbnails=found.thumbnails,
            inputs=found.inputs,
            failed=found.failed,
            head=head,
            probabilities=probabilities,
            files={"body.onnx": target, **plain_files(made, place)},
        )
