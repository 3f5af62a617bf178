"""What CreateModelPackage and UpdateModelPackage refuse, and why a package fails later."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from festaf.local_aws.resources.resource import Resource

MAX_METADATA = 50
MAX_SPECIFICATIONS = 15


def invalid(message: str) -> ApiError:
    """Make the error of a request that cannot be."""
    return ApiError("ValidationException", message)


def check_creation(request: Mapping[str, Any]) -> None:
    """Check what the model's constraints do not say.

    :raises ApiError: ValidationException
    """
    versioned, alone = "ModelPackageGroupName" in request, "ModelPackageName" in request
    if versioned and alone:
        raise invalid(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to "
            "use."
        )
    if not versioned and not alone:
        raise invalid("Missing ARN.")
    if versioned and request.get("Tags"):
        raise invalid("A version of a model package group uses the tags of its group; Tags cannot be supplied.")
    if versioned and request.get("CertifyForMarketplace"):
        raise invalid("CertifyForMarketplace does not apply to versioned model packages.")
    if alone and "ModelApprovalStatus" in request:
        raise invalid("ModelApprovalStatus does not apply to unversioned model packages.")
    sources = ("InferenceSpecification", "SourceAlgorithmSpecification", "SourceUri")
    if request.get("ModelPackageRegistrationType") != "Logged" and not any(source in request for source in sources):
        raise invalid("One of InferenceSpecification, SourceAlgorithmSpecification and SourceUri must be provided.")


def updated(package: Resource, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give the package's request as UpdateModelPackage changes it.

    :raises ApiError: ValidationException
    """
    if "/" not in package.name and ("ModelApprovalStatus" in request or "ApprovalDescription" in request):
        raise invalid("ModelApprovalStatus does not apply to unversioned model packages.")
    found = copy.deepcopy(package.request)
    for member in (
        "ModelApprovalStatus",
        "ApprovalDescription",
        "ModelPackageRegistrationType",
        "InferenceSpecification",
        "SourceUri",
        "ModelLifeCycle",
    ):
        if member in request:
            found[member] = request[member]
    if "ModelCard" in request:
        found["ModelCard"] = {**found.get("ModelCard", {}), **request["ModelCard"]}
    metadata = {**found.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
    for key in request.get("CustomerMetadataPropertiesToRemove", ()):
        metadata.pop(key, None)
    if len(metadata) > MAX_METADATA:
        raise invalid(f"A model package can have at most {MAX_METADATA} customer metadata properties.")
    found.pop("CustomerMetadataProperties", None)
    if metadata:
        found["CustomerMetadataProperties"] = metadata
    if more := request.get("AdditionalInferenceSpecificationsToAdd"):
        found["AdditionalInferenceSpecifications"] = _added(found.get("AdditionalInferenceSpecifications", []), more)
    return found


def _added(standing: list[dict[str, Any]], more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {one["Name"] for one in standing}
    if taken := [one["Name"] for one in more if one["Name"] in names]:
        raise invalid(f"Additional inference specifications with these names already exist: {taken}.")
    if len(standing) + len(more) > MAX_SPECIFICATIONS:
        raise invalid(f"A model package can have at most {MAX_SPECIFICATIONS} additional inference specifications.")
    return [*standing, *more]


def missing_model_data(objects: Objects, request: Mapping[str, Any]) -> str | None:
    """Say which model data is not in S3, as CreateModelPackage's validation does; None when all of it is."""
    if request.get("SkipModelValidation") == "All":
        return None
    for uri, is_prefix in _model_data(request):
        try:
            bucket, key = split_uri(uri)
        except ValueError:
            continue  # An https URL is of a store that is not here.
        if not _is_there(objects, bucket, key, is_prefix=is_prefix):
            return f"Could not find model data at {uri}."
    return None


def _model_data(request: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Give the URI of everything that a package is made of, and whether it is a prefix."""
    specifications = [request.get("InferenceSpecification"), *request.get("AdditionalInferenceSpecifications", [])]
    containers = [one for found in specifications if found for one in found["Containers"]]
    algorithms = request.get("SourceAlgorithmSpecification", {}).get("SourceAlgorithms", [])
    for one in (*containers, *algorithms):
        if one.get("ModelDataUrl"):
            yield one["ModelDataUrl"], False
        source = (one.get("ModelDataSource") or {}).get("S3DataSource")
        if source:
            yield source["S3Uri"], source["S3DataType"] == "S3Prefix"


def _is_there(objects: Objects, bucket: str, key: str, *, is_prefix: bool) -> bool:
    if not is_prefix:
        return objects.stat(bucket, key) is not None
    try:
        return next(objects.under(bucket, f"{key}/" if key else ""), None) is not None
    except ObjectStoreError:
        return False


def with_etags(objects: Objects, specification: Mapping[str, Any]) -> dict[str, Any]:
    """Give an inference specification with the ETag of each container's model data, as AWS completes it."""
    found: dict[str, Any] = copy.deepcopy(dict(specification))
    for container in found["Containers"]:
        try:
            stat = objects.stat(*split_uri(container.get("ModelDataUrl", "")))
        except ValueError:
            continue
        if stat is not None:
            container["ModelDataETag"] = stat.etag.strip('"')
    return found
