"""Films of a training: read, drawn, and as a running job leaves them; against plain NumPy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embedlab import live
from embedlab.errors import EmbedlabError
from embedlab.live import LiveWriter, read_epochs, read_live
from embedlab.models.film import Film, Snapshot, film_arrays, read_film
from embedlab.space.film import fixed_view, following_view

from .made_pictures import coloured


def snapshots(t: int = 5, n: int = 12, d: int = 6, c: int = 2) -> list[Snapshot]:
    """Make moments at which the classes part more and more, and all turn about a little."""
    rng = np.random.default_rng(0)
    labels, noise = np.arange(n) % c, rng.normal(size=(n, d))
    shots = []
    for k in range(t):
        angle = 0.3 * k
        turn = np.eye(d)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        embeddings = (noise + 2.0 * k * np.eye(c, d)[labels]) @ turn
        weight = (np.eye(c, d) @ turn).astype(np.float32)
        logits = embeddings @ weight.T
        odds = np.exp(logits - logits.max(1, keepdims=True))
        shots.append(
            Snapshot(
                rows=np.arange(n),
                step=4 * k,
                epoch=k / 2,
                embeddings=embeddings.astype(np.float16),
                weight=weight,
                bias=np.zeros(c, np.float32),
                probabilities=(odds / odds.sum(1, keepdims=True)).astype(np.float16),
            )
        )
    return shots


def written(path: Path, shots: list[Snapshot]) -> Film:
    np.savez_compressed(path, **film_arrays(shots[0].rows, shots))  # type: ignore[arg-type]
    film = read_film(path, n_items=12, n_classes=2)
    assert film is not None
    return film


def test_what_is_written_is_read(tmp_path: Path) -> None:
    shots = snapshots()
    film = written(tmp_path / "film.npz", shots)
    assert len(film) == 5 and film.epochs.tolist() == [0, 0.5, 1, 1.5, 2]
    np.testing.assert_array_equal(film.embeddings[3], shots[3].embeddings)
    expected = (film.embeddings.astype(float) @ film.weights.transpose(0, 2, 1)).argmax(2)
    assert (film.predictions == expected).mean() > 0.95  # but for ties of half precision
    assert read_film(tmp_path / "none.npz", n_items=12, n_classes=2) is None


@pytest.mark.parametrize("damage", ["cut", "rows", "classes", "shape", "missing", "strange"])
def test_a_damaged_film_is_told_by_name(tmp_path: Path, damage: str) -> None:
    path, shots = tmp_path / "film.npz", snapshots()
    arrays = film_arrays(shots[0].rows, shots)
    n_classes = 2
    if damage == "rows":
        arrays["rows"] = arrays["rows"] + 1
    elif damage == "classes":
        n_classes = 3
    elif damage == "shape":
        arrays["biases"] = arrays["biases"][:, :1]
    elif damage == "missing":
        del arrays["steps"]
    elif damage == "strange":
        arrays["more"] = np.zeros(3)
    np.savez(path, **arrays)  # type: ignore[arg-type]
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(EmbedlabError, match=r"film\.npz cannot be shown"):
        read_film(path, n_items=12, n_classes=n_classes)


def test_the_fixed_view_is_one_pca_of_all_moments() -> None:
    shots = snapshots()
    vectors = np.stack([shot.embeddings for shot in shots]).astype(np.float64)
    weights = np.stack([shot.weight for shot in shots])
    view = fixed_view(vectors, weights)
    pooled = vectors.reshape(-1, 6)
    centred = pooled - pooled.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2].T
    axes *= np.sign(axes[np.abs(axes).argmax(0), [0, 1]])
    np.testing.assert_allclose(view.coordinates.reshape(-1, 2), centred @ axes, atol=1e-3)
    np.testing.assert_allclose(view.tips, weights @ axes, atol=1e-4)
    drawn = (centred @ axes).reshape(5, 12, 2)
    share = drawn.var(1).sum(1) / vectors.var(1).sum(1)
    np.testing.assert_allclose(view.shown, share, rtol=1e-3)


def test_the_following_view_keeps_each_moments_own_distances_and_does_not_jump() -> None:
    shots = snapshots(t=6)
    vectors = np.stack([shot.embeddings for shot in shots]).astype(np.float64)
    weights = np.stack([shot.weight for shot in shots])
    view = following_view(vectors, weights)
    for k, points in enumerate(vectors):
        centred = points - points.mean(0)
        left, values, right = np.linalg.svd(centred, full_matrices=False)
        own = left[:, :2] * values[:2]
        # A turned drawing has the same inner products, with the arrows as with one another.
        drawn, tips = view.coordinates[k].astype(float), view.tips[k].astype(float)
        np.testing.assert_allclose(drawn @ drawn.T, own @ own.T, atol=1e-2)
        np.testing.assert_allclose(drawn @ tips.T, own @ right[:2] @ weights[k].T, atol=1e-2)
        assert view.shown[k] == pytest.approx((values[:2] ** 2).sum() / (values**2).sum(), rel=1e-3)
    # No other turn of a moment lies nearer to the one before.
    a, b = view.coordinates[3].astype(float), view.coordinates[4].astype(float)
    gap = ((a - b) ** 2).sum()
    for angle in np.linspace(0.1, 6.2, 30):
        for flip in (1, -1):
            c, s = np.cos(angle), np.sin(angle)
            other = b @ np.array([[c, -s], [flip * s, flip * c]])
            assert ((a - other) ** 2).sum() > gap - 1e-6
    again = following_view(vectors[3:], weights[3:], before=view.coordinates[2])
    np.testing.assert_allclose(again.coordinates, view.coordinates[3:], atol=1e-5)


@pytest.mark.parametrize("n", [1, 2])
def test_films_of_next_to_nothing(n: int) -> None:
    vectors, weights = np.ones((3, n, 4)), np.zeros((3, 2, 4))
    for view in (fixed_view(vectors, weights), following_view(vectors, weights)):
        assert np.isfinite(view.coordinates).all() and np.isfinite(view.shown).all()


# ---- what a running job leaves ----------------------------------------


def test_frames_continue_one_another_also_in_a_second_attempt(tmp_path: Path) -> None:
    shots, dataset = snapshots(), coloured(12)
    whole = following_view(
        np.stack([shot.embeddings for shot in shots]), np.stack([shot.weight for shot in shots])
    )
    first = LiveWriter(tmp_path / "live", dataset, epochs=3)
    assert read_live(tmp_path / "live") is None
    for shot in shots[:3]:
        first.snapshot(shot)
    first.epoch({"event": "epoch", "epoch": 1.0, "loss": 0.5})
    second = LiveWriter(tmp_path / "live", dataset, epochs=3)
    second.epoch({"event": "epoch", "epoch": 1.0, "loss": 0.4})
    for shot in shots[3:]:
        second.snapshot(shot)
    found = read_live(tmp_path / "live")
    assert found is not None and found.steps.tolist() == [0, 4, 8, 12, 16]
    np.testing.assert_allclose(found.coordinates, whole.coordinates, atol=1e-5)
    np.testing.assert_allclose(found.tips, whole.tips, atol=1e-5)
    assert found.predictions[2].tolist() == shots[2].probabilities.argmax(1).tolist()
    assert found.ids == dataset.ids and found.classes == ("red", "green") and found.epochs == 3
    assert dataset.labels is not None
    assert found.labels.tolist() == dataset.labels.tolist() and len(found.thumbnails) == 12
    assert [line["loss"] for line in read_epochs(tmp_path / "live")] == [0.4]


def test_other_pictures_begin_anew(tmp_path: Path) -> None:
    shots = snapshots()
    LiveWriter(tmp_path, coloured(12), epochs=3).snapshot(shots[1])
    fewer = replace(
        shots[0],
        rows=shots[0].rows[2:],
        embeddings=shots[0].embeddings[2:],
        probabilities=shots[0].probabilities[2:],
    )
    LiveWriter(tmp_path, coloured(12), epochs=3).snapshot(fewer)
    found = read_live(tmp_path)
    assert found is not None and found.coordinates.shape == (1, 10, 2)
    assert found.ids[0] == "0002.png"


def test_many_frames_are_thinned_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_FRAMES", 6)
    writer, shot = LiveWriter(tmp_path, coloured(12), epochs=1), snapshots()[2]
    for step in range(40):
        writer.snapshot(replace(shot, step=step))
    found = read_live(tmp_path)
    assert found is not None and 3 <= len(found.steps) <= 6
    assert found.steps[0] == 0 and found.steps[-1] == 39


def test_a_disk_that_refuses_does_not_end_the_training(tmp_path: Path) -> None:
    (tmp_path / "live").write_text("a file where a folder should be")
    writer = LiveWriter(tmp_path / "live", coloured(12), epochs=1)
    writer.snapshot(snapshots()[0])
    writer.epoch({"epoch": 1.0})
    assert read_live(tmp_path / "live") is None and read_epochs(tmp_path / "live") == []
