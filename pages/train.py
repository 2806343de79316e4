"""What will a network make of your pictures?"""

import streamlit as st

from embedlab.ui.access import may_start_jobs
from embedlab.ui.frame import explain, framed, header
from embedlab.ui.job_queue import queue_panel
from embedlab.ui.train_form import train_form
from embedlab.ui.train_watch import job_to_watch, watch

framed()
header(
    "What will a network make of your pictures?",
    "Notice, once it learns, how the pictures of a class find each other on the map, which classes "
    "part late, and when the validation accuracy stops following the training accuracy.",
)
if not may_start_jobs():
    st.info(
        "This server is for looking: it does not train for visitors. On a machine of your own, "
        "two commands do.",
        icon=":material/lock:",
    )
    st.code("pip install -e .\nembedlab app", language="bash")
    st.page_link("pages/film.py", label="See a training as a film", icon=":material/movie:")
else:
    job = job_to_watch()
    if job is not None:
        watch(job)
        st.subheader("Train another network", anchor=False)
    train_form()
    st.subheader("Jobs", anchor=False)
    st.caption(
        "One at a time. A job goes on when this tab is closed or the app is stopped; come back to "
        "this page to find it."
    )
    queue_panel()
explain(
    r"\min_{\theta, W, b} \; \frac1n \sum_i "
    r"-\log \operatorname{softmax}(W f_\theta(x_i) + b)_{y_i}",
    [
        ("f(x)", "(d,)", "the body: a picture's embedding; frozen, its weights stay as they are"),
        ("W, b", "(c, d), (c,)", "the head: one row and one bias a class"),
        ("y", "(n,)", "the true classes"),
    ],
    """from embedlab.data.sources import load_dataset
from embedlab.experiment import train

run = train(load_dataset("digits"), backbone="small", epochs=2)
run.info["metrics"]["validation"]["accuracy"]""",
    words="The small map follows up to 200 validation pictures. Each frame shows the two "
    "directions in which they vary most at that moment, turned so that it continues the frame "
    "before; taking frames costs at most a twentieth of the time and changes nothing in the "
    "training.",
)
