"""Airflow's asset events become the facts that push would have told, once each, whatever push told and when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from festaf.contract.names import sha256_of
from tests.registry_api.airflow.deployment import RAW
from tests.registry_api.events import (
    DAG,
    RICH,
    SOURCE,
    at,
    dag_event,
    dag_run_of,
    dataset,
    declaration,
    run_of,
    task_event,
    written,
)

if TYPE_CHECKING:
    from tests.registry_api.airflow.conftest import Sync
    from tests.registry_api.events import Json


def wrote(*features: Json, **said: Any) -> Json:
    output = written(*features, **said)["outputFacets"]["festaf_write"]["write"]
    return {"kind": "write", **output}


def the_push(day: int = 0, **said: Any) -> Json:
    return task_event("COMPLETE", 10, day=day, inputs=(dataset("flights.parquet"),), outputs=(written(RICH),), **said)


def test_what_push_missed_is_read_with_the_run_the_code_and_the_sources(sync: Sync) -> None:
    sync.airflow.assets = [{"uri": RAW, "consuming_tasks": [{"dag_id": DAG, "task_id": "ingest"}]}]
    sync.airflow.add_event(fact=wrote(RICH, logic_sha256=sha256_of(SOURCE)))
    assert sync.run() is None

    feature = sync.registry.feature()
    run = feature["run"]
    assert run["openlineage_run_id"] == str(run_of())
    assert (run["dag_id"], run["task_id"], run["run_id"], run["try_number"]) == (DAG, "ingest", "scheduled__0", 1)
    assert (run["state"], run["ended_at"]) == ("COMPLETE", at(10).isoformat().replace("+00:00", "Z"))
    assert run["rows"] == {"read": 100, "accepted": 90, "rejected": 10}
    assert run["dag_version"]["number"] == 1
    assert run["dag_version"]["bundle_version"] is None
    assert feature["how"]["dag_file"]["text"] == SOURCE
    assert (feature["who"]["owner"], feature["who"]["dag_owners"]) == ("ann", ["data-team"])
    assert feature["when"]["next_run"] == at(660).isoformat().replace("+00:00", "Z")
    assert feature["when"]["dag_paused"] is False
    found = sync.registry.get(f"/runs/{run['openlineage_run_id']}")
    assert [item["name"] for item in found["inputs"]] == ["flights.parquet"]
    assert found["task"]["hostname"] == "worker-1"
    parent = sync.registry.get(f"/runs/{dag_run_of()}")
    assert (parent["state"], parent["started_at"]) == ("COMPLETE", at(0).isoformat().replace("+00:00", "Z"))


def test_push_and_sync_are_one_fact_in_either_order(sync: Sync) -> None:
    for day in range(3):
        sync.airflow.add_event(day, fact=wrote(RICH))
    sync.registry.post(the_push(0), dag_event(), the_push(1))
    assert sync.run() is None
    assert sync.figures.counts()["known_already"] == 2
    assert sync.airflow.asked_for("taskInstances") == 1
    assert sync.productions() == 3
    sync.registry.post(the_push(2), dag_event(day=2))
    assert sync.productions() == 3
    newest = sync.registry.get(f"/runs/{run_of(day=2)}")
    assert newest["task"]["operator"] == "IngestFeaturesOperator"
    assert newest["job_facets"]["festaf_dag"]["dag"]["owners"] == ["data-team"]

    before = sync.figures.counts()
    assert sync.run() is None
    assert before["asset_events"] == 3
    assert sync.figures.counts()["asset_events"] == 0
    assert sync.productions() == 3


def test_the_try_that_wrote_is_named_also_after_the_task_was_cleared(sync: Sync) -> None:
    sync.airflow.add_event(fact=wrote(RICH))
    key = (DAG, "scheduled__0", "ingest", -1)
    first = sync.airflow.one_try(key, at(5), 1, "failed")
    second = sync.airflow.one_try(key, at(10), 2)
    third = sync.airflow.one_try(key, at(90), 3, "running") | {"end_date": None}
    sync.airflow.tries[key] = [first, second, third]
    assert sync.run() is None
    run = sync.registry.feature()["run"]
    assert (run["try_number"], run["openlineage_run_id"]) == (2, str(run_of(try_number=2)))


def test_a_try_of_before_its_run_was_cleared_is_not_said_to_have_run_the_runs_new_commit(sync: Sync) -> None:
    """Airflow moves a cleared run to the newest version of its bundle, when it is asked to."""
    for day, queued in enumerate((-10, 60)):
        moment = (at(queued) + timedelta(days=day)).isoformat()
        sync.airflow.add_run(day, bundle_version="BBB", queued_at=moment)
        sync.airflow.add_event(day, fact=wrote(RICH))
        sync.airflow.add_event(day, task="told", fact=wrote(RICH) | {"bundle_version": "AAA"})
    assert sync.run() is None
    commits = {
        (task, day): sync.registry.get(f"/runs/{run_of(task, day=day)}")["dag_version"]["bundle_version"]
        for task in ("ingest", "told")
        for day in range(2)
    }
    assert commits == {("ingest", 0): "BBB", ("ingest", 1): None, ("told", 0): "AAA", ("told", 1): "AAA"}


def test_mapped_partitioned_and_aliased_events_are_each_their_own(sync: Sync) -> None:
    for index in range(2):
        sync.airflow.add_event(task="mapped", map_index=index, uri="s3://out/parts", partition_key=f"p{index}")
    sync.airflow.add_event(task="aliased", uri="s3://out/by-alias")
    sync.airflow.add_event(task="named", uri="only-a-name")
    assert sync.run() is None
    for index in range(2):
        run = sync.registry.get(f"/runs/{run_of('mapped', map_index=index)}")
        (output,) = run["outputs"]
        assert output["facets"]["festaf_partitions"]["partitions"] == {"keys": [f"p{index}"]}
    assert sync.registry.get(f"/runs/{run_of('aliased')}")["outputs"][0]["name"] == "by-alias"
    assert sync.registry.get(f"/runs/{run_of('named')}")["outputs"][0]["namespace"] == "airflow"


def test_an_event_of_no_task_counts_when_it_carries_a_fact(sync: Sync) -> None:
    nobody = dict.fromkeys(("source_dag_id", "source_task_id", "source_run_id"))
    sync.airflow.add_event(uri="s3://out/manual", **nobody, extra={"from_rest_api": True})
    sync.airflow.add_event(**nobody, fact=wrote(RICH))
    sync.airflow.add_event(**nobody, fact={"kind": "write", "feature_set": 3})
    assert sync.run() is None
    run = sync.registry.feature()["run"]
    assert (run["dag_id"], run["rows"]["accepted"]) == ("asset_events", 90)
    assert sync.productions() == 1


def test_facts_of_runs_that_airflow_deleted_stand(sync: Sync) -> None:
    # One was pushed under its logical date, of which its id says nothing; the other nobody told.
    sync.registry.post(the_push(0))
    sync.airflow.add_event(0, fact=wrote(RICH))
    sync.airflow.add_event(1, fact=wrote(declaration()), source_run_id=f"manual__{at(1440).isoformat()}")
    sync.airflow.runs.clear()
    sync.airflow.tries.clear()
    assert sync.run() is None
    assert sync.productions() == 2
    run = sync.registry.feature()["run"]
    assert run["run_id"].startswith("manual__")
    assert run["openlineage_run_id"] == str(run_of(day=1))


def test_of_a_run_that_airflow_deleted_each_mapped_instance_is_told(sync: Sync) -> None:
    # Its id says nothing of the time that the ids of its tries are made of: these are found by Airflow's id of it.
    sync.registry.post(the_push(task="mapped", map_index=0))
    for index in range(3):
        sync.airflow.add_event(task="mapped", map_index=index, minutes=10 + index / 10, fact=wrote(RICH))
    sync.airflow.runs.clear()
    sync.airflow.tries.clear()
    assert sync.run() is None
    assert sync.figures.counts()["known_already"] == 1
    assert sync.productions() == 3
    assert sync.registry.feature()["run"]["map_index"] == 2


def test_late_events_are_read_and_a_fast_clock_hides_none(sync: Sync) -> None:
    sync.airflow.add_event(0, minutes=100, task="fast", uri="s3://out/a", timestamp=at(5000).isoformat())
    sync.airflow.add_event(0, minutes=590, task="a", uri="s3://out/b")
    assert sync.run() is None
    # Committed now, but stamped before the newest that was read.
    late = sync.airflow.add_event(0, minutes=585, task="late", fact=wrote(RICH))
    assert sync.run() is None
    assert sync.figures.counts()["asset_events"] == 1
    assert sync.registry.feature()["run"]["task_id"] == late["source_task_id"]


def test_pages_end_where_airflow_says_and_events_of_one_moment_are_all_read(sync: Sync) -> None:
    sync.airflow.page_limit = 3
    moment = at(10) + timedelta(seconds=1)
    for number in range(8):
        sync.airflow.add_event(task=f"t{number}", uri=f"s3://out/{number}", timestamp=moment.isoformat())
    sync.airflow.add_event(minutes=20, task="last", fact=wrote(RICH))
    assert sync.run() is None
    assert sync.figures.counts()["asset_events"] == 9
    assert sync.registry.feature()["run"]["task_id"] == "last"


def test_what_is_read_stands_in_the_audit_log_once(sqlite_sync: Sync) -> None:
    sqlite_sync.airflow.add_event(fact=wrote(RICH))
    for _ in range(2):
        assert sqlite_sync.run() is None

    rows = sqlite_sync.registry.get("/audit", action="events.take")["items"]
    assert rows
    assert {(row["actor"], row["actor_kind"]) for row in rows} == {("prod", "sync")}
    assert all(row["counts"]["new"] for row in rows)
    assert sum(row["counts"]["new"] for row in rows) == sqlite_sync.registry.get("/events")["totalCount"]
