"""The tags of feature groups; those of every other resource are moto's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.feature_groups.rules import invalid
from festaf.local_aws.service import Call, NotOurs

if TYPE_CHECKING:
    from festaf.local_aws.feature_groups.group import FeatureGroup
    from festaf.local_aws.feature_groups.repository import FeatureGroups

MAX_TAGS = 50


def add(groups: FeatureGroups, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give those that stand another value."""
    with groups.lock:
        group = _group(groups, call, request)
        changed = group.tags | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        if len(changed) > MAX_TAGS:
            raise invalid(f"A resource can have at most {MAX_TAGS} tags.")
        group.tags = changed
        groups.save(group)
    return {"Tags": _as_list(group)}


def list_tags(groups: FeatureGroups, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List the tags; they fit one page, since a page holds 50 at least."""
    return {"Tags": _as_list(_group(groups, call, request))}


def delete(groups: FeatureGroups, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Delete tags; those that do not stand are ignored."""
    with groups.lock:
        group = _group(groups, call, request)
        group.tags = {key: value for key, value in group.tags.items() if key not in request["TagKeys"]}
        groups.save(group)
    return {}


def _group(groups: FeatureGroups, call: Call, request: dict[str, Any]) -> FeatureGroup:
    if ":feature-group/" not in request["ResourceArn"]:
        raise NotOurs
    return groups.get(call.region, request["ResourceArn"])


def _as_list(group: FeatureGroup) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in group.tags.items()]
