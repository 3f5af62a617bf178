"""An Airflow that takes requests and says nothing is left soon, and no other waits for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from festaf.contract.airflow import AirflowSettings
from festaf.registry_api.airflow.client import AirflowClient, Pace
from festaf.registry_api.airflow.errors import AirflowAwayError
from festaf.registry_api.airflow.figures import Figures
from festaf.registry_api.airflow.login import Access
from festaf.registry_api.airflow.syncer import Syncer
from tests.registry_api.airflow.deployment import FakeAirflow, Reply, serving
from tests.registry_api.airflow.test_asset_events import wrote
from tests.registry_api.events import RICH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_api.airflow.conftest import Sync


@pytest.fixture
def hanging() -> Iterator[FakeAirflow]:
    with serving() as airflow:
        airflow.fail(Reply(silent=True), times=1000)
        yield airflow


def test_an_airflow_that_never_answers_is_asked_once_in_a_cycle(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    sync.airflow.fail(Reply(silent=True), times=1000)
    assert isinstance(sync.run(timeout=0.2), AirflowAwayError)
    assert len(sync.airflow.asked) == 1
    assert "it takes too long" in sync.state["last_error"]
    assert sync.state["failures"] == 1


def test_one_that_answered_before_is_asked_twice(sqlite_sync: Sync) -> None:
    sync = sqlite_sync
    sync.airflow.fail(Reply(silent=True), "/assets/events", times=1000)
    assert isinstance(sync.run(timeout=0.2), AirflowAwayError)
    assert sync.airflow.asked_for("/assets/events") == 2
    sync.airflow.faults.clear()
    sync.airflow.fail(Reply(silent=True), "/assets/events")
    assert sync.run(timeout=0.2) is None


def test_an_answer_that_comes_bit_by_bit_is_given_up(hanging: FakeAirflow) -> None:
    hanging.faults.clear()
    hanging.assets = [{"uri": f"s3://bucket/{number}" + "x" * 1000} for number in range(100)]
    pace = Pace(pause=0, longest_answer=0, tries=1)
    with (
        AirflowClient(Access(hanging.url), pace, Figures(), lambda _: False) as client,
        pytest.raises(AirflowAwayError, match="takes too long"),
    ):
        client.get("/assets")


def test_another_deployment_is_read_while_one_hangs(sqlite_sync: Sync, hanging: FakeAirflow) -> None:
    sync = sqlite_sync
    sync.airflow.add_event(fact=wrote(RICH))
    settings = AirflowSettings(base_url=hanging.url, namespace="hanging", secret="env:FESTAF_AIRFLOW_TOKEN")
    answer = sync.registry.http.put("/api/v1/airflows/a_first", json=settings.model_dump(mode="json"))
    assert answer.status_code == 201
    syncer = Syncer(sync.registry.database, pace=sync.pace)
    syncer.start()
    try:
        until = time.monotonic() + 30
        while not sync.productions() or not sync.registry.get("/airflows/a_first")["state"]["failures"]:
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        syncer.stop()
    assert len(hanging.asked) == 1
    assert sync.state["failures"] == 0
