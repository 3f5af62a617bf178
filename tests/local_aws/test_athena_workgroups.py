"""Workgroups, saved queries and the history of executions, over HTTP with unmodified boto3."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.local_aws.athena import texts
from tests.local_aws.server import LocalAws

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local_aws.athena import Rows

OUTPUT = {"OutputLocation": "s3://bucket/results"}
NUMBERS = "UNNEST(sequence(1, 10000))"
BIG = f"SELECT count(*) FROM {NUMBERS} a(x) CROSS JOIN {NUMBERS} b(y) WHERE (x * y) % 7 = 1"


@pytest.fixture
def athena(local_aws: LocalAws) -> Any:
    local_aws.client("s3").create_bucket(Bucket="bucket")
    return local_aws.client("athena")


def start(athena: Any, sql: str, **more: Any) -> str:
    identity: str = athena.start_query_execution(QueryString=sql, **({"ResultConfiguration": OUTPUT} | more))[
        "QueryExecutionId"
    ]
    return identity


def ended(athena: Any, identity: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
        if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return found
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answer(athena: Any, sql: str, **more: Any) -> Rows:
    identity = start(athena, sql, **more)
    status = ended(athena, identity)["Status"]
    assert status["State"] == "SUCCEEDED", status
    return [texts(row) for row in athena.get_query_results(QueryExecutionId=identity)["ResultSet"]["Rows"]][1:]


def refused(athena: Any, operation: str, code: str = "InvalidRequestException", **parameters: Any) -> str:
    with pytest.raises(athena.exceptions.ClientError) as raised:
        getattr(athena, operation)(**parameters)
    assert raised.value.response["Error"]["Code"] == code
    message: str = raised.value.response["Error"]["Message"]
    return message


def test_a_workgroup_is_made_changed_and_deleted(athena: Any) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    limits = {"BytesScannedCutoffPerQuery": 10_000_000, "ResultConfiguration": OUTPUT}
    athena.create_work_group(Name="team", Description="ours", Configuration=limits, Tags=tags)
    found = athena.get_work_group(WorkGroup="team")["WorkGroup"]
    assert (found["State"], found["Description"]) == ("ENABLED", "ours")
    assert found["Configuration"]["BytesScannedCutoffPerQuery"] == 10_000_000
    assert found["Configuration"]["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    assert refused(athena, "create_work_group", Name="team") == "WorkGroup team is already created"
    updates = {
        "RemoveBytesScannedCutoffPerQuery": True,
        "EnforceWorkGroupConfiguration": True,
        "ResultConfigurationUpdates": {"RemoveOutputLocation": True, "ExpectedBucketOwner": "123456789012"},
    }
    athena.update_work_group(WorkGroup="team", ConfigurationUpdates=updates, State="DISABLED")
    found = athena.get_work_group(WorkGroup="team")["WorkGroup"]
    assert found["State"] == "DISABLED"
    assert "BytesScannedCutoffPerQuery" not in found["Configuration"]
    assert found["Configuration"]["ResultConfiguration"] == {"ExpectedBucketOwner": "123456789012"}
    assert [group["Name"] for group in athena.list_work_groups()["WorkGroups"]] == ["primary", "team"]
    arn = "arn:aws:athena:us-east-1:123456789012:workgroup/team"
    assert athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    athena.delete_work_group(WorkGroup="team")
    assert refused(athena, "get_work_group", WorkGroup="team") == "WorkGroup team is not found."


def test_a_disabled_workgroup_takes_no_query(athena: Any) -> None:
    athena.update_work_group(WorkGroup="primary", State="DISABLED")
    message = refused(athena, "start_query_execution", QueryString="SELECT 1", ResultConfiguration=OUTPUT)
    assert message == "WorkGroup primary is disabled."
    assert athena.list_query_executions()["QueryExecutionIds"] == []
    athena.update_work_group(WorkGroup="primary", State="ENABLED")
    assert answer(athena, "SELECT 1") == [["1"]]


def test_a_workgroup_with_queries_is_deleted_only_with_them(athena: Any) -> None:
    athena.create_work_group(Name="team")
    identity = start(athena, "SELECT 1", WorkGroup="team")
    ended(athena, identity)
    assert refused(athena, "delete_work_group", WorkGroup="team") == "WorkGroup team is not empty"
    assert "primary" in refused(athena, "delete_work_group", WorkGroup="primary")
    athena.delete_work_group(WorkGroup="team", RecursiveDeleteOption=True)
    assert "was not found" in refused(athena, "get_query_execution", QueryExecutionId=identity)


def test_a_query_that_scans_too_much_is_cancelled(athena: Any, local_aws: LocalAws) -> None:
    answer(athena, "CREATE DATABASE db")
    rows = "SELECT cast(x AS varchar) AS a, cast(x * 7919 AS varchar) AS b FROM UNNEST(sequence(1, 10000)) AS s(x)"
    many = " UNION ALL ".join([rows] * 30)
    answer(athena, f"CREATE TABLE db.big WITH (format = 'TEXTFILE', write_compression = 'NONE') AS {many}")
    athena.create_work_group(Name="frugal", Configuration={"BytesScannedCutoffPerQuery": 10_000_000})
    sql = "SELECT count(*) FROM db.big"
    assert answer(athena, sql, WorkGroup="frugal") == [["300000"]]
    for _ in range(4):
        answer(athena, "INSERT INTO db.big SELECT * FROM db.big LIMIT 300000")
    status = ended(athena, start(athena, sql, WorkGroup="frugal"))["Status"]
    assert (status["State"], status["StateChangeReason"]) == (
        "CANCELLED",
        "Query cancelled! : Bytes scanned limit was exceeded",
    )


def test_a_running_query_is_cancelled_by_stop_and_the_engine_is_free_again(athena: Any) -> None:
    slow = [start(athena, BIG) for _ in range(3)]
    states = [athena.get_query_execution(QueryExecutionId=one)["QueryExecution"]["Status"]["State"] for one in slow]
    assert set(states) <= {"QUEUED", "RUNNING"}
    for one in slow:
        athena.stop_query_execution(QueryExecutionId=one)
    assert [ended(athena, one)["Status"]["State"] for one in slow] == ["CANCELLED"] * 3
    begun = time.monotonic()
    assert answer(athena, "SELECT 1") == [["1"]]
    assert time.monotonic() - begun < 5
    athena.stop_query_execution(QueryExecutionId=slow[0])
    assert "CANCELLED" in refused(athena, "get_query_results", QueryExecutionId=slow[0])


def test_runtime_statistics_count_rows_and_bytes(athena: Any) -> None:
    answer(athena, "CREATE DATABASE db")
    answer(athena, "CREATE TABLE db.t AS SELECT x FROM UNNEST(sequence(1, 50)) AS s(x)")
    identity = start(athena, "SELECT x FROM db.t WHERE x <= 7")
    scanned = ended(athena, identity)["Statistics"]["DataScannedInBytes"]
    found = athena.get_query_runtime_statistics(QueryExecutionId=identity)["QueryRuntimeStatistics"]
    rows = found["Rows"]
    assert (rows["InputRows"], rows["OutputRows"], rows["InputBytes"]) == (50, 7, scanned)
    assert rows["OutputBytes"] > 0
    assert found["Timeline"]["TotalExecutionTimeInMillis"] >= found["Timeline"]["EngineExecutionTimeInMillis"]


def test_a_wish_to_reuse_results_is_told_that_none_was(athena: Any) -> None:
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    found = ended(athena, start(athena, "SELECT 1", ResultReuseConfiguration=reuse))
    assert found["ResultReuseConfiguration"] == reuse
    assert found["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": False}


def test_named_queries_are_kept_by_workgroup(athena: Any) -> None:
    token = uuid.uuid4().hex
    asked = {"Name": "one", "Database": "db", "QueryString": "SELECT 1", "ClientRequestToken": token}
    identity = athena.create_named_query(**asked)["NamedQueryId"]
    assert athena.create_named_query(**asked)["NamedQueryId"] == identity
    assert "Idempotent" in refused(athena, "create_named_query", **{**asked, "QueryString": "SELECT 2"})
    athena.update_named_query(NamedQueryId=identity, Name="two", QueryString="SELECT 3", Description="new")
    found = athena.get_named_query(NamedQueryId=identity)["NamedQuery"]
    assert (found["Name"], found["QueryString"], found["WorkGroup"], found["Database"]) == (
        "two",
        "SELECT 3",
        "primary",
        "db",
    )
    assert athena.list_named_queries()["NamedQueryIds"] == [identity]
    batch = athena.batch_get_named_query(NamedQueryIds=[identity, "none"])
    assert [one["NamedQueryId"] for one in batch["UnprocessedNamedQueryIds"]] == ["none"]
    athena.delete_named_query(NamedQueryId=identity)
    assert "was not found" in refused(athena, "get_named_query", NamedQueryId=identity)


def test_a_prepared_statement_is_executed_with_values(athena: Any) -> None:
    place = {"StatementName": "pick", "WorkGroup": "primary"}
    sql = "SELECT * FROM (VALUES (1, 'it''s'), (2, 'b')) AS t(n, x) WHERE x = ? AND n < ?"
    athena.create_prepared_statement(**place, QueryStatement=sql, Description="d")
    assert "already exists" in refused(athena, "create_prepared_statement", **place, QueryStatement=sql)
    assert answer(athena, "EXECUTE pick USING 'it''s', 2") == [["1", "it's"]]
    assert answer(athena, "EXECUTE pick", ExecutionParameters=["'b'", "3"]) == [["2", "b"]]
    status = ended(athena, start(athena, "EXECUTE pick USING 'b'"))["Status"]
    assert status["StateChangeReason"].startswith("INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters")
    athena.update_prepared_statement(**place, QueryStatement="SELECT 7")
    assert answer(athena, "EXECUTE pick") == [["7"]]
    assert [
        one["StatementName"] for one in athena.list_prepared_statements(WorkGroup="primary")["PreparedStatements"]
    ] == ["pick"]
    batch = athena.batch_get_prepared_statement(PreparedStatementNames=["pick", "none"], WorkGroup="primary")
    assert batch["PreparedStatements"][0]["QueryStatement"] == "SELECT 7"
    assert batch["UnprocessedPreparedStatementNames"][0]["StatementName"] == "none"
    athena.delete_prepared_statement(**place)
    message = refused(athena, "get_prepared_statement", "ResourceNotFoundException", **place)
    assert message == "PreparedStatement pick was not found in workGroup primary"
    status = ended(athena, start(athena, "EXECUTE pick"))["Status"]
    assert status["StateChangeReason"] == "NOT_FOUND: Prepared statement not found: pick"


def test_a_statement_is_prepared_by_sql_too(athena: Any) -> None:
    ended(athena, start(athena, "PREPARE twice FROM SELECT ? * 2"))
    assert answer(athena, "EXECUTE twice USING 21") == [["42"]]
    ended(athena, start(athena, "DEALLOCATE PREPARE twice"))
    status = ended(athena, start(athena, "DEALLOCATE PREPARE twice"))["Status"]
    assert status["StateChangeReason"] == "NOT_FOUND: Prepared statement not found: twice"


def test_queries_groups_and_statements_survive_a_restart(tmp_path: Path) -> None:
    token = uuid.uuid4().hex
    with LocalAws.started("--state", str(tmp_path)) as aws:
        aws.client("s3").create_bucket(Bucket="bucket")
        athena = aws.client("athena")
        athena.create_work_group(Name="team", Configuration={"ResultConfiguration": OUTPUT})
        athena.create_prepared_statement(StatementName="pick", WorkGroup="team", QueryStatement="SELECT 7")
        first = start(athena, "SELECT 'a', 1 UNION ALL SELECT null, 2", WorkGroup="team", ClientRequestToken=token)
        before = ended(athena, first), athena.get_query_results(QueryExecutionId=first)["ResultSet"]
        failed = ended(athena, start(athena, "SELECT 1/0", WorkGroup="team"))
        running = start(athena, BIG.replace("10000", "9999"), WorkGroup="team")
        deadline = time.monotonic() + 10
        while athena.get_query_execution(QueryExecutionId=running)["QueryExecution"]["Status"]["State"] == "QUEUED":
            assert time.monotonic() < deadline
        aws.process.kill()
    with LocalAws.started("--state", str(tmp_path)) as aws:
        athena = aws.client("athena")
        assert athena.list_query_executions(WorkGroup="team")["QueryExecutionIds"] == [
            running,
            failed["QueryExecutionId"],
            first,
        ]
        assert (ended(athena, first), athena.get_query_results(QueryExecutionId=first)["ResultSet"]) == before
        assert ended(athena, failed["QueryExecutionId"]) == failed
        status = ended(athena, running)["Status"]
        assert (status["State"], status["AthenaError"]["Retryable"]) == ("FAILED", True)
        again = start(athena, "SELECT 'a', 1 UNION ALL SELECT null, 2", WorkGroup="team", ClientRequestToken=token)
        assert again == first
        assert answer(athena, "EXECUTE pick", WorkGroup="team") == [["7"]]


def test_boto3_pages_through_the_list_of_queries(athena: Any) -> None:
    identities = [start(athena, f"SELECT {number}") for number in range(5)]
    pages = athena.get_paginator("list_query_executions").paginate(PaginationConfig={"PageSize": 2})
    assert [one for page in pages for one in page["QueryExecutionIds"]] == identities[::-1]
    for identity in identities:
        ended(athena, identity)


def test_databases_and_tables_are_shown_as_glue_has_them(athena: Any) -> None:
    catalog = {"CatalogName": "AwsDataCatalog"}
    answer(athena, "CREATE DATABASE db COMMENT 'ours'")
    answer(athena, "CREATE TABLE db.t WITH (partitioned_by = ARRAY['y']) AS SELECT 1 AS a, 'x' AS y")
    answer(athena, "CREATE VIEW db.v AS SELECT a FROM db.t")
    assert athena.get_database(DatabaseName="db", **catalog)["Database"]["Description"] == "ours"
    assert "db" in [one["Name"] for one in athena.list_databases(**catalog)["DatabaseList"]]
    found = athena.get_table_metadata(DatabaseName="db", TableName="t", **catalog)["TableMetadata"]
    assert [(column["Name"], column["Type"]) for column in found["Columns"]] == [("a", "int")]
    assert [column["Name"] for column in found["PartitionKeys"]] == ["y"]
    assert found["Parameters"]["location"].startswith("s3://bucket/results/tables/")
    listed = athena.list_table_metadata(DatabaseName="db", **catalog)["TableMetadataList"]
    assert [(one["Name"], one["TableType"]) for one in listed] == [("t", "EXTERNAL_TABLE"), ("v", "VIRTUAL_VIEW")]
    only = athena.list_table_metadata(DatabaseName="db", Expression="^v", **catalog)["TableMetadataList"]
    assert [one["Name"] for one in only] == ["v"]
    refused(athena, "get_table_metadata", "MetadataException", DatabaseName="db", TableName="no", **catalog)
    refused(athena, "get_database", "MetadataException", DatabaseName="no", **catalog)
    refused(athena, "list_databases", CatalogName="other")


def test_a_database_in_backticks_is_the_same_database(athena: Any) -> None:
    answer(athena, "CREATE DATABASE db")
    answer(athena, "CREATE TABLE t AS SELECT 1 AS a", QueryExecutionContext={"Database": "`db`"})
    assert answer(athena, "SELECT a FROM t", QueryExecutionContext={"Database": "db"}) == [["1"]]
