"""Archives that nobody vouches for."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from embedlab.data.archives import unpack
from embedlab.data.unpacked import MIB, Caps
from embedlab.errors import EmbedlabError
from embedlab.home import home


def picture(shade: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (shade, 0, 0)).save(file, "PNG")
    return file.getvalue()


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, entries: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def everything_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


GOOD = {"set/rose/1.png": picture(1), "set/tulip/ü 2.png": picture(2), "set/about.txt": b"by me"}


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_archives_are_unpacked_once_under_our_own_names(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"archive.{kind}"
    if kind == "zip":
        zipped(path, GOOD)
    else:
        tarred(path, GOOD, "w:" + kind.partition(".")[2])
    listing = unpack(path)
    assert {file.id: file.path.read_bytes() for file in listing.files} == {
        name: data for name, data in GOOD.items() if name.endswith(".png")
    }
    assert [file.id for file in listing.others] == ["set/about.txt"]
    assert set(listing.folders) == {"set", "set/rose", "set/tulip"}
    assert all("rose" not in str(file.path) for file in listing.files)
    before = listing.files[0].path.stat().st_mtime_ns
    copy = tmp_path / "another name"
    copy.write_bytes(path.read_bytes())
    assert unpack(copy) == listing
    assert listing.files[0].path.stat().st_mtime_ns == before


ESCAPES = [
    *("../out.png", "a/../../out.png", "/tmp/out.png", "..\\out.png", "a\\..\\..\\out.png"),
    *("C:\\out.png", "c:out.png", "\\\\server\\share\\out.png", "\\out.png"),
]


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize("make", [zipped, tarred])
def test_entries_that_lead_out_are_refused_and_listed(
    make: object, name: str, tmp_path: Path
) -> None:
    outside = tmp_path / "deep" / "down"
    outside.mkdir(parents=True)
    path = make(outside / "a.zip", {name: picture(), "rose/1.png": picture(1)})  # type: ignore[operator]
    into = outside / "into"
    listing = unpack(path, into=into)
    assert [file.id for file in listing.files] == ["rose/1.png"]
    assert [(skipped.id, skipped.reason) for skipped in listing.refused] == [
        (name, "It leads out of the archive.")
    ]
    assert everything_below(tmp_path) == {
        "deep/down/a.zip",
        "deep/down/into/0000/000.png",
        "deep/down/into/listing.json",
    }


def test_links_and_devices_are_refused_and_listed(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    kinds = {"soft": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "pipe": tarfile.FIFOTYPE}
    with tarfile.open(path, "w") as archive:
        for name, kind in kinds.items():
            info = tarfile.TarInfo(name + ".png")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("1.png")
        info.size = len(picture())
        archive.addfile(info, io.BytesIO(picture()))
    listing = unpack(path)
    assert {skipped.id: skipped.reason for skipped in listing.refused} == {
        "soft.png": "It is a link.",
        "hard.png": "It is a link.",
        "pipe.png": "It is no regular file.",
    }
    assert [file.id for file in listing.files] == ["1.png"]


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("1.png", picture())
    listing = unpack(path)
    assert [(skipped.id, skipped.reason) for skipped in listing.refused] == [
        ("link.png", "It is a link.")
    ]


def test_archives_inside_stay_closed_and_hidden_files_are_counted(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"2.png": picture()})
    entries = {
        "a/inner.zip": inner.read_bytes(),
        "a/1.png": picture(),
        "__MACOSX/a/._1.png": b"x",
        "a/.DS_Store": b"x",
        "a/Thumbs.db": b"x",
    }
    listing = unpack(zipped(tmp_path / "outer.zip", entries))
    assert [file.id for file in listing.files] == ["a/1.png"]
    assert [skipped.id for skipped in listing.refused] == ["a/inner.zip"]
    assert "inside" in listing.refused[0].reason
    assert listing.hidden == 3


def test_the_first_of_two_entries_of_one_name_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("1.png", picture(1))
        archive.writestr("1.png", picture(2))
        archive.writestr("./1.png", picture(3))
    listing = unpack(path)
    assert [file.path.read_bytes() for file in listing.files] == [picture(1)]
    assert len(listing.refused) == 2


def leaves_nothing(path: Path, said: str, **caps: float) -> None:
    with pytest.raises(EmbedlabError, match=said):
        unpack(path, caps=Caps(**caps))  # type: ignore[arg-type]
    assert not list(home("cache", "archives").iterdir())


@pytest.mark.parametrize("make", [zipped, tarred])
def test_caps_on_count_and_bytes_hold(make: object, tmp_path: Path) -> None:
    path = make(tmp_path / "a", {f"{i}.png": picture(i) for i in range(12)})  # type: ignore[operator]
    assert len(unpack(path, into=tmp_path / "fits", caps=Caps(files=12)).files) == 12
    leaves_nothing(path, "more than 11 entries", files=11)
    leaves_nothing(path, "GB, which looks like a trap", bytes=200)


@pytest.mark.parametrize("name", ["big.bin", ".hidden"])
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_bombs_are_stopped_by_what_they_unpack_to(kind: str, name: str, tmp_path: Path) -> None:
    zeros = bytes(80 * MIB)
    if kind == "zip":
        path = zipped(tmp_path / "bomb", {name: zeros})
    else:
        path = tarred(tmp_path / "bomb", {name: zeros}, "w:gz")
    if (kind, name) == ("zip", ".hidden"):  # never unpacked at all
        assert unpack(path).hidden == 1
    else:
        leaves_nothing(path, "200 times its own size")


def test_a_zip_that_lies_about_a_size_fills_nothing(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"1.bin": bytes(MIB)})
    claimed = MIB.to_bytes(4, "little")
    data = path.read_bytes()
    at = data.rindex(claimed)
    path.write_bytes(data[:at] + (10).to_bytes(4, "little") + data[at + 4 :])
    listing = unpack(path, into=tmp_path / "into")
    assert not listing.files and not listing.others
    assert "damaged" in listing.refused[0].reason
    assert everything_below(tmp_path / "into") == {"listing.json"}


def test_a_header_that_asks_for_gigabytes_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("long")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 8 << 30
    path = tmp_path / "a.tgz"
    with gzip.open(path, "wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.write(bytes(MIB))
    leaves_nothing(path, "header claims 8,589,934,592 bytes")


def test_what_is_passed_over_is_counted_while_it_is_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo(".hidden")
    info.size = 8 << 30
    path = tmp_path / "a.tgz"
    with gzip.open(path, "wb") as file:
        file.write(info.tobuf())
        file.write(bytes(3 * MIB))
    path.write_bytes(path.read_bytes()[:-12])  # the cap is reached before the cut shows
    leaves_nothing(path, "looks like a trap", bytes=2 * MIB)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_archive_is_refused_whole(kind: str, share: float, tmp_path: Path) -> None:
    entries = {f"{i}.bin": os.urandom(5000) for i in range(40)}
    path = tmp_path / "a"
    if kind == "zip":
        zipped(path, entries)
    else:
        tarred(path, entries, "w:" + kind.partition(".")[2])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    leaves_nothing(path, "is damaged or cut off")


def test_rubbish_in_the_middle_of_a_tar_is_not_taken_for_its_end(tmp_path: Path) -> None:
    path = tarred(tmp_path / "a.tar", {"1.png": picture(), "2.png": picture(1)})
    data = bytearray(path.read_bytes())
    data[1024:1536] = b"x" * 512
    path.write_bytes(data)
    leaves_nothing(path, "is damaged or cut off")


def test_a_damaged_entry_of_a_zip_is_listed_and_the_rest_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.png", picture(1))
        archive.writestr("2.png", picture(2))
    data = bytearray(path.read_bytes())
    at = data.index(picture(1))
    data[at + 20] ^= 0xFF
    path.write_bytes(data)
    listing = unpack(path)
    assert [file.id for file in listing.files] == ["2.png"]
    assert [skipped.id for skipped in listing.refused] == ["1.png"]
    assert "damaged" in listing.refused[0].reason


def test_other_archives_are_refused_by_name(tmp_path: Path) -> None:
    for head, said in (
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07", "rar"),
        (b"hi", "no archive"),
    ):
        path = tmp_path / "a.zip"
        path.write_bytes(head + b"\0" * 600)
        leaves_nothing(path, said)


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from embedlab.data import unpacked

    path = zipped(tmp_path / "a.zip", {"1.bin": bytes(70 * MIB)})
    monkeypatch.setattr(unpacked, "_LEAVE_FREE", 1 << 60)
    leaves_nothing(path, "disk is too full", ratio=1e9)
