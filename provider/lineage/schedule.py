"""A DAG's schedule as one text, the same from a worker's DAG and from the scheduler's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
"""What Airflow's scheduler makes of the names that its users write."""

SUMMARIES = {
    "OnceTimetable": "@once",
    "ContinuousTimetable": "@continuous",
    "AssetTriggeredTimetable": "Asset",
}


def awaited_assets(timetable: object) -> tuple[str, ...]:
    """Give the URIs of the assets that a timetable waits for; an asset that is known by its name only has none."""
    return tuple(sorted(set(_uris(getattr(timetable, "asset_condition", None)))))


def _uris(condition: object) -> Iterator[str]:
    """Walk a condition: it has a URI itself, or is made of others."""
    uri = getattr(condition, "uri", None)
    if isinstance(uri, str):
        yield uri
    for part in getattr(condition, "objects", ()):
        yield from _uris(part)


def schedule_text(timetable: object) -> str | None:
    """Describe a timetable as Airflow's scheduler does; None for no schedule and for one that cannot be described.

    The worker's timetables have no summary of their own.
    """
    summary = getattr(timetable, "summary", None)
    if not isinstance(summary, str):
        expression = getattr(timetable, "expression", None)
        summary = PRESETS.get(expression, expression) if isinstance(expression, str) else None
        summary = summary or SUMMARIES.get(type(timetable).__name__)
    return None if summary in {None, "", "None"} else summary
