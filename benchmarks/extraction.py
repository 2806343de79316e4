"""From JPEG files to embeddings: the notebook's plain loop against embedlab's, in one run.

Both take turns on the same pictures, so that whatever else the machine does falls on both. The
plain loop is PIL, torchvision's transforms, a DataLoader and the eager network without gradients.
Ours does more: it also makes the thumbnails and keeps what the model saw.

    python benchmarks/extraction.py
    taskset -c 0 python benchmarks/extraction.py          (one core, on Linux)
    python benchmarks/extraction.py --backbone resnet18 --pictures 256 --folder ~/photos
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from embedlab.data.dataset import Dataset
from embedlab.data.preprocessing import Preprocessing
from embedlab.data.sources import load_dataset
from embedlab.models.backbones import BACKBONES, build
from embedlab.models.device import n_cores
from embedlab.models.export import export_body
from embedlab.models.extraction import extract
from embedlab.models.network import Network
from embedlab.models.onnx_body import BATCH as IN_ONE_THREAD
from embedlab.models.onnx_body import OnnxBody

BATCH = 16


class Files(torch.utils.data.Dataset[torch.Tensor]):
    """Pictures as the notebook reads them."""

    def __init__(self, paths: list[Path], preprocessing: Preprocessing) -> None:
        self.paths = paths
        self.transform = transforms.Compose(
            [
                transforms.Resize(
                    preprocessing.resize, InterpolationMode(preprocessing.interpolation)
                ),
                transforms.CenterCrop(preprocessing.size),
                transforms.ToTensor(),
                transforms.Normalize(preprocessing.mean, preprocessing.std),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        tensor: torch.Tensor = self.transform(Image.open(self.paths[index]).convert("RGB"))
        return tensor


def plain(paths: list[Path], network: Network, preprocessing: Preprocessing) -> np.ndarray:
    """Embed as the notebook does."""
    loader = DataLoader(Files(paths, preprocessing), batch_size=BATCH, shuffle=False)
    network.eval()
    found = []
    with torch.no_grad():
        for batch in loader:
            found.append(network.body(batch).numpy())
    return np.concatenate(found)


def shared() -> Path | None:
    """Find the real photographs and weights, if this machine has them."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    place = Path(os.environ.get("EMBEDLAB_TEST_DATA") or beside)
    return place if (place / "data" / "flower_photos").is_dir() else None


def pictures(folder: Path | None, n: int, drawn: Path) -> Dataset:
    """Take photographs, or flowers drawn as JPEG where there are none."""
    place = shared()
    if folder is None and place:
        folder = place / "data" / "flower_photos"
    if folder is None:
        garden = load_dataset("garden", limit=n)
        for i, id_ in enumerate(garden.ids):
            path = drawn / f"{id_}.jpg"
            path.parent.mkdir(exist_ok=True)
            garden.pictures.open(i).resize((320, 256)).save(path, quality=90)
        folder = drawn
    return load_dataset(folder, limit=n)


def weights_of(name: str) -> str:
    """Take real weights where they lie beside the photographs."""
    place = shared()
    file = place / "weights" / f"{name}-imagenet.pth" if place else None
    return str(file) if file and file.exists() else "random"


def measure(name: str, dataset: Dataset, size: int, repeat: int, folder: Path) -> None:
    """Compare both ways with one backbone and print a row."""
    weights = weights_of(name)
    network = build(name, n_classes=5, weights=weights, seed=0, size=size)
    preprocessing = BACKBONES[name].preprocessing(size, weights)
    paths = [path for i in range(len(dataset)) if (path := dataset.pictures.path(i))]
    began = time.perf_counter()
    export_body(network, folder / f"{name}.onnx", size=size)
    exported = time.perf_counter() - began
    body = OnnxBody(folder / f"{name}.onnx", preprocessing)
    batch = max(BATCH, IN_ONE_THREAD * n_cores())
    few = dataset.take(range(BATCH))
    plain(paths[:BATCH], network, preprocessing)
    extract(few, body, preprocessing)
    ratios, costs, rates = [], [], []
    for _ in range(repeat):
        began, cost = time.perf_counter(), time.process_time()
        expected = plain(paths, network, preprocessing)
        middle, paid = time.perf_counter(), time.process_time()
        found = extract(dataset, body, preprocessing, batch_size=batch).embeddings
        ended = time.perf_counter()
        ratios.append((middle - began) / (ended - middle))
        costs.append((paid - cost) / (time.process_time() - paid))
        rates.append((len(paths) / (middle - began), len(paths) / (ended - middle)))
    a = expected.astype(np.float64)
    b = found.astype(np.float64)
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    slow, quick = (statistics.median(column) for column in zip(*rates, strict=True))
    print(
        f"{name:16} {Path(weights).name:26} {slow:7.1f} {quick:7.1f} "
        f"{statistics.median(ratios):6.2f}x ({min(ratios):5.2f} to {max(ratios):5.2f}) "
        f"{statistics.median(costs):6.2f}x {(1 - cosine).max():9.1e} {exported:7.1f} s",
        flush=True,
    )


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backbone", nargs="+", default=["efficientnet_b0", "mobilenet_v2"])
    parser.add_argument("--folder", type=Path, help="pictures; by default photographs or drawings")
    parser.add_argument("--pictures", type=int, default=128, help="how many")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        dataset = pictures(options.folder, options.pictures, place / "drawn")
        print(f"{len(dataset)} pictures at {options.size} px, {torch.get_num_threads()} threads")
        columns = "plain/s  ours/s   ratio (range)         CPU time  max(1-cos)  export"
        print(f"{'backbone':16} {'weights':26} {columns}")
        for name in options.backbone:
            measure(name, dataset, options.size, options.repeat, place)


if __name__ == "__main__":
    main()
