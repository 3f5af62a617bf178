"""A feature set as it stands at AWS."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from festaf.contract.names import DEFAULT_PROJECT
from festaf.provider.artifacts.feature import Feature
from festaf.provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from festaf.contract.feature_set import FeatureSetDefinition
    from festaf.provider.hooks.feature_store import FeatureStoreHook

PROJECT_TAG = "festaf:project"
OWNER_TAG = "festaf:owner"


@dataclass(frozen=True)
class OnlineStore:
    """Where the newest record of each identifier is kept."""

    storage_type: str = "Standard"
    ttl: Mapping[str, Any] | None = None
    kms_key_id: str | None = None


@dataclass(frozen=True)
class GlueTable:
    """The table through which SQL sees the offline store."""

    catalog: str
    database: str
    table: str


@dataclass(frozen=True)
class OfflineStore:
    """Where every record is kept."""

    s3_uri: str
    resolved_s3_uri: str | None = None
    """Where the objects really lie."""
    kms_key_id: str | None = None
    table_format: str = "Glue"
    glue_table: GlueTable | None = None
    creates_glue_table: bool = True
    status: str | None = None
    """Active, Blocked or Disabled; None while AWS has not said."""
    blocked_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class FeatureSet:
    """A feature set as DescribeFeatureGroup tells it; ``load`` adds tags and the features' own metadata."""

    name: str
    arn: str
    record_identifier: str
    event_time: str
    features: tuple[Feature, ...]
    created_at: datetime
    modified_at: datetime | None = None
    status: str
    """Creating, Created, CreateFailed, Deleting or DeleteFailed."""
    failure_reason: str | None = None
    last_update_status: str | None = None
    last_update_reason: str | None = None
    online: OnlineStore | None = None
    offline: OfflineStore | None = None
    throughput: Mapping[str, Any] = field(default_factory=dict)
    role_arn: str | None = None
    description: str | None = None
    online_bytes: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By feature: the parameters of its metadata."""

    @classmethod
    def load(
        cls,
        name: str,
        *,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        hook: FeatureStoreHook | None = None,
    ) -> FeatureSet | None:
        """Read everything that AWS knows of a feature set; None when there is none of this name.

        Calls DescribeFeatureGroup, ListTags, and DescribeFeatureMetadata once for each feature.
        """
        hook = hook or _hook(aws_conn_id, region_name)
        found = hook.describe(name)
        if found is None:
            return None
        metadata = {feature.name: hook.feature_metadata(name, feature.name) for feature in found.features}
        return replace(
            found,
            tags=hook.tags(found.arn),
            features=tuple(replace(item, description=metadata[item.name].description) for item in found.features),
            parameters={key: value.parameters for key, value in metadata.items() if value.parameters},
        )

    @classmethod
    def onboard(
        cls,
        name: str,
        *,
        project: str = DEFAULT_PROJECT,
        owner: str | None = None,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        hook: FeatureStoreHook | None = None,
    ) -> FeatureSet:
        """Adopt a feature set that was made elsewhere: tag it with its project and owner, and load it.

        :raises InputError: there is none of this name
        """
        hook = hook or _hook(aws_conn_id, region_name)
        found = hook.find(name)
        if found is None:
            raise InputError(f"There is no feature set {name} to onboard in {hook.place}")
        tags = {PROJECT_TAG: project} | ({OWNER_TAG: owner} if owner else {})
        hook.add_tags(found.arn, tags)
        loaded = cls.load(name, hook=hook)
        if loaded is None:
            raise InputError(f"Feature set {name} was deleted while it was onboarded")
        return loaded

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> FeatureSet:
        """Read DescribeFeatureGroup's answer."""
        last_update = answer.get("LastUpdateStatus") or {}
        return cls(
            name=answer["FeatureGroupName"],
            arn=answer["FeatureGroupArn"],
            record_identifier=answer["RecordIdentifierFeatureName"],
            event_time=answer["EventTimeFeatureName"],
            features=tuple(_feature(item) for item in answer["FeatureDefinitions"]),
            created_at=answer["CreationTime"],
            modified_at=answer.get("LastModifiedTime"),
            status=answer.get("FeatureGroupStatus") or "",
            failure_reason=answer.get("FailureReason"),
            last_update_status=last_update.get("Status"),
            last_update_reason=last_update.get("FailureReason"),
            online=_online(answer.get("OnlineStoreConfig") or {}),
            offline=_offline(answer.get("OfflineStoreConfig") or {}, answer.get("OfflineStoreStatus") or {}),
            throughput=answer.get("ThroughputConfig") or {},
            role_arn=answer.get("RoleArn"),
            description=answer.get("Description") or None,
            online_bytes=answer.get("OnlineStoreTotalSizeBytes"),
        )

    @property
    def region(self) -> str:
        """Give the AWS region, from the ARN."""
        return self.arn.split(":")[3]

    @property
    def account(self) -> str:
        """Give the AWS account, from the ARN."""
        return self.arn.split(":")[4]

    def feature(self, name: str) -> Feature | None:
        """Give a feature by name; None when there is none."""
        return next((feature for feature in self.features if feature.name == name), None)

    def definition(
        self,
        *,
        project: str,
        owner: str | None = None,
        purpose: str | None = None,
        description: str | None = None,
        declared: tuple[Feature, ...] = (),
        deleted: bool = False,
    ) -> FeatureSetDefinition:
        """Give the contract's form, with what was declared of the features laid over what stands."""
        from festaf.contract.feature_set import FeatureSetDefinition

        said = {feature.name: feature for feature in declared}
        return FeatureSetDefinition(
            project=project,
            feature_set=self.name,
            record_identifier=self.record_identifier,
            event_time=self.event_time,
            online=self.online is not None,
            offline=self.offline is not None,
            description=description or self.description,
            owner=owner,
            purpose=purpose,
            features=tuple(said.get(found.name, found).declaration(found) for found in self.features),
            region=self.region,
            account=self.account,
            deleted=deleted,
        )


