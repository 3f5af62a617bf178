"""An endpoint as it stands at AWS."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from festaf.contract.names import DEFAULT_PROJECT
from festaf.provider.artifacts.feature_set import OWNER_TAG, PROJECT_TAG
from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from festaf.contract.endpoint import Action, EndpointDeployed
    from festaf.provider.hooks.endpoint import EndpointHook

PREVIOUS_TAG = "festaf:previous-configuration"
"""Tag of an endpoint: the configuration that served before the last deployment."""


@dataclass(frozen=True, kw_only=True)
class EndpointSummary:
    """An endpoint as ListEndpoints tells it."""

    name: str
    arn: str
    status: str
    created_at: datetime
    modified_at: datetime

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> EndpointSummary:
        """Read one element of ListEndpoints's answer."""
        return cls(
            name=item["EndpointName"],
            arn=item["EndpointArn"],
            status=item.get("EndpointStatus") or "",
            created_at=item["CreationTime"],
            modified_at=item["LastModifiedTime"],
        )


@dataclass(frozen=True, kw_only=True)
class EndpointVariant:
    """A variant as it serves; what only the configuration and the model know is filled in by ``Endpoint.load``."""

    name: str
    current_weight: float | None = None
    desired_weight: float | None = None
    current_instances: int | None = None
    """None for a serverless variant."""
    desired_instances: int | None = None
    states: tuple[str, ...] = ()
    """What AWS is doing with it: Creating, Updating, Deleting, ActivatingTraffic, Baking."""
    images: tuple[str, ...] = ()
    model: str | None = None
    model_package: str | None = None
    """ARN of the model package version that the model was made from."""
    instance_type: str | None = None
    serverless: Mapping[str, Any] | None = None
    """MemorySizeInMB, MaxConcurrency and ProvisionedConcurrency."""

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> EndpointVariant:
        """Read a ProductionVariantSummary."""
        serverless = item.get("CurrentServerlessConfig") or item.get("DesiredServerlessConfig")
        images = (image.get("ResolvedImage") or image.get("SpecifiedImage") for image in item.get("DeployedImages", ()))
        return cls(
            name=item["VariantName"],
            current_weight=item.get("CurrentWeight"),
            desired_weight=item.get("DesiredWeight"),
            current_instances=None if serverless else item.get("CurrentInstanceCount"),
            desired_instances=None if serverless else item.get("DesiredInstanceCount"),
            states=tuple(state["Status"] for state in item.get("VariantStatus") or ()),
            images=tuple(image for image in images if image),
            serverless=serverless,
        )

    def asked_for_by(self, asked: ConfiguredVariant | None) -> EndpointVariant:
        """Fill in what only the configuration knows; None when it does not know the variant."""
        if asked is None:
            return self
        serverless = self.serverless or asked.serverless
        return replace(self, model=asked.model, instance_type=asked.instance_type, serverless=serverless)


