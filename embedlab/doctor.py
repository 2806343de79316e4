"""What works on this machine, what is cached, and what is missing."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from embedlab.home import home
from embedlab.leftovers import find_leftovers, size_of

PACKAGES = (
    "embedlab",
    "torch",
    "torchvision",
    "onnxruntime",
    "numpy",
    "pandas",
    "scikit-learn",
    "umap-learn",
    "plotly",
    "streamlit",
    "pillow",
)


def versions() -> dict[str, str]:
    """Give the installed version of every package that results depend on, and of Python."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing: pip install " + name
    return found


def _size(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return f"{len(files):,} files, {sum(path.stat().st_size for path in files) / 1e6:,.1f} MB"


def _weights() -> str:
    places = [home("weights")]
    hub = os.environ.get("TORCH_HOME") or Path.home() / ".cache" / "torch"
    places.append(Path(hub) / "hub" / "checkpoints")
    names = sorted({path.name for place in places for path in place.glob("*.pth")})
    if not names:
        return (
            "none; they are downloaded when first asked for, or given with --weights FILE. "
            "The backbone 'small' needs none."
        )
    return ", ".join(names)


def _left_over() -> str:
    found = find_leftovers()
    if not found:
        return "nothing"
    names = [str(path.relative_to(home())) for path in found]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (
        f"{sum(map(size_of, found)) / 1e6:,.1f} MB that killed processes did not finish "
        f"({', '.join(names[:5])}{more}); the next job clears them away, or "
        "embedlab doctor --clear"
    )


def examine() -> dict[str, dict[str, Any]]:
    """Look around.

    Returns
    -------
    dict
        Sections ("versions", "machine", "kept", "runs") of names and readings; JSON values.
    """
    import psutil

    from embedlab.data.sources import SOURCES, is_at_hand
    from embedlab.models.device import describe_device, pick_device
    from embedlab.runs import list_runs, run_folders

    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(home())
    return {
        "versions": versions(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "device": describe_device(pick_device("auto")),
            "memory": f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free",
            "disk": f"{disk.free / 1e9:.1f} of {disk.total / 1e9:.1f} GB free",
        },
        "kept": {
            "home": str(home()),
            "runs": _size(home("runs")),
            "cache": _size(home("cache")),
            "weights": _weights(),
            "left over": _left_over(),
        },
        "pictures": {
            name: "at hand" if is_at_hand(name) else "not here yet; downloaded when asked for"
            for name in SOURCES
        },
        "runs": {
            "looked for in": ", ".join(map(str, run_folders())),
            "found": ", ".join(run.id for run in list_runs()) or "none",
        },
    }
