"""The registry knows of each DAG what Airflow knows: told when it changes, marked when the DAG is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.registry_api.airflow.deployment import SET, Reply
from tests.registry_api.events import (
    DAG,
    RICH,
    SOURCE,
    VERSION,
    at,
    dag_event,
    dag_run_of,
    dataset,
    facet,
    task_event,
    written,
)

if TYPE_CHECKING:
    from tests.registry_api.airflow.conftest import Sync

SECOND = VERSION.__class__(int=VERSION.int + 1)


def the_dag(sync: Sync) -> dict[str, Any]:
    (dag,) = [dag for dag in sync.registry.get("/dags")["items"] if dag["dag_id"] == DAG]
    return dict(dag)


def test_a_dag_is_told_when_it_changes_and_only_then(sync: Sync) -> None:
    assert sync.run() is None
    assert sync.figures.counts()["dag_changes"] == 1
    dag = the_dag(sync)
    assert (dag["owners"], dag["tags"], dag["schedule"]) == (["data-team"], ["flights"], "0 * * * *")
    (version,) = sync.registry.get(f"/dags/{DAG}/versions")["items"]
    assert (version["number"], version["source"], version["bundle_version"]) == (1, SOURCE, None)

    sync.airflow.dags[DAG]["last_parsed_time"] = at(602).isoformat()
    assert sync.run() is None
    assert sync.figures.counts()["events_taken"] == 0

    sync.airflow.clock = lambda: at(700)
    said = {"is_paused": True, "next_dagrun_run_after": None, "tags": [], "owners": ["airflow"], "description": None}
    sync.airflow.dags[DAG] |= said
    assert sync.run() is None
    dag = the_dag(sync)
    assert (dag["paused"], dag["next_run"], dag["tags"], dag["owners"]) == (True, None, [], [])


def test_a_deleted_dag_is_marked_and_comes_back(sync: Sync) -> None:
    sync.registry.post(task_event(outputs=(written(RICH),)), dag_event(), dag_event(dag_id="pushed_only"))
    assert sync.run() is None
    assert [dag["deleted"] for dag in sync.registry.get("/dags")["items"]] == [False, True]
    gone = sync.airflow.dags.pop(DAG)
    sync.airflow.clock = lambda: at(700)
    sync.airflow.fail(Reply(403), f"/dags/{DAG}")
    assert sync.run() is None
    assert the_dag(sync)["deleted"] is False
    assert sync.run() is None
    assert the_dag(sync)["deleted"] is True
    assert sync.registry.feature()["when"]["dag_deleted"] is True

    sync.airflow.dags[DAG] = gone | {"is_stale": True}
    sync.airflow.clock = lambda: at(710)
    assert sync.run() is None
    assert the_dag(sync)["deleted"] is True
    sync.airflow.dags[DAG] = gone
    sync.airflow.clock = lambda: at(720)
    assert sync.run() is None
    assert the_dag(sync)["deleted"] is False


def test_new_versions_and_texts_that_airflow_rewrites_are_read(sync: Sync) -> None:
    sync.airflow.assets = [{"uri": SET, "producing_tasks": [{"dag_id": DAG, "task_id": "ingest"}]}]
    assert sync.run() is None
    sync.airflow.versions.append(
        {
            "id": str(SECOND),
            "version_number": 2,
            "dag_id": DAG,
            "bundle_name": "dags",
            "created_at": at(610).isoformat(),
        }
    )
    sync.airflow.sources[DAG, 2] = "second"
    assert sync.run() is None
    # Only the body of a function changed: the version stays, its text does not.
    sync.airflow.sources[DAG, 2] = "second, edited"
    assert sync.run() is None
    assert sync.run(sync.minutes + 11) is None
    found = sync.registry.get(f"/dags/{DAG}/versions")["items"]
    assert {(item["number"], item["source"]) for item in found} == {(1, SOURCE), (2, "second"), (2, "second, edited")}


def test_runs_that_push_left_open_or_never_told_are_ended(sync: Sync) -> None:
    sync.airflow.assets = [{"uri": SET, "producing_tasks": [{"dag_id": DAG, "task_id": "ingest"}]}]
    sync.airflow.add_run(0)
    sync.airflow.add_run(1, state="failed")
    sync.airflow.add_run(2, state="running", end_date=None)
    # Of the first the start was told, of another Airflow has nothing, and one task Airflow's own provider began.
    sync.registry.post(dag_event("START", 0), dag_event("START", 0, day=2), dag_event("START", 30, dag_id="gone"))
    begun = task_event("START", 5, task="theirs", source=None)
    begun["run"]["facets"]["airflow"] = facet(dagRun={"run_id": "scheduled__0"}, taskInstance={"try_number": 1})
    del begun["run"]["facets"]["festaf_task"]
    sync.registry.post(begun)
    mapped = task_event("START", 5, task="mapped", map_index=0, source=None)
    mapped["run"]["facets"]["airflow"] = facet(dagRun={"run_id": "scheduled__0"}, taskInstance={"map_index": 0})
    del mapped["run"]["facets"]["festaf_task"]
    sync.registry.post(mapped)
    for task, index in (("theirs", -1), ("mapped", 0)):
        key = (DAG, "scheduled__0", task, index)
        sync.airflow.tries[key] = [sync.airflow.one_try(key, at(9), 1, "failed")]

    assert sync.run(5000) is None
    assert sync.registry.get(f"/runs/{mapped['run']['runId']}")["state"] == "FAIL"
    assert sync.registry.get(f"/runs/{dag_run_of(0)}")["state"] == "COMPLETE"
    assert sync.registry.get(f"/runs/{dag_run_of(1)}")["state"] == "FAIL"
    assert sync.registry.get(f"/runs/{dag_run_of(2)}")["state"] == "START"
    assert sync.registry.get(f"/runs/{begun['run']['runId']}")["state"] == "FAIL"
    asked = len(sync.airflow.asked)
    sync.airflow.runs[DAG, "scheduled__2"] |= {"state": "success", "end_date": at(4999).isoformat()}
    sync.airflow.clock = lambda: at(5010)
    assert sync.run(5003) is None
    assert sync.registry.get(f"/runs/{dag_run_of(2)}")["state"] == "COMPLETE"
    assert not any("gone" in path for path in sync.airflow.asked[asked:])


def test_the_assets_that_started_a_run_are_its_inputs(sync: Sync) -> None:
    sync.airflow.assets = [{"uri": SET, "scheduled_dags": [{"dag_id": DAG}]}]
    started = sync.airflow.add_event(dag_id="upstream")
    sync.airflow.add_run(
        0, run_type="asset_triggered", logical_date=None, upstream=[started], run_after=at(0).isoformat()
    )
    assert sync.run() is None
    assert sync.registry.get(f"/runs/{dag_run_of(0)}")["inputs"][0]["name"] == "delays"


def test_what_a_dag_waits_for_is_told_until_it_has_a_clock(sync: Sync) -> None:
    sync.registry.post(
        task_event(outputs=(written(RICH),)),
        task_event(dag_id="upstream", minutes=8, outputs=(dataset("flights.parquet"),)),
    )
    clock = {"dag_id": "upstream", "next_dagrun_run_after": "2026-03-05T00:00:00Z"}
    sync.airflow.dags["upstream"] = sync.airflow.dags[DAG] | clock
    sync.airflow.dags[DAG] |= {"timetable_summary": "Asset", "next_dagrun_run_after": None}
    sync.airflow.assets = [{"uri": "s3://raw/flights.parquet", "scheduled_dags": [{"dag_id": DAG}]}]
    assert sync.run() is None
    when = sync.registry.feature()["when"]
    assert (when["schedule"], when["next_run"]) == ("Asset", None)
    assert [(item["uri"], item["dag_id"], item["next_run"]) for item in when["waits_for"]] == [
        ("s3://raw/flights.parquet", "upstream", "2026-03-05T00:00:00Z")
    ]

    sync.airflow.dags[DAG] |= {"timetable_summary": "0 * * * *"}
    sync.airflow.assets = []
    sync.airflow.clock = lambda: at(700)
    assert sync.run(700) is None
    when = sync.registry.feature()["when"]
    assert (when["schedule"], when["waits_for"]) == ("0 * * * *", [])
