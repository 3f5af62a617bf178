"""Trino's SQL made DuckDB's: names resolved by Glue, meaning kept, and what cannot be kept refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.annotate_types import TypeAnnotator, annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from festaf.local_aws.athena.catalog import PATH
from festaf.local_aws.athena.collection_rules import note_subscripts
from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.athena.grammar import check_grammar
from festaf.local_aws.athena.kinds import family_of
from festaf.local_aws.athena.lambdas import type_lambdas
from festaf.local_aws.athena.meaning import keep_meaning
from festaf.local_aws.athena.place import place_of
from festaf.local_aws.athena.result_types import KNOWN_RESULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from festaf.local_aws.athena.catalog import Catalog, GlueTable

COERCES_TO = {kind: set(wider) for kind, wider in TypeAnnotator.COERCES_TO.items()}
"""A decimal and a double give a double in Trino; sqlglot has it the other way round."""
COERCES_TO[exp.DType.DECIMAL] |= {exp.DType.FLOAT, exp.DType.DOUBLE}
COERCES_TO[exp.DType.DOUBLE] -= {exp.DType.DECIMAL}
COERCES_TO[exp.DType.FLOAT] -= {exp.DType.DECIMAL}

CATALOGS = ("", "awsdatacatalog")
_UNNAMED = re.compile(r"unnamed column \d+")


@dataclass(frozen=True)
class Translated:
    """A query for DuckDB."""

    sql: str
    names: tuple[str, ...]
    """The result's columns as Athena names them."""
    named: tuple[bool, ...]
    """Whether the query itself names the column."""
    tables: Mapping[str, GlueTable]
    """By the name under which the query reads them; those of its views too."""
    kinds: tuple[exp.DataType | None, ...] = ()
    """The columns' types, as far as sqlglot works them out."""
    paths: bool = False
    """Whether the tables have to have the hidden column of their files."""
    views: tuple[str, ...] = ()
    """Statements that make the views it reads, in their order."""


@dataclass(frozen=True)
class Home:
    """Where and when a query is translated."""

    catalog: Catalog
    database: str
    """Where unqualified tables are looked up."""
    now: datetime
    """What the query shall take for the current time, in UTC."""
    within: tuple[tuple[str, str], ...] = ()
    """The views that the query is a part of."""


def translate(query: exp.Query, sql: str, home: Home) -> Translated:
    """Translate a query.

    :param sql: the text that the query was parsed from, for the places in messages
    :raises QueryError: Athena would fail, or would answer what DuckDB cannot
    """
    for identifier in query.find_all(exp.Identifier):
        identifier.set("this", identifier.name.lower())
    check_grammar(query, sql)
    note_subscripts(query)
    tables = _resolve_tables(query, sql, home.catalog, home.database)
    parts = _Parts()
    for key, table in tables.items():
        _gather(parts, key, table, _place_of_table(query, key, sql), home)
    _name_outputs(query)
    _type_decimals(query)
    resolved, schema = _resolve_columns(query, sql, tables)

    def annotate(tree: exp.Query) -> exp.Query:
        return annotate_types(
            tree, schema=schema, expression_metadata=KNOWN_RESULTS, coerces_to=COERCES_TO, dialect="athena"
        )

    resolved = type_lambdas(resolved, sql, annotate)
    _restore_decimals(resolved)
    outputs = resolved.named_selects if not isinstance(resolved, exp.Values) else []
    named = tuple(_UNNAMED.fullmatch(name) is None for name in outputs)
    names = tuple(
        name if known else f"_col{place}" for place, (name, known) in enumerate(zip(outputs, named, strict=True))
    )
    kinds = tuple(item.type for item in resolved.selects)
    keep_meaning(resolved, sql, home.now)
    for node in list(resolved.find_all(exp.Table)):
        found = tables.get((node.db, node.name)) if node.db else None
        if found is not None:
            node.replace(exp.Table(this=exp.to_identifier(_view(found), quoted=True), alias=node.args.get("alias")))
    for column in resolved.find_all(exp.Column):
        column.set("db", None)
        column.set("catalog", None)
    text, views = resolved.sql("duckdb"), tuple(parts.views.values())
    paths = any(f'"{PATH}"' in part for part in (text, *views))
    return Translated(text, names, named, parts.tables, kinds, paths, views)


@dataclass
class _Parts:
    """What a query reads, at whatever depth."""

    tables: dict[str, GlueTable] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)


