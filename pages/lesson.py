"""What have you seen? Twelve questions."""

import random

import streamlit as st

from embedlab.lessons import QUESTIONS, Question
from embedlab.lessons.answers import class_asked, picture_asked
from embedlab.runs import Run
from embedlab.ui.frame import PAGES, current_run, framed, header
from embedlab.ui.text import plain

LETTERS = "abcdefgh"

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


def shuffled(number: int, question: Question) -> list[str]:
    """Put a question's choices into an order that is the same for everybody."""
    return random.Random(number).sample(question.choices, len(question.choices))


def heed_answers() -> None:
    """Take over the answers in the address, where this session did not put them there itself.

    A letter a question: the place of the choice, or "-". An address without any may come from
    another page, and changes nothing.
    """
    text = st.query_params.get("answers", "")
    if not text or text == st.session_state.get("lesson-linked"):
        return
    for number, question in enumerate(QUESTIONS, 1):
        place = LETTERS.find(text[number - 1 : number] or "-")
        if question.choices:
            inside = 0 <= place < len(question.choices)
            choice = shuffled(number, question)[place] if inside else None
            st.session_state[f"lesson-{number}"] = choice


def link_answers() -> None:
    """Put the choices into the address: for a reload, and to be passed on."""
    letters = []
    for number, question in enumerate(QUESTIONS, 1):
        choice = st.session_state.get(f"lesson-{number}") if question.choices else None
        letters.append(LETTERS[shuffled(number, question).index(choice)] if choice else "-")
    text = "".join(letters)
    st.session_state["lesson-linked"] = text
    if text.strip("-") or "answers" in st.query_params:
        st.query_params["answers"] = text


def ask(number: int, question: Question, run: Run) -> tuple[bool, bool]:
    """Show one question; give whether it is answered, and whether wrongly."""
    class_ = plain(class_name(run) or "a class")
    with st.container(border=True):
        st.markdown(f"**{number}. {question.title.replace('{class}', class_)}**")
        st.markdown(question.text.replace("{class}", class_))
        choice = None
        if question.choices:
            choice = st.radio(
                "Your answer",
                shuffled(number, question),
                index=None,
                key=f"lesson-{number}",
                persist_state="session",
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
heed_answers()
given = [ask(number, question, run) for number, question in enumerate(QUESTIONS, 1)]
link_answers()
done, wrong = (sum(column) for column in zip(*given, strict=True))
st.progress(
    done / len(QUESTIONS),
    text=f"{done} of {len(QUESTIONS)} answered" + (f", {wrong} of them not quite" if wrong else ""),
)
