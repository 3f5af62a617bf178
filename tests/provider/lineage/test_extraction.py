"""What operators and SQL say becomes tables and columns; what is late, wrong or panics fails nothing."""

from __future__ import annotations

import logging
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.openlineage.extractors import OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import schema_dataset, sql_job

from festaf.contract.names import DatasetName
from festaf.provider.lineage.extraction import Extracted, extract
from festaf.provider.lineage.sql import Database, database_of, read

if TYPE_CHECKING:
    from pathlib import Path

LAKE = Database("sqlite://", "lake.db/", None, "sqlite")
INSERT = "INSERT INTO weather (wind) SELECT max(speed) AS best FROM raw WHERE hour > 5"


def _columns(statement: str, **known: list[str]) -> dict[str, dict[str, list[str]]]:
    columns = {
        LAKE.dataset(SimpleNamespace(database=None, schema=None, name=name)): item for name, item in known.items()
    }
    found = read([statement], LAKE, columns)
    assert found is not None
    return {
        table.name: {column: [f"{item.name}#{item.field}" for item in origins] for column, origins in made.items()}
        for table, made in found.outputs.items()
    }


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        (INSERT, {"wind": ["lake.db/raw#speed"]}),
        ("INSERT INTO weather (wind) SELECT speed fast FROM raw", {"wind": ["lake.db/raw#speed"]}),
        (
            "INSERT OR REPLACE INTO main.weather (at, wind) WITH r AS (SELECT t, s FROM raw) SELECT t, max(s) FROM r",
            {"at": ["lake.db/raw#t"], "wind": ["lake.db/raw#s"]},
        ),
        (
            "INSERT INTO weather (wind) SELECT DISTINCT s FROM raw UNION ALL SELECT coalesce(v, ', ') FROM old",
            {"wind": ["lake.db/old#v", "lake.db/raw#s"]},
        ),
        ("INSERT INTO weather (at, wind) SELECT * FROM raw", {}),
        ("INSERT INTO weather VALUES (1)", {}),
        ("CREATE TABLE weather AS SELECT s AS wind FROM raw", {"wind": ["lake.db/raw#s"]}),
    ],
)
def test_a_statement_names_the_columns_that_it_fills(statement: str, columns: dict[str, list[str]]) -> None:
    found = _columns(statement)["lake.db/weather"]
    assert {name: sorted(origins) for name, origins in found.items()} == columns


def test_the_order_of_a_known_tables_columns_names_them_too() -> None:
    found = _columns("INSERT INTO weather SELECT t, max(s) FROM raw", weather=["at", "wind"])
    assert found == {"lake.db/weather": {"at": ["lake.db/raw#t"], "wind": ["lake.db/raw#s"]}}


def test_a_table_that_the_task_itself_made_is_no_input() -> None:
    found = read(["CREATE TABLE staged AS SELECT a FROM raw", "INSERT INTO weather (a) SELECT a FROM staged"], LAKE)
    assert found is not None
    assert [name.name for name in found.inputs] == ["lake.db/raw"]
    assert [name.name for name in found.outputs] == ["lake.db/staged", "lake.db/weather"]


def test_what_is_no_sql_says_nothing() -> None:
    found = read(["this is no sql", ";"], LAKE)
    assert found is not None
    assert (found.inputs, found.outputs) == ({}, {})


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SQLExecuteQueryOperator:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", f'{{"conn_type": "sqlite", "host": "{tmp_path}/lake.db"}}')
    return SQLExecuteQueryOperator(task_id="task", conn_id="lake", sql=f"{INSERT};")


def _extracted(task: Any, *, failed: bool = False, seconds: float = 30.0) -> Extracted:
    return extract(task, SimpleNamespace(), failed=failed, seconds=seconds)


def test_a_sql_operator_on_sqlite_reads_and_writes_its_tables(
    operator: SQLExecuteQueryOperator, tmp_path: Path
) -> None:
    found = _extracted(operator)
    folder = str(tmp_path).lstrip("/")
    assert [(item.namespace, item.name) for item in found.inputs] == [("sqlite://", f"{folder}/lake.db/raw")]
    (output,) = found.outputs
    (origin,) = output.facets["columnLineage"]["fields"]["wind"]["inputFields"]
    assert (output.name, origin["name"], origin["field"]) == (
        f"{folder}/lake.db/weather",
        f"{folder}/lake.db/raw",
        "speed",
    )
    assert found.job_facets["sql"]["query"] == INSERT


