"""Downloads: from a server on this machine, and from servers that misbehave."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from embedlab.data import download
from embedlab.data.download import DownloadError, RemoteFile, fetch, verify

CONTENT = bytes(range(256)) * 4000
FILE = RemoteFile(
    "set.bin",
    ("https://data.example.org/sets/set.bin",),
    len(CONTENT),
    hashlib.sha256(CONTENT).hexdigest(),
)
Answer = Callable[[BaseHTTPRequestHandler], None]


def send(handler: BaseHTTPRequestHandler, body: bytes, *, length: int | None = None) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def server(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """Serve on a free port of this machine; give the address and the paths asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", asked
    finally:
        running.shutdown()
        running.server_close()


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def test_a_mirror_takes_the_place_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[tuple[str, int, int]] = []
    with server(lambda handler: send(handler, CONTENT)) as (address, asked):
        monkeypatch.setenv(download.MIRROR, address + "/")
        path = fetch(FILE, tmp_path, progress=lambda *report, **_: reports.append(report))
        assert fetch(FILE, tmp_path) == path
    assert path.read_bytes() == CONTENT
    assert asked == ["/sets/set.bin"]
    assert reports[0] == ("downloading set.bin", 0, len(CONTENT))
    assert reports[-1] == ("downloading set.bin", len(CONTENT), len(CONTENT))
    assert left_in(tmp_path) == {"set.bin"}


def not_there(handler: BaseHTTPRequestHandler) -> None:
    handler.send_error(404)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (not_there, "the server says 404 Not Found"),
        (lambda h: send(h, CONTENT[:500_000]), "it broke off after 500,000 of 1,024,000 bytes"),
        (lambda h: send(h, CONTENT[:5000], length=len(CONTENT)), "broke"),
        (lambda h: send(h, CONTENT + b"more"), "more than the 1,024,000 bytes"),
        (lambda h: send(h, CONTENT[::-1]), "another file"),
        (lambda h: send(h, b"<html>log in first</html>"), "it broke off after 25"),
    ],
)
def test_what_comes_wrong_leaves_nothing(
    answer: Answer, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(answer) as (address, _):
        monkeypatch.setenv(download.MIRROR, address)
        with pytest.raises(DownloadError, match=said) as caught:
            fetch(FILE, tmp_path)
    assert left_in(tmp_path) == set()
    assert "set.bin (1 MB)" in caught.value.problem
    assert str(tmp_path) in caught.value.remedy and FILE.urls[0] in caught.value.remedy


def test_without_a_network_the_way_by_hand_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server(not_there) as (address, _):
        pass
    monkeypatch.setenv(download.MIRROR, address)
    with pytest.raises(DownloadError, match=r"no connection to 127\.0\.0\.1"):
        fetch(FILE, tmp_path)
    (tmp_path / "set.bin").write_bytes(CONTENT)
    assert fetch(FILE, tmp_path) == tmp_path / "set.bin"


def test_the_second_address_is_tried(tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/a/set.bin":
            handler.send_error(500)
        else:
            send(handler, CONTENT)

    with server(answer) as (address, asked):
        urls = (f"{address}/a/set.bin", f"{address}/b/set.bin")
        fetch(RemoteFile("set.bin", urls, FILE.size, FILE.sha256), tmp_path)
    assert asked == ["/a/set.bin", "/b/set.bin"]


def test_a_wrong_file_put_there_by_hand_is_kept_and_named(tmp_path: Path) -> None:
    path = tmp_path / "set.bin"
    for content, said in (
        (CONTENT[:-1], "1,023,999 bytes of 1,024,000"),
        (CONTENT[::-1], "differs"),
    ):
        path.write_bytes(content)
        for use in (lambda: fetch(FILE, tmp_path), lambda: verify(FILE, path)):
            with pytest.raises(DownloadError, match=said):
                use()
        assert path.read_bytes() == content


def test_an_interrupted_download_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(stage: str, done: int, total: int, **_: float) -> None:
        if done:
            raise KeyboardInterrupt

    with server(lambda handler: send(handler, CONTENT)) as (address, _):
        monkeypatch.setenv(download.MIRROR, address)
        with pytest.raises(KeyboardInterrupt):
            fetch(FILE, tmp_path, progress=stop)
    assert left_in(tmp_path) == set()


def test_what_a_killed_download_left_is_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".partial-0123abcd-set.bin").write_bytes(b"half")
    (tmp_path / ".partial-0123abcd-other.bin").write_bytes(b"another's")
    with server(lambda handler: send(handler, CONTENT)) as (address, _):
        monkeypatch.setenv(download.MIRROR, address)
        fetch(FILE, tmp_path)
    assert left_in(tmp_path) == {"set.bin", ".partial-0123abcd-other.bin"}


@pytest.mark.parametrize("when", ["before", "while writing"])
def test_a_full_disk_is_said_plainly(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(stage: str, done: int, total: int, **_: float) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if when == "before":
        monkeypatch.setattr(download, "_SPARE", 1 << 60)
    with server(lambda handler: send(handler, CONTENT)) as (address, asked):
        monkeypatch.setenv(download.MIRROR, address)
        with pytest.raises(DownloadError, match="disk is too full for set"):
            fetch(FILE, tmp_path, progress=full)
    assert left_in(tmp_path) == set()
    assert len(asked) == (0 if when == "before" else 1)


def test_many_at_once_download_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(lambda handler: send(handler, CONTENT)) as (address, asked):
        monkeypatch.setenv(download.MIRROR, address)
        threads = [threading.Thread(target=fetch, args=(FILE, tmp_path)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert asked == ["/sets/set.bin"]
    assert left_in(tmp_path) == {"set.bin"}
