"""Look at the stores themselves: write and read back, read a record, count by SQL."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from festaf.provider.errors import AccessError, RefusedError
from festaf.provider.readiness.bounds import read_moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.athena import AthenaHook
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.readiness.bounds import Bounds

QUERY_SECONDS = 600.0
ONLINE_ONLY = ["OnlineStore"]


@dataclass(frozen=True)
class OfflineRows:
    """What SQL sees."""

    count: int
    newest: datetime | None


@dataclass(frozen=True)
class Probes:
    """Probes of one feature set; each call asks AWS."""

    hook: FeatureStoreHook
    found: FeatureSet
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def write_and_read_back(self) -> str | None:
        """Write a probe record to the online store, read it back, and delete it for good; tell what is missing.

        The probe has an identifier of its own at random, goes to the online store only, so that no history keeps it,
        and expires by itself after two weeks should the deletion be lost: longer than any clocks differ.
        """
        identifier = self._probe_identifier()
        now = datetime.now(UTC)
        record: dict[str, str | list[str]] = {
            self.found.record_identifier: identifier,
            self.found.event_time: self._event_time(now),
        }
        ttl = {"Unit": "Weeks", "Value": 2}
        try:
            self.hook.put_record(self.found.name, record, TargetStores=ONLINE_ONLY, TtlDuration=ttl)
        except RefusedError as error:
            return f"AWS does not take a record: {error}"
        try:
            return None if self._reads(identifier) else "the probe record cannot be read back"
        finally:
            later = self._event_time(now + timedelta(seconds=1))
            self.hook.delete_record(
                self.found.name, identifier, later, TargetStores=ONLINE_ONLY, DeletionMode="HardDelete"
            )

    def record_moment(self, identifier: str) -> datetime | None:
        """Give the event time of a record in the online store; None when there is none."""
        record = self.hook.get_record(self.found.name, identifier)
        return self._moment(record[self.found.event_time]) if record else None

    def offline_rows(self, bounds: Bounds) -> OfflineRows | str:
        """Count the rows that SQL sees, and find their newest event time; or tell why SQL does not answer."""
        store = self.found.offline
        assert store is not None
        assert store.glue_table is not None
        column = f'"{self.found.event_time}"'
        moment = f"to_unixtime(from_iso8601_timestamp({column}))" if self._is_text else column
        sql = (
            f"SELECT count(*) AS n, max({moment}) AS newest "
            f'FROM "{store.glue_table.database}"."{store.glue_table.table}" WHERE NOT is_deleted'
        )
        answer = self._query(sql, bounds)
        if isinstance(answer, str):
            return answer
        newest = answer["newest"]
        return OfflineRows(int(answer["n"] or 0), datetime.fromtimestamp(float(newest), UTC) if newest else None)

    @property
    def _is_text(self) -> bool:
        feature = self.found.feature(self.found.event_time)
        return feature is None or feature.type == "String"

    def _event_time(self, moment: datetime) -> str:
        if self._is_text:
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"{moment.timestamp():.3f}"

    def _moment(self, value: Any) -> datetime:
        text = str(value)
        return read_moment(text) if self._is_text else datetime.fromtimestamp(float(text), UTC)

    def _probe_identifier(self) -> str:
        feature = self.found.feature(self.found.record_identifier)
        if feature is None or feature.type == "String":
            return f"festaf-probe-{secrets.token_hex(8)}"
        return str(-(2**52) - secrets.randbelow(2**51) * 2)

    def _reads(self, identifier: str) -> bool:
        for _ in range(5):
            if self.hook.get_record(self.found.name, identifier):
                return True
            self.sleep(0.5)
        return False

    def _query(self, sql: str, bounds: Bounds) -> dict[str, str | None] | str:
        """Run a query that gives one row, and give it; or tell why SQL does not answer."""
        from festaf.provider.hooks.athena import SUCCEEDED, AthenaHook, AthenaQuery, failure
        from festaf.provider.hooks.patience import Patience

        athena = self.hook.beside(AthenaHook)
        patience = Patience(QUERY_SECONDS, through_trouble=False, clock=self.clock, sleep=self.sleep)
        query = AthenaQuery(sql, workgroup=bounds.workgroup, output=self._output(athena, bounds))
        try:
            execution = athena.start(query, patience)
        except RefusedError as error:
            return f"Athena does not take a query: {error}"
        found = athena.wait(execution, patience, f"count of {self.found.name}")
        if found.state != SUCCEEDED:
            reason = found.reason or "Athena gives no reason"
            if isinstance(failure(found), AccessError):
                raise AccessError(f"Athena may not answer: {reason}")
            return f"SQL does not answer: {reason}"
        return next(athena.rows(execution, patience), "SQL answers without a row")

    def _output(self, athena: AthenaHook, bounds: Bounds) -> str:
        if output := bounds.athena_output or athena.configured_output:
            return output
        assert self.found.offline is not None
        return f"s3://{urlsplit(self.found.offline.s3_uri).netloc}/athena-results/"
