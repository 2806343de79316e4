from __future__ import annotations

import io
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from embedlab.data.dataset import Skipped
from embedlab.data.pictures import thumbnail
from embedlab.data.preprocessing import Preprocessing
from embedlab.errors import EmbedlabError
from embedlab.models import lookahead, parts
from embedlab.models.extraction import NOT_FINITE, embedding_cache, extract
from embedlab.models.lookahead import each_picture

from .made_pictures import as_files, coloured

SMALL = Preprocessing(24, 24, "bilinear")


class Means:
    """A body whose vectors can be computed by hand: mean red, green and blue."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def embed_seen(self, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.sizes.append(len(seen))
        return seen.astype(np.float64).mean(axis=(1, 2)).astype(np.float32)


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_row_i_is_picture_i_whatever_the_batch_size(batch_size: int) -> None:
    dataset = coloured(23)
    body = Means()
    found = extract(dataset, body, SMALL, batch_size=batch_size)
    seen = np.stack([SMALL.see(dataset.pictures.open(i)) for i in range(23)])
    np.testing.assert_array_equal(found.embeddings, Means().embed_seen(seen))
    assert found.embeddings.dtype == np.float32 and found.rows.tolist() == list(range(23))
    assert max(body.sizes) == min(batch_size, 23)
    for i in (0, 22):
        picture = dataset.pictures.open(i)
        assert found.thumbnails[i] == thumbnail(picture)
        assert found.inputs[i] == thumbnail(Image.fromarray(seen[i]))
        assert Image.open(io.BytesIO(found.inputs[i])).size == (24, 24)


def test_a_single_picture_stays_a_row() -> None:
    assert extract(coloured(1, n_classes=1), Means(), SMALL).embeddings.shape == (1, 3)


def test_what_cannot_be_decoded_is_named_and_left_out(tmp_path: Path) -> None:
    dataset = as_files(coloured(10), tmp_path / "pictures", broken=(0, 6))
    found = extract(dataset, Means(), SMALL, batch_size=4)
    assert found.rows.tolist() == [1, 2, 3, 4, 5, 7, 8, 9]
    assert len(found.embeddings) == len(found.thumbnails) == len(found.inputs) == 8
    assert [skipped.id for skipped in found.failed] == ["0000.png", "0006.png"]
    assert "0006.png" in found.failed[1].reason and "damaged" in found.failed[1].reason
    whole = extract(coloured(10), Means(), SMALL).embeddings
    np.testing.assert_array_equal(found.embeddings, whole[found.rows])


def test_numbers_that_are_not_finite_are_named(tmp_path: Path) -> None:
    class Sick(Means):
        def embed_seen(self, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
            vectors = super().embed_seen(seen)
            vectors[vectors[:, 0] < 120] = np.nan
            return vectors

    found = extract(coloured(6), Sick(), SMALL)
    assert found.rows.tolist() == [0, 2, 4] and np.isfinite(found.embeddings).all()
    assert found.failed[0] == Skipped("0001.png", NOT_FINITE)

    class Dead(Means):
        def embed_seen(self, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.full((len(seen), 3), np.inf, np.float32)

    with pytest.raises(EmbedlabError, match=r"None of the 6 .*learning rate"):
        extract(coloured(6), Dead(), SMALL)
    broken = as_files(coloured(2), tmp_path / "pictures", broken=(0, 1))
    with pytest.raises(EmbedlabError, match=r"None of the 2 pictures.*0000\.png.*damaged"):
        extract(broken, Means(), SMALL)
    with pytest.raises(EmbedlabError, match="no pictures"):
        extract(broken.take([]), Means(), SMALL)


def test_work_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedlab.models.extraction.PART", 8)
    dataset = coloured(30)
    whole = extract(dataset, Means(), SMALL)

    class Stopped(Means):
        def embed_seen(self, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
            if sum(self.sizes) >= 20:
                raise KeyboardInterrupt
            return super().embed_seen(seen)

    work = tmp_path / "work"
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, Stopped(), SMALL, batch_size=4, work=work)
    assert sorted(path.name for path in work.iterdir()) == ["part-00000000", "part-00000008"]
    (work / "part-00000008" / "thumbnails.bin").write_bytes(b"cut")
    later, reports = Means(), []
    found = extract(
        dataset, later, SMALL, work=work, progress=lambda stage, done, total: reports.append(done)
    )
    assert sum(later.sizes) == 22, "only the first part was whole"
    assert reports[0] == 8 and reports[-1] == 30
    np.testing.assert_array_equal(found.embeddings, whole.embeddings)
    assert list(found.thumbnails) == list(whole.thumbnails)
    assert list(found.inputs) == list(whole.inputs)
    again = Means()
    extract(dataset, again, SMALL, work=work)
    assert again.sizes == []


def test_a_file_that_was_away_is_tried_again(tmp_path: Path) -> None:
    dataset = as_files(coloured(4), tmp_path / "pictures")
    path = dataset.pictures.path(2)
    assert path is not None
    path.rename(tmp_path / "away")
    assert extract(dataset, Means(), SMALL, work=tmp_path / "work").rows.tolist() == [0, 1, 3]
    (tmp_path / "away").rename(path)
    assert len(extract(dataset, Means(), SMALL, work=tmp_path / "work").rows) == 4


def test_the_cache_is_named_by_content() -> None:
    dataset = coloured(6)
    place = embedding_cache(dataset, "weights", SMALL)
    assert embedding_cache(coloured(6), "weights", SMALL) == place
    renamed = replace(dataset, ids=tuple(f"other/{id_}" for id_ in dataset.ids))
    assert embedding_cache(renamed, "weights", SMALL) == place
    others = {
        embedding_cache(coloured(6, seed=1), "weights", SMALL),
        embedding_cache(dataset.take([0, 1, 2, 3, 5, 4]), "weights", SMALL),
        embedding_cache(dataset, "other weights", SMALL),
        embedding_cache(dataset, "weights", Preprocessing(24, 28, "bilinear")),
        embedding_cache(dataset, "weights", Preprocessing(24, 24, "bicubic")),
    }
    assert len(others) == 5 and place not in others


def test_pictures_are_decoded_a_little_ahead_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookahead, "AHEAD", 5)
    dataset, looked, lock = coloured(40), [], threading.Lock()

    def look(picture: Image.Image) -> int:
        with lock:
            looked.append(picture)
        return picture.width

    pictures = each_picture(dataset, range(40), look, n_threads=2)
    assert [next(pictures)[0] for _ in range(3)] == [0, 1, 2]
    pictures.close()
    assert len(looked) <= 3 + 2 * 5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_parts_are_found_in_their_chain() -> None:
    chained = parts.Chained([[b"a", b"b"], [], [b"c"]])
    assert len(chained) == 3 and list(chained) == [b"a", b"b", b"c"] and chained[2] == b"c"
    with pytest.raises(IndexError):
        chained[3]
