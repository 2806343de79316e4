"""Refit: another head on the embeddings that a run keeps, its body as it is."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from embedlab.data.dataset import TRAIN, VALIDATION
from embedlab.data.pack import Pack
from embedlab.errors import EmbedlabError
from embedlab.facts import scores, softmax, train_command, versions
from embedlab.files import passing_folder
from embedlab.home import home
from embedlab.models.backbones import backbone as look_up
from embedlab.models.settings import HeadSettings, TrainSettings
from embedlab.models.unusual import unusual
from embedlab.progress import Progress, silent
from embedlab.runs import Head, Run, new_run_folder, save_run
from embedlab.space.scores import Share, accuracy
from embedlab.space.views import rows_to_fit

_KEPT = (  # of run.json: what stays true when only the head is another
    "classes",
    "split",
    "dataset",
    "backbone",
    "weights",
    "cut",
    "preprocessing",
    "architecture",
    "dropout",
    "device",
    "notes",
)
_FILES = ("body.onnx", "body.safetensors", "vectors/*", "projections/*")


@dataclass(frozen=True, eq=False)
class Refit:
    """A head that was fitted anew to a run's embeddings.

    Parameters
    ----------
    run : Run
    settings : HeadSettings
    head : Head
    history : list of dict
        A line an epoch: loss, accuracy, and of the validation pictures too.
    seconds : float
        What fitting took.
    """

    run: Run
    settings: HeadSettings
    head: Head
    history: list[dict[str, Any]]
    seconds: float

    @cached_property
    def probabilities(self) -> NDArray[np.float32]:
        """Of the run's pictures, shape (n_items, n_classes); NaN where a vector is not finite."""
        with np.errstate(invalid="ignore"):
            return softmax(self.head.logits(self.run.embeddings))

    @property
    def guesses(self) -> NDArray[np.int64]:
        """The class that the head gives each of the run's pictures, shape (n_items,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def share(self) -> Share:
        """How many validation pictures it tells rightly."""
        assert self.run.labels is not None
        held = rows_to_fit(self.run.embeddings, self.run.split == VALIDATION)
        return accuracy(self.run.labels[held], self.guesses[held])


def in_words(settings: HeadSettings) -> str:
    """Say which settings are not as usual, in a word or two each.

    Examples
    --------
    >>> in_words(HeadSettings(learning_rate=0.01, seed=5))
    'learning rate 0.01, seed 5'
    >>> in_words(HeadSettings())
    'usual settings'
    """
    return ", ".join(unusual(settings)) or "usual settings"


def refit(
    run: Run,
    settings: HeadSettings | None = None,
    *,
    progress: Progress = silent,
    **overrides: Any,
) -> Refit:
    """Fit another head to a run's embeddings; neither pictures nor body are needed for it.

    Of a run whose body was frozen, it is the very head that `embedlab.experiment.train` finds
    with these settings (where the body is random, with its own seed). A body that was trained
    itself has seen the training pictures together with its head; their embeddings lie tidier
    than new ones, which the new head does not know.

    Parameters
    ----------
    run : Run
        With labels and at least 2 training pictures.
    settings : HeadSettings, optional
    progress : Progress
    **overrides
        Settings by name: ``refit(run, learning_rate=0.01, seed=5)``.

    Returns
    -------
    Refit

    Raises
    ------
    EmbedlabError
        If there is nothing to learn from, or a setting is out of its range.
    """
    settings = _settings(settings, overrides)
    labels = run.labels
    if labels is None or len(run.classes) < 2:
        raise EmbedlabError(
            f"The run {run.id} has no classes to tell apart.",
            remedy="Choose a run of labelled pictures.",
        )
    embeddings = run.embeddings
    learn, held = (rows_to_fit(embeddings, run.split == part) for part in (TRAIN, VALIDATION))
    if len(learn) < 2:
        raise EmbedlabError(
            f"The run {run.id} has {len(learn)} training pictures; a head needs at least 2.",
            remedy="Choose a run whose pictures were split into training and validation.",
        )
    from embedlab.models.frozen import fit_new_head

    started = time.perf_counter()
    weight, bias, history = fit_new_head(
        embeddings[learn],
        labels[learn],
        len(run.classes),
        settings,
        dropout=float(run.info.get("dropout") or 0.0),
        validation=(embeddings[held], labels[held]),
        progress=progress,
    )
    seconds = time.perf_counter() - started
    return Refit(run, settings, Head(weight, bias, run.classes), history, seconds)


def keep(found: Refit, *, title: str | None = None, folder: Path | None = None) -> Run:
    """Keep a head that was fitted anew as a run of its own, with the body and vectors it reads.

    Parameters
    ----------
    found : Refit
    title : str, optional
        What people call it; by default the run's title and what is different.
    folder : Path, optional
        Where the run will be; by default a new folder among the runs of this machine.

    Returns
    -------
    Run
        Files that both runs have take no space twice where the disk can hold links.

    Raises
    ------
    EmbedlabError
        If there is something at `folder` already.
    """
    run = found.run
    assert run.labels is not None
    title = title or _title(found)
    items = run.items.copy()
    items["prediction"] = np.array(run.classes)[found.guesses]
    for k, name in enumerate(run.classes):
        items[f"p.{name}"] = found.probabilities[:, k]
    # A free name stays free until the run has it.
    with (
        FileLock(home("cache") / "saving.lock"),
        passing_folder(home("cache")) as place,
    ):
        target = folder or new_run_folder(title)
        return save_run(
            target,
            info=_info(found, title),
            items=items,
            embeddings=run.embeddings,
            thumbnails=_all(run.thumbnails),
            inputs=_all(run.inputs) if run.inputs is not None else None,
            head=found.head,
            history=found.history,
            files=_linked(run, place),
        )


def _title(found: Refit) -> str:
    """Name a run after the body's own, however often a head was refitted, and after its head."""
    how = "" if _is_trainable(found) else "new head, "
    return f"{_body_title(found.run)}, {how}{in_words(found.settings)}"


