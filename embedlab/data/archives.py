"""Unpack archives that nobody vouches for: regular files only, under names of our own."""

from __future__ import annotations

import bz2
import errno
import gzip
import hashlib
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from embedlab.data.listing import Listing
from embedlab.data.unpacked import CAPS, MANIFEST, MIB, Caps, Store, open_unpacked
from embedlab.errors import EmbedlabError
from embedlab.files import new_folder
from embedlab.home import home
from embedlab.progress import Progress, silent

_KINDS = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
}


def archive_kind(path: Path) -> str:
    """Tell an archive by its first bytes.

    Parameters
    ----------
    path : Path
        A file.

    Returns
    -------
    str
        "zip", "tar", "gzip", "bzip2", "xz", "7z", "rar", "zstd", or "" for none of these.
    """
    with path.open("rb") as file:
        head = file.read(512)
    for magic, kind in _KINDS.items():
        if head.startswith(magic):
            return kind
    return "tar" if head[257:262] == b"ustar" else ""


def unpack(
    archive: Path, *, into: Path | None = None, caps: Caps = CAPS, progress: Progress = silent
) -> Listing:
    """Unpack a zip or tar once, and say what lies in it.

    Only regular files are written, each under a name of ours; what they are called in the archive
    is kept as text. Entries that lead out of the archive, links, devices and locked or damaged
    entries are refused and listed; archives inside the archive stay closed and are listed.

    Parameters
    ----------
    archive : Path
        A zip, tar, tar.gz, tar.bz2 or tar.xz.
    into : Path, optional
        The folder to unpack to. By default a cache, by the archive's content. When it is there
        already, nothing is unpacked.
    caps : Caps
        Counted while writing, whatever the archive claims.
    progress : Progress
        Told how much is done.

    Returns
    -------
    Listing

    Raises
    ------
    EmbedlabError
        If it is no such archive, is cut off, unpacks to more than the caps allow, or the disk
        is full. Nothing is left behind then.
    """
    kind = archive_kind(archive)
    if kind not in _READERS:
        what = f"a {kind} archive, which embedlab does not open" if kind else "no archive"
        raise EmbedlabError(
            f"{archive.name} is {what}.",
            remedy="Give a folder, a zip, or a tar (plain, .gz, .bz2 or .xz).",
        )
    target = into or home("cache", "archives") / file_digest(archive)
    if not (target / MANIFEST).exists():
        with _in_words(archive), new_folder(target) as folder:
            store = Store(folder, archive, caps, progress, archive.stat().st_size)
            _READERS[kind](archive, store)
            store.finish()
    return open_unpacked(target)


def file_digest(path: Path) -> str:
    """Give the SHA-256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _in_words(archive: Path) -> Iterator[None]:
    """Turn what goes wrong with a whole archive into sentences."""
    try:
        yield
    except FileExistsError:
        return  # another process was faster, and what it left is complete
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise EmbedlabError(
                f"The disk is too full to unpack {archive.name}.",
                remedy=f"Make room, or set EMBEDLAB_HOME (now {home()}) to a larger disk.",
            ) from error
        raise _damaged(archive, error) from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError) as error:
        raise _damaged(archive, error) from error


def _damaged(archive: Path, error: Exception) -> EmbedlabError:
    return EmbedlabError(
        f"{archive.name} is damaged or cut off: {error}.", remedy="Copy or download it again."
    )


def _read_zip(archive: Path, store: Store) -> None:
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
        for k, entry in enumerate(entries):
            store.progress("unpacking", k, len(entries))
            problem = ""
            if stat.S_ISLNK(entry.external_attr >> 16):
                problem = "It is a link."
            elif entry.flag_bits & 1:
                problem = "It is locked with a password; unpack it yourself first."
            id_ = store.place(entry.filename, is_folder=entry.is_dir(), problem=problem)
            if id_ is None:
                continue
            try:
                source = opened.open(entry)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
                store.refused.append((id_, f"It cannot be read: {error}."))
                continue
            with source:
                store.write(id_, source)
        store.progress("unpacking", len(entries), len(entries))


def _read_tar(opener: Callable[[IO[bytes]], Any]) -> Callable[[Path, Store], None]:
    def read(archive: Path, store: Store) -> None:
        with (
            archive.open("rb") as raw,
            opener(raw) as stream,
            tarfile.open(
                fileobj=cast("IO[bytes]", metered := _Metered(stream, store)), mode="r:"
            ) as opened,
        ):
            while (entry := opened.next()) is not None:
                store.progress("unpacking", raw.tell(), store.size)
                problem = "It is a link." if entry.issym() or entry.islnk() else ""
                if not (problem or entry.isreg() or entry.isdir()) or entry.issparse():
                    problem = "It is no regular file."
                id_ = store.place(entry.name, is_folder=entry.isdir(), problem=problem)
                source = None if id_ is None else opened.extractfile(entry)
                if id_ is not None and source is not None:
                    store.write(id_, source)
                opened.members = []  # type: ignore[attr-defined]  # it would keep every header
            # tarfile takes anything that is no header for the end.
            if metered.last.strip(b"\0"):
                raise tarfile.ReadError("what follows an entry is no entry")
        store.progress("unpacking", store.size, store.size)

    return read


class _Metered:
    """An unpacked stream that is not read beyond the caps, nor in pieces that fill the memory."""

    def __init__(self, stream: IO[bytes], store: Store) -> None:
        self._stream = stream
        self._store = store
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= 64 * MIB:
            raise tarfile.ReadError(f"an entry's header claims {size:,} bytes")
        self.last = self._stream.read(size)
        self._store.guard(self._stream.tell())
        return self.last

    def seek(self, offset: int) -> int:
        while (now := self._stream.tell()) < offset and self._stream.read(min(MIB, offset - now)):
            self._store.guard(self._stream.tell())
        return self._stream.seek(offset)

    def tell(self) -> int:
        return self._stream.tell()


_READERS: dict[str, Callable[[Path, Store], None]] = {
    "zip": _read_zip,
    "tar": _read_tar(lambda raw: raw),
    "gzip": _read_tar(gzip.open),
    "bzip2": _read_tar(bz2.open),
    "xz": _read_tar(lzma.open),
}
