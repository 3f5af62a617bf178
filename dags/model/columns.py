"""What the model reads of a row, the same in training, evaluation and at the endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

LABEL = "dep_delay_min"
DUE = "due"
LATE_MINUTES = 15.0
"""A flight is late when it leaves more than this after it was due, as the FAA counts."""

MEASURED = [
    "carrier_delay_24h_min",
    "carrier_flights_24h",
    "origin_delay_3h_min",
    "origin_flights_3h",
    "distance_mi",
    "temp_f",
    "dewpoint_f",
    "humidity_pct",
    "wind_mph",
    "precip_in",
    "pressure_mb",
    "visibility_mi",
    "temp_change_3h_f",
    "low_visibility",
    "built_year",
    "seats",
]
CARRIERS = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]
INPUTS = [*MEASURED, "carrier", "hour", "weekday"]


def inputs(rows: pd.DataFrame) -> pd.DataFrame:
    """Turn rows into the model's columns: numbers, missing where a row has none.

    :param rows: MEASURED, ``carrier`` and ``due``, when the flight is due, ISO 8601
    """
    import pandas as pd

    made = rows.reindex(columns=MEASURED).apply(pd.to_numeric, errors="coerce").astype("float64")
    local = pd.to_datetime(rows[DUE], utc=True, format="ISO8601").dt.tz_convert("America/New_York")
    made["carrier"] = pd.Categorical(rows["carrier"], categories=CARRIERS).codes.astype("float64")
    made["hour"] = local.dt.hour.astype("float64")
    made["weekday"] = local.dt.dayofweek.astype("float64")
    chosen: pd.DataFrame = made[INPUTS]
    return chosen


def late(rows: pd.DataFrame) -> pd.Series[bool]:
    """Tell which flights left late."""
    return rows[LABEL].astype("float64") > LATE_MINUTES


def read(folder: str) -> pd.DataFrame:
    """Read every Parquet file of a folder; Athena gives its files no ending, and a manifest may lie beside them.

    :raises FileNotFoundError: there is none
    """
    from pathlib import Path

    import pandas as pd

    files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file() and _is_parquet(path.read_bytes()[:4])]
    if not files:
        raise FileNotFoundError(f"there is no Parquet file in {folder}")
    return pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)


def _is_parquet(head: bytes) -> bool:
    return head == b"PAR1"
