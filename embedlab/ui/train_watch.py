"""A training while it runs, and what came of it."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.figures.matrices import READABLE, confusion
from embedlab.jobs import Job, Status, list_jobs, queue
from embedlab.jobs.commands import with_option
from embedlab.live import FOLDER, Live, as_history, read_epochs, read_live
from embedlab.pairing import siblings
from embedlab.runs import Run
from embedlab.space.film import FilmView
from embedlab.space.scores import Share, most_confused, recalls
from embedlab.ui import cache
from embedlab.ui.compare.heads import HEADS_VIEW
from embedlab.ui.film_player import film_player
from embedlab.ui.films import fitting_length, moment_names
from embedlab.ui.in_view import stand_in_view
from embedlab.ui.job_panel import PARAMETER, chosen_job, job_panel, retitled, start_watched
from embedlab.ui.text import plain
from embedlab.ui.training_charts import training_charts

NEXT = (
    ("home", "Look at its space", "scatter_plot"),
    ("neighbours", "Neighbours", "hub"),
    ("mistakes", "Mistakes", "troubleshoot"),
    ("film", "Training film", "movie"),
    ("compare", "Compare", "balance"),
)


def is_training(job: Job) -> bool:
    """Say whether a job trains a network, and does not only time one."""
    return job.arguments[:1] == ("train",) and "--how-long" not in job.arguments


def job_to_watch() -> Job | None:
    """Give the job that the address asks for, else the training that people will want to see.

    That is the one that runs or waits now, or else the newest, if it ended of its own accord and
    nobody has put it away. The address names it from then on: when it ends, and when the page is
    reloaded, it is still the one.
    """
    asked = chosen_job()
    if asked is not None:
        return asked
    found = next((job for job in queue() if is_training(job)), None) or _newest_ended()
    if found is not None:
        st.query_params[PARAMETER] = found.id
    return found


def _newest_ended() -> Job | None:
    newest = next((job for job in list_jobs() if is_training(job)), None)
    try:
        if newest and not newest.dismissed and newest.status().state in ("done", "failed", "lost"):
            return newest
    except EmbedlabError:  # removed just now
        return None
    return None


def watch(job: Job) -> None:
    """Watch a job; of a training, see the space form, and in the end what came of it."""
    stand_in_view(job.id)
    made, done = _finished(job)
    if done is not None:
        show_outcome(job, done)
    elif made:
        st.caption(f"The run {plain(made)} that it made is not on this machine any more.")
    shows = is_training(job) and done is None
    curves = (lambda status: show_live(job, status)) if shows else None
    status = job_panel(job.id, curves=curves, again=start_watched)
    if status is None or not status.active:
        st.button(
            "Put away",
            icon=":material/close:",
            key=f"dismiss-{job.id}",
            help="The run, and the job in the list below, stay.",
            on_click=_put_away,
            args=(job,),
        )


def _put_away(job: Job) -> None:
    with suppress(EmbedlabError, OSError):  # removed in another tab, or a disk that is full
        job.dismiss()
    st.query_params.pop(PARAMETER, None)


def _finished(job: Job) -> tuple[str, Run | None]:
    """Give the name of the run that a training has made, and the run if it is still there."""
    try:
        status = job.status()
    except EmbedlabError:
        return "", None
    if status.state != "done" or not is_training(job):
        return "", None
    made = str(status.result.get("run", ""))
    return made, cache.runs().get(made)


def show_live(job: Job, status: Status) -> None:
    """Draw what there is so far: the map of the probe pictures, the loss and the accuracy."""
    folder = status.folder / FOLDER
    live = read_live(folder)
    lines = read_epochs(folder)
    epochs = live.epochs if live else _epochs(status)
    history = as_history(status.history(), lines, epochs=epochs)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if live is not None:
            show_map(live, key=f"live-{job.id}")
        elif "--freeze" in job.arguments:
            st.caption(
                "With a frozen body the pictures do not move, so there is no map to watch; the "
                "head is fitted in a moment once all pictures have gone through the body."
            )
        elif status.active:
            st.caption("The map appears when the first pictures have gone through the network.")
    with right:
        training_charts(history, key=f"live-charts-{job.id}", height=220)


def _epochs(status: Status) -> int:
    fitted = [one for one in status.history() if one.get("stage") == "fitting the head"]
    return int(fitted[-1]["total"]) if fitted else 1


def show_map(live: Live, *, key: str) -> None:
    """Play the frames so far, the latest as it comes."""
    right = (live.predictions == live.labels).sum(axis=1)
    n = len(live.ids)
    view = FilmView(live.coordinates, live.tips, live.shown)
    film_player(
        live.coordinates,
        ids=live.ids,
        labels=live.labels,
        predictions=live.predictions,
        classes=live.classes,
        steps=live.steps,
        names=moment_names(live.at),
        notes=[f"{count} of {n} right ({count / n:.0%})" for count in right],
        tips=live.tips * fitting_length(view) if len(live.classes) <= READABLE else None,
        thumbnails=live.thumbnails,
        token=f"live-{live.fingerprint}-{n}",
        zoom="each",
        follow=True,
        height=380,
        key=key,
        label="The probe pictures as the network sees them now",
    )


def show_outcome(job: Job, run: Run) -> None:
    """Show the accuracy with its interval, the confusions, and the ways to look further."""
    try:
        _show_outcome(job, run)
    except EmbedlabError as error:  # a damaged file
        st.warning(plain(str(error)), icon=":material/error:")


def _show_outcome(job: Job, run: Run) -> None:
    held = run.info.get("metrics", {}).get("validation", {})
    with st.container(border=True):
        st.markdown(f"### {plain(run.title)}")
        left, right = st.columns([2, 3], gap="medium")
        with left:
            if held.get("total"):
                share = Share(int(held["correct"]), int(held["total"]))
                low, high = share.interval
                st.metric("Validation accuracy", f"{share.value:.1%}")
                st.markdown(
                    f"{share.correct:,} of {share.total:,} right; 95 % interval **{low:.1%} to "
                    f"{high:.1%}**."
                )
            else:
                st.markdown("There were no validation pictures to score it on.")
            _show_seeds(job, run)
            for file, label, icon in NEXT:
                if file == "film" and not (run.folder / "film.npz").exists():
                    continue
                st.page_link(
                    f"pages/{file}.py",
                    label=label,
                    icon=f":material/{icon}:",
                    query_params={"run": run.id},
                )
            if run.info.get("training", {}).get("freeze"):
                st.page_link(
                    "pages/compare.py",
                    label="Other heads, rates and seeds, in a second each",
                    icon=":material/tune:",
                    query_params={"run": run.id, **HEADS_VIEW},
                )
        with right:
            if held.get("confusion"):
                matrix = np.array(held["confusion"])
                shown = most_confused(matrix, READABLE)
                st.plotly_chart(
                    confusion(matrix[np.ix_(shown, shown)], [run.classes[k] for k in shown]),
                    key=f"outcome-{run.id}",
                    config={"displayModeBar": False},
                )
                worst = min(
                    zip(run.classes, recalls(matrix), strict=True),
                    key=lambda one: one[1].value if one[1].total else 2.0,
                )
                few = f" Shown: the {len(shown)} that are confused most."
                st.caption(
                    f"Hardest class: {plain(worst[0])}, {worst[1].correct} of {worst[1].total}."
                    + (few if len(shown) < len(run.classes) else "")
                )
            elif held.get("total"):
                st.caption("So many classes are compared on the page Mistakes.")
        training_charts(run.history, key=f"outcome-charts-{run.id}", side_by_side=True)
        for note in run.info.get("notes", ()):
            st.caption(plain(str(note)))


def _show_seeds(job: Job, run: Run) -> None:
    """Say how far another seed moves the accuracy, and offer one."""
    alike = [run, *siblings(run, cache.runs().values())]
    values = [
        held["correct"] / held["total"]
        for held in (one.info.get("metrics", {}).get("validation", {}) for one in alike)
        if held.get("total")
    ]
    if len(values) > 1:
        mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
        st.markdown(
            f"{len(values)} seeds: "
            + ", ".join(f"{value:.1%}" for value in values)
            + f"; mean {mean:.1%}, standard deviation {100 * spread:.1f} points."
        )
    else:
        st.caption("One number from one seed is not a result.")
    seeds = [int(one.info.get("training", {}).get("seed", 0)) for one in alike]
    another = max(seeds) + 1
    st.button(
        f"Once more with seed {another}",
        icon=":material/casino:",
        key=f"seed-{run.id}",
        on_click=start_watched,
        args=(
            with_option(job.arguments, ("--seed", "-s"), str(another)),
            retitled(job.title, "seed", another),
        ),
    )