def _hook(aws_conn_id: str | None, region_name: str | None) -> FeatureStoreHook:
    from festaf.provider.hooks.feature_store import FeatureStoreHook

    return FeatureStoreHook(aws_conn_id=aws_conn_id, region_name=region_name)


def _feature(item: Mapping[str, Any]) -> Feature:
    vector = (item.get("CollectionConfig") or {}).get("VectorConfig") or {}
    return Feature(
        name=item["FeatureName"],
        type=item["FeatureType"],
        collection=item.get("CollectionType"),
        dimension=vector.get("Dimension"),
    )


def _online(config: Mapping[str, Any]) -> OnlineStore | None:
    if not config.get("EnableOnlineStore"):
        return None
    return OnlineStore(
        storage_type=config.get("StorageType") or "Standard",
        ttl=config.get("TtlDuration") or None,
        kms_key_id=(config.get("SecurityConfig") or {}).get("KmsKeyId"),
    )


def _offline(config: Mapping[str, Any], status: Mapping[str, Any]) -> OfflineStore | None:
    if not config:
        return None
    storage, catalog = config["S3StorageConfig"], config.get("DataCatalogConfig") or {}
    return OfflineStore(
        s3_uri=storage["S3Uri"],
        resolved_s3_uri=storage.get("ResolvedOutputS3Uri"),
        kms_key_id=storage.get("KmsKeyId"),
        table_format=(config.get("TableFormat") or "Glue").replace("Default", "Glue"),
        glue_table=GlueTable(catalog["Catalog"], catalog["Database"], catalog["TableName"]) if catalog else None,
        creates_glue_table=not config.get("DisableGlueTableCreation"),
        status=status.get("Status"),
        blocked_reason=status.get("BlockedReason"),
    )
