"""Where each backbone can be cut, and what of its arithmetic comes before: known without torch.

The table known_cuts.json is written by ``python -m tests.make_known_cuts``; a test compares it
with the networks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from embedlab.errors import EmbedlabError

ENDS = ("end", "embedding")  # names of the place where the head begins
_TABLE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class KnownCut:
    """The end of one of a backbone's stages.

    Parameters
    ----------
    name : str
        As `embedlab.models.network.Network.cuts` has it.
    shape : tuple of int
        What comes out there for a picture of the backbone's own size: a map (c, h, w), tokens
        (t, d) or a vector (d,).
    share : float
        Share of the body's multiplications that is done by then, from 0 to 1.
    """

    name: str
    shape: tuple[int, ...]
    share: float

    @property
    def n_dims(self) -> int:
        """How many numbers the vector has that is made there."""
        return self.shape[1] if len(self.shape) == 2 else self.shape[0]


@cache
def _table() -> dict[str, list[tuple[str, list[int], float]]]:
    return dict(json.loads(_TABLE.read_text(encoding="utf-8")))


def known_cuts(backbone: str) -> tuple[KnownCut, ...]:
    """List the ends of a backbone's stages, the shallowest first.

    Parameters
    ----------
    backbone : str
        A network of `BACKBONES`.

    Examples
    --------
    >>> [cut.name for cut in known_cuts("small")], known_cuts("small")[1].shape
    (['stem', 'stage1', 'stage2', 'stage3'], (32, 16, 16))
    """
    return tuple(KnownCut(name, tuple(shape), share) for name, shape, share in _table()[backbone])


def cut_name(backbone: str, cut: str | int | None) -> str | None:
    """Give the one name of a cut, however it was asked for.

    Parameters
    ----------
    backbone : str
        A network of `BACKBONES`.
    cut : str, int or None
        A name, an index (-1 is the last), or a block inside a stage.

    Returns
    -------
    str or None
        None for the end of the body, where the backbone's head begins. Whether there is a block
        of this name is seen when the network is built.

    Raises
    ------
    EmbedlabError
        If there is no such cut; the message lists those that there are.

    Examples
    --------
    >>> cut_name("small", 1), cut_name("small", "-2"), cut_name("small", -1)
    ('stage1', 'stage3', None)
    """
    names: list[str] = [known.name for known in known_cuts(backbone)]
    if cut is None or cut in ENDS:
        return None
    asked = str(cut)
    if asked.removeprefix("-").isdecimal():
        if -len(names) - 1 <= int(asked) <= len(names):
            return [*names, None][int(asked)]
    elif asked in names or "." in asked:
        return asked
    raise EmbedlabError(
        f"{backbone} has no cut {asked!r}.",
        remedy=f"It can be cut at 0..{len(names)} or -1..-{len(names) + 1}: "
        f"{', '.join([*names, ENDS[-1]])}; or at a block inside one of these.",
    )


def share_until(backbone: str, cut: str | None) -> float:
    """Say what share of a body's arithmetic is done until a cut; of a block, until its stage's end.

    Examples
    --------
    >>> share_until("small", None), 0 < share_until("small", "stage1") < 0.5
    (1.0, True)
    """
    if cut is None:
        return 1.0
    within = [one.share for one in known_cuts(backbone) if f"{cut}.".startswith(f"{one.name}.")]
    return within[0] if within else 1.0
