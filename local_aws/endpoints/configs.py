"""SageMaker's operations on endpoint configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.models import find_model
from festaf.local_aws.objects import split_uri
from festaf.local_aws.resources.listing import page_of
from festaf.local_aws.resources.resource import arn_of
from festaf.local_aws.service import ApiError, Call, Handler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource

CONFIG = "endpoint-config"
"""The kind of endpoint configurations in Resources, as in their ARNs."""

_SHOWN = (
    "DataCaptureConfig",
    "KmsKeyId",
    "AsyncInferenceConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
    "MetricsConfig",
)
_NOT_HERE = ("ShadowProductionVariants", "ExplainerConfig")
_NOT_HERE_OF_VARIANTS = ("InstancePools", "ManagedInstanceScaling", "CapacityReservationConfig", "AcceleratorType")
_MEMORY_STEP = 1024


class EndpointConfigService:
    """Answers SageMaker's endpoint configuration operations."""

    name = "sagemaker"

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self.operations: Mapping[str, Handler] = {
            "CreateEndpointConfig": self.create,
            "DescribeEndpointConfig": self.describe,
            "ListEndpointConfigs": self.list_configs,
            "DeleteEndpointConfig": self.delete,
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Create a configuration; its models have to stand."""
        name = request["EndpointConfigName"]
        _check(request)
        with self._resources.lock:
            for variant in request["ProductionVariants"]:
                find_model(self._resources, call.region, variant["ModelName"])
            if self._resources.find(CONFIG, call.region, name) is not None:
                arn = arn_of(CONFIG, call.region, name)
                raise _invalid(f'Cannot create already existing endpoint configuration "{arn}".')
            variants = [{"InitialVariantWeight": 1.0, **variant} for variant in request["ProductionVariants"]]
            made = self._resources.create(CONFIG, call.region, name, {**request, "ProductionVariants": variants})
        return {"EndpointConfigArn": made.arn}

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe a configuration."""
        config = find_config(self._resources, call.region, request["EndpointConfigName"])
        return {
            **_summary(config),
            "ProductionVariants": config.request["ProductionVariants"],
            **{member: config.request[member] for member in _SHOWN if member in config.request},
        }

    def list_configs(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the configurations of the region."""
        found = [_summary(one) for one in self._resources.all(CONFIG, call.region)]
        return page_of(found, request, answer="EndpointConfigs", name="EndpointConfigName")

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a configuration; an endpoint that uses it goes on, but cannot be updated any more."""
        with self._resources.lock:
            self._resources.remove(find_config(self._resources, call.region, request["EndpointConfigName"]))
        return {}


def find_config(resources: Resources, region: str, name: str) -> Resource:
    """Give an endpoint configuration.

    :raises ApiError: ValidationException, when there is none
    """
    absent = f'Could not find endpoint configuration "{arn_of(CONFIG, region, name)}".'
    return resources.get(CONFIG, region, name, absent)


def _summary(config: Resource) -> dict[str, Any]:
    return {
        "EndpointConfigName": config.name,
        "EndpointConfigArn": config.arn,
        "CreationTime": config.created_at,
    }


def _check(request: Mapping[str, Any]) -> None:
    for member in _NOT_HERE:
        if request.get(member):
            raise _invalid(f"The local AWS does not serve endpoints with {member}.")
    variants = request["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise _invalid("The names of the production variants must be unique.")
    for variant in variants:
        _check_variant(variant)
    if any("ServerlessConfig" in variant for variant in variants):
        _check_serverless(request)
    for member in ("DataCaptureConfig", "AsyncInferenceConfig"):
        _check_destination(request.get(member, {}))


def _check_variant(variant: Mapping[str, Any]) -> None:
    name = variant["VariantName"]
    for member in _NOT_HERE_OF_VARIANTS:
        if variant.get(member):
            raise _invalid(f"The local AWS does not serve variants with {member}.")
    if "ModelName" not in variant:
        raise _invalid(f"The local AWS serves no inference components: the variant {name} needs a ModelName.")
    serverless = variant.get("ServerlessConfig")
    if serverless is None:
        if "InstanceType" not in variant or "InitialInstanceCount" not in variant:
            raise _invalid(
                f"The variant {name} must have either InstanceType and InitialInstanceCount or a ServerlessConfig."
            )
        return
    if "InstanceType" in variant or "InitialInstanceCount" in variant:
        raise _invalid(f"The variant {name} cannot have a ServerlessConfig and instances.")
    if serverless["MemorySizeInMB"] % _MEMORY_STEP:
        raise _invalid(f"MemorySizeInMB of the variant {name} must be a multiple of {_MEMORY_STEP}.")
    if serverless.get("ProvisionedConcurrency", 0) > serverless["MaxConcurrency"]:
        raise _invalid(f"ProvisionedConcurrency of the variant {name} must not be greater than its MaxConcurrency.")


def _check_serverless(request: Mapping[str, Any]) -> None:
    """Refuse what AWS does not offer for serverless endpoints."""
    if len(request["ProductionVariants"]) > 1:
        raise _invalid("A serverless endpoint can have only one production variant.")
    for member in ("DataCaptureConfig", "AsyncInferenceConfig", "VpcConfig"):
        if request.get(member):
            raise _invalid(f"A serverless endpoint cannot have {member}.")


def _check_destination(config: Mapping[str, Any]) -> None:
    output = config.get("OutputConfig", {})
    for uri in (config.get("DestinationS3Uri"), output.get("S3OutputPath"), output.get("S3FailurePath")):
        if uri is None:
            continue
        try:
            split_uri(uri)
        except ValueError:
            raise _invalid(f"The local AWS writes only to s3:// URIs, not to {uri}.") from None


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