@dataclass(frozen=True, kw_only=True)
class ConfiguredVariant:
    """A variant as an endpoint configuration asks for it."""

    name: str
    model: str | None
    instance_type: str | None = None
    instances: int | None = None
    weight: float | None = None
    serverless: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class EndpointConfiguration:
    """An endpoint configuration as DescribeEndpointConfig tells it."""

    name: str
    arn: str
    created_at: datetime
    variants: tuple[ConfiguredVariant, ...]
    data_capture: Mapping[str, Any] | None = None
    asynchronous: Mapping[str, Any] | None = None
    """AsyncInferenceConfig in AWS's words; None for a real-time or serverless endpoint."""
    kms_key_id: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """AWS's whole answer."""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> EndpointConfiguration:
        """Read DescribeEndpointConfig's answer."""
        items = [*answer["ProductionVariants"], *(answer.get("ShadowProductionVariants") or ())]
        return cls(
            name=answer["EndpointConfigName"],
            arn=answer["EndpointConfigArn"],
            created_at=answer["CreationTime"],
            variants=tuple(map(_configured, items)),
            data_capture=answer.get("DataCaptureConfig"),
            asynchronous=answer.get("AsyncInferenceConfig"),
            kms_key_id=answer.get("KmsKeyId"),
            raw=answer,
        )

    def variant(self, name: str) -> ConfiguredVariant | None:
        """Give a variant by name; None when there is none."""
        return next((variant for variant in self.variants if variant.name == name), None)

    @property
    def models(self) -> tuple[str, ...]:
        """Name the models that it serves, each once."""
        return tuple(dict.fromkeys(variant.model for variant in self.variants if variant.model))


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint as DescribeEndpoint tells it; ``load`` adds its configuration, its models' origins and its tags."""

    name: str
    arn: str
    status: str
    """OutOfService, Creating, Updating, SystemUpdating, RollingBack, InService, Deleting, Failed or
    UpdateRollbackFailed."""
    created_at: datetime
    modified_at: datetime
    configuration_name: str | None = None
    """The configuration in service; AWS leaves it out of a few failed endpoints."""
    pending_configuration: str | None = None
    """The configuration that AWS is deploying now."""
    failure_reason: str | None = None
    variants: tuple[EndpointVariant, ...] = ()
    data_capture: Mapping[str, Any] | None = None
    asynchronous: Mapping[str, Any] | None = None
    configuration: EndpointConfiguration | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        name: str,
        *,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        hook: EndpointHook | None = None,
    ) -> Endpoint | None:
        """Read everything that AWS knows of an endpoint; None when there is none of this name.

        Calls DescribeEndpoint, DescribeEndpointConfig, ListTags, and DescribeModel for each model. A configuration
        or model that was deleted leaves its fields None.
        """
        hook = hook or _hook(aws_conn_id, region_name)
        found = hook.describe(name)
        return None if found is None else hook.complete(found)

    @classmethod
    def onboard(
        cls,
        name: str,
        *,
        project: str = DEFAULT_PROJECT,
        owner: str | None = None,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        hook: EndpointHook | None = None,
    ) -> Endpoint:
        """Adopt an endpoint that was made elsewhere: tag it with its project and owner, and load it.

        :raises InputError: there is none of this name
        """
        hook = hook or _hook(aws_conn_id, region_name)
        found = hook.describe(name)
        if found is None:
            raise InputError(f"There is no endpoint {name} to onboard in {hook.place}")
        hook.add_tags(found.arn, {PROJECT_TAG: project} | ({OWNER_TAG: owner} if owner else {}))
        loaded = cls.load(name, hook=hook)
        if loaded is None:
            raise InputError(f"Endpoint {name} was deleted while it was onboarded")
        return loaded

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Endpoint:
        """Read DescribeEndpoint's answer."""
        pending = answer.get("PendingDeploymentSummary") or {}
        return cls(
            name=answer["EndpointName"],
            arn=answer["EndpointArn"],
            status=answer.get("EndpointStatus") or "",
            created_at=answer["CreationTime"],
            modified_at=answer["LastModifiedTime"],
            configuration_name=answer.get("EndpointConfigName"),
            pending_configuration=pending.get("EndpointConfigName"),
            failure_reason=answer.get("FailureReason") or None,
            variants=tuple(map(EndpointVariant.of, answer.get("ProductionVariants") or ())),
            data_capture=answer.get("DataCaptureConfig"),
            asynchronous=answer.get("AsyncInferenceConfig"),
        )

    @property
    def region(self) -> str:
        """Give the AWS region, from the ARN."""
        return self.arn.split(":")[3]

    @property
    def account(self) -> str:
        """Give the AWS account, from the ARN."""
        return self.arn.split(":")[4]

    @property
    def previous_configuration(self) -> str | None:
        """Name the configuration that a rollback goes to; None when none is known, or it is in service."""
        tagged = self.tags.get(PREVIOUS_TAG)
        return tagged if tagged != self.configuration_name else None

    def variant(self, name: str) -> EndpointVariant | None:
        """Give a variant by name; None when there is none."""
        return next((variant for variant in self.variants if variant.name == name), None)

    def with_configuration(self, configuration: EndpointConfiguration | None) -> Endpoint:
        """Fill in what the configuration knows of the variants."""
        if configuration is None:
            return self
        return replace(
            self,
            configuration=configuration,
            variants=tuple(variant.asked_for_by(configuration.variant(variant.name)) for variant in self.variants),
            asynchronous=self.asynchronous or configuration.asynchronous,
        )

    def deployed(
        self,
        action: Action,
        *,
        project: str,
        owner: str | None = None,
        description: str | None = None,
        deleted: bool = False,
    ) -> EndpointDeployed:
        """Give the contract's form."""
        from festaf.contract.endpoint import EndpointDeployed, ServedVariant

        capture = self.data_capture or {}
        return EndpointDeployed(
            project=project,
            endpoint=self.name,
            action=action,
            configuration=self.configuration_name,
            previous_configuration=self.previous_configuration,
            variants=tuple(
                ServedVariant(
                    name=variant.name,
                    model=variant.model,
                    model_package=variant.model_package,
                    weight=variant.current_weight,
                    instance_type=variant.instance_type,
                    instances=variant.current_instances,
                )
                for variant in self.variants
            ),
            asynchronous=bool(self.asynchronous),
            data_capture_s3_uri=capture.get("DestinationS3Uri") if capture.get("EnableCapture") else None,
            owner=owner or self.tags.get(OWNER_TAG),
            description=description,
            region=self.region,
            account=self.account,
            deleted=deleted,
        )


def _hook(aws_conn_id: str | None, region_name: str | None) -> EndpointHook:
    from festaf.provider.hooks.endpoint import EndpointHook

    return EndpointHook(aws_conn_id=aws_conn_id, region_name=region_name)


def _configured(item: Mapping[str, Any]) -> ConfiguredVariant:
    return ConfiguredVariant(
        name=item["VariantName"],
        model=item.get("ModelName"),
        instance_type=item.get("InstanceType"),
        instances=item.get("InitialInstanceCount"),
        weight=item.get("InitialVariantWeight"),
        serverless=item.get("ServerlessConfig"),
    )
