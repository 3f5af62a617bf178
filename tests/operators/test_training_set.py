"""The operator that builds training sets, on the local AWS."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import pytest

from festaf.contract.training_set import TrainingSetManifest
from festaf.operators.training_set import BuildTrainingSetOperator
from festaf.provider.errors import InputError, NotReadyError, SpecificationError
from festaf.provider.readiness.bounds import Bounds
from festaf.provider.readiness.readiness import Readiness
from festaf.provider.training_sets import FeatureView
from tests.feature_store import BUCKET, create
from tests.provider.training_sets.history import (
    Past,
    create_feature_set,
    put_parquet,
    read_training_set,
    write_history,
)

if TYPE_CHECKING:
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run

FEATURES = {"tail": "String", "seen": "String", "seats": "Integral", "delay": "Fractional"}
OUTPUT = f"s3://{BUCKET}/sets"


@pytest.fixture
def planes(hook: FeatureStoreHook) -> None:
    """Make a feature set with a past, and flights to join it to."""
    found = create_feature_set(hook, "planes", FEATURES, "tail", "seen")
    past = [
        Past({"tail": "N1", "seen": "2013-01-01T00:00:00Z", "seats": 1, "delay": 0.5}),
        Past({"tail": "N1", "seen": "2013-01-02T00:00:00Z", "seats": 2}, written=10),
    ]
    write_history(hook, found, past)
    flights = {
        "tail": ["N1", "N1", "N2", "N1"],
        "at": ["2013-01-01T12:00:00Z", "2013-01-01T12:00:00Z", "2013-01-01T12:00:00Z", "2013-01-03T00:00:00Z"],
        "late": [1, 1, 0, 2],
    }
    put_parquet(hook, BUCKET, "flights/a.parquet", flights)


def build(**more: Any) -> BuildTrainingSetOperator:
    asked: dict[str, Any] = {
        "training_set": "delays",
        "entities": f"s3://{BUCKET}/flights/",
        "event_time": "at",
        "labels": ["late"],
        "feature_sets": ["planes"],
        "output_s3_uri": OUTPUT,
        "project": "nyc",
        "poll_interval": 0.2,
    }
    return BuildTrainingSetOperator(task_id="build", **(asked | more))


@pytest.mark.usefixtures("planes")
def test_every_entity_row_gets_the_features_of_its_time_once(hook: FeatureStoreHook, run: Run) -> None:
    written = build().execute(run.context)
    rows = [(row["tail"], row["late"], row["seats"], row["delay"]) for row in read_training_set(hook, written)]
    assert sorted(rows, key=str) == [("N1", 1, 1, 0.5), ("N1", 1, 1, 0.5), ("N1", 2, 2, None), ("N2", 0, None, None)]
    assert (written["rows"], written["feature_sets"][0]["rows_matched"]) == (4, 3)
    assert run.facts()["x-festaf-training-set://nyc/delays"] == written


@pytest.mark.usefixtures("planes")
def test_the_same_again_is_given_back(run: Run) -> None:
    first = build().execute(run.context)
    again = build().execute(run.context)
    assert again == first | {"reused": True}


@pytest.mark.usefixtures("planes")
def test_the_first_trys_time_is_the_snapshot_of_every_later_one(hook: FeatureStoreHook, run: Run) -> None:
    first = build().execute(run.context)
    put_parquet(hook, BUCKET, "sets/delays/unrelated.txt", {"x": [1]})
    again = build(check_ready=False).execute(run.context)
    assert (again["snapshot"], again["build"], again["reused"]) == (first["snapshot"], first["build"], True)
    earlier = build(snapshot="2013-01-01T00:00:05Z").execute(run.context)
    assert earlier["build"] != first["build"]
    assert sorted(str(row["seats"]) for row in read_training_set(hook, earlier)) == ["1", "1", "1", "None"]


@pytest.mark.usefixtures("planes")
def test_one_that_stands_is_refused_or_built_anew_when_asked(hook: FeatureStoreHook, run: Run) -> None:
    first = build().execute(run.context)
    with pytest.raises(InputError, match=f"stands already as build {first['build']}"):
        build(if_exists="fail").execute(run.context)
    again = build(if_exists="rebuild").execute(run.context)
    assert (again["reused"], again["build"], again["rows"]) == (False, first["build"], 4)
    assert len(read_training_set(hook, again)) == 4


@pytest.mark.usefixtures("planes")
def test_a_lasting_table_shows_the_newest_build(hook: FeatureStoreHook, run: Run) -> None:
    hook.call("glue", "create_database", DatabaseInput={"Name": "nyc"})
    for snapshot in ("2013-01-01T00:00:05Z", "2013-02-01T00:00:00Z"):
        written = build(snapshot=snapshot, table="nyc.delays").execute(run.context)
        table = hook.call("glue", "get_table", DatabaseName="nyc", Name="delays")["Table"]
        assert table["StorageDescriptor"]["Location"] == written["uri"]
    hook.call("glue", "create_table", DatabaseName="nyc", TableInput={"Name": "mine"})
    with pytest.raises(SpecificationError, match=r"Glue table nyc\.mine.*not ours"):
        build(table="nyc.mine").execute(run.context)


@pytest.mark.usefixtures("planes")
def test_the_rows_may_come_from_a_query_over_a_table(hook: FeatureStoreHook, run: Run) -> None:
    first = build(table="sagemaker_featurestore.flights").execute(run.context)
    query = "SELECT tail AS plane, CAST(from_iso8601_timestamp(at) AS timestamp) AS at FROM flights WHERE late > 0;"
    views = [FeatureView(feature_set="planes", entity="plane", features={"seats": "places", "seen": "since"})]
    written = build(entities=query, labels=[], feature_sets=views).execute(run.context)
    rows = [(row["plane"], row["places"], row["since"]) for row in read_training_set(hook, written)]
    assert sorted(rows) == [("N1", 1, "2013-01-01T00:00:00Z")] * 2 + [("N1", 2, "2013-01-02T00:00:00Z")]
    roles = {column["name"]: column["role"] for column in written["columns"]}
    assert roles == {"plane": "entity", "at": "event_time", "places": "feature", "since": "feature_time"}
    again = build(entities="sagemaker_featurestore.flights", feature_sets=[{"feature_set": "planes", "prefix": "p_"}])
    columns = [column["name"] for column in again.execute(run.context)["columns"]]
    assert columns == [*(column["name"] for column in first["columns"]), "p_seats", "p_delay"]


@pytest.mark.usefixtures("planes")
def test_the_manifest_says_what_was_done(hook: FeatureStoreHook, run: Run) -> None:
    written = build().execute(run.context)
    key = written["manifest"].removeprefix(f"s3://{BUCKET}/")
    content = hook.call("s3", "get_object", Bucket=BUCKET, Key=key)["Body"].read()
    manifest = TrainingSetManifest.model_validate_json(content)
    assert hashlib.sha256(content).hexdigest() == written["manifest_sha256"]
    assert [statement.step for statement in manifest.statements] == ["entities", "match 1", "training set", "counts"]
    for statement in manifest.statements:
        ran = hook.call("athena", "get_query_execution", QueryExecutionId=statement.query_execution_id)
        assert ran["QueryExecution"]["Query"] == statement.text
    (use,) = manifest.feature_sets
    assert (use.rows_matched, use.rows_unmatched, manifest.rows, manifest.rows_entities) == (3, 1, 4, 4)
    assert [column.name for column in manifest.features] == ["seats", "delay"]
    assert [column.name for column in manifest.labels] == ["late"]
    assert sum(file.bytes for file in manifest.files) == written["bytes"] > 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"entities": "flights"}, "neither 'database.table', nor a query, nor an s3:// URI"),
        ({"entities": f"s3://{BUCKET}/nothing/"}, "no Parquet files"),
        ({"event_time": None}, "needs event_time.*for planes"),
        ({"event_time": "when"}, "event_time 'when' is no column of the entity rows"),
        ({"labels": ["cost"]}, "labels 'cost' is no column"),
        ({"feature_sets": []}, "takes no feature set"),
        ({"feature_sets": ["planes", "planes"]}, "Columns of one name: seats.*prefix"),
        ({"feature_sets": [{"feature_set": "planes", "features": ["wings"]}]}, "has no feature 'wings'"),
        ({"feature_sets": [{"feature_set": "planes", "entity": "plane"}]}, "no column 'plane' for the record identif"),
        ({"feature_sets": [{"feature_set": "planes", "age": 1}]}, "does not say what to take"),
        ({"feature_sets": [{"feature_set": "planes", "max_age": -1}]}, "not between 0 and 36,500 days"),
        ({"snapshot": "2013-01-01"}, "has no zone"),
        ({"table": "Flights"}, "write database.table"),
        ({"output_s3_uri": "/tmp/sets"}, "is no S3 URI"),
        ({"training_set": "a/b"}, "no name of a training set"),
    ],
)
@pytest.mark.usefixtures("planes")
def test_what_cannot_be_is_said_in_one_sentence(asked: dict[str, Any], said: str, run: Run) -> None:
    with pytest.raises(InputError, match=said):
        build(**asked).execute(run.context)


@pytest.mark.usefixtures("aws")
def test_a_feature_set_that_sql_does_not_see_is_not_ready(hook: FeatureStoreHook, run: Run) -> None:
    create_feature_set(hook, "planes", FEATURES, "tail", "seen")
    put_parquet(hook, BUCKET, "flights/a.parquet", {"tail": ["N1"], "at": ["2013-01-01T12:00:00Z"], "late": [1]})
    with pytest.raises(NotReadyError, match="planes is not QUERYABLE"):
        build().execute(run.context)


@pytest.mark.usefixtures("aws")
def test_a_feature_set_that_is_not_there_is_named(run: Run) -> None:
    with pytest.raises(InputError, match="no feature set planes"):
        build().execute(run.context)


def test_records_that_the_store_itself_wrote_and_deleted_are_joined(hook: FeatureStoreHook, run: Run) -> None:
    create(hook, "planes", offline=True)
    for hour, seats in (("06", "1"), ("08", "2")):
        hook.put_record("planes", {"tail": "N1", "seen": f"2013-01-01T{hour}:00:00Z", "seats": seats, "delay": "0.5"})
    hook.delete_record("planes", "N1", "2013-01-01T10:00:00Z")
    put_parquet(
        hook,
        BUCKET,
        "flights/a.parquet",
        {"tail": ["N1"] * 4, "at": [f"2013-01-01T{hour}:30:00Z" for hour in ("05", "06", "09", "10")], "late": [0] * 4},
    )
    # Deleted rows are not counted by QUERYABLE; a record of a later call is seen no sooner than the deletion.
    hook.put_record("planes", {"tail": "N9", "seen": "2013-01-01T00:00:00Z"})
    deadline = time.monotonic() + 60
    while Readiness(hook, "planes", "QUERYABLE", Bounds(rows=3)).look():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    written = build().execute(run.context)
    found = {row["at"][11:13]: (row["seats"], row["delay"]) for row in read_training_set(hook, written)}
    assert found == {"05": (None, None), "06": (1, 0.5), "09": (2, 0.5), "10": (None, None)}
