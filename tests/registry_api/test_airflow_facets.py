"""What Airflow's own OpenLineage provider says names the DAG, its version, the task and what was declared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from festaf.contract.openlineage import EVENT, RunEvent
from festaf.registry_api.lineage import airflow_facets

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry

DAG_RUN_ID = "01a1fb67-1800-7d97-aef9-0621330a8bab"
TASK_RUN_ID = "01a1fb67-1800-7282-a528-51af6126fdfb"
VERSION_ID = "01a1fb67-1800-7197-b49b-08e6108475eb"
WRITE = {
    "kind": "write",
    "project": "sea",
    "feature_set": "floods",
    "rows_accepted": None,
    "features": [{"name": "flood", "type": "Integral", "purpose": "to warn", "sources": ["s3://harbour/raw#height"]}],
}
OUTLETS = [
    {"uri": "x-festaf://sea/floods", "extra": {}, "type": "asset"},
    {"uri": "x-festaf://sea/floods", "extra": {"festaf": WRITE}, "type": "asset_event"},
]
DAG = {
    "dag_id": "rivers",
    "description": "Levels of rivers",
    "owner": "ann, ***",
    "tags": "['river']",
    "timetable_summary": "0 0 * * *",
}
DAG_RUN = {"dag_id": "rivers", "run_id": "manual__1", "run_type": "manual", "logical_date": "2026-11-21T00:00:00+00:00"}
PARENT = {
    "run": {"runId": DAG_RUN_ID},
    "job": {"namespace": "rivers", "name": "rivers"},
    "root": {"run": {"runId": DAG_RUN_ID}, "job": {"namespace": "rivers", "name": "rivers"}},
}


def _event(job: str, run_id: str, facets: dict[str, Any], kind: str = "COMPLETE", **more: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTime": "2026-11-25T10:00:01Z",
        "producer": "https://github.com/apache/airflow/tree/providers-openlineage/2.20.3",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run_id, "facets": facets},
        "job": {"namespace": "rivers", "name": job},
        **more,
    }


def _task(**task: Any) -> dict[str, Any]:
    facet = {
        "dag": DAG,
        "dagRun": DAG_RUN,
        "task": {
            "task_id": "group.below",
            "operator_class": "***.operators.sql.SQLExecuteQueryOperator",
            "outlets": str(OUTLETS),
            **task,
        },
        "taskInstance": {"try_number": 2, "map_index": 0, "dag_bundle_name": "dags", "dag_bundle_version": "abc"},
        "taskUuid": TASK_RUN_ID,
    }
    outputs = [{"namespace": "x-festaf://sea", "name": "floods"}]
    return _event("rivers.group.below", TASK_RUN_ID, {"parent": PARENT, "airflow": facet}, outputs=outputs)


def _dag(kind: str = "START") -> dict[str, Any]:
    version = {"dag_version_id": VERSION_ID, "dag_version_number": 4, "dag_bundle_version": "of a later run"}
    return _event("rivers", DAG_RUN_ID, {"airflowDagRun": {"dag": DAG, "dagRun": DAG_RUN | version}}, kind)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_feature_is_answered_from_the_providers_events_alone(registry: Registry, order: tuple[int, int]) -> None:
    events = [_dag(), _task()]
    registry.post(*(events[number] for number in order))
    feature = registry.feature("flood", "floods", "sea")
    assert (feature["why"]["purpose"], feature["origins"]["why.purpose"]) == ("to warn", "declared")
    assert [source["uri"] for source in feature["sources"]] == ["s3://harbour/raw#height"]
    run = feature["run"]
    assert (run["dag_id"], run["task_id"], run["run_id"], run["try_number"], run["map_index"]) == (
        "rivers",
        "group.below",
        "manual__1",
        2,
        0,
    )
    version = run["dag_version"]
    assert (version["number"], version["id"], version["bundle_version"]) == (4, VERSION_ID, "abc")
    assert feature["when"]["schedule"] == "0 0 * * *"
    (dag,) = registry.get("/dags")["items"]
    assert (dag["tags"], dag["owners"], dag["description"]) == (["river"], ["ann"], "Levels of rivers")


def test_a_statement_that_the_provider_makes_a_job_of_belongs_to_the_dag(registry: Registry) -> None:
    parent = PARENT | {"run": {"runId": TASK_RUN_ID}, "job": {"namespace": "rivers", "name": "rivers.group.below"}}
    registry.post(_task(), _event("rivers.group.below.query.1", VERSION_ID, {"parent": parent}))
    assert [dag["dag_id"] for dag in registry.get("/dags")["items"]] == ["rivers"]


@pytest.mark.parametrize(
    "facet",
    [
        {},
        {"dag": [], "dagRun": "x", "task": None, "taskInstance": 7},
        {"dag": {"dag_id": "d" * 251, "tags": "[[["}, "task": {"outlets": "[" * 5000}},
        {"task": {"outlets": [7, {"uri": 7}, {"uri": "x", "extra": {"festaf": {"kind": "write", "rows_read": -1}}}]}},
        {"task": {"outlets": str([{"uri": 5, "extra": {"festaf": {"kind": "write"}}}])}},
        {"dag": {"dag_id": "d"}, "dagRun": {"run_id": "r", "logical_date": "never"}, "task": {"task_id": "t"}},
        {"dag": {"dag_id": "d", "tags": "__import__('os').abort()"}, "dagRun": {"dag_version_id": "no id"}},
    ],
    ids=range(7),
)
@pytest.mark.parametrize("name", ["airflow", "airflowDagRun"])
def test_a_facet_in_any_shape_is_passed_over(name: str, facet: dict[str, Any]) -> None:
    event = EVENT.validate_python(_event("d.t", TASK_RUN_ID, {name: json.loads(json.dumps(facet))}))
    assert isinstance(event, RunEvent)
    assert airflow_facets.task_run(event.run.facets) is None
    found = airflow_facets.dag_snapshot(event.run.facets)
    assert found is None or (found.dag_id, found.tags) == ("d", ())
    assert all("x-festaf" not in output.namespace for output in airflow_facets.with_attached(event).outputs)
