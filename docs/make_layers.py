"""How deep to cut? MNIST through pretrained networks, cut everywhere, at three sizes.

    python docs/make_layers.py measure --mnist FOLDER --weights mobilenet_v2=FILE ...
    python docs/make_layers.py control --mnist FOLDER --weights squeezenet1_1=FILE ...
    python docs/make_layers.py maps --mnist FOLDER --weights squeezenet1_1=FILE

`measure` sends digits through the networks and adds a line for each cut, size and seed to
docs/layers.csv; lines that are there already are not measured again. `control` does so with digits
in the middle of a larger black picture, so that what size does can be told from what scale does;
its lines go to docs/layers-control.csv. `maps` draws digits by PCA and UMAP. docs/write_layers.py
writes the rest up.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import click
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.dataset import Dataset
from embedlab.data.pictures import ArrayPictures
from embedlab.data.sources import load_dataset
from embedlab.figures.palette import class_style

HERE = Path(__file__).parent
CSV, CONTROL, FIGURES = HERE / "layers.csv", HERE / "layers-control.csv", HERE / "figures"
SIZES = (28, 96, 224)
PADDED = ((28, 96), (28, 224), (96, 224))  # sides of a digit and of the black picture around it
SEEDS = (0, 1, 2)
EACH = 1000  # digits to fit on, of the training part, and to score, of the test part
K = 10
DRAWN = ("features.7", "features.12")  # SqueezeNet at 28 px: the best cut, and the full depth
TITLES = {"mobilenet_v2": "MobileNetV2", "squeezenet1_1": "SqueezeNet 1.1"}


@click.group()
def main() -> None:
    """Measure how well digits are told apart at every depth of a network."""


# ---- measure -------------------------------------------------------------------------------------


@main.command()
@click.option("--mnist", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--weights", "given", multiple=True, metavar="BACKBONE=FILE", required=True)
@click.option("--size", "sizes", type=int, multiple=True, default=SIZES, show_default=True)
@click.option("--seed", "seeds", type=int, multiple=True, default=SEEDS, show_default=True)
def measure(
    mnist: Path, given: tuple[str, ...], sizes: tuple[int, ...], seeds: tuple[int, ...]
) -> None:
    """Add what is missing to docs/layers.csv."""
    lines = pd.read_csv(CSV) if CSV.exists() else pd.DataFrame()
    for seed in seeds:
        digits, labels = sample(mnist, seed)
        about = {"backbone": "pixels", "size": 28, "seed": seed}
        if not there(lines, about):
            flat = np.stack([grey(digits, i) for i in range(len(digits))])
            found = {**about, "cut": "pixels", "index": 0, "shape": "28 x 28"}
            lines = added(lines, [found | scored(flat, labels, seed)])
    for size in sizes:
        for pair in given:
            backbone, _, file = pair.partition("=")
            for seed in seeds:
                about = {"backbone": backbone, "size": size, "seed": seed}
                if there(lines, about):
                    continue
                digits, labels = sample(mnist, seed)
                made = []
                for index, (cut, shape, vectors) in enumerate(
                    through(digits, backbone, Path(file), size)
                ):
                    found = {**about, "cut": cut, "index": index, "shape": shape}
                    made.append(found | scored(vectors, labels, seed))
                    click.echo(made[-1])
                lines = added(lines, made)


# ---- control -------------------------------------------------------------------------------------


@main.command()
@click.option("--mnist", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--weights", "given", multiple=True, metavar="BACKBONE=FILE", required=True)
@click.option("--seed", "seeds", type=int, multiple=True, default=SEEDS, show_default=True)
def control(mnist: Path, given: tuple[str, ...], seeds: tuple[int, ...]) -> None:
    """Add what is missing to docs/layers-control.csv: digits with black around them."""
    lines = pd.read_csv(CONTROL) if CONTROL.exists() else pd.DataFrame()
    for pair in given:
        backbone, _, file = pair.partition("=")
        for (digit, size), seed in product(PADDED, seeds):
            about = {"backbone": backbone, "digit": digit, "size": size, "seed": seed}
            if there(lines, about):
                continue
            digits, labels = sample(mnist, seed)
            # The last one is a black picture: what all vectors have in common, however large it is.
            framed = padded(digits, digit, size)
            made = []
            for index, (cut, shape, vectors) in enumerate(
                through(framed, backbone, Path(file), size)
            ):
                found = {**about, "cut": cut, "index": index, "shape": shape}
                own = vectors[:-1] - vectors[-1]
                scores = {
                    "total": EACH,
                    "knn": near(vectors[:-1], labels, "cosine"),
                    "knn_less_black": near(own, labels, "cosine"),
                    "probe": probed(vectors[:-1], labels),
                }
                made.append(found | scores)
                click.echo(made[-1])
            lines = added(lines, made, CONTROL)


def padded(digits: Dataset, side: int, size: int) -> Dataset:
    """Enlarge digits to a side, put each into the middle of a black picture; add a black one."""
    left = (size - side) // 2
    pictures = np.zeros((len(digits) + 1, size, size), np.uint8)
    for i in range(len(digits)):
        digit = digits.pictures.open(i).resize((side, side), Image.Resampling.BILINEAR)
        pictures[i, left : left + side, left : left + side] = np.asarray(digit)[:, :, 0]
    ids = (*digits.ids, "black")
    return Dataset(digits.name, ids, ArrayPictures(pictures))


# ---- what both have in common --------------------------------------------------------------------


def sample(mnist: Path, seed: int) -> tuple[Dataset, NDArray[np.int64]]:
    """Draw as many training digits as test digits: a dataset, and labels with the former first."""
    parts = [
        load_dataset("mnist", root=mnist, part=part, limit=EACH, seed=seed)
        for part in ("train", "test")
    ]
    pixels = [
        np.asarray(part.pictures.open(i))[:, :, 0] for part in parts for i in range(len(part))
    ]
    ids = tuple(f"{number:04d}" for number in range(2 * EACH))
    digits = Dataset("mnist", ids, ArrayPictures(np.stack(pixels)))
    return digits, np.concatenate([part.labels for part in parts])


def grey(digits: Dataset, i: int) -> NDArray[np.float32]:
    """Give digit i as 784 numbers from 0 to 1."""
    return np.asarray(digits.pictures.open(i), np.float32)[:, :, 0].ravel() / 255


def through(
    digits: Dataset, backbone: str, weights: Path, size: int
) -> Iterator[tuple[str, str, NDArray[np.float32]]]:
    """Send digits through a network: (cut, shape, vectors), the shallowest first."""
    from embedlab.models.backbones import backbone as look_up
    from embedlab.models.backbones import build
    from embedlab.models.depths import TorchDepths
    from embedlab.models.device import keep_freed_memory, pick_device

    keep_freed_memory()
    preprocessing = look_up(backbone).preprocessing(size, weights)
    network = build(backbone, n_classes=1, weights=weights, size=size)
    body = TorchDepths(network, preprocessing, pick_device())
    rows = []
    for start in range(0, len(digits), 20):
        some = [
            preprocessing.see(digits.pictures.open(i))
            for i in range(start, min(start + 20, len(digits)))
        ]
        rows.append(body.embed_seen(np.stack(some)))
    matrix = np.concatenate(rows)
    *stages, end = body.cuts
    last, ends = (matrix[:, body.places[cut.name]] for cut in (stages[-1], end))
    cuts = stages if last.shape == ends.shape and np.allclose(last, ends, 1e-3, 1e-5) else body.cuts
    for cut in cuts:
        yield cut.name, " x ".join(map(str, cut.shape)), matrix[:, body.places[cut.name]]


def scored(vectors: NDArray[np.float32], labels: NDArray[np.int64], seed: int) -> dict[str, float]:
    """Count the test digits that are named rightly, in four ways."""
    from embedlab.space.dimension import intrinsic_dimension
    from embedlab.space.projections import pca, umap

    return {
        "n_dims": vectors.shape[1],
        "total": EACH,
        "knn": near(vectors, labels, "cosine"),
        "probe": probed(vectors, labels),
        "pca": near(pca(vectors, 2).coordinates, labels, "euclidean"),
        "umap": near(umap(vectors, seed=seed).coordinates, labels, "euclidean"),
        "dimension": round(intrinsic_dimension(vectors), 2),
        "silent": int((~vectors[EACH:].any(axis=1)).sum()),  # test digits that leave nothing
    }


def near(points: NDArray[np.float32], labels: NDArray[np.int64], metric: str) -> int:
    """Count the test digits that their nearest training digits name rightly."""
    from embedlab.space.probes import knn_accuracy

    learn, held = points[:EACH], points[EACH:]
    return knn_accuracy(learn, labels[:EACH], held, labels[EACH:], k=K, metric=metric).correct


def probed(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> int:
    """Count the test digits that a linear probe names rightly."""
    from embedlab.space.probes import linear_probe

    return linear_probe(vectors[:EACH], labels[:EACH], vectors[EACH:], labels[EACH:]).correct


def there(lines: pd.DataFrame, about: dict[str, object]) -> bool:
    """Say whether this was measured before."""
    if lines.empty:
        return False
    return bool((lines[list(about)] == list(about.values())).all(axis=1).any())


def added(lines: pd.DataFrame, made: list[dict], file: Path = CSV) -> pd.DataFrame:
    """Add lines and keep them."""
    lines = pd.concat([lines, pd.DataFrame(made)], ignore_index=True)
    lines.to_csv(file, index=False)
    return lines


# ---- maps ----------------------------------------------------------------------------------------


@main.command()
@click.option("--mnist", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--weights", metavar="squeezenet1_1=FILE", required=True)
@click.option("--size", default=28, show_default=True)
def maps(mnist: Path, weights: str, size: int) -> None:
    """Draw the first sample's test digits: {pixels, best cut, full depth} x {PCA, UMAP}."""
    from matplotlib.figure import Figure

    from embedlab.space.projections import pca, umap

    digits, labels = sample(mnist, 0)
    backbone, _, path = weights.partition("=")
    found = {c: v for c, _, v in through(digits, backbone, Path(path), size) if c in DRAWN}
    pixels = np.stack([grey(digits, i) for i in range(len(digits))])
    shown = {"pixels": pixels, **{f"{TITLES[backbone]}, {c}": v for c, v in found.items()}}
    figure = Figure((9, 6.2), layout="constrained", dpi=100)
    panels = figure.subplots(2, 3)
    for column, (title, vectors) in enumerate(shown.items()):
        for row, (name, view) in enumerate((("PCA", pca(vectors, 2)), ("UMAP", umap(vectors)))):
            panel = panels[row, column]
            points = view.coordinates[EACH:]
            for digit in range(10):
                here = points[labels[EACH:] == digit]
                style = class_style(digit)
                panel.scatter(*here.T, s=14, c=style.colour, marker=f"${digit}$", linewidths=0.2)
            panel.set(xticks=[], yticks=[], title=f"{title}\n{name}" if row == 0 else name)
            panel.title.set_fontsize(9)
    FIGURES.mkdir(exist_ok=True)
    file = io.BytesIO()
    figure.savefig(file)
    few = Image.open(file).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    few.save(FIGURES / "layers-maps.png", optimize=True)


if __name__ == "__main__":
    main()
