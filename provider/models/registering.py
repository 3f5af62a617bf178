"""Bring about a registered version: find it if an earlier try made it, else make it, and wait until AWS is done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.provider.errors import (
    TAKEN,
    FailedArtifactError,
    InputError,
    RefusedError,
    ServiceError,
)
from festaf.provider.models import metadata as keys
from festaf.provider.models.ladder import registered
from festaf.provider.models.name import ModelName
from festaf.provider.models.registration import EVALUATION, RECORD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.sdk.types import Logger

    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.models.origin import Origin
    from festaf.provider.models.record import ModelGroup, ModelVersion
    from festaf.provider.models.registration import Registration

GROUP_SECONDS = 120.0
"""How long a group that AWS says exists may stay unseen."""


@dataclass(frozen=True)
class Registering:
    """The steps from a registration to a version that AWS has completed.

    :param timeout: seconds until waiting for AWS ends
    """

    hook: ModelHook
    log: Logger
    timeout: float
    poll_interval: float = 5.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def ensure_group(self, name: str, description: str | None, tags: Mapping[str, str]) -> ModelGroup:
        """Give the group, which is created when it is not there.

        :raises FailedArtifactError: AWS gave it up, or is deleting it
        """
        deadline = self.clock() + min(self.timeout, GROUP_SECONDS)
        pause, asked = 0.5, False
        while True:
            group = self.hook.describe_group(name)
            if group is not None and group.status == "Completed":
                return group
            if group is not None and group.status not in {"Pending", "InProgress"}:
                raise FailedArtifactError(f"Model package group {name}", group.status, None)
            if group is None and name.startswith("arn:"):
                raise InputError(f"There is no model package group {name}, and one that an ARN names is not created")
            if group is None and not asked:
                self._create_group(name, description, tags)
                asked = True
            elif self.clock() > deadline:
                state = "not to be seen" if group is None else f"still {group.status}"
                raise ServiceError(f"Model package group {name} was created and is {state} after {pause:.0f} s")
            else:
                self.sleep(pause)
                pause = min(pause * 1.5, 5.0)

    def ensure(self, wanted: Registration, origin: Origin) -> ModelVersion:
        """Register the version unless an earlier try of this task has, and give it as it stands.

        :raises InputError: its model data are not there
        """
        key = wanted.key(origin)
        found, failed = self._registered(wanted, key, origin)
        if found is not None:
            self.log.info("This task registered model %s before; it is %s", found.name, found.status)
            return found
        folder = wanted.folder(key)
        if folder is not None:
            if wanted.evaluation.metrics:
                self.hook.write_json(f"{folder}/{EVALUATION}", wanted.evaluation.as_json(wanted.problem))
            self.hook.write_json(f"{folder}/{RECORD}", wanted.fact(origin).model_dump(mode="json"))
        arn = self.hook.create_version(wanted.request(key, origin, failed))
        self.log.info("AWS registers %s", arn)
        return self._seen(arn)

    def wait(self, version: ModelVersion) -> ModelVersion:
        """Wait until AWS has completed the registration.

        :raises FailedArtifactError: AWS gave it up; with its reason
        :raises ServiceError: it is not done after ``timeout`` seconds
        """
        started = self.clock()
        now = version
        while missing := registered(now, now.failure_reason):
            waited = self.clock() - started
            if waited > self.timeout:
                raise ServiceError(f"Model {version.name} is not registered after {waited:.0f} s: {'; '.join(missing)}")
            self.sleep(self.poll_interval)
            now = self._seen(version.arn)
        self.log.info("Model %s is registered", now.name)
        return now

    def _registered(self, wanted: Registration, key: str, origin: Origin) -> tuple[ModelVersion | None, int]:
        """Find the version with this key that did not fail, and count those that did."""
        failed = 0
        for summary in self.hook.versions(wanted.group, since=origin.since):
            if summary.status == "Deleting":
                continue
            version = self.hook.find_package(summary.arn)
            if version is None or version.metadata.get(keys.REGISTRATION) != key:
                continue
            if version.status != "Failed":
                return version, failed
            self.log.info("An earlier try registered model %s, which failed: %s", version.name, version.failure_reason)
            failed += 1
        return None, failed

    def _create_group(self, name: str, description: str | None, tags: Mapping[str, str]) -> None:
        asked = {
            "ModelPackageGroupName": name,
            "ModelPackageGroupDescription": description,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        try:
            self.hook.create_group({key: value for key, value in asked.items() if value})
        except RefusedError as error:
            if error.code not in TAKEN and "already exists" not in str(error).lower():
                raise
            self.log.info("AWS says that group %s exists already", name)
        else:
            self.log.info("Created model package group %s", name)

    def _seen(self, arn: str) -> ModelVersion:
        """Describe a version that AWS has acknowledged; it may take a moment until it can be seen."""
        deadline = self.clock() + min(self.timeout, GROUP_SECONDS)
        pause = 0.5
        while True:
            version = self.hook.describe_package(arn)
            if version is not None:
                return version
            if self.clock() > deadline:
                raise ServiceError(f"Model {ModelName.of(arn).label} was registered and is not to be seen")
            self.sleep(pause)
            pause = min(pause * 1.5, 5.0)


def model_data_etags(hook: ModelHook, wanted: Registration) -> tuple[str | None, ...]:
    """Look at the model data before anything is created.

    :raises InputError: an object is not there
    """
    etags: list[str | None] = []
    for container in wanted.parsed:
        etag = hook.data_etag(container)
        if etag is None and hook.data_exists(container) is False:
            raise InputError(f"The model data {container.model_data} of model {wanted.name} do not exist")
        etags.append(etag)
    return tuple(etags)
