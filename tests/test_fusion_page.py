"""The fusion page: one's own pictures and table, from the form to the run."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from embedlab.cli import main
from embedlab.home import home
from embedlab.jobs import list_jobs
from embedlab.runs import list_runs
from embedlab.signal import table_signal
from embedlab.ui.fusion.signal import verdict

from .made_runs import changed, made_run
from .test_fusion import houses
from .test_pages import opened, texts


def form(folder: str, table: str) -> AppTest:
    """Open the page and name pictures and a table."""
    app = opened("fusion", "garden")
    app.segmented_control(key="fuse-kind").set_value("folder").run()
    app.text_input(key="fuse-folder").set_value(folder).run()
    app.text_input(key="fuse-table-path").set_value(table).run()
    assert not app.exception, app.exception[0].message
    return app


def table_of(app: AppTest) -> pd.DataFrame:
    """Give what the form takes each column for, once a target is chosen."""
    app.selectbox(key="fuse-target").set_value("price").run()
    (lines,) = (one.value for one in app.dataframe if "taken for" in one.value)
    return lines


def command(app: AppTest) -> list[str]:
    """Give the command line that the form shows."""
    (line,) = (one.value for one in app.code if one.value.startswith("embedlab fuse"))
    return shlex.split(line)[1:]


def test_the_form_shows_how_they_meet_before_anything_is_trained(tmp_path: Path) -> None:
    photos, table = houses(tmp_path)
    app = form(str(photos), str(table))
    assert app.button(key="fuse-start").disabled, "nobody has said what to predict"
    app.selectbox(key="fuse-target").set_value("price").run()
    said = texts(app)
    assert "1 picture has no row" in said.replace("\\", "")
    assert any("'tax' alone predicts" in w.value.replace("\\", "") for w in app.warning)
    app.selectbox(key="fuse-as-number").set_value("3").run()
    app.selectbox(key="fuse-backbone-efficientnet_b0").set_value("histogram").run()
    words = command(app)
    assert words[:5] == ["fuse", "--target", "price", "--classes", "3"]
    assert words[-3:] == ["--", str(photos), str(table)]
    assert not app.button(key="fuse-start").disabled


def test_a_person_says_whether_a_target_is_a_number_or_its_values_are_classes(
    tmp_path: Path,
) -> None:
    photos, table = houses(tmp_path)
    frame = pd.read_csv(table)
    frame["zipcode"] = np.resize([85255, 36372, 90210], len(frame))
    frame["cost"] = [f"${350_000 + 1001 * k:,}" for k in range(len(frame))]
    frame.to_csv(table, index=False)
    app = form(str(photos), str(table))
    taken = dict(zip(*(table_of(app)[name] for name in ("column", "taken for")), strict=True))
    assert taken["cost"] == "numeric" and taken["zipcode"] == "categorical"
    app.selectbox(key="fuse-backbone-efficientnet_b0").set_value("histogram").run()
    for target, usual, other, kind in (
        ("zipcode", "classes", "number", "--numeric"),
        ("rooms", "classes", "number", "--numeric"),
        ("cost", "number", "classes", "--categorical"),
    ):
        app.selectbox(key="fuse-target").set_value(target).run()
        box = app.selectbox(key=f"fuse-as-{usual}")
        assert box.value == usual and kind not in command(app)
        box.set_value(other).run()
        assert command(app)[1:5] == ["--target", target, kind, target]
        box.set_value("3").run()
        assert command(app)[1:6] == ["--target", target, "--classes", "3", "--backbone"]
        box.set_value(usual).run()
    app.selectbox(key="fuse-target").set_value("town").run()
    assert not [box for box in app.selectbox if str(box.key).startswith("fuse-as")]


def test_lists_are_shown_as_left_out_and_cannot_be_predicted(tmp_path: Path) -> None:
    photos, table = houses(tmp_path)
    frame = pd.read_csv(table)
    frame["boxes"] = [[k, k + 1] for k in range(len(frame))]
    frame.to_parquet(tmp_path / "houses.parquet")
    app = form(str(photos), str(tmp_path / "houses.parquet"))
    assert "boxes" not in app.selectbox(key="fuse-target").options
    app.selectbox(key="fuse-target").set_value("price").run()
    assert "'boxes' is left out: it holds lists." in texts(app).replace("\\", "")
    assert not app.exception and not app.button(key="fuse-start").disabled


def test_the_form_starts_a_job_that_leads_to_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, table = houses(tmp_path)
    started: list[list[str]] = []

    class Job:
        id = "1"

    def start(words: list[str], *, title: str) -> Job:
        started.append(words)
        return Job()

    monkeypatch.setattr("embedlab.ui.job_panel.start", start)
    app = form(str(photos), str(table))
    app.selectbox(key="fuse-target").set_value("town").run()
    app.selectbox(key="fuse-backbone-efficientnet_b0").set_value("histogram").run()
    shown = command(app)
    app.button(key="fuse-start").click().run()
    assert started == [shown] and not list_jobs()
    place = shown.index("--")
    quick = ["--size", "24", "--seeds", "2", "--search", "1", "--epochs", "2", "-q"]
    main([*shown[:place], *quick, *shown[place:]])
    (run,) = [run for run in list_runs() if run.id != "garden"]
    assert run.info["fusion"]["target"] == "town" and run.classes == ("A", "B")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\nx,2.5\ny,4.5\n", "Not one picture is named"),
        ("", "header"),
        ("picture,y,x\n0.png,3.5,1.5\n1.png,1.5,2.5\n", "Only 2 pictures"),
    ],
)
def test_a_table_that_will_not_do_is_said_and_starts_nothing(
    tmp_path: Path, content: str, said: str
) -> None:
    photos, _ = houses(tmp_path)
    table = tmp_path / "odd.csv"
    table.write_text(content)
    app = form(str(photos), str(table))
    target = [box for box in app.selectbox if box.key == "fuse-target"]
    if target:
        target[0].set_value(target[0].options[-1]).run()
    assert not app.exception
    assert said in texts(app).replace("\\", "")
    assert app.button(key="fuse-start").disabled


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    photos, _ = houses(tmp_path)
    app = form(str(photos), str(tmp_path / "nothing.csv"))
    assert "There is no file" in texts(app) and app.button(key="fuse-start").disabled


def test_the_garden_needs_no_table() -> None:
    app = opened("fusion", "garden")
    assert command(app)[-2:] == ["--", "garden"]
    assert not app.button(key="fuse-start").disabled


def test_a_public_server_offers_no_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDLAB_PUBLIC", "1")
    app = opened("fusion", "garden")
    assert not any(box.key == "fuse-table-path" for box in app.text_input)
    assert "does not compute" in texts(app)


def test_the_verdict_is_judged_on_the_same_pictures() -> None:
    run = made_run(home("runs") / "squares")
    rng = np.random.default_rng(0)
    run.items["table.kind"] = pd.Series(run.items["label"]).where(
        rng.random(run.n_items) < 0.7, "?"
    )
    found = table_signal(run)
    gained, lost = len(found.changes.only_first), len(found.changes.only_second)
    fused, best = found.arms["fused"], found.arms[found.best_single]
    assert fused.correct - best.correct == gained - lost
    said = verdict(found)
    assert f"{gained} gained, {lost} lost" in said or "Not one answer differs" in said
    from embedlab.runs import open_run

    helped = table_signal(open_run("garden"), vectors="layer-stage1")
    assert helped.changes.p_value < 0.05 and "**better**" in verdict(helped)
    useless = table_signal(open_run("garden"), vectors="layer-stage1", signal=0.0)
    assert "better" not in verdict(useless)


def test_a_run_without_training_pictures_leaves_the_form_usable() -> None:
    changed(
        made_run(home("runs") / "squares"),
        split="validation",
        **{"table.height": np.arange(60, dtype=float)},
    )
    app = opened("fusion", "squares")
    assert not app.exception and not app.error
    assert any("This run has 0 training pictures" in one.value for one in app.info)
    assert app.segmented_control(key="fuse-kind") is not None
