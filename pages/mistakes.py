"""Where is the network wrong, or the data?"""

import numpy as np
import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.figures.matrices import confusion as confusion_figure
from embedlab.runs import Run
from embedlab.space.oddities import Outliers, Pairs, leaks, near_duplicates, outliers
from embedlab.space.quality import label_issues, most_confident_errors
from embedlab.space.scores import accuracy, confusion, recalls
from embedlab.ui import cache
from embedlab.ui.choices import choose_part
from embedlab.ui.closer import closer
from embedlab.ui.doubts_form import doubts
from embedlab.ui.export import export_buttons
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.gallery import caption, gallery
from embedlab.ui.picture_grid import picture_grid
from embedlab.ui.text import plain

SHOWN = 24
DOUBTS_CODE = "from embedlab.space.quality import label_issues, out_of_sample_probabilities"
DOUBTFUL_CODE = """p = out_of_sample_probabilities(run.embeddings, run.labels, len(run.classes))
doubtful = label_issues(run.labels, p).rows
"""


def predictions_of(run: Run) -> np.ndarray | None:
    """Give what the network predicts for each picture, as indices into the classes."""
    if run.labels is None or "prediction" not in run.items:
        return None
    order = {name: k for k, name in enumerate(run.classes)}
    return np.array([order.get(name, -1) for name in run.items["prediction"]], np.int64)


def look_at(run: Run, clicked: int | None) -> None:
    """Look closely at a picture that was clicked just now."""
    if clicked is not None:
        closer(run, clicked)


def show_confusion(run: Run, rows: np.ndarray, predictions: np.ndarray) -> None:
    """Show the confusion matrix; a cell opens its pictures."""
    labels = run.labels[rows]
    matrix = confusion(labels, predictions[rows], len(run.classes))
    share = accuracy(labels, predictions[rows])
    if not share.total:
        st.info("There are no pictures in this part.")
        return
    low, high = share.interval
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(
            f"**{share.correct:,} of {share.total:,} right: {share.value:.1%}** "
            f"(95 %: {low:.1%} to {high:.1%})"
        )
        event = st.plotly_chart(
            confusion_figure(matrix, run.classes),
            key="confusion",
            on_select="rerun",
            selection_mode="points",
            config={"displayModeBar": False},
        )
        with st.expander("Recall by class", icon=":material/table:"):
            st.dataframe(
                [
                    {
                        "class": name,
                        "right": one.correct,
                        "of": one.total,
                        "recall": f"{one.value:.1%}" if one.total else "-",
                        "95 % interval": "{:.1%} to {:.1%}".format(*one.interval)
                        if one.total
                        else "-",
                    }
                    for name, one in zip(run.classes, recalls(matrix), strict=True)
                ],
                hide_index=True,
            )
    with right:
        # A default that moved with the choice would keep the choice out of the address.
        usual = fullest_wrong_cell(matrix)
        true, predicted = chosen_cell(run, event, usual)
        inside = rows[(labels == true) & (predictions[rows] == predicted)]
        pictures = "picture" if len(inside) == 1 else "pictures"
        st.markdown(
            f"**{len(inside)}** {pictures} of **{plain(run.classes[true])}** taken for "
            f"**{plain(run.classes[predicted])}**"
        )
        look_at(
            run,
            gallery(
                run,
                inside[:SHOWN].tolist(),
                key="cell",
                cell=84,
                label="Pictures of the chosen cell",
            ),
        )
        st.caption("Choose a cell by a click, or here:")
        with st.container(horizontal=True):
            for word, class_, key in (
                ("True", usual[0], "cell-true"),
                ("Predicted", usual[1], "cell-predicted"),
            ):
                st.selectbox(
                    word, run.classes, index=class_, key=key, bind="query-params", width=160
                )
        export_buttons(run, inside, name="cell")


def chosen_cell(run: Run, event: object, usual: tuple[int, int]) -> tuple[int, int]:
    """Give the cell that was clicked or chosen last; the usual one to begin with."""
    points = getattr(getattr(event, "selection", None), "points", None) or []
    clicked = (int(points[0]["y"]), int(points[0]["x"])) if points else None
    if clicked is not None and clicked != st.session_state.get("cell-clicked"):
        st.session_state["cell-clicked"] = clicked
        st.session_state["cell-true"] = run.classes[clicked[0]]
        st.session_state["cell-predicted"] = run.classes[clicked[1]]
    names = [
        # A link's choice is in the address alone until the boxes below have been made.
        st.session_state.get(key, st.query_params.get(key, run.classes[class_]))
        for key, class_ in zip(("cell-true", "cell-predicted"), usual, strict=True)
    ]
    if all(name in run.classes for name in names):
        return run.classes.index(names[0]), run.classes.index(names[1])
    return usual


