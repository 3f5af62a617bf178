from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from festaf.operators.feature_set import IngestFeaturesOperator
from festaf.provider import errors
from festaf.provider.artifacts import Feature
from tests.feature_store import BUCKET, HAS_BATCHES, WRITE, create, online_count, parquet, table

if TYPE_CHECKING:
    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from tests.feature_store import Run
    from tests.local_aws.server import LocalAws

BAD = {"tail": ["N0", None, "N2", "N3", "N4"], "seats": [0, 1, 2, 3, None]}


@pytest.fixture
def work(tmp_path: Path) -> str:
    return str(tmp_path / "work")


def task(source: Any = None, **parameters: Any) -> IngestFeaturesOperator:
    return IngestFeaturesOperator(
        **({"task_id": "ingest", "feature_set": "planes", "source": source, "retry_seconds": 20} | parameters)
    )


def test_every_row_of_a_file_arrives_and_is_counted(
    planes: FeatureSet, aws: LocalAws, run: Run, tmp_path: Path, work: str
) -> None:
    source = parquet(tmp_path / "planes.parquet", 1000)
    wrote = task(source, work_dir=work, project="nyc").execute(run.context)
    assert online_count(aws) == 1000
    assert (wrote["rows_read"], wrote["rows_accepted"], wrote["rows_rejected"]) == (1000, 1000, 0)
    assert wrote["first_event_time"] == "2013-01-01T05:00:00Z"
    assert wrote["last_event_time"] == "2013-01-28T05:00:00Z"
    assert wrote["source"] == Path(source).as_uri()
    assert [item["name"] for item in wrote["features"]] == ["tail", "seen", "seats", "delay"]
    assert len(wrote["logic_sha256"]) == 64
    assert run.facts() == {"x-festaf://nyc/planes": wrote}
    assert aws.stats()[WRITE] == (40 if HAS_BATCHES else 1000)
    record = aws.client("sagemaker-featurestore-runtime").get_record(
        FeatureGroupName="planes", RecordIdentifierValueAsString="N7"
    )["Record"]
    assert {item["FeatureName"]: item["ValueAsString"] for item in record} == {
        "tail": "N7",
        "seen": "2013-01-08T05:00:00Z",
        "seats": "7",
        "delay": "1.75",
    }


def test_an_outlet_that_is_the_asset_itself_carries_the_fact(
    planes: FeatureSet, run: Run, tmp_path: Path, work: str
) -> None:
    from festaf.provider.assets import feature_set_asset

    outlet = feature_set_asset("planes")
    wrote = task(parquet(tmp_path / "p.parquet", 5), work_dir=work, outlets=[outlet]).execute(run.context)
    assert run.context["outlet_events"][outlet].extra == {"festaf": wrote}
    assert run.facts() == {}


def test_running_again_sends_nothing_and_counts_the_same(
    planes: FeatureSet, aws: LocalAws, run: Run, tmp_path: Path, work: str
) -> None:
    source = parquet(tmp_path / "planes.parquet", 100)
    first = task(source, work_dir=work).execute(run.context)
    calls = aws.stats()[WRITE]
    again = task(source, work_dir=work).execute(run.context)
    assert aws.stats()[WRITE] == calls
    assert again == first | {"rows_resumed": 100}
    assert task(source, work_dir=work, resume=False).execute(run.context) == first
    assert aws.stats()[WRITE] == 2 * calls


def test_a_changed_file_or_a_new_feature_set_is_sent_anew(
    planes: FeatureSet, hook: FeatureStoreHook, aws: LocalAws, run: Run, tmp_path: Path, work: str
) -> None:
    source = parquet(tmp_path / "planes.parquet", 10)
    task(source, work_dir=work).execute(run.context)
    parquet(tmp_path / "planes.parquet", 11)
    assert task(source, work_dir=work).execute(run.context)["rows_resumed"] == 0
    hook.delete("planes")
    aws.advance(5)
    create(hook)
    assert task(source, work_dir=work).execute(run.context)["rows_resumed"] == 0
    assert online_count(aws) == 11


def test_a_bad_row_is_kept_with_number_and_reason_and_the_others_are_written(
    planes: FeatureSet, aws: LocalAws, run: Run, tmp_path: Path, work: str
) -> None:
    source = parquet(tmp_path / "planes.parquet", 5, **BAD)
    with pytest.raises(errors.RejectedRowsError) as caught:
        task(source, work_dir=work).execute(run.context)
    assert str(caught.value).startswith("1 of 5 rows were rejected, 0 are allowed; the other 4 are written; see file:")
    assert caught.value.dead_letter is not None
    kept = json.loads(Path(urlsplit(caught.value.dead_letter).path).read_text())
    assert (kept["row"], kept["reason"]) == (2, "tail: the value is missing")
    assert kept["values"]["seats"] == 1
    assert online_count(aws) == 4
    assert run.facts() == {}


