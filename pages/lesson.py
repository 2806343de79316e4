"""What have you seen? Twelve questions."""

import random

import streamlit as st

from embedlab.lessons import QUESTIONS, Question
from embedlab.lessons.answers import class_asked, picture_asked
from embedlab.runs import Run
from embedlab.ui.frame import PAGES, current_run, framed, header
from embedlab.ui.text import plain

framed()


def class_name(run: Run) -> str | None:
    """Give the name of the class that is asked of, as it is written in the run."""
    class_ = class_asked(run)
    names = run.classes if run.head is None else run.head.classes
    return None if class_ is None else names[class_]


def address(question: Question, run: Run) -> dict[str, str]:
    """Say what the address of the page to look at should hold: the run, and what is asked of."""
    known = {"{class}": class_name(run), "{picture}": picture_asked(run)}
    found = {key: known.get(value, value) for key, value in question.link.items()}
    return {"run": run.id} | {key: str(one) for key, one in found.items() if one is not None}


def ask(number: int, question: Question, run: Run) -> tuple[bool, bool]:
    """Show one question; give whether it is answered, and whether wrongly."""
    class_ = plain(class_name(run) or "a class")
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
                    f"pages/{question.page}.py",
                    label="Look there",
                    icon=":material/visibility:",
                    query_params=address(question, run),
                )
            shown = st.toggle("Show the answer", key=f"lesson-answer-{number}")
        right = bool(question.choices) and choice == question.choices[0]
        if choice and question.choices:
            if right:
                st.success("Yes.", icon=":material/check:")
            else:
                st.warning("Not quite: look again.", icon=":material/visibility:")
        if shown:
            st.markdown(question.answer(run).replace("{class}", class_))
    return bool(choice), bool(choice and question.choices) and not right


run = current_run()
header(
    "What have you seen?",
    "Twelve questions lead through the pages. Answer, look, then open the answer: it is told with "
    f"the numbers of the run you are looking at, **{plain(run.title)}**.",
)
given = [ask(number, question, run) for number, question in enumerate(QUESTIONS, 1)]
done, wrong = (sum(column) for column in zip(*given, strict=True))
st.progress(
    done / len(QUESTIONS),
    text=f"{done} of {len(QUESTIONS)} answered" + (f", {wrong} of them not quite" if wrong else ""),
)
