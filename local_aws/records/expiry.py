"""Records whose time to live has ended: they leave the online store and are marked deleted offline."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from festaf.local_aws.offline_store import OfflineRow
from festaf.local_aws.state.store import Written

if TYPE_CHECKING:
    from festaf.local_aws.feature_groups.group import FeatureGroup
    from festaf.local_aws.records.online import OnlineRecord
    from festaf.local_aws.records.service import RecordService


class Expiry:
    """Knows which records expire next; whoever calls it holds the lock of the records' service.

    A record that has expired is not read any more, whether or not it was swept. Sweeping is what AWS does later, in
    the background: it adds the mark of the deletion to the offline store, with the time of expiry as event time.
    """

    def __init__(self) -> None:
        self._next: list[tuple[float, str, str]] = []
        self._groups: dict[str, FeatureGroup] = {}

    def note(self, group: FeatureGroup, identifier: str, record: OnlineRecord) -> None:
        """Remember when a record expires, if it does."""
        if record.expires is not None:
            self._groups[group.key] = group
            heapq.heappush(self._next, (record.expires, group.key, identifier))

    def sweep(self, records: RecordService) -> None:
        """Remove the records that have expired by now."""
        now = records.now()
        changes = []
        while self._next and self._next[0][0] <= now:
            expires, key, identifier = heapq.heappop(self._next)
            group = self._groups[key]
            standing = records.online.expired(group, identifier, now)
            if standing is None or standing.expires != expires:
                continue
            row = None if group.offline is None or standing.deleted else _mark(group, identifier, expires, now)
            change = Written(group, identifier, removed=True, offline=row)
            records.apply(change)
            changes.append(change)
        if changes:
            records.keep(changes)

    def clear(self) -> None:
        """Forget every record."""
        self._next.clear()
        self._groups.clear()


def _mark(group: FeatureGroup, identifier: str, expires: float, now: float) -> OfflineRow:
    event_time = f"{expires:.3f}"
    if group.schema.takes_text:
        event_time = f"{datetime.fromtimestamp(expires, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return OfflineRow({group.identifier: identifier, group.event_time: event_time}, event_time, now, is_deleted=True)
