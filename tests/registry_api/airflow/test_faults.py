"""Whatever happens between the registry and Airflow: nothing is lost, nothing doubles, and Airflow is left in peace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from festaf.registry_api.airflow.errors import (
    AirflowAwayError,
    LostLeaseError,
    RefusedError,
    SpentError,
    StoppedError,
    UnexpectedError,
    UnforeseenError,
)
from festaf.registry_api.airflow.lease import Lease
from festaf.registry_api.airflow.syncer import Syncer
from tests.registry_api.airflow.deployment import Reply
from tests.registry_api.airflow.test_asset_events import wrote
from tests.registry_api.events import DAG, NAMESPACE, RICH, at, run_of

if TYPE_CHECKING:
    from tests.registry_api.airflow.conftest import Sync

PASSING = [
    Reply(500),
    Reply(502),
    Reply(429, headers={"Retry-After": "0"}),
    Reply(200, b'{"asset_events": [', cut=True),
    Reply(200, b"<html>"),
    Reply(503, cut=True),
    Reply(200, b"no gzip", headers={"Content-Encoding": "gzip"}),
    Reply(503, headers={"Retry-After": "Mon, 01 Jan 0001 00:00:00 +2300"}),
]


def test_passing_faults_are_waited_out_within_one_cycle(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    sync.airflow.add_event(fact=wrote(RICH))
    paths = ("/assets/events", "/dagRuns/scheduled__0", "/taskInstances/", "/dags?", "dagVersions", "dagSources")
    paths += ("/assets?", "/~/dagRuns")
    for reply, path in zip(PASSING, paths, strict=True):
        sync.airflow.fail(reply, path)
    assert sync.run() is None
    assert sync.figures.counts()["retries"] == len(PASSING)
    assert sync.productions() == 1


def test_an_airflow_that_is_away_is_left_alone_longer_each_time(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    sync.airflow.add_event(fact=wrote(RICH))
    sync.airflow.fail(Reply(503), times=6)
    rests = []
    for _ in range(2):
        assert isinstance(sync.run(), AirflowAwayError)
        state = sync.state
        assert "status 503" in state["last_error"]
        rests.append(state["next_sync"])
    assert (state["failures"], state["last_success"], state["behind"]) == (2, None, True)
    assert sync.run() is None
    assert (sync.state["failures"], sync.state["last_error"]) == (0, None)
    assert sync.productions() == 1


def test_retry_after_is_obeyed(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    sync.airflow.fail(Reply(429, headers={"Retry-After": "7"}))
    assert sync.run() is None
    assert 7 in sync.waited
    sync.airflow.fail(Reply(503, headers={"Retry-After": "Sun, 01 Mar 2026 12:00:00 GMT"}))
    assert isinstance(sync.run(), AirflowAwayError)
    # Airflow's clock says 10:00.
    assert sync.state["next_sync"] >= at(sync.minutes + 120).isoformat()[:16]


def test_nothing_listens(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    settings = {"base_url": "http://127.0.0.1:9", "namespace": NAMESPACE}
    assert sync.registry.http.put("/api/v1/airflows/prod", json=settings).status_code == 200
    assert isinstance(sync.run(), AirflowAwayError)
    assert "ConnectError" in sync.state["last_error"]


def test_what_the_account_may_not_read_is_said(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    sync.airflow.fail(Reply(403), "/assets/events")
    sync.airflow.fail(Reply(403), "dagSources")
    assert isinstance(sync.run(), RefusedError)
    assert "/assets/events with status 403" in sync.state["last_error"]
    # The DAGs were told before, without the source that may not be read.
    assert sync.registry.get("/dags")["items"][0]["schedule"] == "0 * * * *"
    sync.airflow.fail(Reply(302, headers={"Location": "https://elsewhere"}))
    assert isinstance(sync.run(), UnexpectedError)


def test_an_event_that_airflow_itself_fails_on_is_told_without_details(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    sync.airflow.add_event(0, fact=wrote(RICH))
    sync.airflow.add_event(1, fact=wrote(RICH))
    sync.airflow.fail(Reply(500), "/dagRuns/scheduled__0", times=1000)
    for _ in range(3):
        assert isinstance(sync.run(), AirflowAwayError)
    assert sync.run() is None
    assert sync.productions() == 2


def test_answers_beyond_the_bound_are_read_in_smaller_pages(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    for day in range(4):
        sync.airflow.add_event(day, fact=wrote(RICH))
    sync.airflow.add_event(4, uri="s3://out/" + "x" * 5000)
    assert sync.run(max_bytes=4_000) is None
    assert sync.productions() == 4
    assert sync.figures.counts()["answers_unreadable"] == 1


def test_what_is_no_event_is_passed_over(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    sync.airflow.add_event(0, fact=wrote(RICH) | {"source": "s3://a/\x00b"})
    sync.airflow.add_event(1, timestamp=at(1500).isoformat(), source_map_index="first")
    sync.airflow.add_event(2, fact=wrote(RICH, project="no/project"))
    sync.airflow.add_event(3, fact=wrote(RICH))
    sync.airflow.add_event(3, task="bucket", uri="s3://whole-bucket")
    sync.airflow.add_event(3, task="t" * 300, dag_id="d" * 300)
    assert sync.run() is None
    counts = sync.figures.counts()
    assert (counts["answers_unreadable"], counts["events_refused"]) == (1, 5)
    assert sync.productions() == 1
    assert sync.registry.get(f"/runs/{run_of('bucket', day=3)}")["outputs"][0]["name"] == "/"


def test_a_cycle_asks_so_often_at_most_and_the_next_goes_on(sync: Sync) -> None:
    for day in range(6):
        sync.airflow.add_event(day, fact=wrote(RICH))
    cycles = 1
    while isinstance(sync.run(requests=12), SpentError):
        cycles += 1
        assert sync.figures.counts()["requests"] == 12
        assert cycles < 10
    assert cycles > 1
    assert sync.productions() == 6
    assert sync.airflow.asked_for("taskInstances") == 6


def test_a_sync_that_is_stopped_keeps_what_it_read(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    sync.airflow.add_event(fact=wrote(RICH))
    sync.airflow.faults.append(lambda path: sync.stopping.set() if "/assets/events" in path else None)
    assert isinstance(sync.run(), StoppedError)
    sync.stopping.clear()
    sync.airflow.faults.clear()
    assert sync.run() is None
    assert sync.productions() == 1


def test_one_server_reads_a_deployment_and_one_that_lost_it_writes_nothing(sync: Sync) -> None:
    sync.airflow.add_event(fact=wrote(RICH))
    other = Lease(sync.registry.database, 1, sync.clock)
    assert other.take()
    with pytest.raises(LostLeaseError):
        sync.run(602)
    other.give_back()

    def steal(path: str) -> None:
        if "/taskInstances/" in path:
            assert Lease(sync.registry.database, 1, lambda: at(700)).take()

    sync.airflow.faults.append(steal)
    assert isinstance(sync.run(603), LostLeaseError)
    assert sync.productions() == 0
    sync.airflow.faults.clear()
    assert sync.run(710) is None
    assert sync.productions() == 1


def test_a_sync_that_is_killed_at_any_moment_loses_and_doubles_nothing(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill the command where it asks for the third task, so that facts are read and not yet committed."""
    for day in range(4):
        sync.airflow.add_event(day, fact=wrote(RICH))
    sync.airflow.page_limit = 2
    running: list[subprocess.Popen[bytes]] = []

    def kill(path: str) -> None:
        if "/taskInstances/" in path and "scheduled__2" in path and running:
            os.kill(running[0].pid, signal.SIGKILL)
            running.clear()

    sync.airflow.faults.append(kill)
    url = sync.registry.database.url.render_as_string(hide_password=False)
    command = [*(sys.executable, "-m", "festaf.registry_api", "airflow", "sync", "prod", "--once"), "--database-url"]
    process = subprocess.Popen([*command, url], stdout=subprocess.DEVNULL)
    running.append(process)
    assert process.wait(60) == -signal.SIGKILL
    assert sync.productions() == 2
    # Its lease stands until it ends; the clock of this test is long past it.
    monkeypatch.setattr(sync, "clock", lambda: at(60 * 24 * 365 * 20))
    assert sync.run() is None
    assert sync.productions() == 4
    assert sync.figures.counts()["asset_events"] == 2


