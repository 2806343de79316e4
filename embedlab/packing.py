"""A run as one zip file, to be sent, or put beside app.py."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from embedlab.errors import EmbedlabError
from embedlab.files import PARTIAL, new_file, new_folder
from embedlab.runs import Run, new_run_folder

# Only what a run is made of is taken from an archive, whatever else it holds.
_MEMBER = re.compile(
    r"run\.json|items\.parquet|embeddings\.npy|history\.jsonl|(film|shares)\.npz"
    r"|(head|body)\.safetensors|body\.onnx|(thumbnails|inputs)\.(bin|npy)"
    r"|vectors/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.(npy|json)"
    r"|projections/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.npz"
)
# Where in run.json paths may stand; names of classes may look like some ("/m/0abc") and are none.
_PLACES = (("dataset", "origin"), ("training",), ("weights",), ("fusion", "weights"))
MAX_BYTES = 8 * 1024**3


def pack_run(run: Run, target: Path) -> Path:
    """Write a run into one zip file.

    Where its pictures lay on this machine is left out: elsewhere these paths lead nowhere, and
    they tell strangers the names of folders and people. Ids, which begin in the pictures' own
    folder, stay.

    Parameters
    ----------
    run : Run
    target : Path
        The zip file. An older file there is replaced once the new one is whole.

    Returns
    -------
    Path
        The target.
    """
    with new_file(target) as path, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in sorted(run.folder.rglob("*")):
            if member.is_file() and PARTIAL not in str(member.relative_to(run.folder)):
                inside = member.relative_to(run.folder).as_posix()
                if inside in _WITHOUT_PATHS:
                    archive.writestr(f"{run.id}/{inside}", _WITHOUT_PATHS[inside](member))
                else:
                    archive.write(member, f"{run.id}/{inside}")
    return target


def _facts(file: Path) -> bytes:
    """Give run.json without the folders that pictures, tables and weights lay in.

    Their own names stay, in the command, too.
    """
    info = json.loads(file.read_text("utf-8"))
    for *above, last in _PLACES:
        holder = info
        for key in above:
            holder = holder.get(key) or {}
        if last in holder:
            holder[last] = _without_folders(holder[last])
    origin = info.get("dataset", {}).get("origin", {})
    for key in {"path", "root"} & set(origin):  # also those that begin where embedlab was called
        origin[key] = None if origin[key] is None else _name(origin[key])
    if isinstance(info.get("command"), str):
        info["command"] = shlex.join(map(_bare_word, shlex.split(info["command"])))
    return json.dumps(info, ensure_ascii=False, indent=1).encode()


def _without_folders(value: Any) -> Any:
    """Put its own name in the place of every absolute path among JSON values."""
    if isinstance(value, dict):
        return {key: _without_folders(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_folders(one) for one in value]
    return _name(value) if isinstance(value, str) and _is_absolute(value) else value


def _bare_word(word: str) -> str:
    """Shorten a word of a command, or what it gives an option: ``--weights=/x/y.pth``."""
    option, given, value = word.partition("=")
    if given and option.startswith("--") and _is_absolute(value):
        return f"{option}={_name(value)}"
    return _name(word) if _is_absolute(word) or word.startswith(("..", "~")) else word


def _is_absolute(text: str) -> bool:
    """Say whether it is a path from a root, of this machine's kind or of another's."""
    paths = (PurePosixPath(text), PureWindowsPath(text))
    return "\n" not in text and any(path.is_absolute() for path in paths)


def _name(text: str) -> str:
    return PureWindowsPath(text).name or text  # which knows both kinds of slashes


def _items(file: Path) -> bytes:
    """Give items.parquet with an empty column of paths."""
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.read_table(file)
    if "path" in table.column_names:
        index = table.column_names.index("path")
        nothing = pa.nulls(len(table), pa.string())
        table = table.set_column(index, "path", nothing)
    made = io.BytesIO()
    parquet.write_table(table, made)
    return made.getvalue()


_WITHOUT_PATHS = {"run.json": _facts, "items.parquet": _items}


def unpack_run(archive: Path) -> Run:
    """Unpack a zipped run among the runs of this machine, under a free name.

    Parameters
    ----------
    archive : Path
        A zip file that `pack_run` wrote, or one of a run's folder or its content.

    Returns
    -------
    Run

    Raises
    ------
    EmbedlabError
        If the file is no zip, holds no run, or holds more than it says or than fits.
    """
    try:
        packed = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError) as error:
        raise EmbedlabError(
            f"{archive.name} cannot be read as a zip file: {error}.",
            remedy="Send or download it again.",
        ) from None
    with packed:
        members = packed.infolist()
        heads = [m.filename for m in members if re.fullmatch(r"([^/]+/)?run\.json", m.filename)]
        if len(heads) != 1:
            raise EmbedlabError(
                f"{archive.name} holds {len(heads) or 'no'} run.json where one belongs.",
                remedy="Pack one run with: embedlab runs export NAME.",
            )
        prefix = heads[0].removesuffix("run.json")
        wanted = [
            m
            for m in members
            if m.filename.startswith(prefix) and _MEMBER.fullmatch(m.filename[len(prefix) :])
        ]
        total = sum(m.file_size for m in wanted)
        if total > min(MAX_BYTES, shutil.disk_usage(new_run_folder("x").parent).free):
            raise EmbedlabError(
                f"{archive.name} unpacks to {total / 1e9:.1f} GB, more than may or can be kept.",
                remedy="Free some space, or copy the run's folder by hand.",
            )
        target = new_run_folder(prefix.rstrip("/") or archive.stem)
        try:
            with new_folder(target) as new:
                for member in wanted:
                    _extract(packed, member, new / member.filename[len(prefix) :])
                Run(new)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise EmbedlabError(
                f"{archive.name} is damaged: {error}.", remedy="Send or download it again."
            ) from None
    return Run(target)


def _extract(packed: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Copy one member, and no more bytes than it declares: a bomb lies about its size."""
    target.parent.mkdir(exist_ok=True)
    left = member.file_size
    with packed.open(member) as source, target.open("wb") as file:
        while chunk := source.read(1 << 20):
            left -= len(chunk)
            if left < 0:
                raise zipfile.BadZipFile(f"{member.filename} is longer than it says")
            file.write(chunk)
