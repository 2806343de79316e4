"""The three walls of the house, held in fresh processes and in the source itself."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

PACKAGE = ROOT / "embedlab"
HEAVY = {"torch", "torchvision", "umap", "numba"}


def modules_after(code: str) -> set[str]:
    """Run code in a fresh interpreter; give the top-level modules that it loaded."""
    script = f"{code}\nimport sys; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        check=False,
        text=True,
        cwd=ROOT,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def sources(*places: Path) -> list[Path]:
    return sorted(path for place in places for path in place.rglob("*.py"))


def imported(path: Path) -> dict[str, int]:
    """Map each imported module's full name to the line that imports it, wherever it stands."""
    names: dict[str, int] = {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):  # what is there for type checkers alone is never imported
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({alias.name: node.lineno for alias in node.names})
        elif isinstance(node, ast.ImportFrom) and node.module:
            names[node.module] = node.lineno
            names.update({f"{node.module}.{alias.name}": node.lineno for alias in node.names})
    return names


def test_importing_embedlab_loads_next_to_nothing() -> None:
    loaded = modules_after("import embedlab; dir(embedlab)")
    assert not loaded & (HEAVY | {"numpy", "pandas", "streamlit", "plotly", "sklearn", "PIL"})


def test_looking_at_a_run_needs_no_torch() -> None:
    code = """
import embedlab
run = embedlab.open_run("garden")
run.items, run.embeddings, run.head, run.labels, run.probabilities, run.thumbnails[0], run.history
from embedlab.space import neighbours, projections, prototypes, scores, similarity
import embedlab.figures, embedlab.views, embedlab.data.sources
"""
    assert not modules_after(code) & HEAVY


def test_pages_need_no_torch() -> None:
    """Every page is drawn on the built-in run, with torch and umap forbidden."""
    code = """
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "torchvision", "umap", "numba"):
            raise ImportError(f"{name} is forbidden here")
sys.meta_path.insert(0, Wall())
from streamlit.testing.v1 import AppTest
from embedlab.ui.frame import PAGES
app = AppTest.from_file("app.py", default_timeout=60).run()
assert not app.exception, app.exception
for entries in PAGES.values():
    for entry in entries:
        app.switch_page(f"pages/{entry.file}.py").run()
        assert not app.exception, (entry.file, app.exception)
        assert not app.error, (entry.file, app.error)
"""
    assert not modules_after(code) & HEAVY


def test_only_models_import_torch() -> None:
    for path in sources(PACKAGE, ROOT / "pages"):
        if PACKAGE / "models" in path.parents:
            continue
        for name, line in imported(path).items():
            assert name.split(".")[0] not in ("torch", "torchvision", "onnxscript"), (
                f"{path}:{line}"
            )


def test_only_the_app_knows_streamlit() -> None:
    for path in sources(PACKAGE):
        if PACKAGE / "ui" in path.parents or path == PACKAGE / "cli" / "app.py":
            continue
        for name, line in imported(path).items():
            assert name.split(".")[0] != "streamlit", f"{path}:{line}"


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("space", ("plotly", "embedlab.figures", "embedlab.runs", "embedlab.models")),
        ("figures", ("sklearn", "scipy", "embedlab.space", "embedlab.models", "embedlab.runs")),
        ("data", ("embedlab.models", "embedlab.runs", "embedlab.space", "embedlab.figures")),
        ("models", ("embedlab.runs", "embedlab.space", "embedlab.figures", "embedlab.ui")),
    ],
)
def test_arrows_point_one_way(package: str, forbidden: tuple[str, ...]) -> None:
    for path in sources(PACKAGE / package):
        for name, line in imported(path).items():
            assert not name.startswith(forbidden), f"{path}:{line} imports {name}"
