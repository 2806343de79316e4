"""The train page in a real browser: the map forms, stays, and what came of it is found again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedlab.jobs import Job, list_jobs, start
from embedlab.jobs import job as job_module

from .browsing import chromium, served, serving, tab
from .conftest import ROOT
from .made_runs import made_run

pytestmark = pytest.mark.browser

WORKER = str(ROOT / "tests" / "jobs_worker.py")
PATIENCE = 60_000
# How many points of the canvas are coloured, not grey: the pictures and the arrows.
COLOURED = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let n = 0;
  for (let k = 0; k < data.length; k += 4) {
    const [r, g, b, a] = data.subarray(k, k + 4);
    if (a > 200 && Math.max(r, g, b) - Math.min(r, g, b) > 60) n += 1;
  }
  return n;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("home")
    made_run(place / "runs" / "squares")
    with served("app.py", EMBEDLAB_HOME=str(place)) as address:
        yield f"{place}|{address}"


@pytest.fixture
def address(app: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Let this process share the home of the server."""
    place, _, found = app.partition("|")
    monkeypatch.setenv("EMBEDLAB_HOME", place)
    monkeypatch.setattr(job_module, "PROGRAM", (WORKER,))
    yield found
    for job in list_jobs():
        job.cancel()
        job.remove()


def pretended(stop: Path, title: str = "Train it") -> Job:
    return start(["train", "pretend", str(stop)], title=title)


def moment(film: Any) -> int:
    return int(film.get_attribute("data-moment"))


def until(page: Any, film: Any, condition: str, value: int = 0) -> None:
    """Wait for a condition of the very player that is there now."""
    page.wait_for_function(
        f"([film, value]) => film.isConnected && {condition}",
        arg=[film.element_handle(), value],
        timeout=PATIENCE,
    )


def test_the_map_is_drawn_and_follows_while_a_training_runs(
    browser: Any, address: str, tmp_path: Path
) -> None:
    job = pretended(tmp_path / "stop")
    with tab(browser) as page:
        page.goto(f"{address}train?job={job.id}")
        film = page.locator("section.film")
        film.get_by_text("epoch", exact=False).wait_for(timeout=PATIENCE)
        canvas = film.locator(".plot canvas")
        assert canvas.evaluate(COLOURED) > 300
        until(page, film, "Number(film.dataset.moment) >= value", moment(film) + 3)
        assert canvas.evaluate(COLOURED) > 300
        # Somebody who looks back is left alone, also when new moments come.
        slider = film.get_by_role("slider")
        slider.focus()
        page.keyboard.press("Home")
        film.get_by_text("start ·").wait_for(timeout=PATIENCE)
        newest = int(slider.get_attribute("max"))
        until(page, film, "film.querySelector('input').max >= value", newest + 2)
        assert moment(film) == 0 and canvas.evaluate(COLOURED) > 300
        # So it is when the page is left and entered again: the player is made anew.
        page.get_by_role("link", name="Lesson").click()
        page.get_by_role("heading", name="What have you seen?").wait_for(timeout=PATIENCE)
        film.wait_for(state="detached", timeout=PATIENCE)
        page.go_back()
        page.wait_for_url("**/train?*", timeout=PATIENCE)
        film.wait_for(timeout=PATIENCE)
        film.get_by_text("start ·").wait_for(timeout=PATIENCE)
        film.get_by_role("button", name="Play").click()
        until(page, film, "film.dataset.moment === film.querySelector('input').max")
        assert canvas.evaluate(COLOURED) > 300


def test_what_a_click_brings_is_brought_into_view(
    browser: Any, address: str, tmp_path: Path
) -> None:
    """The panel of a job stands above the form and the list in which the button is."""
    job = pretended(tmp_path / "stop", "Train it first")
    with tab(browser) as page:
        page.goto(f"{address}train?job={job.id}")
        panel = page.locator(f".st-key-job-{job.id}")
        place = f"document.querySelector('.st-key-job-{job.id}')?.getBoundingClientRect().y"
        in_view = f"() => {place} > 0 && {place} < 300"
        panel.locator("section.film").wait_for(timeout=PATIENCE)
        for _ in range(2):  # for the same job as well
            page.get_by_role("button", name="Watch").first.scroll_into_view_if_needed()
            assert not page.evaluate(in_view)
            page.get_by_role("button", name="Watch").first.click()
            page.wait_for_function(in_view, timeout=PATIENCE)
        # Once there, people go where they like.
        page.get_by_role("button", name="Watch").first.scroll_into_view_if_needed()
        film = panel.locator("section.film")
        until(page, film, "Number(film.dataset.moment) >= value", moment(film) + 2)
        assert not page.evaluate(in_view)


