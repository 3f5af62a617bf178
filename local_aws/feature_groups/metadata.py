"""Describe and update the metadata of single features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.feature_groups.group import FeatureGroup, moment
from festaf.local_aws.feature_groups.rules import invalid
from festaf.local_aws.service import ApiError, Call

if TYPE_CHECKING:
    from festaf.local_aws.feature_groups.repository import FeatureGroups

MAX_PARAMETERS = 25


def describe_metadata(groups: FeatureGroups, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Show a feature's type, description and parameters."""
    group = groups.get(call.region, request["FeatureGroupName"])
    definition = _definition(group, request["FeatureName"])
    kept = group.metadata.get(request["FeatureName"], {})
    created = group.timeline.created
    return {
        "FeatureGroupArn": group.arn,
        "FeatureGroupName": group.name,
        "FeatureName": definition["FeatureName"],
        "FeatureType": definition["FeatureType"],
        "CreationTime": moment(created),
        "LastModifiedTime": moment(kept.get("Modified", created)),
        "Description": kept.get("Description"),
        "Parameters": [{"Key": key, "Value": value} for key, value in kept.get("Parameters", {}).items()],
    }


def update_metadata(groups: FeatureGroups, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Change a feature's description; add, replace and remove its parameters."""
    with groups.lock:
        group = groups.get(call.region, request["FeatureGroupName"])
        name = request["FeatureName"]
        _definition(group, name)
        kept = group.metadata.get(name, {})
        parameters = dict(kept.get("Parameters", {}))
        for parameter in request.get("ParameterAdditions", []):
            if "Key" not in parameter or "Value" not in parameter:
                raise invalid("A parameter needs both Key and Value.")
            parameters[parameter["Key"]] = parameter["Value"]
        for key in request.get("ParameterRemovals", []):
            parameters.pop(key, None)
        if len(parameters) > MAX_PARAMETERS:
            raise invalid(f"A feature can have at most {MAX_PARAMETERS} parameters.")
        changed = {"Parameters": parameters, "Modified": groups.clock.now()}
        description = request.get("Description", kept.get("Description"))
        if description is not None:
            changed["Description"] = description
        group.metadata[name] = changed
        groups.save(group)
    return {}


def _definition(group: FeatureGroup, name: str) -> dict[str, Any]:
    for definition in group.definitions:
        if definition["FeatureName"] == name:
            return definition
    raise ApiError(
        "ResourceNotFound",
        f"Resource Not Found: Amazon SageMaker can't find a feature with name {name} in FeatureGroup {group.name}",
    )
