"""Where is the network wrong, or the data?"""

import numpy as np
import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.runs import Run
from embedlab.space.quality import label_issues, most_confident_errors
from embedlab.ui import cache
from embedlab.ui.choices import choose_part
from embedlab.ui.closer import look_at
from embedlab.ui.doubts_form import doubts
from embedlab.ui.export import export_buttons
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.gallery import caption
from embedlab.ui.mistakes.confusions import show_confusion
from embedlab.ui.mistakes.oddities import show_oddities
from embedlab.ui.picture_grid import picture_grid
from embedlab.ui.text import plain

SHOWN = 24
FEW = 3  # pictures that everybody sees at a glance
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


def show_errors(run: Run, rows: np.ndarray) -> None:
    """Show the mistakes that the network is surest of."""
    found = most_confident_errors(run.labels[rows], run.probabilities[rows])
    if not len(found.rows):
        st.success("Not one mistake in this part.", icon=":material/check:")
        return
    show_with_suggestion(
        run,
        rows[found.rows],
        found.predictions,
        found.confidences,
        key="errors",
        label="The surest mistakes",
        word="taken for",
    )
    export_buttons(
        run,
        rows[found.rows],
        name="errors",
        taken_for=[run.classes[k] for k in found.predictions],
        confidence=found.confidences,
    )


def show_with_suggestion(
    run: Run,
    rows: np.ndarray,
    others: np.ndarray,
    shares: np.ndarray,
    *,
    key: str,
    label: str,
    word: str,
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
        label=label,
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
    training = run.info.get("training")
    st.markdown(
        "Classifiers that have **not seen** a picture are asked about it. Where they firmly "
        "disagree with its label, the label may be wrong."
    )
    if training and not training.get("freeze"):
        st.caption(
            "The network's body, whose embeddings they go by, was trained on most of these labels: "
            "wrong ones that it has learned by heart are not found."
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
        label="Pictures whose label may be wrong",
        word="fits",
    )
    export_buttons(
        run,
        found.rows,
        name="doubtful-labels",
        fits_better=[run.classes[k] for k in found.suggestions],
        probability_of_label=found.confidences,
    )


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
    missing = "head" if run.labels is not None else "labels"
    text = f"This run has no {missing}, so there are no mistakes to count."
    if run.n_items > FEW:
        text += " Duplicates and outliers can still be found."
    st.info(text, icon=":material/info:")
if run.labels is not None:
    st.header("Labels that may be wrong", anchor=False)
    try:
        show_doubts(run)
    except EmbedlabError as error:
        st.info(plain(str(error)), icon=":material/info:")
if run.n_items > FEW:
    show_oddities(run)
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
