"""What a job printed."""

from __future__ import annotations

from pathlib import Path

_BYTES_A_LINE = 400


def tail(path: Path, lines: int = 40) -> list[str]:
    """Read the last lines of a log, without reading what comes before.

    Of a line that was written over with carriage returns, as progress bars do, the last state
    is given. Bytes that are no UTF-8 are shown as replacement characters.

    Parameters
    ----------
    path : Path
    lines : int
        At most so many; fewer when lines are very long.

    Returns
    -------
    list of str
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - lines * _BYTES_A_LINE)
            file.seek(start)
            content = file.read()
    except OSError:
        return []
    if start:  # begin with a whole line, or at least with a whole character
        cut = content.find(b"\n") + 1 or next(
            (i for i, byte in enumerate(content) if byte & 0xC0 != 0x80), 0
        )
        content = content[cut:]
    text = content.decode("utf-8", errors="replace").replace("\r\n", "\n").removesuffix("\n")
    if not text:
        return []
    return [one.rstrip("\r").rpartition("\r")[2] for one in text.split("\n")][-lines:]
