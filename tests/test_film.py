"""Films of a training: read, drawn, and as a running job leaves them; against plain NumPy."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from embedlab import live
from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.live import LiveWriter, read_epochs, read_live
from embedlab.models.film import Film, Snapshot, film_arrays, read_film
from embedlab.runs import Run
from embedlab.space.film import fixed_view, following_view
from embedlab.space.scores import wilson
from embedlab.ui.assets import bundle

from .conftest import ROOT
from .made_films import snapshots
from .made_pictures import coloured
from .made_runs import made_run


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


# ---- the player and its page ----------------------------------------


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    return found


def test_timing_under_node(node: str) -> None:
    test = ROOT / "tests" / "js" / "timing.test.mjs"
    done = subprocess.run([node, "--test", str(test)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_joined_script_is_one_sound_module(node: str, tmp_path: Path) -> None:
    script = tmp_path / "joined.mjs"
    script.write_text(bundle(ROOT / "embedlab/ui/film_player/frontend/player.js"), encoding="utf-8")
    done = subprocess.run([node, "--check", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def with_film(run: Run, *, t: int = 4) -> Run:
    """Give a made run a film in which its first validation pictures are learned one by one."""
    rng = np.random.default_rng(1)
    rows = np.flatnonzero(run.split == "validation")
    assert run.labels is not None and run.head is not None
    c, n = len(run.classes), len(rows)
    labels = run.labels[rows]
    chances = np.full((t, n, c), 0.1, np.float16)
    for moment in range(t):
        right = np.arange(n) < (moment + 1) * n // t
        if moment == t - 1:
            right[0] = False  # known at first, forgotten at last
        taken = np.where(right, labels, (labels + 1) % c)
        chances[moment, np.arange(n), taken] = 0.8
    shares = np.linspace(0, 1, t)[:, None, None]
    noise = rng.normal(size=(n, run.embeddings.shape[1]))
    np.savez_compressed(
        run.folder / "film.npz",
        rows=rows,
        steps=np.arange(t) * 4,
        epochs=np.arange(t, dtype=np.float32) / 2,
        embeddings=(shares * run.embeddings[rows] + noise).astype(np.float16),
        weights=(shares * run.head.weight).astype(np.float32),
        biases=np.zeros((t, c), np.float32),
        probabilities=chances,
    )
    return run


def opened(run: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.query_params["run"] = run
    return app.switch_page("pages/film.py").run()


def texts(app: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "error")
    return "\n".join(str(one.value) for kind in kinds for one in getattr(app, kind))


def test_the_page_counts_what_was_learned_and_forgotten() -> None:
    run = with_film(made_run(home("runs") / "squares"))  # 12 validation pictures
    app = opened("squares")
    assert not app.exception and not app.error
    assert "The film follows 12 of the run's 60 pictures, none of which" in texts(app)
    low, high = wilson(3, 12)
    assert f"**start**: 3 of 12 right ({low:.0%} to {high:.0%})" in texts(app)
    assert "**epoch 1.5**: 11 right" in texts(app)
    assert "**Learned: 9**" in texts(app) and "**Forgotten: 1**" in texts(app)
    assert "Right at both 2, at neither 0." in texts(app)
    app.select_slider(key="film-between").set_value(("epoch 0.5", "epoch 1")).run()
    assert "**Learned: 3**" in texts(app) and "**Forgotten: 0**" in texts(app)
    app.segmented_control(key="film-view").set_value("fixed").run()
    assert not app.exception
    assert run.folder.name in str(app.query_params["run"])


def test_a_clicked_picture_tells_its_story() -> None:
    with_film(made_run(home("runs") / "squares"))
    app = opened("squares")
    app.session_state["film"] = {"picked": 5}
    app.run()
    assert not app.exception
    chart = next(one for one in app.get("plotly_chart") if "film-story" in one.proto.id)
    spec = json.loads(chart.proto.spec)
    own, *others = spec["data"]
    assert own["name"] == "green" and own["x"] == [0, 0.5, 1, 1.5]
    assert own["y"] == pytest.approx([0.1, 0.8, 0.8, 0.8], abs=1e-3)
    assert {trace["name"] for trace in others} == {"red", "blue"}


@pytest.mark.parametrize("kind", ["none", "no-labels", "damaged"])
def test_runs_without_a_film_say_so(kind: str) -> None:
    run = made_run(home("runs") / "plain", labelled=kind != "no-labels")
    if kind == "damaged":
        (run.folder / "film.npz").write_bytes(b"PK\x03\x04 nothing")
    app = opened("plain")
    assert not app.exception
    if kind == "damaged":
        assert "cannot be shown" in texts(app)
    else:
        assert "has no film" in texts(app)
        assert "embedlab train garden" in app.code[0].value
