"""The job that cuts a run's body everywhere: what it does, about how long, and its button."""

from __future__ import annotations

from embedlab.jobs.words import duration
from embedlab.runs import Run
from embedlab.ui.job_button import job_button

_SLOWER = 2  # all depths with torch, against the end alone with ONNX, on a CPU
_A_SCORE = 2e-6  # seconds for each number of a layer's vectors, scored and drawn


def layers_form(run: Run, *, size: int | None = None, umap: bool = False) -> None:
    """Say what cutting everywhere takes, offer to start it, and watch it.

    Parameters
    ----------
    run : Run
        One whose body can be cut.
    size : int, optional
        Side of the pictures in pixels; the run's own by default.
    umap : bool
        Whether every depth is laid out with UMAP too.
    """
    words = ["layers", run.id]
    words += ["--size", str(size)] if size is not None else []
    words += ["--umap"] if umap else []
    job_button(
        "Lay every depth out with UMAP" if umap else "Cut at every depth",
        words,
        run=run,
        title=f"{'UMAP of the layers' if umap else 'Layers'} of {run.title}",
    )


def what_it_takes(run: Run, *, size: int | None = None) -> str:
    """Say in a few sentences what cutting everywhere does with a run, and what it costs."""
    stages = [
        row["shape"]
        for row in run.info.get("architecture", [])
        if row["name"] not in ("input", "embedding", "head")
    ]
    pictures = f"All {run.n_items:,} pictures go through the body once more"
    if not stages:
        return f"{pictures}; the vectors at every depth are kept in the run."
    numbers = run.n_items * sum(shape[2] if len(shape) == 3 else shape[1] for shape in stages)
    megabytes = max(numbers * 4 / 1e6, 0.1)
    text = (
        f"{pictures}; behind each of its {len(stages)} stages the map is averaged to a vector. The "
        f"vectors are kept in the run (at most {megabytes:.1f} MB) and every depth is scored."
    )
    embedded = float(run.info.get("seconds", {}).get("embed", 0))
    own = run.preprocessing.size if run.preprocessing else 0
    if embedded >= 1 and own:
        area = ((size or own) / own) ** 2
        seconds = 10 + _SLOWER * embedded * area + _A_SCORE * numbers
        return f"{text} Where the run was made, this would take about {duration(seconds)}."
    return (
        f"{text} A small network takes under a minute; a large one with thousands of photographs "
        "takes ten or more."
    )
