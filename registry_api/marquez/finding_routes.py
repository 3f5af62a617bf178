"""``/events/lineage``, ``/search`` and ``/stats``."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, WithJsonSchema
from sqlalchemy.orm import Session

from festaf.contract import marquez
from festaf.contract.marquez import IntervalMetric, LineageMetric
from festaf.contract.model import Moment, refuse_number
from festaf.registry_api.access.caller import Caller
from festaf.registry_api.access.sight import Sight
from festaf.registry_api.catalog.hiding import without_hidden
from festaf.registry_api.catalog.statistics_repository import EventFilter, StatisticsReads
from festaf.registry_api.edge import Now, Reader, Reading, View
from festaf.registry_api.errors import UnreadableEventError
from festaf.registry_api.marquez.names import MOST, EncodedName, NodeKind, Offset, Part, node_id

router = APIRouter(tags=["marquez"])


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _or_empty(kind: str) -> WithJsonSchema:
    """Say in the schema that Marquez's page sends an empty text for none."""
    return WithJsonSchema({"anyOf": [{"type": "string", "format": kind}, {"type": "string", "maxLength": 0}]})


Bound = Annotated[
    Moment | None, BeforeValidator(_none_if_empty), _or_empty("date-time"), Query(description="With offset")
]
Day = Annotated[
    date | None,
    BeforeValidator(_none_if_empty),
    BeforeValidator(refuse_number),
    _or_empty("date"),
    Query(description="YYYY-MM-DD"),
]
Direction = Annotated[Literal["asc", "desc"], BeforeValidator(_lower), Query(alias="sortDirection")]
Filter = Annotated[Literal["job", "dataset", "all"], BeforeValidator(_lower), Query(alias="filter")]
Sort = Annotated[Literal["name", "update_at", "updated_at"], BeforeValidator(_lower)]
Period = Annotated[Literal["day", "week"], BeforeValidator(_lower), Query(description="DAY or WEEK")]
Zone = Annotated[str, Query(max_length=100, description="Name of a time zone, for WEEK")]


@router.get("/events/lineage", summary="List events")
def get_events(
    caller: Reader,
    session: Reading,
    view: View,
    before: Bound = None,
    after: Bound = None,
    direction: Direction = "desc",
    limit: Part = 100,
    offset: Offset = 0,
) -> marquez.Events:
    """List the OpenLineage events of runs as they came, by the time at which they happened.

    As in Marquez, those of a job or dataset alone are left out: its page takes each for one of a run.
    """
    asked = EventFilter(view, after, before, of_runs=True, newest_first=direction == "desc")
    return _events(caller, session, asked, limit, offset)


@router.get("/events", summary="List events", include_in_schema=False)
def get_all_events(
    caller: Reader, session: Reading, view: View, limit: Part = 100, offset: Offset = 0
) -> marquez.Events:
    """List events, under the name that Marquez's Python client knows."""
    return _events(caller, session, EventFilter(view), limit, offset)


@router.get("/events/{namespace:path}", summary="List a namespace's events", include_in_schema=False)
def get_events_of(
    namespace: EncodedName,
    caller: Reader,
    session: Reading,
    view: View,
    limit: Part = 100,
    offset: Offset = 0,
) -> marquez.Events:
    """List the events of runs of a namespace's jobs, under the name that Marquez's Python client knows."""
    return _events(caller, session, EventFilter(view, namespace=namespace), limit, offset)


def _events(caller: Caller, session: Session, asked: EventFilter, limit: int, offset: int) -> marquez.Events:
    rows, count = StatisticsReads(session, caller.sight).events(asked, min(limit, MOST), offset)
    return marquez.Events(events=tuple(_event(row.body, caller.sight) for row in rows), total_count=count)


def _event(body: bytes, sight: Sight) -> dict[str, Any]:
    """Give an event as it came, but for what the caller may not see."""
    event: dict[str, Any] = without_hidden(json.loads(zlib.decompress(body)), sight)
    return event


@router.get("/search", summary="Find jobs and datasets by name")
def get_search(
    caller: Reader,
    session: Reading,
    q: Annotated[str, Query(min_length=1, max_length=500, description="Part of a name; % and _ stand for any letters")],
    kind: Filter = "all",
    sort: Sort = "name",
    limit: Part = 10,
    namespace: Annotated[str | None, Query(max_length=2_000)] = None,
    before: Day = None,
    after: Day = None,
) -> marquez.SearchResults:
    """Find jobs and datasets by a part of their names, in either case."""
    if q.endswith("\\"):
        raise UnreadableEventError("q: a backslash cannot end a pattern")
    bounds = tuple(datetime.combine(day, time(), UTC) if day else None for day in (after, before))
    kinds = ("JOB", "DATASET") if kind == "all" else (kind.upper(),)
    rows = StatisticsReads(session, caller.sight).search(
        q, kinds, namespace, (bounds[0], bounds[1]), sort != "name", min(limit, MOST)
    )
    found = []
    for shown, space, name, seen in rows:
        node: NodeKind = "job" if shown == "JOB" else "dataset"
        found.append(
            marquez.SearchResult(
                name=name, namespace=space, type=shown, updated_at=seen, node_id=node_id(node, space, name)
            )
        )
    return marquez.SearchResults(total_count=len(found), results=tuple(found))


@router.get("/stats/lineage-events", summary="Count events by type and time")
def get_event_stats(
    caller: Reader, session: Reading, now: Now, period: Period, timezone: Zone = "UTC"
) -> list[LineageMetric]:
    """Count run events of the last 24 hours by hour, or of the last 7 days by day."""
    bounds = _bounds(now, period, timezone)
    counts = StatisticsReads(session, caller.sight).events_by_type(bounds)
    return [
        LineageMetric(
            start_interval=bounds[number - 1],
            end_interval=bounds[number],
            **{kind.lower(): counts.get((number, kind), 0) for kind in ("FAIL", "START", "COMPLETE", "ABORT")},
        )
        for number in range(1, len(bounds))
    ]


@router.get("/stats/{what}", summary="Count jobs, datasets or sources by time")
def get_stats(
    what: Literal["jobs", "datasets", "sources"],
    caller: Reader,
    session: Reading,
    now: Now,
    period: Period,
    timezone: Zone = "UTC",
) -> list[IntervalMetric]:
    """Count how many were known at the end of each of the last 24 hours, or of the last 7 days."""
    bounds = _bounds(now, period, timezone)
    counts = StatisticsReads(session, caller.sight).first_seen(what, bounds)
    return [
        IntervalMetric(start_interval=bounds[number - 1], end_interval=bounds[number], count=sum(counts[: number + 1]))
        for number in range(1, len(bounds))
    ]


def _bounds(now: datetime, period: str, timezone: str) -> list[datetime]:
    try:
        zone = ZoneInfo(timezone)
    except (ValueError, OSError, KeyError) as error:
        raise UnreadableEventError(f"timezone: {timezone!r} is no time zone") from error
    if period == "day":
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return [hour + timedelta(hours=number - 23) for number in range(25)]
    today = now.astimezone(zone).date()
    days = [today + timedelta(days=number - 6) for number in range(8)]
    return [datetime.combine(day, time(), zone).astimezone(UTC) for day in days]
