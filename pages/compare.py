"""What difference does it make?"""

import streamlit as st

from embedlab.figures.intervals import share_intervals
from embedlab.pairing import differences, same_pictures
from embedlab.runs import Run
from embedlab.space.scores import Share
from embedlab.ui import cache
from embedlab.ui.access import may_start_jobs
from embedlab.ui.compare.computed import paired
from embedlab.ui.compare.heads import TITLE, show_heads
from embedlab.ui.compare.maps import show_maps
from embedlab.ui.compare.sides import show_sides
from embedlab.ui.compare.surroundings import show_neighbours
from embedlab.ui.frame import current_run, explain, framed, header, run_name, run_names
from embedlab.ui.text import plain, told_apart

VIEWS = {
    "sides": "Who is right",
    "neighbours": "Neighbours",
    "maps": "Maps",
    "heads": TITLE,
}
WITH = "with"
OF_A_PAIR = {"sides": show_sides, "neighbours": show_neighbours, "maps": show_maps}


def choose_others(run: Run) -> list[Run]:
    """Choose runs to set beside the current one; those of the same pictures come first."""
    others = [other for other in cache.runs().values() if other.id != run.id]
    others.sort(key=lambda other: (not same_pictures(run, other), not _called_alike(run, other)))
    if not others:
        st.info(
            "There is only this one run on this machine. Train another one, with one thing "
            "changed, to see what difference it makes. **Heads on one body** needs one run only.",
            icon=":material/balance:",
        )
        if may_start_jobs():
            st.page_link("pages/train.py", label="Train", icon=":material/model_training:")
        return []
    ids = {other.id: other for other in others}
    # The address always names them: on another day, or another machine, others may come first.
    linked = [id_ for id_ in st.query_params.get_all(WITH) if id_ in ids]
    kept = st.session_state.get(WITH)
    if linked:
        st.session_state[WITH] = linked
    elif kept is None or (kept and not set(kept) & set(ids)):  # it may be the current one by now
        alike = same_pictures(run, others[0]) or _called_alike(run, others[0])
        st.session_state[WITH] = [others[0].id] if alike else []
    names = run_names()
    chosen = st.multiselect(
        f"{plain(run_name(run))} beside",
        list(ids),
        format_func=lambda id_: names.get(id_, id_),
        key=WITH,
        on_change=_put_others_into_address,
        max_selections=5,
    )
    _put_others_into_address()
    if not chosen:
        st.caption(
            "Choose runs of the same pictures, if there are any, to see where they part; "
            "**Heads on one body** needs this run only."
        )
    return [ids[id_] for id_ in chosen if id_ in ids]


def _called_alike(run: Run, other: Run) -> bool:
    """Say whether two sets of pictures have one name: a part, or another version, of the same."""
    first, second = (one.info.get("dataset", {}).get("name") for one in (run, other))
    return bool(first == second)


def _put_others_into_address() -> None:
    st.query_params[WITH] = st.session_state[WITH]


def held_share(run: Run) -> Share | None:
    """Give the validation accuracy that a run keeps."""
    held = run.info.get("metrics", {}).get("validation", {})
    return Share(int(held["correct"]), int(held["total"])) if held.get("total") else None


def show_overview(runs: list[Run]) -> None:
    """Show the accuracies with their intervals, and the settings that differ."""
    left, right = st.columns([2, 3], gap="medium")
    scored = [(run, share) for run in runs if (share := held_share(run)) is not None]
    with left:
        if scored:
            st.plotly_chart(
                share_intervals(
                    told_apart([run_name(run) for run, _ in scored]),
                    [share.value for _, share in scored],
                    [share.interval for _, share in scored],
                    title="validation accuracy, 95 % interval",
                ),
                key="accuracies",
                config={"displayModeBar": False},
            )
            st.caption(
                "Each run's own validation pictures. One number from one seed is not a result: "
                "another seed moves it too."
            )
        else:
            st.caption("None of these runs has predictions to score.")
    with right:
        rows = differences(runs)
        if not rows:
            st.markdown("These runs do not differ in any setting.")
            return
        names = [run_name(run) for run in runs]
        titles = told_apart(names)
        st.dataframe(
            [{"setting": name, **dict(zip(titles, values, strict=True))} for name, values in rows],
            hide_index=True,
            height=min(38 + 35 * len(rows), 320),
            column_config={
                title: st.column_config.TextColumn(width=180, help=name)
                for title, name in zip(titles, names, strict=True)
            },
        )


def show_pair(view: str, first: Run, others: list[Run]) -> None:
    """Show one view of the current run and one other."""
    second = others[0]
    if len(others) > 1:
        ids = {other.id: other for other in others}
        chosen = st.segmented_control(
            f"{plain(run_name(first))} against",
            list(ids),
            format_func=lambda id_: run_name(ids[id_]),
            default=second.id,
            required=True,
            key=f"against-{'-'.join(ids)}",
        )
        second = ids[chosen]
    pairing = paired(first, second)
    if not len(pairing):
        st.info(
            "These two runs have no picture in common, so only their settings can be compared.",
            icon=":material/info:",
        )
        return
    st.caption(
        f"{len(pairing):,} of {first.n_items:,} and {second.n_items:,} pictures are in both, "
        f"by their {pairing.by}."
    )
    OF_A_PAIR[view](first, second, pairing)


framed()
run = current_run()
header(
    "What difference does it make?",
    "Notice that two runs may be right equally often and yet about **different pictures**: what "
    "counts is on how many pictures they part, and how evenly.",
)
others = choose_others(run)
if others:
    show_overview([run, *others])
view = st.segmented_control(
    "Compare",
    list(VIEWS),
    format_func=VIEWS.__getitem__,
    default="sides" if others else "heads",
    required=True,
    key="compare-view" if others else "compare-view-alone",
    label_visibility="collapsed",
    bind="query-params",
)
if view == "heads":
    show_heads(run)
elif others:
    show_pair(view, run, others)
n, d = run.embeddings.shape
explain(
    r"p = P\!\left(|B - \tfrac{m}{2}| \ge |b - \tfrac{m}{2}|\right),\; B \sim "
    r"\text{Binomial}(m, \tfrac12) \qquad \min_{R^\top R = 1,\,s} \lVert s\,Y R - X \rVert",
    [
        ("m, b", "()", "pictures that exactly one run gets right; those that the first does"),
        ("X, Y", "(n, 2)", "the two drawings of the shared pictures, each around its mean"),
        ("R, s", "(2, 2), ()", "the turn and the scale that lay one over the other"),
        ("embeddings", f"({n:,}, {d:,})", "what other heads are fitted to"),
    ],
    f"""from embedlab import open_run
from embedlab.space.heads import compare_heads

run = open_run({run.id!r})
train, held = run.split == "train", run.split == "validation"
for score in compare_heads(run.embeddings, run.labels, rows=train, held_out=held).scores:
    print(score.name, score.share.value)""",
    words="McNemar's exact test looks only at the pictures on which the two differ.",
)
