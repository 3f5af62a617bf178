"""Where groups and records are kept: nowhere, unless a directory was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from festaf.local_aws.feature_groups.group import FeatureGroup
    from festaf.local_aws.offline_store import OfflineRow
    from festaf.local_aws.records.online import OnlineRecord
    from festaf.local_aws.resources.resource import Resource


@dataclass(frozen=True, slots=True)
class Written:
    """What one record's write changed: its online record (None: removed or untouched) and its offline row."""

    group: FeatureGroup
    identifier: str
    online: OnlineRecord | None = None
    removed: bool = False
    offline: OfflineRow | None = None


@dataclass
class Kept:
    """What an earlier run left."""

    ahead: float = 0.0
    """How far the clock was ahead of real time, in seconds."""
    groups: list[FeatureGroup] = field(default_factory=list)
    records: list[tuple[FeatureGroup, str, OnlineRecord]] = field(default_factory=list)
    waiting: list[tuple[FeatureGroup, list[OfflineRow]]] = field(default_factory=list)
    """Rows that were not in the offline store's files, in the order in which they came."""
    resources: list[Resource] = field(default_factory=list)


class Store(Protocol):
    """Keeps what was acknowledged; every method returns once that is safe from the process's end."""

    def load(self, delivered: Mapping[str, int]) -> Kept:
        """Give what an earlier run left, but for the rows that are in files: by group's key, the last such row."""

    def save_ahead(self, ahead: float) -> None:
        """Keep how far the clock is ahead of real time."""

    def save_group(self, group: FeatureGroup) -> None:
        """Keep a group as it is now."""

    def remove_group(self, group: FeatureGroup) -> None:
        """Forget a group and its online records; rows that wait for the offline store stay."""

    def save_resource(self, resource: Resource) -> None:
        """Keep a resource as it is now."""

    def remove_resource(self, resource: Resource) -> None:
        """Forget a resource."""

    def write(self, changes: Sequence[Written]) -> None:
        """Keep the records of one request."""

    def last_row(self) -> int:
        """Give the number of the last offline row."""

    def delivered(self, group: FeatureGroup, last: int) -> None:
        """Forget a group's rows up to this number: they are in the offline store's files."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """End."""


class NoStore:
    """Keeps nothing: everything ends with the process."""

    def load(self, delivered: Mapping[str, int]) -> Kept:
        """Give nothing."""
        return Kept()

    def save_ahead(self, ahead: float) -> None:
        """Do nothing."""

    def save_group(self, group: FeatureGroup) -> None:
        """Do nothing."""

    def remove_group(self, group: FeatureGroup) -> None:
        """Do nothing."""

    def save_resource(self, resource: Resource) -> None:
        """Do nothing."""

    def remove_resource(self, resource: Resource) -> None:
        """Do nothing."""

    def write(self, changes: Sequence[Written]) -> None:
        """Do nothing."""

    def last_row(self) -> int:
        """Give no row."""
        return 0

    def delivered(self, group: FeatureGroup, last: int) -> None:
        """Do nothing."""

    def clear(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
