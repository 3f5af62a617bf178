"""Tasks and DAG runs of a real Airflow become events, whatever happens to the registry and to the worker."""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow.listeners.listener import get_listener_manager

from festaf.contract.feature_set import DEFINITION_FACET, WRITE_FACET, FeatureSetDefinition, FeatureWrite
from festaf.contract.names import dag_run_id, sha256_of, task_run_id
from festaf.contract.openlineage import DAG_FACET, EVENT, TASK_FACET, DagSnapshot, RunEvent, TaskRun
from tests.client.recorder import Recorder, Reply, yes
from tests.provider.lineage.airflow import DAGS, Airflow, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.flow, pytest.mark.long, pytest.mark.timeout(600)]

SOURCE = (DAGS / "tides.py").read_text()
SKIPS_ARE_TOLD = hasattr(get_listener_manager().hook, "on_task_instance_skipped")
"""Airflow 3.1 tells no listener that a task skipped itself."""
EVENTS_OF_TIDES = 8 + SKIPS_ARE_TOLD
"""Two of the DAG run, and one for each of seven tries."""
EVENTS_OF_HARBOUR = 5
EVENTS_OF_LONE = 3


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with Recorder.started() as recorder:
        yield recorder


@pytest.fixture(scope="module")
def airflow(recorder: Recorder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    settings = {"AIRFLOW__FESTAF__DELIVERY_TIMEOUT": "3", "AIRFLOW__FESTAF__FLUSH_INTERVAL": "0.5"}
    with Airflow.started(tmp_path_factory.mktemp("capture"), recorder.port, **settings) as airflow:
        yield airflow


@pytest.fixture(scope="module")
def events(airflow: Airflow, recorder: Recorder) -> list[RunEvent]:
    """Run everything once with a registry that answers."""
    run = airflow.run("tides")
    assert run.state == "success", run
    expected = EVENTS_OF_TIDES + EVENTS_OF_HARBOUR
    until(lambda: len(recorder.events), lambda count: count >= expected)
    found = [EVENT.validate_python(event) for event in recorder.events]
    return [event for event in found if isinstance(event, RunEvent)]


def _of(events: list[RunEvent], job: str, kind: str = "COMPLETE") -> RunEvent:
    return next(event for event in events if (event.job.name, event.event_type) == (job, kind))


def _task(event: RunEvent) -> TaskRun:
    return TaskRun.model_validate(event.run.facets[TASK_FACET]["task"])


def _dag(event: RunEvent) -> DagSnapshot:
    return DagSnapshot.model_validate(event.job.facets[DAG_FACET]["dag"])


def test_every_try_and_every_dag_run_is_told_once(events: list[RunEvent]) -> None:
    told = sorted((event.job.name, str(event.event_type)) for event in events)
    assert told == [
        ("harbour", "COMPLETE"),
        ("harbour", "RUNNING"),
        ("harbour", "START"),
        ("harbour.later", "COMPLETE"),
        ("harbour.read", "COMPLETE"),
        ("tides", "COMPLETE"),
        ("tides", "START"),
        ("tides.define", "COMPLETE"),
        ("tides.fill", "COMPLETE"),
        ("tides.flaky", "COMPLETE"),
        ("tides.flaky", "FAIL"),
        ("tides.mapped", "COMPLETE"),
        ("tides.mapped", "COMPLETE"),
        *([("tides.skipped", "ABORT")] if SKIPS_ARE_TOLD else []),
    ]


def test_the_run_ids_are_those_of_airflows_own_openlineage_events(events: list[RunEvent]) -> None:
    event = _of(events, "tides.fill")
    task = _task(event)
    moment = task.logical_date or task.run_after
    assert isinstance(moment, datetime)
    keys: dict[str, Any] = {"namespace": "demo", "dag_id": "tides", "moment": moment}
    assert event.run.run_id == task_run_id(task_id="fill", try_number=1, map_index=-1, **keys)
    parent = event.run.facets["parent"]["run"]["runId"]
    assert parent == str(dag_run_id(clear_number=0, **keys))
    assert parent == str(_of(events, "tides").run.run_id) == str(_of(events, "tides", "START").run.run_id)
    assert len({told.run.run_id for told in events}) == 10 + SKIPS_ARE_TOLD


def test_a_task_is_told_in_airflows_own_names(events: list[RunEvent]) -> None:
    task = _task(_of(events, "tides.fill"))
    assert (task.dag_id, task.task_id, task.state, task.operator) == ("tides", "fill", "success", "@task")
    assert task.run_id.startswith("manual__")
    assert task.bundle_name == "dags-folder"
    assert task.dag_version_id
    assert task.started_at
    assert task.ended_at
    assert sorted(_task(event).map_index for event in events if event.job.name == "tides.mapped") == [0, 1]


def test_a_worker_tells_the_code_and_the_scheduler_the_version_number(events: list[RunEvent]) -> None:
    worker, scheduler = _dag(_of(events, "tides.fill")), _dag(_of(events, "tides", "START"))
    assert worker.source == SOURCE
    assert (worker.path, worker.owners, worker.tags) == ("tides.py", ("ann",), ("sea",))
    assert scheduler.version_number == 1
    assert worker.dag_version_id == scheduler.dag_version_id
    assert scheduler.bundle_name == "dags-folder"
    assert (worker.schedule, scheduler.schedule) == (None, None)
    assert (_dag(_of(events, "harbour.read")).schedule, _dag(_of(events, "harbour")).schedule) == ("Asset", "Asset")
    awaited = [_dag(_of(events, job)).waits_for for job in ("harbour.read", "harbour", "tides.fill")]
    assert awaited == [("x-festaf://sea/tides",), ("x-festaf://sea/tides",), ()]


def test_a_definition_describes_the_feature_set_and_is_no_dataset_of_its_own(events: list[RunEvent]) -> None:
    event = _of(events, "tides.define")
    (output,) = event.outputs
    assert (output.namespace, output.name) == ("x-festaf://sea", "tides")
    definition = FeatureSetDefinition.model_validate(output.facets[DEFINITION_FACET]["definition"])
    assert definition.owner == "team:harbour"
    assert output.facets["ownership"]["owners"] == [{"name": "team:harbour"}]
    assert output.facets["schema"]["fields"] == [{"name": "height", "type": "Fractional"}]
    assert event.job.facets["sourceCode"]["sourceCode"].startswith("@task(outlets=[DEFINITION])\ndef define(")
    assert event.job.facets["ownership"]["owners"] == [{"name": "ann"}]
    assert "documentation" in event.job.facets


def test_a_write_names_rows_columns_and_the_code_that_ran(events: list[RunEvent]) -> None:
    event = _of(events, "tides.fill")
    outputs = {output.name: output for output in event.outputs}
    assert set(outputs) == {"tides", "report.csv"}
    write = FeatureWrite.model_validate(outputs["tides"].output_facets[WRITE_FACET]["write"])
    assert (write.rows_accepted, write.bundle_name) == (9, "dags-folder")
    assert write.logic_sha256 == sha256_of(SOURCE)
    assert outputs["tides"].output_facets["outputStatistics"]["rowCount"] == 5
    (column,) = outputs["tides"].facets["columnLineage"]["fields"]["height"]["inputFields"]
    assert (column["namespace"], column["name"], column["field"]) == ("s3://harbour", "raw.parquet", "level")
    assert [(item.namespace, item.name) for item in event.inputs] == [
        ("s3://harbour", "raw.parquet"),
        ("s3://harbour", "clean.parquet"),
    ]


def test_a_dag_run_that_assets_started_reads_them(events: list[RunEvent]) -> None:
    event = _of(events, "harbour", "RUNNING")
    assert [(item.namespace, item.name) for item in event.inputs] == [("x-festaf://sea", "tides")]
    assert event.run.run_id == _of(events, "harbour").run.run_id


def test_a_failed_try_says_why(events: list[RunEvent]) -> None:
    failed = _of(events, "tides.flaky", "FAIL")
    assert failed.run.facets["errorMessage"]["message"] == "ValueError: the sea was rough"
    assert (_task(failed).try_number, _task(failed).state) == (1, "up_for_retry")
    assert _task(_of(events, "tides.flaky")).try_number == 2


@pytest.mark.skipif(not SKIPS_ARE_TOLD, reason="this Airflow tells no listener of a skip")
def test_a_skipped_task_read_nothing(events: list[RunEvent]) -> None:
    skipped = _of(events, "tides.skipped", "ABORT")
    assert (skipped.inputs, skipped.outputs, _task(skipped).state) == ((), (), "skipped")


def test_the_sync_tells_from_airflows_database_alone_what_push_told(
    airflow: Airflow, recorder: Recorder, events: list[RunEvent], tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("orjson", reason="the registry is not installed beside the oldest Airflow")
    from tests.provider.lineage.synced import synced

    until(lambda: {run.state for run in (airflow.api.latest_run("harbour"),) if run}, lambda seen: seen == {"success"})
    first, second = (tmp_path_factory.mktemp(name) for name in ("missed", "pushed"))
    with synced(airflow, first) as missed, synced(airflow, second) as pushed:
        assert missed.read().counts()["asset_events"] == 3
        pushed.registry.post(*recorder.events)
        assert pushed.productions() == missed.productions() == 1
        for job in ("tides.define", "tides.fill", "tides", "harbour"):
            # Only the worker tells which text ran: these tasks attach no hash by which Airflow's own would be proven.
            read, told = (item.run(_of(events, job)) for item in (missed, pushed))
            assert read["dag_version"]["source_sha256"] is None
            assert without_source(read) == without_source(told)
        one, other = (item.registry.feature("height", "tides", "sea") for item in (missed, pushed))
        assert without_source(one["run"]) | {"started_at": None} == without_source(other["run"]) | {"started_at": None}
        for part in ("who", "why", "sources", "version_sha256"):
            assert one[part] == other[part]
        assert one["how"]["dag_file"] is None
        assert other["how"]["dag_file"]["text"] == SOURCE

        # Both ways, again and again: nothing doubles.
        figures = pushed.read().counts()
        assert (figures["known_already"], pushed.productions()) == (3, 1)
        missed.registry.post(*recorder.events)
        assert missed.read().counts()["asset_events"] == 0
        assert missed.productions() == 1
        assert missed.run(_of(events, "tides.fill")) == pushed.run(_of(events, "tides.fill"))

        assert missed.dags()["far_away"]["next_run"] == "2100-01-01T06:00:00Z"
        assert missed.dags()["far_away"]["schedule"] == "0 6 * * *"
        airflow.api._client.patch("/api/v2/dags/far_away", json={"is_paused": True}).raise_for_status()
        airflow.api._client.delete("/api/v2/dags/harbour").raise_for_status()
        time.sleep(1.1)
        missed.read()
        assert (missed.dags()["far_away"]["paused"], missed.dags()["far_away"]["next_run"]) == (True, None)
        assert {name for name, dag in missed.dags().items() if dag["deleted"]} == {"harbour"}


def without_source(run: dict[str, Any]) -> dict[str, Any]:
    return run | {"dag_version": run["dag_version"] | {"source_sha256": None}}


@pytest.fixture
def quiet(airflow: Airflow, recorder: Recorder, events: list[RunEvent]) -> Iterator[Recorder]:
    """Begin and end with an empty spool and a registry that answers."""
    assert events
    until(airflow.spool.names, lambda names: not names)
    recorder.requests.clear()
    yield recorder
    recorder.release()


def _lone(recorder: Recorder) -> list[str]:
    return sorted({f"{event['job']['name']} {event['eventType']}" for event in recorder.events})


LONE = ["lone COMPLETE", "lone START", "lone.only COMPLETE"]


def test_what_a_killed_worker_left_in_the_spool_arrives(airflow: Airflow, quiet: Recorder) -> None:
    quiet.answer = lambda request: Reply(hang=True) if b"lone.only" in request.text else yes(request)
    run_id = airflow.api.start("lone")
    assert run_id
    kept = until(lambda: _files_of_task(airflow, "lone.only"), bool)
    os.kill(int(kept[0].split("-")[1]), signal.SIGKILL)
    quiet.release()
    until(lambda: _lone(quiet), lambda told: told == LONE)
    until(airflow.spool.names, lambda names: not names)
    assert until(lambda: airflow.api.run("lone", run_id), lambda run: run.finished).state == "success"


def _files_of_task(airflow: Airflow, job: str) -> list[str]:
    return [name for name in airflow.spool.names() if f'"{job}"'.encode() in (airflow.spool.read(name) or b"")]


def test_a_registry_that_hangs_opens_the_breaker_and_fails_no_task(airflow: Airflow, quiet: Recorder) -> None:
    quiet.answer = lambda _: Reply(hang=True)
    assert airflow.run("lone").state == "success"
    until(lambda: airflow.breaker.state, lambda state: state == "open")
    assert airflow.run("lone").state == "success"
    assert len(airflow.spool.names()) == 2 * EVENTS_OF_LONE
    quiet.release()
    until(airflow.spool.names, lambda names: not names)
    assert _lone(quiet) == LONE
    assert airflow.breaker.state == "closed"


def test_events_that_the_registry_refuses_for_good_are_kept_aside(airflow: Airflow, quiet: Recorder) -> None:
    quiet.answer = lambda _: Reply(422)
    assert airflow.run("lone").state == "success"
    until(lambda: airflow.spool.status().rejected, lambda count: count == EVENTS_OF_LONE)
    assert airflow.spool.names() == []
