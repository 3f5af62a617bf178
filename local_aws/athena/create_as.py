"""CREATE TABLE AS SELECT: rows of a query as files and a table over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from sqlglot import exp

from festaf.local_aws.athena.asking import check_names
from festaf.local_aws.athena.catalog import Catalog
from festaf.local_aws.athena.engine import CancelledError
from festaf.local_aws.athena.errors import QueryError
from festaf.local_aws.athena.formats import HIVE_CLASSES
from festaf.local_aws.athena.properties import WriteProperties, write_properties
from festaf.local_aws.athena.registering import register
from festaf.local_aws.athena.results import Results
from festaf.local_aws.athena.types import arrow_type, glue_type, hive_type
from festaf.local_aws.athena.writer import Writer, check_keys

if TYPE_CHECKING:
    import pyarrow as pa

    from festaf.local_aws.athena.asking import Answer, Asker
    from festaf.local_aws.athena.execution import Execution
    from festaf.local_aws.cloud import Cloud

_ENFORCED = (
    "The Create Table As Select query failed because it was submitted with an 'external_location' property to an "
    "Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
    "'external_location' property and resubmit the query."
)


class CreateTableAs:
    """Carries out CREATE TABLE AS SELECT."""

    def __init__(self, cloud: Cloud, asker: Asker) -> None:
        self._cloud = cloud
        self._asker = asker

    def run(self, execution: Execution, tree: exp.Create) -> Results:
        """Run the query, write its rows, and create the table.

        :raises QueryError: Athena would refuse it, or the query fails
        :raises CancelledError: the execution was cancelled; files that were written stay, as in Athena
        """
        node = tree.this
        database, name = (node.db or execution.database).lower(), node.name.lower()
        properties = write_properties(tree.args.get("properties"))
        if self._stands(execution, tree, database, name):
            return Results.of_writing(0)
        if properties.location and execution.enforced:
            raise QueryError("INVALID_TABLE_PROPERTY", _ENFORCED)
        location = f"{(properties.location or execution.output).rstrip('/')}/"
        writer = Writer(self._cloud, execution)
        if not writer.is_empty(location):
            raise path_exists(f"{database}.{name}", location)
        rows = typed_rows(self._asker.ask(execution, tree.expression.unnest()))
        check_keys(rows, properties.partitioned_by)
        rows = rows.slice(0, 0) if _without_data(tree) else rows
        written = writer.write(rows, properties, location)
        if execution.done:
            raise CancelledError
        glue = self._cloud.client("glue", execution.region)
        table = table_input(name, rows.schema, properties, location, execution.identity)
        try:
            glue.create_table(DatabaseName=database, TableInput=table)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "AlreadyExistsException":
                raise _already_exists(database, name) from error
            raise QueryError("HIVE_METASTORE_ERROR", str(error.response["Error"]["Message"])) from error
        register(glue, database, table, written.partitions)
        writer.manifest(f"{execution.output}-manifest.csv", written)
        return Results.of_writing(written.rows)

    def _stands(self, execution: Execution, tree: exp.Create, database: str, name: str) -> bool:
        """Say whether there is nothing to do.

        :raises QueryError: there is such a table, or no such database
        """
        catalog = Catalog(self._cloud, execution.region)
        if not catalog.has_database(database):
            raise QueryError("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
        if catalog.described(database, name) is None:
            return False
        if tree.args.get("exists"):
            return True
        raise _already_exists(database, name)


def path_exists(table: str, location: str) -> QueryError:
    """Say that a folder is not empty, as Athena does."""
    message = (
        f"Target directory for table '{table}' already exists: {location}. You may need to manually clean the data "
        f"at location '{location}' before retrying. Athena will not delete data in your account."
    )
    return QueryError("HIVE_PATH_ALREADY_EXISTS", message)


def typed_rows(answer: Answer) -> pa.Table:
    """Give the rows in types that files have, under the names that the table gets.

    :raises QueryError: a column has no name, or another's, or a type that no table can have
    """
    import pyarrow as pa

    check_names(answer)
    kinds = [arrow_type(glue_type(hive_type(field.type))) for field in answer.rows.schema]
    columns = [
        column.cast(kind, safe=not pa.types.is_timestamp(kind))
        for column, kind in zip(answer.rows.columns, kinds, strict=True)
    ]
    return pa.table(columns, names=list(answer.names))


def table_input(
    name: str, schema: pa.Schema, properties: WriteProperties, location: str, identity: str
) -> dict[str, Any]:
    """Describe the table for Glue.

    :param identity: of the query that makes it
    """
    input_format, output_format, serde = HIVE_CLASSES[properties.form]
    columns = [{"Name": field.name, "Type": hive_type(field.type)} for field in schema]
    count = len(columns) - len(properties.partitioned_by)
    parameters = {
        "EXTERNAL": "TRUE",
        "has_encrypted_data": "false",
        "classification": {"TEXTFILE": "csv"}.get(properties.form, properties.form.lower()),
        "presto_query_id": identity,
    }
    if properties.form == "PARQUET":
        parameters["parquet.compression"] = properties.compression
    else:
        parameters["write.compression"] = properties.compression
    delimiter = {"field.delim": properties.delimiter, "serialization.format": properties.delimiter}
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "PartitionKeys": columns[count:],
        "StorageDescriptor": {
            "Columns": columns[:count],
            "Location": location,
            "InputFormat": input_format,
            "OutputFormat": output_format,
            "SerdeInfo": {
                "SerializationLibrary": serde,
                "Parameters": delimiter if properties.form == "TEXTFILE" else {"serialization.format": "1"},
            },
        },
    }


def _already_exists(database: str, name: str) -> QueryError:
    table = f"awsdatacatalog.{database}.{name}"
    return QueryError("TABLE_ALREADY_EXISTS", f"line 1:1: Destination table '{table}' already exists")


def _without_data(tree: exp.Create) -> bool:
    properties = tree.args.get("properties")
    found = properties.find(exp.WithDataProperty) if properties is not None else None
    return found is not None and bool(found.args.get("no"))
