"""What AWS checks of a feature group beyond the constraints of its service model."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from festaf.local_aws.feature_groups.group import RESERVED, FeatureGroup
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_FEATURES = 2500
MAX_FEATURE_GROUP_CAPACITY = 40_000


def invalid(message: str) -> ApiError:
    """Make the control plane's answer to a bad request."""
    return ApiError("ValidationException", f"Validation Error: {message}")


def check_creation(request: Mapping[str, Any]) -> None:
    """Check CreateFeatureGroup's parameters against each other.

    :raises ApiError: ValidationException
    """
    definitions = request["FeatureDefinitions"]
    online, offline = _enabled_online(request), request.get("OfflineStoreConfig")
    if online is None and offline is None:
        raise invalid("At least one of OnlineStoreConfig and OfflineStoreConfig must be enabled.")
    check_definitions(definitions, in_memory=(online or {}).get("StorageType") == "InMemory")
    _check_key_features(request, {one["FeatureName"]: one for one in definitions})
    if offline is not None:
        _check_offline(request, offline)
    if online is not None:
        _check_ttl(online.get("TtlDuration"))
    _check_throughput(request.get("ThroughputConfig"), online)
    _check_tags(request.get("Tags", []))


def check_definitions(definitions: Sequence[Mapping[str, Any]], *, in_memory: bool) -> None:
    """Check feature definitions against each other.

    :raises ApiError: ValidationException
    """
    names = Counter(one["FeatureName"] for one in definitions)
    if repeated := sorted(name for name, times in names.items() if times > 1):
        raise invalid(f"FeatureDefinitions have FeatureNames that stand more than once: {', '.join(repeated)}.")
    if reserved := [name for name in RESERVED if name in names]:
        raise invalid(f"FeatureName cannot be a reserved word: {', '.join(reserved)}.")
    for one in definitions:
        _check_collection(one, in_memory=in_memory)
    vectors = [one["FeatureName"] for one in definitions if one.get("CollectionType") == "Vector"]
    if len(vectors) > 1:
        raise invalid(f"A FeatureGroup can have one feature of CollectionType Vector, not {len(vectors)}.")


def check_update(group: FeatureGroup, request: Mapping[str, Any], now: float) -> None:
    """Check UpdateFeatureGroup's parameters against each other and against the group.

    :raises ApiError: ValidationException or ResourceLimitExceeded
    """
    given = [name for name in ("FeatureAdditions", "OnlineStoreConfig", "ThroughputConfig") if name in request]
    if len(given) != 1:
        raise invalid("Exactly one of FeatureAdditions, OnlineStoreConfig and ThroughputConfig must be specified.")
    if additions := request.get("FeatureAdditions"):
        in_memory = (group.online or {}).get("StorageType") == "InMemory"
        check_definitions([*group.definitions, *additions], in_memory=in_memory)
        if len(group.definitions) + len(additions) > MAX_FEATURES:
            raise ApiError("ResourceLimitExceeded", f"A FeatureGroup can have at most {MAX_FEATURES} features.")
    if "OnlineStoreConfig" in request:
        _check_online_update(group, request["OnlineStoreConfig"])
    if "ThroughputConfig" in request:
        _check_throughput_update(group, request["ThroughputConfig"], now)


