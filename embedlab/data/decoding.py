"""Decode pictures that nobody vouches for.

What a file holds decides, not what it is called. Whatever can be decoded comes back upright, in
8-bit RGB, at full size; whatever cannot is refused with a reason, and nothing is filled in.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from embedlab.data.formats import FORMATS, refusal
from embedlab.errors import EmbedlabError

MAX_PIXELS = 50_000_000
WHITE = (255, 255, 255)

# No picture within the cap needs more bytes than this for a pixel, whatever its format.
_BYTES_A_PIXEL = 16
_ORIENTATION_TAG = 0x0112
# MPO is how phones and stereo cameras add a preview or a depth map after the photograph.
_JPEG = frozenset({"JPEG", "MPO"})
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PictureError(EmbedlabError):
    """A picture that cannot be used, and why."""


@dataclass(frozen=True)
class Facts:
    """What a full check of one picture found.

    Parameters
    ----------
    digest : str
        SHA-256 of the encoded bytes, 64 hexadecimal digits.
    width, height : int
        Pixels, as the picture stands upright.
    remarks : tuple of str
        What is converted when it is decoded; keys of `REMARKS`.
    """

    digest: str
    width: int
    height: int
    remarks: tuple[str, ...] = ()


REMARKS = {
    "animated": "with several frames, of which the first is taken",
    "transparent": "with transparent parts, laid on white",
    "deep": "with more than 8 bits a channel, scaled to 8",
    "cmyk": "in printing colours (CMYK), turned into RGB",
}


def decode(
    data: bytes | Path,
    *,
    max_pixels: int = MAX_PIXELS,
    background: tuple[int, int, int] = WHITE,
    at_least: int | None = None,
) -> Image.Image:
    """Decode a picture: mode RGB, upright, without metadata.

    JPEG, PNG, GIF, BMP, WebP and TIFF are read, told apart by their content. The size is
    checked in the header, before anything is decoded. Of several frames the first is taken.
    EXIF orientation is applied. Transparent parts show `background`. More than 8 bits a channel
    are scaled to 8: 16-bit values by 255/65535 (12-bit values by 255/4095); of 32-bit integers
    and floats, 0..255 stays, floats in 0..1 are multiplied by 255, integers in 0..65535 are
    scaled as 16-bit values are, and any other range is stretched from its least to its greatest
    value.

    Parameters
    ----------
    data : bytes or Path
        An encoded picture, or the file that holds one.
    max_pixels : int
        More than this (width times height) is refused.
    background : tuple of 3 ints
        Red, green and blue, 0..255.
    at_least : int, optional
        A JPEG may come back smaller by a power of two, up to 8 times, as long as both sides keep
        this many pixels. Far faster than decoding it all. None: full size.

    Returns
    -------
    PIL.Image.Image

    Raises
    ------
    PictureError
        If it is no picture, of another format, damaged, cut off or too big.
    """
    name = _name(data)
    encoded = data if isinstance(data, bytes) else _read(data, max_pixels, name)
    return _decode(encoded, max_pixels, background, at_least, name)[0]


def check(data: bytes | Path, *, max_pixels: int = MAX_PIXELS, name: str = "") -> Facts:
    """Find out whether a picture can be decoded to its end, as cheaply as that can be known.

    Parameters
    ----------
    data : bytes or Path
        An encoded picture, or the file that holds one.
    max_pixels : int
        More than this (width times height) is refused.
    name : str
        What errors call the picture; the file's name when empty.

    Returns
    -------
    Facts

    Raises
    ------
    PictureError
        As from `decode`.
    """
    name = name or _name(data)
    encoded = data if isinstance(data, bytes) else _read(data, max_pixels, name)
    _, (width, height), remarks = _decode(encoded, max_pixels, WHITE, 1, name)
    return Facts(hashlib.sha256(encoded).hexdigest(), width, height, remarks)


class _UnusableError(Exception):
    """Why a picture is refused, without its name."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def _name(data: bytes | Path) -> str:
    return data.name if isinstance(data, Path) else "The picture"


