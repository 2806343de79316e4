"""Pictures, table and target brought together: what is taken for what, left out, and warned of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from embedlab.assembling import Assembled, assemble
from embedlab.cli import main
from embedlab.data.encoding import TableEncoder
from embedlab.data.sources import load_dataset
from embedlab.data.table import read_table
from embedlab.errors import EmbedlabError
from embedlab.fusing import fuse
from embedlab.models.fusion_settings import FusionSettings

from .test_fusion import QUICKLY, houses


def kinds_of(assembled: Assembled) -> dict[str, str]:
    return {column.name: column.kind for column in assembled.columns}


def test_a_person_says_what_the_target_is(tmp_path: Path) -> None:
    photos, path = houses(tmp_path)
    pictures, table = load_dataset(photos), read_table(path).frame
    table["zipcode"] = np.resize([85255, 36372, 90210, *range(10000, 10009)], len(table))
    found = assemble(pictures, table, target="zipcode")
    assert len(found.target.classes) == 12 and found.dataset.classes == found.target.classes
    assert any("'zipcode' is taken as 12 classes" in said for said in found.warnings)
    told = assemble(pictures, table, target="zipcode", kinds={"zipcode": "categorical"})
    assert told.target.classes == found.target.classes
    assert not any("is taken as" in said for said in told.warnings)
    for target in ("zipcode", "rooms"):
        number = assemble(pictures, table, target=target, kinds={target: "numeric"})
        assert number.target.classes == () and kinds_of(number)[target] == "target"
    assert assemble(pictures, table, target="rooms").target.classes == ("1", "2", "3", "4")


def test_the_command_line_overrules_the_kind_of_the_target(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, path = houses(tmp_path)
    words = ["fuse", str(photos), str(path), "--target", "rooms", "--numeric", "rooms"]
    main([*words, *QUICKLY])
    assert json.loads(capsys.readouterr().out)["metrics"] == ["R²", "MAE"]
    with pytest.raises(SystemExit):
        main([*words, "--categorical", "rooms"])
    assert "both numeric and categorical" in capsys.readouterr().err


def test_the_column_that_names_the_pictures_may_be_ignored_and_nothing_else(
    tmp_path: Path,
) -> None:
    photos, path = houses(tmp_path)
    pictures, table = load_dataset(photos), read_table(path).frame
    found = assemble(pictures, table, target="town", kinds={"picture": "ignore"})
    assert "picture" not in kinds_of(found)
    for options in (
        {"target": "picture"},
        {"target": "town", "kinds": {"picture": "categorical"}},
    ):
        with pytest.raises(EmbedlabError, match=r"'picture' names the pictures.*--key NAME"):
            assemble(pictures, table, **options)


@pytest.mark.filterwarnings("error")
def test_monstrous_numbers_neither_crash_nor_count(tmp_path: Path) -> None:
    photos, path = houses(tmp_path)
    pictures, table = load_dataset(photos), read_table(path).frame
    n = len(table)
    table["large"] = [1e60 if k == 5 else k % 7 + 0.5 for k in range(n)]
    table["monstrous"] = [1.79e308 if k in (5, 9) else k % 7 + 0.5 for k in range(n)]
    found = assemble(pictures, table, target="town")
    assert "'monstrous' is missing in 2 of 47 rows." in found.warnings
    assert found.dataset.table is not None
    for rows in (np.arange(5), np.arange(n)):
        encoder = TableEncoder.fit(found.dataset.table, found.columns, rows)
        assert np.isfinite(encoder.encode(found.dataset.table).numbers).all()


def test_the_command_line_names_damaged_pictures_and_rows_without_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, path = houses(tmp_path)
    (photos / "0.png").write_bytes(b"no picture")
    quickly = [word for word in QUICKLY if word != "--json"]
    main(["fuse", str(photos), str(path), "--target", "town", *quickly])
    said = capsys.readouterr().err
    assert "left out: 0.png: " in said and "1 row has no picture: 0.png." in said
    assert "1 picture has no row: 47.png." in said


def test_numbers_as_people_write_them_are_columns_and_targets(tmp_path: Path) -> None:
    photos, path = houses(tmp_path)
    pictures, table = load_dataset(photos), read_table(path).frame
    n = len(table)
    table["price"] = [f"${350_000 + 1001 * k:,}" for k in range(n)]
    table["area"] = [f"{k % 17 + 0.5} m2" if k else "unknown" for k in range(n)]
    table["tax"] = [*(f"{k}.5" for k in range(n - 1)), "-inf"]
    found = assemble(pictures, table, target="price")
    assert found.target.classes == () and found.target.values.max() == 350_000 + 1001 * (n - 1)
    assert {"area": "numeric", "tax": "numeric"}.items() <= kinds_of(found).items()
    assert found.dataset.table is not None and found.dataset.table["area"].isna().sum() == 1
    for said in (
        "'$350,000' is 350000",
        "without the unit 'm2'",
        "'unknown' in row 1.",
        "'-inf' in row 47",
    ):
        assert any(said in warning for warning in found.warnings), said
    terciles = assemble(pictures, table.assign(rooms="many"), target="price", n_classes=3)
    assert len(terciles.target.classes) == 3
    table["price"] = [f"{350_001 + 1001 * k:{',' * (k % 2 == 0)}}" for k in range(n)]
    with pytest.raises(EmbedlabError, match=r"too many for classes.*'350,001' may have a decimal"):
        assemble(pictures, table, target="price")


def test_the_band_of_a_number_is_a_leak_of_its_classes(tmp_path: Path) -> None:
    photos, path = houses(tmp_path)
    pictures, table = load_dataset(photos), read_table(path).frame
    table["band"] = pd.qcut(table["price"], 3, labels=["lo", "mid", "hi"]).astype(object)
    found = assemble(pictures, table, target="price", n_classes=3)
    alone = [said for said in found.warnings if "alone predicts" in said]
    assert {said.split("'")[1] for said in alone} == {"band", "tax"} and len(alone) == 2


def test_pictures_without_a_row_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(60):
        folder = tmp_path / "photos" / "abc"[i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    pictures = load_dataset(tmp_path / "photos")
    table = pd.DataFrame({"image": [f"{i}.png" for i in range(60)], "x": rng.normal(size=60)})
    found = assemble(pictures, table.iloc[:40])
    assert len(found.dataset) == 40 and found.dataset.table is not None
    assert not found.dataset.table.isna().any(axis=None)
    assert found.warnings == ("20 pictures without a row are left out.",)
    assert found.dataset.classes == ("a", "b", "c")
    two = assemble(pictures, table[table.index % 3 != 1])
    assert two.dataset.classes == ("a", "c") and set(two.target.values) == {0, 1}
    assert "1 class has no picture with a row: b." in two.warnings
    with pytest.raises(EmbedlabError, match="All pictures that have a row are of one class, b"):
        assemble(pictures, table[table.index % 3 == 1])
    table["y"] = np.where(np.arange(60) == 7, np.nan, rng.normal(size=60))
    lone = assemble(pictures, table.iloc[:59], target="y")
    assert lone.warnings[:2] == (
        "1 picture without a row is left out.",
        "1 picture without a target is left out.",
    )


def test_a_parquet_with_lists_is_fused_without_them(tmp_path: Path) -> None:
    photos, path = houses(tmp_path)
    table = read_table(path).frame
    table["boxes"] = [[k, k + 1] for k in range(len(table))]
    table["point"] = [{"x": k} for k in range(len(table))]
    table.to_parquet(tmp_path / "t.parquet")
    found = assemble(
        load_dataset(photos), read_table(tmp_path / "t.parquet").frame, target="price", log=True
    )
    assert kinds_of(found)["boxes"] == kinds_of(found)["point"] == "ignore"
    assert "'boxes' is left out: it holds lists." in found.warnings
    run = fuse(found, backbone="histogram", size=24, settings=FusionSettings(epochs=2), seeds=2)
    assert "table.rooms" in run.items and "table.boxes" not in run.items
