"""CREATE VIEW and DROP VIEW."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import TokenType, exp
from sqlglot.dialects.athena import Athena

from festaf.local_aws.athena.asking import check_names
from festaf.local_aws.athena.catalog import Catalog
from festaf.local_aws.athena.errors import QueryError
from festaf.local_aws.athena.results import Results
from festaf.local_aws.athena.stored_view import StoredView
from festaf.local_aws.athena.types import hive_type, trino_type

if TYPE_CHECKING:
    from festaf.local_aws.athena.asking import Asker
    from festaf.local_aws.athena.execution import Execution
    from festaf.local_aws.cloud import Cloud


class Views:
    """Makes and drops views."""

    def __init__(self, cloud: Cloud, asker: Asker) -> None:
        self._cloud = cloud
        self._asker = asker

    def create(self, execution: Execution, tree: exp.Create) -> Results:
        """Check the view's query, and keep it in Glue.

        :raises QueryError: the query is wrong, or something of this name stands
        """
        node = tree.this
        database, name = (node.db or execution.database).lower(), node.name.lower()
        catalog = Catalog(self._cloud, execution.region)
        if not catalog.has_database(database):
            raise QueryError("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
        standing = catalog.described(database, name)
        if standing is not None and standing.get("TableType") != "VIRTUAL_VIEW":
            raise _in_the_way("Table", database, name)
        if standing is not None and not tree.args.get("replace"):
            raise _in_the_way("View", database, name)
        answer = self._asker.describe(execution, tree.expression.unnest(), making=(database, name))
        check_names(answer)
        kinds = [field.type for field in answer.rows.schema]
        columns = tuple((column, trino_type(kind)) for column, kind in zip(answer.names, kinds, strict=True))
        view = StoredView(_query_text(execution.statement.read_from), execution.database.lower(), columns)
        glue = self._cloud.client("glue", execution.region)
        write = glue.update_table if standing else glue.create_table
        hive = [(column, hive_type(kind, view=True)) for column, kind in zip(answer.names, kinds, strict=True)]
        write(DatabaseName=database, TableInput=_table_input(name, view, hive, execution.identity))
        return Results.of_statement()

    def drop(self, execution: Execution, tree: exp.Drop) -> Results:
        """Forget a view.

        :raises QueryError: there is none, or a table has the name
        """
        catalog = Catalog(self._cloud, execution.region)
        for node in tree.args.get("tables") or [tree.this]:
            database, name = (node.db or execution.database).lower(), node.name.lower()
            found = catalog.described(database, name)
            if found is None:
                if tree.args.get("exists"):
                    continue
                message = f"line 1:1: View 'awsdatacatalog.{database}.{name}' does not exist"
                raise QueryError("TABLE_NOT_FOUND", message)
            if found.get("TableType") != "VIRTUAL_VIEW":
                message = (
                    f"line 1:1: View 'awsdatacatalog.{database}.{name}' does not exist, but a table with that name "
                    f"exists. Did you mean DROP TABLE {database}.{name}?"
                )
                raise QueryError("GENERIC_USER_ERROR", message)
            self._cloud.client("glue", execution.region).delete_table(DatabaseName=database, Name=name)
        return Results.of_statement()


def _in_the_way(what: str, database: str, name: str) -> QueryError:
    message = f"line 1:1: {what} already exists: 'awsdatacatalog.{database}.{name}'"
    return QueryError("TABLE_ALREADY_EXISTS" if what == "Table" else "ALREADY_EXISTS", message)


def _query_text(text: str) -> str:
    """Cut the query out of ``CREATE VIEW name AS query``."""
    start = next(token.end + 1 for token in Athena().tokenize(text) if token.token_type == TokenType.ALIAS)
    return text[start:].strip().rstrip(";").rstrip()


def _table_input(name: str, view: StoredView, columns: list[tuple[str, str]], identity: str) -> dict[str, Any]:
    return {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": view.text(),
        "ViewExpandedText": "/* Presto View */",
        "Parameters": {"presto_view": "true", "comment": "Presto View", "presto_query_id": identity},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [{"Name": column, "Type": kind} for column, kind in columns],
            "Location": "",
            "SerdeInfo": {"Parameters": {}},
        },
    }
