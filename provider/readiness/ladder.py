"""The ladder of readiness as pure functions: from what AWS says to what is missing.

Success is named, never "not in progress": a state that is not known raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.provider.errors import FailedArtifactError, InputError, RefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.readiness.bounds import Bounds

ABSENT = "the feature set does not exist"
CREATING = "AWS is still creating it"


def created(name: str, found: FeatureSet | None, *, glue_table: bool) -> tuple[str, ...]:
    """Tell what is missing for CREATED.

    :param found: what DescribeFeatureGroup tells; None when there is none
    :param glue_table: whether the offline store's Glue table exists
    :raises FailedArtifactError: AWS gave it up, or is deleting it
    """
    if found is None:
        return (ABSENT,)
    who = f"Feature set {name}"
    if found.status == "Creating":
        return (CREATING,)
    if found.status in {"CreateFailed", "DeleteFailed", "Deleting"}:
        raise FailedArtifactError(who, found.status, found.failure_reason)
    if found.status != "Created":
        raise RefusedError(f"{who} has the status {found.status!r}, which this version of festaf does not know")
    return (*_update(who, found), *_offline(who, found, glue_table=glue_table))


def _update(who: str, found: FeatureSet) -> tuple[str, ...]:
    if found.last_update_status in {None, "Successful"}:
        return ()
    if found.last_update_status == "InProgress":
        return ("AWS is still updating it",)
    if found.last_update_status == "Failed":
        raise FailedArtifactError(who, "Created, but its last update Failed", found.last_update_reason)
    raise RefusedError(f"{who} has the update status {found.last_update_status!r}, which this version does not know")


def _offline(who: str, found: FeatureSet, *, glue_table: bool) -> tuple[str, ...]:
    store = found.offline
    if store is None:
        return ()
    if store.status in {"Blocked", "Disabled"}:
        raise FailedArtifactError(who, f"Created, but its offline store is {store.status}", store.blocked_reason)
    missing = []
    if store.status is None:
        missing.append("the offline store is not Active yet")
    elif store.status != "Active":
        raise RefusedError(f"{who} has the offline status {store.status!r}, which this version does not know")
    if (store.creates_glue_table or store.glue_table) and not glue_table:
        table = f" {store.glue_table.database}.{store.glue_table.table}" if store.glue_table else ""
        missing.append(f"the Glue table{table} does not exist")
    return tuple(missing)


def check_stores(found: FeatureSet, level: str, bounds: Bounds) -> None:
    """Find a level that a feature set can never reach, for want of a store.

    :raises InputError: it is one
    """
    online = level == "WRITABLE" or (level == "FRESH" and bounds.record is not None)
    if online and found.online is None:
        raise InputError(f"Feature set {found.name} has no online store, so {level} cannot be proven: use QUERYABLE")
    if level in {"QUERYABLE", "FRESH"} and not online:
        if found.offline is None:
            hint = "WRITABLE" if level == "QUERYABLE" else "FRESH with record"
            raise InputError(
                f"Feature set {found.name} has no offline store, so {level} needs SQL it lacks: use {hint}"
            )
        if found.offline.glue_table is None and not found.offline.creates_glue_table:
            raise InputError(f"Feature set {found.name} has no Glue table, so SQL cannot see it")


def queryable(rows: int, newest: datetime | None, bounds: Bounds) -> tuple[str, ...]:
    """Tell what is missing for QUERYABLE.

    :param rows: rows that SQL sees
    :param newest: the newest event time that SQL sees
    """
    missing = []
    wanted = 1 if bounds.rows is None else bounds.rows
    if rows < wanted:
        missing.append(f"SQL sees {rows:,} rows of {wanted:,}")
    if bounds.until is not None and (newest is None or newest < bounds.until):
        missing.append(f"SQL sees event times up to {newest or 'none'}, not {bounds.until}")
    return tuple(missing)


def fresh(newest: datetime | None, now: datetime, bounds: Bounds) -> tuple[str, ...]:
    """Tell what is missing for FRESH."""
    if newest is None:
        return ("there is no record",)
    age = (now - newest).total_seconds()
    limit = bounds.max_age or 0.0
    return () if age <= limit else (f"the newest event time is {newest}, {age:,.0f} s ago, {limit:,.0f} s are allowed",)
