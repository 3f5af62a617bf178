"""Statements that show the catalog: SHOW and DESCRIBE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from festaf.local_aws.athena.catalog import Catalog
from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.athena.results import Results

if TYPE_CHECKING:
    from festaf.local_aws.athena.catalog import GlueTable
    from festaf.local_aws.cloud import Cloud


class Shows:
    """Runs the statements of one region."""

    def __init__(self, cloud: Cloud, region: str, database: str) -> None:
        self._glue = cloud.client("glue", region)
        self._catalog = Catalog(cloud, region)
        self._database = database

    def describe(self, table: GlueTable) -> Results:
        """List columns and types; of a partitioned table its keys once more, as Hive does."""
        lines = [_column(name, kind.sql("hive").lower()) for name, kind in table.all_columns.items()]
        if table.keys:
            head = ["\t \t ", "# Partition Information\t \t ", _column("# col_name", "data_type", "comment"), "\t \t "]
            lines += head + [_column(name, kind.sql("hive").lower()) for name, kind in table.keys]
        return Results.of_lines(["col_name", "data_type", "comment"], lines)

    def databases(self, pattern: str | None) -> Results:
        """List the databases."""
        pages = self._glue.get_paginator("get_databases").paginate()
        names = sorted(item["Name"] for page in pages for item in page["DatabaseList"])
        return _listed("database_name", names, pattern)

    def tables(self, database: str | None, pattern: str | None) -> Results:
        """List tables and views."""
        return _listed("tab_name", [table["Name"] for table in self._tables(database)], pattern)

    def views(self, database: str | None, pattern: str | None) -> Results:
        """List views."""
        found = [table["Name"] for table in self._tables(database) if table.get("TableType") == "VIRTUAL_VIEW"]
        return _listed("views", found, pattern)

    def columns(self, table: GlueTable) -> Results:
        """List the names of the columns."""
        return Results.of_statement(["field"], [(column,) for column in table.all_columns])

    def create_view(self, table: GlueTable) -> Results:
        """Show how a view was made.

        :raises QueryError: it is a table
        """
        if table.view is None:
            message = f"line 1:1: Relation 'awsdatacatalog.{table.database}.{table.name}' is a table, not a view"
            raise QueryError("NOT_SUPPORTED", message)
        text = f"CREATE VIEW awsdatacatalog.{table.database}.{table.name} AS\n{table.view.sql}"
        return Results.of_statement(["Create View"], [(line,) for line in text.split("\n")])

    def create_table(self, table: GlueTable) -> Results:
        """Show how a table can be made again.

        :raises QueryError: it is a view
        """
        if table.view is not None:
            message = f"line 1:1: Relation 'awsdatacatalog.{table.database}.{table.name}' is a view, not a table"
            raise QueryError("NOT_SUPPORTED", message)
        described = self._catalog.described(table.database, table.name) or {}
        return Results.of_statement(["createtab_stmt"], [(line,) for line in _create_table(table, described)])

    def properties(self, table: GlueTable) -> Results:
        """List the table's properties."""
        lines = [(f"{name}\t{value}",) for name, value in sorted(table.parameters.items())]
        return Results.of_statement(["prpt_name"], lines)

    def _tables(self, database: str | None) -> list[dict[str, Any]]:
        home = (database or self._database).lower()
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=home)
        found = [table for page in pages for table in page["TableList"]]
        return sorted(found, key=lambda table: str(table["Name"]))


def _column(name: str, kind: str, comment: str = "") -> str:
    return f"{name:<20}\t{kind:<20}\t{comment:<20}"


def _listed(title: str, names: list[str], pattern: str | None) -> Results:
    """List the names that fit a pattern of Hive's: ``*`` is anything, ``|`` is or."""
    if pattern is not None:
        if not re.fullmatch(r"[\w*|.-]*", pattern):
            raise NotSupportedError(f"the pattern {pattern!r}")
        regular = pattern.lower().replace(".*", "*").replace(".", r"\.").replace("*", ".*")
        names = [name for name in names if re.fullmatch(regular, name)]
    return Results.of_statement([title], [(name,) for name in names])


def _create_table(table: GlueTable, described: dict[str, Any]) -> list[str]:
    storage = described["StorageDescriptor"]
    serde = storage.get("SerdeInfo") or {}
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`("]
    lines += _defined(storage["Columns"])
    if described.get("PartitionKeys"):
        lines += ["PARTITIONED BY ( ", *_defined(described["PartitionKeys"])]
    lines += ["ROW FORMAT SERDE ", f"  '{serde.get('SerializationLibrary', '')}' "]
    if serde.get("Parameters"):
        lines += ["WITH SERDEPROPERTIES ( ", *_pairs(serde["Parameters"])]
    lines += ["STORED AS INPUTFORMAT ", f"  '{storage.get('InputFormat', '')}' "]
    lines += ["OUTPUTFORMAT ", f"  '{storage.get('OutputFormat', '')}'", "LOCATION", f"  '{table.location}'"]
    parameters = {name: value for name, value in table.parameters.items() if name != "EXTERNAL"}
    return lines + (["TBLPROPERTIES (", *_pairs(parameters)] if parameters else [])


def _defined(columns: list[dict[str, str]]) -> list[str]:
    return [
        f"  `{column['Name']}` {column['Type']}{')' if place == len(columns) else ', '}"
        for place, column in enumerate(columns, start=1)
    ]


def _pairs(parameters: dict[str, str]) -> list[str]:
    ordered = sorted(parameters.items())
    return [
        f"  {_quoted(name)}={_quoted(value)}{')' if place == len(ordered) else ', '}"
        for place, (name, value) in enumerate(ordered, start=1)
    ]


def _quoted(text: str) -> str:
    escaped = text.encode("unicode_escape").decode().replace("'", "\\'")
    return f"'{escaped}'"
