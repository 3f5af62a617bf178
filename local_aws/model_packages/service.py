"""SageMaker's operations on model packages: the versions of a group, and those that stand alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.model_packages.groups import get_group
from festaf.local_aws.model_packages.package import KIND, describe, is_gone, status, summary
from festaf.local_aws.model_packages.rules import (
    check_creation,
    invalid,
    missing_model_data,
    updated,
    with_etags,
)
from festaf.local_aws.objects import Objects
from festaf.local_aws.resources.listing import page_of
from festaf.local_aws.resources.resource import arn_of
from festaf.local_aws.service import ApiError, Call, Handler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.faults import Faults
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import CurrentSettings


class ModelPackageService:
    """Answers SageMaker's operations on model packages.

    :param cloud: has the model data in its S3
    """

    name = "sagemaker"

    def __init__(self, resources: Resources, settings: CurrentSettings, faults: Faults, cloud: Cloud) -> None:
        self._resources = resources
        self._settings = settings
        self._faults = faults
        self._cloud = cloud
        self.operations: Mapping[str, Handler] = {
            "CreateModelPackage": self.create,
            "DescribeModelPackage": self.describe,
            "BatchDescribeModelPackage": self.batch_describe,
            "ListModelPackages": self.list_packages,
            "UpdateModelPackage": self.update,
            "DeleteModelPackage": self.delete,
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start the creation of a package: the next version of a group, or one that stands alone."""
        check_creation(request)
        token = request.pop("ClientToken", None)
        asked = dict(request)
        objects = Objects(self._cloud, call.region)
        missing = missing_model_data(objects, request)
        if "InferenceSpecification" in request:
            request["InferenceSpecification"] = with_etags(objects, request["InferenceSpecification"])
        with self._resources.lock:
            if (twin := self._by_token(call, token, asked)) is not None:
                return {"ModelPackageArn": twin.arn}
            name = self._new_name(call, request)
            if "/" in name:
                request = {"ModelApprovalStatus": "PendingManualApproval", **request}
            now, takes = self._resources.now(), self._settings.now.model_package_seconds
            made = self._resources.create(
                KIND,
                call.region,
                name,
                request,
                started=now + takes / 2,
                ended=now + takes,
                failure=self._faults.creation_failure(KIND, name) or missing,
                token=token,
                asked=asked,
            )
        return {"ModelPackageArn": made.arn}

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe a package as it is by now; the data besides its metadata is its model card's content."""
        found = describe(self._get(call, request["ModelPackageName"]), self._resources.now())
        if request.get("IncludedData") == "MetadataOnly" and found["ModelCard"]:
            found["ModelCard"] = {"ModelCardStatus": found["ModelCard"].get("ModelCardStatus")}
        return found

    def batch_describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe several versions; those that are not there come back in the map of errors."""
        found: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for arn in request["ModelPackageArnList"]:
            try:
                package = self._get(call, arn)
            except ApiError as problem:
                errors[arn] = {"ErrorCode": problem.code, "ErrorResponse": problem.message}
                continue
            if "/" not in package.name:
                message = f"ModelPackage {arn} is not a version of a model package group."
                errors[arn] = {"ErrorCode": "ValidationException", "ErrorResponse": message}
                continue
            specification = package.request.get("InferenceSpecification")
            found[arn] = {**summary(package, self._resources.now()), "InferenceSpecification": specification}
        return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": errors}

    def list_packages(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the versions of a group, or the packages of the region: without a type those that stand alone."""
        asked, now = dict(request), self._resources.now()
        group = None
        if "ModelPackageGroupName" in request:
            group = get_group(self._resources, call.region, request["ModelPackageGroupName"]).name
        wanted = asked.get("ModelPackageType", "Versioned" if group else "Unversioned")
        contained = asked.pop("NameContains", "").lower()
        lines = []
        for one in self._resources.all(KIND, call.region):
            name, _, version = one.name.partition("/")
            if (
                not is_gone(one, now)
                and group in (None, name if version else None)
                and wanted in ("Both", "Versioned" if version else "Unversioned")
                and contained in name.lower()
                and asked.get("ModelApprovalStatus") in (None, one.request.get("ModelApprovalStatus"))
            ):
                lines.append({**summary(one, now), "Order": f"{name}/{version:0>9}"})
        return page_of(lines, asked, answer="ModelPackageSummaryList", name="Order", default_order="Ascending")

    def update(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Change a package's approval, metadata, life cycle or inference specifications."""
        with self._resources.lock:
            package = self._get(call, request["ModelPackageArn"])
            if status(package, self._resources.now()) == "Deleting":
                raise ApiError("ConflictException", f"ModelPackage {package.arn} is being deleted.")
            package.request = updated(package, request)
            package.facts["changed"] = True
            self._resources.touch(package)
        return {"ModelPackageArn": package.arn}

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start the deletion of a package; its number is never used again."""
        with self._resources.lock:
            package = self._get(call, request["ModelPackageName"])
            now = self._resources.now()
            if package.facts.get("deleting") is None:
                package.facts["deleting"] = now
                package.facts["gone"] = now + self._settings.now.model_package_delete_seconds
                self._resources.save(package)
        return {}

    def _by_token(self, call: Call, token: str | None, request: Mapping[str, Any]) -> Resource | None:
        """Give the package that an earlier call with this token made.

        :raises ApiError: ConflictException, when that call asked for something else
        """
        now = self._resources.now()
        for one in self._resources.all(KIND, call.region):
            if token is None or one.facts.get("token") != token or is_gone(one, now):
                continue
            if one.facts["asked"] != request:
                raise ApiError(
                    "ConflictException", f"The client token {token} was used for another request: {one.arn}."
                )
            return one
        return None

    def _new_name(self, call: Call, request: Mapping[str, Any]) -> str:
        if "ModelPackageGroupName" not in request:
            name: str = request["ModelPackageName"]
            if self._find(call, name) is not None:
                raise ApiError("ConflictException", f"ModelPackage {arn_of(KIND, call.region, name)} already exists.")
            return name
        group = get_group(self._resources, call.region, request["ModelPackageGroupName"])
        group.facts["versions"] += 1
        self._resources.save(group)
        return f"{group.name}/{group.facts['versions']}"

    def _find(self, call: Call, name: str) -> Resource | None:
        found = self._resources.find(KIND, call.region, name)
        if found is not None and is_gone(found, self._resources.now()):
            self._resources.remove(found)
            return None
        return found

    def _get(self, call: Call, name_or_arn: str) -> Resource:
        name = name_or_arn
        if name.startswith("arn:"):
            _, _, _, region, _, rest = name.split(":", 5)
            if region != call.region:
                raise invalid(f"ARN should be scoped to correct region: {call.region}")
            name = rest.partition("/")[2]
        found = self._find(call, name)
        if found is None:
            raise invalid(f"ModelPackage {arn_of(KIND, call.region, name)} does not exist.")
        return found
