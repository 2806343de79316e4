"""The folder that an archive is unpacked into: our names on disk, theirs as text, and caps."""

from __future__ import annotations

import errno
import json
import lzma
import re
import shutil
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from embedlab.data.dataset import Skipped
from embedlab.data.listing import PICTURE_SUFFIXES, Found, Listing, is_hidden, may_be_picture
from embedlab.errors import EmbedlabError
from embedlab.files import write_json
from embedlab.progress import Progress

MIB = 1 << 20
MANIFEST = "listing.json"
_NESTED = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".tbz2"})
_LEAVE_FREE = 512 * MIB


@dataclass(frozen=True)
class Caps:
    """How much an archive may unpack to.

    Parameters
    ----------
    files : int
        Number of entries.
    bytes : int
        Sum of all unpacked bytes.
    ratio : float
        Unpacked bytes for each byte of the archive; looked at from 64 MiB on.
    """

    files: int = 1_000_000
    bytes: int = 64 * 1024 * MIB
    ratio: float = 200.0


CAPS = Caps()


@dataclass
class Store:
    """The folder that is being filled, and the counts that caps are held against."""

    folder: Path
    archive: Path
    caps: Caps
    progress: Progress
    size: int = 0
    entries: int = 0
    written: int = 0
    looked: int = 0
    hidden: int = 0
    ids: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    files: list[tuple[str, str]] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def place(self, name: str, *, is_folder: bool, problem: str = "") -> str | None:
        """Decide about an entry; give its id when it is a file to be written."""
        self.entries += 1
        if self.entries > self.caps.files:
            raise self._over(f"{self.caps.files:,} entries")
        name = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        path = name.replace("\\", "/")
        parts = [part for part in path.split("/") if part not in {"", "."}]
        id_ = "/".join(parts)
        if ".." in parts or path.startswith("/") or re.match("[A-Za-z]:", path):
            problem = "It leads out of the archive."
        elif any(is_hidden(part) for part in parts):
            self.hidden += 1
            return None
        elif len(path) > 4096 or not parts:
            name, problem = name[:80], "Its name is empty or too long."
        elif not is_folder and Path(id_).suffix.lower() in _NESTED:
            problem = "It is an archive inside the archive and stays closed; unpack it first."
        elif id_ in self.ids:
            problem = "Its name occurs twice; the first one is taken."
        if problem:
            self.refused.append((name, problem))
            return None
        self.folders.update("/".join(parts[:k]) for k in range(1, len(parts)))
        if is_folder:
            self.folders.add(id_)
            return None
        return id_

    def write(self, id_: str, source: IO[bytes]) -> None:
        """Copy one file; when it turns out damaged, refuse it."""
        number = len(self.files) + len(self.others)
        suffix = Path(id_).suffix.lower()
        name = f"{number // 1000:04d}/{number % 1000:03d}"
        name += suffix if suffix in PICTURE_SUFFIXES else ""
        target = self.folder / name
        target.parent.mkdir(exist_ok=True)
        try:
            with target.open("wb") as file:
                while block := source.read(MIB):
                    self.written += len(block)
                    self.guard(self.written)
                    file.write(block)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError) as error:
            target.unlink()
            self.refused.append((id_, f"It is damaged: {error}."))
            return
        self.ids.add(id_)
        is_picture = may_be_picture(Found(id_, target))
        (self.files if is_picture else self.others).append((id_, name))

    def guard(self, n_bytes: int) -> None:
        """Hold a number of unpacked bytes against the caps, and look after the disk."""
        if n_bytes > self.caps.bytes:
            raise self._over(f"{self.caps.bytes / 1e9:.3g} GB")
        if n_bytes > 64 * MIB and n_bytes > self.caps.ratio * self.size:
            raise self._over(f"{self.caps.ratio:.0f} times its own size")
        if n_bytes - self.looked > 64 * MIB:
            self.looked = n_bytes
            if shutil.disk_usage(self.folder).free < _LEAVE_FREE:
                raise OSError(errno.ENOSPC, "disk full")

    def finish(self) -> None:
        """Write down what lies where."""
        write_json(
            self.folder / MANIFEST,
            {
                "files": self.files,
                "others": self.others,
                "folders": sorted(self.folders),
                "hidden": self.hidden,
                "refused": self.refused,
            },
        )

    def _over(self, what: str) -> EmbedlabError:
        return EmbedlabError(
            f"{self.archive.name} unpacks to more than {what}, which looks like a trap.",
            remedy="If you trust it, unpack it yourself and give embedlab the folder.",
        )


def open_unpacked(folder: Path) -> Listing:
    """Read what `unpack` left in a folder."""
    said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))

    def found(key: str) -> tuple[Found, ...]:
        return tuple(Found(id_, folder / name) for id_, name in said[key])

    refused = tuple(Skipped(id_, reason) for id_, reason in said["refused"])
    return Listing(found("files"), found("others"), tuple(said["folders"]), said["hidden"], refused)
