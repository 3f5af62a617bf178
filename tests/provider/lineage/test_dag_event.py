"""The scheduler's objects are read as far as they are in memory, and no further."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun

from festaf.contract.names import dag_run_id, task_run_id
from festaf.contract.openlineage import DAG_FACET, TASK_FACET, EventType, TaskRun
from festaf.provider.lineage.dag_event import dag_run_event, outside_event
from festaf.provider.lineage.dag_version import DagVersion, DagVersions
from festaf.provider.lineage.settings import LineageSettings
from festaf.provider.lineage.task_event import Ended

SETTINGS = LineageSettings("http://registry", None, "prod", Path("/spool"), 1, 1, 1.0, 1.0, True)
AFTER = datetime(2026, 11, 21, 1, tzinfo=UTC)
ENDED = datetime(2026, 11, 21, 2, tzinfo=UTC)


def _run(**more: Any) -> DagRun:
    run = DagRun(dag_id="dag", run_id="manual__1", run_after=AFTER, run_type="manual", **more)
    run.end_date = ENDED
    return run


def test_what_is_not_loaded_is_unknown_and_nothing_is_asked() -> None:
    event = dag_run_event(_run(), EventType.COMPLETE, DagVersion(3, "dags"), SETTINGS)
    dag = event.job.facets[DAG_FACET]["dag"]
    assert (dag["version_number"], dag["bundle_name"], dag["next_run"], dag["schedule"]) == (3, "dags", None, None)
    assert event.event_time == ENDED
    assert event.run.run_id == dag_run_id(namespace="prod", dag_id="dag", clear_number=0, moment=AFTER)


def test_the_next_run_comes_from_a_loaded_dag_model() -> None:
    run = _run()
    vars(run)["dag_model"] = DagModel(dag_id="dag", next_dagrun_create_after=ENDED)
    event = dag_run_event(run, EventType.START, DagVersion(), SETTINGS)
    assert event.job.facets[DAG_FACET]["dag"]["next_run"] == "2026-11-21T02:00:00Z"


def test_a_failed_run_says_what_airflow_says() -> None:
    event = dag_run_event(_run(), EventType.FAIL, DagVersion(), SETTINGS, "timed_out")
    assert event.run.facets["errorMessage"]["message"] == "timed_out"


def test_a_run_outside_of_any_session_has_no_version_to_ask_for() -> None:
    run = _run()
    assert DagVersions().of(run) == DagVersion()
    run.created_dag_version_id = UUID(int=1)
    assert DagVersions().of(run) == DagVersion()


def test_a_try_whose_worker_was_lost_is_the_same_run_as_its_worker_would_have_told() -> None:
    task_instance = SimpleNamespace(
        dag_id="dag",
        task_id="task",
        run_id="manual__1",
        try_number=2,
        map_index=-1,
        operator="PythonOperator",
        custom_operator_name="@task",
        start_date=AFTER,
        end_date=ENDED,
        dag_version_id=UUID(int=1),
        hostname="worker",
        dag_run=_run(),
    )
    event = outside_event(task_instance, Ended(EventType.FAIL, "failed", "the worker is gone"), SETTINGS)
    assert event.run.run_id == task_run_id(
        namespace="prod", dag_id="dag", task_id="task", try_number=2, map_index=-1, moment=AFTER
    )
    task = TaskRun.model_validate(event.run.facets[TASK_FACET]["task"])
    assert (task.operator, task.state, task.hostname) == ("@task", "failed", "worker")
    assert event.run.facets["errorMessage"]["message"] == "the worker is gone"
    assert event.outputs == ()