def _decode(
    data: bytes,
    max_pixels: int,
    background: tuple[int, int, int],
    at_least: int | None,
    name: str,
) -> tuple[Image.Image, tuple[int, int], tuple[str, ...]]:
    """Decode; give the picture, its full upright size and the remarks."""
    try:
        if refused := refusal(data):
            raise _UnusableError(*refused)
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            size = image.size
            if size[0] * size[1] > max_pixels:
                raise _too_big(max_pixels, f"{size[0]} x {size[1]}, ")
            if at_least is not None and image.format in _JPEG:
                image.draft(None, (at_least, at_least))
            remarks = _remarks(image)
            image.load()
            orientation = _orientation(image)
            picture = _to_rgb(image, background)
    except _UnusableError as error:
        raise PictureError(f"{name} {error.reason}.", remedy=error.hint) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        bomb = _too_big(max_pixels)
        raise PictureError(f"{name} {bomb.reason}.", remedy=bomb.hint) from None
    except UnidentifiedImageError:
        raise PictureError(
            f"{name} is no picture that embedlab reads.",
            remedy="It reads JPEG, PNG, GIF, BMP, WebP and TIFF.",
        ) from None
    except Exception as error:
        # Pillow's parsers raise nearly anything on hostile bytes; all of it means "unusable".
        said = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        raise PictureError(f"{name} is damaged or cut off: {said}.") from error
    if orientation in _UPRIGHT:
        picture = picture.transpose(_UPRIGHT[orientation])
        size = size[::-1] if orientation >= 5 else size
    picture.info = {}
    return picture, size, remarks


def _too_big(max_pixels: int, size: str = "") -> _UnusableError:
    return _UnusableError(
        f"is too big: {size}more than the {max_pixels:,} pixels allowed", "Make it smaller first."
    )


def check_bytes(size: int, name: str, *, max_pixels: int = MAX_PIXELS) -> None:
    """Refuse a file of more bytes than a picture can need, before it is read.

    Raises
    ------
    PictureError
    """
    if size > max_pixels * _BYTES_A_PIXEL:
        raise PictureError(f"{name} is too big: {size:,} bytes.", remedy="Make it smaller first.")


def _read(path: Path, max_pixels: int, name: str) -> bytes:
    try:
        check_bytes(path.stat().st_size, name, max_pixels=max_pixels)
        return path.read_bytes()
    except OSError as error:
        raise PictureError(
            f"{name} cannot be read: {error.strerror or error}.",
            remedy="Was it moved, or is it closed to this user?",
        ) from error


def _remarks(image: Image.Image) -> tuple[str, ...]:
    found = {
        "animated": image.format not in _JPEG and getattr(image, "is_animated", False),
        "transparent": image.has_transparency_data,
        "deep": image.mode == "F" or image.mode.startswith("I"),
        "cmyk": image.mode == "CMYK",
    }
    return tuple(remark for remark, holds in found.items() if holds)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # damaged metadata is no reason to refuse a sound picture
        return 1


def _to_rgb(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if image.mode == "F" or image.mode.startswith("I"):
        image = _to_8_bits(image)
    elif image.mode == "LAB":
        rgb = ImageCms.profileToProfile(
            image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
        assert rgb is not None
        return rgb
    if not image.has_transparency_data:
        return image.copy() if image.mode == "RGB" else image.convert("RGB")
    ground = Image.new("RGBA", image.size, background)
    return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scale greys of more than 8 bits; a grey value declared transparent becomes alpha."""
    values = np.asarray(image)
    if not np.isfinite(values).all():
        raise _UnusableError("holds values that are not finite (NaN or infinite)")
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16"):
        low, high = 0.0, 4095.0 if _is_12_bit(image) else 65535.0
    elif image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    elif image.mode == "I" and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    grey8 = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), 256):  # rows at a time: float64 needs eight times the room
        block = values[start : start + 256].astype(np.float64)
        grey8[start : start + 256] = np.rint((block - low) * 255 / ((high - low) or 1))
    grey = Image.fromarray(grey8)
    clear: Any = image.info.get("transparency")
    if clear is not None:
        grey.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    return grey


def _is_12_bit(image: Image.Image) -> bool:
    tags: Any = getattr(image, "tag_v2", {})
    return tuple(tags.get(258, ())) == (12,)