@pytest.mark.parametrize("absent", ["openlineage.common.sql", "airflow.providers.openlineage.extractors"])
def test_without_the_packages_the_text_remains(
    operator: SQLExecuteQueryOperator, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    found = _extracted(operator)
    assert found.job_facets["sql"]["query"] == INSERT
    assert bool(found.outputs) == (absent != "openlineage.common.sql")


class Warehouse:
    """An operator of a provider that knows its database's schema, and takes a query's names for the table's."""

    task_id = "task"
    sql = "INSERT INTO weather SELECT max(speed) AS best FROM raw"

    def get_db_hook(self) -> Any:
        connection = SimpleNamespace(conn_type="postgres", schema="lake", host="db", port=5432)
        return SimpleNamespace(
            get_connection=lambda _: connection,
            get_conn_id=lambda: "lake",
            get_openlineage_database_info=lambda _: SimpleNamespace(
                scheme="postgres", authority="db:5432", database="lake"
            ),
            get_openlineage_default_schema=lambda: "public",
            get_openlineage_database_dialect=lambda _: "postgres",
        )

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        fields = [schema_dataset.SchemaDatasetFacetFields(name="wind", type="float8")]
        facet = schema_dataset.SchemaDatasetFacet(fields=fields)
        return OperatorLineage(
            inputs=[InputDataset("postgres://db:5432", "lake.public.raw")],
            outputs=[OutputDataset("postgres://db:5432", "lake.public.weather", facets={"schema": facet})],
            job_facets={"sql": sql_job.SQLJobFacet(query="told by the operator")},
        )


def test_what_the_operator_knows_of_its_database_completes_what_the_sql_says() -> None:
    found = _extracted(Warehouse())
    assert [(item.namespace, item.name) for item in found.inputs] == [("postgres://db:5432", "lake.public.raw")]
    (output,) = found.outputs
    assert output.facets["schema"]["fields"][0]["name"] == "wind"
    assert list(output.facets["columnLineage"]["fields"]) == ["wind"]


def test_a_database_without_its_own_words_is_named_by_its_connection() -> None:
    hook = Warehouse().get_db_hook()
    hook.get_openlineage_database_info = lambda _: None
    hook.get_openlineage_authority_part = lambda _: "db:5432"
    table = SimpleNamespace(database=None, schema=None, name="raw")
    assert database_of(hook).dataset(table) == DatasetName("postgres://db:5432", "lake.public.raw")


@pytest.mark.parametrize("error", [RuntimeError("oh"), SystemExit(9), KeyboardInterrupt()], ids=repr)
def test_an_operator_that_fails_to_tell_is_logged(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    def fail(task_instance: Any) -> None:
        raise error

    with caplog.at_level(logging.WARNING):
        found = _extracted(SimpleNamespace(get_openlineage_facets_on_complete=fail))
    assert found == Extracted()
    assert "What the operator says of the lineage could not be read" in caplog.text


def test_an_operator_that_is_late_is_left_behind(
    operator: SQLExecuteQueryOperator, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator, "get_openlineage_facets_on_complete", lambda _: time.sleep(3), raising=False)
    start = time.monotonic()
    with caplog.at_level(logging.WARNING):
        found = _extracted(operator, seconds=1.5)
    assert time.monotonic() - start < 2.5
    assert "was not known after" in caplog.text
    assert [output.name.rpartition("/")[2] for output in found.outputs] == ["weather"]


def test_a_failed_task_is_asked_what_it_did_until_then() -> None:
    told = OperatorLineage(outputs=[OutputDataset("a", "half")])
    task = SimpleNamespace(get_openlineage_facets_on_failure=lambda _: told)
    assert [item.name for item in _extracted(task, failed=True).outputs] == ["half"]
    assert _extracted(task).outputs == ()


def test_nobody_is_asked_when_there_is_no_time(operator: SQLExecuteQueryOperator) -> None:
    assert _extracted(operator, seconds=0).outputs == ()


def test_what_hooks_reported_is_told_of_a_task_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asset = SimpleNamespace(asset=SimpleNamespace(uri="s3://lake/raw.parquet"), count=1)
    said = SimpleNamespace(key="sql_job", value={"sql": INSERT}, context=Warehouse().get_db_hook(), count=1)
    collected = SimpleNamespace(inputs=[asset], outputs=[], extra=[said])
    collector = SimpleNamespace(has_collected=True, collected_assets=collected)
    monkeypatch.setitem(sys.modules, "airflow.sdk.lineage", None)
    monkeypatch.setitem(sys.modules, "airflow.lineage.hook", SimpleNamespace(_hook_lineage_collector=collector))
    found = _extracted(SimpleNamespace())
    assert [item.name for item in found.inputs] == ["raw.parquet", "lake.public.raw"]
    assert [item.name for item in found.outputs] == ["lake.public.weather"]
    assert _extracted(SimpleNamespace()) == Extracted(), "the next task in the same process did nothing of it"
    asset.count = 2
    assert [item.name for item in _extracted(SimpleNamespace()).inputs] == ["raw.parquet"]
