"""What the tests of feature groups share: requests that AWS would take, and clients that check every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from tests.local_aws.server import LocalAws

ROLE = "arn:aws:iam::123456789012:role/feature-store"
BUCKET = "features"
OFFLINE = {"S3StorageConfig": {"S3Uri": f"s3://{BUCKET}/store"}}
ONLINE = {"EnableOnlineStore": True}
FEATURES = [
    {"FeatureName": "id", "FeatureType": "String"},
    {"FeatureName": "at", "FeatureType": "String"},
    {"FeatureName": "delay", "FeatureType": "Fractional"},
    {"FeatureName": "seats", "FeatureType": "Integral"},
]


def client(server: LocalAws, service: str, **config: Any) -> Any:
    """Make a client that checks every answer against botocore's output shape."""
    made = server.client(service, **config)
    made.meta.events.register("after-call", _check)
    return made


def request(name: str = "weather", **changes: Any) -> dict[str, Any]:
    """Give CreateFeatureGroup's parameters; a change to None leaves a parameter out."""
    asked: dict[str, Any] = {
        "FeatureGroupName": name,
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": FEATURES,
        "OnlineStoreConfig": ONLINE,
        "OfflineStoreConfig": OFFLINE,
        "RoleArn": ROLE,
    }
    return {key: value for key, value in (asked | changes).items() if value is not None}


def online_only(name: str = "weather", **changes: Any) -> dict[str, Any]:
    """Give the parameters of a group without an offline store."""
    return request(name, OfflineStoreConfig=None, RoleArn=None, **changes)


def record(identifier: str, at: str = "2013-01-01T00:00:00Z", **values: Any) -> list[dict[str, Any]]:
    """Give a record as PutRecord takes it; a list is a collection's value."""
    features = {"id": identifier, "at": at} | values
    return [
        {"FeatureName": name, "ValueAsStringList" if isinstance(value, list) else "ValueAsString": value}
        for name, value in features.items()
    ]


def values(answer: dict[str, Any]) -> dict[str, Any] | None:
    """Give the record of GetRecord's answer by feature; None when there is none."""
    found = answer.get("Record")
    if found is None:
        return None
    return {one["FeatureName"]: one.get("ValueAsString", one.get("ValueAsStringList")) for one in found}


def _check(http_response: Any, parsed: dict[str, Any], model: Any, **_: Any) -> None:
    assert "x-amzn-requestid" in http_response.headers
    if http_response.status_code >= 300 or model.output_shape is None:
        return
    found = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    if model.name == "DescribeModelPackage":
        # The model requires a name that AWS gives no version of a group, as its own events show.
        found.setdefault("ModelPackageName", found.get("ModelPackageGroupName"))
    report = ParamValidator().validate(found, model.output_shape)
    assert not report.has_errors(), report.generate_report()
    _check_enums(found, model.output_shape)


def _check_enums(value: Any, shape: Any) -> None:
    if shape.type_name == "structure":
        for name, item in value.items():
            _check_enums(item, shape.members[name])
    elif shape.type_name == "list":
        for item in value:
            _check_enums(item, shape.member)
    elif shape.type_name == "string" and shape.enum:
        assert value in shape.enum
