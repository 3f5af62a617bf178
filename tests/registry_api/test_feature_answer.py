"""The answer to "where does this feature come from?"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from festaf.contract.feature import Feature
from festaf.contract.feature_set import FeatureDeclaration
from tests.registry_api.events import (
    RICH,
    SOURCE,
    VERSION,
    at,
    dag_event,
    dataset,
    declaration,
    defined,
    facet,
    feature_set,
    task_event,
    written,
)

if TYPE_CHECKING:
    from tests.registry_api.conftest import Registry

CHANGED = RICH | {"owner": "bob"}


def test_a_completed_write_answers_who_when_how_why_and_which_run(registry: Registry) -> None:
    output = written(RICH, last_event_time="2026-03-01T00:00:00Z")
    registry.post(task_event(inputs=(dataset("flights.parquet"),), outputs=(output,)), dag_event())

    answer = Feature.model_validate(registry.feature())

    assert (answer.who.owner, answer.who.dag_owners) == ("ann", ("data-team",))
    assert (answer.why.purpose, answer.why.description) == ("predict delays", "mean delay")
    assert answer.how.technique == "rolling mean"
    assert answer.how.logic is not None
    assert answer.how.logic.language == "sql"
    assert answer.how.dag_file is not None
    assert (answer.how.dag_file.text, answer.how.dag_file.path) == (SOURCE, "flights.py")
    assert answer.run is not None
    assert answer.run.dag_version.number == 3
    assert answer.run.dag_version.id == VERSION
    assert (answer.run.dag_id, answer.run.task_id, answer.run.run_id) == ("flights_features", "ingest", "scheduled__0")
    assert answer.run.rows is not None
    assert (answer.run.rows.read, answer.run.rows.accepted, answer.run.rows.rejected) == (100, 90, 10)
    assert answer.when.next_run is not None
    assert answer.when.last_written == at(10)
    assert (answer.version, answer.version_sha256) == (1, FeatureDeclaration.model_validate(RICH).sha256)
    assert [(source.uri, source.origin) for source in answer.sources] == [
        ("s3://raw/flights.parquet#dep_delay", "declared")
    ]
    assert answer.origins["who.owner"] == "declared"
    assert answer.origins["when.next_run"] == answer.origins["how.dag_file"] == "airflow"
    assert (answer.tags, answer.origins["tags"]) == (("delay",), "declared")
    assert (answer.when.first_seen, answer.origins["when.first_seen"]) == (at(10), "lineage")


def test_a_run_says_why_and_for_which_time_it_ran_and_which_assets_made_it_run(registry: Registry) -> None:
    nominal = facet(nominalStartTime="2026-02-28T00:00:00Z", nominalEndTime="2026-03-01T00:00:00")
    event = task_event(outputs=(written(RICH),), run_facets={"nominalTime": nominal})
    event["run"]["facets"]["festaf_task"]["task"] |= {
        "run_type": "asset_triggered",
        "logical_date": "2026-03-01T00:00:00Z",
    }
    registry.post(event, dag_event("START", 1, inputs=(dataset("flights.parquet"), feature_set("raw"))))

    run = registry.feature()["run"]

    assert (run["run_type"], run["logical_date"]) == ("asset_triggered", "2026-03-01T00:00:00Z")
    assert (run["data_interval_start"], run["data_interval_end"]) == ("2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z")
    assert run["triggered_by"] == ["s3://raw/flights.parquet", "x-festaf://nyc/raw"]


def test_inputs_of_a_dag_run_that_its_schedule_made_are_no_triggers(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)), dag_event("START", 1, inputs=(dataset("flights.parquet"),)))

    assert registry.feature()["run"]["triggered_by"] == []


def test_a_feature_that_was_declared_before_it_was_written_is_first_seen_by_its_declaration(registry: Registry) -> None:
    registry.post(task_event(task="create", minutes=1, outputs=(defined(RICH),)))
    registry.post(task_event(minutes=9, outputs=(written(RICH),)))

    answer = registry.feature()

    assert (answer["when"]["first_seen"], answer["origins"]["when.first_seen"]) == ("2026-03-01T00:01:00Z", "declared")


def test_the_number_of_a_version_meets_the_source_in_either_order(registry: Registry) -> None:
    registry.post(dag_event(), task_event(outputs=(written(RICH),)))

    run = registry.feature()["run"]

    assert run["dag_version"]["number"] == 3
    assert run["dag_version"]["source_sha256"]


def test_a_worker_that_does_not_know_its_version_has_that_of_its_dag_run(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),), version=None), dag_event())

    version = registry.feature()["run"]["dag_version"]

    assert (version["id"], version["number"]) == (str(VERSION), 3)
    assert version["source_sha256"]


def test_code_that_changes_under_one_version_id_is_told_apart(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)))
    registry.post(task_event(day=1, outputs=(written(RICH),), source="changed"))

    assert registry.feature()["how"]["dag_file"]["text"] == "changed"
    assert registry.feature(asOf=at(60).isoformat())["how"]["dag_file"]["text"] == SOURCE


def test_a_bare_write_never_overwrites_a_declaration(registry: Registry) -> None:
    registry.post(task_event(task="create", minutes=1, outputs=(defined(RICH),)))
    registry.post(task_event(day=1, outputs=(written(declaration()),)))

    answer = registry.feature()

    assert answer["who"]["owner"] == "ann"
    assert answer["version"] == 1
    assert answer["run"]["run_id"] == "scheduled__1"


def test_a_version_is_counted_only_when_the_declaration_differs(registry: Registry) -> None:
    for day, said in enumerate((RICH, RICH, CHANGED, RICH)):
        registry.post(task_event(day=day, outputs=(written(said),)))

    assert registry.feature()["version"] == 1
    assert registry.feature(asOf=at(2 * 24 * 60 + 60).isoformat())["version"] == 2


def test_the_answer_as_of_a_time_names_the_run_of_that_time(registry: Registry) -> None:
    registry.post(*(task_event(day=day, outputs=(written(RICH),)) for day in range(3)))

    answer = registry.feature(asOf=at(24 * 60 + 30).isoformat())

    assert answer["run"]["run_id"] == "scheduled__1"
    assert registry.ask("/features/nyc/delays/dep_delay", asOf=at(1).isoformat()).status_code == 404


def test_what_the_feature_does_not_say_its_set_says(registry: Registry) -> None:
    said = defined(declaration(technique="sum"), owner="team:flights", purpose="dashboards", description="delays")
    registry.post(task_event(outputs=(said,)))

    answer = registry.feature()

    assert answer["who"]["owner"] == "team:flights"
    assert answer["why"] == {"purpose": "dashboards", "description": "delays"}
    assert answer["run"] is None


def test_a_set_of_which_only_openlineage_speaks_is_answered_too(registry: Registry) -> None:
    output = feature_set(
        schema=facet(fields=[{"name": "dep_delay", "type": "double", "description": "minutes"}]),
        ownership=facet(owners=[{"name": "***"}, {"name": "team:ops"}]),
        outputs={"outputStatistics": facet(rowCount=7)},
    )
    code = facet(language="python", sourceCode="def delays(): ...")
    event = task_event(inputs=(dataset("raw.csv"),), outputs=(output,), job_facets={"sourceCode": code})
    for ours in ("festaf_dag",):
        del event["job"]["facets"][ours]
    del event["run"]["facets"]["festaf_task"]
    registry.post(event)

    answer = registry.feature()

    assert (answer["type"], answer["why"]["description"]) == ("double", "minutes")
    assert answer["who"]["owner"] == "team:ops"
    assert answer["how"]["logic"]["text"] == "def delays(): ..."
    assert (answer["run"]["dag_id"], answer["run"]["task_id"]) == ("flights_features", "ingest")
    assert answer["run"]["rows"]["accepted"] == 7
    assert [source["uri"] for source in answer["sources"]] == ["s3://raw/raw.csv"]
    assert set(answer["origins"].values()) == {"lineage"}
    assert answer["version"] is None


def test_an_output_without_any_facet_is_a_write_of_every_feature(registry: Registry) -> None:
    registry.post(task_event(task="create", minutes=1, outputs=(defined(RICH),)))
    registry.post(task_event(task="fill", minutes=10, outputs=(feature_set(),)))

    assert registry.feature()["run"]["task_id"] == "fill"
    assert registry.get("/features")["items"][0]["last_written"] == "2026-03-01T00:10:00Z"


def test_a_masked_owner_is_unknown(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH | {"owner": "***"}),)))

    assert registry.feature()["who"]["owner"] is None


def test_a_failed_run_that_wrote_rows_made_the_values(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH),)))
    registry.post(task_event("FAIL", day=1, outputs=(written(RICH, accepted=3),)))
    assert registry.feature()["run"]["state"] == "FAIL"
    assert registry.feature()["run"]["rows"]["accepted"] == 3

    registry.post(task_event("FAIL", day=2, outputs=(written(RICH, accepted=0),)))
    registry.post(task_event("FAIL", day=3, outputs=(feature_set(),)))
    registry.post(task_event("START", day=4, outputs=(written(RICH),)))
    assert registry.feature()["run"]["run_id"] == "scheduled__1"


def test_a_run_that_accepted_nothing_made_no_values(registry: Registry) -> None:
    registry.post(task_event(outputs=(written(RICH, accepted=0),)))

    answer = registry.feature()

    assert answer["who"]["owner"] == "ann"
    assert answer["run"] is None


def test_a_run_that_is_marked_failed_later_takes_its_facts_back(registry: Registry) -> None:
    registry.post(task_event(outputs=(defined(RICH),)))
    assert registry.feature()["who"]["owner"] == "ann"

    registry.post(task_event("FAIL", 11))
    assert registry.ask("/features/nyc/delays/dep_delay").status_code == 404


def test_tasks_and_dags_that_read_the_set_are_consumers(registry: Registry) -> None:
    registry.post(
        task_event(outputs=(written(RICH),)),
        task_event(dag_id="flights_training", task="train", minutes=60, inputs=(feature_set(),)),
        dag_event("RUNNING", 50, dag_id="flights_training", inputs=(feature_set(),)),
    )

    consumers = registry.feature()["consumers"]

    assert [(item["kind"], item["name"], item["last_read"]) for item in consumers] == [
        ("dag", "flights_training", "2026-03-01T00:50:00Z"),
        ("task", "flights_training.train", "2026-03-01T01:00:00Z"),
    ]


def test_a_consumer_is_a_dag_since_an_event_said_so(registry: Registry) -> None:
    reading = dag_event("RUNNING", 50, dag_id="flights_training", inputs=(feature_set(),))
    del reading["job"]["facets"]["festaf_dag"]
    registry.post(task_event(outputs=(written(RICH),)), reading)
    before = datetime.now(UTC).isoformat()
    assert registry.feature()["consumers"][0]["kind"] == "task"

    registry.post(dag_event("COMPLETE", 60, dag_id="flights_training", day=1))
    assert registry.feature()["consumers"][0]["kind"] == "dag"
    for view in ({"knownAt": before}, {"asOf": at(59).isoformat()}):
        assert registry.feature(**view)["consumers"][0]["kind"] == "task"


def test_a_retired_feature_comes_back_when_it_is_made_again(registry: Registry) -> None:
    registry.post(task_event(task="create", minutes=1, outputs=(defined(RICH),)))
    registry.post(task_event(task="delete", minutes=2, outputs=(defined(deleted=True),)))
    assert registry.feature()["deleted"] is True
    assert registry.get("/features")["items"][0]["deleted"] is True

    registry.post(task_event(task="create", day=1, minutes=1, outputs=(defined(RICH),)))
    assert registry.feature()["deleted"] is False


def test_an_unknown_feature_is_a_404(registry: Registry) -> None:
    answer = registry.ask("/features/nyc/delays/nothing")

    assert answer.status_code == 404
    assert answer.json()["message"] == "no feature nyc/delays/nothing is known"


@pytest.mark.parametrize("name", ["asof", "as_of", "AsOf", "knownat", "known-at"])
def test_a_misspelt_clock_is_not_taken_for_now(registry: Registry, name: str) -> None:
    registry.post(task_event(outputs=(written(RICH),)))

    answer = registry.ask("/features/nyc/delays/dep_delay", **{name: at(0).isoformat()})

    assert answer.status_code == 400
    assert f"there is no parameter '{name}': write" in answer.json()["detail"]
