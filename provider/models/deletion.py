"""Retire a version, a group or a SageMaker model, unless an endpoint uses it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from festaf.provider.errors import FailedArtifactError, InputError, ServiceError
from festaf.provider.models.usage import endpoints_of_model, endpoints_of_versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk.types import Logger

    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.models.record import ModelGroup, ModelVersion, VersionSummary


@dataclass(frozen=True)
class ModelDeletion:
    """The steps by which models go.

    :param force: whether what an endpoint uses is deleted too
    :param poll_interval: seconds between two looks
    :param timeout: seconds after which waiting ends
    """

    hook: ModelHook
    log: Logger
    force: bool
    poll_interval: float
    timeout: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def delete_model(self, name: str) -> bool:
        """Delete a SageMaker model; False when there was none.

        :raises InputError: an endpoint serves it
        """
        if self.hook.patiently(lambda: self.hook.describe_model(name)) is None:
            return False
        self._refuse_used(f"Model {name}", lambda: endpoints_of_model(self.hook, name))
        self.hook.delete_model(name)
        self._wait(f"Model {name}", lambda: self._model_state(name))
        return True

    def delete_version(self, version: VersionSummary) -> None:
        """Delete a registered version.

        :raises InputError: an endpoint serves it
        """
        self._refuse_used(f"Model {version.name}", lambda: endpoints_of_versions(self.hook, frozenset({version.arn})))
        self._delete_versions((version,))

    def delete_group(self, group: ModelGroup, *, with_versions: bool) -> None:
        """Delete a group, and its versions before it when asked.

        :raises InputError: it has versions, or an endpoint serves one of them
        """
        versions = tuple(self.hook.versions(group.arn))
        if versions and not with_versions:
            raise InputError(
                f"Model {group.name} has {len(versions):,} versions, the newest is {versions[0].name}: delete them "
                "first, or give delete_versions=True"
            )
        arns = frozenset(version.arn for version in versions)
        if arns:
            self._refuse_used(f"Model {group.name}", lambda: endpoints_of_versions(self.hook, arns))
        self._delete_versions(versions)
        self.hook.delete_group(group.arn)
        self._wait(f"Model package group {group.name}", lambda: self._group_state(group))

    def _delete_versions(self, versions: tuple[VersionSummary, ...]) -> None:
        for version in versions:
            if version.status != "Deleting":
                self.hook.delete_version(version.arn)
                self.log.info("AWS deletes model %s", version.name)
        for version in versions:
            self._wait(f"Model {version.name}", lambda arn=version.arn: self._version_state(arn))  # type: ignore[misc]

    def _refuse_used(self, who: str, users: Callable[[], tuple[str, ...]]) -> None:
        if self.force:
            return
        if found := users():
            raise InputError(
                f"{who} is served by endpoint {', '.join(found)}: delete the endpoint first, or give force=True"
            )

    def _wait(self, who: str, state: Callable[[], str | None]) -> None:
        """Wait until it is gone.

        :raises FailedArtifactError: AWS gave the deletion up
        :raises ServiceError: it still stands after ``timeout`` seconds
        """
        deadline = self.clock() + self.timeout
        while (now := state()) is not None:
            if now == "DeleteFailed":
                raise FailedArtifactError(who, now, None)
            if self.clock() > deadline:
                raise ServiceError(f"{who} is still {now or 'there'} after {self.timeout:.0f} s")
            self.sleep(self.poll_interval)
        self.log.info("%s is gone", who)

    def _model_state(self, name: str) -> str | None:
        return None if self.hook.describe_model(name) is None else "there"

    def _version_state(self, arn: str) -> str | None:
        found: ModelVersion | None = self.hook.describe_package(arn)
        return found.status if found else None

    def _group_state(self, group: ModelGroup) -> str | None:
        found = self.hook.describe_group(group.arn)
        return found.status if found and found.created_at == group.created_at else None
