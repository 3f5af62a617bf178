"""Retire a feature set, with its offline data and Glue table when asked."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from festaf.provider.errors import FailedArtifactError, RefusedError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk.types import Logger

    from festaf.provider.artifacts.feature_set import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook


@dataclass(frozen=True)
class Deletion:
    """The steps by which a feature set goes.

    :param poll_interval: seconds between two looks
    :param timeout: seconds after which waiting ends
    """

    hook: FeatureStoreHook
    log: Logger
    poll_interval: float
    timeout: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def delete_data(self, found: FeatureSet) -> int:
        """Delete the offline store's objects, and give how many there were.

        Only what lies under the folder that AWS made for this feature set is touched (ResolvedOutputS3Uri).
        """
        if found.offline is None or not found.offline.resolved_s3_uri:
            self.log.info("Feature set %s has no offline data", found.name)
            return 0
        parts = urlsplit(found.offline.resolved_s3_uri)
        count = self.hook.delete_objects(parts.netloc, parts.path.strip("/") + "/")
        self.log.info("Deleted %s objects of %s", f"{count:,}", found.offline.resolved_s3_uri)
        return count

    def delete_table(self, found: FeatureSet) -> bool:
        """Delete the offline store's Glue table; False when there was none."""
        table = found.offline.glue_table if found.offline else None
        deleted = table is not None and self.hook.delete_glue_table(table)
        if table is not None and deleted:
            self.log.info("Deleted Glue table %s.%s", table.database, table.table)
        return deleted

    def delete(self, found: FeatureSet) -> None:
        """Ask AWS to delete the feature set; one that AWS is still creating is waited for.

        :raises RefusedError: AWS refuses
        """
        deadline = self.clock() + self.timeout
        while True:
            try:
                self.hook.delete(found.name)
            except RefusedError as error:
                now = self.hook.describe(found.name)
                if now is None or now.status == "Deleting":
                    return
                if now.status != "Creating" or self.clock() > deadline:
                    raise
                self.log.info("AWS does not delete %s yet: %s", found.name, error)
                self.sleep(self.poll_interval)
            else:
                self.log.info("AWS deletes feature set %s", found.name)
                return

    def wait(self, found: FeatureSet) -> None:
        """Wait until the feature set is gone, or one of the same name was created since.

        :raises FailedArtifactError: AWS gave the deletion up
        :raises ServiceError: it still stands after ``timeout`` seconds
        """
        deadline = self.clock() + self.timeout
        while True:
            now = self.hook.describe(found.name)
            if now is None or now.created_at != found.created_at:
                return
            if now.status == "DeleteFailed":
                raise FailedArtifactError(f"Feature set {found.name}", now.status, now.failure_reason)
            if self.clock() > deadline:
                raise ServiceError(f"Feature set {found.name} is still {now.status} after {self.timeout:.0f} s")
            self.sleep(self.poll_interval)
