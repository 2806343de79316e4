"""Make the run that comes with the package: the small net, trained on the garden.

    python -m embedlab.builtin_run

It is what ``embedlab train garden`` makes, put where every installation finds it.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from embedlab.progress import Progress, silent
from embedlab.readings import REPRESENTATIONS
from embedlab.runs import BUILTIN, Run

NAME = "garden"
TITLE = "The garden"


def make_builtin(target: Path = BUILTIN / NAME, *, progress: Progress = silent) -> Run:
    """Draw the garden, train the small net on it, and keep the run at `target`.

    What the pages would otherwise compute when they are first opened is computed here: PCA, LDA
    with its control, UMAP's layouts, the layers, doubtful labels and how well known factors are
    read off. It takes a few minutes. An older run there is replaced once the new one is whole.

    Parameters
    ----------
    target : Path
    progress : Progress

    Returns
    -------
    Run
    """
    from embedlab.data.sources import load_dataset
    from embedlab.experiment import train
    from embedlab.models.recipes import settings_for

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".partial-") as place:
        made = train(
            load_dataset(NAME, progress=progress),
            settings=settings_for("small", {}),
            title=TITLE,
            folder=Path(place) / NAME,
            device="cpu",
            work=Path(place) / "work",
            progress=progress,
        )
        complete(made, progress=progress)
        shutil.rmtree(target, ignore_errors=True)
        made.folder.rename(target)
    return Run(target)


def complete(run: Run, *, progress: Progress = silent) -> None:
    """Compute what the pages show of a run beyond what its training left, and keep it."""
    from embedlab.checks import make_doubts
    from embedlab.layers import make_layers
    from embedlab.readings import make_readings
    from embedlab.views import make_umap, prepare

    prepare(run, progress=progress)
    layers = make_layers(run, device="cpu", progress=progress)
    for depth in layers.depths:  # from the pixels to the embedding
        make_umap(run, vectors=depth.vectors, progress=progress)
    make_doubts(run, progress=progress)
    make_readings(run, REPRESENTATIONS, progress=progress)


if __name__ == "__main__":
    from embedlab.cli.progress import Bars
    from embedlab.cli.train import summary

    with Bars() as bars:
        run = make_builtin(progress=bars)
    print(summary(run))