def test_rejected_rows_may_be_allowed(planes: FeatureSet, run: Run, tmp_path: Path, work: str) -> None:
    source = parquet(tmp_path / "planes.parquet", 5, **BAD)
    wrote = task(source, work_dir=work, max_rejected_rows=1).execute(run.context)
    assert (wrote["rows_read"], wrote["rows_accepted"], wrote["rows_rejected"]) == (5, 4, 1)
    assert wrote["dead_letter"].endswith("rejected.jsonl")


def test_the_first_bad_row_can_stop_the_task(planes: FeatureSet, run: Run, tmp_path: Path, work: str) -> None:
    source = parquet(tmp_path / "planes.parquet", 5, **BAD)
    with pytest.raises(errors.RejectedRowsError, match="Row 2 is rejected: tail: the value is missing"):
        task(source, work_dir=work, stop_at_first_bad_row=True).execute(run.context)


def test_a_row_that_aws_refuses_costs_its_own_row_only(
    planes: FeatureSet, aws: LocalAws, run: Run, tmp_path: Path, work: str
) -> None:
    source = parquet(tmp_path / "planes.parquet", 30, tail=[f"N{n}" for n in range(29)] + ["\x00" + "é" * 900])
    operator = task(source, work_dir=work, max_rejected_rows=30)
    wrote = operator.execute(run.context)
    assert wrote["rows_read"] == wrote["rows_accepted"] + wrote["rows_rejected"] == 30
    assert online_count(aws) == wrote["rows_accepted"] >= 29


def test_csv_is_parsed_and_its_broken_rows_are_named(
    planes: FeatureSet, aws: LocalAws, run: Run, tmp_path: Path, work: str
) -> None:
    lines = [
        "tail,seen,seats,delay",
        "N1,2013-01-01T05:00:00Z,100,1.5",
        "N2,2013-01-01T05:00:00Z,many,1.5",
        "N3,2013-01-01T05:00:00Z,7",
        "",
        '"N,4",2013-01-01T05:00:00Z,,',
        "N5,yesterday,1,1",
    ]
    source = tmp_path / "planes.csv"
    source.write_text("\n".join(lines))
    wrote = task(str(source), work_dir=work, max_rejected_rows=9).execute(run.context)
    assert (wrote["rows_read"], wrote["rows_accepted"], wrote["rows_rejected"]) == (5, 2, 3)
    kept = [json.loads(line) for line in Path(urlsplit(wrote["dead_letter"]).path).read_text().splitlines()]
    assert {item["row"]: item["reason"] for item in kept} == {
        2: "seats: 'many' is no whole number",
        3: "the row has 3 values, the header has 4",
        5: "seen: event time 'yesterday' is no time: write it in UTC as 2013-01-31T05:00:00Z",
    }
    assert online_count(aws) == 2


def test_rows_come_from_s3_a_folder_a_dataframe_and_a_query(
    planes: FeatureSet,
    aws: LocalAws,
    run: Run,
    tmp_path: Path,
    work: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3 = aws.client("s3")
    for number in range(2):
        s3.upload_file(parquet(tmp_path / f"{number}.parquet", 300), BUCKET, f"in/part-{number}.parquet")
    for source in (f"s3://{BUCKET}/in/part-0.parquet", f"s3://{BUCKET}/in", str(tmp_path), table(300).to_pandas()):
        wrote = task(source, work_dir=work).execute(run.context)
        assert wrote["rows_accepted"] in {300, 600}
    with closing(sqlite3.connect(tmp_path / "planes.db")) as database, database:
        table(300).to_pandas().to_sql("planes", database)
    place = {"conn_type": "sqlite", "host": str(tmp_path / "planes.db")}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(place))
    query = {"sql": "SELECT tail, seen, seats, delay FROM planes WHERE seats >= ?", "parameters": [100]}
    asked = task(conn_id="warehouse", work_dir=work, **query)
    assert asked.execute(run.context)["rows_accepted"] == 200
    assert asked.execute(run.context)["rows_resumed"] == 200


def test_the_ledger_and_the_dead_letter_may_lie_in_s3(
    planes: FeatureSet, aws: LocalAws, run: Run, tmp_path: Path
) -> None:
    source = parquet(tmp_path / "planes.parquet", 5, **BAD)
    asked = task(source, work_dir=f"s3://{BUCKET}/work", max_rejected_rows=1)
    wrote = asked.execute(run.context)
    assert wrote["dead_letter"].startswith(f"s3://{BUCKET}/work/planes-")
    key = urlsplit(wrote["dead_letter"]).path.lstrip("/")
    assert json.loads(aws.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())["row"] == 2
    assert asked.execute(run.context)["rows_resumed"] == 4


