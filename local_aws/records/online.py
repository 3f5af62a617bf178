"""The online store: the latest record of every identifier, in memory."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from festaf.local_aws.records.event_time import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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

    def has_expired(self, now: float) -> bool:
        """Say whether its time to live has ended.

        :param now: seconds since 1970
        """
        return self.ttl is not None and self.event_ns / NANOSECONDS + self.ttl <= now

    def expires_at(self, request: Mapping[str, Any]) -> str | None:
        """Give ExpiresAt as AWS writes it, if it expires and the request asks for it."""
        expires = self.expires
        if expires is None or request.get("ExpirationTimeResponse") != "Enabled":
            return None
        return datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def size(self) -> int:
        """Estimate the bytes that it takes."""
        return sum(map(len, self.values)) + sum(map(len, self.values.values()))


def spelled(values: Values, names: Sequence[str]) -> list[dict[str, Any]]:
    """Give values as AWS spells a record: only features that have one, in the order of the names."""
    return [
        {"FeatureName": name, "ValueAsString" if isinstance(values[name], str) else "ValueAsStringList": values[name]}
        for name in names
        if name in values
    ]


class _Table:
    """One group's records."""

    def __init__(self) -> None:
        self.records: dict[str, OnlineRecord] = {}
        self.size = 0
        self._sorted: list[str] | None = None

    def put(self, identifier: str, record: OnlineRecord) -> None:
        standing = self.records.get(identifier)
        if standing is None:
            self._sorted = None
        self.size += record.size() - (standing.size() if standing else 0)
        self.records[identifier] = record

    def remove(self, identifier: str) -> None:
        standing = self.records.pop(identifier, None)
        if standing is not None:
            self._sorted = None
            self.size -= standing.size()

    def identifiers(self) -> list[str]:
        """Give them sorted; they are sorted once for all pages of a list."""
        if self._sorted is None:
            self._sorted = sorted(self.records)
        return self._sorted


class OnlineTables:
    """The online records of every group; whoever changes them holds the lock of the records' service."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}

    def find(self, group: FeatureGroup, identifier: str, now: float) -> OnlineRecord | None:
        """Give a record, or the mark of its deletion; one that has expired is gone.

        :param now: seconds since 1970
        """
        table = self._tables.get(group.key)
        record = table.records.get(identifier) if table else None
        return None if record is None or record.has_expired(now) else record

    def expired(self, group: FeatureGroup, identifier: str, now: float) -> OnlineRecord | None:
        """Give a record that still takes room but has expired."""
        table = self._tables.get(group.key)
        record = table.records.get(identifier) if table else None
        return record if record is not None and record.has_expired(now) else None

    def put(self, group: FeatureGroup, identifier: str, record: OnlineRecord) -> None:
        """Take a record in place of the one that stands."""
        table = self._tables.get(group.key)
        if table is None:
            table = self._tables[group.key] = _Table()
        table.put(identifier, record)

    def remove(self, group: FeatureGroup, identifier: str) -> None:
        """Remove a record, if there is one."""
        if table := self._tables.get(group.key):
            table.remove(identifier)

    def page(self, group: FeatureGroup, after: str, length: int, now: float, *, also_deleted: bool) -> list[str]:
        """Give the next identifiers of records that stand, sorted, and one more if there are more.

        :param after: where the page before ended, or the empty text
        :param also_deleted: give softly deleted ones as well
        """
        table = self._tables.get(group.key)
        if table is None:
            return []
        identifiers = table.identifiers()
        found: list[str] = []
        for place in range(bisect_right(identifiers, after), len(identifiers)):
            record = table.records[identifiers[place]]
            if not record.has_expired(now) and (also_deleted or not record.deleted):
                found.append(identifiers[place])
                if len(found) > length:
                    break
        return found

    def size(self, group: FeatureGroup) -> int:
        """Estimate the bytes of a group's records."""
        table = self._tables.get(group.key)
        return table.size if table else 0

    def drop(self, group: FeatureGroup) -> None:
        """Forget a group's records."""
        self._tables.pop(group.key, None)

    def clear(self) -> None:
        """Forget every record."""
        self._tables.clear()