def _enabled_online(request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    online: Mapping[str, Any] = request.get("OnlineStoreConfig", {})
    return online if online.get("EnableOnlineStore") else None


def _check_collection(definition: Mapping[str, Any], *, in_memory: bool) -> None:
    name, collection = definition["FeatureName"], definition.get("CollectionType")
    vector = definition.get("CollectionConfig", {}).get("VectorConfig")
    if collection is None:
        if vector is not None:
            raise invalid(f"Feature {name} has a VectorConfig but its CollectionType is not Vector.")
        return
    if not in_memory:
        raise invalid(f"Feature {name}: only the InMemory online store supports collection types.")
    if collection == "Vector":
        if definition["FeatureType"] != "Fractional":
            raise invalid(f"Feature {name}: the FeatureType of a Vector must be Fractional.")
        if vector is None:
            raise invalid(f"Feature {name}: a Vector needs a VectorConfig with a Dimension.")
    elif vector is not None:
        raise invalid(f"Feature {name} has a VectorConfig but its CollectionType is {collection}.")


def _check_key_features(request: Mapping[str, Any], by_name: Mapping[str, Mapping[str, Any]]) -> None:
    identifier, event_time = request["RecordIdentifierFeatureName"], request["EventTimeFeatureName"]
    for role, name in (("RecordIdentifierFeatureName", identifier), ("EventTimeFeatureName", event_time)):
        if name not in by_name:
            raise invalid(f"{role} {name} is not one of the FeatureDefinitions.")
        if by_name[name].get("CollectionType"):
            raise invalid(f"{role} {name} cannot be a collection.")
    if identifier == event_time:
        raise invalid("RecordIdentifierFeatureName and EventTimeFeatureName must be different features.")
    kind = by_name[event_time]["FeatureType"]
    if kind == "Integral":
        raise invalid(f"The FeatureType of EventTimeFeatureName {event_time} must be String or Fractional, not {kind}.")


def _check_offline(request: Mapping[str, Any], offline: Mapping[str, Any]) -> None:
    if not request.get("RoleArn"):
        raise invalid("RoleArn is required when OfflineStoreConfig is specified.")
    if not offline["S3StorageConfig"]["S3Uri"].startswith("s3://"):
        raise invalid(f"S3Uri {offline['S3StorageConfig']['S3Uri']} must be of the form s3://bucket/prefix.")
    if offline.get("TableFormat") != "Iceberg":
        return
    if offline.get("DisableGlueTableCreation"):
        raise invalid("TableFormat Iceberg needs DisableGlueTableCreation to be False.")
    by_name = {one["FeatureName"]: one["FeatureType"] for one in request["FeatureDefinitions"]}
    if by_name[request["EventTimeFeatureName"]] != "String":
        raise invalid("TableFormat Iceberg needs an EventTimeFeatureName of FeatureType String.")


def _check_ttl(ttl: Mapping[str, Any] | None) -> None:
    if ttl is not None and ("Unit" in ttl) != ("Value" in ttl):
        raise invalid("TtlDuration needs both Unit and Value.")


def _check_throughput(throughput: Mapping[str, Any] | None, online: Mapping[str, Any] | None) -> None:
    if throughput is None:
        return
    units = {name: throughput[name] for name in _UNITS if name in throughput}
    if throughput["ThroughputMode"] == "OnDemand":
        if units:
            raise invalid(f"{' and '.join(units)} cannot be specified with ThroughputMode OnDemand.")
        return
    if (online or {}).get("StorageType", "Standard") != "Standard":
        raise invalid("ThroughputMode Provisioned needs the Standard online store, or an offline store only.")
    if "ProvisionedWriteCapacityUnits" not in units:
        raise invalid("ThroughputMode Provisioned needs ProvisionedWriteCapacityUnits.")
    if online is not None and "ProvisionedReadCapacityUnits" not in units:
        raise invalid("ThroughputMode Provisioned with an online store needs ProvisionedReadCapacityUnits.")
    for name, value in units.items():
        if value > MAX_FEATURE_GROUP_CAPACITY:
            raise ApiError("ResourceLimitExceeded", f"{name} of a FeatureGroup can be {MAX_FEATURE_GROUP_CAPACITY}.")


_UNITS = ("ProvisionedReadCapacityUnits", "ProvisionedWriteCapacityUnits")
_DAY = 86_400.0


def _check_tags(tags: Sequence[Mapping[str, str]]) -> None:
    keys = Counter(tag["Key"] for tag in tags)
    if repeated := sorted(key for key, times in keys.items() if times > 1):
        raise invalid(f"Tag keys stand more than once: {', '.join(repeated)}.")


def _check_online_update(group: FeatureGroup, change: Mapping[str, Any]) -> None:
    if group.online is None:
        raise invalid(f"FeatureGroup {group.name} has no online store to update.")
    _check_ttl(change.get("TtlDuration"))
    wanted, has = change.get("StorageType"), group.online.get("StorageType", "Standard")
    if wanted is not None and wanted != has and (has, wanted) != ("Standard", "Standard_V2"):
        raise invalid(f"An online store of StorageType {has} cannot become {wanted}.")


def _check_throughput_update(group: FeatureGroup, change: Mapping[str, Any], now: float) -> None:
    if "ThroughputMode" not in change and not group.throughput:
        raise invalid("ThroughputMode is required.")
    mode = change.get("ThroughputMode", (group.throughput or {}).get("ThroughputMode"))
    _check_throughput({**change, "ThroughputMode": mode}, group.online)
    since = group.on_demand_since
    if mode == "OnDemand" and since is not None and now - since < _DAY:
        raise ApiError("ResourceLimitExceeded", "A FeatureGroup can be switched to OnDemand once in 24 hours.")
