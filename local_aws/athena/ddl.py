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
from festaf.local_aws.athena.show import Shows

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.local_aws.athena.catalog import GlueTable
    from festaf.local_aws.cloud import Cloud

_WHERE = r"(?:\s+(?:IN|FROM)\s+(\S+))?"
_LIKE = r"(?:\s+(?:LIKE\s+)?'([^']*)')?"
_ABSENT = "EntityNotFoundException"


class Ddl:
    """Runs the statements of one region."""

    def __init__(self, cloud: Cloud, region: str, database: str) -> None:
        self._glue = cloud.client("glue", region)
        self._catalog = Catalog(cloud, region)
        self._database = database
        self._partitions = Partitions(cloud, region)
        self._shows = Shows(cloud, region, database)

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
            if tree.args.get("style"):
                raise NotSupportedError(f"DESCRIBE {tree.args['style']}")
            return self._shows.describe(self._table(*self._names(tree.this)))
        if isinstance(tree, exp.Command | exp.Alter):
            for pattern, run in self._commands():
                if found := re.fullmatch(pattern, text.strip().rstrip(";").rstrip(), re.IGNORECASE | re.DOTALL):
                    return run(*found.groups())
        raise NotSupportedError(f"the statement {tree.sql('athena')[:80]!r}")

    def _commands(self) -> tuple[tuple[str, Callable[..., Results]], ...]:
        return (
            (r"MSCK\s+REPAIR\s+TABLE\s+(\S+)", lambda name: self._partitions.repair(self._partitioned(name))),
            (
                r"ALTER\s+TABLE\s+(\S+)\s+ADD\s+(IF\s+NOT\s+EXISTS\s+)?(PARTITION\b.*)",
                lambda name, *rest: self._partitions.add(self._partitioned(name), *rest),
            ),
            (
                r"ALTER\s+TABLE\s+(\S+)\s+DROP\s+(IF\s+EXISTS\s+)?(PARTITION\b.*)",
                lambda name, *rest: self._partitions.drop(self._partitioned(name), *rest),
            ),
            (rf"SHOW\s+(?:DATABASES|SCHEMAS){_LIKE}", self._shows.databases),
            (rf"SHOW\s+TABLES{_WHERE}{_LIKE}", lambda home, pattern: self._shows.tables(_plain(home), pattern)),
            (rf"SHOW\s+VIEWS{_WHERE}{_LIKE}", lambda home, pattern: self._shows.views(_plain(home), pattern)),
            (r"SHOW\s+PARTITIONS\s+(\S+)", lambda name: self._partitions.show(self._partitioned(name))),
            (r"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+(\S+)", lambda name: self._shows.columns(self._named(name))),
            (r"SHOW\s+CREATE\s+VIEW\s+(\S+)", lambda name: self._shows.create_view(self._named(name))),
            (r"SHOW\s+CREATE\s+TABLE\s+(\S+)", lambda name: self._shows.create_table(self._named(name))),
            (r"SHOW\s+TBLPROPERTIES\s+(\S+)", lambda name: self._shows.properties(self._named(name))),
        )

    def _create(self, tree: exp.Create) -> Results:
        kind = tree.kind or ""
        if kind in ("DATABASE", "SCHEMA"):
            self._unless(tree.args.get("exists"), self._glue.create_database, DatabaseInput=_database_input(tree))
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
                self._drop_table(*self._names(node), exists)
            elif kind in ("DATABASE", "SCHEMA"):
                self._drop_database((node.name or node.db).lower(), exists, cascade=bool(tree.args.get("cascade")))
            else:
                raise NotSupportedError(f"DROP {kind}")
        return Results.of_statement()

    def _drop_table(self, database: str, name: str, exists: object) -> None:
        found = self._catalog.described(database, name) or {}
        if found.get("TableType") == "VIRTUAL_VIEW":
            raise QueryError("FAILED", "SemanticException [Error 10001]: Cannot drop a view with DROP TABLE")
        self._unless(exists, self._glue.delete_table, _ABSENT, DatabaseName=database, Name=name)

    def _drop_database(self, name: str, exists: object, *, cascade: bool) -> None:
        """Drop a database; one with tables only by CASCADE."""
        if self._catalog.has_database(name):
            pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=name)
            tables = [table["Name"] for page in pages for table in page["TableList"]]
            if tables and not cascade:
                message = (
                    "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
                    f"InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)"
                )
                raise QueryError("FAILED", message)
            for table in tables:
                self._glue.delete_table(DatabaseName=name, Name=table)
        self._unless(exists, self._glue.delete_database, _ABSENT, Name=name)

    def _table(self, database: str, name: str) -> GlueTable:
        table = self._catalog.table(database, name)
        if table is None:
            raise QueryError("FAILED", f"SemanticException Table not found {database}.{name}")
        return table

    def _named(self, name: str) -> GlueTable:
        return self._table(*self._split(name))

    def _partitioned(self, name: str) -> GlueTable:
        table = self._named(name)
        if not table.keys:
            message = f"SemanticException Table {table.database}.{table.name} is not a partitioned table"
            raise QueryError("FAILED", message)
        return table

    def _names(self, node: exp.Table) -> tuple[str, str]:
        if not node.db and "." in node.name:
            # SHOW CREATE TABLE writes both names in one pair of backticks.
            return self._split(node.name)
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


def _plain(name: str | None) -> str:
    return (name or "").strip("`\"'").lower()


def _database_input(tree: exp.Create) -> dict[str, Any]:
    found: dict[str, Any] = {"Name": (tree.this.name or tree.this.db).lower()}
    properties = tree.args.get("properties")
    for item in properties.expressions if properties is not None else ():
        if isinstance(item, exp.LocationProperty):
            found["LocationUri"] = item.this.name
        elif isinstance(item, exp.SchemaCommentProperty):
            found["Description"] = item.this.name
        elif type(item) is exp.Property:
            found.setdefault("Parameters", {})[item.this.name] = item.args["value"].name
    return found


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
    input_format, output_format, serde = _classes(stored)
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


def _classes(stored: exp.FileFormatProperty | None) -> tuple[str, str, str]:
    """Give input format, output format and serialization library."""
    if stored is not None and isinstance(stored.this, exp.InputOutputFormat):
        found = stored.this
        return found.args["input_format"].name, found.args["output_format"].name, HIVE_CLASSES["TEXTFILE"][2]
    form = stored.this.name.upper() if stored is not None else "TEXTFILE"
    if form not in HIVE_CLASSES:
        raise NotSupportedError(f"STORED AS {form}")
    return HIVE_CLASSES[form]


def _columns(definitions: list[exp.Expr]) -> list[dict[str, str]]:
    return [
        {"Name": item.name.lower(), "Type": item.args["kind"].sql("hive").lower()}
        for item in definitions
        if isinstance(item, exp.ColumnDef)
    ]


def _pairs(properties: list[exp.Expr]) -> dict[str, str]:
    return {item.this.name: item.args["value"].name for item in properties}
