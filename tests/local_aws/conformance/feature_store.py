"""Feature groups and the feature store runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.local_aws.conformance.case import ARN, Case, always
from tests.local_aws.feature_groups import online_only, record

if TYPE_CHECKING:
    from tests.local_aws.conformance.case import Asked, World

RUNTIME = "sagemaker-featurestore-runtime"
NOBODY = {"FeatureGroupName": "absent"}
LIST = "a list has no absence"
GONE, INVALID = "ResourceNotFound", "ValidationException"


def _group(world: World, **more: Any) -> str:
    name = world.name("group")
    world.sagemaker.create_feature_group(**online_only(name, **more))
    return name


def _named(world: World, **more: Any) -> Asked:
    return {"FeatureGroupName": _group(world), **more}


def _written(world: World, **more: Any) -> Asked:
    storage = {"EnableOnlineStore": True, "StorageType": "InMemory"}
    name = world.name("group")
    world.sagemaker.create_feature_group(**online_only(name) | {"OnlineStoreConfig": storage})
    world.ask(RUNTIME, "PutRecord", {"FeatureGroupName": name, "Record": record("JFK")})
    return {"FeatureGroupName": name, **more}


def _identifiers(name: str) -> list[Asked]:
    return [{"FeatureGroupName": name, "RecordIdentifiersValueAsString": ["JFK", "LGA"]}]


LATER = {"FeatureName": "at", "ValueAsString": "2013-02-01T00:00:00Z"}
ONE = {"RecordIdentifierValueAsString": "JFK"}

CASES = [
    Case(
        "CreateFeatureGroup",
        lambda world: online_only(world.name("group")),
        "a creation has no absence",
        twice="ResourceInUse",
    ),
    Case("DescribeFeatureGroup", _named, (NOBODY, GONE)),
    Case("ListFeatureGroups", always(), LIST),
    Case(
        "UpdateFeatureGroup",
        lambda world: _named(world, FeatureAdditions=[{"FeatureName": "gust", "FeatureType": "Fractional"}]),
        ({**NOBODY, "FeatureAdditions": [{"FeatureName": "gust", "FeatureType": "Fractional"}]}, GONE),
    ),
    Case("DeleteFeatureGroup", _named, (NOBODY, GONE)),
    Case(
        "DescribeFeatureMetadata",
        lambda world: _named(world, FeatureName="delay"),
        ({**NOBODY, "FeatureName": "a"}, GONE),
    ),
    Case(
        "UpdateFeatureMetadata",
        lambda world: _named(world, FeatureName="delay", Description="Minutes"),
        ({**NOBODY, "FeatureName": "delay"}, GONE),
    ),
    Case(
        "AddTags",
        lambda world: {"ResourceArn": f"{ARN}:feature-group/{_group(world)}", "Tags": [{"Key": "a", "Value": "b"}]},
        ({"ResourceArn": f"{ARN}:feature-group/absent", "Tags": [{"Key": "a", "Value": "b"}]}, INVALID),
        twice="same",
    ),
    Case(
        "ListTags",
        lambda world: {"ResourceArn": f"{ARN}:feature-group/{_group(world, Tags=[{'Key': 'a', 'Value': 'b'}])}"},
        ({"ResourceArn": f"{ARN}:feature-group/absent"}, INVALID),
    ),
    Case(
        "DeleteTags",
        lambda world: {"ResourceArn": f"{ARN}:feature-group/{_group(world)}", "TagKeys": ["a"]},
        ({"ResourceArn": f"{ARN}:feature-group/absent", "TagKeys": ["a"]}, INVALID),
    ),
    Case(
        "PutRecord",
        lambda world: _named(world, Record=record("JFK")),
        ({**NOBODY, "Record": record("JFK")}, "ValidationError"),
        service=RUNTIME,
    ),
    Case("GetRecord", lambda world: _written(world, **ONE), ({**NOBODY, **ONE}, GONE), service=RUNTIME),
    Case(
        "UpdateRecord",
        lambda world: _written(world, **ONE, Features=[LATER, {"FeatureName": "delay", "ValueAsString": "3.5"}]),
        ({**NOBODY, **ONE, "Features": [LATER]}, GONE),
        service=RUNTIME,
    ),
    Case(
        "DeleteRecord",
        lambda world: _written(world, **ONE, EventTime=LATER["ValueAsString"]),
        ({**NOBODY, **ONE, "EventTime": LATER["ValueAsString"]}, "ValidationError"),
        service=RUNTIME,
    ),
    Case("ListRecords", _written, (NOBODY, GONE), service=RUNTIME),
    Case(
        "BatchGetRecord",
        lambda world: {"Identifiers": [*_identifiers(_written(world)["FeatureGroupName"]), *_identifiers("absent")]},
        "a group that is not there is an error of its entry",
        service=RUNTIME,
    ),
    Case(
        "BatchWriteRecord",
        lambda world: {
            "Entries": [{"FeatureGroupName": name, "Record": record("JFK")} for name in (_group(world), "absent")]
        },
        "a group that is not there is an error of its entry",
        service=RUNTIME,
    ),
]
