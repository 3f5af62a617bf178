"""The feature groups that stand, and the states that they have by now."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from festaf.local_aws.resources.reading import read_operation
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from festaf.local_aws.clock import Clock
    from festaf.local_aws.faults import Faults
    from festaf.local_aws.feature_groups.group import FeatureGroup
    from festaf.local_aws.state.store import Store


class FeatureGroups:
    """Keeps the groups by region and name; may be used from several threads.

    :param gone: told of a group whose deletion has ended
    """

    def __init__(self, clock: Clock, store: Store, faults: Faults) -> None:
        self.clock = clock
        self._faults = faults
        self.lock = threading.RLock()
        self.gone: list[Callable[[FeatureGroup], None]] = []
        self._store = store
        self._groups: dict[tuple[str, str], FeatureGroup] = {}

    def load(self, groups: list[FeatureGroup]) -> None:
        """Take the groups of an earlier run; the offline store makes sure of their tables anew."""
        with self.lock:
            for group in groups:
                group.table_made = bool((group.offline or {}).get("DisableGlueTableCreation"))
            self._groups = {(group.region, group.name): group for group in groups}

    def add(self, group: FeatureGroup) -> None:
        """Take a new group."""
        with self.lock:
            self._groups[group.region, group.name] = group
            self._store.save_group(group)

    def save(self, group: FeatureGroup) -> None:
        """Keep what has changed in a group."""
        with self.lock:
            self._store.save_group(group)

    def standing(self, region: str, name: str) -> FeatureGroup | None:
        """Give a group whether or not it is visible already; None when there is none or it is gone by now."""
        with self.lock:
            group = self._groups.get((region, name))
            if group is None:
                return None
            now = self.clock.now()
            if group.is_over(now) and not group.delete_failure:
                self._remove(group)
                return None
            if group.update is not None and group.settle(now):
                self._store.save_group(group)
            return group

    def find(self, region: str, name_or_arn: str) -> FeatureGroup | None:
        """Give a group that clients can see, by name or ARN."""
        name = name_or_arn
        if name.startswith("arn:"):
            _, _, _, region, _, resource = name.split(":", 5)
            name = resource.rpartition("/")[2]
        group = self.standing(region, name)
        if group is None or self.clock.now() < group.timeline.visible:
            return None
        operation = read_operation()
        hidden = operation is not None and self._faults.hides(operation, "feature-group", name)
        return None if hidden else group

    def get(self, region: str, name_or_arn: str) -> FeatureGroup:
        """Give a group that clients can see.

        :raises ApiError: ResourceNotFound
        """
        group = self.find(region, name_or_arn)
        if group is None:
            name = name_or_arn.rpartition("/")[2]
            message = f"Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {name}"
            raise ApiError("ResourceNotFound", message)
        return group

    def all(self, region: str | None = None) -> Iterator[FeatureGroup]:
        """Give the groups of a region, or of all, whether or not they are visible."""
        with self.lock:
            keys = [key for key in self._groups if region in (None, key[0])]
        for key in keys:
            group = self.standing(*key)
            if group is not None:
                yield group

    def visible(self, region: str) -> list[FeatureGroup]:
        """Give the groups of a region that clients can see."""
        now = self.clock.now()
        return [group for group in self.all(region) if now >= group.timeline.visible]

    def clear(self) -> None:
        """Forget every group."""
        with self.lock:
            self._groups.clear()

    def _remove(self, group: FeatureGroup) -> None:
        del self._groups[group.region, group.name]
        self._store.remove_group(group)
        for tell in self.gone:
            tell(group)
