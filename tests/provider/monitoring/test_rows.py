"""Rows counted by Athena, by files, and plainly in memory give the same numbers."""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from festaf.provider.errors import InputError
from festaf.provider.hooks.athena import AthenaHook, AthenaQuery
from festaf.provider.hooks.feature_store import FeatureStoreHook
from festaf.provider.monitoring import file_rows
from festaf.provider.monitoring.measure import measure
from festaf.provider.monitoring.opening import Opening
from festaf.provider.monitoring.window import Window
from tests.provider.monitoring.rows import MINUTE, START, glue_table, parquet, table

if TYPE_CHECKING:
    from pathlib import Path

    from festaf.contract.monitor import Statistics
    from festaf.provider.monitoring.rows import Rows
    from tests.local_aws.server import LocalAws

COUNT = 1000
ALL = Window()


@pytest.fixture
def opening(aws: LocalAws) -> Opening:
    return Opening(FeatureStoreHook(), AthenaHook(), AthenaQuery(""), 60)


@pytest.fixture(params=["athena", "files"])
def rows(request: pytest.FixtureRequest, aws: LocalAws, opening: Opening, tmp_path: Path) -> Rows:
    rows = table(COUNT)
    if request.param == "athena":
        return opening.source(glue_table(aws, "flights", rows), "at", None)
    return opening.source(parquet(tmp_path / "flights.parquet", rows), "at", None)


def plain(name: str, rows: Any = None) -> list[Any]:
    values: list[Any] = (rows or table(COUNT)).column(name).to_pylist()
    return [value for value in values if value is not None]


def test_totals_are_those_of_plain_numpy(rows: Rows) -> None:
    found = measure(rows, ALL, START)
    assert (found.rows, found.first_event_time, found.last_event_time) == (COUNT, START, START + 999 * MINUTE)
    assert rows.left_out.keys() == {"vector"}
    wind = found.column("wind")
    assert wind is not None
    assert (wind.present, wind.missing, wind.infinite) == (900, 100, 0)
    values = plain("wind")
    assert (wind.minimum, wind.maximum) == (min(values), max(values))
    assert (wind.mean, wind.deviation) == (pytest.approx(np.mean(values)), pytest.approx(np.std(values)))


def test_infinities_and_the_largest_numbers_are_counted(rows: Rows) -> None:
    gust = measure(rows, ALL, START).column("gust")
    assert gust is not None
    assert gust.histogram is not None
    assert (gust.present, gust.infinite, gust.minimum, gust.maximum) == (1000, 250, -0.5, 1e308)
    assert sum(gust.histogram.counts) == 1000
    assert gust.histogram.counts[-1] == 250


def test_constant_and_empty_columns_are_told(rows: Rows) -> None:
    found = measure(rows, ALL, START)
    same, nothing = found.column("same"), found.column("nothing")
    assert same is not None
    assert same.histogram is not None
    assert same.histogram.counts == (0, 1000, 0)
    assert same.deviation == 0
    assert nothing is not None
    assert (nothing.present, nothing.missing, nothing.histogram, nothing.mean) == (0, 1000, None, None)


def test_counts_between_the_points_are_exact(rows: Rows) -> None:
    for name in ("wind", "seats", "late"):
        column = measure(rows, ALL, START).column(name)
        assert column is not None
        assert column.histogram is not None
        intervals = np.searchsorted(column.histogram.points, np.asarray(plain(name), float), side="right")
        expected = np.bincount(intervals, minlength=len(column.histogram.counts))
        assert column.histogram.counts == tuple(expected)
    assert column.histogram.counts == (0, 666, 0, 334, 0)


def test_categories_are_counted_and_the_rest_is_others(rows: Rows) -> None:
    found = measure(rows, ALL, START)
    origin, tail = found.column("origin"), found.column("tail")
    assert origin is not None
    assert origin.frequencies is not None
    assert origin.frequencies.counts == {"EWR": 250, "JFK": 250, "it's": 250}
    assert (origin.frequencies.others, origin.frequencies.distinct, origin.missing) == (0, 3, 250)
    assert tail is not None
    assert tail.frequencies is not None
    assert len(tail.frequencies.counts) == 100
    assert (sum(tail.frequencies.counts.values()) + tail.frequencies.others, tail.frequencies.distinct) == (1000, 150)
    counted = Counter(plain("tail"))
    assert all(counted[name] == count for name, count in tail.frequencies.counts.items())


def test_a_window_of_time_begins_with_its_start_and_ends_before_its_end(rows: Rows) -> None:
    found = measure(rows, Window.of(timedelta(hours=1), START + 120 * MINUTE), START)
    assert (found.rows, found.first_event_time, found.last_event_time) == (
        60,
        START + 60 * MINUTE,
        START + 119 * MINUTE,
    )
    origin = found.column("origin")
    assert origin is not None
    assert origin.frequencies is not None
    assert sum(origin.frequencies.counts.values()) == 45