def _gather(parts: _Parts, key: tuple[str, str], table: GlueTable, where: str, home: Home) -> None:
    """Note a table, or translate a view and note what it reads.

    :raises QueryError: the view cannot be read any more, or reads itself
    """
    if table.view is None:
        parts.tables[_view(table)] = table
        return
    name = f"awsdatacatalog.{table.database}.{table.name}"
    if key in home.within:
        raise QueryError("VIEW_IS_RECURSIVE", f"{where}View '{name}' is recursive")
    inside = Home(home.catalog, table.view.schema, home.now, (*home.within, key))
    try:
        tree = sqlglot.parse_one(table.view.sql, read="athena")
        if not isinstance(tree, exp.Query):
            raise QueryError("SYNTAX_ERROR", "it is no query")
        translated = translate(tree, table.view.sql, inside)
    except NotSupportedError:
        raise
    except QueryError as error:
        message = f"Failed analyzing stored view '{name}': {error.message}"
        raise QueryError("INVALID_VIEW", f"{where}{message}") from error
    except SqlglotError as error:
        raise QueryError("INVALID_VIEW", f"{where}Failed parsing stored view '{name}': {error}") from error
    if stale := _stale(table, translated):
        raise QueryError("VIEW_IS_STALE", f"{where}View '{name}' is stale or in invalid state: {stale}")
    parts.tables |= translated.tables
    columns = ", ".join(exp.to_identifier(column, quoted=True).sql("duckdb") for column, _ in table.columns)
    made = exp.to_identifier(_view(table), quoted=True).sql("duckdb")
    for view in translated.views:
        parts.views.setdefault(view, view)
    parts.views[made] = f"CREATE VIEW {made} ({columns}) AS {translated.sql}"


def _stale(table: GlueTable, translated: Translated) -> str:
    """Say what of a view's columns is not as it was stored; '' when all is."""
    if len(translated.names) != len(table.columns):
        return (
            f"stored view column count ({len(table.columns)}) does not match column count derived from the view query "
            f"analysis ({len(translated.names)})"
        )
    for place, ((name, stored), found) in enumerate(zip(table.columns, translated.kinds, strict=True)):
        families = family_of(stored), family_of(found)
        if all(families) and families[0] != families[1]:
            shown = found.sql("athena").lower() if found else "unknown"
            return (
                f"column [{name}] of type {shown} projected from query view at position {place} cannot be coerced to "
                f"column [{name}] of type {stored.sql('athena').lower()} stored in view definition"
            )
    return ""


def _place_of_table(query: exp.Expr, key: tuple[str, str], sql: str) -> str:
    found = next((node for node in query.find_all(exp.Table) if (node.db, node.name) == key), None)
    return place_of(found, sql) if found is not None else ""


def _view(table: GlueTable) -> str:
    return f"{table.database}.{table.name}"


def _resolve_tables(query: exp.Query, sql: str, catalog: Catalog, database: str) -> dict[tuple[str, str], GlueTable]:
    """Find every table that is not a WITH query in Glue, and write its database into the query."""
    found: dict[tuple[str, str], GlueTable] = {}
    for scope in traverse_scope(query):
        for source in scope.sources.values():
            if not isinstance(source, exp.Table) or not isinstance(source.this, exp.Identifier):
                continue
            if source.catalog not in CATALOGS:
                raise QueryError("CATALOG_NOT_FOUND", f"{place_of(source, sql)}Catalog '{source.catalog}' not found")
            home = source.db or database.lower()
            found.setdefault((home, source.name), _look_up(catalog, home, source, sql))
            source.set("db", exp.to_identifier(home, quoted=True))
            source.set("catalog", None)
    return found


def _look_up(catalog: Catalog, database: str, node: exp.Table, sql: str) -> GlueTable:
    if database == "information_schema":
        raise NotSupportedError("information_schema", place_of(node, sql))
    table = catalog.table(database, node.name)
    if table is not None:
        return table
    if not catalog.has_database(database):
        raise QueryError("SCHEMA_NOT_FOUND", f"{place_of(node, sql)}Schema '{database}' does not exist")
    name = f"awsdatacatalog.{database}.{node.name}"
    raise QueryError("TABLE_NOT_FOUND", f"{place_of(node, sql)}Table '{name}' does not exist")


def _name_outputs(query: exp.Query) -> None:
    """Give every unnamed expression a name that no one can write, so that none gets another's."""
    count = 0
    for select in query.find_all(exp.Select):
        for item in list(select.expressions):
            if isinstance(item, exp.Alias | exp.Column | exp.Star | exp.Aliases):
                continue
            count += 1
            item.replace(exp.alias_(item.copy(), f"unnamed column {count}", quoted=True))


def _type_decimals(query: exp.Query) -> None:
    """Say what type 1.50 has in Trino, decimal(3,2); sqlglot takes it for a double.

    The digits wait in ``meta`` until the types are worked out: sqlglot takes a decimal with digits for wider than a
    double.
    """
    for literal in list(query.find_all(exp.Literal)):
        text = literal.name.lower()
        if not literal.is_string and "." in text and "e" not in text:
            whole, _, fraction = text.partition(".")
            digits = max(len(whole.lstrip("0")) + len(fraction), 1)
            kind = exp.DataType.build(f"decimal({digits},{len(fraction)})")
            literal.replace(exp.Cast(this=literal.copy(), to=kind))
    for cast in query.find_all(exp.Cast):
        if cast.to.this == exp.DType.DECIMAL and cast.to.expressions:
            cast.meta["decimal"] = cast.to
            cast.set("to", exp.DataType(this=exp.DType.DECIMAL))


