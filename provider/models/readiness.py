"""Look whether a model has reached a level: describe it, and look for its data in S3."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from festaf.provider.models.ladder import ABSENT, UNVERSIONED, approved, check_level, created, registered
from festaf.provider.models.name import ModelName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.models.record import Container, ModelVersion
    from festaf.provider.readiness.board import Summary


@dataclass(frozen=True)
class ModelReadiness:
    """A level that a model is to reach."""

    hook: ModelHook
    name: str
    level: str

    @cached_property
    def asked(self) -> ModelName:
        """Read the name.

        :raises InputError: it is none
        """
        return ModelName.of(self.name)

    @property
    def artifact(self) -> str:
        """Name the artifact, for messages."""
        return f"Model {self.asked.label}"

    @property
    def absent(self) -> str:
        """Say that there is no such model."""
        return ABSENT

    def look(self) -> tuple[str, ...]:
        """Ask AWS once and tell what is missing; empty when the level is reached.

        :raises FailedArtifactError: it will not get there any more
        :raises FinalError: the question itself cannot be answered
        :raises ServiceError: AWS throttles or fails; ask again
        """
        check_level(self.level)
        if self.level == "CREATED":
            return self._created()
        version = self._version()
        if version is None:
            return (ABSENT if self.asked.version or not self._group_stands() else UNVERSIONED,)
        missing = registered(version, version.failure_reason)
        if missing or self.level == "REGISTERED":
            return missing
        return approved(version, version.approval_description)

    def _created(self) -> tuple[str, ...]:
        """Look for a SageMaker model of this name first, then for a version."""
        if self.asked.version is None and self.asked.kind in {None, "model"}:
            model = self.hook.describe_model(self.asked.name)
            if model is not None:
                return self._containers(model.containers)
        version = self._version()
        return (ABSENT,) if version is None else self._containers(version.containers)

    def _version(self) -> ModelVersion | None:
        return None if self.asked.kind == "model" else self.hook.describe_version(self.asked)

    def _group_stands(self) -> bool:
        return self.asked.kind != "model" and self.hook.describe_group(self.asked.group) is not None

    def _containers(self, containers: tuple[Container, ...]) -> tuple[str, ...]:
        """Look for the data of each container, and of those that a container takes from a registered version."""
        missing: list[str] = []
        resolved: list[Container] = []
        for container in containers:
            if container.model_package is None:
                resolved.append(container)
                continue
            package = self.hook.describe_package(container.model_package)
            if package is None:
                missing.append(f"model package {container.model_package} does not exist")
            else:
                resolved += [replace(item, hostname=container.hostname) for item in package.containers]
        if not resolved and missing:
            return tuple(missing)
        data = tuple(self.hook.data_exists(container) for container in resolved)
        return (*missing, *created(tuple(resolved), data))


@dataclass(frozen=True)
class Standing:
    """What the lists tell of a name: a version's states, or that a SageMaker model stands."""

    name: str
    status: str
    approval: str | None = None
    arn: str = ""


def read_versions(hook: ModelHook, name: str | None) -> Mapping[str, Summary]:
    """List versions under every name that a waiter may use: ``group``, ``group:version`` and both ARNs.

    A group stands for its newest version.

    :param name: the only name that is waited for; None lists every group's
    """
    asked = ModelName.of(name) if name else None
    if asked is not None and asked.kind == "model":
        return {}
    found: dict[str, Summary] = {}
    for version in hook.versions(asked.group if asked else None):
        standing = Standing(version.name, version.status, version.approval, version.arn)
        # The newest comes first, so that it keeps the group's name.
        for key in (version.name, version.arn, version.group, version.group_arn):
            found.setdefault(key, standing)
        if asked is not None and (asked.version is None or asked.version == version.number):
            break
    return found


def read_models(hook: ModelHook, name: str | None) -> Mapping[str, Summary]:
    """List versions and SageMaker models under every name that a waiter may use; a SageMaker model goes first."""
    found = dict(read_versions(hook, name))
    asked = ModelName.of(name) if name else None
    if asked is None or (asked.version is None and asked.kind in {None, "model"}):
        found |= dict(_models(hook, asked.name if asked else None))
    return found


def _models(hook: ModelHook, name: str | None) -> Iterator[tuple[str, Standing]]:
    for item in hook.models(name):
        standing = Standing(item["ModelName"], "Created", None, item["ModelArn"])
        yield item["ModelName"], standing
        yield item["ModelArn"], standing