def fullest_wrong_cell(matrix: np.ndarray) -> tuple[int, int]:
    """Find the commonest mistake: true class and prediction."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    flat = int(wrong.argmax()) if wrong.any() else 0
    return flat // len(matrix), flat % len(matrix)


def show_errors(run: Run, rows: np.ndarray) -> None:
    """Show the mistakes that the network is surest of."""
    found = most_confident_errors(run.labels[rows], run.probabilities[rows])
    if not len(found.rows):
        st.success("Not one mistake in this part.", icon=":material/check:")
        return
    show_with_suggestion(
        run, rows[found.rows], found.predictions, found.confidences, key="errors", word="taken for"
    )
    export_buttons(
        run,
        rows[found.rows],
        name="errors",
        taken_for=[run.classes[k] for k in found.predictions],
        confidence=found.confidences,
    )


def show_with_suggestion(
    run: Run, rows: np.ndarray, others: np.ndarray, shares: np.ndarray, *, key: str, word: str
) -> None:
    """Show pictures with another class and a share below each."""
    clicked = picture_grid(
        rows[:SHOWN].tolist(),
        key=key,
        thumbnails=run.thumbnails,
        captions=[
            caption(run, int(row), f"{word} {run.classes[other]}, {share:.0%}")
            for row, other, share in zip(rows[:SHOWN], others, shares, strict=False)
        ],
        cell=128,
        label=key,
    )
    look_at(run, clicked)
    st.caption(
        "Below each: the class that it is said to be; under that, what it "
        f"{'is ' if word == 'taken for' else ''}{word}, and how surely. Click one to look "
        "closely."
    )
    if len(rows) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(rows):,}.")


def show_doubts(run: Run) -> None:
    """Show labels that are probably wrong."""
    st.markdown(
        "Classifiers that have **not seen** a picture are asked about it. Where they firmly "
        "disagree with its label, the label may be wrong."
    )
    probabilities = doubts(run)
    if probabilities is None:
        return
    found = label_issues(run.labels, probabilities)
    if not len(found.rows):
        st.success(found.note or "No label is in doubt.", icon=":material/check:")
        return
    are = "is" if len(found.rows) == 1 else "are"
    st.markdown(f"**{len(found.rows):,}** of {run.n_items:,} labels {are} in doubt.")
    show_with_suggestion(
        run,
        found.rows,
        found.suggestions,
        probabilities[found.rows, found.suggestions],
        key="doubts",
        word="fits",
    )
    export_buttons(
        run,
        found.rows,
        name="doubtful-labels",
        fits_better=[run.classes[k] for k in found.suggestions],
        probability_of_label=found.confidences,
    )


@st.cache_resource(max_entries=8, show_spinner="Looking for pictures that are there twice …")
def twins(fingerprint: str, _run: Run) -> Pairs:
    """Find exact and near duplicates."""
    digests = _run.items["digest"].tolist() if "digest" in _run.items else None
    return near_duplicates(_run.embeddings, digests=digests)


@st.cache_resource(max_entries=8, show_spinner="Looking for pictures that are like no other …")
def strangers(fingerprint: str, _run: Run) -> Outliers:
    """Find outliers."""
    return outliers(_run.embeddings)


def show_twins(run: Run) -> None:
    """Show pairs of pictures that are the same or nearly, those that leak first."""
    pairs = twins(run.fingerprint, run)
    if not len(pairs.rows):
        st.success("No two pictures are nearly the same.", icon=":material/check:")
        return
    leaking = leaks(pairs, run.split)
    leak = "leaks" if len(leaking.rows) == 1 else "leak"
    st.markdown(
        f"**{int(pairs.exact.sum())}** exact and **{int((~pairs.exact).sum())}** near pairs; "
        + (
            f"**{len(leaking.rows)}** of them {leak}: one of the two is in training, the other in "
            "validation, so the validation accuracy is flattered."
            if len(leaking.rows)
            else "none of them has one in training and the other in validation."
        )
    )
    if run.labels is not None:
        apart = pairs.exact & (run.labels[pairs.rows[:, 0]] != run.labels[pairs.rows[:, 1]])
        if apart.any():
            count = int(apart.sum())
            st.markdown(
                f"**{count}** of the exact ones {'is' if count == 1 else 'are'} said to be of two "
                "different classes: one of the two labels is wrong."
            )
    only = st.toggle(
        "Only the leaks", key="only-leaks", bind="query-params", disabled=not len(leaking.rows)
    )
    shown = leaking if only else pairs
    columns = st.columns(4)
    for place, (a, b) in enumerate(shown.rows[:12].tolist()):
        with columns[place % 4].container(border=True):
            words = (
                "same content" if shown.exact[place] else f"distance {shown.distances[place]:.2f}"
            )
            clicked = gallery(
                run,
                [a, b],
                key=f"twin-{place}",
                scores=[str(run.split[a]), str(run.split[b])],
                cell=60,
                columns=2,
                label=words,
            )
            look_at(run, clicked)
            if run.labels is not None and run.labels[a] != run.labels[b]:
                words += ", two classes"
            st.caption(words)
    if len(shown.rows) > 12:
        st.caption(
            f"The first 12 of {len(shown.rows):,} pairs. Distances in units of the usual "
            "distance to the nearest other picture."
        )
    export_buttons(
        run,
        shown.rows[:, 0],
        name="pairs",
        twin=run.items["id"].iloc[shown.rows[:, 1]].tolist(),
        exact=shown.exact,
        distance=shown.distances,
    )


def show_strangers(run: Run) -> None:
    """Show the pictures that are farthest from all others."""
    found = strangers(run.fingerprint, run)
    top = found.rows[:12]
    clicked = gallery(
        run,
        top.tolist(),
        key="outliers",
        scores=[f"{found.scores[row]:.1f}" for row in top],
        label="Outliers",
    )
    look_at(run, clicked)
    st.caption("Below each: its mean distance to its ten nearest; 1 is usual, 2 is far.")
    export_buttons(run, found.rows[:200], name="outliers", distance=found.scores[found.rows[:200]])


framed()
run = current_run()
header(
    "Where is the network wrong, or the data?",
    "Notice whether the surest mistakes are the network's, or the **label** is wrong. "
    "Every list can be taken away as a file.",
)
predictions = predictions_of(run)
if predictions is not None:
    part = choose_part(run)
    rows = cache.part_rows(run, part)
    st.header("Confusions", anchor=False)
    show_confusion(run, rows, predictions)
    if run.probabilities is not None:
        st.header("The surest mistakes", anchor=False)
        show_errors(run, rows)
else:
    st.info(
        "This run has no labels or no head, so there are no mistakes to count. Duplicates and "
        "outliers can still be found.",
        icon=":material/info:",
    )
if run.labels is not None:
    st.header("Labels that may be wrong", anchor=False)
    try:
        show_doubts(run)
    except EmbedlabError as error:
        st.info(plain(str(error)), icon=":material/info:")
if run.n_items > 3:
    st.header("Pictures that are there twice", anchor=False)
    show_twins(run)
    st.header("Pictures that are like no other", anchor=False)
    show_strangers(run)
explain(
    r"\text{doubtful: } \hat{p}(y_i \mid x_i) \text{ low and another class above its usual "
    r"confidence}",
    [
        ("embeddings", f"{run.embeddings.shape}", "what duplicates and outliers are measured in"),
        ("p", f"({run.n_items:,}, {len(run.classes)})", "out-of-sample class probabilities"),
    ],
    f"""from embedlab import open_run
from embedlab.space.oddities import near_duplicates, outliers
{DOUBTS_CODE if run.labels is not None else ""}
run = open_run({run.id!r})
twins = near_duplicates(run.embeddings, digests=run.items.get("digest"))
strangers = outliers(run.embeddings).rows[:12]
{DOUBTFUL_CODE if run.labels is not None else ""}len(twins.rows), strangers.tolist()""",
    words="Doubtful labels: confident learning on five-fold out-of-sample probabilities of a "
    "logistic regression on the embeddings (package cleanlab).",
)
