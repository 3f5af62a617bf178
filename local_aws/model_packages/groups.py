"""SageMaker's operations on model package groups."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from festaf.local_aws.model_packages.package import GROUP_KIND, KIND, describe_group, is_gone
from festaf.local_aws.model_packages.rules import invalid
from festaf.local_aws.resources.listing import page_of
from festaf.local_aws.resources.resource import arn_of
from festaf.local_aws.service import ApiError, Call, Handler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.faults import Faults
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import CurrentSettings


class ModelPackageGroupService:
    """Answers SageMaker's operations on model package groups and their policies."""

    name = "sagemaker"

    def __init__(self, resources: Resources, settings: CurrentSettings, faults: Faults) -> None:
        self._resources = resources
        self._settings = settings
        self._faults = faults
        self.operations: Mapping[str, Handler] = {
            "CreateModelPackageGroup": self.create,
            "DescribeModelPackageGroup": self.describe,
            "ListModelPackageGroups": self.list_groups,
            "DeleteModelPackageGroup": self.delete,
            "PutModelPackageGroupPolicy": self.put_policy,
            "GetModelPackageGroupPolicy": self.get_policy,
            "DeleteModelPackageGroupPolicy": self.delete_policy,
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Create a group; unless told otherwise it is there at once."""
        name = request["ModelPackageGroupName"]
        with self._resources.lock:
            if find_group(self._resources, call.region, name) is not None:
                raise invalid(f"Model Package Group already exists: {arn_of(GROUP_KIND, call.region, name)}")
            now, takes = self._resources.now(), self._settings.now.model_package_group_seconds
            made = self._resources.create(
                GROUP_KIND,
                call.region,
                name,
                request,
                versions=0,
                started=now + takes / 2,
                ended=now + takes,
                failure=self._faults.creation_failure(GROUP_KIND, name),
            )
        return {"ModelPackageGroupArn": made.arn}

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe a group."""
        group = get_group(self._resources, call.region, request["ModelPackageGroupName"])
        return describe_group(group, self._resources.now())

    def list_groups(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the groups of the region; none is shared by another account here."""
        now = self._resources.now()
        found = [one for one in self._resources.all(GROUP_KIND, call.region) if not is_gone(one, now)]
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            found = []
        return page_of(
            [describe_group(one, now) for one in found],
            request,
            answer="ModelPackageGroupSummaryList",
            name="ModelPackageGroupName",
            default_order="Ascending",
        )

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a group that holds no version."""
        with self._resources.lock:
            group = get_group(self._resources, call.region, request["ModelPackageGroupName"])
            now = self._resources.now()
            if any(
                one.name.startswith(f"{group.name}/") and not is_gone(one, now)
                for one in self._resources.all(KIND, call.region)
            ):
                raise ApiError(
                    "ConflictException",
                    f"Model Package Group {group.arn} cannot be deleted because it still contains Model Packages",
                )
            if self._faults.deletion_failure(GROUP_KIND, group.name) is not None:
                group.facts["undeletable"] = True
            else:
                group.facts["deleting"] = now
                group.facts["gone"] = now + self._settings.now.model_package_delete_seconds
            self._resources.save(group)
        return {}

    def put_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Keep a resource policy; it is not applied."""
        try:
            policy = json.loads(request["ResourcePolicy"])
        except ValueError:
            policy = None
        if not isinstance(policy, dict) or "Statement" not in policy:
            raise invalid("The resource policy is not a valid policy document.")
        with self._resources.lock:
            group = get_group(self._resources, call.region, request["ModelPackageGroupName"])
            group.facts["policy"] = request["ResourcePolicy"]
            self._resources.save(group)
        return {"ModelPackageGroupArn": group.arn}

    def get_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Give the resource policy."""
        return {"ResourcePolicy": _policy(get_group(self._resources, call.region, request["ModelPackageGroupName"]))}

    def delete_policy(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Forget the resource policy."""
        with self._resources.lock:
            group = get_group(self._resources, call.region, request["ModelPackageGroupName"])
            _policy(group)
            del group.facts["policy"]
            self._resources.save(group)
        return {}


def find_group(resources: Resources, region: str, name: str) -> Resource | None:
    """Give a group by name; None when there is none or its deletion has ended."""
    group = resources.find(GROUP_KIND, region, name)
    if group is not None and is_gone(group, resources.now()):
        resources.remove(group)
        return None
    return group


def get_group(resources: Resources, region: str, name_or_arn: str) -> Resource:
    """Give a group by name or ARN.

    :raises ApiError: ValidationException, when there is none
    """
    name = name_or_arn.rpartition("/")[2]
    group = find_group(resources, region, name)
    if group is None:
        raise invalid(f"ModelPackageGroup {arn_of(GROUP_KIND, region, name)} does not exist.")
    return group


def _policy(group: Resource) -> str:
    if "policy" not in group.facts:
        raise invalid(f"Cannot find Model Package Group policy of {group.arn}: it does not exist.")
    return str(group.facts["policy"])
