"""Numbers as people write them: what is read, what is said of it, and what is left alone."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedlab.data.quantities import quantities, understood
from embedlab.errors import EmbedlabError

NUMBERS = [f"{1.5 * k:g}" for k in range(60)]


@pytest.mark.parametrize(
    "odd", ["unknown", "?", "1e400", "-2e300", "-inf", "nil", "12 ft2", "3.1.2020"]
)
def test_one_odd_cell_among_numbers_is_missing_and_named(odd: str) -> None:
    found = quantities(pd.Series([*NUMBERS, odd]), "area")
    np.testing.assert_array_equal(found.values, [*map(float, NUMBERS), np.nan])
    assert found.remarks == (
        f"1 cell of 'area' is no finite number and taken as missing: '{odd}' in row 61.",
    )


def test_examples_are_few_and_different() -> None:
    found = quantities(pd.Series([*NUMBERS, "?", "?", "a", "b", "c"]), "area")
    assert found.remarks == (
        "5 cells of 'area' are no finite number and taken as missing: '?' in row 61, 'a' in row "
        "63, 'b' in row 64 and 1 more.",
    )


@pytest.mark.parametrize(
    ("cells", "numbers", "said"),
    [
        (["$350,000", "$1,250"], [350000, 1250], "commas between thousands: '$350,000' is 350000"),
        (["€ 350.000", "€ 980"], [350000, 980], "points between thousands: '€ 350.000' is 350000"),
        (["1,234.5", "12"], [1234.5, 12], "commas between thousands: '1,234.5' is 1234.5"),
        (["1,234", "1,234,567"], [1234, 1234567], "commas between thousands: '1,234' is 1234"),
        (["1.234", "1.234,5"], [1234, 1234.5], "points between thousands and a decimal comma"),
        (["1.234", "1.234.567"], [1234, 1234567], "points between thousands: '1.234' is 1234"),
        (["1,234", "1,5"], [1.234, 1.5], "a decimal comma: '1,234' is 1.234"),
        (["0,125", "1,234"], [0.125, 1.234], "a decimal comma: '0,125' is 0.125"),
        (["1 234", "2\u202f345,5"], [1234, 2345.5], "blanks or apostrophes between thousands"),
        (["CHF 1'234.50", "CHF 20"], [1234.5, 20], "blanks or apostrophes between thousands"),
        (["12 m2", "13.5 m2"], [12, 13.5], "without the unit 'm2': '12 m2' is 12"),
        (["45%", "50 %"], [45, 50], "without the unit '%': '45%' is 45"),
        (["-$12", "$-13", "14 $", "15"], [-12, -13, 14, 15], "numbers: '-$12' is -12"),
        (["−5", "3"], [-5, 3], "numbers: '−5' is -5"),
        (["950", *["1,234"] * 3], [950, *[1234] * 3], "commas between thousands"),
        (["1,234 sqft", "1,317 sqft", "980 sqft", "2,001 sqft"], [1234, 1317, 980, 2001], "sqft"),
        (["1,234", "1,317", "2,001"], [1234, 1317, 2001], "thousands: '1,234' is 1234"),
        (["350,000", "425,500", "399,999"], [350000, 425500, 399999], "commas between thousands"),
    ],
)
def test_columns_are_read_in_one_way_and_it_is_said(
    cells: list[str], numbers: list[float], said: str
) -> None:
    found = quantities(pd.Series(cells), "x")
    np.testing.assert_array_equal(found.values, numbers)
    assert len(found.remarks) == 1 and said in found.remarks[0]


@pytest.mark.parametrize(
    "cells",
    [
        ["a", "b"],
        ["01234", "85255"],
        ["12345678901234567890", "1"],
        ["2020-01-05", "2021-02-03"],
        ["08:30", "09:15"],
        ["12_front.jpg", "13_front.jpg"],
        ["12.png", "13.png"],
        ["12 front.JPG", "13 front.JPG"],
        ["1.txt", "2.txt"],
        ["1/2", "3/4"],
        ["True", "False"],
        [True, False, None],
        [None, None],
        ["1,2,3", "4,5,6"],
        [[1, 2], [3]],
    ],
)
def test_other_things_are_left_alone(cells: list[object]) -> None:
    values = pd.Series(cells)
    found = quantities(values, "x")
    assert found.values is values and found.remarks == ()


def test_what_could_be_two_numbers_is_not_guessed() -> None:
    alone = quantities(pd.Series([*map(str, range(59)), "1,234"]), "x")
    assert alone.values.isna().tolist() == [False] * 59 + [True]
    assert "'1,234' may have a decimal comma or one between thousands" in alone.remarks[0]
    assert "taken as missing: '1,234' in row 60" in alone.remarks[1]
    cells = pd.Series([f"{k:,}" if k % 2 else str(k) for k in range(1235, 1265)])
    every = quantities(cells, "x")
    assert every.values is cells and "write such numbers without marks" in every.remarks[0]
    told = quantities(cells, "x", told=True)
    assert told.values.isna().sum() == 15 and "'1,235' may have" in told.remarks[0]
    marked = pd.Series(["1,235", "1.235"] * 10)
    with pytest.raises(EmbedlabError, match=r"cannot be numeric.*'1,235' may have"):
        quantities(marked, "x", told=True)


def test_a_person_is_believed_as_long_as_something_is_a_number() -> None:
    cells = pd.Series(["1", "2.5", "many", "few", "some", None])
    assert quantities(cells, "x").values is cells
    read = quantities(cells, "x", told=True)
    assert np.array_equal(read.values, [1, 2.5, *[np.nan] * 4], equal_nan=True)
    assert read.remarks == (
        "3 cells of 'x' are no finite number and taken as missing: 'many' in row 3, 'few' in row "
        "4, 'some' in row 5.",
    )
    assert quantities(pd.Series(["007", "8"]), "x", told=True).values.tolist() == [7, 8]
    with pytest.raises(EmbedlabError, match="Only 1 of 30 cells of column 'x' are numbers"):
        quantities(pd.Series(["1", *["a"] * 29]), "x", told=True)


def test_one_code_among_numbers_makes_names_of_them_not_without_a_word() -> None:
    cells = pd.Series([*NUMBERS, "007"])
    found = quantities(cells, "area")
    assert found.values is cells and found.remarks == (
        "'area' is taken for names because of 1 cell of 61 with leading zeros or many digits, such "
        "as '007'; as numeric (--numeric area), it has numbers.",
    )
    assert quantities(cells, "zip").remarks == ()
    assert quantities(cells, "area", told=True).values.iloc[-1] == 7


def test_rows_are_counted_whatever_the_index_and_the_gaps_are() -> None:
    cells = pd.Series([*NUMBERS, None, "", "?"], index=range(100, 163))
    (said,) = quantities(cells, "area").remarks
    assert said.endswith("'?' in row 63.")


def test_half_numbers_are_too_few_and_the_way_out_is_said() -> None:
    found = quantities(pd.Series([*NUMBERS, *["?"] * 20]), "my area")
    assert found.remarks == (
        "Only 60 of 80 cells of 'my area' are numbers; as numeric (--numeric 'my area'), these are "
        "taken, and the others as missing.",
    )


def test_infinite_and_decimal_numbers() -> None:
    found = quantities(pd.Series([1.0, np.inf, -np.inf, np.nan]), "x")
    assert found.values.isna().tolist() == [False, True, True, True]
    assert found.remarks == (
        "2 cells of 'x' are no finite number and taken as missing: 'inf' in row 2, '-inf' in "
        "row 3.",
    )
    assert quantities(pd.Series([Decimal("1.50"), Decimal(2)]), "x").values.tolist() == [1.5, 2]


@settings(deadline=None)
@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=4, max_size=30),
    st.sampled_from([("{:,.2f}", ""), ("${:,.2f}", ""), ("{:,.2f} km", ""), ("{:,.2f}", ".,")]),
)
def test_what_is_written_in_cents_is_read_as_it_was(cents: list[int], way: tuple[str, str]) -> None:
    pattern, swapped = way
    cells = [pattern.format(k / 100) for k in cents]
    if swapped:  # the continental way: 1.234,50
        cells = [cell.translate(str.maketrans(".,", ",.")) for cell in cells]
    read = quantities(pd.Series(cells), "x").values
    np.testing.assert_allclose(read, np.array(cents) / 100, rtol=1e-12)


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "price": [f"${k + 300},{k:03d}" for k in range(60)],
            "zipcode": ["85255", "36372", "?"] * 20,
            "rooms": [*["1", "2", "3"] * 19, "4", "5", "?"],
            "scent": ["a", "b", "c"] * 20,
            "sizes": [[1, 2]] * 60,
        }
    )


def test_quantities_of_a_table_become_numbers_and_nothing_else() -> None:
    found = understood(table())
    kinds = {name: found.frame[name].dtype.kind for name in ("price", "rooms")}
    assert kinds == {"price": "i", "rooms": "f"}
    assert found.frame["zipcode"].equals(table()["zipcode"])  # its numbers are names
    assert list(found.remarks) == ["price", "rooms"]
    named = understood(table(), kinds={"rooms": "categorical", "price": "ignore"})
    assert named.frame.equals(table()) and named.remarks == {}
    told = understood(table(), kinds={"zipcode": "numeric"})
    assert told.frame["zipcode"].isna().sum() == 20
    with pytest.raises(EmbedlabError, match="no column 'nowhere'"):
        understood(table(), kinds={"nowhere": "numeric"})


def test_a_target_of_few_whole_numbers_keeps_the_words_among_them() -> None:
    found = understood(table(), target="rooms")
    assert found.frame["rooms"].equals(table()["rooms"])
    said = "they are classes as well: '?'. As numeric (--numeric rooms) it leaves them out."
    assert said in found.remarks["rooms"][0]
    for options in ({"kinds": {"rooms": "numeric"}}, {"number": True}):
        number = understood(table(), target="rooms", **options)
        assert number.frame["rooms"].isna().sum() == 1
    assert understood(table(), target="price").frame["price"][1] == 301_001
