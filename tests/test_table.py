"""Tables as people have them, and how they meet their pictures."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from embedlab import load_dataset
from embedlab.data.table import join, read_table
from embedlab.errors import EmbedlabError

IDS = ("rose/1.jpg", "rose/2.jpg", "tulip/1.jpg", "tulip/3.jpg")


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_texts_are_read_however_they_were_saved(
    newline: str, delimiter: str, encoding: str, tmp_path: Path
) -> None:
    rows = [["image", "größe", "note"], ["a.jpg", "7", '"x, y; z"'], ["b.jpg", "8", "é"]]
    text = newline.join(delimiter.join(row) for row in rows) + newline
    if encoding == "utf-16-le-bom":
        text, encoding = "\ufeff" + text, "utf-16-le"
    table = read_table(written(tmp_path / "t.csv", text, encoding))
    assert table.frame.columns.tolist() == ["image", "größe", "note"]
    assert table.frame["größe"].tolist() == [7, 8]
    assert table.frame["note"].tolist() == ["x, y; z", "é"]
    assert bool(table.notes) == (encoding == "cp1252")


def test_columns_are_numbers_only_when_all_of_them_are(tmp_path: Path) -> None:
    text = (
        "id,whole,float,mixed,code,long,gap,empty,yes\n"
        "a,1,1.5,1,01234,12345678901234567890,3,,True\n"
        "b,-2,2e3,two,85255,1,NA,,False\n"
        "c,3,-.5,3,00000,2,N/A,NaN,True\n"
    )
    frame = read_table(written(tmp_path / "t.csv", text)).frame
    kinds = {column: frame[column].dtype.kind for column in frame}
    assert (kinds["whole"], kinds["float"], kinds["gap"]) == ("i", "f", "f")
    assert frame["float"].tolist() == [1.5, 2000, -0.5]
    assert frame["mixed"].tolist() == ["1", "two", "3"]
    assert frame["code"].tolist() == ["01234", "85255", "00000"]
    assert frame["long"][0] == "12345678901234567890"
    assert frame["gap"].isna().tolist() == [False, True, True]
    assert frame["empty"].isna().all()
    assert frame["yes"].tolist() == ["True", "False", "True"]


def test_decimal_commas_are_read_where_the_comma_is_no_delimiter(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path / "t.csv", "bild;preis\na.jpg;1,5\nb.jpg;-20\n")).frame
    assert frame["preis"].tolist() == [1.5, -20]


def test_commas_that_may_stand_between_thousands_are_left_for_later(tmp_path: Path) -> None:
    text = "bild\tpreis\tlänge\tbreite\na\t350,000\t1,234\t1.234\nb\t425,500\t0,5\t1,5\n"
    frame = read_table(written(tmp_path / "t.tsv", text)).frame
    assert frame["preis"].tolist() == ["350,000", "425,500"]
    assert frame["länge"].tolist() == [1.234, 0.5]
    assert frame["breite"].tolist() == ["1.234", "1,5"]


def test_points_that_may_stand_between_thousands_are_said(tmp_path: Path) -> None:
    rows = [("a", "350.000", "1.25"), ("b", "425.500", "2.125"), ("c", "99.000", "3.5")]
    for delimiter, said in ((";", 1), ("\t", 0)):
        lines = [delimiter.join(row) for row in [("bild", "preis", "note"), *rows]]
        table = read_table(written(tmp_path / "t.csv", "\n".join(lines)))
        assert table.frame["preis"].tolist() == [350, 425.5, 99]
        assert len(table.notes) == said
    lines = [";".join(row) for row in [("bild", "preis", "note"), *rows]]
    notes = read_table(written(tmp_path / "t.csv", "\n".join(lines))).notes
    assert "'preis' was read with a decimal point: '350.000' is 350." in notes[0]


def test_blanks_around_names_of_columns_are_taken_off(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "image , y,\u00a0z\na,1,2\nb,3,4\n")
    table = read_table(path)
    assert table.frame.columns.tolist() == ["image", "y", "z"]
    assert table.notes == (
        "Blanks around these names of columns were taken off: 'image', 'y', 'z'.",
    )
    pd.DataFrame({" y": [1], "z ": [2]}).to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").frame.columns.tolist() == ["y", "z"]
    for frame in (pd.DataFrame([[1, 2]], columns=[" y", "y"]),):
        frame.to_csv(tmp_path / "t.csv", index=False)
        frame.to_parquet(tmp_path / "t.parquet")
        for name in ("t.csv", "t.parquet"):
            with pytest.raises(EmbedlabError, match=f"{name} has several columns called 'y', bl"):
                read_table(tmp_path / name)


def test_decimals_of_a_parquet_are_numbers(tmp_path: Path) -> None:
    long = Decimal(12345678901234567890)
    frame = pd.DataFrame(
        {
            "price": [Decimal("1.50"), None],
            "rooms": [Decimal(3), Decimal(4)],
            "gap": [Decimal(3), None],
            "long": [long, Decimal(1)],
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet").frame
    assert [read[name].dtype.kind for name in ("price", "rooms", "gap")] == ["f", "i", "f"]
    assert read["price"][0] == 1.5 and read["price"].isna()[1]
    assert read["long"].tolist() == [str(long), "1"]


def test_lists_of_a_parquet_do_not_hinder_the_join(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "boxes": [[1, 2], [3], [3], [4], None],
            "image": ["a.jpg", "b.jpg", "b.jpg", "c.jpg", "c.jpg"],
            "point": [{"x": 1}] * 5,
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    joined = join(read_table(tmp_path / "t.parquet").frame, ("a.jpg", "b.jpg", "c.jpg"))
    assert (joined.report.key, joined.report.matched) == ("image", 2)
    assert joined.report.doubles == ("c.jpg",) and joined.rows.tolist() == [0, 2, -1]


def test_fractions_may_have_as_many_digits_as_pandas_writes(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,x,long\na,0.30000000000000004,1234567890123456\nb,2,1234567890123457\n")
    frame = read_table(path).frame
    assert frame["x"].tolist() == [0.1 + 0.2, 2.0]
    assert frame["long"].tolist() == ["1234567890123456", "1234567890123457"]


def test_infinite_numbers_stay_text(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path / "t.csv", "a,b\nx,1\ny,inf\n")).frame
    assert frame["b"].tolist() == ["1", "inf"]


def test_a_column_that_only_counts_the_rows_is_dropped(tmp_path: Path) -> None:
    pd.DataFrame({"image": ["a", "b"], "price": [5, 6]}).to_csv(tmp_path / "t.csv")
    table = read_table(tmp_path / "t.csv")
    assert table.frame.columns.tolist() == ["image", "price"]
    assert "only counts the rows" in table.notes[0]


def test_parquet_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"image": ["a", "b"], "price": [5, 6]}, index=[7, 8])
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").frame["price"].tolist() == [5, 6]
    (tmp_path / "t.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:-30])
    with pytest.raises(EmbedlabError, match="is damaged"):
        read_table(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no table"),
        (b"a,b\n", "has no rows"),
        (b"a,b\n1,2\n1,2,3\n", "Expected 2 fields in line 3, saw 3"),
        (b'a,b,c\n1,2,3\n\n4,"x\ny"\n', "Line 5 of t.csv has 2 cells, and the header has 3"),
        (b"a,b,c\n1\n", "Line 2 of t.csv has 1 cell, and"),
        (b"a,b\n1,2\n1," + b"x" * 140_000 + b"\n", "Line 3 of t.csv cannot be read: field larger"),
        (b"a,b\n1,2,3\n4,5,6\n", "more cells than its header"),
        (b"a,b,a\n1,2,3\n", "several columns called 'a'"),
        (b"PK\x03\x04rest", "is a workbook"),
        (b"\x00\x01\x02\x03\x04", "is no text"),
        (b'a,b\n"1,2\n', "no table"),
    ],
)
def test_what_is_no_table_is_explained(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(EmbedlabError, match=said) as caught:
        read_table(tmp_path / "t.csv")
    assert "t.csv" in caught.value.problem and caught.value.remedy


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbedlabError, match=r"gone\.csv cannot be read: No such file"):
        read_table(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("keys", "way"),
    [
        (["tulip/3.jpg", "rose/2.jpg", "rose/1.jpg", "tulip/1.jpg"], "path"),
        (["./tulip/3.jpg", " rose\\2.jpg ", "rose/1.jpg", "tulip/1.jpg"], "path"),
        (
            ["/home/me/tulip/3.jpg", "C:\\p\\rose\\2.jpg", "x/rose/1.jpg", "y/tulip/1.jpg"],
            "folder and file name",
        ),
        (["TULIP/3.JPG", "Rose/2.jpg", "rose/1.JPG", "tulip/1.jpg"], "path"),
    ],
)
def test_rows_find_their_pictures(keys: list[str], way: str) -> None:
    table = pd.DataFrame({"n": [3, 2, 1, 11], "picture": keys})
    joined = join(table, IDS)
    assert joined.frame["n"].tolist() == [1, 2, 11, 3]
    assert joined.frame.columns.tolist() == ["n"]
    assert (joined.report.key, joined.report.way, joined.report.matched) == ("picture", way, 4)
    assert not (joined.report.pictures_only or joined.report.rows_only or joined.report.doubles)


def test_file_names_that_two_pictures_share_find_neither() -> None:
    table = pd.DataFrame({"file": ["1.jpg", "2.jpg", "3.jpg"], "n": [1, 2, 3]})
    joined = join(table, IDS)
    assert joined.report.way == "file name"
    assert np.array_equal(joined.frame["n"], [np.nan, 2, np.nan, 3], equal_nan=True)
    assert joined.report.pictures_only == ("rose/1.jpg", "tulip/1.jpg")
    assert joined.report.rows_only == () and joined.report.ambiguous == ("1.jpg",)
    assert joined.report.sentences()[-1] == (
        "1 name is shared by several pictures, so none of these got a row: 1.jpg. Write their "
        "folders as well."
    )


def test_a_table_whose_names_all_belong_to_several_pictures_is_refused_with_the_reason() -> None:
    ids = ("train/a.jpg", "train/b.jpg", "test/a.jpg", "test/b.jpg")
    table = pd.DataFrame({"file": ["a.jpg", "b.jpg"], "n": [1.5, 2.5]})
    for key in (None, "file"):
        with pytest.raises(EmbedlabError, match=r"'file', such as 'a.jpg', are shared.*'train/a"):
            join(table, ids, key=key)
    with pytest.raises(EmbedlabError, match="Not one picture is named"):
        join(pd.DataFrame({"file": [*"xyzxyz", "a.jpg"]}), ids)


def test_numbers_can_be_keys_but_fractions_cannot() -> None:
    ids = ("1.jpg", "2.jpg", "10.jpg")
    table = pd.DataFrame({"share": [1.0, 2.0, 10.0], "id": [10, 2, 1]})
    joined = join(table, ids)
    assert (joined.report.key, joined.report.way) == ("id", "file name without ending")
    assert joined.frame["share"].tolist() == [10.0, 2.0, 1.0]


def test_the_column_that_finds_most_pictures_is_the_key() -> None:
    ids = tuple(f"{k}.jpg" for k in range(1, 9))
    table = pd.DataFrame({"rooms": [1, 2, 3, 1, 2, 3, 1, 2], "house": range(1, 9)})
    assert join(table, ids).report.key == "house"
    assert join(table, ids, key="house").frame["rooms"].tolist() == table["rooms"].tolist()
    with pytest.raises(EmbedlabError, match="No column names the pictures: 'rooms' comes"):
        join(table[["rooms"]], ids)


def test_the_report_counts_everything() -> None:
    table = pd.DataFrame(
        {
            "image": ["a.jpg", "a.jpg", "b.jpg", "b.jpg", "c.jpg", "z.jpg", None, "  "],
            "price": [1.0, 1.0, 2.0, 3.0, np.nan, 9.0, 9.0, 9.0],
        }
    )
    joined = join(table, ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"))
    report = joined.report
    assert np.array_equal(
        joined.frame["price"], [1, np.nan, np.nan, np.nan, np.nan], equal_nan=True
    )
    assert report.matched == 2
    assert report.pictures_only == ("d.jpg", "e.jpg")
    assert report.rows_only == ("z.jpg",)
    assert report.doubles == ("b.jpg",)
    assert report.nameless == 2
    assert report.sentences() == [
        "2 pictures have a row, found by the path in column 'image'.",
        "2 pictures have no row: d.jpg, e.jpg.",
        "1 row has no picture: z.jpg.",
        "1 name is on several rows that differ, so none of these was taken: b.jpg.",
        "2 rows name no picture at all.",
    ]


def test_accents_written_two_ways_are_the_same_name() -> None:
    joined = join(pd.DataFrame({"image": ["\u00e9.jpg"], "n": [1]}), ("e\u0301.jpg",))
    assert joined.report.matched == 1


def test_a_table_of_other_pictures_is_refused() -> None:
    table = pd.DataFrame({"image": ["x.jpg", "y.jpg"], "price": [1.0, 2.0]})
    with pytest.raises(EmbedlabError, match="Not one picture is named") as caught:
        join(table, IDS)
    assert "'rose/1.jpg'" in caught.value.remedy and "'x.jpg'" in caught.value.remedy
    with pytest.raises(EmbedlabError, match="no column 'picture'"):
        join(table, IDS, key="picture")


@pytest.mark.real
def test_the_real_houses(shared: Path) -> None:
    folder = shared / "data" / "houses"
    dataset = load_dataset(folder)
    joined = join(read_table(folder / "houses.csv").frame, dataset.ids)
    assert (len(dataset), dataset.classes, joined.report.matched) == (535, (), 535)
    assert dataset.ids[:3] == ("1_frontal.jpg", "2_frontal.jpg", "3_frontal.jpg")
    assert joined.frame["house_id"].tolist() == [int(id_.partition("_")[0]) for id_ in dataset.ids]
    assert (joined.frame["price"].min(), joined.frame["price"].max()) == (22_000, 5_858_000)
    assert joined.frame["zipcode"].nunique() == 49