def test_validating_changes_nothing_of_what_somebody_looks_at(
    browser: Any, address: str, tmp_path: Path
) -> None:
    """Neither the chosen chart, nor the player, nor the readings go when a stage reports none."""
    job = pretended(tmp_path / "stop")
    with tab(browser) as page:
        page.goto(f"{address}train?job={job.id}")
        film = page.locator("section.film")
        film.get_by_text("epoch", exact=False).wait_for(timeout=PATIENCE)
        page.get_by_role("tab", name="Accuracy").click()
        film.evaluate("film => { film.mark = 'the same' }")
        seen = []
        for stage in ("validating", "training", "validating", "training"):
            page.get_by_text(f"{stage} · ", exact=False).wait_for(timeout=PATIENCE)
            page.wait_for_timeout(300)
            chosen = page.locator("[role=tab][aria-selected=true]").inner_text()
            mark = film.evaluate("film => film.mark")
            metrics = page.locator("[data-testid=stMetricLabel]").all_inner_texts()
            seen.append((chosen, mark, {"loss", "accuracy"} <= set(metrics)))
        assert seen == [("Accuracy", "the same", True)] * 4


def test_a_training_that_ends_before_ones_eyes_is_shown_and_found_later(
    browser: Any, address: str, tmp_path: Path
) -> None:
    job = pretended(tmp_path / "stop")
    with tab(browser) as page:
        page.goto(f"{address}train")
        page.get_by_text("Running for").first.wait_for(timeout=PATIENCE)
        (tmp_path / "stop").write_text("squares")
        page.get_by_text("Validation accuracy", exact=True).wait_for(timeout=PATIENCE)
        assert f"job={job.id}" in page.url
        assert page.locator("[data-testid=stMetricValue]").first.inner_text() == "100.0%"
    with tab(browser) as page:
        page.goto(f"{address}train")
        page.get_by_text("Validation accuracy", exact=True).wait_for(timeout=PATIENCE)
        page.get_by_role("button", name="Put away").click()
        page.get_by_text("Validation accuracy", exact=True).wait_for(
            state="detached", timeout=PATIENCE
        )
        assert "job=" not in page.url
        page.reload()
        page.get_by_role("button", name="Start training").wait_for(timeout=PATIENCE)
        assert page.get_by_text("Validation accuracy", exact=True).count() == 0


@pytest.mark.slow
def test_two_tabs_start_one_training_and_it_outlives_tabs_and_server(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBEDLAB_HOME", str(tmp_path))
    made_run(tmp_path / "runs" / "squares")

    def filled(page: Any, address: str) -> None:
        page.goto(f"{address}train?run=squares")
        page.get_by_role("combobox", name="Set").click(timeout=PATIENCE)
        page.get_by_role("option", name="digits ·").click()
        page.get_by_text("More settings").click()
        for label, value in (
            ("Epochs", "10000"),
            ("Side of the pictures", "16"),
            ("Only so many", "40"),
        ):
            box = page.get_by_role("spinbutton", name=label)
            box.fill(value)
            box.press("Enter")
        words = "--epochs 10000 --size 16 --limit 40"
        page.locator("code").filter(has_text=words).wait_for(timeout=PATIENCE)

    try:
        with serving("app.py") as (server, address):
            with tab(browser) as one, tab(browser) as other:
                for page in (one, other):
                    filled(page, address)
                for page in (one, other):
                    page.get_by_role("button", name="Start training").click()
                for page in (one, other):
                    page.wait_for_url("**job=*", timeout=PATIENCE)
                (job,) = list_jobs()
                assert f"job={job.id}" in one.url and f"job={job.id}" in other.url
                one.get_by_text("training · ", exact=False).wait_for(timeout=2 * PATIENCE)
            server.kill()
            server.wait()
        before = job.status()
        assert before.state == "running"
        with serving("app.py") as (_, address), tab(browser) as page:
            page.goto(f"{address}train")
            page.get_by_text("Running for").first.wait_for(timeout=PATIENCE)
            page.locator("section.film").wait_for(timeout=PATIENCE)
            assert f"job={job.id}" in page.url
            until = time.monotonic() + PATIENCE / 1000
            while job.status().done <= before.done and time.monotonic() < until:
                time.sleep(0.2)
            now = job.status()
            assert now.state == "running" and now.done > before.done
            assert list_jobs() == [job]
            page.get_by_role("button", name="Cancel").first.click()
            page.get_by_text("Cancelled").first.wait_for(timeout=PATIENCE)
        assert job.status().state == "cancelled"
    finally:
        for job in list_jobs():
            job.cancel()
