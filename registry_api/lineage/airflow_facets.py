"""Read what Airflow's own OpenLineage provider says of tasks and DAGs, for a registry to which only it sends.

Its run facet ``airflow`` stands in a task's events, ``airflowDagRun`` in a DAG run's; only the latter knows the DAG
version. Its values went through Airflow's secrets masker, and some are the text of a Python object. What cannot be
understood is passed over: these are not our facets, and an event is never refused for them.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from festaf.contract.datasets import attached, outputs
from festaf.contract.facts.told import Worker
from festaf.contract.feature_set import EXTRA_KEY
from festaf.contract.names import owners_of
from festaf.contract.openlineage import DagSnapshot, OutputDataset, RunEvent, TaskRun

TASK_RUN = "airflow"
DAG_RUN = "airflowDagRun"
UNKNOWN_STATE = "unknown"
"""The provider's facets do not say Airflow's own state of the task."""
MASK = "***"
MAX_TEXT = 500_000
"""Characters of a Python object's text that are read; a longer one is passed over."""
OURS = "festaf_"

Facets = Mapping[str, dict[str, Any]]


def task_run(facets: Facets) -> TaskRun | None:
    """Read which task instance a run is; None when it is no task's, or not told by the provider."""
    if TASK_RUN not in facets:
        return None
    dag, run, task, instance = (_part(facets, TASK_RUN, name) for name in ("dag", "dagRun", "task", "taskInstance"))
    known = {
        "dag_id": _text(dag, "dag_id") or _text(run, "dag_id"),
        "task_id": _text(task, "task_id"),
        "run_id": _text(run, "run_id"),
        "try_number": instance.get("try_number"),
        "map_index": -1 if instance.get("map_index") is None else instance["map_index"],
        "operator": (_text(task, "operator_class") or "").rpartition(".")[2] or None,
        "state": UNKNOWN_STATE,
        "logical_date": _text(run, "logical_date"),
        "run_after": _text(run, "run_after"),
        "run_type": _text(run, "run_type"),
        "bundle_name": _text(instance, "dag_bundle_name"),
        "bundle_version": _text(instance, "dag_bundle_version"),
    }
    try:
        found = TaskRun.model_validate(known)
    except ValidationError:
        return None
    return found if _is_dag_id(found.dag_id) else None


def dag_snapshot(facets: Facets) -> DagSnapshot | None:
    """Read what was seen of the DAG.

    The bundle version of a DAG run's facet is left out: Airflow rewrites it in place, so it may be that of a later run.
    """
    if TASK_RUN not in facets and DAG_RUN not in facets:
        return None
    of_task = TASK_RUN in facets
    name = TASK_RUN if of_task else DAG_RUN
    dag, run, instance = (_part(facets, name, part) for part in ("dag", "dagRun", "taskInstance"))
    known = {
        "dag_id": _text(dag, "dag_id") or _text(run, "dag_id"),
        "dag_version_id": _text(run, "dag_version_id"),
        "version_number": run.get("dag_version_number"),
        "bundle_name": _text(instance, "dag_bundle_name") or _text(run, "dag_bundle_name"),
        "bundle_version": _text(instance, "dag_bundle_version"),
        "owners": owners_of(owner if isinstance(owner := dag.get("owner"), str) else None),
        "tags": _tags(dag.get("tags")),
        "description": _text(dag, "description"),
        "schedule": _text(dag, "timetable_summary"),
    }
    try:
        found = DagSnapshot.model_validate(known)
    except ValidationError:
        return None
    return found if _is_dag_id(found.dag_id) else None


def with_attached(event: RunEvent) -> RunEvent:
    """Add to the outputs of a task what it attached to its asset events, which the provider lists with its outlets.

    An output that carries facets of ours was told by our own operator already.
    """
    outlets = _python(_part(event.run.facets, TASK_RUN, "task").get("outlets"))
    said = [
        (item.get("uri"), item["extra"])
        for item in (outlets if isinstance(outlets, list) else ())
        if isinstance(item, dict)
        and isinstance(item.get("uri"), str)
        and isinstance(item.get("extra"), dict)
        and EXTRA_KEY in item["extra"]
    ]
    if not said:
        return event
    told = {(item.namespace, item.name): item for item in outputs((), attached(said, _worker(event)))}
    known = {(item.namespace, item.name) for item in event.outputs}
    return event.model_copy(
        update={
            "outputs": (
                *(_completed(item, told.get((item.namespace, item.name))) for item in event.outputs),
                *(item for name, item in told.items() if name not in known),
            )
        }
    )


def _completed(output: OutputDataset, told: OutputDataset | None) -> OutputDataset:
    if told is None or any(name.startswith(OURS) for name in (*output.facets, *output.output_facets)):
        return output
    return output.model_copy(
        update={"facets": told.facets | output.facets, "output_facets": told.output_facets | output.output_facets}
    )


def _worker(event: RunEvent) -> Worker:
    task = task_run(event.run.facets)
    return Worker(None, task.bundle_name, task.bundle_version) if task else Worker()


def dag_of_child(facets: Facets, job: str) -> str | None:
    """Name the DAG of a job that is a part of it: the root's job, else the parent's, when the name begins with it."""
    parent = facets.get("parent", {})
    for part in (parent.get("root"), parent):
        named = part.get("job") if isinstance(part, dict) else None
        name = named.get("name") if isinstance(named, dict) else None
        if isinstance(name, str) and job.startswith(f"{name}.") and _is_dag_id(name):
            return name
    return None


def _part(facets: Facets, facet: str, name: str) -> Mapping[str, Any]:
    found = facets.get(facet, {}).get(name)
    return found if isinstance(found, dict) else {}


def _text(part: Mapping[str, Any], name: str) -> str | None:
    value = part.get(name)
    return value if isinstance(value, str) and value not in {"", "None"} and MASK not in value else None


def _tags(value: Any) -> tuple[str, ...]:
    """Read tags from a list or from its text, such as ``"['river']"``."""
    found = _python(value)
    items = found if isinstance(found, list | tuple | set) else ()
    return tuple(sorted(item for item in items if isinstance(item, str) and MASK not in item))


def _python(value: Any) -> Any:
    """Read the text of a Python literal; anything else stays as it is."""
    if not isinstance(value, str):
        return value
    if len(value) > MAX_TEXT:
        return None
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_dag_id(dag_id: str) -> bool:
    return 0 < len(dag_id) <= 250
