"""Numbers that people ask for, checked before any work is done."""

from __future__ import annotations

from embedlab.errors import EmbedlabError

# One picture of this side takes 200 MB on its way into a network.
LARGEST_SIDE = 4096
LARGEST_SEED = (1 << 32) - 1


def check_side(size: int | None) -> None:
    """Refuse pictures of no pixels, and of more than fit into memory.

    Parameters
    ----------
    size : int, optional
        Side of the pictures in pixels; None stands for not given.

    Raises
    ------
    EmbedlabError
        If it is not in 1..`LARGEST_SIDE`.
    """
    if size is not None and not 1 <= size <= LARGEST_SIDE:
        raise EmbedlabError(
            f"Pictures of {size:,} px were asked for.",
            remedy=f"The side can be 1 to {LARGEST_SIDE:,} px; left out, it is the model's own.",
        )


def check_limit(limit: int | None) -> None:
    """Refuse samples of no pictures."""
    if limit is not None and limit < 1:
        raise EmbedlabError(f"The limit is {limit}.", remedy="Ask for one picture or more.")


def check_batch_size(batch_size: int) -> None:
    """Refuse batches of no pictures."""
    if batch_size < 1:
        raise EmbedlabError(f"The batch size is {batch_size}.", remedy="It must be at least 1.")


def check_share(share: float | None) -> None:
    """Refuse to keep less than none of the pictures for validation, or all of them.

    Parameters
    ----------
    share : float, optional
        None stands for not given.

    Raises
    ------
    EmbedlabError
        If it is not in [0, 1).
    """
    if share is not None and not 0 <= share < 1:
        raise EmbedlabError(
            f"The share for validation is {share:g}.",
            remedy="It can be 0 up to, but not including, 1; 0.2 is a fifth.",
        )


def check_seed(seed: int) -> None:
    """Refuse seeds that not everything that draws at random takes."""
    if not 0 <= seed <= LARGEST_SEED:
        raise EmbedlabError(
            f"The seed is {seed}.", remedy=f"It can be any whole number from 0 to {LARGEST_SEED:,}."
        )
