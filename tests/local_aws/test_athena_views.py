"""Views: kept in Glue as Athena keeps them, and read by every later query."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from festaf.local_aws.cloud import Cloud
from tests.local_aws.athena import REGION, Athena, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

VIEW = "CREATE VIEW busy AS SELECT id, carrier, delay * 2 AS twice FROM flights WHERE id < 3"


@pytest.fixture(scope="module")
def shared_cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def athena(shared_cloud: Cloud) -> Iterator[Athena]:
    made = Athena.on(shared_cloud)
    made.flights()
    yield made
    made.service.close()


def lines(athena: Athena, sql: str) -> list[str | None]:
    return [texts(row)[0] for row in athena.results(sql)["Rows"]]


def described(athena: Athena, name: str) -> dict[str, Any]:
    found: dict[str, Any] = athena.cloud.client("glue", REGION).get_table(DatabaseName="db", Name=name)["Table"]
    return found


def test_a_view_stands_in_glue_as_athena_writes_it(athena: Athena) -> None:
    athena.results(VIEW)
    table = described(athena, "busy")
    assert (table["TableType"], table["ViewExpandedText"]) == ("VIRTUAL_VIEW", "/* Presto View */")
    assert table["Parameters"]["presto_view"] == "true"
    text = table["ViewOriginalText"]
    content = json.loads(base64.b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */")))
    assert content["originalSql"] == VIEW.partition(" AS ")[2]
    assert (content["catalog"], content["schema"]) == ("awsdatacatalog", "db")
    assert content["columns"] == [
        {"name": "id", "type": "bigint"},
        {"name": "carrier", "type": "varchar"},
        {"name": "twice", "type": "double"},
    ]
    columns = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
    assert columns == [("id", "bigint"), ("carrier", "string"), ("twice", "double")]


def test_a_view_is_read_like_a_table(athena: Athena) -> None:
    athena.results(VIEW)
    assert athena.rows("SELECT * FROM busy ORDER BY id") == [["1", "AA", "3.0"], ["2", "UA", None]]
    joined = "SELECT b.id / 2, s.seats FROM db.busy b JOIN seats s USING (id) WHERE b.twice > 0"
    assert athena.rows(joined.replace("b.id / 2", "id / 2")) == [["0", "100"]]
    athena.results("INSERT INTO flights (id, carrier) VALUES (0, 'B6')")
    assert athena.rows("SELECT count(*) FROM busy") == [["3"]]
    athena.results("CREATE TABLE copied AS SELECT * FROM busy")
    assert athena.rows("SELECT count(twice) FROM copied") == [["1"]]


def test_a_view_may_read_a_view_and_stands_in_its_own_database(athena: Athena) -> None:
    athena.results(VIEW)
    athena.results("CREATE DATABASE other")
    athena.results("CREATE VIEW other.outer_view AS SELECT carrier, count(*) AS n FROM busy GROUP BY carrier")
    sql = "SELECT carrier, n FROM other.outer_view ORDER BY carrier"
    assert athena.rows(sql, QueryExecutionContext={"Database": "other"}) == [["AA", "1"], ["UA", "1"]]


def test_a_view_keeps_the_columns_that_it_had(athena: Athena) -> None:
    athena.results("CREATE VIEW every AS SELECT * FROM seats")
    glue = athena.cloud.client("glue", REGION)
    columns = {"id": "bigint", "seats": "int", "extra": "string"}
    for change in (columns, {"id": "string", "seats": "int"}):
        glue.delete_table(DatabaseName="db", Name="seats")
        athena.table("seats", change)
        reason = athena.reason("SELECT * FROM every")
        assert reason.startswith(
            "VIEW_IS_STALE: line 1:15: View 'awsdatacatalog.db.every' is stale or in invalid state:"
        )


def test_a_view_over_a_vanished_table_fails_and_works_again(athena: Athena) -> None:
    athena.results(VIEW)
    athena.results("DROP TABLE flights")
    assert athena.reason("SELECT * FROM busy") == (
        "INVALID_VIEW: line 1:15: Failed analyzing stored view 'awsdatacatalog.db.busy': "
        "line 1:45: Table 'awsdatacatalog.db.flights' does not exist"
    )
    athena.flights_table()
    assert athena.rows("SELECT count(*) FROM busy") == [["2"]]


def test_a_view_is_replaced_only_when_that_is_asked_for(athena: Athena) -> None:
    athena.results(VIEW)
    assert athena.reason(VIEW) == "ALREADY_EXISTS: line 1:1: View already exists: 'awsdatacatalog.db.busy'"
    athena.results("CREATE OR REPLACE VIEW busy AS SELECT 1 AS a, now() AS at")
    assert [column for column, _ in described_columns(athena, "busy")] == ["a", "at"]
    assert athena.rows("SELECT a, date_diff('day', at, now()) FROM busy") == [["1", "0"]]


def described_columns(athena: Athena, name: str) -> list[tuple[str, str]]:
    return [(column["Name"], column["Type"]) for column in described(athena, name)["StorageDescriptor"]["Columns"]]


def test_views_are_listed_shown_and_dropped(athena: Athena) -> None:
    athena.results(VIEW)
    assert lines(athena, "SHOW VIEWS") == lines(athena, "SHOW VIEWS IN db LIKE 'b*'") == ["busy"]
    assert lines(athena, "SHOW TABLES") == ["busy", "flights", "seats"]
    assert lines(athena, "SHOW TABLES IN db '*s'") == ["flights", "seats"]
    shown = lines(athena, "SHOW CREATE VIEW busy")
    assert shown == ["CREATE VIEW awsdatacatalog.db.busy AS", VIEW.partition(" AS ")[2]]
    assert (lines(athena, "DESCRIBE busy")[0] or "").split() == ["id", "bigint"]
    athena.results("DROP VIEW busy")
    athena.results("DROP VIEW IF EXISTS busy")
    assert lines(athena, "SHOW VIEWS") == []


REFUSED = {
    "CREATE VIEW v AS SELECT nope FROM flights": "COLUMN_NOT_FOUND: line 1:25: Column 'nope'",
    "CREATE VIEW v AS SELECT count(*) FROM flights": "MISSING_COLUMN_NAME: line 1:1: Column name not specified at posi",
    "CREATE VIEW v AS SELECT id, id FROM flights": "DUPLICATE_COLUMN_NAME: line 1:1: Column name 'id' specified",
    "CREATE OR REPLACE VIEW busy AS SELECT * FROM busy": "VIEW_IS_RECURSIVE: line 1:46: View 'awsdatacatalog.db.busy'",
    "CREATE VIEW flights AS SELECT 1 AS a": "TABLE_ALREADY_EXISTS: line 1:1: Table already exists: 'awsdatacatalog.db.",
    "CREATE VIEW nowhere.v AS SELECT 1 AS a": "SCHEMA_NOT_FOUND: line 1:1: Schema 'nowhere' does not exist",
    "CREATE TABLE busy AS SELECT 1 AS a": "TABLE_ALREADY_EXISTS: ",
    "DROP VIEW nothing": "TABLE_NOT_FOUND: line 1:1: View 'awsdatacatalog.db.nothing' does not exist",
    "DROP VIEW flights": "GENERIC_USER_ERROR: line 1:1: View 'awsdatacatalog.db.flights' does not exist, but a table",
    "DROP TABLE busy": "FAILED: SemanticException [Error 10001]: Cannot drop a view with DROP TABLE",
    "INSERT INTO busy VALUES (1, 'x', 1e0)": "NOT_SUPPORTED: line 1:1: Inserting into views is not supported",
    "SHOW CREATE VIEW flights": "NOT_SUPPORTED: line 1:1: Relation 'awsdatacatalog.db.flights' is a table, not a view",
    "SHOW CREATE TABLE busy": "NOT_SUPPORTED: line 1:1: Relation 'awsdatacatalog.db.busy' is a view, not a table",
    "MSCK REPAIR TABLE busy": "FAILED: SemanticException Table db.busy is not a partitioned table",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_a_view_takes_no_other_s_place(athena: Athena, sql: str) -> None:
    athena.results(VIEW)
    assert athena.reason(sql).startswith(REFUSED[sql])


def test_a_shown_table_can_be_made_again(athena: Athena) -> None:
    athena.results("CREATE TABLE parts WITH (partitioned_by = ARRAY['year']) AS SELECT id, codes, year FROM flights")
    made = "\n".join(line or "" for line in lines(athena, "SHOW CREATE TABLE parts"))
    before = described(athena, "parts")
    athena.results("DROP TABLE parts")
    athena.results(made)
    after = described(athena, "parts")
    for part in ("PartitionKeys", "StorageDescriptor"):
        assert after[part] == before[part]
    athena.results("MSCK REPAIR TABLE parts")
    assert athena.rows("SELECT count(*) FROM parts") == [["3"]]
    found = [(line or "").split() for line in lines(athena, "DESCRIBE parts")]
    assert found[-1] == ["year", "string"]
    assert ["#", "Partition", "Information"] in found


def test_a_database_with_tables_is_dropped_only_with_them(athena: Athena) -> None:
    athena.results("CREATE DATABASE full_one COMMENT 'it is' LOCATION 's3://bucket/full/'")
    found = athena.cloud.client("glue", REGION).get_database(Name="full_one")["Database"]
    assert (found["Description"], found["LocationUri"]) == ("it is", "s3://bucket/full/")
    athena.results("CREATE TABLE full_one.t AS SELECT 1 AS a")
    assert "Database full_one is not empty" in athena.reason("DROP DATABASE full_one")
    athena.results("DROP DATABASE full_one CASCADE")
    assert "full_one" not in lines(athena, "SHOW DATABASES")


def test_partitions_are_added_and_dropped_by_statement(athena: Athena) -> None:
    athena.table("parts", {"n": "bigint"}, keys={"year": "string", "month": "int"})
    athena.results("ALTER TABLE parts ADD PARTITION (year = '2013', month = 1) PARTITION (year='2013', month='2')")
    assert "already exists" in athena.reason("ALTER TABLE db.parts ADD PARTITION (year = '2013', month = 1)")
    athena.results("ALTER TABLE `db`.`parts` ADD IF NOT EXISTS PARTITION (year = '2013', month = 1)")
    assert lines(athena, "SHOW PARTITIONS parts") == ["year=2013/month=1", "year=2013/month=2"]
    assert "non-partition columns" in athena.reason("ALTER TABLE parts ADD PARTITION (day = '1')")
    athena.results("ALTER TABLE parts DROP PARTITION (year = '2013')")
    assert lines(athena, "SHOW PARTITIONS parts") == []
    assert "Partition not found" in athena.reason("ALTER TABLE parts DROP PARTITION (year = '2013')")
    athena.results("ALTER TABLE parts DROP IF EXISTS PARTITION (year = '2013')")


def test_a_description_has_three_columns_and_a_text_for_a_row(athena: Athena) -> None:
    identity = athena.start("DESCRIBE seats")
    athena.finished(identity)
    asked = {"QueryExecutionId": identity}
    before = athena.call("GetQueryResults", **asked)["ResultSet"]
    assert [column["Name"] for column in before["ResultSetMetadata"]["ColumnInfo"]] == [
        "col_name",
        "data_type",
        "comment",
    ]
    assert [texts(row)[0].split("\t")[1].strip() for row in before["Rows"]] == ["bigint", "int"]  # type: ignore[union-attr]
    athena.service.forget_results()
    assert athena.call("GetQueryResults", **asked)["ResultSet"] == before
