"""The parts of an endpoint as an author asks for them, and how AWS spells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from festaf.provider.endpoints.given import given, number, without_none
from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Serverless:
    """No instances: AWS starts containers as requests come.

    :param memory_mb: 1024, 2048, 3072, 4096, 5120 or 6144
    :param max_concurrency: requests at once, 1 to 200
    :param provisioned_concurrency: how many containers are kept warm
    """

    memory_mb: int = 2048
    max_concurrency: int = 5
    provisioned_concurrency: int | None = None

    def request(self) -> dict[str, Any]:
        """Write AWS's ServerlessConfig."""
        warm = self.provisioned_concurrency
        config = {
            "MemorySizeInMB": number("memory_mb", self.memory_mb),
            "MaxConcurrency": number("max_concurrency", self.max_concurrency),
            "ProvisionedConcurrency": None if warm is None else number("provisioned_concurrency", warm),
        }
        return without_none(config)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One production variant: a model, what it runs on, and its share of the traffic.

    :param model: name of a SageMaker model; or give ``model_package``
    :param model_package: a model package version, ``group:version`` or its ARN; its SageMaker model is made when it is
        not there
    :param name: the variant's name
    :param instance_type: such as ``ml.m5.large``; or give ``serverless``
    :param instance_count: instances to begin with
    :param weight: share of the traffic, relative to the other variants
    :param serverless: Serverless or a mapping with its fields
    :param environment: environment of the container, with ``model_package``
    :param model_settings: further fields of CreateModel in AWS's spelling (VpcConfig, EnableNetworkIsolation), with
        ``model_package``
    :param settings: further fields of ProductionVariant in AWS's spelling (RoutingConfig, VolumeSizeInGB, ...)
    """

    model: str | None = None
    model_package: str | None = None
    name: str = "AllTraffic"
    instance_type: str | None = None
    instance_count: int = 1
    weight: float = 1.0
    serverless: Serverless | Mapping[str, Any] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    model_settings: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Find what cannot be right before AWS is asked.

        :raises InputError: something is missing or contradicts itself
        """
        who = f"Variant {self.name!r}"
        if bool(self.model) == bool(self.model_package):
            raise InputError(f"{who} needs model or model_package, and not both")
        if bool(self.instance_type) == (self.serverless is not None):
            raise InputError(f"{who} needs instance_type or serverless, and not both")
        if self.model and (self.environment or self.model_settings):
            raise InputError(f"{who} serves a model that exists: environment and model_settings are of model_package")
        if number("weight", self.weight, float) < 0:
            raise InputError(f"{who} has the weight {self.weight}: write 0 or more")

    def request(self, model: str) -> dict[str, Any]:
        """Write AWS's ProductionVariant.

        :param model: name of the SageMaker model
        """
        asked: dict[str, Any] = {
            "VariantName": self.name,
            "ModelName": model,
            "InitialVariantWeight": number("weight", self.weight, float),
        }
        if self.serverless is not None:
            asked["ServerlessConfig"] = given(Serverless, self.serverless).request()
        else:
            asked["InstanceType"] = self.instance_type
            asked["InitialInstanceCount"] = number("instance_count", self.instance_count)
        return asked | dict(self.settings)


@dataclass(frozen=True, kw_only=True)
class AsyncInference:
    """Requests are queued, and answers put into S3.

    :param output_s3_uri: where answers go, ``s3://bucket/prefix``
    :param failure_s3_uri: where failures go
    :param max_concurrency: requests at once on one instance, 1 to 1,000; None leaves it to AWS
    :param kms_key_id: key that encrypts the answers
    :param success_topic: ARN of the SNS topic that is told of answers
    :param error_topic: ARN of the SNS topic that is told of failures
    """

    output_s3_uri: str
    failure_s3_uri: str | None = None
    max_concurrency: int | None = None
    kms_key_id: str | None = None
    success_topic: str | None = None
    error_topic: str | None = None

    def request(self) -> dict[str, Any]:
        """Write AWS's AsyncInferenceConfig."""
        topics = without_none({"SuccessTopic": self.success_topic, "ErrorTopic": self.error_topic})
        output = {
            "S3OutputPath": _s3_prefix("output_s3_uri", self.output_s3_uri),
            "S3FailurePath": _s3_prefix("failure_s3_uri", self.failure_s3_uri) if self.failure_s3_uri else None,
            "KmsKeyId": self.kms_key_id,
            "NotificationConfig": topics or None,
        }
        most = self.max_concurrency
        client = {"MaxConcurrentInvocationsPerInstance": number("max_concurrency", most)} if most else None
        return without_none({"OutputConfig": without_none(output), "ClientConfig": client})


@dataclass(frozen=True, kw_only=True)
class DataCapture:
    """Requests and answers are kept in S3, for monitoring.

    :param s3_uri: where they go, ``s3://bucket/prefix``
    :param percent: how many of them, 0 to 100
    :param inputs: whether requests are kept
    :param outputs: whether answers are kept
    :param csv_content_types: content types that are kept as CSV text; others are kept in base64
    :param json_content_types: content types that are kept as JSON text
    :param kms_key_id: key that encrypts them
    """

    s3_uri: str
    percent: int = 100
    inputs: bool = True
    outputs: bool = True
    csv_content_types: tuple[str, ...] = ("text/csv",)
    json_content_types: tuple[str, ...] = ("application/json",)
    kms_key_id: str | None = None

    def request(self) -> dict[str, Any]:
        """Write AWS's DataCaptureConfig."""
        modes = [mode for mode, kept in (("Input", self.inputs), ("Output", self.outputs)) if kept]
        if not modes:
            raise InputError("DataCapture keeps neither inputs nor outputs: keep one, or leave data_capture out")
        types = {
            "CsvContentTypes": list(self.csv_content_types) or None,
            "JsonContentTypes": list(self.json_content_types) or None,
        }
        asked = {
            "EnableCapture": True,
            "InitialSamplingPercentage": number("percent", self.percent),
            "DestinationS3Uri": _s3_prefix("s3_uri", self.s3_uri),
            "KmsKeyId": self.kms_key_id,
            "CaptureOptions": [{"CaptureMode": mode} for mode in modes],
            "CaptureContentTypeHeader": without_none(types) or None,
        }
        return without_none(asked)


def _s3_prefix(what: str, uri: str) -> str:
    if not str(uri).startswith("s3://"):
        raise InputError(f"{what} {uri!r} is no S3 URI: write s3://bucket/prefix")
    return str(uri)
