"""CREATE TABLE AS, INSERT INTO and UNLOAD: what a query finds becomes files and tables."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as parquet
import pytest

from festaf.local_aws.cloud import Cloud
from festaf.local_aws.objects import Objects, split_uri
from tests.local_aws.athena import CALL, REGION, Athena, parquet_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

BY_YEAR = "CREATE TABLE {name} WITH (partitioned_by = ARRAY['year']{more}) AS SELECT id, carrier, year FROM flights"


@pytest.fixture(scope="module")
def shared_cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def athena(shared_cloud: Cloud) -> Iterator[Athena]:
    made = Athena.on(shared_cloud)
    made.flights()
    yield made
    made.service.close()


def described(athena: Athena, name: str) -> dict[str, Any]:
    found: dict[str, Any] = athena.cloud.client("glue", REGION).get_table(DatabaseName="db", Name=name)["Table"]
    return found


def keys(athena: Athena, prefix: str) -> list[str]:
    return [stat.key for stat in Objects(athena.cloud, REGION).under("bucket", prefix)]


def content(athena: Athena, key: str) -> bytes:
    return Objects(athena.cloud, REGION).get("bucket", key)


def test_a_query_becomes_a_table_of_parquet_files(athena: Athena) -> None:
    sql = (
        "CREATE TABLE db.copy WITH (format = 'PARQUET', external_location = 's3://bucket/copy/', "
        "write_compression = 'SNAPPY') AS SELECT id, delay, carrier, day, at, codes, count(*) OVER () AS n, "
        "cast(id AS integer) AS small, 1.50 AS price, id > 1 AS late FROM flights"
    )
    identity = athena.start(sql)
    found = athena.finished(identity)
    assert found["Status"]["State"] == "SUCCEEDED", found
    assert (found["StatementType"], found["SubstatementType"]) == ("DDL", "CREATE_TABLE_AS_SELECT")
    assert athena.service.results(CALL, {"QueryExecutionId": identity})["UpdateCount"] == 3
    table = described(athena, "copy")
    columns = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
    assert columns == [
        ("id", "bigint"),
        ("delay", "double"),
        ("carrier", "string"),
        ("day", "date"),
        ("at", "timestamp"),
        ("codes", "array<bigint>"),
        ("n", "bigint"),
        ("small", "int"),
        ("price", "decimal(3,2)"),
        ("late", "boolean"),
    ]
    assert table["TableType"] == "EXTERNAL_TABLE"
    assert table["StorageDescriptor"]["Location"] == "s3://bucket/copy/"
    (key,) = keys(athena, "copy/")
    file = parquet.ParquetFile(io.BytesIO(content(athena, key)))
    assert (file.metadata.num_rows, file.metadata.row_group(0).column(0).compression) == (3, "SNAPPY")
    original = athena.rows("SELECT id, delay, carrier, day, at, codes FROM flights ORDER BY id")
    assert athena.rows("SELECT id, delay, carrier, day, at, codes FROM copy ORDER BY id") == original


def test_the_manifest_names_the_files_that_were_written(athena: Athena) -> None:
    identity = athena.start("CREATE TABLE copy AS SELECT id FROM flights")
    location = athena.finished(identity)["Statistics"]["DataManifestLocation"]
    bucket, key = split_uri(location)
    files = content(athena, key).decode().split()
    assert bucket == "bucket"
    assert [split_uri(file)[1] for file in files] == keys(athena, f"results/tables/{identity}/")


def test_without_a_location_the_table_stands_under_the_query_s_own_output(athena: Athena) -> None:
    identity = athena.start("CREATE TABLE copy AS (SELECT id FROM flights)")
    found = athena.finished(identity)
    assert found["ResultConfiguration"]["OutputLocation"] == f"s3://bucket/results/tables/{identity}"
    assert described(athena, "copy")["StorageDescriptor"]["Location"] == f"s3://bucket/results/tables/{identity}/"
    assert athena.rows("SELECT sum(id) FROM copy") == [["6"]]


def test_partitions_are_folders_that_glue_knows_at_once(athena: Athena) -> None:
    athena.results(BY_YEAR.format(name="parts", more=", external_location = 's3://bucket/parts'"))
    assert sorted({key.rsplit("/", 1)[0] for key in keys(athena, "parts/")}) == ["parts/year=2013", "parts/year=2014"]
    table = described(athena, "parts")
    assert [column["Name"] for column in table["PartitionKeys"]] == ["year"]
    assert athena.rows("SELECT year, count(*) FROM parts GROUP BY year ORDER BY year") == [["2013", "2"], ["2014", "1"]]


def test_partition_values_of_every_kind_are_read_as_they_were_written(athena: Athena) -> None:
    values = "(1, 'a/b=c:%', date '2013-01-31', true), (2, null, null, null), (3, '', date '2013-02-01', false)"
    names = "id, text, day, flag"
    athena.results(
        f"CREATE TABLE odd WITH (partitioned_by = ARRAY['text', 'day', 'flag']) AS "
        f"SELECT {names} FROM (VALUES {values}) AS t({names}) WHERE id < 3"
    )
    assert athena.rows("SELECT * FROM odd ORDER BY id") == [
        ["1", "a/b=c:%", "2013-01-31", "true"],
        ["2", None, None, None],
    ]
    athena.results("DROP TABLE odd")


def test_with_no_data_only_the_table_is_made(athena: Athena) -> None:
    athena.results("CREATE TABLE bare AS SELECT id, carrier FROM flights WITH NO DATA")
    assert athena.rows("SELECT count(*) FROM bare") == [["0"]]
    assert len(described(athena, "bare")["StorageDescriptor"]["Columns"]) == 2


@pytest.mark.parametrize("form", ["TEXTFILE", "JSON"])
def test_text_formats_are_read_as_they_were_written(athena: Athena, form: str) -> None:
    columns = "id, delay, carrier, day, at" + (", codes" if form == "JSON" else "")
    athena.results(f"CREATE TABLE written WITH (format = '{form}') AS SELECT {columns} FROM flights")
    both = [athena.rows(f"SELECT * FROM (SELECT {columns} FROM {name}) ORDER BY id") for name in ("flights", "written")]
    assert both[0] == both[1]


def test_a_table_that_exists_is_not_replaced(athena: Athena) -> None:
    reason = athena.reason("CREATE TABLE flights AS SELECT 1 AS a")
    assert reason == "TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.db.flights' already exists"
    identity = athena.start("CREATE TABLE IF NOT EXISTS flights AS SELECT 1 AS a")
    assert athena.finished(identity)["Status"]["State"] == "SUCCEEDED"
    assert athena.rows("SELECT count(*) FROM flights") == [["3"]]


def test_a_workgroup_that_enforces_its_location_allows_no_other(athena: Athena) -> None:
    configuration = {
        "ResultConfiguration": {"OutputLocation": "s3://bucket/own"},
        "EnforceWorkGroupConfiguration": True,
    }
    athena.call("CreateWorkGroup", Name="strict", Configuration=configuration)
    sql = "CREATE TABLE forced {}AS SELECT id FROM flights"
    where = "WITH (external_location = 's3://bucket/else/') "
    assert "enforces a centralized output location" in athena.reason(sql.format(where), WorkGroup="strict")
    athena.results(sql.format(""), WorkGroup="strict")
    assert described(athena, "forced")["StorageDescriptor"]["Location"].startswith("s3://bucket/own/tables/")


REFUSED = {
    "CREATE TABLE t WITH (external_location = 's3://bucket/flights/') AS SELECT 1 AS a": (
        "HIVE_PATH_ALREADY_EXISTS: Target directory for table 'db.t' already exists: s3://bucket/flights/."
    ),
    "CREATE TABLE nowhere.t AS SELECT 1 AS a": "SCHEMA_NOT_FOUND: line 1:1: Schema 'nowhere' does not exist",
    "CREATE TABLE t AS SELECT count(*) FROM flights": "MISSING_COLUMN_NAME: line 1:1: Column name not specified at",
    "CREATE TABLE t AS SELECT id, id FROM flights": "DUPLICATE_COLUMN_NAME: line 1:1: Column name 'id' specified",
    "CREATE TABLE t AS SELECT nope FROM flights": "COLUMN_NOT_FOUND: line 1:26: Column 'nope'",
    "CREATE TABLE t AS SELECT now() AS a": "NOT_SUPPORTED: Unsupported Hive type: timestamp with time zone",
    "CREATE TABLE t AS SELECT null AS a": "NOT_SUPPORTED: Unsupported Hive type: unknown",
    "CREATE TABLE t WITH (format = 'XML') AS SELECT 1 AS a": "INVALID_TABLE_PROPERTY",
    "CREATE TABLE t WITH (format = 'ORC') AS SELECT 1 AS a": "NOT_SUPPORTED: writing the format ORC",
    "CREATE TABLE t WITH (color = 'red') AS SELECT 1 AS a": "INVALID_TABLE_PROPERTY: line 1:1: Catalog",
    "CREATE TABLE t WITH (bucketed_by = ARRAY['a'], bucket_count = 2) AS SELECT 1 AS a": (
        "NOT_SUPPORTED: the table property 'bucket"
    ),
    "CREATE TABLE t WITH (table_type = 'ICEBERG', location = 's3://bucket/x/', is_external = false) AS SELECT 1 AS a": (
        "NOT_SUPPORTED: "
    ),
    "CREATE TABLE t WITH (partitioned_by = ARRAY['id']) AS SELECT id, carrier FROM flights": (
        "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns"
    ),
    "CREATE TABLE t WITH (partitioned_by = ARRAY['no']) AS SELECT id, carrier FROM flights": (
        "INVALID_TABLE_PROPERTY: Partition columns [no] not present in schema"
    ),
    "CREATE TABLE t WITH (partitioned_by = ARRAY['n']) AS SELECT 1 AS a, n FROM UNNEST(sequence(1, 101)) AS s(n)": (
        "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets"
    ),
    "INSERT INTO nothing SELECT 1": "TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.db.nothing' does not exist",
    "INSERT INTO seats VALUES (1)": "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: ",
    "INSERT INTO seats VALUES (1, 'x')": "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: "
    "[bigint, integer], Query: [integer, varchar]",
    "INSERT INTO seats (id, nope) VALUES (1, 2)": "COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist",
    "UNLOAD (SELECT 1 AS a) TO 's3://bucket/flights' WITH (format = 'PARQUET')": "HIVE_PATH_ALREADY_EXISTS",
    "UNLOAD (SELECT 1 AS a) TO 's3://bucket/new/'": "INVALID_TABLE_PROPERTY: Table properties [FORMAT]",
    "UNLOAD (SELECT nope FROM flights) TO 's3://bucket/new/' WITH (format = 'JSON')": "COLUMN_NOT_FOUND: line 1:16",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(athena: Athena, sql: str) -> None:
    before = athena.results("SHOW TABLES")["Rows"]
    assert athena.reason(sql).startswith(REFUSED[sql])
    assert athena.results("SHOW TABLES")["Rows"] == before
    assert keys(athena, "results/tables/") == []


def test_rows_are_appended_by_insert(athena: Athena) -> None:
    before = keys(athena, "seats/")
    identity = athena.start("INSERT INTO seats SELECT id + 10, 7 FROM flights")
    found = athena.finished(identity)
    assert (found["Status"]["State"], found["StatementType"], found["SubstatementType"]) == (
        "SUCCEEDED",
        "DML",
        "INSERT",
    )
    assert athena.service.results(CALL, {"QueryExecutionId": identity})["UpdateCount"] == 3
    assert len(keys(athena, "seats/")) == len(before) + 1
    athena.results("INSERT INTO db.seats (seats) VALUES (8), (9)")
    assert athena.rows("SELECT count(*), sum(seats), count(id) FROM seats") == [["7", "338", "5"]]


def test_insert_registers_new_partitions_and_finds_the_old_ones(athena: Athena) -> None:
    athena.results(BY_YEAR.format(name="grown", more=""))
    athena.results("INSERT INTO grown VALUES (8, 'B6', '2014'), (9, 'B6', '2015')")
    assert athena.rows("SELECT year, count(*) FROM grown GROUP BY 1 ORDER BY 1") == [
        ["2013", "2"],
        ["2014", "2"],
        ["2015", "1"],
    ]


def test_insert_goes_where_a_partition_really_stands(athena: Athena) -> None:
    athena.table("moved", {"n": "bigint"}, keys={"year": "string"})
    athena.put("elsewhere/a.parquet", parquet_bytes({"n": [1]}))
    athena.results("ALTER TABLE moved ADD PARTITION (year = '2013') LOCATION 's3://bucket/elsewhere/'")
    athena.results("INSERT INTO moved VALUES (2, '2013')")
    assert len(keys(athena, "elsewhere/")) == 2
    assert athena.rows("SELECT sum(n) FROM moved") == [["3"]]


def test_unload_writes_files_without_a_table(athena: Athena) -> None:
    sql = (
        "UNLOAD (SELECT id, carrier, year FROM flights\n  WHERE id < ?) TO 's3://bucket/out/' "
        "WITH (format = 'JSON', compression = 'gzip', partitioned_by = ARRAY['year'])"
    )
    identity = athena.start(sql, ExecutionParameters=["3"])
    found = athena.finished(identity)
    assert (found["Status"]["State"], found["SubstatementType"]) == ("SUCCEEDED", "UNLOAD"), found
    (key,) = keys(athena, "out/")
    assert key.startswith("out/year=2013/")
    lines = gzip.decompress(content(athena, key)).decode().splitlines()
    assert lines == ['{"id":1,"carrier":"AA"}', '{"id":2,"carrier":"UA"}']


def test_unload_writes_text_with_the_delimiter_that_was_asked_for(athena: Athena) -> None:
    athena.results(
        "UNLOAD (SELECT id, delay FROM flights ORDER BY id) TO 's3://bucket/text' "
        "WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'NONE')"
    )
    (key,) = keys(athena, "text/")
    assert content(athena, key) == b"1,1.5\n2,\\N\n3,-2.5\n"
