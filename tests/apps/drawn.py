"""Pictures that say which row they belong to."""

from __future__ import annotations

import colorsys
import io

from PIL import Image, ImageDraw


def colour(row: int) -> tuple[int, int, int]:
    """Give the colour of one row's picture; neighbours in row are far apart in colour."""
    red, green, blue = colorsys.hsv_to_rgb((row * 0.381966) % 1, 0.75, 0.55 + 0.4 * (row % 2))
    return round(255 * red), round(255 * green), round(255 * blue)


def jpeg(row: int, size: int = 96) -> bytes:
    """Draw one row's picture: a coloured square with the row's number."""
    picture = Image.new("RGB", (size, size), colour(row))
    ImageDraw.Draw(picture).text((8, size - 20), str(row), fill="white")
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()
