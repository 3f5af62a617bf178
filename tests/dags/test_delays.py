"""The rolling delays against the definition, computed the slow way."""

from __future__ import annotations

import pandas as pd
import pytest

from flights import delays, planes, weather


def test_a_delay_counts_only_once_the_flight_has_left() -> None:
    due = pd.to_datetime(
        pd.Series(["2013-01-01T06:00Z", "2013-01-01T06:30Z", "2013-01-01T08:00Z", "2013-01-01T08:45Z"]), utc=True
    )
    delay = pd.Series([10.0, 120.0, float("nan"), 0.0])
    average, count = delays.delay_before(due, delay, pd.Series(["UA"] * 4), hours=3)
    assert count.tolist() == [0, 1, 1, 2]
    assert average.iloc[1:].tolist() == [10.0, 10.0, 65.0]
    assert pd.isna(average.iloc[0])


def test_real_delays_agree_with_the_definition_flight_by_flight() -> None:
    rows = delays.flight_delays()
    due = pd.to_datetime(rows["scheduled_at"], utc=True)
    left = due + pd.to_timedelta(rows["dep_delay_min"], unit="min")
    for index in rows.sample(60, random_state=7).index:
        for by, hours in (("carrier", 24), ("origin", 3)):
            before = (
                (rows[by] == rows.at[index, by])
                & (left < due[index])
                & (left >= due[index] - pd.Timedelta(hours=hours))
            )
            assert rows.at[index, f"{by}_flights_{hours}h"] == before.sum()
            expected = round(rows.loc[before, "dep_delay_min"].mean(), 2)
            assert rows.at[index, f"{by}_delay_{hours}h_min"] == pytest.approx(expected, abs=0.011, nan_ok=True)


def test_all_flights_are_rows_with_an_identifier_of_their_own() -> None:
    rows = delays.flight_delays()
    assert len(rows) == 336_776
    assert rows["flight_id"].is_unique
    assert int(rows["cancelled"].sum()) == 8_255


@pytest.mark.parametrize("module", [delays, planes, weather])
def test_every_column_is_declared_and_every_declared_feature_is_a_column(module: object) -> None:
    columns = {
        delays: delays.flight_delays,
        planes: lambda: planes.plane_facts(pd.Timestamp("2026-01-01", tz="UTC")),
        weather: weather.airport_weather,
    }[module]()
    assert {feature.name for feature in module.FEATURES} == set(columns.columns)
