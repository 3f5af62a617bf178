from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from festaf.provider.artifacts import Feature
from festaf.provider.ingest.columns import misfit, texts


def feature(kind: Any, **more: Any) -> Feature:
    return Feature(name="x", type=kind, **more)


def values(wanted: Feature, column: pa.Array, *, is_text: bool = False) -> tuple[list[Any], dict[int, str]]:
    found = texts(wanted, column, is_text=is_text)
    return found.values.to_pylist(), found.wrong


@pytest.mark.parametrize(
    ("kind", "column", "expected"),
    [
        ("Integral", pa.array([1, None, -3]), ["1", None, "-3"]),
        ("Integral", pa.array([1.0, None, float("nan"), 2.0]), ["1", None, None, "2"]),
        ("Integral", pa.array([True, False]), ["1", "0"]),
        ("Fractional", pa.array([1.5, float("nan"), None]), ["1.5", None, None]),
        ("Fractional", pa.array([0.1], pa.float32()), ["0.1"]),
        ("Fractional", pa.array([Decimal("1.50")]), ["1.50"]),
        ("Fractional", pa.array([7]), ["7"]),
        ("String", pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        ("String", pa.array([12, None]), ["12", None]),
        ("String", pa.array([date(2013, 1, 31)]), ["2013-01-31"]),
        ("String", pa.array([datetime(2013, 1, 1, 5, tzinfo=UTC)]), ["2013-01-01T05:00:00.000Z"]),
        ("String", pa.nulls(2), [None, None]),
    ],
)
def test_a_column_becomes_texts_and_a_missing_value_stays_missing(kind: str, column: pa.Array, expected: Any) -> None:
    assert values(feature(kind), column) == (expected, {})


def test_a_value_that_is_no_whole_number_costs_its_own_row_only() -> None:
    found, wrong = values(feature("Integral"), pa.array([1.0, 2.5, 1e30, float("inf"), 4.0]))
    assert found == ["1", None, None, None, "4"]
    assert wrong == {
        1: "2.5 is no whole number",
        2: "1000000000000000019884624838656 does not fit 64 bits",
        3: "inf is no whole number",
    }


def test_a_whole_number_beyond_64_bits_is_wrong() -> None:
    found, wrong = values(feature("Integral"), pa.array([2**64 - 1, 5], pa.uint64()))
    assert found == [None, "5"]
    assert wrong == {0: "18446744073709551615 does not fit 64 bits"}


def test_text_is_parsed_where_all_is_text() -> None:
    column = pa.array(["7", " 3.0 ", None, "x", "9223372036854775808", ""])
    found, wrong = values(feature("Integral"), column, is_text=True)
    assert found == ["7", "3", None, None, None, None]
    assert wrong == {3: "'x' is no whole number", 4: "9223372036854775808 does not fit 64 bits"}
    found, wrong = values(feature("Fractional"), pa.array(["1e3", "NaN", "1e999", "a"]), is_text=True)
    assert found == ["1e3", None, None, None]
    assert wrong == {2: "'1e999' is not finite", 3: "'a' is no number"}


def test_an_infinite_number_is_wrong() -> None:
    assert values(feature("Fractional"), pa.array([float("-inf"), 1.0])) == ([None, "1.0"], {0: "-inf is not finite"})


def test_lists_keep_their_elements_and_a_missing_element_is_wrong() -> None:
    column = pa.array([[1, 2], [], None, [3, None]])
    found, wrong = values(feature("Integral", collection="List"), column)
    assert found[:3] == [["1", "2"], [], None]
    assert wrong == {3: "an element is missing"}


def test_a_slice_of_lists_is_read_from_where_it_starts() -> None:
    column = pa.array([[1, 2], [3], [4, 5]]).slice(1)
    assert values(feature("Integral", collection="List"), column) == ([["3"], ["4", "5"]], {})


def test_a_vector_has_its_dimension() -> None:
    wanted = feature("Fractional", collection="Vector", dimension=2)
    assert values(wanted, pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2))) == ([["1", "2"], None], {})
    assert values(wanted, pa.array([[1.0]]))[1] == {0: "1 elements, the Vector has 2"}


@pytest.mark.parametrize(
    ("wanted", "kind", "said"),
    [
        (feature("Integral"), pa.string(), "is string, the feature is Integral"),
        (feature("Fractional"), pa.bool_(), "is bool, the feature is Fractional"),
        (feature("String"), pa.float64(), "is double, the feature is String"),
        (feature("String"), pa.binary(), "is binary, the feature is String"),
        (feature("Integral", collection="List"), pa.int64(), "is int64, the feature is a List of Integral"),
        (feature("Integral", collection="List"), pa.list_(pa.string()), "holds string, the feature is a List"),
    ],
)
def test_a_type_that_can_never_fit_is_told_before_any_row_is_read(
    wanted: Feature, kind: pa.DataType, said: str
) -> None:
    assert said in (misfit(wanted, kind, is_text=False) or "")


def test_a_column_without_any_value_fits_every_feature() -> None:
    assert misfit(feature("Integral"), pa.null(), is_text=False) is None
