"""Which picture formats are read, and which are known but refused, told by their first bytes."""

from __future__ import annotations

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")

_TO_JPEG = "Save it as JPEG or PNG first."
_TO_PIXELS = "Draw it as PNG first, with Inkscape or ImageMagick."
_HEIC = ("a HEIC picture", "Save it as JPEG first: 'heif-convert PICTURE out.jpg', or Preview.")

# How the formats begin that are read; WebP and BMP apart.
_READ = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# Formats that people have and that are not decoded here: (offset, bytes) -> what and what to do.
REFUSED = {
    (4, b"ftypavif"): ("an AVIF picture", _TO_JPEG),
    **{(4, b"ftyp" + brand): _HEIC for brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1")},
    (0, b"\0\0\0\x0cJXL "): ("a JPEG XL picture", _TO_JPEG),
    (0, b"\xff\x0a"): ("a JPEG XL picture", _TO_JPEG),
    (0, b"\0\0\0\x0cjP  "): ("a JPEG 2000 picture", _TO_JPEG),
    (0, b"8BPS"): ("a Photoshop document", _TO_JPEG),
    (0, b"\0\0\1\0"): ("an icon file", _TO_JPEG),
    (0, b"%!PS"): ("an EPS or PostScript drawing", _TO_PIXELS),
    (0, b"\xc5\xd0\xd3\xc6"): ("an EPS or PostScript drawing", _TO_PIXELS),
    (0, b"%PDF"): ("a PDF document", _TO_PIXELS),
}


def looks_like_picture(head: bytes) -> bool:
    """Say whether a file that begins with these 12 bytes or more is of a known picture format.

    True also for formats that are refused by name, so that people are told about such files.
    """
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    if head[:2] == b"BM":
        return head[6:10] == b"\0\0\0\0"
    known = any(head[at : at + len(magic)] == magic for at, magic in REFUSED if magic != b"%PDF")
    return known or head.startswith(_READ)


def refusal(data: bytes) -> tuple[str, str] | None:
    """Say why bytes are not decoded at all, and what to do; None when that is worth a try.

    Parameters
    ----------
    data : bytes
        A whole file.

    Returns
    -------
    tuple of two str, or None
        "is a HEIC picture, ...", and a remedy.
    """
    if not data:
        return "is empty", ""
    for (offset, magic), (kind, hint) in REFUSED.items():
        if data[offset : offset + len(magic)] == magic:
            return f"is {kind}, which embedlab does not read", hint
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<") and b"<svg" in head:
        return "is an SVG drawing, which embedlab does not read", _TO_PIXELS
    if head.startswith((b"<!doctype html", b"<html")):
        return "is a web page, not a picture", "Was its download refused?"
    return None
