"""How does a network of your own see pictures?"""

import streamlit as st

from embedlab.ui.access import may_start_jobs
from embedlab.ui.bring_form import bring_form
from embedlab.ui.frame import current_run, explain, framed, header
from embedlab.ui.job_panel import chosen_job, watch_for_run

framed()
run = current_run()
header(
    "How does a network of your own see pictures?",
    "Bring what you have trained or embedded elsewhere, and look at it as at any other run. Notice "
    "**which pages it reaches**: vectors alone have no head, weights have everything.",
)
if not may_start_jobs():
    st.info(
        "This server is for looking: it takes no files from visitors. On a machine of your own:",
        icon=":material/lock:",
    )
    st.code(
        "embedlab import mine.pth my_photos --backbone resnet18\n"
        "embedlab import vectors.npy --table items.csv",
        language="bash",
    )
else:
    job = chosen_job()
    if job is not None:
        watch_for_run(job, page="home", label="Look at it")
    bring_form()
n, d = run.embeddings.shape
explain(
    r"x_i = f(p_i), \qquad \text{logits}_i = W x_i + b",
    [
        ("f", "picture -> (d,)", "your body: all of your network but its last linear layer"),
        ("x", f"({n:,}, {d:,})", "embeddings, here those of the run that is looked at"),
        ("W, b", "(c, d), (c,)", "your head, where the file has one: c rows for c classes"),
    ],
    """from pathlib import Path
from embedlab.importing.run import import_run

run = import_run(Path("mine.pth"), "my_photos", backbone="resnet18")""",
    words="Weights are read without running code, and every tensor that does not fit is named. Of "
    "an ONNX network, a last linear layer with as many outputs as there are classes is taken for "
    "the head. Vectors are taken as they are; those that are not finite are left out by name.",
)