def test_what_nobody_foresaw_is_seen_counted_and_followed_by_a_rest(
    sqlite_sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    sync = sqlite_sync
    sync.airflow.add_event(timestamp="0001-01-01T00:00:00+00:00")
    assert isinstance(sync.run(), UnforeseenError)
    assert sync.figures.counts()["failed_cycles"] == 1
    assert (sync.state["failures"], "OverflowError" in sync.state["last_error"]) == (1, True)
    assert sync.state["next_sync"] > at(sync.minutes).isoformat()
    assert "Traceback" in caplog.text


def test_a_server_whose_database_fails_says_so_and_looks_again(
    sqlite_sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    sync = sqlite_sync

    def rename(table: str, name: str) -> None:
        with sync.registry.database.engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")

    sync.airflow.faults.append(lambda path: rename("airflow", "gone") if "/dags?" in path else None)
    syncer = Syncer(sync.registry.database, pace=sync.pace)
    syncer.start()
    until = time.monotonic() + 30
    while "The deployments of Airflow cannot be read" not in caplog.text:
        assert time.monotonic() < until
        time.sleep(0.05)
    sync.airflow.faults.clear()
    rename("gone", "airflow")
    syncer.stop()
    assert ("prod", "failed_cycles", 1) in list(syncer.board)
    assert "cannot note how it went: no such table" in caplog.text


def test_the_server_reads_what_is_due_and_stops_at_once(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    sync.airflow.clock = lambda: at(600)
    sync.airflow.add_event(fact=wrote(RICH))
    two = [Syncer(sync.registry.database, pace=sync.pace) for _ in range(2)]
    for syncer in two:
        syncer.start()
    deadline = time.monotonic() + 30
    while not sync.productions():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    begun = time.monotonic()
    for syncer in two:
        syncer.stop()
    assert time.monotonic() - begun < 5
    assert sync.airflow.asked_for("taskInstances") == 1
    counts: Any = [{name: count for _, name, count in syncer.board} for syncer in two]
    assert sum(count.get("asset_events", 0) for count in counts) == 1
    assert DAG in str(sync.registry.get("/dags"))
