"""Hand scripts and bytes to the browser."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from streamlit import runtime

_IMPORT = re.compile(r'^import\s*\{[^}]*\}\s*from\s*"(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)
_NAMES = re.compile(r"^(?:export )?(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)
_IDLE = re.compile(r"^\s*//.*\n|^\s+", re.MULTILINE)  # whole lines of comment, indentation


def bundle(entry: Path) -> str:
    """Join plain ES modules into one script, each after those that it imports.

    A component's script travels as text, so it works from a checkout, an installed wheel and
    an app server alike; a text cannot import its neighbours, hence one script. Top-level names
    must differ between the joined modules.

    Parameters
    ----------
    entry : Path
        The module that holds the default export. Imports are of the form
        ``import { a, b } from "./name.js";``.

    Returns
    -------
    str
        The script of one module.

    Raises
    ------
    ValueError
        If two of the modules have a top-level name in common.
    """
    parts: dict[Path, str] = {}

    def visit(path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        for name in _IMPORT.findall(text):
            imported = (path.parent / name).resolve()
            if imported not in parts:
                visit(imported)
        parts[path] = _IMPORT.sub("", text)

    visit(entry.resolve())
    joined = "\n".join(
        text if path == entry.resolve() else _EXPORT.sub("", text) for path, text in parts.items()
    )
    names = _NAMES.findall(joined)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{entry.name} joins modules that both have {', '.join(twice)}")
    return _IDLE.sub("", joined)


def media_url(data: bytes, mimetype: str, slot: str, *, name: str | None = None) -> str:
    """Offer bytes to the browser of this session until its next run.

    Parameters
    ----------
    data : bytes
    mimetype : str
    slot : str
        Where on the page they are used: new bytes in the same slot replace the old ones.
    name : str, optional
        A digest of the content, where it is known already.

    Returns
    -------
    str
        The address below the app's base path, made from the content; empty when no server runs.
    """
    if not runtime.exists():
        return ""
    # Above 1 MiB, Streamlit's own address is made from three samples of the content only.
    if name is None and len(data) > 1 << 20:
        name = hashlib.blake2b(data, digest_size=16).hexdigest()
    return runtime.get_instance().media_file_mgr.add(data, mimetype, slot, file_name=name)