def _body_title(run: Run) -> str:
    """Give the title of the run whose body this is, but for what it says of its own head."""
    if on := (run.info.get("head") or {}).get("on"):
        return str(on)
    training = run.info.get("training") or {}
    if not training.get("freeze"):
        return run.title
    names = [field.name for field in fields(HeadSettings)]
    own = unusual(HeadSettings(**{name: training[name] for name in names if name in training}))
    return run.title.removesuffix("".join(f", {words}" for words in own))


def _is_trainable(found: Refit) -> bool:
    """Say whether `embedlab.experiment.train` would find the same head from the pictures."""
    training = found.run.info.get("training") or {}
    # The seed of a training is that of a random body as well.
    drawn = (found.run.info.get("weights") or {}).get("kind") == "random"
    same_body = not drawn or training.get("seed") == found.settings.seed
    # Runs of earlier versions do not say how much was dropped before the head.
    known = "dropout" in found.run.info and same_body
    return bool(training.get("freeze")) and training.get("augment") == "none" and known


def _settings(settings: HeadSettings | None, overrides: dict[str, Any]) -> HeadSettings:
    known = [field.name for field in fields(HeadSettings)]
    for name in overrides:
        if name not in known:
            raise EmbedlabError(
                f"A head has no setting called {name!r}.", remedy=f"There are {', '.join(known)}."
            )
    return HeadSettings(**{**asdict(settings or HeadSettings()), **overrides})


def _info(found: Refit, title: str) -> dict[str, Any]:
    run = found.run
    assert run.labels is not None
    good = rows_to_fit(run.embeddings, None)
    training = dict(run.info.get("training") or {})
    info: dict[str, Any] = {
        "title": title,
        **{name: run.info[name] for name in _KEPT if name in run.info},
        "views_of": run.views_of,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "metrics": scores(run.labels[good], found.guesses[good], run.split[good], run.classes),
        "versions": versions(),
        "seconds": {"train": round(found.seconds, 2)},
        "head": {"on": _body_title(run), **asdict(found.settings)},
    }
    if _is_trainable(found):
        training |= asdict(found.settings)
        info["command"] = _train_command(run, training)
    else:
        words = ["embedlab", "heads", run.id, "--keep", *head_words(found.settings)]
        info["command"] = shlex.join(words)
    if training:
        info["training"] = training
    return info


def head_words(settings: HeadSettings) -> list[str]:
    """Write settings down as options of ``embedlab heads``, the rate even where it is usual."""
    usual = asdict(HeadSettings())
    words: list[str] = []
    for name, value in asdict(settings).items():
        if value != usual[name] or name == "learning_rate":
            words += [f"--{name.replace('_', '-')}", f"{value}"]
    return words


def _train_command(run: Run, training: dict[str, Any]) -> str:
    """Write down the command that trains the same head from the pictures."""
    own = look_up(training["backbone"]).size
    size = None if training.get("size") == own else training.get("size")
    dataset, split = run.info["dataset"], run.info["split"]
    return train_command(
        dataset["name"],
        dataset["origin"],
        TrainSettings.from_dict({**training, "size": size}),
        fraction=split["fraction"],
        split_seed=split["seed"],
        stratify=split["stratified"],
    )


def _all(pack: Pack) -> Iterator[bytes]:
    return (pack[i] for i in range(len(pack)))


def _linked(run: Run, place: Path) -> dict[str, Path]:
    """Lay a run's own files out below a folder, as links where the disk can hold them."""
    files = {}
    for pattern in _FILES:
        for name, path in run.find_all(pattern).items():
            target = place / name
            target.parent.mkdir(exist_ok=True)
            try:
                os.link(path, target)
            except OSError:  # another disk, or one without links
                shutil.copyfile(path, target)
            files[name] = target
    return files
