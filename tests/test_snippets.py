"""The lines that pages offer for a notebook: they run, and give what the page shows."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from embedlab.data.pictures import decode
from embedlab.home import home
from embedlab.models.onnx_body import OnnxBody
from embedlab.runs import Run, open_run
from embedlab.space.neighbours import knn
from embedlab.space.oddities import outliers
from embedlab.space.scores import precision_at_k

from .made_runs import made_run
from .test_pages import FILES, opened

SKIPPED = {"train", "bring"}  # they train, or name files that are not here


def value_of(code: str) -> Any:
    """Run lines as a notebook does: the value of the last one, if it is an expression."""
    tree = ast.parse(code)
    names: dict[str, Any] = {}
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(code, names)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def nearest(run: Run) -> list[int]:
    """The nine validation pictures nearest to the first one, by plain NumPy."""
    held = np.flatnonzero(run.split == "validation")
    x = np.asarray(run.embeddings, np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    others = held[1:]
    return others[np.argsort(-(x[others] @ x[held[0]]), kind="stable")][:9].tolist()


def most_of_the_first_class(run: Run) -> list[int]:
    assert run.head is not None
    held = np.flatnonzero(run.split == "validation")
    scores = run.embeddings[held].astype(np.float64) @ run.head.weight[0]
    return held[np.argsort(-scores, kind="stable")][:9].tolist()


def precision_of_pixels(run: Run) -> float:
    assert run.labels is not None
    held, pixels = run.split == "validation", run.vectors("pixels")
    return precision_at_k(run.labels[held], knn(pixels[held], 9, "cosine").rows).mean


def twins_and_strangers(run: Run) -> tuple[int, list[int]]:
    return 0, outliers(run.embeddings).rows[:12].tolist()


def logits_of_the_first(run: Run) -> list[list[float]]:
    """The logits of the first validation picture, sent through the body where there is one."""
    assert run.head is not None
    row = int(np.flatnonzero(run.split == "validation")[0])
    vector = run.embeddings[[row]]
    if run.body is not None:
        assert run.preprocessing is not None
        body = OnnxBody(run.body, run.preprocessing)
        vector = body.embed([decode(run.thumbnails[row])])
    return (vector @ run.head.weight.T + run.head.bias).tolist()


SHOWN: dict[str, Callable[[Run], Any]] = {
    "neighbours": nearest,
    "prototypes": most_of_the_first_class,
    "pixels": precision_of_pixels,
    "mistakes": twins_and_strangers,
    "body_and_head": logits_of_the_first,
}


@pytest.mark.parametrize("run", ["garden", "squares"])
@pytest.mark.parametrize("page", [page for page in FILES if page not in SKIPPED])
def test_the_same_in_a_notebook(page: str, run: str) -> None:
    if run == "squares":
        made_run(home("runs") / run)
    app = opened(page, run)
    for block in app.code:
        if block.language == "python":
            found = value_of(block.value)
            if page in SHOWN:
                found = found.tolist() if isinstance(found, np.ndarray) else found
                assert found == SHOWN[page](open_run(run))