def test_only_some_columns_may_be_sent_under_other_names(
    planes: FeatureSet, aws: LocalAws, run: Run, tmp_path: Path, work: str
) -> None:
    source = parquet(tmp_path / "planes.parquet", 3, wing=[1, 2, 3])
    wrote = task(
        source,
        work_dir=work,
        columns={"tail": "tail", "seen": "seen", "wing": "seats"},
        features=[Feature(name="seats", description="Seats, really")],
    ).execute(run.context)
    assert [item["name"] for item in wrote["features"]] == ["tail", "seen", "seats"]
    assert wrote["features"][2]["description"] == "Seats, really"


@pytest.mark.parametrize(
    ("columns", "parameters", "said"),
    [
        ({}, {"source": "/nowhere/p.parquet"}, "There is no source /nowhere/p.parquet"),
        ({}, {"source": f"s3://{BUCKET}/p.parquet"}, f"There is no source s3://{BUCKET}/p.parquet"),
        ({}, {"source": "s3://no-such-bucket/p.parquet"}, "There is no bucket no-such-bucket"),
        ({}, {"source": "ftp://host/p.parquet"}, "give a path, file:// or s3://"),
        ({}, {"source": 7}, "The source is int: give a path, a URI or a DataFrame"),
        ({}, {"source": None}, "needs either source or sql"),
        ({}, {"feature_set": "plains"}, "There is no feature set plains in region us-east-1"),
        ({"wing": [1, 2]}, {}, "has column 'wing', which feature set planes does not have"),
        ({}, {"columns": ["tail", "seats"]}, "has no column for feature 'seen' of feature set planes"),
        ({}, {"columns": ["tail", "seen", "tial"]}, "has no column 'tial'; it has 'tail', 'seen', 'seats', 'delay'"),
        ({"seats": ["a", "b"]}, {}, "is string, the feature is Integral"),
        ({}, {"target_stores": ["OfflineStore"]}, "asks for OfflineStore, feature set planes has none"),
        ({}, {"target_stores": ["Offline"]}, "write OnlineStore or OfflineStore"),
        ({}, {"features": [{"name": "wing"}]}, "has no feature 'wing'"),
        ({}, {"work_dir": "/proc/nowhere"}, "work_dir cannot be used"),
        ({}, {"source": None, "sql": "SELECT 1"}, "sql needs conn_id"),
        ({}, {"source": None, "sql": "SELECT 1", "conn_id": "nope"}, "There is no Airflow connection 'nope'"),
        ({}, {"source": None, "sql": "SELECT 1", "conn_id": "aws_default"}, "is not to a database that speaks SQL"),
    ],
)
def test_a_mistake_is_one_clear_sentence_and_sends_nothing(
    planes: FeatureSet,
    aws: LocalAws,
    run: Run,
    tmp_path: Path,
    columns: dict[str, list[Any]],
    parameters: dict[str, Any],
    said: str,
) -> None:
    source = parquet(tmp_path / "planes.parquet", 2, **columns)
    with pytest.raises(errors.FinalError) as caught:
        task(**({"source": source, "work_dir": str(tmp_path / "work")} | parameters)).execute(run.context)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "BatchWriteRecord" not in aws.stats()


def test_a_missing_column_is_told_before_anything_is_sent(
    planes: FeatureSet, aws: LocalAws, run: Run, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table(2).drop_columns(["delay"]), tmp_path / "planes.parquet")
    with pytest.raises(errors.InputError, match="has no column for feature 'delay' of feature set planes"):
        task(str(tmp_path / "planes.parquet")).execute(run.context)
    assert "BatchWriteRecord" not in aws.stats()


def test_a_file_that_is_no_parquet_is_told(planes: FeatureSet, run: Run, tmp_path: Path) -> None:
    (tmp_path / "planes.parquet").write_text("tail,seen")
    with pytest.raises(errors.InputError, match="is no Parquet file"):
        task(str(tmp_path / "planes.parquet")).execute(run.context)


def test_a_feature_set_that_aws_still_creates_is_waited_for(
    aws: LocalAws, hook: FeatureStoreHook, run: Run, tmp_path: Path, work: str
) -> None:
    aws.settings(create_seconds=2.5)
    assert create(hook).status == "Creating"
    assert task(parquet(tmp_path / "p.parquet", 5), work_dir=work).execute(run.context)["rows_accepted"] == 5
