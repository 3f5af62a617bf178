"""SageMaker's operations on feature groups."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from festaf.local_aws.feature_groups.group import FeatureGroup, Timeline, Update
from festaf.local_aws.feature_groups.listing import page_of
from festaf.local_aws.feature_groups.metadata import describe_metadata, update_metadata
from festaf.local_aws.feature_groups.rules import check_creation, check_update
from festaf.local_aws.service import ApiError, Call, Handler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from festaf.local_aws.faults import Faults
    from festaf.local_aws.feature_groups.repository import FeatureGroups
    from festaf.local_aws.settings import CurrentSettings, Settings

CATALOG = "AwsDataCatalog"
DATABASE = "sagemaker_featurestore"


class FeatureGroupService:
    """Answers SageMaker's feature group operations.

    :param resolve: gives the ResolvedOutputS3Uri of a group in DescribeFeatureGroup's shape
    :param trouble: gives the OfflineStoreStatus of a group whose offline store does not work
    :param online_size: gives the bytes of a group's online records
    """

    name = "sagemaker"

    def __init__(
        self,
        groups: FeatureGroups,
        settings: CurrentSettings,
        faults: Faults,
        resolve: Callable[[dict[str, Any]], str],
        trouble: Callable[[FeatureGroup], dict[str, str] | None],
        online_size: Callable[[FeatureGroup], int],
    ) -> None:
        self._groups = groups
        self._settings = settings
        self._faults = faults
        self._resolve = resolve
        self._trouble = trouble
        self._online_size = online_size
        self.operations: Mapping[str, Handler] = {
            "CreateFeatureGroup": self.create,
            "DescribeFeatureGroup": self.describe,
            "ListFeatureGroups": self.list_groups,
            "UpdateFeatureGroup": self.update,
            "DeleteFeatureGroup": self.delete,
            "DescribeFeatureMetadata": lambda call, request: describe_metadata(groups, call, request),
            "UpdateFeatureMetadata": lambda call, request: update_metadata(groups, call, request),
        }

    def create(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start the creation of a group."""
        check_creation(request)
        name = request["FeatureGroupName"]
        with self._groups.lock:
            if self._groups.standing(call.region, name) is not None:
                raise ApiError(
                    "ResourceInUse",
                    f"Resource Already Exists: FeatureGroup with name {name} already exists. Choose a different name.",
                )
            self._check_limits(call)
            now = self._groups.clock.now()
            # AWS shows a time in milliseconds; one that is kept finer would not equal what was shown.
            created = math.floor(now * 1000) / 1000
            group = _new_group(call, request, _timeline(created, self._settings.now, request))
            group.failure = self._faults.creation_failure("feature-group", name)
            if group.offline is not None:
                self._complete_offline(group)
            self._groups.add(group)
        return {"FeatureGroupArn": group.arn}

    def describe(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Describe a group as it is by now."""
        group = self._groups.get(call.region, request["FeatureGroupName"])
        now = self._groups.clock.now()
        size = self._online_size(group) if group.online is not None else None
        return group.describe(now, self._trouble(group), size)

    def list_groups(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the groups of the region."""
        now = self._groups.clock.now()
        groups = self._groups.visible(call.region)
        return page_of([group.summary(now, self._trouble(group)) for group in groups], request)

    def update(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start an update: features to add, the online store's TTL or storage type, or the throughput."""
        with self._groups.lock:
            group = self._groups.get(call.region, request["FeatureGroupName"])
            now = self._groups.clock.now()
            status = group.status(now)
            if status != "Created":
                raise _in_use(group, f"is in {status} status and cannot be updated")
            if group.update is not None and not group.update.done:
                raise _in_use(group, "has an update in progress")
            check_update(group, request, now)
            group.update = self._new_update(group, request, now)
            group.settle(now)
            self._groups.save(group)
        return {"FeatureGroupArn": group.arn}

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Start the deletion of a group; what it wrote to S3 and Glue stays."""
        with self._groups.lock:
            group = self._groups.get(call.region, request["FeatureGroupName"])
            now = self._groups.clock.now()
            status = group.status(now)
            if status in ("Creating", "Deleting"):
                raise _in_use(group, f"is in {status} status and cannot be deleted")
            group.deleting, group.gone = now, now + self._settings.now.delete_seconds
            group.delete_failure = self._faults.deletion_failure("feature-group", group.name)
            self._groups.save(group)
        return {}

    def _check_limits(self, call: Call) -> None:
        now, settings = self._groups.clock.now(), self._settings.now
        statuses = [group.status(now) for group in self._groups.all(call.region)]
        creating = statuses.count("Creating")
        if creating >= settings.max_concurrent_creations:
            raise _over_limit(
                "Maximum number of feature group creation workflows executing in parallel",
                settings.max_concurrent_creations,
                creating,
            )
        if len(statuses) >= settings.max_feature_groups:
            raise _over_limit("Maximum number of feature groups", settings.max_feature_groups, len(statuses))

    def _complete_offline(self, group: FeatureGroup) -> None:
        """Add what AWS decides: where the files go, and the table's name unless it was given."""
        if group.offline is None:
            return
        storage = dict(group.offline["S3StorageConfig"])
        offline = {"TableFormat": "Glue", "DisableGlueTableCreation": False, **group.offline}
        if offline["TableFormat"] == "Default":
            offline["TableFormat"] = "Glue"
        if not offline["DisableGlueTableCreation"] and "DataCatalogConfig" not in offline:
            table = f"{group.name.replace('-', '_')}_{int(group.timeline.created)}".lower()
            offline["DataCatalogConfig"] = {"TableName": table, "Catalog": CATALOG, "Database": DATABASE}
        group.table_made = bool(offline["DisableGlueTableCreation"])
        group.offline = {**offline, "S3StorageConfig": storage}
        if "ResolvedOutputS3Uri" not in storage:
            storage["ResolvedOutputS3Uri"] = self._resolve(group.describe(group.timeline.created))

    def _new_update(self, group: FeatureGroup, request: Mapping[str, Any], now: float) -> Update:
        online = dict(request["OnlineStoreConfig"]) if "OnlineStoreConfig" in request else None
        if online is not None and online.get("TtlDuration") == {}:
            online["TtlDuration"] = None
        throughput = request.get("ThroughputConfig")
        if throughput is not None:
            throughput = {**(group.throughput or {}), **throughput}
            if throughput["ThroughputMode"] == "OnDemand":
                throughput = {"ThroughputMode": "OnDemand"}
                group.on_demand_since = now
        return Update(
            until=now + self._settings.now.update_seconds,
            additions=request.get("FeatureAdditions", []),
            online=online,
            throughput=throughput,
            failure=self._faults.update_failure("feature-group", group.name),
        )


def _new_group(call: Call, request: Mapping[str, Any], timeline: Timeline) -> FeatureGroup:
    online = request.get("OnlineStoreConfig", {})
    if not online.get("EnableOnlineStore"):
        online = None
    elif online.get("TtlDuration") == {}:
        online = {name: value for name, value in online.items() if name != "TtlDuration"}
    return FeatureGroup(
        region=call.region,
        name=request["FeatureGroupName"],
        definitions=request["FeatureDefinitions"],
        identifier=request["RecordIdentifierFeatureName"],
        event_time=request["EventTimeFeatureName"],
        timeline=timeline,
        online=online,
        offline=request.get("OfflineStoreConfig"),
        throughput=request.get("ThroughputConfig"),
        role=request.get("RoleArn"),
        description=request.get("Description"),
        tags={tag["Key"]: tag["Value"] for tag in request.get("Tags", [])},
        modified=timeline.created,
    )


def _timeline(now: float, settings: Settings, request: Mapping[str, Any]) -> Timeline:
    in_memory = request.get("OnlineStoreConfig", {}).get("StorageType") == "InMemory"
    takes = settings.create_seconds
    if in_memory and settings.create_in_memory_seconds is not None:
        takes = settings.create_in_memory_seconds
    ready = now + takes
    active = ready + settings.offline_active_seconds
    return Timeline(now, now + settings.visible_seconds, ready, active, active + settings.glue_seconds)


def _in_use(group: FeatureGroup, why: str) -> ApiError:
    return ApiError("ResourceInUse", f"Resource In Use: FeatureGroup with name {group.name} {why}.")


def _over_limit(limit: str, allowed: int, has: int) -> ApiError:
    return ApiError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{limit}' is {allowed} FeatureGroups, with current utilization of {has} "
        "FeatureGroups and a request delta of 1 FeatureGroups. Please contact AWS support to request an increase for "
        "this limit.",
    )
