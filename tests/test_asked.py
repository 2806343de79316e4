"""Numbers out of their range are refused at once, in one line, before a picture is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from embedlab.cli import main

from .embed_call import photos

EMBED = ("embed", "{pictures}", "{folder}/out.npy", "-m", "small", "--weights", "random", "-q")
IMPORT = ("import", "{folder}/body.safetensors", "{pictures}", "-q")
VECTORS = ("import", "{folder}/x.npy", "-q")
LAYERS = ("layers", "garden", "-q")
TRAIN = ("train", "{pictures}", "--backbone", "small", "-q")
SIDE = "The side can be 1 to 4,096 px"
CASES: list[tuple[tuple[str, ...], tuple[str, ...], str]] = [
    (EMBED, ("--resize", "0"), SIDE),
    (EMBED, ("--resize", "100000"), "Pictures of 100,000 px were asked for."),
    (EMBED, ("-d", "0"), "0 dimensions were asked for, and the vectors have 96."),
    (EMBED, ("-d", "97"), "Ask for 1 to 96"),
    (EMBED, ("-b", "0"), "The batch size is 0."),
    (EMBED, ("--limit", "0"), "The limit is 0."),
    (EMBED, ("--seed", "-1"), "The seed is -1."),
    (EMBED, ("--seed", "4294967296"), "any whole number from 0 to 4,294,967,295"),
    (EMBED, ("-l", "nowhere"), "small has no cut 'nowhere'"),
    (IMPORT, ("--size", "-3"), SIDE),
    (IMPORT, ("--validation", "1.5"), "The share for validation is 1.5."),
    (IMPORT, ("--validation", "-1"), "0.2 is a fifth"),
    (IMPORT, ("--limit", "0"), "The limit is 0."),
    (IMPORT, ("--split-seed", "-1"), "The seed is -1."),
    (IMPORT, ("--normalise", "mine"), "There are: imagenet, half, none."),
    (IMPORT, ("--device", "abacus"), "'abacus' is no device"),
    (IMPORT, ("--classes", "{folder}/empty.txt"), "it is empty"),
    (VECTORS, ("--validation", "1"), "The share for validation is 1."),
    (VECTORS, ("--", "{folder}/nowhere"), "There is no folder"),
    (LAYERS, ("--size", "0"), SIDE),
    (LAYERS, ("-b", "0"), "The batch size is 0."),
    (TRAIN, ("--size", "0"), "size"),
    (TRAIN, ("--validation", "1"), "The share for validation is 1."),
]


@pytest.mark.parametrize(
    ("command", "options", "said"), CASES, ids=[" ".join((c[0], *o)) for c, o, _ in CASES]
)
def test_what_cannot_be_is_refused_before_any_picture_is_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    options: tuple[str, ...],
    said: str,
) -> None:
    def read(*_: Any, **__: Any) -> None:
        pytest.fail("pictures were looked at")

    for place in ("embedding.embed.open_stream", "importing.run.load_dataset"):
        monkeypatch.setattr(f"embedlab.{place}", read)
    monkeypatch.setattr("embedlab.data.sources.load_dataset", read)
    for name in ("body.safetensors", "x.npy", "empty.txt"):
        (tmp_path / name).touch()
    places = {"folder": str(tmp_path), "pictures": str(photos(tmp_path / "pictures", n=2))}
    with pytest.raises(SystemExit) as error:
        main([word.format(**places) for word in (*command, *options)])
    assert error.value.code == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if "embedlab" in line]
    assert len(lines) == 1 and said in lines[0]
    assert not list(tmp_path.glob("*out*"))
