"""What does the network look for in each class?"""

import numpy as np
import streamlit as st

from embedlab.runs import Head, Run
from embedlab.space.logits import alignments
from embedlab.ui import cache
from embedlab.ui.choices import choose_k, choose_part
from embedlab.ui.export import export_buttons
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.gallery import gallery
from embedlab.ui.prototypes.arrows import show_arrows
from embedlab.ui.prototypes.cosines import show_cosines
from embedlab.ui.prototypes.logit import show_logit
from embedlab.ui.state import choose_row, heed_link
from embedlab.ui.text import numbers, plain


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
