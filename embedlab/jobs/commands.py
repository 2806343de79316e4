"""What a job's command line comes to, whichever way it was spelt."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from embedlab.errors import EmbedlabError

_TALK = ("-h", "--help", "--version")
_LEAST = 4  # a batch that can be halved: BatchNorm cannot learn from a single picture
_SAID = ("as_json", "quiet")  # change what is printed, and nothing of what is made


def sameness(arguments: Sequence[str], *, cwd: Path) -> list[Any]:
    """Give JSON values that are equal for command lines that do the same.

    Options may stand in another order, defaults may be spelt out, and paths may start in another
    folder. Where it is not known what a command's words mean, the command line has to be the same
    to the letter, and started in the same folder.

    Parameters
    ----------
    arguments : sequence of str
        What stands after ``embedlab``.
    cwd : Path
        The folder in which relative paths start.
    """
    literal = [str(cwd), *arguments]
    params = parsed(arguments)
    if params is None or arguments[0] not in _PLACES:
        return literal
    try:
        if arguments[0] == "train":
            params = _training(params, cwd)
        for name, place in _PLACES[arguments[0]].items():
            if params[name] is not None:
                params[name] = place(str(params[name]), cwd=cwd)
    except EmbedlabError:  # a run, a backbone that there is not: the command will say so
        return literal
    known = {name: value for name, value in params.items() if name not in _SAID}
    return [arguments[0], {name: known[name] for name in sorted(known)}]


def parsed(arguments: Sequence[str]) -> dict[str, Any] | None:
    """Give the values of a command's parameters, defaults included; None where it has no sense.

    Parameters
    ----------
    arguments : sequence of str
        What stands after ``embedlab``.
    """
    import click

    from embedlab.cli import COMMANDS, group

    if not arguments or arguments[0] not in COMMANDS or set(arguments) & set(_TALK):
        return None
    command = group.get_command(click.Context(group), arguments[0])
    if command is None or isinstance(command, click.Group):
        return None
    try:
        return dict(command.make_context(arguments[0], list(arguments[1:])).params)
    except (click.ClickException, click.exceptions.Exit):
        return None


def halved(arguments: Sequence[str]) -> list[str] | None:
    """Give the same command line with half the batch; None where there is no batch to halve.

    Examples
    --------
    >>> halved(["train", "garden"]), halved(["train", "garden", "-b", "2"])
    (['train', 'garden', '--batch-size', '16'], None)
    """
    batch = batch_of(arguments)
    if batch is None or batch < _LEAST:
        return None
    return with_option(arguments, ("--batch-size", "-b"), str(batch // 2))


def batch_of(arguments: Sequence[str]) -> int | None:
    """Give how many pictures a command takes at a time; None where it says nothing of that."""
    params = parsed(arguments)
    if params is None or "batch_size" not in params:
        return None
    if arguments[0] == "train":
        try:
            params = _training(params, Path())
        except EmbedlabError:
            return None
    return int(params["batch_size"])


def with_option(arguments: Sequence[str], names: Sequence[str], value: str) -> list[str]:
    """Give an option of a command line another value.

    Parameters
    ----------
    arguments : sequence of str
    names : sequence of str
        How the option may be spelt, the long name first.
    value : str

    Examples
    --------
    >>> with_option(["train", "x", "-s3", "--freeze"], ["--seed", "-s"], "4")
    ['train', 'x', '--freeze', '--seed', '4']
    """
    kept: list[str] = []
    words = iter(arguments)
    for word in words:
        if word in names:
            next(words, None)  # its value
        elif not _spells(word, names):
            kept.append(word)
    return [*kept, names[0], value]


def _spells(word: str, names: Sequence[str]) -> bool:
    """Say whether a word is one of the options with its value attached: --seed=3, -s3."""
    return any(
        word.startswith(f"{name}=") if name.startswith("--") else word.startswith(name)
        for name in names
    )


def _training(params: Mapping[str, Any], cwd: Path) -> dict[str, Any]:
    """Put the settings that a training will have in the place of those that were chosen."""
    from embedlab.cli.train import CHOSEN, resolved
    from embedlab.models.backbones import backbone

    chosen = {name: params[name] for name in CHOSEN}
    settings = resolved(params["source"], params["backbone"], chosen)
    known = backbone(settings.backbone)
    values = settings.to_dict()
    values["weights"] = settings.weights or known.weights
    if not known.fixed_size:  # one with a fixed size resizes in another way when it is asked for
        values["size"] = settings.size or known.size
    return {**params, **values}


def _file(text: str, *, cwd: Path) -> str:
    if "://" in text:
        return text
    # Links are not followed: a run is called after the name by which its pictures were found.
    return os.path.abspath(cwd / Path(text).expanduser())  # noqa: PTH100


def _source(text: str, *, cwd: Path) -> str:
    from embedlab.data.sources import named_set

    return text if text == "-" else named_set(text) or _file(text, cwd=cwd)


def _weights(text: str, *, cwd: Path) -> str:
    path = Path(_file(text, cwd=cwd))
    return str(path) if path.suffix or path.exists() else text  # else a name of torchvision's


def _run(text: str, *, cwd: Path) -> str:
    from embedlab.runs import open_run

    return _file(str(open_run(text).folder), cwd=cwd)


def _model(text: str, *, cwd: Path) -> str:
    kind, colon, name = text.partition(":")
    return f"run:{_run(name, cwd=cwd)}" if colon and kind == "run" else text


_Place = Callable[..., str]
_PICTURES: dict[str, _Place] = {"weights": _weights, "root": _file}
# By command: the parameters that name a place, and how to name it for all who may ask.
_PLACES: dict[str, dict[str, _Place]] = {
    "train": {"source": _source, **_PICTURES},
    "embed": {"source": _source, "output": _file, "model": _model, **_PICTURES},
    "fuse": {"pictures": _source, "table": _file, **_PICTURES},
    "layers": {"run": _run},
    "project": {"run": _run},
    "check": {"run": _run},
}
