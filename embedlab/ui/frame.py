"""The frame around every page: the list of pages, the run that is looked at, kind errors."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from embedlab.errors import EmbedlabError
from embedlab.figures.style import BLACK, WHITE
from embedlab.home import app_folder
from embedlab.origin import is_split_known
from embedlab.runs import Run
from embedlab.ui import cache
from embedlab.ui.fragments import say
from embedlab.ui.sparing import spare_modules
from embedlab.ui.state import link_notes
from embedlab.ui.text import plain

# A file of our own: Streamlit fetches the icons of its own set from a server elsewhere.
ICON = Path(__file__).parent / "icon.svg"
# Streamlit draws the words of charts in a grey that is hard to read on a light page. They take
# the page's own colour here, but for those that a figure has given a colour to stand on another.
_OWN = "".join(f":not([style*='{colour}'])" for colour in (BLACK, WHITE))
_WORDS = ".xtick text, .ytick text, .x2tick text, .y2tick text, .cbaxis text, .legendtext, "
_WORDS += "[class^='g-x'] text, [class^='g-y'] text, .annotation-text, .heatmap-label text, "
_WORDS += ".bartext-outside"
# On the light primary colour of dark pages, Streamlit's white words could not be read.
_ON_PRIMARY = '.stMultiSelect [data-tag], button[kind^="primary"]'
FITTING = 30  # letters of a run's name that the box in the sidebar shows
# On a low screen the list of pages is set closer, so that the choice of a run below is in sight.
_LOW = """@media (max-height: 900px) and (pointer: fine) {
  [data-testid="stSidebarHeader"] { margin-bottom: 0; }
  [data-testid="stSidebarNavLink"] { margin: 0; height: 28px; }
  [data-testid="stSidebarNavLinkContainer"] { height: 28px; }
  [data-testid="stNavSectionHeader"] { margin-top: 4px; margin-bottom: 2px; }
  [data-testid="stSidebarNavSeparator"] { padding-top: 6px; }
  [data-testid="stSidebarUserContent"] { padding-top: 8px; }
}"""
STYLE = f"""<style>
{_LOW}
:is({_ON_PRIMARY}), :is({_ON_PRIMARY}) * {{ color: light-dark(#fff, #111715) !important; }}
.stPlotlyChart :is({_WORDS}){_OWN} {{ fill: currentColor !important; opacity: 0.9; }}
</style>"""
CHANGED = EmbedlabError(
    "embedlab was changed on this machine while this server was running.",
    remedy="Stop the server and start it again: embedlab app.",
)
_completed = st.components.v2.component(
    "embedlab.completed",
    js=(Path(__file__).parent / "frontend" / "completed.js").read_text(encoding="utf-8"),
)
_LOGGER = logging.getLogger(__name__)
_state = threading.local()


@dataclass(frozen=True)
class Entry:
    """One page: its file below pages/ (which is also its address), title, icon, question."""

    file: str
    title: str
    icon: str
    question: str = ""


PAGES: dict[str, tuple[Entry, ...]] = {
    "": (Entry("home", "Home", "local_florist"),),
    "Look": (
        Entry("neighbours", "Neighbours", "hub", "Which pictures does the network find alike?"),
        Entry("similarity", "Similarity", "compare_arrows", "How alike are two pictures?"),
        Entry("projections", "Projections", "scatter_plot", "Where do the pictures lie?"),
        Entry(
            "pixels",
            "Pixels or embedding",
            "grid_on",
            "What does each representation keep of a picture?",
        ),
        Entry(
            "prototypes",
            "Prototypes",
            "north_east",
            "What does the network look for in each class?",
        ),
        Entry(
            "body_and_head",
            "Body and head",
            "account_tree",
            "What becomes of a picture on its way through the network?",
        ),
        Entry("layers", "Layers", "layers", "How deep to cut?"),
        Entry("mistakes", "Mistakes", "troubleshoot", "Where is the network wrong, or the data?"),
        Entry("film", "Training film", "movie", "What changes while a network learns?"),
        Entry("compare", "Compare runs", "balance", "What difference does it make?"),
        Entry("fusion", "Fusion", "join_inner", "Does a table add to the pictures?"),
    ),
    "Make": (
        Entry("train", "Train", "model_training", "What will a network make of your pictures?"),
        Entry("bring", "Bring", "upload", "How does a network of your own see pictures?"),
    ),
    "Learn": (Entry("lesson", "Lesson", "school", "What have you seen?"),),
}


def _navigation() -> Any:
    # First of all, on a page alone too, or the browser asks elsewhere for the page's icon.
    st.set_page_config(page_title="embedlab", page_icon=str(ICON), layout="wide")
    folder = app_folder() / "pages"
    sections = {
        name: [
            st.Page(
                folder / f"{entry.file}.py",
                title=entry.title,
                icon=f":material/{entry.icon}:",
                url_path=None if entry.file == "home" else entry.file,
                default=entry.file == "home",
            )
            for entry in entries
        ]
        for name, entries in PAGES.items()
    }
    return st.navigation(sections, expanded=True)


def start() -> None:
    """Draw the frame and run the chosen page in it. app.py calls this and nothing else."""
    page = _navigation()
    st.html(STYLE)
    _state.framed = True
    try:
        with st.sidebar:
            _choose_run()
        above = st.container()
        page.run()
        for note in link_notes():
            above.warning(f"{note} The usual is shown.", icon=":material/link_off:")
    except EmbedlabError as error:
        say(error)
    except ImportError as error:
        if not (error.name or "").startswith("embedlab"):
            raise
        # Pages are read anew for every visitor, what they import only once.
        _LOGGER.exception("embedlab's files have changed since this server was started")
        say(CHANGED)
    finally:
        _state.framed = False
        spare_modules()


def framed() -> None:
    """Stand at the top of every page: bring the frame when a deep link ran the page alone.

    On a server that has just started, Streamlit runs a linked page without app.py.
    """
    if not getattr(_state, "framed", False):
        _navigation()
        st.rerun()


def _choose_run() -> None:
    runs = cache.runs()
    if not runs:
        st.info("There is no run on this machine yet.")
        return
    asked = st.query_params.get("run")
    if asked in runs:
        st.session_state["run"] = asked
    else:
        if asked is not None:
            st.session_state["missing_run"] = asked
        if st.session_state.get("run") not in runs:
            st.session_state["run"] = next(iter(runs))
        # The address always names the run: on another machine, another one may come first.
        st.query_params["run"] = st.session_state["run"]
    names = run_names()
    st.selectbox(
        "Run",
        list(runs),
        format_func=lambda id_: names.get(id_, id_),
        key="run",
        on_change=_put_run_into_address,
        help="A run is one set of pictures seen by one network.",
    )
    run = current_run()
    title = names.get(run.id, run.title)
    if len(title) > FITTING:  # the box above shows only its beginning
        st.caption(f"**{plain(title)}**")
    st.caption(run_line(run))
    _completed(key="completed", data={"parameter": "run"}, height=1)


def _put_run_into_address() -> None:
    st.query_params["run"] = st.session_state["run"]


def current_run() -> Run:
    """Give the run that is looked at.

    Raises
    ------
    EmbedlabError
        If there is no run at all.
    """
    runs = cache.runs()
    if not runs:
        raise EmbedlabError(
            "There is no run on this machine yet.",
            remedy="Make one from the built-in pictures: embedlab train garden.",
        )
    id_ = st.session_state.get("run")
    return runs[id_] if id_ in runs else next(iter(runs.values()))


def run_names() -> dict[str, str]:
    """Name every run by its title, with its id where another run has the same title."""
    runs = cache.runs().values()
    times = Counter(run.title for run in runs)
    return {
        run.id: run.title if times[run.title] < 2 else f"{run.title} ({run.id})" for run in runs
    }


def run_name(run: Run) -> str:
    """Give the run's name among all; for many runs at once, `run_names`."""
    return run_names().get(run.id, run.title)


def run_line(run: Run) -> str:
    """Sum a run up in one line: pictures, backbone, accuracy with its interval."""
    parts = [f"{run.n_items:,} pictures", str(run.info["backbone"].get("title", ""))]
    metrics = run.info.get("metrics", {}).get("validation", {})
    if metrics.get("total"):
        from embedlab.space.scores import wilson

        low, high = wilson(metrics["correct"], metrics["total"])
        share = metrics["correct"] / metrics["total"]
        what = "validation accuracy"
        if not is_split_known(run):
            what = "accuracy on all pictures, whether it was trained on them or not,"
        parts.append(f"{what} {share:.1%} (95 %: {low:.1%} to {high:.1%})")
    return plain(" · ".join(parts))


def header(question: str, notice: str) -> None:
    """Open a page: its question, and one sentence on what to notice."""
    st.title(question, anchor=False)
    st.markdown(notice)
    missing = st.session_state.pop("missing_run", None)
    if missing is not None:
        st.warning(
            f"The link asks for a run called {plain(missing[:80])}, which is not on this "
            f"machine. You are looking at {plain(current_run().title)} instead.",
            icon=":material/link_off:",
        )


def explain(
    formula: str,
    shapes: list[tuple[str, str, str]],
    code: str,
    *,
    words: str = "",
) -> None:
    """Unfold how a page's result is computed.

    Parameters
    ----------
    formula : str
        LaTeX, without dollar signs.
    shapes : list of (name, shape, meaning)
        The arrays that take part, with this run's live numbers.
    code : str
        A few runnable lines that give the same result in a notebook.
    words : str
        What a reader should know besides; Markdown.
    """
    with st.expander("How is this computed?", icon=":material/function:"):
        if words:
            st.markdown(words)
        st.latex(formula)
        rows = "\n".join(f"| `{name}` | `{shape}` | {means} |" for name, shape, means in shapes)
        st.markdown(f"| array | shape | what it holds |\n|---|---|---|\n{rows}")
        st.markdown("The same in a notebook:")
        st.code(code, language="python")
