"""Show a schedule as Airflow 3 does (the summary of its timetable)."""

from __future__ import annotations

from datetime import timedelta

from festaf.sharing.reading.airflow.model import AssetLike, Dag
from festaf.sharing.reading.values import Dict, External, Instance, List, Made, Unknown

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
CRON = {"CronTriggerTimetable", "CronDataIntervalTimetable", "CronPartitionTimetable"}
DELTA = {"DeltaTriggerTimetable", "DeltaDataIntervalTimetable"}
OR_TIME = {"AssetOrTimeSchedule", "DatasetOrTimeSchedule"}


def schedule_of(dag: Dag) -> object:
    """Give the value of a DAG's schedule; ``schedule_interval`` and ``timetable`` are what Airflow 2 called it."""
    for name in ("schedule", "schedule_interval", "timetable"):
        value = dag.option(name)
        if value is not None:
            return value
    return None


def summary(value: object) -> str | Unknown | None:
    """Give the text that Airflow shows; None when the DAG has no schedule."""
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(value, str):
        return PRESETS.get(value, value)
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, AssetLike):
        return value.gap if value.gap is not None and value.kind == "unknown" else "Asset"
    if isinstance(value, List | tuple):
        return _of_list(value)
    if isinstance(value, Made):
        return _of_timetable(value)
    if isinstance(value, Instance):
        return _of_local(value)
    return Unknown("The schedule is not known")


def _of_list(items: List | tuple[object, ...]) -> str | Unknown:
    gap = getattr(items, "gap", None)
    for item in items:
        if isinstance(item, Unknown):
            gap = gap or item
        elif not isinstance(item, AssetLike):
            return Unknown("The schedule is a list of something else than assets")
    if not items and isinstance(gap, Unknown):
        return gap
    return "Asset" if items or gap is None else gap


def _of_timetable(made: Made) -> str | Unknown | None:
    name = made.cls.name
    first = made.positional[0] if made.positional else None
    if name in CRON:
        cron = made.keywords.get("cron", first)
        return PRESETS.get(cron, cron) if isinstance(cron, str) else Unknown("The cron expression is not known")
    if name in DELTA:
        delta = made.keywords.get("delta", first)
        return str(delta) if isinstance(delta, timedelta) else Unknown("The interval is not known")
    if name == "relativedelta":
        return Unknown("How Airflow shows a relativedelta is not computed")
    if name == "MultipleCronTriggerTimetable":
        if made.gap is None and all(isinstance(cron, str) for cron in made.positional):
            return ", ".join(PRESETS.get(str(cron), str(cron)) for cron in made.positional)
        return Unknown("The cron expressions are not known")
    if name in OR_TIME:
        inner = summary(made.keywords.get("timetable"))
        return f"Asset or {inner}" if isinstance(inner, str) else inner or Unknown("The timetable is not known")
    if name == "EventsTimetable":
        return _of_events(made)
    if name == "PartitionedAssetTimetable":
        return "Partitioned Asset"
    if name == "PartitionedAtRuntime":
        return "PartitionedAtRuntime"
    return Unknown(f"What {made.cls.path} shows is not known")


def _of_events(made: Made) -> str | Unknown:
    description = made.keywords.get("description")
    if isinstance(description, str) and description:
        return description
    dates = made.keywords.get("event_dates", made.positional[0] if made.positional else None)
    if isinstance(dates, List | tuple) and getattr(dates, "gap", None) is None and description is None:
        return f"{len(dates)} events"
    return Unknown("The events are not known")


def _of_local(instance: Instance) -> str | Unknown:
    """Show a timetable of the package: its class's name, unless the class says otherwise."""
    if instance.cls.find("summary") is not None:
        return Unknown(f"What the timetable {instance.cls.name} shows is computed when it is loaded")
    outside = instance.cls.outside
    if isinstance(outside, External) and outside.name == "Timetable":
        return instance.cls.name
    return Unknown(f"What the timetable {instance.cls.name} shows is not known")


def scheduled_assets(value: object) -> object:
    """Give the part of a schedule that is assets."""
    if isinstance(value, Made) and value.cls.name in {*OR_TIME, "PartitionedAssetTimetable"}:
        return value.keywords.get("assets", value.keywords.get("datasets"))
    return value if isinstance(value, AssetLike | List | tuple | Dict) else None
