"""What a task says that it did to an endpoint."""

from __future__ import annotations

from typing import Literal

from festaf.contract.model import Model
from festaf.contract.names import DEFAULT_PROJECT

DEPLOYED_FACET = "festaf_endpoint"
"""The dataset facet that carries an EndpointDeployed under the key ``endpoint``."""

Action = Literal["created", "updated", "unchanged", "rolled back", "shifted", "onboarded", "deleted"]


class ServedVariant(Model):
    """One variant as the endpoint serves it."""

    name: str
    model: str | None = None
    """Name of the SageMaker model."""
    model_package: str | None = None
    """ARN of the model package version that the model was made from."""
    weight: float | None = None
    """Share of the traffic, relative to the other variants."""
    instance_type: str | None = None
    """None for a serverless variant."""
    instances: int | None = None

    @property
    def artifact(self) -> str | None:
        """Name the model as an artifact: the group of its model package, else the SageMaker model."""
        if self.model_package:
            return self.model_package.split(":model-package/", 1)[-1].split("/", 1)[0]
        return self.model


class EndpointDeployed(Model):
    """An endpoint after a task was done with it."""

    kind: Literal["endpoint"] = "endpoint"
    project: str = DEFAULT_PROJECT
    endpoint: str
    action: Action
    configuration: str | None = None
    """Name of the endpoint configuration that was deployed."""
    previous_configuration: str | None = None
    """Name of the one that a rollback goes to."""
    variants: tuple[ServedVariant, ...] = ()
    asynchronous: bool = False
    data_capture_s3_uri: str | None = None
    owner: str | None = None
    description: str | None = None
    region: str | None = None
    account: str | None = None
    deleted: bool = False
    """True when the task retired the endpoint."""
