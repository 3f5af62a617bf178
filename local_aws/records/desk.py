"""The way from accepted records to the offline store: tables and rows are handed over when their time has come."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.local_aws.faults import Faults
    from festaf.local_aws.feature_groups.group import FeatureGroup
    from festaf.local_aws.feature_groups.repository import FeatureGroups
    from festaf.local_aws.offline_store import OfflineRow, OfflineStore
    from festaf.local_aws.settings import CurrentSettings
    from festaf.local_aws.state.journal import Journal
    from festaf.local_aws.state.store import Store


class OfflineDesk:
    """Hands rows to the offline store, and has it make tables and files by the clock.

    ``work`` runs before anything that reads S3, Glue or Athena, and every now and then; whoever reads sees all that
    is due by the clock, at once after a jump.
    """

    def __init__(
        self,
        groups: FeatureGroups,
        offline: OfflineStore,
        settings: CurrentSettings,
        faults: Faults,
        store: Store,
        journal: Journal,
    ) -> None:
        self._groups = groups
        self._offline = offline
        self._settings = settings
        self._faults = faults
        self._store = store
        self._journal = journal
        self.writing = threading.RLock()
        """Held while a request's records are taken and stored: rows taken and rows stored are the same under it."""
        self._working = threading.Lock()
        self._lock = threading.Lock()
        self._held: dict[str, tuple[FeatureGroup, list[OfflineRow]]] = {}
        """Rows of groups whose offline store a fault holds up, by the group's key."""
        self._waiting: dict[str, tuple[FeatureGroup, int]] = {}
        """Groups with rows that may not be in files yet, by key, each with the number of its last ``take``."""
        self._takes = 0

    def take(self, group: FeatureGroup, rows: Sequence[OfflineRow]) -> None:
        """Take accepted rows of one group, in their order."""
        with self._lock:
            self._takes += 1
            self._waiting[group.key] = (group, self._takes)
            if group.key in self._held or self._faults.held(group.name):
                self._held.setdefault(group.key, (group, []))[1].extend(rows)
                return
        self._offline.append(group.view, rows)

    def trouble(self, group: FeatureGroup) -> dict[str, str] | None:
        """Give the OfflineStoreStatus of a group whose offline store does not work, None when it does."""
        if group.offline is None:
            return None
        reason = self._offline.blocked(group.view)
        return self._faults.held(group.name) or ({"Status": "Blocked", "BlockedReason": reason} if reason else None)

    def work(self) -> None:
        """Make the tables that are due and write the rows that are due."""
        now = self._groups.clock.now()
        due = [group for group in self._groups.all() if group.needs_table(now)]
        if not due and not self._waiting:
            return
        with self._working, self._journal.together():
            for group in due:
                self._offline.create_table(group.view)
                group.table_made = True
                self._groups.save(group)
            self._release()
            with self.writing:
                last, waiting = self._store.last_row(), list(self._waiting.values())
            self._offline.delay_seconds = self._settings.now.offline_delay_seconds
            self._offline.flush(now)
            done = self._written(waiting)
            self._journal.delivered(done, last)
        for group in done:
            self._store.delivered(group, last)

    def reset(self) -> None:
        """Forget every row that waits."""
        with self._working, self._lock:
            self._held.clear()
            self._waiting.clear()
            self._offline.reset()

    def _release(self) -> None:
        """Hand over the rows of groups that no fault blocks any more."""
        with self._lock:
            for key, (group, rows) in list(self._held.items()):
                if not self._faults.held(group.name):
                    self._offline.append(group.view, rows)
                    del self._held[key]

    def _written(self, waiting: list[tuple[FeatureGroup, int]]) -> list[FeatureGroup]:
        """Give the groups whose rows are all in files now, of those that had some."""
        written = []
        with self._lock:
            for group, take in waiting:
                if group.key in self._held or self._offline.waiting(group.view):
                    continue
                written.append(group)
                if self._waiting.get(group.key) == (group, take):
                    del self._waiting[group.key]
        return written
