"""What is asked for when a feature set is created, and how it differs from one that stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from festaf.provider.artifacts.feature import Feature
    from festaf.provider.artifacts.feature_set import FeatureSet

Difference = tuple[str, Any, Any]
"""Field, wanted, found."""


@dataclass(frozen=True, kw_only=True)
class FeatureSetSpecification:
    """A feature set as it is asked for; None leaves a choice to AWS and is not compared."""

    name: str
    record_identifier: str
    event_time: str
    features: tuple[Feature, ...]
    online: bool = True
    offline_s3_uri: str | None = None
    role_arn: str | None = None
    ttl: Mapping[str, Any] | None = None
    storage_type: str | None = None
    throughput: Mapping[str, Any] | None = None
    table_format: str | None = None
    create_glue_table: bool = True
    glue_table: Mapping[str, str] | None = None
    online_kms_key_id: str | None = None
    offline_kms_key_id: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Find what cannot be right before AWS is asked.

        :raises InputError: something is missing or contradicts itself
        """
        self._check_features()
        if not self.online and not self.offline_s3_uri:
            raise InputError(f"Feature set {self.name} has no store: set online=True, or give offline_s3_uri, or both")
        if self.offline_s3_uri and not self.offline_s3_uri.startswith("s3://"):
            raise InputError(f"offline_s3_uri {self.offline_s3_uri!r} is no S3 URI: write s3://bucket/prefix")
        if self.offline_s3_uri and not self.role_arn:
            raise InputError(
                f"The offline store of feature set {self.name} needs a role: give role_arn, "
                "the ARN of a role that SageMaker may assume and that may write there"
            )
        if self.description and len(self.description) > 128:
            raise InputError(f"The description has {len(self.description)} characters, AWS takes 128")

    def _check_features(self) -> None:
        names = [feature.name for feature in self.features]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"Feature {name!r} is declared twice")
        for what, name in (("record_identifier", self.record_identifier), ("event_time", self.event_time)):
            if name not in names:
                raise InputError(f"{what} {name!r} is none of the features: {', '.join(names) or 'there are none'}")
        for feature in self.features:
            if feature.type is None:
                raise InputError(f"Feature {feature.name!r} has no type: declare Integral, Fractional or String")
            if feature.name == self.event_time and feature.type not in {"String", "Fractional"}:
                raise InputError(
                    f"Event time {feature.name!r} is {feature.type}: it must be String (ISO 8601) or Fractional "
                    "(seconds since 1970)"
                )

    def request(self) -> dict[str, Any]:
        """Write the request of CreateFeatureGroup."""
        asked = {
            "FeatureGroupName": self.name,
            "RecordIdentifierFeatureName": self.record_identifier,
            "EventTimeFeatureName": self.event_time,
            "FeatureDefinitions": [feature_definition(feature) for feature in self.features],
            "OnlineStoreConfig": self._online() if self.online else None,
            "OfflineStoreConfig": self._offline() if self.offline_s3_uri else None,
            "RoleArn": self.role_arn,
            "ThroughputConfig": dict(self.throughput) if self.throughput else None,
            "Description": self.description,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()] or None,
        }
        return {key: value for key, value in asked.items() if value is not None}

    def _online(self) -> dict[str, Any]:
        config: dict[str, Any] = {"EnableOnlineStore": True}
        if self.online_kms_key_id:
            config["SecurityConfig"] = {"KmsKeyId": self.online_kms_key_id}
        if self.ttl:
            config["TtlDuration"] = dict(self.ttl)
        if self.storage_type:
            config["StorageType"] = self.storage_type
        return config

    def _offline(self) -> dict[str, Any]:
        storage = {"S3Uri": self.offline_s3_uri}
        if self.offline_kms_key_id:
            storage["KmsKeyId"] = self.offline_kms_key_id
        config: dict[str, Any] = {"S3StorageConfig": storage}
        if not self.create_glue_table:
            config["DisableGlueTableCreation"] = True
        if self.glue_table:
            config["DataCatalogConfig"] = dict(self.glue_table)
        if self.table_format:
            config["TableFormat"] = self.table_format
        return config

    def differences(self, found: FeatureSet, tags: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """Compare with a feature set that stands, one line for each difference.

        :param tags: the tags that stand; None leaves them out
        """
        pairs = [*self._own_fields(found), *self._feature_fields(found)]
        pairs += [*self._online_fields(found), *self._offline_fields(found)]
        if tags is not None:
            pairs += [(f"tag {key}", value, tags.get(key)) for key, value in self.tags.items()]
        return tuple(
            f"{name}: wanted {_said(wanted)}, found {_said(there)}" for name, wanted, there in pairs if wanted != there
        )

    def _own_fields(self, found: FeatureSet) -> Iterator[Difference]:
        yield "record_identifier", self.record_identifier, found.record_identifier
        yield "event_time", self.event_time, found.event_time
        if self.role_arn:
            yield "role_arn", self.role_arn, found.role_arn
        if self.description is not None:
            yield "description", self.description, found.description
        for key, value in (self.throughput or {}).items():
            yield f"throughput {key}", value, found.throughput.get(key)

    def _feature_fields(self, found: FeatureSet) -> Iterator[Difference]:
        wanted = {feature.name: kind_of(feature) for feature in self.features}
        there = {feature.name: kind_of(feature) for feature in found.features}
        for name in [*wanted, *(name for name in there if name not in wanted)]:
            yield f"feature {name}", wanted.get(name), there.get(name)

    def _online_fields(self, found: FeatureSet) -> Iterator[Difference]:
        yield "online", self.online, found.online is not None
        if not self.online or found.online is None:
            return
        if self.storage_type:
            yield "storage_type", self.storage_type, found.online.storage_type
        if self.ttl:
            yield "ttl", _duration(self.ttl), _duration(found.online.ttl)
        if self.online_kms_key_id:
            yield "online_kms_key_id", self.online_kms_key_id, found.online.kms_key_id

    def _offline_fields(self, found: FeatureSet) -> Iterator[Difference]:
        there = found.offline
        wanted_uri = self.offline_s3_uri.rstrip("/") if self.offline_s3_uri else None
        yield "offline_s3_uri", wanted_uri, there.s3_uri.rstrip("/") if there else None
        if not wanted_uri or there is None:
            return
        if self.table_format:
            yield "table_format", self.table_format, there.table_format
        if self.offline_kms_key_id:
            yield "offline_kms_key_id", self.offline_kms_key_id, there.kms_key_id
        yield "create_glue_table", self.create_glue_table, there.creates_glue_table
        if self.glue_table:
            found_table = there.glue_table
            found_names = (found_table.catalog, found_table.database, found_table.table) if found_table else None
            keys = ("Catalog", "Database", "TableName")
            yield "glue_table", tuple(self.glue_table.get(key) for key in keys), found_names


def feature_definition(feature: Feature) -> dict[str, Any]:
    """Write a feature as AWS's FeatureDefinition."""
    definition: dict[str, Any] = {"FeatureName": feature.name, "FeatureType": feature.type}
    if feature.collection:
        definition["CollectionType"] = feature.collection
    if feature.dimension:
        definition["CollectionConfig"] = {"VectorConfig": {"Dimension": feature.dimension}}
    return definition


def duration(value: timedelta | Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Write a duration as AWS's TtlDuration, in the largest unit that is exact.

    :raises InputError: it is no whole, positive number of seconds
    """
    if value is None:
        return None
    if not isinstance(value, timedelta):
        return dict(value)
    seconds = value.total_seconds()
    if seconds < 1 or seconds != int(seconds):
        raise InputError(f"A ttl of {seconds} s cannot be: give whole seconds, at least one")
    return next(
        {"Unit": unit, "Value": int(seconds) // size} for unit, size in _UNITS.items() if int(seconds) % size == 0
    )


_UNITS = {"Weeks": 604800, "Days": 86400, "Hours": 3600, "Minutes": 60, "Seconds": 1}


def _duration(value: Mapping[str, Any] | None) -> str | None:
    """Say a duration so that equal ones are equal: 7 Days is 1 Weeks."""
    return f"{_UNITS[value['Unit']] * value['Value']} seconds" if value else None


def same_duration(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Tell whether two durations are equal, or both are none: 7 Days is 1 Weeks."""
    return _duration(one) == _duration(other)


def kind_of(feature: Feature) -> str:
    """Say a feature's type in one word: ``Integral``, ``Vector<Fractional> of 8``."""
    if not feature.collection:
        return str(feature.type)
    size = f" of {feature.dimension}" if feature.dimension else ""
    return f"{feature.collection}<{feature.type}>{size}"


def _said(value: Any) -> str:
    return "nothing" if value is None else str(value)
