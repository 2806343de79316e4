"""What columns are taken for, what is warned of, and what the encoder learns from which rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from embedlab.data.columns import chosen, detect, leaks, looks_like_classes
from embedlab.data.encoding import UNSEEN, TableEncoder
from embedlab.data.targets import column_target
from embedlab.errors import EmbedlabError

N = 60


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "area": rng.normal(100, 20, N).round(2),
            "rooms": rng.integers(1, 6, N),
            "zipcode": rng.choice([85255, 36372, 90210], N),
            "scent": rng.choice(["none", "sweet", None], N),
            "garden": rng.random(N) < 0.5,
            "house_id": np.arange(N) + 1,
            "owner": [f"owner {i}" for i in range(N)],
            "country": "US",
            "empty": [None] * N,
            "built": pd.date_range("2000-01-01", periods=N),
        }
    )


def test_each_column_is_taken_for_what_it_is() -> None:
    columns = {column.name: column for column in detect(frame(), target="area")}
    assert {name: column.kind for name, column in columns.items()} == {
        "area": "target",
        "rooms": "numeric",
        "zipcode": "categorical",
        "scent": "categorical",
        "garden": "categorical",
        "house_id": "ignore",
        "owner": "ignore",
        "country": "ignore",
        "empty": "ignore",
        "built": "ignore",
    }
    assert "constant" in columns["country"].why and "constant" in columns["country"].remarks[0]
    assert "numbers the rows" in columns["house_id"].why
    missing = int(frame()["scent"].isna().sum())
    assert f"missing in {missing} of 60" in columns["scent"].remarks[0]


def test_a_person_knows_better() -> None:
    told = {"rooms": "categorical", "house_id": "numeric", "scent": "ignore"}
    columns = detect(frame(), kinds=told)
    assert "rooms" in chosen(columns, "categorical") and "house_id" in chosen(columns, "numeric")
    assert "scent" in chosen(columns, "ignore")
    for wrong in ({"rooms": "nonsense"}, {"nowhere": "numeric"}, {"scent": "numeric"}):
        with pytest.raises(EmbedlabError, match=r"nonsense|nowhere|words"):
            detect(frame(), kinds=wrong)


@pytest.mark.parametrize(
    ("values", "classes"),
    [(["a", "b"], True), ([0, 1, 1], True), ([0.5, 1.5], False), (list(range(40)), False)],
)
def test_targets_are_classes_or_quantities(values: list[object], classes: bool) -> None:
    assert looks_like_classes(pd.Series(values)) is classes


def test_a_column_that_gives_the_target_away_is_named_and_no_other() -> None:
    table, rng = frame(), np.random.default_rng(1)
    labels = rng.integers(0, 3, N)
    table["verdict"] = np.array(["low", "middle", "high"])[labels]
    found = leaks(table, detect(table), labels, classes=True)
    assert [leak.column for leak in found] == ["verdict"] and found[0].score == 1.0
    assert "'verdict' alone predicts the target (100%)" in found[0].sentence()
    price = np.exp(table["area"].to_numpy() / 10)  # monotone, and far from linear
    assert [leak.column for leak in leaks(table, detect(table), price, classes=False)] == ["area"]
    assert leaks(table, detect(table), np.zeros(N, np.int64), classes=True) == []


@pytest.mark.parametrize("rare", [2, 3, 6])
def test_a_copy_of_a_rare_class_is_found_and_noise_is_not(rare: int) -> None:
    """Whoever never names the rare class is right on 54 to 58 of 60."""
    labels = np.zeros(N, np.int64)
    labels[np.random.default_rng(2).permutation(N)[:rare]] = 1
    table = frame().assign(copy=np.where(labels == 1, "sick", "well"))
    assert [leak.column for leak in leaks(table, detect(table), labels, classes=True)] == ["copy"]


def test_a_copy_of_many_small_classes_is_found_though_some_come_once() -> None:
    labels = np.array([*np.repeat(np.arange(26), 2), *range(26, 34)])
    table = pd.DataFrame({"copy": labels * 3.0, "noise": np.random.default_rng(0).normal(size=N)})
    found = leaks(table, detect(table), labels, classes=True)
    assert [leak.column for leak in found] == ["copy"] and found[0].score == 1


def test_leaks_are_asked_of_rows_with_gaps_without_a_warning() -> None:
    table = frame().assign(gap=np.where(np.arange(N) < 40, np.nan, 1.0))
    columns = detect(table, kinds={"gap": "numeric"})
    price = np.where(np.arange(N) < 5, np.nan, table["area"] * 2)
    assert [leak.column for leak in leaks(table, columns, price, classes=False)] == ["area"]


def test_infinite_numbers_count_as_missing() -> None:
    table = pd.DataFrame({"x": [1.5, np.inf, 2.5, -np.inf, 3.5]})
    (column,) = detect(table)
    assert (column.kind, column.n_missing, column.n_distinct) == ("numeric", 2, 3)


@pytest.mark.parametrize(
    ("cells", "things"),
    [([np.array([1, 2]), None], "lists"), ([[1], [2, 3]], "lists"), ([{"a": 1}] * 2, "records")],
)
def test_lists_and_records_are_ignored_by_name(cells: list[object], things: str) -> None:
    table = pd.DataFrame({"boxes": pd.Series(cells, dtype=object), "x": [1.5, 2.5]})
    column = detect(table)[0]
    assert column.kind == "ignore" and column.remarks == (
        f"'boxes' is left out: it holds {things}.",
    )
    for kind in ("numeric", "categorical"):
        with pytest.raises(EmbedlabError, match=f"'boxes' holds {things}; it cannot be {kind}"):
            detect(table, kinds={"boxes": kind})
    with pytest.raises(EmbedlabError, match=f"target 'boxes' holds {things}"):
        column_target(table["boxes"], "boxes")


def test_the_rule_of_names_holds_for_targets_and_a_person_overrules_it() -> None:
    zips = pd.Series(np.tile([85255, 36372, 90210, 1234567, *range(10000, 10008)], 5))
    assert looks_like_classes(zips, "zipcode") and not looks_like_classes(zips, "price")
    target = column_target(zips, "zipcode")
    assert len(target.classes) == 12 and {"85255", "1234567"} <= set(target.classes)
    assert target.remarks == (
        "The target 'zipcode' is taken as 12 classes: its name says that its numbers are names. "
        "As numeric (--numeric zipcode) it is predicted as a number.",
    )
    assert column_target(zips, "zipcode", kind="numeric").classes == ()
    assert column_target(zips, "price").classes == ()
    assert len(column_target(zips, "price", kind="categorical").classes) == 12
    assert column_target(zips, "zipcode", n_classes=2).classes[0].startswith("below")
    rooms = pd.Series([1.0, 2, 3, np.nan] * 10)
    assert column_target(rooms, "rooms").classes == ("1", "2", "3")
    assert "few different whole numbers" in column_target(rooms, "rooms").remarks[0]
    number = column_target(rooms, "rooms", kind="numeric")
    assert number.values.dtype == np.float64 and len(number.rows) == 30


def test_targets_that_cannot_be_what_is_said_of_them_are_refused() -> None:
    ids = pd.Series(np.arange(60))
    with pytest.raises(EmbedlabError, match=r"60 different values.*--numeric house_id\) it is"):
        column_target(ids, "house_id")
    for options in ({"n_classes": 3}, {"log": True}):
        with pytest.raises(EmbedlabError, match="is to be categorical"):
            column_target(ids, "x", kind="categorical", **options)
    with pytest.raises(EmbedlabError, match="holds words: it cannot be numeric"):
        column_target(pd.Series(["a", "b"]), "x", kind="numeric")
    with pytest.raises(EmbedlabError, match="has 1 different value:"):
        column_target(pd.Series([1, 1]), "x")
    with pytest.raises(EmbedlabError, match="cannot both be predicted and be ignored"):
        detect(frame(), target="area", kinds={"area": "ignore"})


def test_scaler_and_vocabulary_agree_with_scikit_learn_on_training_rows() -> None:
    table = frame()
    rows = np.arange(0, N, 2)
    columns = detect(table)
    encoded = TableEncoder.fit(table, columns, rows).encode(table)
    numeric = table[chosen(columns, "numeric")].to_numpy(float)
    scaled = StandardScaler().fit(numeric[rows]).transform(numeric)
    np.testing.assert_allclose(encoded.numbers, scaled, rtol=1e-5, atol=1e-6)
    names = table[["zipcode"]].astype(str)
    codes = OrdinalEncoder().fit(names.iloc[rows]).transform(names)[:, 0]
    place = chosen(columns, "categorical").index("zipcode")
    np.testing.assert_array_equal(encoded.codes[:, place], codes + 1)


def test_no_row_but_training_rows_is_ever_looked_at() -> None:
    """Planted: monstrous held-out values would shift the mean and lengthen the vocabulary."""
    table, spoilt = frame(), frame()
    rows, held = np.arange(40), np.arange(40, N)
    columns = detect(table)
    spoilt.loc[held, "area"], spoilt.loc[held, "scent"] = 1e12, "planted"
    a, b = (TableEncoder.fit(t, columns, rows) for t in (table, spoilt))
    assert vars(a) == vars(b)
    assert "planted" not in b.vocabularies["scent"]


def test_unseen_and_missing_values_have_codes_of_their_own() -> None:
    table = pd.DataFrame(
        {"scent": ["a", "b", None, "a", "new", None], "area": [1.0, 3, 5, 1, 9, 2]}
    )
    kinds = {"scent": "categorical", "area": "numeric"}
    columns = detect(table, kinds=kinds)
    codes = TableEncoder.fit(table, columns, np.arange(4)).encode(table).codes[:, 0]
    assert codes[4] == UNSEEN and codes[2] == codes[5] != UNSEEN
    assert len(set(codes.tolist())) == 4 and codes[0] == codes[3]
    without = TableEncoder.fit(table, columns, np.array([0, 1])).encode(table).codes[:, 0]
    assert without[2] == UNSEEN  # nothing was missing among the training rows


def test_missing_numbers_become_the_mean_and_are_flagged() -> None:
    table = pd.DataFrame({"area": [1.0, np.nan, 3.0, np.inf], "height": [1.0, 2, 3, np.nan]})
    columns = detect(table, kinds={"area": "numeric", "height": "numeric"})
    encoded = TableEncoder.fit(table, columns, np.arange(3)).encode(table)
    np.testing.assert_allclose(encoded.numbers[:, 0], [-1, 0, 1, 0])  # mean 2, deviation 1
    np.testing.assert_array_equal(encoded.numbers[:, 2], [0, 1, 0, 1])
    assert encoded.numbers.shape == (4, 3) and np.isfinite(encoded.numbers).all()


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_tables_of_one_kind_of_column_only(kind: str) -> None:
    table = pd.DataFrame({"x": [1, 2, 3, 4]})
    encoded = TableEncoder.fit(table, detect(table, kinds={"x": kind}), np.arange(4)).encode(table)
    assert encoded.codes.shape == (4, int(kind == "categorical"))
    assert encoded.numbers.shape == (4, int(kind == "numeric"))


def test_whole_numbers_and_the_same_with_gaps_are_the_same_names() -> None:
    whole = pd.DataFrame({"zip": [1, 2, 1, 3]})
    gaps = pd.DataFrame({"zip": [1.0, 2.0, np.nan, 3.0]})
    columns = detect(whole, kinds={"zip": "categorical"})
    encoder = TableEncoder.fit(whole, columns, np.arange(4))
    np.testing.assert_array_equal(encoder.encode(gaps).codes[:, 0], [1, 2, UNSEEN, 3])
