"""Decoding what nobody vouches for; thumbnails; pictures by number."""

from __future__ import annotations

import contextlib
import hashlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from embedlab.data.decoding import check
from embedlab.data.pictures import (
    ArrayPictures,
    FilePictures,
    PictureError,
    decode,
    thumbnail,
    thumbnail_of,
)

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def noise(width: int = 64, height: int = 48) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def png(width: int, height: int, depth: int, kind: int, rows: bytes, *chunks: bytes) -> bytes:
    """Write a PNG by hand: `rows` are scan lines, each with its filter byte."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    middle = b"".join(chunk(part[:4], part[4:]) for part in chunks)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + middle
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def colours(data: bytes, **options: tuple[int, int, int]) -> list[tuple[int, ...]]:
    picture = decode(data, **options)
    assert picture.mode == "RGB"
    return [tuple(pixel) for row in np.asarray(picture).tolist() for pixel in row]


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("GIF", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_every_format_gives_its_pixels_whatever_the_file_is_called(
    format: str, options: dict[str, object], tmp_path: Path
) -> None:
    flag = Image.new("RGB", (3, 1))
    for x, colour in enumerate((RED, GREEN, BLUE)):
        flag.putpixel((x, 0), colour)
    path = tmp_path / "a picture.txt"
    path.write_bytes(encoded(flag, format, **options))
    assert colours(path) == [RED, GREEN, BLUE]


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    ramp = np.array([[0, 257, 128 * 257, 65535]], np.uint16)
    expected = [(v, v, v) for v in (0, 1, 128, 255)]
    assert colours(encoded(Image.fromarray(ramp))) == expected
    assert colours(encoded(Image.fromarray(ramp), "TIFF")) == expected


def test_sixteen_bit_colour_is_scaled() -> None:
    row = b"\0" + struct.pack(">6H", 65535, 128 * 257, 0, 0, 257, 65535)
    assert colours(png(2, 1, 16, 2, row)) == [(255, 128, 0), (0, 1, 255)]


def test_twelve_bit_tiff_is_scaled_by_its_own_depth() -> None:
    tags = [
        (256, 2),
        (257, 1),
        (258, 12),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 1),
        (279, 3),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    pixels = bytes([0xFF, 0xF0, 0x00])  # 4095 and 0, packed
    data = struct.pack("<2sHI", b"II", 42, 12) + pixels + b"\0" + directory
    assert colours(data) == [WHITE, (0, 0, 0)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 7.0, 255.0]], np.float32), [0, 7, 255]),
        (np.array([[-3.0, 0.0, 3.0]], np.float32), [0, 128, 255]),
        (np.array([[0, 7, 255]], np.int32), [0, 7, 255]),
        (np.array([[0, 257, 65535]], np.int32), [0, 1, 255]),
        (np.array([[-100, 0, 100]], np.int32), [0, 128, 255]),
        (np.array([[5.0e6, 5.0e6, 5.0e6]], np.float32), [0, 0, 0]),
    ],
)
def test_deep_greys_follow_the_stated_rule(values: np.ndarray, expected: list[int]) -> None:
    data = encoded(Image.fromarray(values), "TIFF")
    assert [pixel[0] for pixel in colours(data)] == expected
    assert "deep" in check(data).remarks


def test_values_that_are_not_finite_are_refused_by_name() -> None:
    data = encoded(Image.fromarray(np.array([[0.0, np.nan]], np.float32)), "TIFF")
    with pytest.raises(PictureError, match="not finite"):
        decode(data)


def test_transparency_shows_the_background() -> None:
    half = encoded(Image.new("RGBA", (1, 1), (255, 0, 0, 128)))
    assert colours(half) == [(255, 127, 127)]
    assert colours(half, background=(0, 0, 0)) == [(128, 0, 0)]
    assert colours(encoded(Image.new("LA", (1, 1), (0, 0)))) == [WHITE]
    assert check(half).remarks == ("transparent",)


def test_transparent_colours_of_a_palette_and_of_plain_pixels() -> None:
    palette = b"PLTE" + bytes([*RED, *BLUE])
    assert colours(png(2, 1, 8, 3, b"\0\0\1", palette, b"tRNS\0")) == [WHITE, BLUE]
    assert colours(png(2, 1, 8, 0, b"\0\x05\x09", b"tRNS\0\x05")) == [WHITE, (9, 9, 9)]
    two = bytes([0, *RED, *BLUE])
    clear = b"tRNS" + struct.pack(">3H", *RED)
    assert colours(png(2, 1, 8, 2, two, clear)) == [WHITE, BLUE]


def test_transparent_colours_of_sixteen_bits() -> None:
    grey = b"\0" + struct.pack(">2H", 5, 128 * 257)
    assert colours(png(2, 1, 16, 0, grey, b"tRNS\0\x05")) == [WHITE, (128, 128, 128)]
    row = b"\0" + struct.pack(">6H", 65535, 0, 0, 0, 0, 65535)
    clear = b"tRNS" + struct.pack(">3H", 65535, 0, 0)
    assert colours(png(2, 1, 16, 2, row, clear)) == [WHITE, BLUE]


def test_printing_colours_come_out_right() -> None:
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    for format in ("JPEG", "TIFF"):
        red = np.asarray(decode(encoded(cmyk, format)))[8, 8].astype(int)
        assert np.abs(red - RED).max() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_pictures_stand_upright_once(format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if format == "WEBP" else {}
    data = encoded(noise(8, 5), format, exif=exif, **options)
    with Image.open(io.BytesIO(data)) as opened:
        expected = ImageOps.exif_transpose(opened).convert("RGB")
    picture = decode(data)
    assert np.array_equal(picture, expected)
    facts = check(data)
    assert (facts.width, facts.height) == picture.size


def test_the_first_frame_of_an_animation_is_taken() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, BLUE)]
    for format in ("GIF", "PNG", "WEBP", "TIFF"):
        data = encoded(frames[0], format, save_all=True, append_images=frames[1:])
        middle = np.asarray(decode(data))[2, 2].astype(int)
        assert np.abs(middle - RED).max() < 6, format
        assert "animated" in check(data).remarks


def test_a_phones_photograph_with_a_second_picture_is_a_photograph() -> None:
    data = encoded(noise(400, 300), "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    assert decode(data).size == (400, 300)
    assert decode(data, at_least=100).size == (200, 150)
    assert check(data).remarks == ()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
def test_a_cut_picture_is_refused_not_filled_in(format: str, share: float) -> None:
    data = encoded(noise(), format)
    cut = data[: int(len(data) * share)]
    for use in (decode, check, thumbnail_of):
        with pytest.raises(PictureError):
            use(cut)


def test_too_many_pixels_are_refused_before_decoding() -> None:
    bomb = png(60_000, 60_000, 8, 2, b"")
    with pytest.raises(PictureError, match="too big"):
        decode(bomb)
    with pytest.raises(PictureError, match="8 x 5, more than the 39"):
        decode(encoded(noise(8, 5)), max_pixels=39)
    assert decode(encoded(noise(8, 5)), max_pixels=40).size == (8, 5)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"hello, world, this is no picture", "no picture that embedlab reads"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "AVIF"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "EPS"),
        (b"%PDF-1.7\n", "PDF"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
    ],
)
def test_other_formats_are_refused_by_name(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "rose.jpg"
    path.write_bytes(data)
    with pytest.raises(PictureError, match=said) as caught:
        decode(path)
    assert caught.value.problem.startswith("rose.jpg ")


def test_formats_with_a_history_of_holes_are_never_tried() -> None:
    for format in ("PPM", "TGA", "PCX", "ICO", "EPS"):
        with pytest.raises(PictureError):
            decode(encoded(noise(8, 8), format))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_spoilt_bytes_give_a_picture_or_a_picture_error(data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"]))
    spoilt = bytearray(encoded(noise(16, 12), format))
    for _ in range(data.draw(st.integers(1, 6))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PictureError):
        assert decode(bytes(spoilt), max_pixels=100_000).mode == "RGB"


def test_thumbnails_are_small_upright_and_without_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "taken at home"
    data = encoded(noise(400, 200), "JPEG", exif=exif, comment=b"secret")
    assert decode(data).info == {}
    for small in (thumbnail(decode(data)), thumbnail_of(data)):
        assert b"secret" not in small and b"taken at home" not in small
        with Image.open(io.BytesIO(small)) as opened:
            assert (opened.format, opened.size, dict(opened.getexif())) == ("JPEG", (64, 128), {})


def test_the_short_way_to_a_thumbnail_shows_the_same_picture() -> None:
    x, y = np.meshgrid(np.linspace(0, 255, 800), np.linspace(0, 255, 600))
    smooth = Image.fromarray(np.stack([x, y, 255 - x], axis=-1).astype(np.uint8))
    data = encoded(smooth, "JPEG", quality=95)
    with (
        Image.open(io.BytesIO(thumbnail(decode(data)))) as full,
        Image.open(io.BytesIO(thumbnail_of(data))) as short,
    ):
        assert full.size == short.size == (128, 96)
        assert np.abs(np.asarray(full, int) - np.asarray(short, int)).mean() < 2


def test_a_thumbnail_of_a_tiny_picture_keeps_its_size() -> None:
    with Image.open(io.BytesIO(thumbnail(Image.new("RGB", (8, 5), RED)))) as opened:
        assert opened.size == (8, 5)


def test_pictures_in_files(tmp_path: Path) -> None:
    data = encoded(noise(8, 5))
    path = tmp_path / "one.png"
    path.write_bytes(data)
    facts = check(path)
    assert facts.digest == hashlib.sha256(data).hexdigest()
    pictures = FilePictures([path], [facts.digest])
    assert (len(pictures), pictures.path(0), pictures.digest(0)) == (1, path, facts.digest)
    assert np.array_equal(pictures.open(0), noise(8, 5))
    path.unlink()
    with pytest.raises(PictureError, match=r"one\.png cannot be read"):
        pictures.open(0)


def test_pictures_in_arrays(tmp_path: Path) -> None:
    grey = np.arange(2 * 5 * 8, dtype=np.uint8).reshape(2, 5, 8)
    np.save(tmp_path / "grey.npy", grey)
    pictures = ArrayPictures(np.load(tmp_path / "grey.npy", mmap_mode="r"))
    picture = pictures.open(1)
    assert (len(pictures), picture.mode, picture.size, pictures.path(1)) == (2, "RGB", (8, 5), None)
    assert np.array_equal(picture, np.repeat(grey[1][..., None], 3, axis=-1))
    assert pictures.digest(0) != pictures.digest(1)
    turned = ArrayPictures(grey.reshape(2, 8, 5))
    assert turned.digest(0) != pictures.digest(0)
    with pytest.raises(ValueError, match="uint8"):
        ArrayPictures(grey.astype(np.float32))
