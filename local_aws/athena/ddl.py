"""Statements that change or show the catalog: carried out in Glue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from sqlglot import exp

from festaf.local_aws.athena.catalog import Catalog
from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.athena.formats import HIVE_CLASSES
from festaf.local_aws.athena.partitions import Partitions
from festaf.local_aws.athena.results import Results

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.local_aws.athena.catalog import GlueTable
    from festaf.local_aws.cloud import Cloud

_ABSENT = "EntityNotFoundException"


class Ddl:
    """Runs the statements of one region."""

    def __init__(self, cloud: Cloud, region: str, database: str) -> None:
        self._cloud = cloud
        self._glue = cloud.client("glue", region)
        self._region = region
        self._database = database
        self._partitions = Partitions(cloud, region)

    def run(self, tree: exp.Expr, text: str) -> Results:
        """Run a statement.

        :param text: what the statement was read from
        :raises QueryError: Athena would refuse it, or the local Athena does not run it
        """
        try:
            return self._choose(tree, text)
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            raise QueryError("FAILED", f"SemanticException {code}: {message}") from error

    def _choose(self, tree: exp.Expr, text: str) -> Results:
        if isinstance(tree, exp.Create):
            return self._create(tree)
        if isinstance(tree, exp.Drop):
            return self._drop(tree)
        if isinstance(tree, exp.Describe) and isinstance(tree.this, exp.Table):
            return self._describe(tree.this)
        if isinstance(tree, exp.Command | exp.Alter):
            for pattern, run in self._commands():
                if found := re.fullmatch(pattern, text.strip().rstrip(";").rstrip(), re.IGNORECASE | re.DOTALL):
                    return run(*found.groups())
        raise NotSupportedError(f"the statement {tree.sql('athena')[:80]!r}")

    def _commands(self) -> tuple[tuple[str, Callable[..., Results]], ...]:
        return (
            (r"MSCK\s+REPAIR\s+TABLE\s+(\S+)", lambda name: self._partitions.repair(self._named(name))),
            (
                r"ALTER\s+TABLE\s+(\S+)\s+ADD\s+(IF\s+NOT\s+EXISTS\s+)?(PARTITION\b.*)",
                lambda name, *rest: self._partitions.add(self._named(name), *rest),
            ),
            (
                r"ALTER\s+TABLE\s+(\S+)\s+DROP\s+(IF\s+EXISTS\s+)?(PARTITION\b.*)",
                lambda name, *rest: self._partitions.drop(self._named(name), *rest),
            ),
            (r"SHOW\s+(?:DATABASES|SCHEMAS)", self._show_databases),
            (r"SHOW\s+TABLES(?:\s+(?:IN|FROM)\s+(\S+))?", self._show_tables),
            (r"SHOW\s+PARTITIONS\s+(\S+)", lambda name: self._partitions.show(self._named(name))),
            (r"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+(\S+)", self._show_columns),
        )

    def _create(self, tree: exp.Create) -> Results:
        kind = tree.kind or ""
        if kind in ("DATABASE", "SCHEMA"):
            name = (tree.this.name or tree.this.db).lower()
            self._unless(tree.args.get("exists"), self._glue.create_database, DatabaseInput={"Name": name})
            return Results.of_statement()
        if kind == "TABLE" and isinstance(tree.this, exp.Schema) and tree.expression is None:
            database, name = self._names(tree.this.this)
            table = {"Name": name, **_table_input(tree)}
            self._unless(tree.args.get("exists"), self._glue.create_table, DatabaseName=database, TableInput=table)
            return Results.of_statement()
        raise NotSupportedError(f"CREATE {kind}{' AS SELECT' if tree.expression is not None else ''}")

    def _drop(self, tree: exp.Drop) -> Results:
        kind = tree.args.get("kind")
        exists = tree.args.get("exists")
        for node in tree.args.get("tables") or [tree.this]:
            if kind == "TABLE":
                database, name = self._names(node)
                self._unless(exists, self._glue.delete_table, _ABSENT, DatabaseName=database, Name=name)
            elif kind in ("DATABASE", "SCHEMA"):
                self._unless(exists, self._glue.delete_database, _ABSENT, Name=(node.name or node.db).lower())
            else:
                raise NotSupportedError(f"DROP {kind}")
        return Results.of_statement()

    def _describe(self, node: exp.Table) -> Results:
        table = self._table(*self._names(node))
        lines = [(f"{name:<20}\t{kind.sql('hive').lower():<20}\t{'':<20}",) for name, kind in table.all_columns.items()]
        return Results.of_statement(["col_name"], lines)

    def _show_databases(self) -> Results:
        pages = self._glue.get_paginator("get_databases").paginate()
        names = sorted(item["Name"] for page in pages for item in page["DatabaseList"])
        return Results.of_statement(["database_name"], [(name,) for name in names])

    def _show_tables(self, database: str | None) -> Results:
        home = _plain(database) if database else self._database
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=home)
        names = sorted(item["Name"] for page in pages for item in page["TableList"])
        return Results.of_statement(["tab_name"], [(name,) for name in names])

    def _show_columns(self, name: str) -> Results:
        table = self._named(name)
        return Results.of_statement(["field"], [(column,) for column in table.all_columns])

    def _table(self, database: str, name: str) -> GlueTable:
        table = Catalog(self._cloud, self._region).table(database, name)
        if table is None:
            raise QueryError("FAILED", f"SemanticException Table not found {database}.{name}")
        return table

    def _named(self, name: str) -> GlueTable:
        return self._table(*self._split(name))

    def _names(self, node: exp.Table) -> tuple[str, str]:
        return (node.db or self._database).lower(), node.name.lower()

    def _split(self, name: str) -> tuple[str, str]:
        parts = [_plain(part) for part in name.split(".")]
        return (parts[-2] if len(parts) > 1 else self._database), parts[-1]

    def _unless(
        self, tolerated: object, call: Callable[..., object], code: str = "AlreadyExistsException", **parameters: Any
    ) -> None:
        try:
            call(**parameters)
        except ClientError as error:
            if not tolerated or error.response["Error"]["Code"] != code:
                raise


def _plain(name: str) -> str:
    return name.strip("`\"'").lower()


def _table_input(tree: exp.Create) -> dict[str, Any]:
    properties = (
        {type(item): item for item in tree.args["properties"].expressions} if tree.args.get("properties") else {}
    )
    if exp.ExternalProperty not in properties:
        raise NotSupportedError("CREATE TABLE without EXTERNAL (an Iceberg table)")
    location = properties.get(exp.LocationProperty)
    if location is None:
        raise QueryError("FAILED", "SemanticException LOCATION is missing")
    stored = properties.get(exp.FileFormatProperty)
    form = stored.this.name.upper() if stored is not None else "TEXTFILE"
    if form not in HIVE_CLASSES:
        raise NotSupportedError(f"STORED AS {form}")
    input_format, output_format, serde = HIVE_CLASSES[form]
    parameters: dict[str, str] = {}
    if exp.RowFormatSerdeProperty in properties:
        serde = properties[exp.RowFormatSerdeProperty].this.name
        with_properties = properties[exp.RowFormatSerdeProperty].args.get("serde_properties")
        parameters = _pairs(with_properties.expressions) if with_properties is not None else {}
    if exp.RowFormatDelimitedProperty in properties:
        fields = properties[exp.RowFormatDelimitedProperty].args.get("fields")
        parameters = {"field.delim": fields.name.encode().decode("unicode_escape")} if fields is not None else {}
    partitioned = properties.get(exp.PartitionedByProperty)
    return {
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE"}
        | _pairs([item for item in tree.args["properties"].expressions if type(item) is exp.Property]),
        "PartitionKeys": _columns(partitioned.this.expressions) if partitioned is not None else [],
        "StorageDescriptor": {
            "Columns": _columns(tree.this.expressions),
            "Location": location.this.name,
            "InputFormat": input_format,
            "OutputFormat": output_format,
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": parameters},
        },
    }


def _columns(definitions: list[exp.Expr]) -> list[dict[str, str]]:
    return [
        {"Name": item.name.lower(), "Type": item.args["kind"].sql("hive").lower()}
        for item in definitions
        if isinstance(item, exp.ColumnDef)
    ]


def _pairs(properties: list[exp.Expr]) -> dict[str, str]:
    return {item.this.name: item.args["value"].name for item in properties}
