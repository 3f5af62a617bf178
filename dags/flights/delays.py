"""How late a carrier's and an airport's flights have been leaving, as it was known when each flight was due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from festaf.provider.artifacts import Feature
from flights.tables import read, uri

if TYPE_CHECKING:
    import pandas as pd

FEATURE_SET = "flight_delays"
RECORD_IDENTIFIER = "flight_id"
EVENT_TIME = "scheduled_at"
CARRIER_HOURS = 24
ORIGIN_HOURS = 3
KEPT = {"dest": "dest", "tailnum": "tailnum", "distance": "distance_mi", "dep_delay": "dep_delay_min"}


def flight_delays() -> pd.DataFrame:
    """Compute one row a flight, cancelled ones included."""
    import pandas as pd

    flights = read("flights", ["carrier", "flight", "origin", "time_hour", "minute", *KEPT])
    due = pd.to_datetime(flights["time_hour"], utc=True) + pd.to_timedelta(flights["minute"], unit="min")
    rows = flights.rename(columns=KEPT).assign(scheduled_at=due.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    rows["flight_id"] = (
        rows["carrier"] + rows["flight"].astype(str) + "-" + rows["origin"] + "-" + due.dt.strftime("%Y%m%dT%H%M")
    )
    rows["cancelled"] = rows["dep_delay_min"].isna().astype("int64")
    delay = rows["dep_delay_min"]
    for by, hours in (("carrier", CARRIER_HOURS), ("origin", ORIGIN_HOURS)):
        rows[f"{by}_delay_{hours}h_min"], rows[f"{by}_flights_{hours}h"] = delay_before(due, delay, rows[by], hours)
    return rows.drop(columns=["flight", "time_hour", "minute"])


def delay_before(
    due: pd.Series[pd.Timestamp], delay: pd.Series[float], group: pd.Series[str], hours: int
) -> tuple[pd.Series[float], pd.Series[int]]:
    """Average the delays of the group's flights that left in the hours before each flight was due.

    A delay is known when its flight has left, not when it was due: a flight that is two hours late says nothing
    about itself to one that is due an hour after it. Nothing from the future leaks in.
    """
    import numpy as np
    import pandas as pd

    left_at = due + pd.to_timedelta(delay, unit="min")
    average = pd.Series(np.nan, index=due.index)
    count = pd.Series(0, index=due.index)
    for _, members in due.groupby(group):
        known = left_at[members.index].dropna().sort_values()
        total = np.concatenate([[0.0], delay[known.index].cumsum()])
        end = known.searchsorted(members, side="left")
        start = known.searchsorted(members - pd.Timedelta(hours=hours), side="left")
        flights = end - start
        count[members.index] = flights
        with np.errstate(invalid="ignore"):
            average[members.index] = (total[end] - total[start]) / flights
    return average.round(2), count


def _rolling(by: str, hours: int, scope: str, statistic: Literal["mean", "count"], description: str) -> Feature:
    return Feature(
        name=f"{by}_delay_{hours}h_min" if statistic == "mean" else f"{by}_flights_{hours}h",
        type="Fractional" if statistic == "mean" else "Integral",
        description=description,
        purpose=f"Delays spread within {scope}: how late it runs now says how late the next flight will be",
        technique=f"rolling {statistic} over {hours} h of the departures known when the flight was due",
        logic=delay_before,
        sources=tuple(uri("flights", column) for column in ("dep_delay", by, "time_hour", "minute")),
    )


FEATURES = [
    Feature(
        name="flight_id",
        type="String",
        description="Carrier, number, airport and time due, such as UA1545-EWR-20130101T1015",
        sources=tuple(uri("flights", column) for column in ("carrier", "flight", "origin", "time_hour", "minute")),
    ),
    Feature(
        name="scheduled_at",
        type="String",
        description="When the flight was due to leave, UTC",
        sources=(
            uri("flights", "time_hour"),
            uri("flights", "minute"),
        ),
    ),
    Feature(name="carrier", type="String", description="Carrier code", sources=(uri("flights", "carrier"),)),
    Feature(name="origin", type="String", description="Airport: EWR, JFK or LGA", sources=(uri("flights", "origin"),)),
    Feature(name="dest", type="String", description="Airport of arrival", sources=(uri("flights", "dest"),)),
    Feature(
        name="tailnum", type="String", description="Tail number of the plane", sources=(uri("flights", "tailnum"),)
    ),
    Feature(name="distance_mi", type="Integral", description="Distance, miles", sources=(uri("flights", "distance"),)),
    Feature(
        name="dep_delay_min",
        type="Fractional",
        description="How late the flight left, minutes; absent when it was cancelled",
        purpose="The label to learn",
        technique="measured, taken over as it is",
        sources=(uri("flights", "dep_delay"),),
    ),
    Feature(
        name="cancelled",
        type="Integral",
        description="1 when the flight never left, else 0",
        technique="no departure delay was recorded",
        logic=flight_delays,
        sources=(uri("flights", "dep_delay"),),
    ),
]
for _by, _hours, _scope in (("carrier", CARRIER_HOURS, "a carrier"), ("origin", ORIGIN_HOURS, "an airport")):
    FEATURES += [
        _rolling(_by, _hours, _scope, "mean", f"Mean delay of the {_by}'s last {_hours} h, minutes"),
        _rolling(_by, _hours, _scope, "count", f"Departures of the {_by}'s last {_hours} h"),
    ]
