"""INSERT INTO: rows of a query as further files of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from festaf.local_aws.athena.catalog import Catalog, GlueTable
from festaf.local_aws.athena.engine import CancelledError
from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.athena.formats import HIVE_CLASSES
from festaf.local_aws.athena.properties import COMPRESSIONS, WriteProperties
from festaf.local_aws.athena.registering import register
from festaf.local_aws.athena.results import Results
from festaf.local_aws.athena.statement import as_query
from festaf.local_aws.athena.types import arrow_type, athena_type
from festaf.local_aws.athena.writer import Writer, partition_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from festaf.local_aws.athena.asking import Asker
    from festaf.local_aws.athena.execution import Execution
    from festaf.local_aws.cloud import Cloud

_FORMS = {classes[2].rsplit(".", 1)[-1]: form for form, classes in HIVE_CLASSES.items()}
_WIDER = {("decimal", "double"), ("decimal", "float"), ("float", "double"), ("date", "timestamp")}
_WHOLE = ("tinyint", "smallint", "integer", "bigint")


class Inserter:
    """Carries out INSERT INTO a table of Hive's."""

    def __init__(self, cloud: Cloud, asker: Asker) -> None:
        self._cloud = cloud
        self._asker = asker

    def run(self, execution: Execution, tree: exp.Insert) -> Results:
        """Run the query, write its rows beside the table's, and register new partitions.

        :raises QueryError: Athena would refuse it, or the query fails
        :raises CancelledError: the execution was cancelled
        """
        query = as_query(tree.expression.unnest()) if tree.expression is not None else None
        if tree.args.get("overwrite") or tree.args.get("partition") or not isinstance(query, exp.Query):
            raise NotSupportedError("this form of INSERT")
        table = self._table(execution, tree)
        properties = _properties(table)
        answer = self._asker.ask(execution, query)
        rows = _fitted(answer.rows, table, _columns(tree, table))
        known = self._known(execution, table)
        writer = Writer(self._cloud, execution)

        def home(values: tuple[str, ...]) -> str:
            return known.get(values) or partition_folder(table.location, properties.partitioned_by, values)

        written = writer.write(rows, properties, table.location, home)
        if execution.done:
            raise CancelledError
        new = {values: folder for values, folder in written.partitions.items() if values not in known}
        if new:
            glue = self._cloud.client("glue", execution.region)
            described = glue.get_table(DatabaseName=table.database, Name=table.name)["Table"]
            register(glue, table.database, described, new)
        writer.manifest(f"{execution.output}-manifest.csv", written)
        return Results.of_writing(written.rows)

    def _table(self, execution: Execution, tree: exp.Insert) -> GlueTable:
        node = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        database, name = (node.db or execution.database).lower(), node.name.lower()
        table = Catalog(self._cloud, execution.region).table(database, name)
        if table is None:
            raise QueryError("TABLE_NOT_FOUND", f"line 1:1: Table 'awsdatacatalog.{database}.{name}' does not exist")
        if table.view is not None:
            raise QueryError("NOT_SUPPORTED", "line 1:1: Inserting into views is not supported")
        if table.parameters.get("table_type", "").upper() == "ICEBERG":
            raise NotSupportedError("INSERT INTO an Iceberg table")
        return table

    def _known(self, execution: Execution, table: GlueTable) -> dict[tuple[str, ...], str]:
        if not table.keys:
            return {}
        partitions = Catalog(self._cloud, execution.region).partitions(table)
        return {partition.values: partition.location for partition in partitions}


def _properties(table: GlueTable) -> WriteProperties:
    form = _FORMS.get(table.serde)
    if form is None:
        raise NotSupportedError(f"INSERT INTO a table of {table.serde or 'no SerDe'}")
    said = table.parameters.get("parquet.compression") or table.parameters.get("write.compression") or ""
    compression = said.upper() or COMPRESSIONS[form][0]
    if compression not in COMPRESSIONS[form]:
        raise NotSupportedError(f"the compression {compression} of {form}")
    delimiter = table.serde_parameters.get("field.delim", "\x01")
    return WriteProperties(form, compression, tuple(name for name, _ in table.keys), delimiter=delimiter)


def _columns(tree: exp.Insert, table: GlueTable) -> list[str]:
    """Give the columns that the query's go to, in its order."""
    every = list(table.all_columns)
    if not isinstance(tree.this, exp.Schema):
        return every
    names = [item.name.lower() for item in tree.this.expressions]
    for name in names:
        if name not in every:
            raise QueryError("COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {name}")
        if names.count(name) > 1:
            raise QueryError(
                "DUPLICATE_COLUMN_NAME", f"line 1:1: Insert column name is specified more than once: {name}"
            )
    return names


def _fitted(rows: pa.Table, table: GlueTable, names: list[str]) -> pa.Table:
    """Give the rows the table's columns and types; a column that is not inserted into is null."""
    import pyarrow as pa

    targets = {name: arrow_type(kind) for name, kind in table.all_columns.items()}
    wanted = [targets[name] for name in names]
    found = [field.type for field in rows.schema]
    if len(found) != len(wanted) or not all(map(_assignable, found, wanted)):
        message = f"Insert query has mismatched column types: Table: {_shown(wanted)}, Query: {_shown(found)}"
        raise QueryError("TYPE_MISMATCH", f"line 1:1: {message}")
    given = {
        name: column.cast(targets[name], safe=not pa.types.is_timestamp(targets[name]))
        for name, column in zip(names, rows.columns, strict=True)
    }
    columns = {name: given.get(name, pa.nulls(rows.num_rows, kind)) for name, kind in targets.items()}
    return pa.table(columns)


def _assignable(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Say whether Trino converts by itself: to a wider type of the same family."""
    import pyarrow as pa

    if pa.types.is_null(found) or found == wanted:
        return True
    if pa.types.is_list(found) and pa.types.is_list(wanted):
        return _assignable(found.value_type, wanted.value_type)
    if pa.types.is_struct(found) and pa.types.is_struct(wanted) and found.num_fields == wanted.num_fields:
        return all(_assignable(found.field(n).type, wanted.field(n).type) for n in range(found.num_fields))
    if pa.types.is_map(found) and pa.types.is_map(wanted):
        return _assignable(found.key_type, wanted.key_type) and _assignable(found.item_type, wanted.item_type)
    if pa.types.is_nested(found) or pa.types.is_nested(wanted):
        return False
    return _widens(found, wanted)


def _widens(found: pa.DataType, wanted: pa.DataType) -> bool:
    import pyarrow as pa

    narrow, wide = (athena_type(kind)["Type"] for kind in (found, wanted))
    if narrow == wide:
        return not pa.types.is_decimal(found) or _holds(found.precision, found.scale, wanted)
    if narrow in _WHOLE:
        if wide == "decimal":
            return _holds((3, 5, 10, 19)[_WHOLE.index(narrow)], 0, wanted)
        wider = _WHOLE[_WHOLE.index(narrow) + 1 :]
        return wide in ("double", "float", *wider)
    return (narrow, wide) in _WIDER


def _holds(precision: int, scale: int, wanted: pa.DataType) -> bool:
    whole: int = wanted.precision - wanted.scale
    return bool(wanted.scale >= scale and whole >= precision - scale)


def _shown(kinds: list[pa.DataType]) -> str:
    return f"[{', '.join(athena_type(kind)['Type'] for kind in kinds)}]"
