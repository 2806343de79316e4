"""What every source can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedlab.progress import Progress, silent


@dataclass(frozen=True)
class Ask:
    """What was asked for, whatever the source.

    Parameters
    ----------
    root : Path, optional
        The folder where a named set's files already are.
    limit : int, optional
        Take a random sample of at most this many pictures.
    seed : int
        Decides which sample.
    progress : Progress
        Told how far the work is.
    """

    root: Path | None = None
    limit: int | None = None
    seed: int = 123
    progress: Progress = silent

    def origin(self, source: str, **options: Any) -> dict[str, Any]:
        """Say how to make the same dataset again, the sample apart."""
        root = {} if self.root is None else {"root": str(self.root.absolute())}
        return {"source": source, **root, **options}
