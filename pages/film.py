"""What changes while a network learns?"""

import numpy as np
import streamlit as st

from embedlab.figures.curves import Curve, curves
from embedlab.figures.matrices import READABLE
from embedlab.models.film import Film
from embedlab.runs import Run
from embedlab.space.compare import changes
from embedlab.space.film import FilmView
from embedlab.space.scores import accuracy
from embedlab.ui.access import may_start_jobs
from embedlab.ui.closer import look_at
from embedlab.ui.export import export_buttons
from embedlab.ui.film_player import film_player
from embedlab.ui.films import LONGEST, VIEWS, film_of, film_view, fitting_length, moment_names
from embedlab.ui.fragments import fragment
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.gallery import gallery
from embedlab.ui.text import plain
from embedlab.ui.training_charts import training_charts

SHOWN = 24
FIRST = 5  # classes whose arrows are drawn at first, where there are too many for all


def show_absence(run: Run) -> None:
    """Say why there is no film, and how to get one."""
    if run.info.get("training", {}).get("freeze"):
        why = "Only its head was trained: the pictures stayed where they were all the time."
    elif run.info.get("training"):
        why = "It was trained without a film, or its film was left behind."
    elif "fusion" in run.info:
        why = "It fuses pictures with a table, on embeddings that were there before."
    else:
        why = "Nothing was trained in it."
    st.info(f"**{plain(run.title)}** has no film. {why}", icon=":material/movie_off:")
    st.markdown(
        "A training whose body is free to move keeps one: where a fixed set of pictures lay, what "
        "was predicted and where the head pointed, at the start, within the first epoch and after "
        "each epoch. The quickest to make:"
    )
    st.code("embedlab train garden", language="bash")
    if may_start_jobs():
        st.page_link("pages/train.py", label="Train a network", icon=":material/model_training:")


def moment_notes(run: Run, film: Film, view: FilmView) -> list[str]:
    """Say of each moment how many pictures are right, and how much of it the drawing shows."""
    right = (film.predictions == run.labels[film.rows]).sum(axis=1)
    n = len(film.rows)
    return [
        f"{count} of {n} right ({count / n:.0%}) · {share:.0%} of the variance is drawn"
        for count, share in zip(right, view.shown, strict=True)
    ]


def choose_arrows(run: Run) -> list[int]:
    """Say of which classes the head's arrows are drawn: all or, of many, the chosen ones."""
    c = len(run.classes)
    if c <= READABLE:
        return list(range(c))
    chosen = st.multiselect(
        "Arrows of",
        run.classes,
        default=run.classes[:FIRST],
        key="film-arrows-of",
        max_selections=READABLE,
        help=f"More than {READABLE} would hide each other.",
    )
    return [run.classes.index(name) for name in chosen]


