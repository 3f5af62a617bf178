"""One feature group's way into S3 and Glue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri
from festaf.local_aws.offline_store import layout
from festaf.local_aws.offline_store.catalog import CatalogError, ensure_table, register_partitions
from festaf.local_aws.offline_store.columns import BadValueError
from festaf.local_aws.offline_store.hours import by_hour, set_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.offline_store.hours import Hours
    from festaf.local_aws.offline_store.layout import Group
    from festaf.local_aws.offline_store.row import OfflineRow
    from festaf.local_aws.written_files import WrittenFiles


class Sink:
    """Writes the rows of one feature group; only one thread at a time may call it.

    A sink never loses a row: it gives back what it could not write, and says in ``blocked`` why.
    """

    def __init__(self, cloud: Cloud, group: Group, written: WrittenFiles) -> None:
        self.group = group
        self.blocked: str | None = None
        self.bad_rows: list[OfflineRow] = []
        """Rows with a value that is not of its feature's type: kept, and not tried again."""
        self._cloud = cloud
        self._written = written
        self._table_wanted = False
        self._table_ready = False
        self._registered: set[tuple[str, ...]] = set()
        self._unregistered: set[tuple[str, ...]] = set()

    @property
    def unpublished(self) -> bool:
        """Say whether Glue should know something that it does not know yet."""
        return self._table_wanted and (not self._table_ready or bool(self._unregistered))

    def want_table(self) -> None:
        """Create the table, or give it the columns that the group has now."""
        self._table_wanted = True
        self._table_ready = False
        self.publish()

    def publish(self) -> None:
        """Tell Glue about the table and the new partitions.

        Before the table was asked for, a missing one is no fault: rows may come while it is being made.
        """
        table = layout.table_of(self.group)
        try:
            if table is not None and layout.owns_table(self.group):
                self._publish(table)
        except CatalogError as error:
            if self._table_wanted or not error.absent:
                self.blocked = str(error)
            else:
                self._unblock()
            return
        self._table_ready = True
        self._registered |= self._unregistered
        self._unregistered.clear()
        self._unblock()

    def write(self, rows: Sequence[OfflineRow], write_time: float) -> list[OfflineRow]:
        """Write rows, one file per hour of event time, and give back those that could not be written.

        :param write_time: epoch seconds
        """
        bucket, folder = split_uri(layout.resolved_uri(self.group))
        objects = Objects(self._cloud, layout.region_of(self.group))
        if not objects.has_bucket(bucket):
            self.blocked = f"The S3 bucket {bucket} does not exist or cannot be reached"
            return list(rows)
        try:
            sorted_rows = by_hour(self.group, rows, write_time)
        except BadValueError as error:
            rows, bad = set_apart(self.group, rows)
            self.bad_rows += bad
            self._unblock(str(error))
            if not rows:
                return []
            sorted_rows = by_hour(self.group, rows, write_time)
        written = self._put(objects, bucket, folder, sorted_rows)
        if written < len(rows):
            return [rows[index] for index in sorted(sorted_rows.order[written:])]
        self.publish()
        return []

    def _put(self, objects: Objects, bucket: str, folder: str, rows: Hours) -> int:
        """Write the files, and give the number of rows that are in S3 now."""
        kept = rows.table.rename_columns([name.lower() for name in rows.table.column_names])
        for hour in rows.hours:
            key = f"{folder}/{layout.partition_path(hour.values)}/{layout.file_name(hour.latest)}"
            try:
                etag = objects.put(bucket, key, rows.parquet(hour))
            except ObjectStoreError as error:
                self.blocked = f"S3 refused a file of the bucket {bucket}: {error}"
                return hour.start
            self._written.keep(bucket, key, etag, kept.slice(hour.start, hour.stop - hour.start))
            if hour.values not in self._registered:
                self._unregistered.add(hour.values)
        return len(rows.order)

    def _publish(self, table: layout.TableName) -> None:
        if self._table_wanted and not self._table_ready:
            ensure_table(self._cloud, self.group, table)
        if self._unregistered and not layout.is_iceberg(self.group):
            register_partitions(self._cloud, self.group, table, sorted(self._unregistered))

    def _unblock(self, reason: str = "") -> None:
        if self.bad_rows:
            count = len(self.bad_rows)
            self.blocked = f"{count} rows cannot be written: {reason}" if reason else self.blocked
        else:
            self.blocked = None
