"""What have you seen? Twelve questions."""

import random

import streamlit as st

from embedlab.lessons import QUESTIONS, Question
from embedlab.runs import Run
from embedlab.ui.frame import PAGES, current_run, framed, header
from embedlab.ui.text import plain

framed()


def ask(number: int, question: Question, run: Run) -> bool:
    """Show one question; give whether it is answered."""
    class_ = plain(run.classes[min(2, len(run.classes) - 1)]) if run.classes else "a class"
    with st.container(border=True):
        st.markdown(f"**{number}. {question.title.replace('{class}', class_)}**")
        st.markdown(question.text.replace("{class}", class_))
        choice = None
        if question.choices:
            order = random.Random(number).sample(question.choices, len(question.choices))
            choice = st.radio(
                "Your answer", order, index=None, key=f"lesson-{number}", persist_state="session"
            )
        else:
            choice = st.text_area(
                "Your answer", key=f"lesson-{number}", persist_state="session", height=80
            )
        known = {entry.file for entries in PAGES.values() for entry in entries}
        with st.container(horizontal=True):
            if question.page in known:
                st.page_link(
                    f"pages/{question.page}.py", label="Look there", icon=":material/visibility:"
                )
            shown = st.toggle("Show the answer", key=f"lesson-answer-{number}")
        right = bool(question.choices) and choice == question.choices[0]
        if choice and question.choices:
            if right:
                st.success("Yes.", icon=":material/check:")
            else:
                st.warning("Not quite: look again.", icon=":material/visibility:")
        if shown:
            st.markdown(question.answer(run))
    return right or bool(choice and not question.choices)


run = current_run()
header(
    "What have you seen?",
    "Twelve questions lead through the pages. Answer, look, then open the answer: it is told with "
    f"the numbers of the run you are looking at, **{plain(run.title)}**.",
)
done = sum([ask(number, question, run) for number, question in enumerate(QUESTIONS, 1)])
st.progress(done / len(QUESTIONS), text=f"{done} of {len(QUESTIONS)} answered")
