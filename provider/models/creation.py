"""Bring about the SageMaker model that was asked for: create it, or adopt the one that stands if it is the same."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import TAKEN, InputError, RefusedError, ServiceError, SpecificationError
from festaf.provider.models.record import Container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow.sdk.types import Logger

    from festaf.provider.hooks.model import ModelHook
    from festaf.provider.models.record import SageMakerModel

Difference = tuple[str, Any, Any]
"""Field, wanted, found."""


@dataclass(frozen=True, kw_only=True)
class ModelSpecification:
    """A SageMaker model as it is asked for; None leaves a choice to AWS and is not compared."""

    name: str
    containers: tuple[Mapping[str, Any], ...]
    """As AWS spells them (ContainerDefinition)."""
    role_arn: str | None
    vpc_config: Mapping[str, Any] | None = None
    network_isolation: bool | None = None
    execution_mode: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Find what cannot be right before AWS is asked.

        :raises InputError: something is missing
        """
        if not self.role_arn:
            raise InputError(
                f"Model {self.name} needs a role: give role_arn, the ARN of a role that SageMaker may assume and that "
                "may read the model data"
            )
        if not self.containers:
            raise InputError(f"Model {self.name} has no container: give model_package, image_uri or containers")
        for container in self.containers:
            if not container.get("Image") and not container.get("ModelPackageName"):
                raise InputError(
                    f"A container of model {self.name} has no image: give image_uri, or Image in containers"
                )

    def request(self) -> dict[str, Any]:
        """Write the request of CreateModel."""
        containers = [dict(container) for container in self.containers]
        asked: dict[str, Any] = {
            "ModelName": self.name,
            "PrimaryContainer": containers[0] if len(containers) == 1 else None,
            "Containers": containers if len(containers) > 1 else None,
            "ExecutionRoleArn": self.role_arn,
            "VpcConfig": dict(self.vpc_config) if self.vpc_config else None,
            "EnableNetworkIsolation": self.network_isolation,
            "InferenceExecutionConfig": {"Mode": self.execution_mode} if self.execution_mode else None,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()] or None,
        }
        return {key: value for key, value in asked.items() if value is not None}

    def differences(self, found: SageMakerModel, tags: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """Compare with a model that stands, one line for each difference.

        :param tags: the tags that stand; None leaves them out
        """
        pairs = [*self._own_fields(found), *self._container_fields(found)]
        if tags is not None:
            pairs += [(f"tag {key}", value, tags.get(key)) for key, value in self.tags.items()]
        return tuple(
            f"{name}: wanted {_said(wanted)}, found {_said(there)}" for name, wanted, there in pairs if wanted != there
        )

    def _own_fields(self, found: SageMakerModel) -> Iterator[Difference]:
        yield "role_arn", self.role_arn, found.role_arn
        if self.network_isolation is not None:
            yield "network_isolation", self.network_isolation, found.network_isolation
        if self.execution_mode:
            yield "execution_mode", self.execution_mode, found.execution_mode
        for key, values in (self.vpc_config or {}).items():
            yield f"vpc_config {key}", sorted(values), sorted(found.vpc.get(key) or ())

    def _container_fields(self, found: SageMakerModel) -> Iterator[Difference]:
        wanted = tuple(map(Container.of, self.containers))
        if len(wanted) != len(found.containers):
            yield "containers", len(wanted), len(found.containers)
            return
        for number, (asked, there) in enumerate(zip(wanted, found.containers, strict=True), start=1):
            prefix = f"container {number} " if len(wanted) > 1 else ""
            for name in ("image", "model_data", "model_package", "mode"):
                # AWS writes image and data of a registered version into the description.
                if asked.model_package and name in {"image", "model_data"} and getattr(asked, name) is None:
                    continue
                yield f"{prefix}{name}", getattr(asked, name), getattr(there, name)
            yield from _environment(prefix, asked, there)


@dataclass(frozen=True)
class ModelCreation:
    """The steps from a specification to a SageMaker model.

    :param timeout: seconds until waiting for a model to be visible ends
    """

    hook: ModelHook
    log: Logger
    timeout: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def ensure(self, wanted: ModelSpecification) -> SageMakerModel:
        """Create the model, or verify that the one that stands is the same.

        :raises SpecificationError: one stands that differs
        """
        deadline = self.clock() + self.timeout
        pause, taken = 0.5, False
        while True:
            found = self.hook.describe_model(wanted.name)
            if found is not None:
                return self._adopted(wanted, found)
            if self.clock() > deadline:
                raise ServiceError(f"Model {wanted.name} was created and is not to be seen after {self.timeout:.0f} s")
            if taken:
                self.sleep(pause)
                pause = min(pause * 1.5, 5.0)
            # A name that is taken and not to be seen is either not visible yet or just gone: look, then try again.
            if not taken or pause >= 5.0:
                self._create(wanted)
                taken = True

    def _create(self, wanted: ModelSpecification) -> None:
        """Ask AWS to create; a name that is taken may be so by our own request's lost answer."""
        try:
            self.hook.create_model(wanted.request())
        except RefusedError as error:
            if error.code not in TAKEN and "already exist" not in str(error).lower():
                raise
            self.log.info("AWS says that model %s exists already; comparing it with what is asked for", wanted.name)
        else:
            self.log.info("Created model %s", wanted.name)

    def _adopted(self, wanted: ModelSpecification, found: SageMakerModel) -> SageMakerModel:
        tags = self.hook.tags(found.arn) if wanted.tags else None
        if differences := wanted.differences(found, tags):
            raise SpecificationError(f"Model {found.name}", differences)
        self.log.info("Model %s stands as asked for", found.name)
        return found


def _environment(prefix: str, asked: Container, there: Container) -> Iterator[Difference]:
    """Compare environments; what a registered version brings along besides is not compared."""
    names = asked.environment.keys() if asked.model_package else asked.environment.keys() | there.environment.keys()
    for name in sorted(names):
        yield f"{prefix}environment {name}", asked.environment.get(name), there.environment.get(name)


def _said(value: Any) -> str:
    return "nothing" if value in (None, []) else str(value)
