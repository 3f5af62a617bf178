"""One model package: its name and ARN, and what it looks like by now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.resources.resource import moment

if TYPE_CHECKING:
    from festaf.local_aws.resources.resource import Resource

KIND = "model-package"
GROUP_KIND = "model-package-group"

SHOWN = (
    "ModelPackageDescription",
    "ModelPackageRegistrationType",
    "InferenceSpecification",
    "SourceAlgorithmSpecification",
    "ValidationSpecification",
    "MetadataProperties",
    "ModelMetrics",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "CustomerMetadataProperties",
    "DriftCheckBaselines",
    "AdditionalInferenceSpecifications",
    "SkipModelValidation",
    "SourceUri",
    "SecurityConfig",
    "ModelLifeCycle",
    "ManagedStorageType",
    "ApprovalDescription",
    "ModelApprovalStatus",
)
"""Members of a request that DescribeModelPackage gives back as they are."""


def status(package: Resource, now: float) -> str:
    """Give ModelPackageStatus."""
    facts = package.facts
    if facts.get("deleting") is not None:
        return "Deleting"
    if now < facts["started"]:
        return "Pending"
    if now < facts["ended"]:
        return "InProgress"
    return "Failed" if facts["failure"] else "Completed"


def is_gone(resource: Resource, now: float) -> bool:
    """Say whether the deletion of a package or a group has ended."""
    gone = resource.facts.get("gone")
    return gone is not None and now >= gone


def identity(package: Resource) -> dict[str, Any]:
    """Give the members that name a package: a version has no ModelPackageName of its own, as in AWS."""
    group, _, version = package.name.partition("/")
    named = {"ModelPackageGroupName": group, "ModelPackageVersion": int(version)} if version else {}
    return {"ModelPackageArn": package.arn, **(named or {"ModelPackageName": package.name})}


def describe(package: Resource, now: float) -> dict[str, Any]:
    """Give DescribeModelPackage's answer."""
    request = package.request
    changed = package.facts.get("changed", False)
    return {
        **identity(package),
        **{member: request[member] for member in SHOWN if member in request},
        "ModelCard": request.get("ModelCard"),
        "CreationTime": package.created_at,
        "ModelPackageStatus": status(package, now),
        "ModelPackageStatusDetails": _details(package, now),
        "CertifyForMarketplace": request.get("CertifyForMarketplace", False),
        "CreatedBy": {},
        "LastModifiedTime": package.modified_at if changed else None,
        "LastModifiedBy": {} if changed else None,
    }


def summary(package: Resource, now: float) -> dict[str, Any]:
    """Give the package's line in ListModelPackages' answer."""
    members = ("ModelPackageDescription", "ModelApprovalStatus", "ModelLifeCycle", "ModelPackageRegistrationType")
    return {
        **identity(package),
        **{member: package.request[member] for member in members if member in package.request},
        "CreationTime": package.created_at,
        "ModelPackageStatus": status(package, now),
    }


def group_status(group: Resource, now: float) -> str:
    """Give ModelPackageGroupStatus."""
    if group.facts.get("deleting") is not None:
        return "Deleting"
    if group.facts.get("undeletable"):
        return "DeleteFailed"
    if now < group.facts["ended"]:
        return "Pending" if now < group.facts["started"] else "InProgress"
    return "Failed" if group.facts["failure"] else "Completed"


def describe_group(group: Resource, now: float) -> dict[str, Any]:
    """Give DescribeModelPackageGroup's answer, which holds the group's line in the list as well."""
    return {
        "ModelPackageGroupName": group.name,
        "ModelPackageGroupArn": group.arn,
        "ModelPackageGroupDescription": group.request.get("ModelPackageGroupDescription"),
        "ManagedConfiguration": group.request.get("ManagedConfiguration"),
        "CreationTime": moment(group.created),
        "CreatedBy": {},
        "ModelPackageGroupStatus": group_status(group, now),
    }


def _details(package: Resource, now: float) -> dict[str, Any]:
    """Give ModelPackageStatusDetails: a line per validation profile, and one for what failed."""
    state = {"Pending": "NotStarted", "Deleting": "Completed"}.get(found := status(package, now), found)
    profiles = package.request.get("ValidationSpecification", {}).get("ValidationProfiles", [])
    names = [profile["ProfileName"] for profile in profiles]
    reason = package.facts["failure"] if state == "Failed" else None
    if reason and not names:
        names = [package.name.replace("/", "-")[-63:].lstrip("-")]
    lines = [{"Name": name, "Status": state, "FailureReason": reason} for name in names]
    return {"ValidationStatuses": lines, "ImageScanStatuses": []}
