"""Open what is monitored: the offline store of a feature set, a Glue table, a training set, or files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from festaf.contract.names import feature_set_uri
from festaf.provider.artifacts.feature_set import GlueTable
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


@dataclass(frozen=True)
class Opening:
    """Opens rows through one connection."""

    hook: FeatureStoreHook
    athena: AthenaHook
    query: AthenaQuery
    """Workgroup and output of every query."""
    timeout: float
    """Seconds that one query may take."""

    def feature_set(self, name: str, project: str, wanted: Sequence[str] | None) -> AthenaRows:
        """Open the offline store of a feature set; deleted records do not count.

        :raises InputError: there is none, or it has no offline store that SQL sees
        """
        found = self.hook.describe(name)
        if found is None:
            raise InputError(f"There is no feature set {name} in {self.hook.place}")
        if found.offline is None or found.offline.glue_table is None:
            raise InputError(f"Feature set {name} has no offline store that SQL sees: its past is not kept")
        place = found.offline.glue_table
        table = self.hook.glue_table(place)
        if table is None:
            raise InputError(f"The Glue table {place.database}.{place.table} of feature set {name} does not exist")
        columns, left_out = _choose(_feature_kinds(found), wanted, f"Feature set {name}")
        keys = [key["Name"] for key in table.get("PartitionKeys") or ()]
        return AthenaRows(
            hook=self.athena,
            uri=feature_set_uri(project, name),
            table=f"{quoted(place.database)}.{quoted(place.table)}",
            columns=columns,
            left_out=left_out,
            moment=_moment(found),
            hours=f"concat({', '.join(map(quoted, HOURS))})" if all(key in keys for key in HOURS) else None,
            only="NOT is_deleted",
            query=self._query(found.offline.s3_uri),
            timeout=self.timeout,
        )

    def source(self, uri: str, event_time: str | None, wanted: Sequence[str] | None) -> Rows:
        """Open ``glue://database/table`` for SQL, or the files of a path or URI.

        :raises InputError: there is nothing there
        """
        if urlsplit(uri).scheme == "glue":
            return self._table(uri, event_time, wanted)
        return self._files(uri, event_time, wanted)

    def _table(self, uri: str, event_time: str | None, wanted: Sequence[str] | None) -> AthenaRows:
        database, name = urlsplit(uri).netloc, urlsplit(uri).path.strip("/")
        table = self.hook.glue_table(GlueTable("AwsDataCatalog", database, name))
        if table is None:
            raise InputError(f"There is no Glue table {database}.{name} in {self.hook.place}")
        storage = table["StorageDescriptor"]
        types = {column["Name"]: column["Type"].lower() for column in storage["Columns"]}
        kinds = {column: _kind(kind) for column, kind in types.items() if column != event_time}
        columns, left_out = _choose(kinds, wanted, uri)
        return AthenaRows(
            hook=self.athena,
            uri=uri,
            table=f"{quoted(database)}.{quoted(name)}",
            columns=columns,
            left_out=left_out,
            moment=_moment_of(event_time, types, uri) if event_time else None,
            query=self._query(storage.get("Location") or ""),
            timeout=self.timeout,
        )

    def _files(self, uri: str, event_time: str | None, wanted: Sequence[str] | None) -> Rows:
        from festaf.provider.ingest.source import CSV, open_source
        from festaf.provider.monitoring.file_rows import FileRows

        if uri.lower().endswith(CSV):
            raise InputError(f"Source {uri} is CSV, which has no types: write it as Parquet")
        opened = open_source(uri, "parquet", self.hook)
        kinds = {name: _arrow_kind(found) for name, found in opened.types().items() if found and name != event_time}
        if event_time is not None and event_time not in opened.types():
            raise InputError(f"{uri} has no column {event_time!r}, which event_time names")
        columns, left_out = _choose(kinds, wanted, uri)
        return FileRows(opened, opened.uri or uri, columns, left_out, event_time)

    def _query(self, lies_in: str) -> AthenaQuery:
        """Give Athena a place for results: as told, else beside the data, unless a workgroup has its own."""
        if self.query.output or self.query.workgroup or self.athena.configured_output:
            return self.query
        bucket = urlsplit(lies_in).netloc
        return replace(self.query, output=f"s3://{bucket}/athena-results/") if bucket else self.query


def _feature_kinds(found: FeatureSet) -> dict[str, str]:
    kinds = {}
    for feature in found.features:
        if feature.name in {found.record_identifier, found.event_time}:
            continue
        kind = "category" if feature.type == "String" else "numeric"
        kinds[feature.name] = kind if feature.collection is None else f"is a {feature.collection}"
    return kinds


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
