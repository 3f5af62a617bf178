"""What is known of each plane. The table has no time of its own: a fact holds from when it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.provider.artifacts import Feature
from flights.tables import read, taken_over

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd


FEATURE_SET = "plane_facts"
RECORD_IDENTIFIER = "tailnum"
EVENT_TIME = "read_at"
KEPT = {
    "tailnum": "tailnum",
    "year": "built_year",
    "manufacturer": "manufacturer",
    "model": "model",
    "engines": "engines",
    "seats": "seats",
    "engine": "engine",
}


def plane_facts(read_at: datetime) -> pd.DataFrame:
    """Take one row a plane, with the time of reading as its event time."""
    rows = read("planes", list(KEPT)).rename(columns=KEPT)
    rows["built_year"] = rows["built_year"].astype("Int64")
    return rows.assign(read_at=read_at.strftime("%Y-%m-%dT%H:%M:%SZ"))


_fact = taken_over("planes", KEPT, "FAA registry, taken over as it is")

FEATURES = [
    _fact("tailnum", "String", "Tail number"),
    Feature(
        name="read_at", type="String", description="When the registry was read, UTC", technique="time of the DAG run"
    ),
    _fact("built_year", "Integral", "Year of manufacture"),
    _fact("manufacturer", "String", "Manufacturer"),
    _fact("model", "String", "Model"),
    _fact("engines", "Integral", "Number of engines"),
    _fact("seats", "Integral", "Number of seats"),
    _fact("engine", "String", "Type of engine"),
]
