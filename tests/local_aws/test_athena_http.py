"""From a record that was put to the row that SQL finds, over HTTP with unmodified clients."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.local_aws.athena import texts
from tests.local_aws.feature_groups import BUCKET, OFFLINE, client, request

if TYPE_CHECKING:
    from tests.local_aws.athena import Rows
    from tests.local_aws.server import LocalAws

OUTPUT = {"OutputLocation": f"s3://{BUCKET}/results"}
OLD, NEW = "2013-01-01T05:00:00Z", "2013-01-01T06:00:00Z"
ROWS = 1000


@pytest.fixture
def athena(local_aws: LocalAws, s3: Any) -> Any:
    return client(local_aws, "athena")


@pytest.fixture
def table(sagemaker: Any, s3: Any) -> str:
    sagemaker.create_feature_group(**request())
    described = sagemaker.describe_feature_group(FeatureGroupName="weather")
    catalog = described["OfflineStoreConfig"]["DataCatalogConfig"]
    return f'"{catalog["Database"]}"."{catalog["TableName"]}"'


def record(identifier: str, at: str = OLD, **values: str) -> list[dict[str, str]]:
    features = {"id": identifier, "at": at, **values}
    return [{"FeatureName": name, "ValueAsString": value} for name, value in features.items()]


def answer(athena: Any, sql: str) -> Rows:
    identity = athena.start_query_execution(QueryString=sql, ResultConfiguration=OUTPUT)["QueryExecutionId"]
    deadline = time.monotonic() + 60
    while True:
        status = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            break
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert status["State"] == "SUCCEEDED", status
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=identity)
    return [texts(row) for page in pages for row in page["ResultSet"]["Rows"]][1:]


def test_every_row_that_was_written_is_counted(athena: Any, runtime: Any, table: str) -> None:
    for start in range(0, ROWS, 25):
        entries = [
            {
                "FeatureGroupName": "weather",
                "Record": record(str(number), f"2013-01-{number % 4 + 1:02}T{number % 2:02}:00:00Z", seats="1"),
            }
            for number in range(start, start + 25)
        ]
        assert not runtime.batch_write_record(Entries=entries).get("UnprocessedEntries")
    sql = f"SELECT count(*), count(DISTINCT id), sum(seats), max(at) FROM {table}"
    assert answer(athena, sql) == [[str(ROWS), str(ROWS), str(ROWS), "2013-01-04T01:00:00Z"]]
    by_day = answer(athena, f"SELECT day, count(*) FROM {table} WHERE month = '01' GROUP BY day")
    assert sum(int(count or 0) for _, count in by_day) == ROWS


def test_late_rows_duplicates_and_deletes_are_visible(athena: Any, runtime: Any, table: str) -> None:
    runtime.put_record(FeatureGroupName="weather", Record=record("a", NEW, delay="2.5"))
    runtime.put_record(FeatureGroupName="weather", Record=record("a", OLD, delay="1.5"))
    runtime.put_record(FeatureGroupName="weather", Record=record("a", NEW, delay="2.5"))
    runtime.delete_record(FeatureGroupName="weather", RecordIdentifierValueAsString="a", EventTime=NEW)
    sql = f"SELECT at, delay, is_deleted FROM {table} ORDER BY at, api_invocation_time, is_deleted"
    assert answer(athena, sql) == [
        [OLD, "1.5", "false"],
        [NEW, "2.5", "false"],
        [NEW, "2.5", "false"],
        [NEW, None, "true"],
    ]


def test_the_hook_of_the_amazon_provider_runs_a_query(
    local_aws: LocalAws, runtime: Any, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.providers.amazon.aws.hooks.athena import AthenaHook

    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", local_aws.connection())
    runtime.put_record(FeatureGroupName="weather", Record=record("a", seats="3"))
    hook = AthenaHook(aws_conn_id="aws_default")
    identity = hook.run_query(
        query=f"SELECT id, seats FROM {table}",
        query_context={"Database": "sagemaker_featurestore"},
        result_configuration=OUTPUT,
    )
    assert hook.poll_query_status(identity, max_polling_attempts=60, sleep_time=1) == "SUCCEEDED"
    found = hook.get_query_results(identity)
    assert found is not None
    assert [texts(row) for row in found["ResultSet"]["Rows"]] == [["id", "seats"], ["a", "3"]]
    failed = hook.run_query("SELECT * FROM nothing", {"Database": "sagemaker_featurestore"}, OUTPUT)
    assert hook.poll_query_status(failed, max_polling_attempts=60, sleep_time=1) == "FAILED"
    assert "TABLE_NOT_FOUND" in (hook.get_state_change_reason(failed) or "")


def test_a_new_feature_is_a_new_column_of_old_rows_too(athena: Any, sagemaker: Any, runtime: Any, table: str) -> None:
    runtime.put_record(FeatureGroupName="weather", Record=record("old"))
    assert answer(athena, f"SELECT id FROM {table}") == [["old"]]
    additions = [{"FeatureName": "gust", "FeatureType": "Fractional"}]
    sagemaker.update_feature_group(FeatureGroupName="weather", FeatureAdditions=additions)
    assert sagemaker.describe_feature_group(FeatureGroupName="weather")["LastUpdateStatus"]["Status"] == "Successful"
    runtime.put_record(FeatureGroupName="weather", Record=record("new", gust="7"))
    assert answer(athena, f"SELECT id, gust FROM {table} ORDER BY id") == [["new", "7.0"], ["old", None]]


def test_an_iceberg_feature_group_can_be_asked_too(athena: Any, sagemaker: Any, runtime: Any) -> None:
    sagemaker.create_feature_group(**request("ice", OfflineStoreConfig=OFFLINE | {"TableFormat": "Iceberg"}))
    described = sagemaker.describe_feature_group(FeatureGroupName="ice")
    name = described["OfflineStoreConfig"]["DataCatalogConfig"]["TableName"]
    runtime.put_record(FeatureGroupName="ice", Record=record("a", seats="3"))
    assert answer(athena, f"SELECT id, seats, is_deleted FROM sagemaker_featurestore.{name}") == [["a", "3", "false"]]


def test_what_cannot_be_read_is_refused_with_athenas_error(athena: Any) -> None:
    with pytest.raises(athena.exceptions.InvalidRequestException, match="mismatched input"):
        athena.start_query_execution(QueryString="SELECT a b c", ResultConfiguration=OUTPUT)
    with pytest.raises(athena.exceptions.InvalidRequestException, match="was not found"):
        athena.get_query_execution(QueryExecutionId="none")


def test_a_workgroup_gives_its_output_location(athena: Any) -> None:
    configuration = {"ResultConfiguration": OUTPUT}
    athena.create_work_group(Name="team", Configuration=configuration)
    identity = athena.start_query_execution(QueryString="SELECT 1", WorkGroup="team")["QueryExecutionId"]
    assert identity in athena.list_query_executions(WorkGroup="team")["QueryExecutionIds"]
