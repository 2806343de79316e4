"""What does the network look for in each class?"""

from dataclasses import replace

import numpy as np
import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.figures.contributions import contributions
from embedlab.figures.matrices import READABLE, cosine_table
from embedlab.figures.palette import class_style
from embedlab.runs import Head, Run
from embedlab.space.logits import LogitParts, alignments, exciting, logit_parts
from embedlab.space.prototypes import (
    READINGS,
    Directions,
    Points,
    arrows,
    class_means,
    closest_prototypes,
    mean_cosines,
    prototype_cosines,
)
from embedlab.space.vectors import mean, usable
from embedlab.space.views import LinearView
from embedlab.ui import cache, drawings
from embedlab.ui.choices import choose_k, choose_part
from embedlab.ui.export import export_buttons
from embedlab.ui.fragments import fragment
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.gallery import gallery
from embedlab.ui.linked_map import Arrows, Panel, linked_map
from embedlab.ui.maps import run_points, selection
from embedlab.ui.query import choose_query
from embedlab.ui.state import choose_row, heed_link
from embedlab.ui.text import numbers, plain

READING_TITLES = {"moves": "moves along w", "rises": "score rises"}


def show_galleries(run: Run, head: Head, class_: int, part: str, k: int) -> None:
    """Show the pictures that point along a prototype most, and least."""
    found = alignments(head.weight, head.bias, run.embeddings, class_)
    rows = cache.part_rows(run, part)
    order = found.order[np.isin(found.order, rows)]
    name, number = head.classes[class_], len(head.classes) == 1
    titles = (f"Highest {name}", f"Lowest {name}") if number else (f"Most {name}", f"Least {name}")
    for title, chosen in zip(titles, (order[:k], order[::-1][:k]), strict=True):
        st.subheader(plain(title), anchor=False)
        gallery(
            run,
            chosen.tolist(),
            key=f"aligned-{title}",
            scores=[
                f"{score} · {found.logits[row]:,.2f}"
                + ("" if number else f" · {found.probabilities[row]:.0%}")
                for row, score in zip(chosen, numbers(found.scores[chosen], 2), strict=True)
            ],
            query_label=class_ if run.labels is not None else None,
            label=title,
            on_click=lambda row: choose_row(run, row),
        )
        export_buttons(
            run,
            chosen,
            name=f"{title.partition(' ')[0].lower()}-{class_}",
            score=found.scores[chosen],
            logit=found.logits[chosen],
        )
    bias = f"the bias ({head.bias[class_]:+.3f})"
    st.caption(
        f"Below each picture: its score (embedding · prototype) and, with {bias}, the number that "
        "is predicted. Click a picture to take it apart below."
        if number
        else "Below each picture: its score (embedding · prototype), logit and probability. "
        f"The score leaves out {bias} and the other classes; the logit takes the bias in, the "
        "probability both. Click a picture to take its logit apart below."
    )


def readable(head: Head, class_: int) -> np.ndarray:
    """Give the classes whose prototypes are drawn: of many, those that are most like one."""
    c = len(head.classes)
    if c <= READABLE:
        return np.arange(c)
    st.markdown(
        f"Of the {c:,} classes, **{plain(head.classes[class_])}** and the {READABLE - 1} whose "
        "prototypes point most nearly where its own does."
    )
    return closest_prototypes(Directions(head.weight, head.classes), class_, READABLE)


def arrow_panel(
    panel: Panel, view: LinearView, head: Head, drawn: np.ndarray, reading: str, reach: tuple
) -> Panel:
    """Add prototypes to a panel, as arrows from its origin.

    `reach` is how far they reach, as a share of the points' extent, and True; or else the plain
    factor and False.
    """
    flat = view.pick((0, 1))
    names = tuple(head.classes[k] for k in drawn)
    tips = arrows(flat, Directions(head.weight[drawn], names), reading=reading, scale=1.0)
    length, fit = reach
    factor = length * drawings.room_for_arrows(flat.coordinates, tips) if fit else length
    return replace(
        panel,
        arrows=Arrows(
            names,
            factor * tips,
            [class_style(k).colour for k in drawn.tolist()],
            origin="0 is the mean of the data",
            note=f"arrows x{factor:,.3g}",
        ),
    )


def arrow_length() -> tuple[float, bool]:
    """Choose how long arrows are drawn: a number, and whether it is fitted to each map."""
    plain_factor = st.toggle(
        "One factor for all maps",
        key="plain-factor",
        bind="query-params",
        help="Draws each prototype so many times longer in every map, also where the arrows then "
        "leave it. Otherwise each map has a factor of its own, which stands below it.",
    )
    if plain_factor:
        return st.slider(
            "Length of the arrows", 0.5, 20.0, 5.0, 0.5, key="scale", width=260, format="x%.1f"
        ), False
    reach = st.slider(
        "Length of the arrows",
        10,
        120,
        80,
        10,
        key="reach",
        width=260,
        format="%d %%",
        help="How far the farthest arrow reaches, from the origin to the edge of the points.",
    )
    return reach / 100, True


