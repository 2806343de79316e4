"""Named sets that are drawn, or published as folders of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from embedlab.data.archives import unpack
from embedlab.data.ask import Ask
from embedlab.data.dataset import Dataset
from embedlab.data.download import verify
from embedlab.data.folders import folder_dataset
from embedlab.data.listing import Listing, list_folder
from embedlab.data.published import FILES, FOLDERS, find, get, places
from embedlab.data.sampling import sample, sample_note, sample_origin
from embedlab.data.unpacked import MANIFEST, open_unpacked
from embedlab.home import home

FLOWERS = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
N_FLOWERS = 3670
LAND = (
    *("AnnualCrop", "Forest", "HerbaceousVegetation", "Highway", "Industrial"),
    *("Pasture", "PermanentCrop", "Residential", "River", "SeaLake"),
)


def load_garden(ask: Ask, *, n_each: int = 150, garden_seed: int = 0) -> Dataset:
    """Grow the garden, `n_each` of every kind; see `embedlab.data.garden`."""
    from embedlab.data.garden import garden

    dataset = garden(n_each=n_each, seed=garden_seed, progress=ask.progress)
    rows = sample(len(dataset), limit=ask.limit, seed=ask.seed)
    origin = ask.origin("garden", n_each=n_each, garden_seed=garden_seed)
    return replace(
        dataset if len(rows) == len(dataset) else dataset.take(rows),
        notes=(*dataset.notes, *sample_note(len(rows), len(dataset), seed=ask.seed)),
        origin=origin | sample_origin(limit=ask.limit, seed=ask.seed),
    )


def load_flowers(ask: Ask) -> Dataset:
    """Take flower_photos, with the photographers' credits as a column where they are at hand."""
    listing = _files("flowers", FLOWERS, ask)
    dataset = _dataset(listing, "flowers", ask)
    notes = ["These photographs are by many people, under CC BY 2.0."]
    if ask.limit is None and len(dataset) != N_FLOWERS:
        notes.append(f"The published set has {N_FLOWERS:,} pictures; here are {len(dataset):,}.")
    credits_ = _credits(listing)
    if not credits_:
        notes.append("Their names are in the set's LICENSE.txt, which is not here.")
        return replace(dataset, notes=(*notes, *dataset.notes))
    table = pd.DataFrame({"credit": [credits_.get(id_) for id_ in dataset.ids]})
    return replace(dataset, table=table, notes=(*notes, *dataset.notes))


def load_eurosat(ask: Ask) -> Dataset:
    """Take EuroSAT: satellite pictures of ten kinds of land."""
    return _dataset(_files("eurosat", LAND, ask), "eurosat", ask)


def _dataset(listing: Listing, name: str, ask: Ask) -> Dataset:
    return folder_dataset(
        listing,
        name=name,
        origin=ask.origin(name),
        wrapped=True,
        limit=ask.limit,
        seed=ask.seed,
        progress=ask.progress,
    )


def _files(name: str, classes: Sequence[str], ask: Ask) -> Listing:
    """List a set's pictures: from its folder, from what was unpacked, or from its archive."""
    for place in places(name, ask.root):
        for folder in (place, *(place / sub for sub in FOLDERS[name])):
            if all((folder / class_).is_dir() for class_ in classes):
                return list_folder(folder)
    unpacked = home("datasets", name) / "unpacked"
    if ask.root is None and (unpacked / MANIFEST).exists():
        return open_unpacked(unpacked)
    (file,) = FILES[name]
    was_here = find([file.name], places(name, ask.root)) is not None
    archive = get(name, file, ask.root, progress=ask.progress)
    verify(file, archive)
    listing = unpack(archive, into=unpacked, progress=ask.progress)
    if not was_here:
        archive.unlink()
    return listing


def _credits(listing: Listing) -> dict[str, str]:
    """Read who took each photograph: lines such as ``daisy/1.jpg CC-BY by NAME - ADDRESS``."""
    for file in listing.others:
        if file.id.rpartition("/")[2] == "LICENSE.txt":
            lines = file.path.read_text(encoding="utf-8", errors="replace").splitlines()
            pairs = (line.partition(" CC-BY ") for line in lines)
            return {id_.strip(): f"CC BY {who.strip()}" for id_, found, who in pairs if found}
    return {}
