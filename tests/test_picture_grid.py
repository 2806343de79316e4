"""The gallery: what reaches the browser, and what comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from embedlab.ui.assets import bundle
from embedlab.ui.picture_grid import picture_grid

APP = Path(__file__).parent / "apps" / "grid_app.py"


def cells(at: AppTest) -> list[dict[str, object]]:
    (element,) = at.get("bidi_component")
    found: list[dict[str, object]] = json.loads(element.proto.json)["cells"]
    return found


def test_cells_carry_rows_captions_and_marks_in_order() -> None:
    at = AppTest.from_file(str(APP)).run()
    assert not at.exception
    sent = cells(at)
    assert [cell["row"] for cell in sent] == [7, 3, 11, 4, 5, 6, 8, 9, 0]
    assert [cell["mark"] for cell in sent][:3] == ["query", "same", "other"]
    assert sent[2]["label"] == "<b>tulip</b>"  # text all the way; the script sets textContent
    assert len({cell["url"] for cell in sent}) == len(sent)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="2 rows, 2 captions and 1 marks"):
        picture_grid([1, 2], key="k", thumbnails=[b"", b"", b""], marks=["same"])


def test_bundle_puts_imported_modules_first_and_once(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("export const A = 1;\n")
    (tmp_path / "b.js").write_text('import { A } from "./a.js";\nexport const b = () => A;\n')
    entry = tmp_path / "c.js"
    imports = 'import { A } from "./a.js";\nimport {\n  b,\n} from "./b.js";\n'
    entry.write_text(imports + "export default () => A + b();\n")
    text = bundle(entry)
    assert text.count("const A = 1;") == 1
    assert text.index("const A") < text.index("const b") < text.index("export default")
    assert "import" not in text
    assert text.count("export") == 1
    (tmp_path / "b.js").write_text('import { A } from "./a.js";\nexport function A() {}\n')
    with pytest.raises(ValueError, match=r"c\.js joins modules that both have A"):
        bundle(entry)
