"""Named sets: what is on the disk is taken, what is not is downloaded or explained."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import pickle
import struct
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedlab import load_dataset
from embedlab.data import named_folders, published
from embedlab.data.download import MIRROR, DownloadError, RemoteFile
from embedlab.data.sources import SOURCES, download_size, is_at_hand, load_again
from embedlab.errors import EmbedlabError
from embedlab.home import home

RNG = np.random.default_rng(0)
NAMED = list(published.FILES)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every download fail at once: nobody listens at port 9 of this machine."""
    monkeypatch.setenv(MIRROR, "http://127.0.0.1:9")
    monkeypatch.delenv(published.DATASETS, raising=False)


def idx(array: np.ndarray) -> bytes:
    head = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


def write_idx(folder: Path, *, packed: bool = True, n_train: int = 12, n_test: int = 4) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, n in (("train", n_train), ("t10k", n_test)):
        images = np.arange(n, dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8)
        for what, array in (("images-idx3", images), ("labels-idx1", np.arange(n) % 10)):
            name = f"{part}-{what}-ubyte"
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / name).write_bytes(idx(array))


@pytest.mark.parametrize("name", NAMED)
def test_without_network_every_set_names_its_file_and_the_way(name: str) -> None:
    assert not is_at_hand(name)
    assert download_size(name) > 1e6
    with pytest.raises(DownloadError, match="could not be downloaded") as caught:
        load_dataset(name)
    file = published.FILES[name][0]
    assert file.name in caught.value.problem and "no connection" in caught.value.problem
    assert str(home("datasets", name)) in caught.value.remedy
    assert file.urls[0] in caught.value.remedy


@pytest.mark.parametrize("name", NAMED)
def test_a_root_without_the_files_is_named_and_nothing_downloaded(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(EmbedlabError, match="does not hold") as caught:
        load_dataset(name, root=tmp_path)
    assert str(tmp_path) in caught.value.problem
    assert published.FILES[name][0].name in caught.value.problem


@pytest.mark.parametrize("name", NAMED)
def test_what_is_pinned_looks_right(name: str) -> None:
    for file in published.FILES[name]:
        assert len(file.sha256) == 64 and int(file.sha256, 16) >= 0
        assert all(url.startswith("http") and url.endswith(file.name) for url in file.urls)


def test_digits_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    dataset = load_dataset("digits")
    assert is_at_hand("digits") and download_size("digits") == 0
    assert dataset.labels is not None and np.array_equal(dataset.labels, bunch.target)
    for i in (0, 900, 1796):
        pixels = np.asarray(dataset.pictures.open(i))
        assert pixels.shape == (8, 8, 3)
        assert np.array_equal(pixels[..., 1], np.rint(bunch.images[i] / 16 * 255))


def test_a_garden_can_be_sampled_and_grown_again() -> None:
    whole = load_dataset("garden", n_each=2)
    some = load_dataset("garden", n_each=2, limit=4, seed=7)
    assert (len(whole), len(some)) == (10, 4)
    assert some.factors is not None and len(some.factors) == 4
    assert load_again(some.origin).fingerprint == some.fingerprint
    assert load_again(whole.origin).fingerprint == whole.fingerprint


@pytest.mark.parametrize("layout", ["", "mnist", "MNIST/raw", "bare"])
def test_mnist_is_found_in_any_layout(layout: str, tmp_path: Path) -> None:
    write_idx(tmp_path / layout.replace("bare", ""), packed=layout != "bare")
    dataset = load_dataset("mnist", root=tmp_path)
    assert dataset.ids[:2] == ("train/00000", "train/00001")
    assert (len(dataset), dataset.ids[-1]) == (16, "test/00003")
    assert dataset.labels is not None and dataset.labels.tolist() == [*range(10), 0, 1, *range(4)]
    assert dataset.classes == tuple("0123456789")
    assert dataset.table is not None and dataset.table["part"].tolist()[11:13] == ["train", "test"]
    assert dataset.pictures.open(7).getpixel((3, 3)) == (7, 7, 7)
    assert any("differs in content from the published file" in note for note in dataset.notes)
    test = load_dataset("mnist", root=tmp_path, part="test")
    assert test.ids == dataset.ids[12:]
    assert load_again(test.origin).fingerprint == test.fingerprint


def test_datasets_are_found_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx(tmp_path / "FashionMNIST" / "raw", packed=False)
    monkeypatch.setenv(published.DATASETS, str(tmp_path))
    assert is_at_hand("fashion-mnist") and not is_at_hand("mnist")
    assert load_dataset("fashion-mnist").classes[9] == "Ankle boot"
    assert load_dataset("Fashion_MNIST", part="test").name == "fashion-mnist"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:3],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: b"\0\0\x0b" + data[3:],
        lambda data: data[:4] + b"\xff" * 12 + data[16:],
        lambda data: gzip.compress(data)[:-9],
        lambda data: gzip.compress(data + bytes(1 << 24)),
    ],
)
def test_damaged_idx_files_are_named(spoil: object, tmp_path: Path) -> None:
    write_idx(tmp_path, packed=False)
    path = tmp_path / "t10k-images-idx3-ubyte"
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(EmbedlabError, match="t10k-images-idx3-ubyte is damaged or no idx file"):
        load_dataset("mnist", root=tmp_path)


