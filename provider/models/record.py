"""Models as AWS tells of them: containers, package groups, versions and SageMaker models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of a model: the image that serves, and the data that it loads."""

    image: str | None = None
    model_data: str | None = None
    """URI of the object, or of the prefix."""
    data_is_prefix: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    model_package: str | None = None
    """ARN of the version that image and data come from."""
    mode: str = "SingleModel"
    hostname: str | None = None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Container:
        """Read a ContainerDefinition or a ModelPackageContainerDefinition."""
        source = (item.get("ModelDataSource") or {}).get("S3DataSource") or {}
        mode = item.get("Mode") or "SingleModel"
        return cls(
            image=item.get("Image") or None,
            model_data=item.get("ModelDataUrl") or source.get("S3Uri") or None,
            data_is_prefix=mode == "MultiModel" or source.get("S3DataType") == "S3Prefix",
            environment=item.get("Environment") or {},
            model_package=item.get("ModelPackageName") or None,
            mode=mode,
            hostname=item.get("ContainerHostname") or None,
        )


@dataclass(frozen=True, kw_only=True)
class ModelGroup:
    """A model package group: the name under which versions are registered."""

    name: str
    arn: str
    status: str
    created_at: datetime
    description: str | None = None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> ModelGroup:
        """Read DescribeModelPackageGroup's answer, or one element of ListModelPackageGroups's."""
        return cls(
            name=answer["ModelPackageGroupName"],
            arn=answer["ModelPackageGroupArn"],
            status=answer.get("ModelPackageGroupStatus") or "",
            created_at=answer["CreationTime"],
            description=answer.get("ModelPackageGroupDescription") or None,
        )


@dataclass(frozen=True, kw_only=True)
class VersionSummary:
    """A version as ListModelPackages tells it."""

    group: str
    number: int
    arn: str
    status: str
    """Pending, InProgress, Completed, Failed or Deleting."""
    approval: str | None
    """Approved, Rejected or PendingManualApproval."""
    created_at: datetime
    description: str | None = None

    @property
    def name(self) -> str:
        """Name the version: ``delay:3``."""
        return f"{self.group}:{self.number}"

    @property
    def group_arn(self) -> str:
        """Give the group's ARN, by which a group of another account is reached too."""
        return self.arn.rpartition("/")[0].replace(":model-package/", ":model-package-group/", 1)

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> VersionSummary:
        """Read one element of ListModelPackages's answer."""
        return cls(
            group=item.get("ModelPackageGroupName") or "",
            number=item.get("ModelPackageVersion") or 0,
            arn=item["ModelPackageArn"],
            status=item.get("ModelPackageStatus") or "",
            approval=item.get("ModelApprovalStatus"),
            created_at=item["CreationTime"],
            description=item.get("ModelPackageDescription") or None,
        )


@dataclass(frozen=True, kw_only=True)
class ModelVersion(VersionSummary):
    """A version in full, as DescribeModelPackage tells it."""

    modified_at: datetime | None = None
    approval_description: str | None = None
    containers: tuple[Container, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    """CustomerMetadataProperties."""
    reports: Mapping[str, str] = field(default_factory=dict)
    """URIs of what ModelMetrics names, by path: ``ModelQuality.Statistics``."""
    failure_reason: str | None = None
    generated_by: str | None = None
    repository: str | None = None
    commit: str | None = None

    @property
    def evaluation_uri(self) -> str | None:
        """Give where the evaluation lies, if there is one."""
        return self.reports.get("ModelQuality.Statistics")

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> ModelVersion:
        """Read DescribeModelPackage's answer."""
        properties = answer.get("MetadataProperties") or {}
        containers = (answer.get("InferenceSpecification") or {}).get("Containers") or ()
        return cls(
            group=answer.get("ModelPackageGroupName") or answer["ModelPackageName"],
            number=answer.get("ModelPackageVersion") or 0,
            arn=answer["ModelPackageArn"],
            status=answer.get("ModelPackageStatus") or "",
            approval=answer.get("ModelApprovalStatus"),
            created_at=answer["CreationTime"],
            description=answer.get("ModelPackageDescription") or None,
            modified_at=answer.get("LastModifiedTime"),
            approval_description=answer.get("ApprovalDescription") or None,
            containers=tuple(map(Container.of, containers)),
            metadata=answer.get("CustomerMetadataProperties") or {},
            reports=dict(_reports(answer.get("ModelMetrics") or {})),
            failure_reason=_failure(answer.get("ModelPackageStatusDetails") or {}),
            generated_by=properties.get("GeneratedBy") or None,
            repository=properties.get("Repository") or None,
            commit=properties.get("CommitId") or None,
        )


@dataclass(frozen=True, kw_only=True)
class SageMakerModel:
    """What CreateModel makes: containers and a role, ready for an endpoint or a batch transform."""

    name: str
    arn: str
    created_at: datetime
    containers: tuple[Container, ...]
    role_arn: str | None = None
    network_isolation: bool = False
    vpc: Mapping[str, Any] = field(default_factory=dict)
    """Subnets and SecurityGroupIds."""
    execution_mode: str | None = None
    """Serial or Direct, for several containers."""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> SageMakerModel:
        """Read DescribeModel's answer."""
        primary = answer.get("PrimaryContainer")
        items = [primary] if primary else answer.get("Containers") or []
        return cls(
            name=answer["ModelName"],
            arn=answer["ModelArn"],
            created_at=answer["CreationTime"],
            containers=tuple(map(Container.of, items)),
            role_arn=answer.get("ExecutionRoleArn"),
            network_isolation=bool(answer.get("EnableNetworkIsolation")),
            vpc=answer.get("VpcConfig") or {},
            execution_mode=(answer.get("InferenceExecutionConfig") or {}).get("Mode"),
        )


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """A model in a list: a group with its newest version's states, or a SageMaker model."""

    name: str
    arn: str
    created_at: datetime
    status: str = ""
    """The group's; a SageMaker model has none."""
    version: int | None = None
    """The newest version."""
    version_status: str | None = None
    approval: str | None = None

    @classmethod
    def of_group(cls, group: ModelGroup, newest: VersionSummary | None) -> ModelSummary:
        """Put a group and its newest version together."""
        return cls(
            name=group.name,
            arn=group.arn,
            created_at=group.created_at,
            status=group.status,
            version=newest.number if newest else None,
            version_status=newest.status if newest else None,
            approval=newest.approval if newest else None,
        )

    @classmethod
    def of_model(cls, item: Mapping[str, Any]) -> ModelSummary:
        """Read one element of ListModels's answer."""
        return cls(name=item["ModelName"], arn=item["ModelArn"], created_at=item["CreationTime"])


def newest_by_group(versions: Iterable[VersionSummary]) -> dict[str, VersionSummary]:
    """Give the newest version of each group, by the group's name."""
    newest: dict[str, VersionSummary] = {}
    for version in versions:
        known = newest.get(version.group)
        if known is None or version.number > known.number:
            newest[version.group] = version
    return newest


def _reports(metrics: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in metrics.items():
        if key == "S3Uri":
            yield path, value
        elif isinstance(value, dict):
            yield from _reports(value, f"{path}.{key}" if path else key)


def _failure(details: Mapping[str, Any]) -> str | None:
    """Join the reasons of the steps that failed; None when AWS gives none."""
    steps = [*(details.get("ValidationStatuses") or ()), *(details.get("ImageScanStatuses") or ())]
    failed = [step for step in steps if step.get("Status") == "Failed"]
    reasons = [step.get("FailureReason") or f"{step.get('Name') or 'a step'} failed" for step in failed]
    return "; ".join(reasons) or None
