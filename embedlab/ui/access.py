"""What a visitor may do: everything on one's own machine, only look on a public server."""

from __future__ import annotations

import os


def public() -> bool:
    """Say whether strangers may be looking: the environment variable EMBEDLAB_PUBLIC is set."""
    return os.environ.get("EMBEDLAB_PUBLIC", "") not in ("", "0")


def may_start_jobs() -> bool:
    """Say whether a visitor may start long work on this machine."""
    return not public()
