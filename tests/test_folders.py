"""Folders as people have them."""

from __future__ import annotations

import os
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedlab import load_dataset
from embedlab.data.dataset import Dataset
from embedlab.data.sources import load_again
from embedlab.errors import EmbedlabError


def draw(path: Path, shade: int = 0, size: tuple[int, int] = (6, 5)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, 99, 0)).save(path, "PNG")
    return path


def tree(root: Path, *names: str) -> Path:
    for shade, name in enumerate(names):
        draw(root / name, shade)
    return root


def said(dataset: Dataset) -> str:
    return "\n".join(dataset.notes)


def reasons(dataset: Dataset) -> dict[str, str]:
    return {skipped.id: skipped.reason for skipped in dataset.skipped}


def class_of(dataset: Dataset) -> list[str]:
    assert dataset.labels is not None
    return [dataset.classes[k] for k in dataset.labels]


def test_rows_agree_with_torchvisions_image_folder(tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    names = ["b/10.png", "b/2.png", "b/Z.png", "b/a/1.png", "b/a-b/1.png", "b/a b.png", "b/é.png"]
    tree(tmp_path, *names, "Rose/x.png", "a b/1.png", "a/1.png", "é/1.png", "a/deep/er/1.png")
    dataset = load_dataset(tmp_path)
    reference = datasets.ImageFolder(tmp_path)
    assert list(dataset.classes) == reference.classes
    assert [str(dataset.pictures.path(i)) for i in range(len(dataset))] == [
        path for path, _ in reference.samples
    ]
    assert dataset.labels is not None and dataset.labels.tolist() == reference.targets
    assert dataset.ids[0] == "Rose/x.png"


def test_a_flat_folder_is_sorted_as_people_count(tmp_path: Path) -> None:
    tree(tmp_path, "10.png", "9.png", "img 2.png", "IMG 10.png", "img 1.png", "007.png", "9a.png")
    dataset = load_dataset(tmp_path)
    assert dataset.ids == (
        *("007.png", "9.png", "9a.png", "10.png"),
        *("img 1.png", "img 2.png", "IMG 10.png"),
    )
    assert (dataset.labels, dataset.classes) == (None, ())


def test_a_folder_around_the_classes_is_entered(tmp_path: Path) -> None:
    tree(tmp_path / "outer" / "set", "rose/1.png", "tulip/1.png")
    (tmp_path / "README.txt").write_text("hello")
    dataset = load_dataset(tmp_path)
    assert dataset.ids == ("rose/1.png", "tulip/1.png")
    assert dataset.classes == ("rose", "tulip")


def test_a_single_class_is_kept_and_said(tmp_path: Path) -> None:
    dataset = load_dataset(tree(tmp_path, "rose/1.png", "rose/2.png"))
    assert dataset.classes == ("rose",)
    assert "All pictures are of one class, rose" in said(dataset)


def test_train_and_val_are_parts_not_classes(tmp_path: Path) -> None:
    tree(tmp_path, "val/rose/1.png", "train/tulip/1.png", "train/rose/1.png")
    dataset = load_dataset(tmp_path)
    assert dataset.ids == ("train/rose/1.png", "train/tulip/1.png", "val/rose/1.png")
    assert class_of(dataset) == ["rose", "tulip", "rose"]
    assert dataset.table is not None
    assert dataset.table["part"].tolist() == ["train", "train", "val"]


def test_folders_within_a_class_are_its_own_and_said(tmp_path: Path) -> None:
    tree(tmp_path, "red/roses/a.png", "red/tulips/b.png", "red/c.png", "blue/d.png")
    dataset = load_dataset(tmp_path)
    assert dataset.classes == ("blue", "red") and len(dataset) == 4
    assert [note for note in dataset.notes if "takes in" in note] == [
        "Class red takes in what lie in 2 folders of its own (roses, tulips)."
    ]
    tree(tmp_path, "blue/deep/e.png", "green/f/g.png")
    assert [note for note in load_dataset(tmp_path).notes if "takes in" in note] == [
        "Class blue takes in what lies in 1 folder of its own (deep); 2 other classes do the "
        "like: green, red."
    ]


def test_odd_classes_are_named_and_never_merged(tmp_path: Path) -> None:
    tree(tmp_path, "Rose/1.png", "Rose/2.png", "rose/1.png", "rose/2.png", "tulip/1.png")
    (tmp_path / "nothing" / "here").mkdir(parents=True)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    dataset = load_dataset(tmp_path)
    assert dataset.classes == ("Rose", "rose", "tulip")
    assert "'Rose' and 'rose' look like the same name" in said(dataset)
    assert "no class was made: nothing, texts." in said(dataset)
    assert "1 class has one picture only" in said(dataset) and "tulip" in said(dataset)


def test_content_decides_not_the_ending(tmp_path: Path) -> None:
    draw(tmp_path / "a.png").rename(tmp_path / "a.dat")
    draw(tmp_path / "b.png").rename(tmp_path / "b.jpg")
    draw(tmp_path / "c.png").rename(tmp_path / "c")
    (tmp_path / "d.jpg").write_text("not a picture")
    (tmp_path / "e.csv").write_text("a,b\n1,2\n")
    (tmp_path / "BM.txt").write_text("BM is how bitmaps begin")
    dataset = load_dataset(tmp_path)
    assert dataset.ids == ("a.dat", "b.jpg", "c")
    assert list(reasons(dataset)) == ["d.jpg"]
    assert "2 files that are no pictures left out: BM.txt, e.csv." in said(dataset)


def test_bad_pictures_are_listed_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = draw(tmp_path / "rose" / "good.png", size=(60, 50))
    (tmp_path / "rose" / "empty.png").touch()
    (tmp_path / "rose" / "cut.png").write_bytes(good.read_bytes()[:-40])
    (tmp_path / "rose" / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    (tmp_path / "rose" / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    draw(tmp_path / "loose.png")
    draw(tmp_path / "tulip" / "1.png")
    dataset = load_dataset(tmp_path)
    assert dataset.ids == ("rose/good.png", "tulip/1.png")
    found = reasons(dataset)
    assert set(found) == {
        *("rose/empty.png", "rose/cut.png", "rose/phone.heic", "rose/logo.svg", "loose.png"),
    }
    assert "empty.png is empty" in found["rose/empty.png"]
    assert "cut off" in found["rose/cut.png"]
    assert "HEIC" in found["rose/phone.heic"] and "JPEG" in found["rose/phone.heic"]
    assert "no class" in found["loose.png"]


def test_a_class_whose_pictures_are_all_bad_is_no_class(tmp_path: Path) -> None:
    tree(tmp_path, "rose/1.png", "tulip/1.png")
    (tmp_path / "ash").mkdir()
    (tmp_path / "ash" / "1.png").write_bytes(b"")
    dataset = load_dataset(tmp_path)
    assert dataset.classes == ("rose", "tulip")
    assert "no class was made: ash." in said(dataset)


def test_repeated_pictures_and_conversions_are_counted(tmp_path: Path) -> None:
    draw(tmp_path / "rose" / "1.png", 1)
    draw(tmp_path / "rose" / "2.png", 1)
    draw(tmp_path / "tulip" / "3.png", 1)
    Image.new("RGBA", (7, 7), (1, 2, 3, 4)).save(tmp_path / "tulip" / "4.png")
    notes = said(load_dataset(tmp_path))
    assert "2 pictures repeat the content of another exactly: rose/1.png = rose/2.png" in notes
    assert "1 of these has two different classes" in notes
    assert "1 picture with transparent parts, laid on white: tulip/4.png" in notes
    assert "from 6 x 5 to 7 x 7 pixels" in notes


def test_hidden_files_are_counted_and_left_out(tmp_path: Path) -> None:
    tree(tmp_path, "1.png", ".2.png", ".hidden/3.png", "__MACOSX/4.png")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    dataset = load_dataset(tmp_path)
    assert dataset.ids == ("1.png",)
    assert "Hidden files and folders left out: 4." in said(dataset)


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    secret = draw(tmp_path / "outside" / "secret.png")
    root = tree(tmp_path / "root", "rose/1.png", "tulip/1.png")
    links = {
        "rose/out.png": secret,
        "rose/in.png": root / "tulip" / "1.png",
        "rose/gone.png": root / "nowhere.png",
        "rose/loop": root,
        "ash": tmp_path / "outside",
    }
    for name, target in links.items():
        try:
            (root / name).symlink_to(target, target_is_directory=target.is_dir())
        except OSError:
            pytest.skip("this system makes no links")
    dataset = load_dataset(root)
    assert dataset.ids == ("rose/1.png", "rose/in.png", "tulip/1.png")
    found = reasons(dataset)
    assert set(found) == {"rose/out.png", "rose/gone.png", "rose/loop", "ash"}
    assert "leads out of the folder" in found["rose/out.png"]
    assert "leads out of the folder" in found["ash"]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    tree(tmp_path, "1.png")
    os.mkfifo(tmp_path / "pipe.png")
    assert "no regular file" in reasons(load_dataset(tmp_path))["pipe.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems forbid such names")
def test_strange_names_survive_as_text(tmp_path: Path) -> None:
    names = [
        *("<img src=x onerror=alert(1)>.png", "=HYPERLINK(1).png", "a\nb.png", " .png "),
        *("ü" * 125 + ".png", "日本語 ☃.png", "e\u0301.png", "\u00e9.png"),
    ]
    root = tmp_path / "<b>ros\u00e9"
    tree(root, *names)
    draw(root / "plain.png").rename(os.fsdecode(os.fsencode(root) + b"/\xff\xfe.png"))
    dataset = load_dataset(root)
    assert set(dataset.ids) == {*names, "\\xff\\xfe.png"}
    for i, id_ in enumerate(dataset.ids):
        id_.encode("utf-8")
        assert dataset.pictures.open(i).size == (6, 5)
    assert len(dataset.fingerprint) == 64
    assert dataset.name == "<b>ros\u00e9"


def test_very_deep_folders_are_walked(tmp_path: Path) -> None:
    deep = tmp_path / Path(*["d"] * 400)
    draw(deep / "1.png")
    draw(tmp_path / "d" / "2.png")
    assert len(load_dataset(tmp_path)) == 2


def test_a_folder_without_pictures_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(EmbedlabError, match="There is no picture in"):
        load_dataset(tmp_path)
    (tmp_path / "table.csv").write_text("a")
    with pytest.raises(EmbedlabError, match=r"It holds table\.csv"):
        load_dataset(tmp_path)
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(EmbedlabError, match=r"1 file was left out; the first, cut\.jpg"):
        load_dataset(tmp_path)


def test_one_picture_is_a_dataset(tmp_path: Path) -> None:
    dataset = load_dataset(draw(tmp_path / "one" / "1.png").parent)
    assert (len(dataset), dataset.classes) == (1, ())


def test_a_sample_is_drawn_by_its_seed(tmp_path: Path) -> None:
    tree(tmp_path, *(f"{'ab'[i % 2]}/{i}.png" for i in range(40)))
    whole = load_dataset(tmp_path)
    first = load_dataset(tmp_path, limit=10, seed=0)
    again = load_dataset(tmp_path, limit=10, seed=0)
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != load_dataset(tmp_path, limit=10, seed=1).fingerprint
    rows = [whole.ids.index(id_) for id_ in first.ids]
    assert rows == sorted(rows) and len(rows) == 10
    assert whole.take(rows).fingerprint == first.fingerprint
    assert load_dataset(tmp_path, limit=99).fingerprint == whole.fingerprint
    with pytest.raises(EmbedlabError, match="limit is 0"):
        load_dataset(tmp_path, limit=0)


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize("names", [("a/1.png", "b/1.png"), ("10.png", "9.png")])
@pytest.mark.parametrize("top", ["", "photos/"])
def test_an_archive_of_a_folder_is_the_same_dataset(
    top: str, names: tuple[str, ...], kind: str, tmp_path: Path
) -> None:
    root = tree(tmp_path / "photos", *names)
    path = tmp_path / f"photos.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.write(root / name, top + name)
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name in names:
                archive.add(root / name, top + name)
    folder, packed = load_dataset(root), load_dataset(path)
    assert packed.fingerprint == folder.fingerprint
    assert packed.name == folder.name == "photos"
    assert load_again(packed.origin).fingerprint == folder.fingerprint


def test_progress_counts_pictures(tmp_path: Path) -> None:
    tree(tmp_path, *(f"{i}.png" for i in range(100)))
    reports: list[tuple[str, int, int]] = []
    load_dataset(tmp_path, progress=lambda *report, **_: reports.append(report))
    assert reports[0] == ("checking pictures", 0, 100)
    assert reports[-1] == ("checking pictures", 100, 100)
    assert [done for _, done, _ in reports] == sorted(done for _, done, _ in reports)


@pytest.mark.real
def test_the_real_flower_photos(shared: Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    root = shared / "data" / "flower_photos"
    dataset = load_dataset(root)
    reference = datasets.ImageFolder(root)
    assert [str(dataset.pictures.path(i)) for i in range(len(dataset))] == [
        path for path, _ in reference.samples
    ]
    assert dataset.labels is not None and dataset.labels.tolist() == reference.targets
    assert np.bincount(dataset.labels).tolist() == [633, 898, 641, 699, 799]
    assert dataset.skipped == ()
    assert "3 pictures repeat" in said(dataset)
