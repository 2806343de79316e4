"""Names from files, made safe to stand in Markdown, and numbers of any size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

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


def numbers(values: Iterable[float], decimals: int) -> list[str]:
    """Write numbers that are compared with each other, so that small ones are not all zero.

    Parameters
    ----------
    values : iterable of float
    decimals : int
        So many, unless the largest number would show fewer than two digits: then as
        many more as it takes, up to six, or powers of ten.

    Returns
    -------
    list of str

    Examples
    --------
    >>> numbers([17.954, -0.003], 2)
    ['17.95', '-0.00']
    >>> numbers([0.0312, 0], 2)
    ['0.031', '0.000']
    >>> numbers([4.1e-12, 3e-13], 2)
    ['4.10e-12', '3.00e-13']
    """
    values = [float(value) for value in values]
    largest = max((abs(value) for value in values if isfinite(value)), default=0.0)
    form = f",.{decimals}f"
    if 0 < largest < 10 ** (1 - decimals):
        enough = next((more for more in range(decimals, 7) if largest * 10**more >= 10), None)
        form = f".{decimals}e" if enough is None else f",.{enough}f"
    return [format(value, form) for value in values]


def told_apart(names: Sequence[str]) -> list[str]:
    """Leave out what names of parts, set off by commas, all begin with, to show them where narrow.

    Examples
    --------
    >>> told_apart(["flowers, ResNet-18, fine-tuned", "flowers, ResNet-18, head alone, seed 5"])
    ['… fine-tuned', '… head alone, seed 5']
    >>> told_apart(["flowers, ResNet-18", "garden"])
    ['flowers, ResNet-18', 'garden']
    """
    parts = [name.split(", ") for name in names]
    common = 0
    while (
        len(parts) > 1
        and all(len(one) > common + 1 for one in parts)
        and len({one[common] for one in parts}) == 1
    ):
        common += 1
    return [f"… {', '.join(one[common:])}" if common else ", ".join(one) for one in parts]
