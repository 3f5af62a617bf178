"""Open what is monitored: the offline store of a feature set, a Glue table, a training set, or files."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from festaf.contract.names import feature_set_uri
from festaf.provider.errors import InputError
from festaf.provider.monitoring.athena_rows import AthenaRows, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from festaf.contract.monitor import ColumnKind
    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.athena import AthenaHook, AthenaQuery
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.monitoring.rows import Rows

NUMBERS = ("tinyint", "smallint", "int", "integer", "bigint", "float", "real", "double", "decimal", "boolean")
TEXTS = ("string", "varchar", "char")
HOURS = ("year", "month", "day", "hour")


def feature_set_rows(
    hook: FeatureStoreHook,
    athena: AthenaHook,
    name: str,
    project: str,
    wanted: Sequence[str] | None,
    query: AthenaQuery,
) -> AthenaRows:
    """Open the offline store of a feature set; deleted records do not count.

    :raises InputError: there is none, or it has no offline store that SQL sees
    """
    found = hook.describe(name)
    if found is None:
        raise InputError(f"There is no feature set {name} in {hook.place}")
    if found.offline is None or found.offline.glue_table is None:
        raise InputError(f"Feature set {name} has no offline store that SQL sees: its past is not kept")
    place = found.offline.glue_table
    table = hook.glue_table(place)
    if table is None:
        raise InputError(f"The Glue table {place.database}.{place.table} of feature set {name} does not exist")
    kinds: dict[str, str] = {}
    for feature in found.features:
        if feature.name in {found.record_identifier, found.event_time}:
            continue
        kind = "category" if feature.type == "String" else "numeric"
        kinds[feature.name] = kind if feature.collection is None else f"is a {feature.collection}"
    columns, left_out = _choose(kinds, wanted, f"Feature set {name}")
    keys = [key["Name"] for key in table.get("PartitionKeys") or ()]
    return AthenaRows(
        hook=athena,
        uri=feature_set_uri(project, name),
        table=f"{quoted(place.database)}.{quoted(place.table)}",
        columns=columns,
        left_out=left_out,
        moment=_moment(found),
        hours=f"concat({', '.join(map(quoted, HOURS))})" if all(key in keys for key in HOURS) else None,
        only="NOT is_deleted",
        query=query,
    )


def source_rows(
    hook: FeatureStoreHook,
    athena: AthenaHook,
    source: str,
    event_time: str | None,
    wanted: Sequence[str] | None,
    query: AthenaQuery,
) -> Rows:
    """Open ``glue://database/table`` for SQL, or the files of a path or URI.

    :raises InputError: there is nothing there
    """
    if urlsplit(source).scheme == "glue":
        return _table_rows(hook, athena, source, event_time, wanted, query)
    return _file_rows(hook, source, event_time, wanted)


def _table_rows(
    hook: FeatureStoreHook,
    athena: AthenaHook,
    source: str,
    event_time: str | None,
    wanted: Sequence[str] | None,
    query: AthenaQuery,
) -> AthenaRows:
    from festaf.provider.artifacts.feature_set import GlueTable

    database, name = urlsplit(source).netloc, urlsplit(source).path.strip("/")
    table = hook.glue_table(GlueTable("AwsDataCatalog", database, name))
    if table is None:
        raise InputError(f"There is no Glue table {database}.{name} in {hook.place}")
    types = {column["Name"]: column["Type"].lower() for column in table["StorageDescriptor"]["Columns"]}
    kinds = {column: _kind(kind) for column, kind in types.items() if column != event_time}
    columns, left_out = _choose(kinds, wanted, source)
    return AthenaRows(
        hook=athena,
        uri=source,
        table=f"{quoted(database)}.{quoted(name)}",
        columns=columns,
        left_out=left_out,
        moment=_moment_of(event_time, types, source) if event_time else None,
        query=query,
    )


def _file_rows(hook: FeatureStoreHook, source: str, event_time: str | None, wanted: Sequence[str] | None) -> Rows:
    from festaf.provider.ingest.source import CSV, open_source
    from festaf.provider.monitoring.file_rows import FileRows

    if source.lower().endswith(CSV):
        raise InputError(f"Source {source} is CSV, which has no types: write it as Parquet")
    opened = open_source(source, "parquet", hook)
    kinds = {name: _arrow_kind(found) for name, found in opened.types().items() if found and name != event_time}
    if event_time is not None and event_time not in opened.types():
        raise InputError(f"{source} has no column {event_time!r}, which event_time names")
    columns, left_out = _choose(kinds, wanted, source)
    return FileRows(opened, opened.uri or source, columns, left_out, event_time)


def _choose(
    kinds: Mapping[str, str], wanted: Sequence[str] | None, where: str
) -> tuple[dict[str, ColumnKind], dict[str, str]]:
    """Choose what is monitored: the wanted columns, else all that can be."""
    if wanted is not None and (unknown := [name for name in wanted if name not in kinds]):
        raise InputError(f"{where} has no feature {', '.join(map(repr, unknown))} that can be monitored")
    columns: dict[str, ColumnKind] = {}
    left_out: dict[str, str] = {}
    for name, kind in kinds.items():
        if wanted is not None and name not in wanted:
            continue
        if kind == "numeric":
            columns[name] = "numeric"
        elif kind == "category":
            columns[name] = "category"
        else:
            left_out[name] = kind
    if not columns:
        raise InputError(f"{where} has no feature that can be monitored: a number or a text")
    return columns, left_out


def _moment(found: FeatureSet) -> str:
    feature = found.feature(found.event_time)
    column = quoted(found.event_time)
    is_text = feature is None or feature.type == "String"
    return f"to_unixtime(from_iso8601_timestamp({column}))" if is_text else f"CAST({column} AS double)"


def _moment_of(event_time: str, types: Mapping[str, str], source: str) -> str:
    kind = types.get(event_time)
    if kind is None:
        raise InputError(f"{source} has no column {event_time!r}, which event_time names")
    if kind.startswith(TEXTS):
        return f"to_unixtime(from_iso8601_timestamp({quoted(event_time)}))"
    if kind.startswith(("timestamp", "date")):
        return f"to_unixtime(CAST({quoted(event_time)} AS timestamp))"
    return f"CAST({quoted(event_time)} AS double)"


def _kind(kind: str) -> str:
    if kind.startswith(NUMBERS):
        return "numeric"
    return "category" if kind.startswith(TEXTS) else f"is {kind}"


def _arrow_kind(found: pa.DataType) -> str:
    import pyarrow as pa

    kinds = pa.types
    if kinds.is_integer(found) or kinds.is_floating(found) or kinds.is_boolean(found) or kinds.is_decimal(found):
        return "numeric"
    words = found.value_type if kinds.is_dictionary(found) else found
    return "category" if kinds.is_string(words) or kinds.is_large_string(words) else f"is {found}"
