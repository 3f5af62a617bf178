"""Hourly weather at New York's three airports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.provider.artifacts import Feature
from flights.tables import read, taken_over, uri

if TYPE_CHECKING:
    import pandas as pd


FEATURE_SET = "airport_weather"
RECORD_IDENTIFIER = "origin"
EVENT_TIME = "observed_at"
MEASURED = {
    "temp": "temp_f",
    "dewp": "dewpoint_f",
    "humid": "humidity_pct",
    "wind_speed": "wind_mph",
    "precip": "precip_in",
    "pressure": "pressure_mb",
    "visib": "visibility_mi",
}
LOW_VISIBILITY_MILES = 3.0


def airport_weather() -> pd.DataFrame:
    """Compute one row an airport and hour: what was measured, and two facts derived from it."""
    table = read("weather", ["origin", "time_hour", *MEASURED])
    rows = table.rename(columns={"time_hour": "observed_at"} | MEASURED).sort_values(["origin", "observed_at"])
    rows["temp_change_3h_f"] = temperature_change(rows)
    rows["low_visibility"] = (rows["visibility_mi"] < LOW_VISIBILITY_MILES).astype("int64")
    return rows.reset_index(drop=True)


def temperature_change(rows: pd.DataFrame) -> pd.Series[float]:
    """Subtract the temperature three hours earlier; nothing where no reading stands exactly there."""
    import pandas as pd

    observed = pd.to_datetime(rows["observed_at"], utc=True)
    now = pd.DataFrame({"origin": rows["origin"], "at": observed, "temp_f": rows["temp_f"]})
    earlier = now.assign(at=now["at"] + pd.Timedelta(hours=3))
    both = now.merge(earlier, on=["origin", "at"], how="left", suffixes=("", "_earlier"))
    change = both["temp_f"] - both["temp_f_earlier"]
    return change.set_axis(rows.index).round(2)


_measured = taken_over("weather", MEASURED, "measured by NOAA, taken over as it is")

FEATURES = [
    Feature(name="origin", type="String", description="Airport: EWR, JFK or LGA", sources=(uri("weather", "origin"),)),
    Feature(
        name="observed_at",
        type="String",
        description="Hour of the reading, UTC",
        sources=(uri("weather", "time_hour"),),
    ),
    _measured("temp_f", "Fractional", "Air temperature, degrees Fahrenheit"),
    _measured("dewpoint_f", "Fractional", "Dew point, degrees Fahrenheit"),
    _measured("humidity_pct", "Fractional", "Relative humidity, per cent"),
    _measured("wind_mph", "Fractional", "Wind speed, miles per hour"),
    _measured("precip_in", "Fractional", "Precipitation in the hour, inches"),
    _measured("pressure_mb", "Fractional", "Pressure at sea level, millibars"),
    _measured("visibility_mi", "Fractional", "Visibility, miles"),
    Feature(
        name="temp_change_3h_f",
        type="Fractional",
        description="Change of temperature in three hours, degrees Fahrenheit",
        purpose="Fronts that pass bring delays before the wind shows it",
        technique="difference to the reading three hours earlier at the same airport",
        logic=temperature_change,
        sources=(
            uri("weather", "temp"),
            uri("weather", "time_hour"),
            uri("weather", "origin"),
        ),
    ),
    Feature(
        name="low_visibility",
        type="Integral",
        description="1 when one sees less than three miles, else 0",
        purpose="Below three miles the airport lands by instruments and takes fewer flights an hour",
        technique="threshold on visibility",
        logic=airport_weather,
        sources=(uri("weather", "visib"),),
    ),
]
