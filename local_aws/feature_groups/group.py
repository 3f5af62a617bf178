"""One feature group: what was asked for, and a timeline from which its states follow.

Nothing happens in the background. A state is what the timeline says at the clock's time, so that a jump of the clock
brings every group where it would be.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from festaf.local_aws.records.schema import RecordSchema
from festaf.local_aws.service import ACCOUNT

RESERVED = ("is_deleted", "write_time", "api_invocation_time")


@dataclass(frozen=True)
class Timeline:
    """When what becomes true, in seconds since 1970 of the server's clock."""

    created: float
    visible: float
    ready: float
    offline_active: float
    table: float


@dataclass(frozen=True)
class Update:
    """The last update: it holds from ``until`` on, unless it fails."""

    until: float
    additions: list[dict[str, Any]] = field(default_factory=list)
    online: dict[str, Any] | None = None
    throughput: dict[str, Any] | None = None
    failure: str | None = None
    done: bool = False


@dataclass
class FeatureGroup:
    """What the server knows of a feature group; plain values only, so that it can be stored as JSON."""

    region: str
    name: str
    definitions: list[dict[str, Any]]
    identifier: str
    event_time: str
    timeline: Timeline
    online: dict[str, Any] | None = None
    """OnlineStoreConfig; None when the group has no online store."""
    offline: dict[str, Any] | None = None
    """OfflineStoreConfig with where it resolved to; None when the group has no offline store."""
    throughput: dict[str, Any] | None = None
    role: str | None = None
    description: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By feature: Description, Parameters (a mapping) and Modified (seconds since 1970)."""
    failure: str | None = None
    """Why the creation fails, if it does."""
    modified: float = 0.0
    update: Update | None = None
    on_demand_since: float | None = None
    """When it was last switched to on-demand throughput."""
    deleting: float | None = None
    gone: float | None = None
    """When the deletion ends."""
    delete_failure: str | None = None
    """Why the deletion fails, if it does."""
    table_made: bool = False
    """Whether the Glue table stands with all features' columns (or shall not be made)."""

    @cached_property
    def key(self) -> str:
        """Tell this group from an earlier one of the same name."""
        return f"{self.region}/{self.name}/{self.timeline.created!r}"

    @property
    def arn(self) -> str:
        """Give the group's ARN."""
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:feature-group/{self.name}"

    @cached_property
    def schema(self) -> RecordSchema:
        """Give what checks the group's records."""
        return RecordSchema(self.definitions, self.identifier, self.event_time)

    @cached_property
    def view(self) -> dict[str, Any]:
        """Give the group in DescribeFeatureGroup's shape, as the offline store takes it."""
        return self.describe(self.timeline.created)

    def status(self, now: float) -> str:
        """Give FeatureGroupStatus."""
        if self.deleting is not None:
            return "DeleteFailed" if self.delete_failure and self.is_over(now) else "Deleting"
        if now < self.timeline.ready:
            return "Creating"
        return "CreateFailed" if self.failure else "Created"

    def is_over(self, now: float) -> bool:
        """Say whether the time of a deletion is over."""
        return self.gone is not None and now >= self.gone

    def is_active(self, now: float) -> bool:
        """Say whether the offline store is active (or blocked): it exists and its time has come."""
        return self.offline is not None and now >= self.timeline.offline_active and not self.failure

    def needs_table(self, now: float) -> bool:
        """Say whether the Glue table is due."""
        return not self.table_made and self.is_active(now) and now >= self.timeline.table and self.deleting is None

    def offline_status(self, now: float, trouble: dict[str, str] | None) -> dict[str, str] | None:
        """Give OfflineStoreStatus; None before the store is active, or when there is none."""
        if not self.is_active(now):
            return None
        return trouble or {"Status": "Active"}

    def settle(self, now: float) -> bool:
        """Take over an update whose time has come, and say whether there was one."""
        update = self.update
        if update is None or update.done or now < update.until:
            return False
        if update.failure is None:
            self._take_over(update, now)
        self.update = Update(**{**asdict(update), "done": True})
        return True

    def _take_over(self, update: Update, now: float) -> None:
        self.definitions = [*self.definitions, *update.additions]
        if update.online is not None and self.online is not None:
            changed = {**self.online, **update.online}
            self.online = {name: value for name, value in changed.items() if value is not None}
        if update.throughput is not None:
            self.throughput = update.throughput
        self.modified = update.until
        if update.additions and self.offline is not None:
            self.table_made = bool(self.offline.get("DisableGlueTableCreation"))
        for made in ("schema", "view"):
            self.__dict__.pop(made, None)

    def last_update(self) -> dict[str, str] | None:
        """Give LastUpdateStatus, or None when there was no update."""
        if self.update is None:
            return None
        if not self.update.done:
            return {"Status": "InProgress"}
        if self.update.failure:
            return {"Status": "Failed", "FailureReason": self.update.failure}
        return {"Status": "Successful"}

    def describe(self, now: float, trouble: dict[str, str] | None = None, size: int | None = None) -> dict[str, Any]:
        """Give DescribeFeatureGroup's answer.

        :param trouble: OfflineStoreStatus, when the offline store does not work
        :param size: bytes in the online store
        """
        status = self.status(now)
        throughput = self.throughput or {"ThroughputMode": "OnDemand"}
        return {
            "FeatureGroupArn": self.arn,
            "FeatureGroupName": self.name,
            "RecordIdentifierFeatureName": self.identifier,
            "EventTimeFeatureName": self.event_time,
            "FeatureDefinitions": self.definitions,
            "CreationTime": moment(self.timeline.created),
            "LastModifiedTime": moment(self.modified or self.timeline.created),
            "OnlineStoreConfig": self.online,
            "OfflineStoreConfig": self.offline,
            "ThroughputConfig": throughput,
            "RoleArn": self.role,
            "FeatureGroupStatus": status,
            "OfflineStoreStatus": self.offline_status(now, trouble),
            "LastUpdateStatus": self.last_update(),
            "FailureReason": {"CreateFailed": self.failure, "DeleteFailed": self.delete_failure}.get(status),
            "Description": self.description,
            "NextToken": "",
            "OnlineStoreTotalSizeBytes": size,
        }

    def summary(self, now: float, trouble: dict[str, str] | None = None) -> dict[str, Any]:
        """Give the group's line in ListFeatureGroups' answer."""
        return {
            "FeatureGroupName": self.name,
            "FeatureGroupArn": self.arn,
            "CreationTime": moment(self.timeline.created),
            "FeatureGroupStatus": self.status(now),
            "OfflineStoreStatus": self.offline_status(now, trouble),
        }

    def to_json(self) -> dict[str, Any]:
        """Give what ``from_json`` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> FeatureGroup:
        """Read what ``to_json`` gave."""
        update = stored.pop("update")
        timeline = Timeline(**stored.pop("timeline"))
        return cls(**stored, timeline=timeline, update=Update(**update) if update else None)


def moment(seconds: float) -> datetime:
    """Give a time of the server's clock as AWS's clients see it."""
    return datetime.fromtimestamp(seconds, UTC)
