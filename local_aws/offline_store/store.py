"""The offline store: takes rows at the speed of PutRecord, writes them later as AWS does."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.local_aws.offline_store import layout
from festaf.local_aws.offline_store.sink import Sink
from festaf.local_aws.written_files import WrittenFiles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from festaf.local_aws.clock import Clock
    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.offline_store.layout import Group
    from festaf.local_aws.offline_store.row import OfflineRow


@dataclass
class _Queue:
    """The rows of one feature group that wait; a group of the same name made later has a queue of its own."""

    sink: Sink
    rows: list[OfflineRow] = field(default_factory=list)
    oldest: float | None = None
    """When the first of the rows was accepted, in epoch seconds; None when none waits."""


class OfflineStore:
    """All feature groups' offline stores; safe to call from several threads.

    Rows wait in memory until ``delay_seconds`` have passed since the oldest of their group was accepted; then all that
    wait are written together, one file per hour of event time, so that a long ingestion makes few files. A sink that
    fails keeps its rows and tries again at every flush.
    """

    def __init__(
        self, cloud: Cloud, clock: Clock, delay_seconds: float = 5.0, written: WrittenFiles | None = None
    ) -> None:
        self.delay_seconds = delay_seconds
        self._cloud = cloud
        self._written = WrittenFiles() if written is None else written
        self._clock = clock
        self._queues: dict[tuple[str, Any], _Queue] = {}
        self._lock = threading.Lock()
        self._flushing = threading.Lock()

    def resolve(self, group: Group) -> str:
        """Give ``ResolvedOutputS3Uri``: the folder under which the group's partitions stand."""
        return layout.resolved_uri(group)

    def catalog(self, group: Group) -> dict[str, str] | None:
        """Give ``DataCatalogConfig`` as DescribeFeatureGroup shows it; None when the group has no table."""
        table = layout.table_of(group)
        if table is None:
            return None
        return {"TableName": table.table, "Catalog": layout.CATALOG, "Database": table.database}

    def create_table(self, group: Group) -> None:
        """Create the group's Glue table, or add the columns that the group got since; a failure shows in ``blocked``.

        A group with ``DisableGlueTableCreation`` gets none.
        """
        with self._flushing:
            with self._lock:
                queue = self._queue(group)
            queue.sink.want_table()

    def append(self, group: Group, rows: Iterable[OfflineRow]) -> None:
        """Take rows that were accepted; they are written by a later flush, in the order in which they came."""
        with self._lock:
            queue = self._queue(group)
            queue.rows.extend(rows)
            if queue.oldest is None and queue.rows:
                queue.oldest = queue.rows[0].api_invocation_time

    def flush(self, now: float) -> None:
        """Write the rows of every group whose oldest row was accepted ``delay_seconds`` ago.

        :param now: epoch seconds of the clock; the rows' ``write_time``
        """
        with self._flushing:
            for queue in self._all():
                if queue.oldest is not None and queue.oldest + self.delay_seconds <= now:
                    self._write(queue, now)
                elif queue.sink.unpublished:
                    queue.sink.publish()

    def blocked(self, group: Group) -> str | None:
        """Say why the rows of a feature group cannot be written, or None when they can.

        The reason is what DescribeFeatureGroup gives as ``OfflineStoreStatus.BlockedReason``.
        """
        queue = self._find(group)
        return queue.sink.blocked if queue else None

    def waiting(self, group: Group) -> int:
        """Count the rows of a feature group that are not in S3 yet."""
        queue = self._find(group)
        return len(queue.rows) + len(queue.sink.bad_rows) if queue else 0

    def reset(self) -> None:
        """Forget every group and every waiting row; what is in S3 and Glue stays."""
        with self._flushing, self._lock:
            self._queues.clear()

    def _all(self) -> list[_Queue]:
        with self._lock:
            return list(self._queues.values())

    def _find(self, group: Group) -> _Queue | None:
        with self._lock:
            return self._queues.get(_key(group))

    def _queue(self, group: Group) -> _Queue:
        """Find the group's queue, and keep the group as it is now; the lock must be held."""
        key = _key(group)
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue(Sink(self._cloud, group, self._written))
        queue.sink.group = group
        return queue

    def _write(self, queue: _Queue, now: float) -> None:
        """Write what waits; what could not be written waits on, before what came since."""
        with self._lock:
            rows, queue.rows, queue.oldest = queue.rows, [], None
        left = rows
        try:
            left = queue.sink.write(rows, now)
        finally:
            if left:
                with self._lock:
                    queue.rows[:0] = left
                    queue.oldest = left[0].api_invocation_time


def _key(group: Group) -> tuple[str, Any]:
    """Tell a group from one of the same name in another region, or of another time."""
    return group["FeatureGroupArn"], group["CreationTime"]
