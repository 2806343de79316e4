"""Download published files: verified, and there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from embedlab.errors import EmbedlabError
from embedlab.files import PARTIAL, new_file
from embedlab.progress import Progress, silent

MIRROR = "EMBEDLAB_MIRROR"
_BLOCK = 1 << 18
_SPARE = 256 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A file that somebody publishes.

    Parameters
    ----------
    name : str
        What it is called on this machine.
    urls : tuple of str
        Where it is published; tried in this order.
    size : int
        Bytes.
    sha256 : str
        64 hexadecimal digits, or the first of them where no more are published.
    slack : int
        How many bytes the size may be off, where it is published in round figures.
    """

    name: str
    urls: tuple[str, ...]
    size: int
    sha256: str
    slack: int = 0

    @property
    def megabytes(self) -> str:
        """The size in words: "229 MB"."""
        return f"{self.size / 1e6:,.0f} MB" if self.size >= 1e6 else f"{self.size / 1e3:,.0f} kB"


class DownloadError(EmbedlabError):
    """A file that could not be had, and how to get it by hand."""


def fetch(file: RemoteFile, folder: Path, *, progress: Progress = silent) -> Path:
    """Give a published file, downloaded when it is not in the folder yet.

    The environment variable EMBEDLAB_MIRROR, an address such as ``http://10.0.0.5:8000``, takes
    the place of every host: a school can serve the files itself, under the paths that they have
    at their publishers. What comes must have the right SHA-256, wherever it comes from.

    Parameters
    ----------
    file : RemoteFile
    folder : Path
        Where it belongs on this machine.
    progress : Progress
        Told how many bytes have come.

    Returns
    -------
    Path
        The file in the folder, verified.

    Raises
    ------
    DownloadError
        If it could not be had from anywhere, or the file in the folder is another one.
    """
    from filelock import FileLock

    target = folder / file.name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{file.name}.lock"):
        if target.exists():
            verify(file, target)
            return target
        for left in folder.glob(f"{PARTIAL}*-{file.name}"):  # of a download that was killed
            left.unlink(missing_ok=True)
        reasons = []
        for url in _addresses(file):
            try:
                _download(file, url, target, progress)
                return target
            except _FailedError as error:
                reasons.append(f"{url}: {error}")
        raise _by_hand(file, folder, reasons)


def verify(file: RemoteFile, path: Path) -> None:
    """Check that a file on this machine is the published one.

    Raises
    ------
    DownloadError
        If its size or SHA-256 differs.
    """
    size = path.stat().st_size
    fits = abs(size - file.size) <= file.slack
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest() if fits else ""
    if not digest.startswith(file.sha256):
        what = f"it has {size:,} bytes of {file.size:,}" if not digest else "its content differs"
        raise DownloadError(
            f"{path} is not the published {file.name}: {what}.",
            remedy="Delete it to have it downloaded, or put a complete copy in its place.",
        )


class _FailedError(Exception):
    """Why one address did not give the file."""


def _addresses(file: RemoteFile) -> Sequence[str]:
    mirror = os.environ.get(MIRROR, "").rstrip("/")
    if not mirror:
        return file.urls
    return tuple(dict.fromkeys(mirror + urlsplit(url).path for url in file.urls))


def _download(file: RemoteFile, url: str, target: Path, progress: Progress) -> None:
    import requests
    import urllib3

    host = urlsplit(url).hostname
    try:
        if shutil.disk_usage(target.parent).free < file.size + _SPARE:
            raise OSError(errno.ENOSPC, "disk full")
        with (
            requests.get(
                url, stream=True, timeout=(15, 60), headers={"Accept-Encoding": "identity"}
            ) as answer,
            new_file(target) as path,
            path.open("wb") as out,
        ):
            if not answer.ok:
                raise _FailedError(f"the server says {answer.status_code} {answer.reason}")
            digest, done = hashlib.sha256(), 0
            progress(f"downloading {file.name}", 0, file.size)
            for block in answer.raw.stream(_BLOCK, decode_content=False):
                done += len(block)
                if done > file.size + file.slack:
                    raise _FailedError(f"more than the {file.size:,} bytes of the file came")
                digest.update(block)
                out.write(block)
                progress(f"downloading {file.name}", done, file.size)
            if done < file.size - file.slack:
                raise _FailedError(f"it broke off after {done:,} of {file.size:,} bytes")
            if not digest.hexdigest().startswith(file.sha256):
                raise _FailedError("what came is another file (its SHA-256 differs)")
    except requests.exceptions.SSLError as error:
        raise _FailedError("the server's certificate is not trusted") from error
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise _FailedError(f"{host} does not answer") from error
    except requests.ConnectionError as error:
        raise _FailedError(f"no connection to {host}") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise _FailedError(f"the connection broke ({type(error).__name__})") from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DownloadError(
            f"The disk is too full for {file.name} ({file.megabytes}).",
            remedy=f"Make room in {target.parent}, or set EMBEDLAB_HOME to a larger disk.",
        ) from error


def _by_hand(file: RemoteFile, folder: Path, reasons: Sequence[str]) -> DownloadError:
    return DownloadError(
        f"{file.name} ({file.megabytes}) could not be downloaded: {'; '.join(reasons)}.",
        remedy=f"Without a network, fetch {file.urls[0]} on another machine and put it into "
        f"{folder}; or set {MIRROR} to the address of a server that has it.",
    )