def test_pictures_and_labels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path, packed=False)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(11, np.uint8)))
    with pytest.raises(EmbedlabError, match="12 pictures, 11 labels"):
        load_dataset("mnist", root=tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.full(12, 10)))
    with pytest.raises(EmbedlabError, match="up to 10, 10 classes"):
        load_dataset("mnist", root=tmp_path)


def cifar_files(coarse: bool) -> tuple[dict[str, bytes], np.ndarray]:
    names = ["train.bin", "test.bin"] if coarse else [f"data_batch_{k}.bin" for k in range(1, 6)]
    names += [] if coarse else ["test_batch.bin"]
    images = RNG.integers(0, 256, (len(names), 2, 3, 32, 32), dtype=np.uint8)
    files = {}
    for k, name in enumerate(names):
        rows = [bytes([9, k] if coarse else [k]) + images[k, i].tobytes() for i in range(2)]
        files[name] = b"".join(rows)
    lines = "\n".join(f"thing {k}" for k in range(10)) + "\n\n"
    for name in ("batches.meta.txt", "fine_label_names.txt"):
        files[name] = lines.encode()
    return files, images.reshape(-1, 3, 32, 32)


def pack(files: dict[str, bytes], top: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def pin(monkeypatch: pytest.MonkeyPatch, name: str, data: dict[str, bytes]) -> None:
    """Let a set be made of these files instead of the published ones."""
    files = tuple(
        RemoteFile(file, (f"https://example.org/sets/{file}",), len(content), digest)
        for file, content in data.items()
        for digest in [hashlib.sha256(content).hexdigest()]
    )
    monkeypatch.setitem(published.FILES, name, files)


@pytest.mark.parametrize(
    ("name", "archive", "folder"),
    [
        ("cifar10", "cifar-10-binary.tar.gz", "cifar-10-batches-bin"),
        ("cifar100", "cifar-100-binary.tar.gz", "cifar-100-binary"),
    ],
)
@pytest.mark.parametrize("unpacked", [True, False])
def test_cifar_is_read_from_its_binary_version(
    unpacked: bool,
    name: str,
    archive: str,
    folder: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files, images = cifar_files(coarse=name == "cifar100")
    if unpacked:
        (tmp_path / folder).mkdir()
        for file, data in files.items():
            (tmp_path / folder / file).write_bytes(data)
    else:
        data = pack(files, folder)
        pin(monkeypatch, name, {archive: data})
        (tmp_path / archive).write_bytes(data)
    dataset = load_dataset(name, root=tmp_path)
    assert len(dataset) == len(images)
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [k for k in range(len(images) // 2) for _ in range(2)]
    assert dataset.classes[1] == "thing 1"
    for i in range(len(images)):
        assert np.array_equal(dataset.pictures.open(i), images[i].transpose(1, 2, 0))
    test = load_dataset(name, root=tmp_path, part="test")
    assert test.ids == ("test/00000", "test/00001")
    assert np.array_equal(test.pictures.open(1), images[-1].transpose(1, 2, 0))


def test_cifars_pickles_are_never_opened(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(pickle.dumps({}))
    with pytest.raises(EmbedlabError, match="holds Python pickles, which can run code"):
        load_dataset("cifar10", root=tmp_path)


def test_house_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.io import savemat

    images = RNG.integers(0, 256, (32, 32, 3, 3), dtype=np.uint8)
    data = {}
    for name in ("train_32x32.mat", "test_32x32.mat"):
        savemat(tmp_path / name, {"X": images, "y": np.array([[10], [1], [9]])})
        data[name] = (tmp_path / name).read_bytes()
    pin(monkeypatch, "svhn", data)
    dataset = load_dataset("svhn", root=tmp_path)
    assert dataset.labels is not None and dataset.labels.tolist() == [0, 1, 9] * 2
    assert np.array_equal(dataset.pictures.open(4), images[..., 1])
    (tmp_path / "test_32x32.mat").write_bytes(b"x")
    with pytest.raises(DownloadError, match="is not the published"):
        load_dataset("svhn", root=tmp_path)


def jpeg(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (9, 9), (shade, 0, 0)).save(file, "JPEG")
    return file.getvalue()


CREDITS = (
    "All images in this archive are licensed under the Creative Commons By-Attribution License\n"
    "daisy/1.jpg CC-BY by A Guy - with a dash - https://example.org/1/\n"
    "tulips/1.jpg CC-BY by Zoë - https://example.org/2/\n"
)


@pytest.fixture
def flowers(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Pin a small flower_photos.tgz; give what it holds."""
    files = {f"{kind}/1.jpg": jpeg(k) for k, kind in enumerate(named_folders.FLOWERS)}
    files["LICENSE.txt"] = CREDITS.encode()
    files["flower_photos.tgz"] = pack(files, "flower_photos")
    pin(monkeypatch, "flowers", {"flower_photos.tgz": files["flower_photos.tgz"]})
    return files


@pytest.fixture
def school(
    tmp_path: Path, flowers: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Serve the archive from a folder, as a school's server may."""
    (tmp_path / "www" / "sets").mkdir(parents=True)
    (tmp_path / "www" / "sets" / "flower_photos.tgz").write_bytes(flowers["flower_photos.tgz"])
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "www"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(MIRROR, f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("school")
def test_flowers_are_downloaded_once_with_their_credits(monkeypatch: pytest.MonkeyPatch) -> None:
    stages: list[str] = []
    dataset = load_dataset("flowers", progress=lambda stage, *_, **__: stages.append(stage))
    assert list(dict.fromkeys(stages)) == [
        *("downloading flower_photos.tgz", "unpacking", "checking pictures"),
    ]
    assert dataset.ids == tuple(f"{kind}/1.jpg" for kind in named_folders.FLOWERS)
    assert dataset.classes == named_folders.FLOWERS
    assert dataset.table is not None
    credits_ = dataset.table["credit"]
    assert credits_[0] == "CC BY by A Guy - with a dash - https://example.org/1/"
    assert credits_[4] == "CC BY by Zoë - https://example.org/2/"
    assert credits_.isna().tolist() == [False, True, True, True, False]
    assert any("has 3,670 pictures; here are 5" in note for note in dataset.notes)
    assert not list(home("datasets").rglob("*.tgz"))
    monkeypatch.setenv(MIRROR, "http://127.0.0.1:9")
    assert is_at_hand("flowers")
    assert load_dataset("flowers").fingerprint == dataset.fingerprint


def test_flowers_on_the_disk_are_taken_as_they_lie(
    flowers: dict[str, bytes], tmp_path: Path
) -> None:
    home_folder = home("datasets", "flowers")
    (home_folder / "flower_photos.tgz").write_bytes(flowers["flower_photos.tgz"])
    by_hand = load_dataset("flowers")
    assert (home_folder / "flower_photos.tgz").exists()
    for name, data in flowers.items():
        if not name.endswith(".tgz"):
            path = tmp_path / "data" / "flower_photos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    for root in (tmp_path / "data", tmp_path / "data" / "flower_photos"):
        dataset = load_dataset("flowers", root=root)
        assert dataset.fingerprint == by_hand.fingerprint
        assert dataset.pictures.path(0) == tmp_path / "data" / "flower_photos" / "daisy" / "1.jpg"
        assert dataset.table is not None and dataset.table.equals(by_hand.table)


def test_a_wrong_archive_is_not_unpacked(flowers: dict[str, bytes], tmp_path: Path) -> None:
    data = bytearray(flowers["flower_photos.tgz"])
    data[-20] ^= 1
    (tmp_path / "flower_photos.tgz").write_bytes(data)
    with pytest.raises(DownloadError, match="is not the published flower_photos"):
        load_dataset("flowers", root=tmp_path)


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ("flwoers", {}, "Did you mean flowers?"),
        ("no/such/folder", {}, "no folder or file 'no/such/folder'"),
        ("digits", {"part": "test"}, "digits takes no option part"),
        ("garden", {"n_eech": 2}, "It takes: n_each, garden_seed"),
        ("mnist", {"part": "half"}, "Parts: train, test, all"),
        (".", {"part": "test"}, "Only named sets take part"),
        (".", {"root": "."}, "Only named sets take root"),
    ],
)
def test_what_cannot_be_meant_is_explained(
    source: str, options: dict[str, object], said: str
) -> None:
    with pytest.raises(EmbedlabError) as caught:
        load_dataset(source, **options)  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_a_file_that_is_no_set_is_explained(tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(jpeg(1))
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(EmbedlabError, match="is a single picture"):
        load_dataset(tmp_path / "one.jpg")
    with pytest.raises(EmbedlabError, match=r"a\.csv is no archive"):
        load_dataset(tmp_path / "a.csv")


def test_a_path_can_mean_a_folder_called_like_a_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "1.jpg").write_bytes(jpeg(1))
    monkeypatch.chdir(tmp_path)
    assert len(load_dataset("digits")) == 1797
    assert len(load_dataset("./digits")) == len(load_dataset(Path("digits"))) == 1


def test_every_source_says_what_it_is() -> None:
    assert set(published.FILES) < set(SOURCES)
    assert all(source.description and callable(source.loader) for source in SOURCES.values())


def test_opening_a_set_needs_no_torch() -> None:
    code = (
        "import sys; from embedlab import load_dataset; load_dataset('digits').fingerprint; "
        "print([m for m in ('torch', 'umap', 'streamlit', 'torchvision') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.real
def test_the_real_mnist(shared: Path) -> None:
    dataset = load_dataset("mnist", root=shared / "data" / "mnist")
    assert len(dataset) == 70_000
    assert dataset.notes == ()
    assert dataset.labels is not None
    assert dataset.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(dataset.labels[60_000:]).tolist() == [
        *(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    ]
