"""A DAG's schedule as one text, the same from a worker's DAG and from the scheduler's."""

from __future__ import annotations

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
