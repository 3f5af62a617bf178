"""The online store: the latest record of every identifier, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from festaf.local_aws.records.event_time import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from festaf.local_aws.feature_groups.group import FeatureGroup
    from festaf.local_aws.records.schema import Values

SECONDS = {"Seconds": 1, "Minutes": 60, "Hours": 3600, "Days": 86_400, "Weeks": 604_800}


@dataclass(frozen=True, slots=True)
class OnlineRecord:
    """One identifier's latest record, or the mark that it was deleted softly."""

    values: Values
    event_time: str
    event_ns: int
    ttl: int | None = None
    """Time to live in seconds; the group's at the time of the write, unless the record had its own."""
    deleted: bool = False

    @property
    def expires(self) -> float | None:
        """Give when it expires, in seconds since 1970."""
        return None if self.ttl is None else self.event_ns / NANOSECONDS + self.ttl

    def expires_at(self, request: Mapping[str, Any]) -> str | None:
        """Give ExpiresAt as AWS writes it, if it expires and the request asks for it."""
        expires = self.expires
        if expires is None or request.get("ExpirationTimeResponse") != "Enabled":
            return None
        return datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def size(self) -> int:
        """Estimate the bytes that it takes."""
        return sum(
            len(name) + (len(value) if isinstance(value, str) else sum(map(len, value)))
            for name, value in self.values.items()
        )


def spelled(values: Values, names: Sequence[str]) -> list[dict[str, Any]]:
    """Give values as AWS spells a record: only features that have one, in the order of the names."""
    return [
        {"FeatureName": name, "ValueAsString" if isinstance(values[name], str) else "ValueAsStringList": values[name]}
        for name in names
        if name in values
    ]


class OnlineTables:
    """The online records of every group; whoever changes them holds the lock of the records' service."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, OnlineRecord]] = {}

    def find(self, group: FeatureGroup, identifier: str, now: float) -> OnlineRecord | None:
        """Give a record, or the mark of its deletion; one that has expired is gone.

        :param now: seconds since 1970
        """
        table = self._tables.get(group.key)
        record = table.get(identifier) if table else None
        if record is None or table is None or record.ttl is None:
            return record
        expires = record.expires
        return None if expires is not None and expires <= now else record

    def expired(self, group: FeatureGroup, identifier: str, now: float) -> OnlineRecord | None:
        """Give a record that still takes room but has expired."""
        record = self._tables.get(group.key, {}).get(identifier)
        return None if record is None or record.expires is None or record.expires > now else record

    def put(self, group: FeatureGroup, identifier: str, record: OnlineRecord) -> None:
        """Take a record in place of the one that stands."""
        self._tables.setdefault(group.key, {})[identifier] = record

    def remove(self, group: FeatureGroup, identifier: str) -> None:
        """Remove a record, if there is one."""
        self._tables.get(group.key, {}).pop(identifier, None)

    def standing(self, group: FeatureGroup, now: float) -> Iterator[tuple[str, OnlineRecord]]:
        """Give the records of a group by identifier, softly deleted ones included, expired ones not."""
        for identifier, record in list(self._tables.get(group.key, {}).items()):
            expires = record.expires
            if expires is None or expires > now:
                yield identifier, record

    def size(self, group: FeatureGroup) -> int:
        """Estimate the bytes of a group's records."""
        return sum(record.size() for record in list(self._tables.get(group.key, {}).values()))

    def drop(self, group: FeatureGroup) -> None:
        """Forget a group's records."""
        self._tables.pop(group.key, None)

    def clear(self) -> None:
        """Forget every record."""
        self._tables.clear()
