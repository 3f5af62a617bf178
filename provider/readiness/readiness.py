"""Look whether a feature set has reached a level: describe it, then prove it with the store itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from festaf.provider.readiness.ladder import ABSENT, check_stores, created, fresh, queryable
from festaf.provider.readiness.probes import Probes

if TYPE_CHECKING:
    from collections.abc import Callable

    from festaf.provider.artifacts import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook
    from festaf.provider.readiness.bounds import Bounds


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Readiness:
    """A level that a feature set is to reach."""

    hook: FeatureStoreHook
    name: str
    level: str
    bounds: Bounds
    now: Callable[[], datetime] = _now

    @property
    def artifact(self) -> str:
        """Name the artifact, for messages."""
        return f"Feature set {self.name}"

    @property
    def absent(self) -> str:
        """Say that there is no such feature set."""
        return ABSENT

    def look(self) -> tuple[str, ...]:
        """Ask AWS once and tell what is missing; empty when the level is reached.

        :raises FailedArtifactError: it will not get there any more
        :raises FinalError: the question itself cannot be answered
        :raises ServiceError: AWS throttles or fails; ask again
        """
        self.bounds.check(self.level)
        found = self.hook.describe(self.name)
        missing = created(self.name, found, glue_table=self._glue_table(found))
        if found is None or missing or self.level == "CREATED":
            return missing
        check_stores(found, self.level, self.bounds)
        probes = Probes(self.hook, found)
        if self.level == "WRITABLE":
            return self._writable(probes)
        if self.level == "QUERYABLE":
            seen = probes.offline_rows(self.bounds)
            return (seen,) if isinstance(seen, str) else queryable(seen.count, seen.newest, self.bounds)
        return self._fresh(probes)

    def _glue_table(self, found: FeatureSet | None) -> bool:
        """Tell whether the Glue table exists; it is looked for only when all before it is done."""
        if found is None or found.status != "Created" or found.offline is None or found.offline.glue_table is None:
            return False
        return self.hook.glue_table(found.offline.glue_table) is not None

    def _writable(self, probes: Probes) -> tuple[str, ...]:
        if self.bounds.record is None:
            missing = probes.write_and_read_back()
            return (missing,) if missing else ()
        if probes.record_moment(self.bounds.record) is None:
            return (f"record {self.bounds.record!r} is not in the online store",)
        return ()

    def _fresh(self, probes: Probes) -> tuple[str, ...]:
        if self.bounds.record is not None:
            return fresh(probes.record_moment(self.bounds.record), self.now(), self.bounds)
        seen = probes.offline_rows(self.bounds)
        return (seen,) if isinstance(seen, str) else fresh(seen.newest, self.now(), self.bounds)
