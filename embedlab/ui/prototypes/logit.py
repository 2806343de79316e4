"""One picture's logit, taken apart."""

from __future__ import annotations

import streamlit as st

from embedlab.figures.contributions import contributions
from embedlab.runs import Head, Run
from embedlab.space.logits import LogitParts, exciting, logit_parts
from embedlab.ui.gallery import gallery
from embedlab.ui.query import choose_query
from embedlab.ui.state import choose_row
from embedlab.ui.text import numbers


def _digits_that_add_up(parts: LogitParts) -> int:
    """Find how many decimals to show so that the shown terms add up to the shown logit."""
    for digits in range(3, 9):
        terms = round(parts.dot, digits) + round(parts.bias, digits)
        if round(terms, digits) == round(parts.logit, digits):
            return digits
    return 9


def _digits_that_multiply(parts: LogitParts, digits: int) -> int:
    """Find how many decimals of lengths and cosine give the dot product as it is shown."""
    for more in range(3, 12):
        product = round(parts.length_x, more) * round(parts.length_w, more)
        if round(product * round(parts.cosine, more), digits) == round(parts.dot, digits):
            return more
    return 12


def show_logit(run: Run, head: Head, class_: int, part: str) -> None:
    """Take one picture's logit apart."""
    left, right = st.columns([1, 3], gap="medium")
    with left:
        query = choose_query(run, "embedding", own=False, part=part)
    if query.row is None:
        return
    parts = logit_parts(head.weight[class_], head.bias[class_], run.embeddings[query.row])
    n = _digits_that_add_up(parts)
    m = _digits_that_multiply(parts, n)
    with right:
        # Two formulas, for a phone shows one below the other but would cut a long one.
        with st.container(horizontal=True, horizontal_alignment="center", gap="large"):
            st.latex(
                rf"\underbrace{{{parts.length_x:.{m}f}}}_{{|x|}} \times "
                rf"\underbrace{{{parts.length_w:.{m}f}}}_{{|w|}} \times "
                rf"\underbrace{{{parts.cosine:.{m}f}}}_{{\cos}} = {parts.dot:.{n}f}",
                width="content",
            )
            st.latex(
                rf"{parts.dot:.{n}f} {parts.bias:+.{n}f} = "
                rf"\underbrace{{{parts.logit:.{n}f}}}_{{\text{{logit}}}}",
                width="content",
            )
        top = parts.top(8)
        shown = [round(float(parts.contributions[j]), n) for j in top]
        rest = round(round(parts.dot, n) - sum(shown), n)
        st.plotly_chart(
            contributions(
                top.tolist(),
                shown,
                rest=rest,
                bias=round(parts.bias, n),
                logit=round(parts.logit, n),
                digits=n,
            ),
            key="contributions",
            config={"displayModeBar": False},
        )
        others = len(parts.contributions) - len(top)
        rows = [
            f"| {j} | {run.embeddings[query.row][j]:.3f} | {head.weight[class_][j]:+.3f} | "
            f"{value:+.{n}f} |"
            for j, value in zip(top, shown, strict=True)
        ]
        with st.expander("The same as a table", icon=":material/table:"):
            st.markdown(
                "| dimension | picture x | prototype w | adds x w |\n|---|---|---|---|\n"
                + "\n".join(rows)
                + (f"\n| {others} others | | | {rest:+.{n}f} |" if others else "")
                + f"\n| **sum** | | | **{parts.dot:.{n}f}** |"
            )
        dimension = st.pills(
            "Which pictures excite a dimension?", top.tolist(), default=int(top[0]), required=True
        )
        most = exciting(run.embeddings, int(dimension), 8)
        gallery(
            run,
            most.rows.tolist(),
            key="exciting",
            scores=numbers(most.scores, 2),
            cell=88,
            label=f"Pictures that excite dimension {dimension}",
            on_click=lambda row: choose_row(run, row),
        )
