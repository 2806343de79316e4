"""What a run's labels and pictures are checked for: by a command, by a page's job, kept."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors
from streamlit.testing.v1 import AppTest

from embedlab import checks
from embedlab.home import home
from embedlab.jobs import job as job_module
from embedlab.jobs import list_jobs, start, wait
from embedlab.runs import Run, open_run
from embedlab.space import quality
from embedlab.ui import doubts_form
from embedlab.ui.mistakes import oddities

from .conftest import ROOT
from .made_runs import changed, made_run
from .test_cli import embedlab


def squares(*, labelled: bool = True) -> Run:
    """Make a run in which picture 3 is there again as 5, of the other part, and 7 again as 8."""
    digests = [f"{row:064x}" for row in range(60)]
    digests[5], digests[8] = digests[3], digests[7]
    return made_run(home("runs") / "odd", labelled=labelled, digests=digests)


def answer(done: subprocess.CompletedProcess[str]) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_pictures_are_checked_as_scikit_learn_finds_them() -> None:
    run = squares()
    found = answer(embedlab("check", "odd", "--only", "pictures", "--json", "-q"))
    assert set(found) == {"pairs", "outliers"}
    same = [one for one in found["pairs"] if one["same_content"]]
    assert [(one["id"], one["twin"], one["leaks"]) for one in same] == [
        ("0003.jpg", "0005.jpg", True),
        ("0007.jpg", "0008.jpg", False),
    ]
    distances, rows = NearestNeighbors(n_neighbors=11).fit(run.embeddings).kneighbors()
    distances, rows = distances[:, :10], rows[:, :10]
    means = distances.mean(axis=1) / np.median(distances.mean(axis=1))
    order = np.argsort(-means)
    assert [one["id"] for one in found["outliers"]] == [f"{row:04d}.jpg" for row in order]
    listed = [one["distance"] for one in found["outliers"]]
    np.testing.assert_allclose(listed, means[order], atol=1e-4)
    kept = checks.kept_nearest(open_run("odd"))
    assert kept is not None
    np.testing.assert_array_equal(kept.rows, rows)
    np.testing.assert_allclose(kept.scores, distances, rtol=1e-5)


def test_both_are_checked_and_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    run = squares()
    done = embedlab("check", "odd")
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert said.startswith("Doubtful labels: 0 of 60.\n")
    assert "  0003.jpg and 0005.jpg: the same content, one in training and one in val" in said
    assert "  0007.jpg and 0008.jpg: the same content\n" in said
    assert len(said.split("ten nearest:\n")[1].splitlines()) == 12
    monkeypatch.setattr(checks, "knn", None)  # what is kept is not computed again
    monkeypatch.setattr(quality, "out_of_sample_probabilities", None)
    assert checks.make_nearest(run).rows.shape == (60, 10)
    assert checks.make_doubts(run).shape == (60, 3)


def mislabelled() -> Run:
    """Make a run in which a few pictures have the label of another class."""
    run = made_run(home("runs") / "odd", per_class=(40, 40, 40))
    labels = run.items["label"].tolist()
    for row, label in {1: "green", 2: "green", 50: "blue", 51: "blue"}.items():
        labels[row] = label
    return changed(run, label=labels)


def test_doubtful_labels_are_named_with_what_fits_better() -> None:
    run = mislabelled()
    found = answer(embedlab("check", "odd", "--only", "labels", "--json", "-q"))
    assert set(found) == {"labels", "note"}
    named = {one["id"]: (one["label"], one["fits_better"]) for one in found["labels"]}
    assert named == {
        "0001.jpg": ("green", "red"),
        "0002.jpg": ("green", "red"),
        "0050.jpg": ("blue", "green"),
        "0051.jpg": ("blue", "green"),
    }
    kept = checks.kept_doubts(run)
    assert kept is not None
    given = kept[np.arange(120), run.labels]
    for one in found["labels"]:
        assert one["probability_of_label"] == round(given[int(one["id"][:4])], 4) < 0.5
    said = embedlab("check", "odd", "--only", "labels", "-q").stdout
    assert said.startswith(f"Doubtful labels: {len(named)} of 120.\n")
    assert f"  0050.jpg: labelled blue ({given[50]:.0%}), fits green better\n" in said
    page = mistakes()
    assert any(f"**{len(named)}** of 120 labels are" in one.value for one in page.markdown)


def test_a_run_without_classes_is_checked_for_what_it_has() -> None:
    squares(labelled=False)
    found = answer(embedlab("check", "odd", "--json", "-q"))
    assert found["labels"] is None and "no classes" in found["note"]
    assert len(found["outliers"]) == 60 and any(one["leaks"] for one in found["pairs"])
    assert "no classes" in embedlab("check", "odd", "-q").stdout
    alone = embedlab("check", "odd", "--only", "labels")
    assert alone.returncode == 1 and "no classes" in alone.stderr


def test_more_than_can_be_named_are_counted() -> None:
    made_run(home("runs") / "twice", digests=["f" * 64] * 60)
    said = embedlab("check", "twice", "--only", "pictures", "-q").stdout
    assert "the same or nearly: 59;" in said and "  and 47 more, which --json lists\n" in said


@pytest.mark.parametrize("per_class", [(1,), (1, 1), (2, 1)])
def test_very_few_pictures_are_checked_too(per_class: tuple[int, ...]) -> None:
    made_run(home("runs") / "few", per_class=per_class)
    done = embedlab("check", "few", "-q")
    assert done.returncode == 0 and "two classes have two pictures" in done.stdout, done.stderr
    assert "the same or nearly: 0; 0 leak." in done.stdout
    assert ("Least like all others" in done.stdout) == (sum(per_class) > 1)


def test_a_damaged_memory_of_the_nearest_is_made_again() -> None:
    run = squares()
    checks.make_nearest(run)
    (path,) = (run.folder / "projections").glob("nearest-*.npz")
    path.write_bytes(path.read_bytes()[:100])
    assert checks.kept_nearest(run) is None
    assert checks.make_nearest(run).rows.shape == (60, 10)
    assert checks.kept_nearest(run) is not None


def mistakes() -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["run"] = "odd"
    app.run()
    app.query_params["run"] = "odd"
    app.switch_page("pages/mistakes.py").run()
    assert not app.exception, app.exception[0].message
    return app


@pytest.mark.parametrize(
    ("label", "found", "kept"),
    [
        ("Compare all pictures", "Like no other", checks.kept_nearest),
        ("Look for doubtful labels", "No label is in doubt.", checks.kept_doubts),
    ],
)
def test_long_checks_are_jobs_whose_results_every_tab_shows(
    monkeypatch: pytest.MonkeyPatch, label: str, found: str, kept: object
) -> None:
    run = squares()
    monkeypatch.setattr(oddities, "PATIENCE", 0.0)
    monkeypatch.setattr(doubts_form, "QUICK", 0)
    app = mistakes()

    def shown(app: AppTest) -> bool:
        assert not app.exception
        return found in [one.value for one in (*app.subheader, *app.success)]

    assert not shown(app)
    (ask,) = (button for button in app.button if button.label == label)
    ask.click().run()
    (job,) = list_jobs()
    assert job.title.endswith(" of odd")
    wait(job, timeout=120)
    assert job.status().state == "done", job.status().message
    assert kept(run) is not None
    assert shown(app.run()) and shown(mistakes())
    assert label not in [button.label for button in app.button]


def test_a_job_that_is_under_way_is_shown_in_every_tab(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    squares()
    monkeypatch.setattr(oddities, "PATIENCE", 0.0)
    monkeypatch.setattr(job_module, "PROGRAM", (str(ROOT / "tests" / "jobs_worker.py"),))
    assert "Compare all pictures" in [button.label for button in mistakes().button]
    first = start(["train", "pretend", str(tmp_path / "stop")], title="Train it")
    waiting = start(["check", "odd", "--only", "pictures"], title="Duplicates of odd")
    try:
        app = mistakes()  # as after a reload
        assert "Compare all pictures" not in [button.label for button in app.button]
        assert any("Duplicates of odd" in one.value for one in app.markdown)
    finally:
        for job in (waiting, first):
            job.cancel()
    assert "Compare all pictures" in [button.label for button in app.run().button]


def test_a_server_that_does_not_compute_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    squares()
    monkeypatch.setattr(oddities, "PATIENCE", 0.0)
    monkeypatch.setattr(doubts_form, "QUICK", 0)
    monkeypatch.setenv("EMBEDLAB_PUBLIC", "1")
    app = mistakes()
    assert sum("does not compute" in one.value for one in app.info) == 2
    assert not {"Compare all pictures", "Look for doubtful labels"} & {b.label for b in app.button}
