"""An endpoint as it is asked for, and the names by which a rerun finds its own work.

A configuration cannot be changed at AWS, so it is named by a hash of its content: the same specification is the same
configuration. The hash covers when each model was created, too: a model that was deleted and made again under its old
name is another model, and must be deployed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.contract.names import sha256_of
from festaf.provider.errors import InputError
from festaf.provider.models.name import ModelName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.provider.endpoints.policy import Policy
    from festaf.provider.endpoints.variant import AsyncInference, DataCapture, Variant

ENDPOINT_TAG = "festaf:endpoint"
"""Tag of configurations and models that a deployment made: the endpoint that they were made for."""

NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
DIGITS = 12
"""How many digits of the hash stand in a name."""
LONGEST = 63


@dataclass(frozen=True, kw_only=True)
class EndpointSpecification:
    """An endpoint as it is asked for; None leaves a choice to AWS."""

    name: str
    variants: tuple[Variant, ...]
    role_arn: str | None = None
    asynchronous: AsyncInference | None = None
    data_capture: DataCapture | None = None
    kms_key_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: Policy | None = None
    keep_instance_counts: bool = False

    def check(self) -> None:
        """Find what cannot be right before AWS is asked.

        :raises InputError: something is missing or contradicts itself
        """
        check_name(self.name)
        if not self.variants:
            raise InputError(f"Endpoint {self.name} has no variant: give at least one, with a model")
        names = [variant.name for variant in self.variants]
        for variant in self.variants:
            if names.count(variant.name) > 1:
                raise InputError(f"Variant {variant.name!r} is given twice: names must differ")
            variant.check()
            self._check_package(variant)
        if all(float(variant.weight) == 0 for variant in self.variants):
            raise InputError(f"Every variant of endpoint {self.name} has the weight 0, so none would be asked")
        if self.asynchronous and any(variant.serverless is not None for variant in self.variants):
            raise InputError(f"Endpoint {self.name} cannot be asynchronous and serverless")

    def _check_package(self, variant: Variant) -> None:
        if not variant.model_package:
            return
        package = ModelName.of(variant.model_package)
        if package.kind not in {None, "model-package"} or (package.kind is None and package.version is None):
            raise InputError(
                f"model_package {variant.model_package!r} names no version: write group:version, or the version's ARN"
            )
        if not self.role_arn:
            raise InputError(
                f"A SageMaker model is made for variant {variant.name!r}, which needs a role: give role_arn, the ARN "
                "of a role that SageMaker may assume and that may read the model"
            )

    def model_name(self, variant: Variant) -> str:
        """Name the SageMaker model of a variant: the author's, or one by content for a model package."""
        if variant.model:
            return variant.model
        return hashed_name(self.name, self._model_content(variant))

    def model_request(self, variant: Variant) -> dict[str, Any]:
        """Write the request of CreateModel for a model package."""
        return {
            "ModelName": self.model_name(variant),
            **self._model_content(variant),
            "Tags": self._own_tags(),
        }

    def _model_content(self, variant: Variant) -> dict[str, Any]:
        container: dict[str, Any] = {"ModelPackageName": variant.model_package}
        if variant.environment:
            container["Environment"] = {key: str(value) for key, value in variant.environment.items()}
        return {"ExecutionRoleArn": self.role_arn, "Containers": [container], **variant.model_settings}

    def configuration_request(self, created: Mapping[str, str]) -> dict[str, Any]:
        """Write the request of CreateEndpointConfig, its name included.

        :param created: by the name of each model that the author named, when it was created
        """
        content: dict[str, Any] = {
            "ProductionVariants": [variant.request(self.model_name(variant)) for variant in self.variants]
        }
        if self.asynchronous:
            content["AsyncInferenceConfig"] = self.asynchronous.request()
        if self.data_capture:
            content["DataCaptureConfig"] = self.data_capture.request()
        if self.kms_key_id:
            content["KmsKeyId"] = self.kms_key_id
        name = hashed_name(self.name, content | {"ModelsCreated": dict(created)})
        return {"EndpointConfigName": name, **content, "Tags": self._own_tags()}

    def update_settings(self) -> dict[str, Any]:
        """Write what UpdateEndpoint takes besides the names."""
        return update_settings(self.policy, keep_instance_counts=self.keep_instance_counts)

    def _own_tags(self) -> list[dict[str, str]]:
        tags = {ENDPOINT_TAG: self.name} | dict(self.tags)
        return [{"Key": key, "Value": value} for key, value in tags.items()]


def update_settings(policy: Policy | None, *, keep_instance_counts: bool) -> dict[str, Any]:
    """Write what UpdateEndpoint takes besides the names."""
    settings: dict[str, Any] = {}
    if policy:
        settings["DeploymentConfig"] = policy.request()
    if keep_instance_counts:
        settings["RetainAllVariantProperties"] = True
        settings["ExcludeRetainedVariantProperties"] = [
            {"VariantPropertyType": "DesiredWeight"},
            {"VariantPropertyType": "DataCaptureConfig"},
        ]
    return settings


def hashed_name(endpoint: str, content: Mapping[str, Any]) -> str:
    """Name what is made for an endpoint by its content, in at most 63 characters."""
    text = json.dumps({"Endpoint": endpoint, **content}, sort_keys=True, separators=(",", ":"))
    return f"{hashed_stem(endpoint)}-{sha256_of(text)[:DIGITS]}"


def is_hashed_name(endpoint: str, name: str) -> bool:
    """Tell whether a name may be one that ``hashed_name`` gives for this endpoint."""
    return re.fullmatch(rf"{re.escape(hashed_stem(endpoint))}-[0-9a-f]{{{DIGITS}}}", name) is not None


def check_name(name: str) -> None:
    """Find a name that AWS refuses.

    :raises InputError: it is one
    """
    if not NAME.fullmatch(str(name)):
        raise InputError(f"{name!r} is no name of an endpoint: use 1 to 63 letters, digits and '-' between them")


def hashed_stem(endpoint: str) -> str:
    """Give what every name of ``hashed_name`` for this endpoint begins with."""
    return endpoint[: LONGEST - DIGITS - 1].rstrip("-")
