"""The SQL that joins features to rows as they stood at each row's time.

One feature set is matched at a time, by sorting once: its records and the entity rows are put under one another, sorted
by identifier and time, and each row belongs to the record before it. No row is lost or doubled, since rows are never
joined to records; and the work grows with the number of both, never with their product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.provider.training_sets.moment import LAST, of_number, of_text, of_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from festaf.provider.training_sets.match import Match

ROW = "festaf_row"
"""The column that numbers the entity rows while the training set is built."""
SINCE = "festaf_since"
"""The column that holds when a row's record is from, in nanoseconds; null where there is none."""

Table = tuple[str, str]
"""Database and name."""


def quoted(name: str) -> str:
    """Quote a name for Athena."""
    return '"' + name.replace('"', '""') + '"'


def named(table: Table) -> str:
    """Write a table with its database."""
    return f"{quoted(table[0])}.{quoted(table[1])}"


def create_table(table: Table, location: str, select: str) -> str:
    """Write a statement that keeps the answer of a query as Parquet under ``location``."""
    place = location.replace("'", "''")
    return (
        f"CREATE TABLE {named(table)} WITH (format = 'PARQUET', write_compression = 'SNAPPY', "
        f"external_location = '{place}') AS\n{select}"
    )


def number_entities(source: str) -> str:
    """Write the query that numbers the entity rows, so that equal rows stay apart.

    :param source: a table, or a query in parentheses
    """
    return f"SELECT row_number() OVER () AS {quoted(ROW)}, source.*\nFROM {source} AS source"


def match_features(
    match: Match, entities: Table, event_time: str | None, kinds: Mapping[str, str], until: datetime
) -> str:
    """Write the query that gives each entity row the features of its record.

    The order within an identifier: time, then records before entity rows (after them when ``strict``), then write time,
    then the time of the call; of two records that agree in all this the deleted one stands, then the greater values, so
    that the answer is always the same.

    :param event_time: the entity rows' column of times; None when no record is to be found in time
    :param kinds: the types of the entity rows' columns in Glue's words
    :param until: only records that were written by then count
    """
    latest = f"(PARTITION BY id, part ORDER BY CASE WHEN kind = {_RECORD} THEN 0 ELSE 1 END)"
    values = [f"v{number}" for number in range(len(match.taken))]
    order = ", ".join([*_ORDER, *(f"{value} NULLS FIRST" for value in values)])
    found = ", ".join(f"first_value({value}) OVER latest AS {value}" for value in ("kind", "at", "deleted", *values))
    found = found.replace("AS kind", "AS found").replace("AS at", "AS since").replace("AS deleted", "AS gone")
    columns = [
        f"CASE WHEN valid THEN {value} END AS {quoted(taken.column)}"
        for value, taken in zip(values, match.taken, strict=True)
    ]
    return f"""WITH stacked AS (
{_entity_rows(match, entities, event_time, kinds)}
UNION ALL
{_records(match, until)}
),
parted AS (
SELECT *, count(CASE WHEN kind = {_RECORD} THEN 1 END) OVER (
PARTITION BY id ORDER BY {order}
ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS part
FROM stacked
),
answered AS (
SELECT entity_row, kind AS of_kind, at AS wanted_at, {found}
FROM parted
WINDOW latest AS {latest}
),
judged AS (
SELECT *, {_valid(match)} AS valid
FROM answered
WHERE of_kind <> {_RECORD}
)
SELECT entity_row AS {quoted(ROW)}, CASE WHEN valid THEN since END AS {quoted(SINCE)}{_listed(columns)}
FROM judged"""


_ORDER = ("at NULLS FIRST", "kind", "written", "called", "deleted")
_BEFORE, _RECORD, _AFTER = 0, 1, 2
"""The order of equal times: entity rows that want older records, records, entity rows."""


def _entity_rows(match: Match, entities: Table, event_time: str | None, kinds: Mapping[str, str]) -> str:
    at = f"CAST({LAST} AS bigint)"
    if match.view.point_in_time and event_time is not None:
        at = of_type(quoted(event_time), kinds[event_time], f"The event time {event_time!r} of the entity rows")
    nothing = [f"CAST(NULL AS {taken.sql_type}) AS v{number}" for number, taken in enumerate(match.taken)]
    return (
        f"SELECT {quoted(ROW)} AS entity_row, CAST({quoted(match.entity)} AS {match.identifier_type}) AS id,\n"
        f"{at} AS at,\n"
        f"{_BEFORE if match.view.strict and match.view.point_in_time else _AFTER} AS kind, "
        "CAST(NULL AS timestamp) AS written, CAST(NULL AS timestamp) AS called, CAST(NULL AS boolean) AS deleted"
        f"{_listed(nothing)}\nFROM {named(entities)}"
    )


def _records(match: Match, until: datetime) -> str:
    time = quoted(match.found.event_time.lower())
    values = [f"{quoted(taken.feature.name.lower())} AS v{number}" for number, taken in enumerate(match.taken)]
    return (
        f"SELECT CAST(NULL AS bigint) AS entity_row, {quoted(match.found.record_identifier.lower())} AS id,\n"
        f"{of_text(time) if match.text_time else of_number(time)} AS at,\n"
        f"{_RECORD} AS kind, write_time AS written, api_invocation_time AS called,\n"
        "coalesce(is_deleted, false) AS deleted"
        f"{_listed(values)}\nFROM {named((match.table.database, match.table.table))}\n"
        f"WHERE write_time <= TIMESTAMP '{moment_text(until)}'"
    )


def _valid(match: Match) -> str:
    valid = f"found = {_RECORD} AND NOT gone"
    age = match.view.max_age_microseconds
    return valid if age is None else f"{valid} AND wanted_at - since <= {age * 1000}"


def join(entities: Table, columns: Sequence[str], matches: Sequence[tuple[Match, Table]]) -> str:
    """Write the query that puts the entity rows and their features side by side; every side has each row once."""
    selected = [f"e.{quoted(column)}" for column in columns]
    joins = []
    for number, (match, table) in enumerate(matches, 1):
        selected += [f"m{number}.{quoted(taken.column)}" for taken in match.taken]
        joins.append(f"\nJOIN {named(table)} AS m{number} ON m{number}.{quoted(ROW)} = e.{quoted(ROW)}")
    return f"SELECT {', '.join(selected)}\nFROM {named(entities)} AS e{''.join(joins)}"


def count_rows(entities: Table, result: Table, matches: Sequence[Table]) -> str:
    """Write the query that counts: entity rows, rows of the result, then rows and matched rows of each feature set."""
    parts = [
        f"SELECT -1 AS step, count(*) AS n, count(*) AS matched FROM {named(entities)}",
        f"SELECT 0 AS step, count(*) AS n, count(*) AS matched FROM {named(result)}",
    ]
    parts += [
        f"SELECT {number} AS step, count(*) AS n, count({quoted(SINCE)}) AS matched FROM {named(table)}"
        for number, table in enumerate(matches, 1)
    ]
    return "\nUNION ALL\n".join(parts) + "\nORDER BY step"


def moment_text(moment: datetime) -> str:
    """Write a moment in UTC to the millisecond, as write times have it."""
    from datetime import UTC

    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03}"


def _listed(columns: Sequence[str]) -> str:
    return "".join(f", {column}" for column in columns)
