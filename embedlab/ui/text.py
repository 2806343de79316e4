"""Names from files, made safe to stand in Markdown."""

from __future__ import annotations

_SPECIAL = frozenset("\\`*_{}[]()#+!|<>~$:")


def plain(text: str) -> str:
    r"""Escape what Streamlit's Markdown would take for markup.

    Parameters
    ----------
    text : str
        Text that came from a file name, a class name, a table, or an error.

    Returns
    -------
    str
        Markdown that shows exactly that text.

    Examples
    --------
    >>> plain("<b>rose</b>")
    '\\<b\\>rose\\</b\\>'
    """
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in text)
