"""A point-in-time join that is slow and obviously right: for each row, look at every record with pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from festaf.provider.training_sets import FeatureView

NANOSECONDS = 1_000_000_000


def nanoseconds(value: str | float | None) -> int | None:
    """Read ISO 8601 text or seconds since 1970, as pandas does."""
    if value is None:
        return None
    if isinstance(value, float):
        return round(value * 1_000_000) * 1_000
    moment = pd.Timestamp(value)
    return int((moment.tz_convert("UTC") if moment.tzinfo else moment.tz_localize("UTC")).value)


def features_of(
    row: Mapping[str, Any], view: FeatureView, records: pd.DataFrame, names: Sequence[str], until: float
) -> dict[str, Any] | None:
    """Give the features of one entity row; None when there is no record for it.

    :param row: with ``id`` and ``at`` (nanoseconds or None)
    :param records: with ``id``, ``at``, ``written``, ``called``, ``deleted`` and the features
    :param until: the snapshot, in the same seconds as ``written``
    """
    known = records[(records["id"] == row["id"]) & (records["written"] <= until)]
    if view.point_in_time:
        if row["at"] is None:
            return None
        known = known[known["at"] < row["at"]] if view.strict else known[known["at"] <= row["at"]]
    if known.empty:
        return None
    order = ["at", "written", "called", "deleted", *names]
    newest = known.sort_values(order, na_position="first", kind="stable").iloc[-1]
    if newest["deleted"]:
        return None
    if view.max_age is not None and row["at"] - newest["at"] > round(float(view.max_age) * NANOSECONDS):
        return None
    return {name: None if pd.isna(newest[name]) else newest[name] for name in names}
