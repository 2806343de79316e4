"""What the README shows is run here."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
COMMANDS = [
    line.split("#")[0].strip()
    for language, code in BLOCKS
    if language == "bash"
    for line in code.splitlines()
    if line.startswith("embedlab")
]
QUICK = ("embedlab --help", "embedlab doctor", "embedlab runs", "embedlab runs show garden")


@pytest.mark.parametrize("code", PYTHON)
def test_python_snippets_run(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {})


def test_what_the_snippets_say_of_the_garden_is_true() -> None:
    from embedlab import open_run

    run = open_run("garden")
    assert f"# {run.embeddings.shape} {run.embeddings.dtype}" in README
    assert run.head is not None
    assert f"# {run.head.weight.shape}: one prototype a class" in README


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist(command: str) -> None:
    """Quick commands are run; of the others, every option must be one that the command has."""
    words = shlex.split(command)[1:]
    if command not in QUICK:
        options = [word for word in words if word.startswith("--")]
        path = [words[0], *([words[1]] if words[0] in ("runs", "jobs") and len(words) > 1 else [])]
        done = call([*path, "--help"])
        assert done.returncode == 0, done.stderr
        for option in options:
            assert re.search(rf"{option}\b", done.stdout), f"{command}: no {option}"
        return
    done = call(words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def call(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "embedlab", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_first_two_commands_are_what_ci_does() -> None:
    """CI runs the README's own test command."""
    script = (Path(ROOT) / ".ci" / "run").read_text(encoding="utf-8")
    command = ".venv/bin/python -m pytest -n 2"
    assert command in script and command in README


def test_requirements_name_what_the_package_needs() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = {line for line in lines if line and not line.startswith(("#", "-"))}
    assert listed == set(project["dependencies"])


def test_every_page_is_in_the_table() -> None:
    from embedlab.ui.frame import PAGES

    for entries in PAGES.values():
        for entry in entries:
            assert f"| {entry.title} | {entry.question}" in README, entry.title
