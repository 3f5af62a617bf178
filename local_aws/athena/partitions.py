"""Statements about a table's partitions: MSCK REPAIR TABLE, ALTER TABLE ADD and DROP PARTITION, SHOW PARTITIONS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from festaf.local_aws.athena.catalog import Catalog
from festaf.local_aws.athena.errors import NotSupportedError, QueryError
from festaf.local_aws.athena.hive_paths import unescaped
from festaf.local_aws.athena.registering import register
from festaf.local_aws.athena.results import Results
from festaf.local_aws.athena.writer import partition_folder
from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri

if TYPE_CHECKING:
    from festaf.local_aws.athena.catalog import GlueTable
    from festaf.local_aws.cloud import Cloud

_TEXT = r"'(?:[^']|'')*'"
_ADDED = re.compile(rf"\s*,?\s*PARTITION\s*\(([^()]*)\)(?:\s+LOCATION\s+({_TEXT}))?", re.IGNORECASE)
_PAIR = re.compile(rf"\s*[`\"]?(\w+)[`\"]?\s*=\s*({_TEXT}|-?[\w.]+)\s*(?:,|$)")


class Partitions:
    """Runs the statements of one region."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        self._cloud = cloud
        self._region = region
        self._glue = cloud.client("glue", region)
        self._catalog = Catalog(cloud, region)

    def repair(self, table: GlueTable) -> Results:
        """Register the partitions whose folders are there and that Glue does not know."""
        bucket, prefix = split_uri(table.location)
        pattern = re.compile("/".join(f"{re.escape(key)}=([^/]+)" for key, _ in table.keys) + "/", re.IGNORECASE)
        found = {}
        try:
            for stat in Objects(self._cloud, self._region).under(bucket, f"{prefix}/"):
                if match := pattern.match(stat.key[len(prefix) + 1 :]):
                    values = tuple(unescaped(value) for value in match.groups())
                    found[values] = f"s3://{bucket}/{prefix}/{match[0]}"
        except ObjectStoreError as error:
            raise QueryError("FAILED", f"SemanticException {error}") from error
        known = {partition.values for partition in self._catalog.partitions(table)}
        new = {values: place for values, place in found.items() if values not in known}
        register(self._glue, table.database, self._described(table), new)
        lines = [(f"Partitions not in metastore:\t{table.name}:{'/'.join(values)}",) for values in new]
        return Results.of_statement(["result"], lines)

    def add(self, table: GlueTable, tolerant: str | None, text: str) -> Results:
        """Register partitions.

        :param tolerant: IF NOT EXISTS, as it was written
        :param text: all the ``PARTITION (...) LOCATION '...'``
        """
        new: dict[tuple[str, ...], str] = {}
        names = tuple(key for key, _ in table.keys)
        for spec, location in _specs(text):
            if set(spec) != set(names):
                message = f"SemanticException Partition spec {_shown(spec)} contains non-partition columns"
                raise QueryError("FAILED", message)
            values = tuple(spec[name] for name in names)
            new[values] = location or partition_folder(table.location, names, values)
        known = {partition.values for partition in self._catalog.partitions(table)}
        if not tolerant and (standing := [values for values in new if values in known]):
            shown = _shown(dict(zip(names, standing[0], strict=True)))
            raise QueryError("FAILED", f"SemanticException AlreadyExistsException: Partition already exists. {shown}")
        fresh = {values: place for values, place in new.items() if values not in known}
        register(self._glue, table.database, self._described(table), fresh)
        return Results.of_statement()

    def drop(self, table: GlueTable, tolerant: str | None, text: str) -> Results:
        """Forget partitions; their files stay. A spec of some keys alone means every partition that fits it."""
        names = tuple(key for key, _ in table.keys)
        known = [partition.values for partition in self._catalog.partitions(table)]
        for spec, _ in _specs(text):
            if set(spec) - set(names):
                message = f"SemanticException Partition spec {_shown(spec)} contains non-partition columns"
                raise QueryError("FAILED", message)
            wanted = [
                values
                for values in known
                if all(spec.get(key, value) == value for key, value in zip(names, values, strict=True))
            ]
            if not wanted and not tolerant:
                raise QueryError("FAILED", f"SemanticException Partition not found {_shown(spec)}")
            for values in wanted:
                self._glue.delete_partition(
                    DatabaseName=table.database, TableName=table.name, PartitionValues=list(values)
                )
        return Results.of_statement()

    def show(self, table: GlueTable) -> Results:
        """List the partitions, as ``key=value/key=value``."""
        keys = [key for key, _ in table.keys]
        lines = sorted(
            "/".join(f"{key}={value}" for key, value in zip(keys, partition.values, strict=True))
            for partition in self._catalog.partitions(table)
        )
        return Results.of_statement(["partition"], [(line,) for line in lines])

    def _described(self, table: GlueTable) -> dict[str, Any]:
        described: dict[str, Any] = self._glue.get_table(DatabaseName=table.database, Name=table.name)["Table"]
        return described


def _specs(text: str) -> list[tuple[dict[str, str], str]]:
    """Read ``PARTITION (a = '1') LOCATION 's3://...' PARTITION ...``."""
    found, place = [], 0
    while match := _ADDED.match(text, place):
        found.append((_pairs(match[1]), _unquoted(match[2] or "")))
        place = match.end()
    if text[place:].strip() or not found:
        raise NotSupportedError(f"the partition specification {text.strip()[:80]!r}")
    return found


def _pairs(text: str) -> dict[str, str]:
    pairs, place = {}, 0
    while place < len(text):
        match = _PAIR.match(text, place)
        if match is None:
            raise NotSupportedError(f"the partition specification ({text.strip()[:80]})")
        pairs[match[1].lower()] = _unquoted(match[2])
        place = match.end()
    return pairs


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _shown(spec: dict[str, str]) -> str:
    return f"{{{', '.join(f'{key}={value}' for key, value in spec.items())}}}"
