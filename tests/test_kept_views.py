"""What is computed of a run once and kept in it: PCA, LDA with its control, UMAP."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from embedlab.errors import EmbedlabError
from embedlab.home import home
from embedlab.jobs import start, wait
from embedlab.runs import open_run
from embedlab.space import discriminant as discriminant_module
from embedlab.space.projections import LdaControl, lda, lda_control, pca
from embedlab.ui import job_button
from embedlab.views import discriminant, overview, prepare

from .made_runs import changed, made_run
from .test_pages import opened, texts


@pytest.mark.parametrize("per_class", [(20, 20, 20), (20, 20)])  # two classes leave a note
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("part", ["train", "validation", "all"])
def test_what_is_kept_is_what_lda_finds(
    tmp_path: Path, part: str, shuffled: bool, per_class: tuple[int, ...]
) -> None:
    run = made_run(tmp_path / "squares", per_class=per_class)
    rows = np.full(run.n_items, True) if part == "all" else run.split == part
    found = discriminant(run, part=part, shuffled=shuffled)
    plain = lda(run.embeddings, run.labels, rows=rows, shuffle_seed=0 if shuffled else None)
    for again in (found.view, discriminant(run, part=part, shuffled=shuffled).view):
        for name in ("coordinates", "unplaced", "axes", "origin", "explained", "fitted_rows"):
            np.testing.assert_array_equal(getattr(again, name), getattr(plain, name))
        assert again.note == plain.note
    assert bool(plain.note) == (len(per_class) == 2)


def test_lda_is_fitted_once_and_its_control_comes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made_run(tmp_path / "squares")
    for shuffled in (False, True):
        discriminant(run, shuffled=shuffled)

    def refuse(*_: Any) -> None:
        raise AssertionError("fitted again")

    with monkeypatch.context() as patch:
        patch.setattr(discriminant_module, "_fit_lda", refuse)
        reopened = open_run(tmp_path / "squares")
        kept = LdaControl.of(*(discriminant(reopened, shuffled=which) for which in (False, True)))
        with pytest.raises(AssertionError, match="fitted again"):
            discriminant(run, part="all")
    held = run.split == "validation"
    assert kept == lda_control(run.embeddings, run.labels, rows=~held, held_out=held)
    assert kept.fitted.total == 48 and kept.held_out.total == 12


def test_a_job_leaves_a_run_whose_first_maps_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["train", "digits", "--limit", "60", "--epochs", "1", "--size", "16", "--probe", "0"]
    made = open_run(str(wait(start(words, title="Digits"), timeout=120).result["run"]))

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr(discriminant_module, "_fit_lda", refuse)
    monkeypatch.setattr("embedlab.space.projections.pca", refuse)
    for name in ("embedding", "pixels"):
        assert overview(made, vectors=name).coordinates.shape == (60, 6)
    for shuffled in (False, True):
        assert discriminant(made, shuffled=shuffled).view.coordinates.shape == (60, 2)


def test_what_cannot_be_drawn_first_is_passed_over(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    unlabelled = made_run(tmp_path / "unlabelled", labelled=False)
    prepare(unlabelled, progress=lambda _, done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]  # PCA of the embedding and of the pixels
    alone = made_run(tmp_path / "alone", per_class=(20,))
    prepare(alone)
    with pytest.raises(EmbedlabError):
        discriminant(alone)


def test_lda_is_fitted_on_all_where_nothing_was_trained_on() -> None:
    changed(made_run(home("runs") / "vectors"), split="validation")
    app = opened("projections", "vectors")
    assert app.segmented_control(key="lda-fit").value == "all"
    assert not any("LDA" in one.value for one in app.info)


def test_lda_of_a_run_without_classes_is_refused(tmp_path: Path) -> None:
    run = made_run(tmp_path / "squares", labelled=False)
    with pytest.raises(EmbedlabError, match="has no classes"):
        discriminant(run)


def test_the_place_of_a_missing_umap_offers_to_lay_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    run = made_run(home("runs") / "squares")
    begun: list[list[str]] = []

    def begin(words: list[str], *, title: str) -> SimpleNamespace:
        begun.append(words)
        return SimpleNamespace(id="gone")

    monkeypatch.setattr(job_button, "start", begin)
    app = opened("projections", "squares", **{"umap-neighbours": "7"})
    assert "UMAP with these settings is not computed yet" in texts(app)
    app.button(key="umap-start-here").click().run()
    assert begun and begun[0][:2] == ["project", run.id]
    assert begun[0][begun[0].index("--neighbours") + 1] == "7"

    monkeypatch.setenv("EMBEDLAB_PUBLIC", "1")
    app = opened("projections", "squares")
    assert "This server does not compute" in texts(app)
    assert not [button for button in app.button if str(button.key).startswith("umap-start")]


@pytest.mark.parametrize("vectors", ["embedding", "pixels"])
def test_pca_is_fitted_once_and_drawn_on_every_page(tmp_path: Path, vectors: str) -> None:
    run = made_run(tmp_path / "squares")
    found, plain = overview(run, vectors=vectors), pca(run.vectors(vectors), 6)
    again = overview(open_run(tmp_path / "squares"), vectors=vectors)
    for view in (found, again):
        np.testing.assert_array_equal(view.coordinates, plain.coordinates)
        np.testing.assert_array_equal(view.explained, plain.explained)


def test_the_garden_comes_with_pca_and_lda() -> None:
    run = open_run("garden")
    kept = {path.name for path in (run.folder / "projections").glob("*.npz")}
    for vectors in ("embedding", "pixels"):
        overview(run, vectors=vectors)
    for shuffled in (False, True):
        found = discriminant(run, shuffled=shuffled)
        rows = run.split == "train"
        plain = lda(run.embeddings, run.labels, rows=rows, shuffle_seed=0 if shuffled else None)
        np.testing.assert_allclose(found.view.coordinates, plain.coordinates, atol=1e-3)
    assert sum(name.startswith("overview-") for name in kept) == 2
    assert sum(name.startswith("lda-") for name in kept) == 2
    computed = home("annexes") / run.fingerprint[:32] / "projections"
    assert not list(computed.glob("*.npz")), "what was kept is not computed again"
