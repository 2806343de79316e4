"""Published sets of pictures: where their files are, here or on the net."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from embedlab.data.download import RemoteFile, fetch
from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.progress import Progress, silent

DATASETS = "EMBEDLAB_DATASETS"


def _idx(hosts: tuple[str, ...], sizes: dict[str, tuple[int, str]]) -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(name, tuple(f"{host}/{name}" for host in hosts), size, digest)
        for name, (size, digest) in sizes.items()
    )


# Sizes and digests of flower_photos, the MNIST family, CIFAR and SVHN as TensorFlow Datasets
# pins them (tensorflow_datasets/url_checksums), those of EuroSAT as torchvision's file has them.
FILES: dict[str, tuple[RemoteFile, ...]] = {
    "flowers": (
        RemoteFile(
            "flower_photos.tgz",
            (
                "https://storage.googleapis.com/download.tensorflow.org/example_images/"
                "flower_photos.tgz",
            ),
            228_813_984,
            "4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
        ),
    ),
    "mnist": _idx(
        (
            "https://storage.googleapis.com/cvdf-datasets/mnist",
            "https://ossci-datasets.s3.amazonaws.com/mnist",
        ),
        {
            "train-images-idx3-ubyte.gz": (
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            "train-labels-idx1-ubyte.gz": (
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            "t10k-images-idx3-ubyte.gz": (
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            "t10k-labels-idx1-ubyte.gz": (
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        },
    ),
    "fashion-mnist": _idx(
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        ),
        {
            "train-images-idx3-ubyte.gz": (
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            "train-labels-idx1-ubyte.gz": (
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            "t10k-images-idx3-ubyte.gz": (
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            "t10k-labels-idx1-ubyte.gz": (
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        },
    ),
    "kmnist": _idx(
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist",),
        {
            "train-images-idx3-ubyte.gz": (
                18_165_135,
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            ),
            "train-labels-idx1-ubyte.gz": (
                29_497,
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            ),
            "t10k-images-idx3-ubyte.gz": (
                3_041_136,
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            ),
            "t10k-labels-idx1-ubyte.gz": (
                5_120,
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ),
        },
    ),
    "cifar10": (
        RemoteFile(
            "cifar-10-binary.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
            170_052_171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
    "cifar100": (
        RemoteFile(
            "cifar-100-binary.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",),
            168_513_733,
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
    ),
    "svhn": (
        RemoteFile(
            "train_32x32.mat",
            ("http://ufldl.stanford.edu/housenumbers/train_32x32.mat",),
            182_040_794,
            "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        ),
        RemoteFile(
            "test_32x32.mat",
            ("http://ufldl.stanford.edu/housenumbers/test_32x32.mat",),
            64_275_384,
            "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        ),
    ),
    "eurosat": (
        RemoteFile(
            "EuroSAT.zip",
            (
                "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
                "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
                "https://madm.dfki.de/files/sentinel/EuroSAT.zip",
            ),
            94_280_567,
            "8ebea626349354c5328b142b96d0430e647051f26efc2dc974c843f25ecf70bd",
        ),
    ),
}


# What a set's files unpack to, by anybody's hand or ours, or what then lies at the place itself.
FOLDERS: dict[str, tuple[str, ...]] = {
    "flowers": ("flower_photos", "unpacked", "dandelion"),
    "cifar10": ("cifar-10-batches-bin",),
    "cifar100": ("cifar-100-binary",),
    "eurosat": ("2750", "eurosat/2750", "unpacked", "HerbaceousVegetation"),
}
# Where torchvision keeps them below its root.
_TORCHVISION = {"mnist": "MNIST/raw", "fashion-mnist": "FashionMNIST/raw", "kmnist": "KMNIST/raw"}


def spellings(name: str, file: RemoteFile) -> tuple[str, ...]:
    """Give the names under which one file of a set may lie: packed or not, here or below."""
    names = dict.fromkeys((file.name.removesuffix(".gz"), file.name))
    if name not in _TORCHVISION:
        return (file.name,)
    return (*names, *(f"{_TORCHVISION[name]}/{one}" for one in names))


def is_here(name: str) -> bool:
    """Say whether all files of a set lie on this machine."""
    folders = places(name)
    return find(FOLDERS.get(name, ()), folders) is not None or all(
        find(spellings(name, file), folders) is not None for file in FILES[name]
    )


def places(name: str, root: Path | None = None) -> list[Path]:
    """Say where the files of a set are looked for.

    Parameters
    ----------
    name : str
        A key of `FILES`.
    root : Path, optional
        Look here only. Otherwise in the folder that the environment variable
        EMBEDLAB_DATASETS names, then in embedlab's home.

    Returns
    -------
    list of Path
        Folders, which need not exist. Each is followed by its own folder of the set's name.
    """
    roots = [root] if root is not None else []
    if root is None:
        if given := os.environ.get(DATASETS):
            roots.append(Path(given).expanduser())
        roots.append(home("datasets"))
    return [place for top in roots for place in (top, top / name)]


def find(names: Sequence[str], folders: Sequence[Path]) -> Path | None:
    """Find the first file or folder of one of these names, in the first place that has it."""
    for folder in folders:
        for name in names:
            if (folder / name).exists():
                return folder / name
    return None


def get(
    name: str, file: RemoteFile, root: Path | None = None, *, progress: Progress = silent
) -> Path:
    """Give one file of a set: as it lies here, or downloaded into embedlab's home.

    Parameters
    ----------
    name : str
        A key of `FILES`.
    file : RemoteFile
        One of its files.
    root : Path, optional
        As in `places`. Nothing is downloaded then.
    progress : Progress

    Returns
    -------
    Path
        A file that lay here is not verified.

    Raises
    ------
    EmbedlabError
        If it is not in `root`, or cannot be downloaded.
    """
    found = find(spellings(name, file), places(name, root))
    if found is not None:
        return found
    if root is not None:
        raise missing(name, [file.name], root)
    return fetch(file, home("datasets", name), progress=progress)


def missing(name: str, wanted: Sequence[str], root: Path) -> EmbedlabError:
    """Say that a folder does not hold a set's files."""
    return EmbedlabError(
        f"{root} does not hold {', '.join(wanted)}, which {name} is made of.",
        remedy="Give the folder that does, or leave the folder out to have it downloaded.",
    )
