"""What Airflow says of a DAG outside its runs: paused, deleted, and facts that it no longer has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.registry_api.events import DAG, NAMESPACE, RICH, SOURCE, VERSION, Json, at, dag_event, task_event, written
from tests.registry_api.events import facet as facet_of

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry


def dag_said(minutes: float, **snapshot: Any) -> Json:
    return {
        "eventTime": at(minutes).isoformat(),
        "producer": "https://example.com/sync",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent",
        "job": {
            "namespace": NAMESPACE,
            "name": DAG,
            "facets": {"festaf_dag": facet_of(dag={"dag_id": DAG, **snapshot})},
        },
    }


def test_a_paused_or_deleted_dag_has_no_next_run(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)), dag_event())
    assert registry.feature()["when"]["next_run"] == "2026-03-02T00:00:00Z"
    assert registry.feature()["when"]["dag_paused"] is None

    registry.post(dag_said(70, paused=True, deleted=False), dag_said(60, paused=False))
    when = registry.feature()["when"]
    assert (when["next_run"], when["dag_paused"], when["dag_deleted"]) == (None, True, False)

    registry.post(dag_said(80, paused=False), dag_said(90, deleted=True))
    when = registry.feature()["when"]
    assert (when["next_run"], when["dag_paused"], when["dag_deleted"]) == (None, False, True)
    assert registry.get("/dags")["items"][0]["deleted"] is True

    registry.post(dag_said(100, deleted=False))
    assert registry.feature()["when"]["next_run"] == "2026-03-02T00:00:00Z"


def test_what_a_dag_is_known_not_to_have_replaces_what_it_had(registry: Registry) -> None:
    registry.post(dag_event(), dag_said(60, without=["schedule", "next_run", "no_such_fact"]))
    (dag,) = registry.get("/dags")["items"]
    assert (dag["schedule"], dag["next_run"], dag["owners"]) == (None, None, ["data-team"])


def test_the_same_text_with_and_without_its_bundle_version_is_one_content(registry: Registry) -> None:
    seen = {"dag_version_id": str(VERSION), "bundle_name": "dags", "path": "flights.py", "source": SOURCE}
    for version in (None, "abc", "def"):
        registry.post(dag_said(10, **seen, bundle_version=version))
    found = registry.get(f"/dags/{DAG}/versions")["items"]
    assert {item["bundle_version"] for item in found} == {"abc", "def"}