def test_a_window_of_rows_holds_the_newest(rows: Rows) -> None:
    found = measure(rows, Window.of({"rows": 10}, None), START)
    assert (found.rows, found.first_event_time) == (10, START + 990 * MINUTE)
    before = measure(rows, Window.of({"rows": 10}, START + 100 * MINUTE), START)
    assert (before.rows, before.last_event_time) == (10, START + 99 * MINUTE)


def test_an_empty_window_is_measured_too(rows: Rows) -> None:
    found = measure(rows, Window.of(timedelta(hours=1), START), START)
    assert (found.rows, found.last_event_time) == (0, None)
    assert all(column.present == column.missing == 0 for column in found.columns)


def test_the_newest_event_time_is_found(rows: Rows) -> None:
    assert rows.newest() == START + 999 * MINUTE


def test_another_window_is_counted_at_the_baselines_points(rows: Rows) -> None:
    base = measure(rows, Window.of(timedelta(hours=8), START + 480 * MINUTE), START)
    now = measure(rows, Window.of(timedelta(hours=2), START + 600 * MINUTE), START, base)
    for name in ("wind", "seats"):
        one, other = base.column(name), now.column(name)
        assert one is not None
        assert other is not None
        assert one.histogram is not None
        assert other.histogram is not None
        assert other.histogram.points == one.histogram.points
        values = table(COUNT).slice(480, 120).column(name).to_pylist()
        kept = np.asarray([value for value in values if value is not None], float)
        expected = np.bincount(
            np.searchsorted(one.histogram.points, kept, side="right"), minlength=len(one.histogram.points) + 1
        )
        assert other.histogram.counts == tuple(expected)


def test_both_ways_give_the_same_statistics(aws: LocalAws, opening: Opening, tmp_path: Path) -> None:
    rows = table(COUNT)
    uris = glue_table(aws, "flights", rows), parquet(tmp_path / "flights.parquet", rows)
    seen, read = (opening.source(uri, "at", ["wind", "seats", "origin"]) for uri in uris)
    base = measure(seen, ALL, START)
    assert _counts(measure(read, ALL, START, base)) == _counts(base)


def _counts(found: Statistics) -> list[Any]:
    return [(column.name, column.histogram, column.frequencies) for column in found.columns]


def test_a_sample_decides_where_points_lie_not_how_many_are_between(
    opening: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_rows, "SAMPLE", 300)
    rows = opening.source(parquet(tmp_path / "flights.parquet", table(5000)), None, ["wind"])
    wind = measure(rows, ALL, START).column("wind")
    assert wind is not None
    assert wind.histogram is not None
    values = np.asarray(plain("wind", table(5000)))
    intervals = np.searchsorted(wind.histogram.points, values, side="right")
    assert wind.histogram.counts == tuple(np.bincount(intervals, minlength=len(wind.histogram.counts)))
    assert (wind.histogram.points[0], wind.maximum) == (values.min(), values.max())
    middle = wind.histogram.points[len(wind.histogram.points) // 2]
    assert abs(middle) < 0.3


def test_many_columns_are_asked_in_pieces(aws: LocalAws, opening: Opening) -> None:
    import pyarrow as pa

    rows = pa.table({f"feature_{number}": pa.array([float(number), 2.0]) for number in range(45)})
    found = measure(opening.source(glue_table(aws, "many", rows), None, None), ALL, START)
    assert [column.minimum for column in found.columns] == [min(number, 2.0) for number in range(45)]
    assert all(sum(column.histogram.counts) == 2 for column in found.columns if column.histogram)


@pytest.mark.parametrize(
    ("wanted", "event_time", "reason"),
    [
        (["wing"], "at", "no feature 'wing'"),
        (["vector"], "at", "no feature that can be monitored"),
        (None, "when", "no column 'when'"),
    ],
)
def test_what_cannot_be_watched_is_refused(
    opening: Opening, tmp_path: Path, wanted: list[str] | None, event_time: str, reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        opening.source(parquet(tmp_path / "flights.parquet", table(10)), event_time, wanted)


def test_a_window_without_an_event_time_is_refused(opening: Opening, tmp_path: Path) -> None:
    rows = opening.source(parquet(tmp_path / "flights.parquet", table(10)), None, ["wind"])
    with pytest.raises(InputError, match="needs event_time"):
        measure(rows, Window.of({"rows": 5}, None), START)


@pytest.mark.parametrize("value", [timedelta(0), {"rows": 0}, {"hours": "x"}, {"weekend": 1}])
def test_a_window_that_means_nothing_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="window is"):
        Window.of(value, START)


def test_quantiles_outside_the_doubles_are_left_out() -> None:
    assert all(math.isfinite(value) for value in file_rows.QUANTILES)
