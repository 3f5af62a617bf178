"""Executions, their results and the files that they read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from festaf.local_aws.athena.engine import Engine
from festaf.local_aws.athena.errors import QueryError
from festaf.local_aws.athena.types import java_double
from festaf.local_aws.cloud import Cloud, Reply
from festaf.local_aws.objects import split_uri
from festaf.local_aws.service import ApiError
from festaf.local_aws.state.store import NoStore
from tests.local_aws.athena import CALL, REGION, SERDES, Athena, parquet_bytes, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from festaf.local_aws.cloud import Asked
    from festaf.local_aws.resources.resource import Resource

TOKEN = "t" * 32
SELECT = "SELECT id, carrier FROM flights ORDER BY id"


@pytest.fixture(scope="module")
def shared_cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def athena(shared_cloud: Cloud) -> Iterator[Athena]:
    made = Athena.on(shared_cloud)
    made.flights()
    yield made
    made.service.close()


def read(athena: Athena, uri: str) -> bytes:
    bucket, key = split_uri(uri)
    content: bytes = athena.cloud.client("s3", REGION).get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def test_a_finished_query_tells_its_whole_story(athena: Athena) -> None:
    identity = athena.start(SELECT)
    found = athena.finished(identity)
    location = f"s3://bucket/results/{identity}.csv"
    assert found["Status"]["State"] == "SUCCEEDED"
    assert found["Status"]["SubmissionDateTime"] <= found["Status"]["CompletionDateTime"]
    assert (found["StatementType"], found["SubstatementType"], found["WorkGroup"]) == ("DML", "SELECT", "primary")
    assert found["ResultConfiguration"]["OutputLocation"] == location
    assert found["Statistics"]["DataScannedInBytes"] > 0
    assert read(athena, location) == b'"id","carrier"\n"1","AA"\n"2","UA"\n"3",\n'
    assert b"bigint" in read(athena, f"{location}.metadata")


def test_a_failure_of_glue_is_no_absence(athena: Athena) -> None:
    def fail(asked: Asked, answer: Callable[[], Reply]) -> Reply:
        if dict(asked.headers).get("X-Amz-Target") != "AWSGlue.GetTable":
            return answer()
        return Reply(400, (("Content-Type", "application/x-amz-json-1.1"),), b'{"__type": "GlueEncryptionException"}')

    athena.cloud.observer = fail
    try:
        reason = athena.reason(SELECT)
    finally:
        athena.cloud.observer = None
    assert reason.startswith("GENERIC_INTERNAL_ERROR")
    assert "GlueEncryptionException" in reason


def test_an_end_that_cannot_be_kept_is_seen_in_the_log(athena: Athena, caplog: pytest.LogCaptureFixture) -> None:
    class FullStore(NoStore):
        def save_resource(self, resource: Resource) -> None:
            if resource.facts.get("state") == "SUCCEEDED":
                raise OSError("no space left")

    full = athena.another(FullStore())
    try:
        assert full.finished(full.start(SELECT))["Status"]["State"] == "SUCCEEDED"
    finally:
        full.service.close()
    assert "no space left" in caplog.text


def test_results_come_in_pages_with_the_names_in_the_first_row(athena: Athena) -> None:
    identity = athena.start(SELECT)
    athena.finished(identity)
    pages: list[list[list[str | None]]] = []
    asked: dict[str, Any] = {"QueryExecutionId": identity, "MaxResults": 2}
    while True:
        page = athena.service.results(CALL, asked)
        pages.append([texts(row) for row in page["ResultSet"]["Rows"]])
        if "NextToken" not in page:
            break
        asked["NextToken"] = page["NextToken"]
    assert pages == [[["id", "carrier"], ["1", "AA"]], [["2", "UA"], ["3", None]]]


def test_results_that_left_the_memory_come_from_their_file(athena: Athena) -> None:
    sql = "SELECT '' AS empty, null AS nothing, 'a\"b,\n' AS hard UNION ALL SELECT 'x', null, 'y'"
    identity = athena.start(sql)
    athena.finished(identity)
    before = athena.service.results(CALL, {"QueryExecutionId": identity})
    athena.service.forget_results()
    assert athena.service.results(CALL, {"QueryExecutionId": identity}) == before
    athena.service.forget_results()
    athena.cloud.client("s3", REGION).delete_object(Bucket="bucket", Key=f"results/{identity}.csv")
    with pytest.raises(ApiError, match="Could not find results"):
        athena.service.results(CALL, {"QueryExecutionId": identity})


def test_a_failed_query_has_no_results(athena: Athena) -> None:
    identity = athena.start("SELECT 1/0")
    status = athena.finished(identity)["Status"]
    assert status["AthenaError"]["ErrorCategory"] == 2
    with pytest.raises(ApiError, match="Final query state: FAILED"):
        athena.service.results(CALL, {"QueryExecutionId": identity})


def test_a_query_can_be_stopped_and_stays_so(athena: Athena) -> None:
    athena.table("many", {"n": "bigint"})
    athena.put("many/part.parquet", parquet_bytes({"n": list(range(200_000))}))
    slow = athena.start("SELECT count(*) FROM many a CROSS JOIN many b WHERE (a.n * b.n) % 7 = 1")
    with pytest.raises(ApiError, match="not yet finished"):
        athena.service.results(CALL, {"QueryExecutionId": slow})
    athena.service.stop(CALL, {"QueryExecutionId": slow})
    assert athena.finished(slow)["Status"]["State"] == "CANCELLED"
    assert athena.rows("SELECT 1") == [["1"]]


def test_more_queries_than_threads_wait_and_all_answer(athena: Athena) -> None:
    identities = [athena.start(f"SELECT {number}") for number in range(8)]
    assert [athena.finished(identity)["Status"]["State"] for identity in identities] == ["SUCCEEDED"] * 8


def test_the_same_token_is_the_same_query(athena: Athena) -> None:
    first = athena.start(SELECT, ClientRequestToken=TOKEN)
    assert athena.start(SELECT, ClientRequestToken=TOKEN) == first
    with pytest.raises(ApiError, match="Idempotent parameters do not match"):
        athena.start("SELECT 1", ClientRequestToken=TOKEN)


@pytest.mark.parametrize(
    ("sql", "more", "message"),
    [
        ("SELECT 1", {"ResultConfiguration": {}}, "No output location provided"),
        ("SELECT 1", {"ResultConfiguration": {"OutputLocation": "s3://missing/x"}}, "output bucket missing"),
        ("SELECT 1", {"ResultConfiguration": {"OutputLocation": "/tmp"}}, "not a valid S3 path"),
        ("SELECT 1", {"WorkGroup": "none"}, "WorkGroup none is not found"),
        ("SELECT 1; SELECT 2", {}, "Only one sql statement is allowed"),
        ("SELECT a b c", {}, "line 1:12: mismatched input 'c'"),
        (" ", {}, "line 1:1: mismatched input '<EOF>'"),
    ],
)
def test_what_cannot_be_started_is_refused_at_once(
    athena: Athena, sql: str, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ApiError, match=message) as raised:
        athena.start(sql, **more)
    assert raised.value.code == "InvalidRequestException"


def test_a_workgroup_may_insist_on_its_own_location(athena: Athena) -> None:
    configuration = {
        "ResultConfiguration": {"OutputLocation": "s3://bucket/own"},
        "EnforceWorkGroupConfiguration": True,
    }
    athena.call("CreateWorkGroup", Name="strict", Configuration=configuration)
    identity = athena.start("SELECT 1", WorkGroup="strict")
    location = athena.finished(identity)["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://bucket/own/{identity}.csv"


def test_executions_are_listed_newest_first_by_workgroup(athena: Athena) -> None:
    identities = [athena.start("SELECT 1") for _ in range(3)]
    first = athena.service.list_executions(CALL, {"MaxResults": 2})
    rest = athena.service.list_executions(CALL, {"MaxResults": 2, "NextToken": first["NextToken"]})
    assert first["QueryExecutionIds"] + rest["QueryExecutionIds"] == identities[::-1]
    found = athena.service.batch_get(CALL, {"QueryExecutionIds": [identities[0], "none"]})
    assert [one["QueryExecutionId"] for one in found["QueryExecutions"]] == identities[:1]
    assert [one["QueryExecutionId"] for one in found["UnprocessedQueryExecutionIds"]] == ["none"]


def test_a_changed_file_is_read_again_and_a_deleted_one_forgotten(athena: Athena) -> None:
    count = "SELECT count(*), sum(seats) FROM seats"
    assert athena.rows(count) == [["2", "300"]]
    athena.put("seats/more.parquet", parquet_bytes({"id": [3], "seats": pa.array([5], pa.int32())}))
    assert athena.rows(count) == [["3", "305"]]
    athena.put("seats/more.parquet", parquet_bytes({"id": [3], "seats": pa.array([6], pa.int32())}))
    assert athena.rows(count) == [["3", "306"]]
    s3 = athena.cloud.client("s3", REGION)
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "seats/more.parquet"}]})
    assert athena.rows(count) == [["2", "300"]]


def test_only_registered_partitions_are_seen(athena: Athena) -> None:
    athena.table("parts", {"n": "bigint"}, keys={"year": "string", "month": "int"})
    for month in (1, 2):
        athena.put(f"parts/year=2013/month={month}/f.parquet", parquet_bytes({"n": [month] * month}))
    count = "SELECT count(*) FROM parts"
    assert athena.rows(count) == [["0"]]
    athena.results("MSCK REPAIR TABLE parts")
    assert athena.rows(count) == [["3"]]
    assert athena.rows("SELECT DISTINCT year, month + 1 FROM parts WHERE month = 2") == [["2013", "3"]]
    shown = athena.results("SHOW PARTITIONS parts")["Rows"]
    assert [texts(row) for row in shown] == [["year=2013/month=1"], ["year=2013/month=2"]]
    glue = athena.cloud.client("glue", REGION)
    glue.delete_partition(DatabaseName="db", TableName="parts", PartitionValues=["2013", "2"])
    assert athena.rows(count) == [["1"]]


def test_a_file_without_a_column_has_nulls_there(athena: Athena) -> None:
    athena.table("wider", {"n": "bigint", "extra": "array<double>"})
    athena.put("wider/old.parquet", parquet_bytes({"N": [1]}))
    athena.put("wider/new.parquet", parquet_bytes({"n": [2], "extra": [[0.5]]}))
    athena.put("wider/_SUCCESS", b"no data")
    assert athena.rows("SELECT n, extra FROM wider ORDER BY n") == [["1", None], ["2", "[0.5]"]]


def test_a_file_of_another_type_is_bad_data(athena: Athena) -> None:
    athena.table("bad", {"n": "bigint"})
    athena.put("bad/f.parquet", parquet_bytes({"n": ["text"]}))
    assert athena.reason("SELECT * FROM bad").startswith("HIVE_BAD_DATA: Field n's type string in parquet file s3://")
    athena.put("bad/f.parquet", b"not parquet")
    assert athena.reason("SELECT * FROM bad").startswith("HIVE_BAD_DATA: Not valid Parquet file")


def test_a_csv_table_can_be_made_and_read_by_sql(athena: Athena) -> None:
    athena.put("spine/rows.csv", b'id;at\n1;"2013;01"\n2;\n')
    athena.results(
        "CREATE EXTERNAL TABLE spine (id int, at string) ROW FORMAT SERDE "
        f"'{SERDES}.serde2.OpenCSVSerde' WITH SERDEPROPERTIES ('separatorChar' = ';') "
        "LOCATION 's3://bucket/spine/' TBLPROPERTIES ('skip.header.line.count' = '1')"
    )
    assert athena.rows("SELECT id + 1, at FROM spine") == [["2", "2013;01"], ["3", ""]]
    assert ["spine"] in [texts(row) for row in athena.results("SHOW TABLES")["Rows"]]
    athena.results("DROP TABLE spine")
    assert athena.reason("SELECT * FROM spine").startswith("TABLE_NOT_FOUND")


def test_a_delimited_text_table_has_nulls_for_what_is_not_of_its_type(athena: Athena) -> None:
    serde = f"{SERDES}.serde2.lazy.LazySimpleSerDe"
    athena.table("lines", {"n": "bigint", "name": "string"}, serde=serde, serde_parameters={"field.delim": ","})
    athena.put("lines/f.txt", b'1,"a"\nx,\\N\n')
    assert athena.rows("SELECT n, name FROM lines") == [["1", '"a"'], [None, None]]


def test_databases_and_tables_come_and_go_by_statements(athena: Athena) -> None:
    for sql in ("CREATE DATABASE IF NOT EXISTS db", "CREATE DATABASE fresh", "DROP DATABASE fresh"):
        assert athena.results(sql)["Rows"] == []
    assert athena.reason("DROP TABLE nothing").startswith("FAILED: SemanticException")
    assert athena.results("DROP TABLE IF EXISTS nothing")["Rows"] == []
    described = [text for row in athena.results("DESCRIBE seats")["Rows"] for text in texts(row)]
    assert [(text or "").split() for text in described] == [["id", "bigint"], ["seats", "int"]]


def test_a_reset_forgets_every_query(athena: Athena) -> None:
    identity = athena.start("SELECT 1")
    athena.finished(identity)
    athena.service.reset()
    with pytest.raises(ApiError, match="was not found"):
        athena.service.get(CALL, {"QueryExecutionId": identity})


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0"), (-0.0, "-0.0"), (0.001, "0.001"), (0.0009, "9.0E-4"), (9999999.0, "9999999.0"), (1e7, "1.0E7")],
)
def test_doubles_are_written_as_java_does(value: float, text: str) -> None:
    assert java_double(value) == text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "COPY (SELECT 1) TO '/tmp/festaf-must-not-exist.csv'",
        "ATTACH '/tmp/festaf-must-not-exist.db'",
        "LOAD httpfs",
        "SET threads = 64",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "SELECT * FROM secret_of_the_process",
    ],
)
def test_duckdb_itself_reaches_nothing_even_past_the_grammar(sql: str) -> None:
    secret_of_the_process = pa.table({"n": [1]})
    with pytest.raises(QueryError):
        Engine().run(sql, {})
    assert secret_of_the_process.num_rows == 1
