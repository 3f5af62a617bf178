"""Change a feature set in place to what is asked for, and say of what AWS cannot change how to get there."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import (
    FailedArtifactError,
    InputError,
    QuotaError,
    RefusedError,
    ServiceError,
    SpecificationError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk.types import Logger

    from festaf.provider.artifacts.change import Change, UpdateSpecification
    from festaf.provider.artifacts.feature_set import FeatureSet
    from festaf.provider.hooks.feature_store import FeatureStoreHook

STANDING, COMING = "Created", "Creating"
SUCCESSFUL, FAILED, RUNNING = "Successful", "Failed", "InProgress"
STALE_SECONDS = 10.0
"""How long a failure that stood before the request may still be shown after it."""
LOOKS = 5
"""How often AWS is asked for a feature set before it counts as absent."""
STORAGE_HINT = "AWS lets a feature set switch to OnDemand once in 24 hours: run again later, or keep Provisioned"
FEATURES_HINT = "put the new features into another feature set with the same record identifier"


@dataclass
class FeatureSetUpdate:
    """The steps from a feature set as it stands to one as it is asked for; AWS takes one kind of change at a time.

    :param timeout: seconds after which every wait ends
    """

    hook: FeatureStoreHook
    log: Logger
    timeout: float
    poll_interval: float = 5.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    done: list[str] = field(default_factory=list)
    """What was changed."""

    def __post_init__(self) -> None:
        self._deadline = self.clock() + self.timeout

    def ensure(self, wanted: UpdateSpecification) -> FeatureSet:
        """Bring the feature set to what is asked for; what stands already is left alone.

        :raises SpecificationError: AWS cannot do a part of it; nothing is changed then
        :raises FailedArtifactError: AWS gave the feature set or the update up
        :raises ServiceError: the deadline passed
        """
        found = self._settled(wanted.name)
        if refusals := wanted.refusals(found):
            raise SpecificationError(f"Feature set {found.name}", refusals)
        for change in wanted.changes(found):
            found = self._changed(change, found)
        self._wait_for_columns(found)
        self._describe_features(wanted, found)
        self._tag(wanted, found)
        self.log.info("Feature set %s is as asked for; changed: %s", found.name, ", ".join(self.done) or "nothing")
        return found

    def _look(self, name: str) -> FeatureSet:
        """Describe it; one that was just created may not be visible to every read."""
        for left in reversed(range(LOOKS)):
            found = self.hook.describe(name)
            if found is not None:
                return found
            if left:
                self.sleep(0.5)
        raise InputError(
            f"There is no feature set {name} in {self.hook.place} to update: create it with CreateFeatureSetOperator"
        )

    def _settled(self, name: str) -> FeatureSet:
        """Wait until the feature set is created and no other update runs."""
        while True:
            found = self._look(name)
            if found.status == STANDING and found.last_update_status != RUNNING:
                return found
            if found.status not in {STANDING, COMING}:
                raise FailedArtifactError(f"Feature set {name}", found.status, found.failure_reason)
            what = "an update" if found.status == STANDING else "its creation"
            self._pause(f"Feature set {name} is busy with {what}")

    def _changed(self, change: Change, before: FeatureSet) -> FeatureSet:
        """Ask for one change, and wait until it stands."""
        while not change.stands(before):
            self.log.info("Updating feature set %s: %s", before.name, change.what)
            try:
                self.hook.update({"FeatureGroupName": before.name, **change.request})
            except QuotaError as error:
                hint = FEATURES_HINT if "FeatureAdditions" in change.request else STORAGE_HINT
                raise RefusedError(f"{error}. {hint}", code=error.code, operation=error.operation) from error
            except RefusedError:
                # The answer to a request of ours may have been lost, or another's update be under way: look again.
                now = self._look(before.name)
                if now.last_update_status != RUNNING and not change.stands(now):
                    raise
            else:
                self._wait(change, before)
            before = self._settled(before.name)
        self.done.append(change.what)
        return before

    def _wait(self, change: Change, before: FeatureSet) -> None:
        asked, moved = self.clock(), False
        while True:
            now = self._look(before.name)
            moved = moved or _last(now) != _last(before) or self.clock() - asked > STALE_SECONDS
            if now.last_update_status == FAILED and moved:
                raise FailedArtifactError(
                    f"The update of feature set {now.name} ({change.what})", FAILED, now.last_update_reason
                )
            if now.last_update_status != RUNNING and change.stands(now):
                return
            self._pause(f"The update of feature set {now.name} ({change.what}) is {now.last_update_status}")

    def _wait_for_columns(self, found: FeatureSet) -> None:
        """Wait until the Glue table has a column for every feature: before that SQL does not see the new ones."""
        table = found.offline.glue_table if found.offline and found.offline.creates_glue_table else None
        while table is not None:
            seen = self.hook.glue_table(table)
            columns = {item["Name"].lower() for item in seen["StorageDescriptor"]["Columns"]} if seen else set()
            missing = [feature.name for feature in found.features if feature.name.lower() not in columns]
            if not missing:
                return
            self._pause(f"Glue table {table.database}.{table.table} has no column yet for {', '.join(missing)}")

    def _describe_features(self, wanted: UpdateSpecification, found: FeatureSet) -> None:
        """Bring descriptions and parameters of single features to what is asked for (UpdateFeatureMetadata)."""
        for name, asked in wanted.metadata().items():
            there = self.hook.feature_metadata(found.name, name)
            request: dict[str, Any] = {}
            if asked.description is not None and asked.description != there.description:
                request["Description"] = asked.description
            if new := {key: value for key, value in asked.parameters.items() if there.parameters.get(key) != value}:
                request["ParameterAdditions"] = [{"Key": key, "Value": value} for key, value in new.items()]
            if request:
                self.hook.update_feature_metadata(found.name, name, request)
                self.done.append(f"metadata of {name}")

    def _tag(self, wanted: UpdateSpecification, found: FeatureSet) -> None:
        there = self.hook.tags(found.arn) if wanted.tags else {}
        if new := {key: value for key, value in wanted.tags.items() if there.get(key) != value}:
            self.hook.add_tags(found.arn, new)
            self.done.append(f"tags {', '.join(new)}")

    def _pause(self, why: str) -> None:
        """Wait for the next look.

        :raises ServiceError: the deadline passed
        """
        if self.clock() > self._deadline:
            raise ServiceError(f"{why}, after {self.timeout:.0f} s", operation="UpdateFeatureGroup")
        self.log.info("%s; looking again in %.0f s", why, self.poll_interval)
        self.sleep(self.poll_interval)


def _last(found: FeatureSet) -> tuple[Any, ...]:
    return found.last_update_status, found.last_update_reason, found.modified_at
