"""Cells of a CSV file that a spreadsheet will not run."""

from __future__ import annotations

from typing import Any

# What spreadsheets take for the beginning of a formula; and the quotation mark itself, so that
# one that was there before can be told from one that was put there.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "'")


def quoted(value: Any) -> Any:
    """Keep a spreadsheet from running a text as a formula: put a quotation mark before it.

    Parameters
    ----------
    value : Any
        What is no text stays as it is.

    Returns
    -------
    Any
        `unquoted` gives the value back.

    Examples
    --------
    >>> quoted("=HYPERLINK(1)"), quoted("'tis"), quoted("rose"), quoted(-1.5)
    ("'=HYPERLINK(1)", "''tis", 'rose', -1.5)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_RISKY) else value


def unquoted(value: Any) -> Any:
    """Take off the quotation mark that `quoted` put before a text.

    Examples
    --------
    >>> [unquoted(quoted(text)) for text in ("-1.jpg", "'tis", "rose")]
    ['-1.jpg', "'tis", 'rose']
    """
    return value.removeprefix("'") if isinstance(value, str) else value