@fragment
def show_arrows(run: Run, head: Head, class_: int, part: str) -> None:
    """Show PCA and LDA with the prototypes as arrows."""
    drawn = readable(head, class_)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reading = st.segmented_control(
            "An arrow shows",
            list(READINGS),
            format_func=READING_TITLES.__getitem__,
            default="moves",
            required=True,
            key="reading",
            bind="query-params",
        )
        reach = arrow_length()
    st.markdown(READINGS[reading])
    view = drawings.principal(run, "embedding")
    panel = drawings.pca_panel(run, "embedding", "pca12")
    panels = [arrow_panel(panel, view, head, drawn, reading, reach)]
    if run.labels is not None:
        try:
            view = drawings.discriminant(run, "embedding")
            panel = drawings.lda_panel(run, "embedding", part="train", shuffled=False)
            panels.append(arrow_panel(panel, view, head, drawn, reading, reach))
        except EmbedlabError as error:
            st.info(f"LDA: {plain(str(error))}", icon=":material/info:")
    state = linked_map(
        panels,
        points=run_points(run, "label" if run.labels is not None else "split", part=part),
        key="prototype-map",
        memory=f"run:{run.id}",
        height=400,
        label="Pictures and prototypes",
    )
    st.caption(
        "A prototype is a direction, not a point: only how it points counts, so all arrows of a "
        "map share one length factor. In PCA both readings agree; LDA's axes are not at right "
        "angles, so there they differ. UMAP has no axes, so it can have no arrows: there, a "
        "prototype is shown by the pictures that it ranks first, above."
    )
    selection(
        run, state, key="prototype-selection", hint="Click a dot, or draw a loop.", panels=panels
    )


def show_cosines(run: Run, head: Head, class_: int) -> None:
    """Compare the prototypes with each other and with the class means."""
    shown = readable(head, class_)
    directions = Directions(head.weight[shown], tuple(head.classes[k] for k in shown))
    left, right = st.columns(2)
    with left:
        st.markdown("**Prototype with prototype**")
        st.plotly_chart(
            cosine_table(prototype_cosines(directions), directions.names, directions.names),
            key="cosines",
            config={"displayModeBar": False},
        )
    if run.labels is None:
        return
    train = run.split == "train"
    of = "training pictures" if train.any() else "pictures"  # an imported run may have none
    used = train if train.any() else np.full(run.n_items, True)
    means = class_means(run.embeddings[used], run.labels[used], run.classes)
    if len(means.names) > READABLE:  # as a rule the head's own classes; those that are drawn
        places = {name: place for place, name in enumerate(means.names)}
        there = [places[name] for name in directions.names if name in places]
        there = there or list(range(READABLE))
        means = Points(means.values[there], tuple(means.names[place] for place in there))
    centre = mean(run.embeddings, used & usable(run.embeddings))
    with right:
        st.markdown("**Prototype (down) with class mean (across)**")
        st.plotly_chart(
            cosine_table(
                mean_cosines(directions, means, centre=centre), directions.names, means.names
            ),
            key="mean-cosines",
            config={"displayModeBar": False},
        )
    st.caption(
        f"Class means are points and are centred on the mean of the {of}; prototypes "
        "are directions and are not. A high cosine on the diagonal says that the class lies where "
        "its prototype points; it is not 1, for a prototype also points away from the others."
    )


def digits_that_add_up(parts: LogitParts) -> int:
    """Find how many decimals to show so that the shown terms add up to the shown logit."""
    for digits in range(3, 9):
        terms = round(parts.dot, digits) + round(parts.bias, digits)
        if round(terms, digits) == round(parts.logit, digits):
            return digits
    return 9


def digits_that_multiply(parts: LogitParts, digits: int) -> int:
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
    n = digits_that_add_up(parts)
    m = digits_that_multiply(parts, n)
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


framed()
run = current_run()
header(
    "What does the network look for in each class?",
    "Each row of the head is a **prototype**: a direction in the embedding space. Notice what the "
    "most aligned pictures share, and that the least aligned are not noise but other classes.",
)
head = run.head
if head is None:
    st.info(
        "This run has no head, so it has no prototypes. Train one on these pictures "
        "(`embedlab train FOLDER --freeze`) or choose another run.",
        icon=":material/info:",
    )
else:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        heed_link("class", {name: name for name in head.classes}, "class")
        class_ = st.selectbox("Class", head.classes, key="class", bind="query-params", width=220)
        part = choose_part(run)
        k = choose_k()
    number = head.classes.index(class_)
    show_galleries(run, head, number, part, k)
    st.header("Prototypes as arrows", anchor=False)
    show_arrows(run, head, number, part)
    st.header("Prototypes among themselves, and class means", anchor=False)
    show_cosines(run, head, number)
    st.header(f"A logit of {plain(class_)}, taken apart", anchor=False)
    show_logit(run, head, number, part)
    c, d = head.weight.shape
    explain(
        r"\text{logit}_k = w_k \cdot x + b_k = |x|\,|w_k|\cos\theta + b_k, \qquad "
        r"\text{arrow}_k = s\, A^\top w_k \;\text{ or }\; s\,(A^\top A)^{-1} A^\top w_k",
        [
            ("W", f"({c}, {d:,})", "the head's weight: one prototype a row"),
            ("b", f"({c},)", "one bias a class"),
            ("A", f"({d:,}, 2)", "the axes of the drawing: PCA's components, LDA's scalings"),
        ],
        f"""import numpy as np
from embedlab import open_run
from embedlab.space.logits import alignments

run = open_run({run.id!r})
found = alignments(run.head.weight, run.head.bias, run.embeddings, {number})
among = np.arange(run.n_items){"" if part == "all" else f"[run.split == {part!r}]"}
found.order[np.isin(found.order, among)][:{k}].tolist()""",
        words="The two readings of an arrow: where a picture goes when its vector **moves along** "
        "the prototype, and where the **score rises** fastest in the drawn plane.",
    )
