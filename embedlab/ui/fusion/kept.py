"""What `embedlab fuse` found out and kept in a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from embedlab.figures.contributions import branch_bars
from embedlab.figures.readings import bars_with_intervals
from embedlab.runs import Run
from embedlab.shares import Shares, load_shares
from embedlab.ui.gallery import gallery
from embedlab.ui.state import choose_row
from embedlab.ui.text import plain

SHOWN = 6
BARS = 12  # classes whose logits are taken apart
SETTINGS = {
    "fusion": "fusion",
    "hidden": "table branch",
    "dropout": "dropout",
    "picture_dropout": "picture dropout",
    "modality_dropout": "modality dropout",
    "learning_rate": "learning rate",
    "weight_decay": "weight decay",
}


def show_kept(run: Run) -> None:
    """Show the verdict, the arms, the columns, and how the table was read."""
    found = run.info["fusion"]
    metric = found["metrics"][0]
    leaks = [text for text in found["warnings"] if "alone predicts the target" in text]
    for text in leaks:
        st.warning(plain(text), icon=":material/warning:")
    st.info(plain(found["verdict"]), icon=":material/gavel:")
    arms = found["arms"].values()
    share = metric == "accuracy"
    n = len(found["seeds"])
    what = f"in {len(run.classes)} classes" if share else "as a number"
    st.markdown(f"What is to be told: **{plain(found['target'])}**, {what}.")
    st.plotly_chart(
        bars_with_intervals(
            [arm["title"] for arm in arms],
            [arm[metric]["mean"] for arm in arms],
            [tuple(arm[metric]["interval"]) for arm in arms],
            baseline=float(run.items["label"].value_counts(normalize=True).max())
            if share
            else None,
            title=f"{metric}, mean of {n} splits",
            share=share,
        ),
        key="arms",
        config={"displayModeBar": False},
    )
    st.caption(_how(found, n) + (" Dashed: always saying the commonest class." if share else ""))
    with st.expander("The numbers", icon=":material/table:"):
        _numbers(found)
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Which columns matter", anchor=False)
        st.dataframe(
            [{"column": name, "lost": drop} for name, drop in found["importance"].items()],
            hide_index=True,
        )
        st.caption(
            f"How much {metric} the fused network loses on held-out pictures when one column is "
            "shuffled, as the mean over the splits. Columns that say the same stand in for each "
            "other, and then each looks unimportant."
        )
    with right:
        st.header("How the table was read", anchor=False)
        for sentence in (*found["joined"], *(w for w in found["warnings"] if w not in leaks)):
            st.markdown(f"- {plain(sentence)}")
        st.dataframe(
            [
                {
                    "column": column["name"],
                    "taken for": column["kind"],
                    "why": column["why"],
                    "missing": column["n_missing"],
                    "different values": column["n_distinct"],
                }
                for column in found["columns"]
            ],
            hide_index=True,
        )


def _how(found: dict[str, Any], n: int) -> str:
    """Say in a caption how the arms were compared."""
    search, tuned = int(found.get("search", 1)), found.get("body") == "fine-tuned"
    care = (
        f"Each network chose the best of {search} settings on pictures that are not held out. "
        if search > 1
        else "All have the same settings. "
    )
    body = (
        "The body was fine-tuned along with each of them. "
        if tuned
        else "The body of the picture branch was not trained: fine-tuning it may still help. "
    )
    return (
        f"The mean over {n} random splits, each with its own initial weights, and its 95 % "
        "interval, which allows for the splits' sharing pictures (Nadeau and Bengio, 2003). "
        + care
        + body
        + "Whether one beats another is judged split by split, so intervals here may overlap. The "
        "shuffled table has its rows dealt anew to the pictures. Boosting gets the first 32 "
        "principal components of the embedding beside the columns."
    )


def _numbers(found: dict[str, Any]) -> None:
    st.dataframe(
        [
            {
                "arm": arm["title"],
                "score": name,
                "mean": arm[name]["mean"],
                "from": arm[name]["interval"][0],
                "to": arm[name]["interval"][1],
            }
            for arm in found["arms"].values()
            for name in found["metrics"]
        ],
        hide_index=True,
    )
    chosen = found.get("chosen_settings", {})
    if int(found.get("search", 1)) > 1 and chosen:
        st.markdown("Settings that were chosen:")
        st.dataframe(
            [
                {
                    "arm": found["arms"][arm]["title"],
                    "split": seed,
                    **{words: one[name] for name, words in SETTINGS.items()},
                }
                for arm, settings in chosen.items()
                for seed, one in zip(found["seeds"], settings, strict=True)
            ],
            hide_index=True,
        )


def show_shares(run: Run, row: int) -> None:
    """Show what picture and table each brought to one answer, and where one of them decided."""
    shares = load_shares(run)
    if shares is None:
        return
    st.subheader("Who said what", anchor=False)
    _show_one(run, shares, row)
    held = np.flatnonzero(run.split == "validation")
    order = held[np.argsort(-shares.lead()[held], kind="stable")]
    columns = st.columns(2, gap="medium")
    titles = ("Decided by the picture", "Decided by the table")
    for column, title, rows in zip(columns, titles, (order, order[::-1]), strict=True):
        with column:
            st.markdown(f"**{title}**")
            gallery(
                run,
                rows[:SHOWN].tolist(),
                key=f"shares-{title}",
                cell=88,
                label=title,
                on_click=lambda chosen: choose_row(run, chosen),
            )
    st.caption(
        "Validation pictures on which one branch pulled harder than the other towards what was "
        "answered. Click one to see its parts."
    )


def _show_one(run: Run, shares: Shares, row: int) -> None:
    names = list(run.classes) or [run.info["fusion"]["target"]]
    answer = shares.base + shares.picture[row] + shares.table[row]
    shown = np.sort(np.argsort(-answer, kind="stable")[:BARS])
    st.plotly_chart(
        branch_bars(
            [names[k] for k in shown],
            shares.base[shown],
            shares.picture[row][shown],
            shares.table[row][shown],
        ),
        key="branches",
        config={"displayModeBar": False},
    )
    every = "each class" if len(shown) == len(names) else f"the {len(shown)} likeliest classes"
    what = f"logit of {every}" if run.classes else "predicted number"
    st.caption(
        f"The {what}, taken apart: what the network answers when neither branch says more than it "
        "says on average, what this picture adds, and what its row of the table adds. These are "
        "Shapley values of the two branches: the mean of both orders in which they may speak. They "
        "add up to the answer."
    )
