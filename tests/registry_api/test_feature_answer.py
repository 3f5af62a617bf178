"""The answer to "where does this feature come from?"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.registry_api.events import (
    RICH,
    SOURCE,
    dag_event,
    dataset,
    defined,
    feature_set,
    task_event,
    written,
)

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry


def test_a_completed_write_answers_who_when_how_why_and_which_run(registry: Registry) -> None:
    registry.post(
        task_event(
            inputs=(dataset("flights.parquet"),), outputs=(written(RICH, last_event_time="2026-03-01T00:00:00Z"),)
        ),
        dag_event(),
    )

    answer = registry.feature()

    assert answer["who"] == {"owner": "ann", "dag_owners": ["data-team"]}
    assert answer["why"] == {"purpose": "predict delays", "description": "mean delay"}
    assert answer["how"]["technique"] == "rolling mean"
    assert answer["how"]["logic"]["language"] == "sql"
    assert answer["how"]["dag_file"]["text"] == SOURCE
    assert answer["how"]["dag_file"]["path"] == "flights.py"
    assert answer["run"]["dag_version"]["number"] == 3
    assert answer["run"]["task_id"] == "ingest"
    assert answer["run"]["run_id"] == "scheduled__0"
    assert answer["run"]["rows"] == {"read": 100, "accepted": 90, "rejected": 10}
    assert answer["when"]["next_run"] == "2026-03-02T00:00:00Z"
    assert answer["when"]["last_written"] == "2026-03-01T00:10:00Z"
    assert answer["version"] == 1
    assert [source["uri"] for source in answer["sources"]] == ["s3://raw/flights.parquet#dep_delay"]
    assert answer["origins"]["who.owner"] == "declared"
    assert answer["origins"]["when.next_run"] == "airflow"


def test_a_task_that_reads_the_feature_set_is_a_consumer(registry: Registry) -> None:
    registry.post(
        task_event(outputs=(written(RICH),)),
        task_event(dag_id="flights_training", task="train", minutes=60, inputs=(feature_set(),), outputs=()),
    )

    consumers = registry.feature()["consumers"]

    assert [(item["kind"], item["name"]) for item in consumers] == [("task", "flights_training.train")]
    assert consumers[0]["last_read"] == "2026-03-01T01:00:00Z"


def test_a_retired_feature_comes_back_when_it_is_made_again(registry: Registry) -> None:
    registry.post(task_event(task="create", minutes=1, outputs=(defined(RICH),)))
    registry.post(task_event(task="delete", minutes=2, outputs=(defined(RICH, deleted=True),)))
    assert registry.feature()["deleted"] is True

    registry.post(task_event(task="create", day=1, minutes=1, outputs=(defined(RICH),)))
    assert registry.feature()["deleted"] is False
