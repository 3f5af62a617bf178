"""Bring about the feature set that was asked for: create it, or adopt the one that stands if it is the same."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.provider.errors import (
    TAKEN,
    FailedArtifactError,
    NotReadyError,
    RefusedError,
    ServiceError,
    SpecificationError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk.types import Logger

    from festaf.provider.artifacts.feature_set import FeatureSet
    from festaf.provider.artifacts.specification import FeatureSetSpecification
    from festaf.provider.hooks.feature_store import FeatureStoreHook

FAILED = {"CreateFailed", "DeleteFailed"}
STANDING = {"Creating", "Created"}
GOING = "Deleting"


@dataclass(frozen=True)
class Creation:
    """The steps from a specification to a feature set that AWS has accepted.

    :param timeout: seconds until waiting for an older feature set to be gone, or a new one to be visible, ends
    """

    hook: FeatureStoreHook
    log: Logger
    timeout: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def ensure(self, wanted: FeatureSetSpecification) -> FeatureSet:
        """Create the feature set, or verify that the one that stands is the same.

        :raises SpecificationError: one stands that differs
        :raises FailedArtifactError: one stands that AWS gave up
        :raises QuotaError: AWS creates too many at once now
        """
        deadline = self.clock() + self.timeout
        pause = 0.5
        taken = False
        while True:
            found = self.hook.describe(wanted.name)
            if found is not None and found.status != GOING:
                return self._adopted(wanted, found)
            if found is None and not taken:
                taken = not self._create(wanted)
            elif found is not None:
                self.log.info("An older feature set %s is still being deleted; waiting until it is gone", wanted.name)
                taken = False
            if self.clock() > deadline:
                raise ServiceError(f"Feature set {wanted.name} is neither gone nor visible after {self.timeout:.0f} s")
            self.sleep(pause)
            pause = min(pause * 1.5, 10.0)
            # A name that is taken and not to be seen is either not visible yet or just gone: look, then try again.
            taken = taken and pause < 5.0

    def wait(self, name: str, poll_interval: float) -> FeatureSet:
        """Wait until a feature set has reached CREATED: its stores are there, and its Glue table.

        :param poll_interval: seconds between two looks
        :raises FailedArtifactError: AWS gave it up
        :raises NotReadyError: ``timeout`` seconds passed with something missing
        """
        from festaf.provider.readiness.bounds import Bounds
        from festaf.provider.readiness.readiness import Readiness

        readiness = Readiness(self.hook, name, "CREATED", Bounds())
        started = self.clock()
        while True:
            try:
                missing = readiness.look()
            except ServiceError as error:
                missing = (str(error),)
            found = None if missing else self.hook.describe(name)
            if found is not None:
                return found
            waited = self.clock() - started
            if waited > self.timeout:
                raise NotReadyError(readiness.artifact, "CREATED", missing, waited)
            self.log.info("Feature set %s is not CREATED yet: %s", name, "; ".join(missing))
            self.sleep(poll_interval)

    def _create(self, wanted: FeatureSetSpecification) -> bool:
        """Ask AWS to create; False when AWS says that the name is taken, maybe by our own request's lost answer."""
        try:
            self.hook.create(wanted.request())
        except RefusedError as error:
            if error.code not in TAKEN:
                raise
            self.log.info("AWS says that %s exists already; comparing it with what is asked for", wanted.name)
            return False
        self.log.info("AWS creates feature set %s", wanted.name)
        return True

    def _adopted(self, wanted: FeatureSetSpecification, found: FeatureSet) -> FeatureSet:
        if found.status in FAILED:
            raise FailedArtifactError(f"Feature set {found.name}", found.status, found.failure_reason)
        if found.status not in STANDING:
            raise ServiceError(f"Feature set {found.name} has the unknown status {found.status!r}")
        tags = self.hook.tags(found.arn) if wanted.tags else None
        if differences := wanted.differences(found, tags):
            raise SpecificationError(f"Feature set {found.name}", differences)
        self.log.info("Feature set %s is %s, as asked for", found.name, found.status)
        return found
