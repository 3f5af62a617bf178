"""When a feature is written next whose DAG runs by no clock: when the assets are updated that it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.registry_api.airflow.test_dag_facts import dag_said
from tests.registry_api.events import (
    DAG,
    NAMESPACE,
    RICH,
    Json,
    at,
    dag_event,
    dataset,
    declaration,
    task_event,
    written,
)

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry
    from tests.registry_api.offices import Office

DELAYS, RAW = "x-festaf://nyc/delays", "s3://raw/flights.parquet"
MEANS = declaration("mean_delay")


def of_asset_dag(*uris: str, day: int = 0) -> Json:
    """Give the event of a task whose DAG waits for assets, as a worker sends it."""
    event = task_event(task="derive", dag_id="derived", minutes=30, day=day, outputs=(written(MEANS, name="means"),))
    snapshot = event["job"]["facets"]["festaf_dag"]["dag"]
    snapshot |= {"schedule": "Asset", "waits_for": list(uris), "without": [] if uris else ["waits_for"]}
    return event


def when(registry: Registry, **view: Any) -> Any:
    return registry.feature("mean_delay", "means", **view)["when"]


def test_the_answer_names_the_assets_and_when_those_who_write_them_run_next(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)), dag_event(), of_asset_dag(DELAYS, RAW))

    answer = registry.feature("mean_delay", "means")

    assert answer["when"]["next_run"] is None
    assert answer["when"]["waits_for"] == [
        {
            "uri": DELAYS,
            "dag_id": DAG,
            "dag_namespace": NAMESPACE,
            "next_run": "2026-03-02T00:00:00Z",
            "access": "accessible",
        },
        {"uri": RAW, "dag_id": None, "dag_namespace": None, "next_run": None, "access": "accessible"},
    ]
    assert answer["origins"]["when.waits_for"] == "airflow"


def test_of_those_who_write_an_asset_the_one_that_runs_first_counts(registry: Registry) -> None:
    registry.post(
        task_event(dag_id="slow", outputs=(dataset("flights.parquet"),)),
        dag_event(dag_id="slow", next_run="2026-03-09T00:00:00Z"),
        task_event(dag_id="idle", minutes=12, outputs=(dataset("flights.parquet"),)),
        task_event(outputs=(dataset("flights.parquet"),), minutes=14),
        dag_event(minutes=15),
        of_asset_dag(RAW),
    )
    assert [item["dag_id"] for item in when(registry)["waits_for"]] == [DAG]

    registry.post(dag_said(90, deleted=True))

    assert [(item["dag_id"], item["next_run"]) for item in when(registry)["waits_for"]] == [
        ("slow", "2026-03-09T00:00:00Z")
    ]


def test_a_dag_that_got_a_clock_waits_for_nothing(registry: Registry) -> None:
    registry.post(of_asset_dag(RAW))
    assert when(registry)["waits_for"]

    registry.post(of_asset_dag(day=1))

    assert when(registry)["waits_for"] == []
    assert [item["uri"] for item in when(registry, asOf=at(40).isoformat())["waits_for"]] == [RAW]


def test_an_asset_without_a_uri_is_named_all_the_same(registry: Registry) -> None:
    registry.post(of_asset_dag("just a name"))

    assert [(item["uri"], item["access"]) for item in when(registry)["waits_for"]] == [("just a name", "unknown")]


def test_an_asset_of_a_project_that_one_may_not_see_has_no_name(office: Office) -> None:
    office.done("PUT", "/project-namespaces", {"project": "bos"}, namespace=NAMESPACE)
    office.make("rita", "registry:read", role="read", project="bos")
    event = of_asset_dag(DELAYS)
    event["outputs"] = [written(MEANS, name="means", project="bos")]
    for said in (task_event(outputs=(written(RICH),)), dag_event(), event):
        office.done("POST", "/lineage", said)
    question = "/features/bos/means/mean_delay"

    everything = office.done("GET", question)["when"]["waits_for"]
    hidden = office.ask("rita", "GET", question).json()["when"]["waits_for"]

    assert [(item["uri"], item["dag_id"]) for item in everything] == [(DELAYS, DAG)]
    assert hidden == [{"uri": None, "dag_id": None, "dag_namespace": None, "next_run": None, "access": "restricted"}]