def _restore_decimals(query: exp.Query) -> None:
    for cast in query.find_all(exp.Cast):
        if "decimal" in cast.meta:
            cast.set("to", cast.meta["decimal"].copy())


def _resolve_columns(
    query: exp.Query, sql: str, tables: Mapping[tuple[str, str], GlueTable]
) -> tuple[exp.Query, MappingSchema]:
    schema = MappingSchema(dialect="athena")
    hidden = {PATH: "varchar"} if _asks_for_paths(query, sql) else {}
    for (database, name), table in tables.items():
        columns = {column: _bare(kind) for column, kind in table.all_columns.items()}
        columns |= {} if table.view else hidden
        schema.add_table(exp.table_(name, db=database, quoted=True), columns, dialect="athena", normalize=False)
    try:
        resolved = qualify(
            query,
            dialect="athena",
            schema=schema,
            expand_alias_refs=False,
            validate_qualify_columns=False,
        )
    except OptimizeError as error:
        raise _optimize_error(query, sql, str(error)) from error
    except SqlglotError as error:
        raise QueryError("SYNTAX_ERROR", str(error)) from error
    if not isinstance(resolved, exp.Query):
        raise NotSupportedError("this statement")
    _resolve_rest(resolved, sql, tables)
    return resolved, schema


def _resolve_rest(query: exp.Query, sql: str, tables: Mapping[tuple[str, str], GlueTable]) -> None:
    """Find the tables of HAVING's columns, which sqlglot leaves since in other dialects they may be aliases.

    :raises QueryError: a column is of no table, or of several
    """
    scopes = {id(scope.expression): scope for scope in traverse_scope(query)}
    for column in list(query.find_all(exp.Column)):
        if column.table or _is_allowed_alias(column):
            continue
        scope = scopes.get(id(column.find_ancestor(exp.Select)))
        sources = scope.selected_sources.items() if scope else ()
        homes = [alias for alias, (_, source) in sources if column.name in _columns_of(source, tables)]
        if len(homes) > 1:
            raise _ambiguous(column, column.name, sql)
        if not homes:
            raise _column_not_found(column, column.name, sql)
        column.set("table", exp.to_identifier(homes[0], quoted=True))


def _columns_of(source: object, tables: Mapping[tuple[str, str], GlueTable]) -> Iterable[str]:
    if isinstance(source, exp.Table):
        found = tables.get((source.db, source.name))
        return [*found.all_columns, PATH] if found else ()
    query = source.expression if isinstance(source, Scope) else None
    return query.named_selects if isinstance(query, exp.Query) else ()


def _asks_for_paths(query: exp.Query, sql: str) -> bool:
    """Say whether the hidden column is named.

    :raises NotSupportedError: beside a star, which does not mean it
    """
    named = next((node for node in query.find_all(exp.Identifier) if node.name == PATH), None)
    if named is not None and any(not isinstance(star.parent, exp.Count) for star in query.find_all(exp.Star)):
        raise NotSupportedError(f'"{PATH}" in a query with a star', place_of(named, sql))
    return named is not None


def _bare(kind: exp.DataType) -> str:
    return "decimal" if kind.this == exp.DType.DECIMAL else kind.sql("athena")


def _is_allowed_alias(column: exp.Column) -> bool:
    """Say whether a column without table is the name of an output: Trino knows those in ORDER BY only."""
    order = column.find_ancestor(exp.Order, exp.Select, exp.SetOperation)
    if isinstance(order, exp.Order):
        query = order.parent
        return isinstance(query, exp.Query) and column.name in query.named_selects
    return False


def _optimize_error(query: exp.Query, sql: str, message: str) -> QueryError:
    for pattern, report in _OPTIMIZE_ERRORS:
        if found := re.search(pattern, message):
            column = next((node for node in query.find_all(exp.Column) if node.name == found[1]), None)
            return report(column, found[1], sql)
    return QueryError("SYNTAX_ERROR", message)


def _column_not_found(node: exp.Expr | None, name: str, sql: str) -> QueryError:
    where = place_of(node, sql) if node is not None else ""
    shown = f"{node.table}.{name}" if isinstance(node, exp.Column) and node.table else name
    message = f"Column '{shown}' cannot be resolved or requester is not authorized to access requested resources"
    return QueryError("COLUMN_NOT_FOUND", f"{where}{message}")


def _ambiguous(node: exp.Expr | None, name: str, sql: str) -> QueryError:
    where = place_of(node, sql) if node is not None else ""
    return QueryError("AMBIGUOUS_NAME", f"{where}Column '{name}' is ambiguous")


_OPTIMIZE_ERRORS: tuple[tuple[str, Callable[[exp.Expr | None, str, str], QueryError]], ...] = (
    (r"mbiguous.*?['\"]?([\w]+)['\"]?\s*$", _ambiguous),
    (r"Unknown column: \"?(\w+)", _column_not_found),
    (r"Column '\"?(\w+)", _column_not_found),
)
