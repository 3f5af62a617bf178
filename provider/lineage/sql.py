"""SQL as lineage: the tables that statements read and write, and the columns that each column is made from.

The parser is that of Airflow's OpenLineage provider, ``openlineage-sql``; without it nothing is read.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.contract import facets
from festaf.contract.names import DatasetName
from festaf.provider.lineage.sql_columns import with_named_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from festaf.contract.facets import Facet

log = logging.getLogger(__name__)

SQLITE = "sqlite"
UNNAMED = "_"
"""How openlineage-sql begins the name of a column that the query does not name: ``_0``."""


@dataclass(frozen=True)
class Database:
    """The database that statements run in, as OpenLineage names it."""

    namespace: str
    prefix: str = ""
    """What stands before a table's name, such as ``database.``."""
    schema: str | None = None
    dialect: str = "generic"

    def dataset(self, table: Any) -> DatasetName:
        """Name a table that the parser found."""
        own = None if self.dialect == SQLITE and table.schema == "main" else table.schema
        parts = (own or self.schema, table.name)
        name = ".".join(part for part in parts if part)
        return DatasetName(self.namespace, f"{table.database}.{name}" if table.database else f"{self.prefix}{name}")


@dataclass
class Read:
    """What statements read and wrote, in order."""

    inputs: dict[DatasetName, None] = field(default_factory=dict)
    outputs: dict[DatasetName, dict[str, list[DatasetName]]] = field(default_factory=dict)
    """By table, its columns with the columns that they are made from."""


def statements_of(sql: Any) -> list[str]:
    """Give what an operator calls its ``sql`` as statements; nothing for what is none."""
    texts = [sql] if isinstance(sql, str) else sql if isinstance(sql, list | tuple) else []
    statements: list[str] = []
    for text in texts:
        if isinstance(text, str) and text.strip():
            statements += _split(text)
    return statements


def database_of(hook: Any, database: str | None = None) -> Database:
    """Describe the database behind a hook; by what its provider says, else by the connection.

    :param database: the one that the task names
    """
    connection = hook.get_connection(hook.get_conn_id() if hasattr(hook, "get_conn_id") else _conn_id(hook))
    kind = str(connection.conn_type)
    if kind == SQLITE:
        # SQLite's connection has its file as the host, and a database has no schema.
        return Database("sqlite://", f"{str(connection.host or ':memory:').lstrip('/')}/", None, SQLITE)
    info = hook.get_openlineage_database_info(connection)
    schema, dialect = hook.get_openlineage_default_schema(), hook.get_openlineage_database_dialect(connection)
    if info is not None:
        namespace = f"{info.scheme}://{info.authority}" if info.authority else info.scheme
        name = database or info.database
    else:
        namespace, name = f"{kind}://{hook.get_openlineage_authority_part(connection)}", database or connection.schema
    return Database(namespace, f"{name}." if name else "", schema, dialect)


def read(
    statements: Iterable[str], database: Database, columns: Mapping[DatasetName, Sequence[str]] | None = None
) -> Read | None:
    """Read statements one by one; None without the parser.

    :param columns: the columns of tables, in order, as far as they are known
    """
    try:
        from openlineage.common.sql import parse  # type: ignore[import-untyped] # it has no types
    except ImportError:
        return None
    known = columns or {}

    def columns_of(table: str) -> Sequence[str] | None:
        found = parse([f"SELECT 1 FROM {table}"], database.dialect, database.schema)
        return known.get(database.dataset(found.in_tables[0])) if found and len(found.in_tables) == 1 else None

    found = Read()
    for statement in statements:
        meta = parse([with_named_columns(statement, columns_of)], database.dialect, database.schema)
        if meta is not None:
            _add(found, meta, database)
    return found


def _add(found: Read, meta: Any, database: Database) -> None:
    for table in meta.in_tables:
        name = database.dataset(table)
        # What an earlier statement of the same task made is no input of the task.
        if name not in found.outputs:
            found.inputs[name] = None
    columns = {
        line.descendant.name: [
            DatasetName(*_plain(database.dataset(column.origin)), column.name)
            for column in line.lineage
            if column.origin
        ]
        for line in meta.column_lineage
        if not line.descendant.name.startswith(UNNAMED)
    }
    for table in meta.out_tables:
        known = found.outputs.setdefault(database.dataset(table), {})
        if len(meta.out_tables) == 1:
            known.update({name: origins for name, origins in columns.items() if origins})


def column_lineage(columns: Mapping[str, Sequence[DatasetName]]) -> dict[str, Facet]:
    """Put the origins of columns into OpenLineage's facet; no facet when none is known."""
    described = [
        facets.Column(name, "", None, tuple(facets.Origin(origin) for origin in origins))
        for name, origins in columns.items()
    ]
    return {"columnLineage": facets.described(described)["columnLineage"]} if described else {}


def _plain(name: DatasetName) -> tuple[str, str]:
    return name.namespace, name.name


def _conn_id(hook: Any) -> str:
    return str(getattr(hook, hook.conn_name_attr))


def _split(text: str) -> list[str]:
    try:
        import sqlparse
    except ImportError:
        return [text]
    return [part.strip().rstrip(";") for part in sqlparse.split(text) if part.strip().rstrip(";")]
