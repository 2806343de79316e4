"""A run as one zip file, to be sent, or put beside app.py."""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from pathlib import Path

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
MAX_BYTES = 8 * 1024**3


def pack_run(run: Run, target: Path) -> Path:
    """Write a run into one zip file.

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
                archive.write(member, f"{run.id}/{member.relative_to(run.folder).as_posix()}")
    return target


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