@fragment
def play(run: Run, film: Film) -> None:
    """Play the film, and tell the story of the picture that was clicked."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Drawn in",
            list(VIEWS),
            format_func=VIEWS.__getitem__,
            default="following",
            required=True,
            wrap=True,
            key="film-view",
            bind="query-params",
            help="In one plane, what moves has moved. A plane for each moment, turned so that it "
            "continues the one before, shows more of every moment, and its zoom follows.",
        )
        view = film_view(run, film, kind)
        arrows = st.toggle("Arrows of the head", value=True, key="film-arrows")
        times = st.slider(
            "Length of the arrows",
            1,
            LONGEST,
            fitting_length(view),
            key=f"film-length-{kind}",
            format="%d times",
            disabled=not arrows,
            width=220,
        )
    pointed = choose_arrows(run) if arrows else []
    names = moment_names(film.epochs)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        picked = film_player(
            view.coordinates,
            ids=run.items["id"].iloc[film.rows].astype(str).tolist(),
            labels=run.labels[film.rows],
            predictions=film.predictions,
            classes=run.classes,
            steps=film.steps,
            names=names,
            notes=moment_notes(run, film, view),
            tips=view.tips[:, pointed] * times if pointed else None,
            arrows=pointed,
            thumbnails=lambda i: run.thumbnails[int(film.rows[i])],
            token=f"film-{run.fingerprint}",
            zoom="whole" if kind == "fixed" else "each",
            key="film",
        )
    with right:
        if picked is None:
            st.info(
                "Play it; point at a dot to see its picture; click one for its story.",
                icon=":material/touch_app:",
            )
            training_charts(run.history, key="film-training")
        else:
            show_story(run, film, picked)


def show_story(run: Run, film: Film, place: int) -> None:
    """Tell what the network thought of one picture from moment to moment."""
    row = int(film.rows[place])
    label = int(run.labels[row])
    probabilities = film.probabilities[:, place].astype(float)
    gallery(run, [row], key="film-picked", cell=150, columns=2, label="The clicked picture")
    likeliest = np.argsort(-probabilities.max(axis=0), kind="stable")[:4].tolist()
    shown = [label, *(k for k in likeliest if k != label)][:4]
    st.plotly_chart(
        curves(
            [
                Curve(run.classes[k], film.epochs.tolist(), probabilities[:, k].tolist(), style=k)
                for k in shown
            ],
            x_title="epoch",
            y_title="probability",
            share=True,
            height=260,
        ),
        key="film-story",
        config={"displayModeBar": False},
    )


@fragment
def show_changes(run: Run, film: Film) -> None:
    """List what was learned and what forgotten between two moments."""
    st.subheader("Learned and forgotten", anchor=False)
    names = moment_names(film.epochs)
    if len(names) < 2:
        st.caption("The film has one moment only.")
        return
    first, last = st.select_slider(
        "Between these moments", names, value=(names[0], names[-1]), key="film-between"
    )
    a, b = names.index(first), names.index(last)
    labels = run.labels[film.rows]
    found = changes(labels, film.predictions[a], film.predictions[b])
    before, after = (accuracy(labels, film.predictions[k]) for k in (a, b))
    st.markdown(
        f"**{plain(first)}**: {before.correct} of {before.total} right "
        "({:.0%} to {:.0%}). ".format(*before.interval)
        + f"**{plain(last)}**: {after.correct} right "
        + "({:.0%} to {:.0%}). ".format(*after.interval)
        + f"Right at both {len(found.both)}, at neither {len(found.neither)}."
    )
    for title, rows, key in (
        ("Learned", found.only_second, "learned"),
        ("Forgotten", found.only_first, "forgotten"),
    ):
        st.markdown(f"**{title}: {len(rows)}**")
        if not len(rows):
            st.caption("Not one picture.")
            continue
        now = film.probabilities[b, rows, labels[rows]].astype(float)
        was = film.probabilities[a, rows, labels[rows]].astype(float)
        order = np.argsort(-np.abs(now - was), kind="stable")
        clicked = gallery(
            run,
            film.rows[rows[order[:SHOWN]]].tolist(),
            key=f"film-{key}",
            scores=[f"{was[k]:.0%} → {now[k]:.0%}" for k in order[:SHOWN]],
            cell=104,
            label=title,
        )
        look_at(run, clicked)
        if len(rows) > SHOWN:
            st.caption(f"The {SHOWN} of {len(rows)} whose probability changed most.")
        export_buttons(run, film.rows[rows[order]], name=key, before=was[order], after=now[order])
    st.caption("Below each picture: the probability of its class, before and after.")


framed()
run = current_run()
header(
    "What changes while a network learns?",
    "Notice how the pictures and the arrows, the head's prototypes, find each other, and which "
    "pictures come to their side last, or leave it again.",
)
film = film_of(run)
if film is None or run.labels is None:
    show_absence(run)
else:
    st.caption(
        f"The film follows {len(film.rows):,} of the run's {run.n_items:,} pictures"
        + (
            ", none of which it was trained on."
            if (run.split[film.rows] == "validation").all()
            else "."
        )
    )
    play(run, film)
    show_changes(run, film)
    t, n, d = film.embeddings.shape
    explain(
        r"y_{t,i} = (x_{t,i} - \bar{x})\,V \qquad a_{t,k} = s\, w_{t,k} V",
        [
            ("x", f"({t}, {n:,}, {d:,})", "embeddings of the film's pictures, moment by moment"),
            ("w", f"({t}, {len(run.classes)}, {d:,})", "the head's rows, moment by moment"),
            ("V", f"({d:,}, 2)", "principal components of all moments together, or of each"),
            ("s", "()", "the length of the arrows, chosen freely: they are directions"),
        ],
        f"""from embedlab import open_run
from embedlab.models.film import read_film
from embedlab.space.film import fixed_view

run = open_run({run.id!r})
film = read_film(run.folder / "film.npz", n_items=run.n_items, n_classes=len(run.classes))
fixed_view(film.embeddings, film.weights).coordinates.shape""",
        words="Each moment's own plane is turned (and mirrored where that fits better) so that its "
        "points come as near as can be to where they stood the moment before: a rotation changes "
        "nothing in the drawing itself. Kept in half precision.",
    )
