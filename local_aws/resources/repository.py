"""The resources that stand, by kind, region and name."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

from festaf.local_aws.resources.reading import read_operation
from festaf.local_aws.resources.resource import Resource
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from festaf.local_aws.clock import Clock
    from festaf.local_aws.faults import Faults
    from festaf.local_aws.settings import CurrentSettings
    from festaf.local_aws.state.store import Store


class Resources:
    """Keeps resources; may be used from several threads. Take ``lock`` around a read that leads to a write.

    Operations that only read do not see a resource before ``resource_visible_seconds`` have passed, nor one that a
    ``hidden`` fault strikes; all others, and work in the background, see everything.
    """

    def __init__(self, clock: Clock, store: Store, settings: CurrentSettings, faults: Faults) -> None:
        self.clock = clock
        self._settings = settings
        self._faults = faults
        self.lock = threading.RLock()
        self._store = store
        self._found: dict[tuple[str, str], dict[str, Resource]] = {}

    def load(self, resources: Iterable[Resource]) -> None:
        """Take the resources of an earlier run."""
        with self.lock:
            for one in resources:
                self._found.setdefault((one.kind, one.region), {})[one.name] = one

    def now(self) -> float:
        """Give the server's time in seconds since 1970, to the millisecond, as AWS shows times."""
        return math.floor(self.clock.now() * 1000) / 1000

    def create(self, kind: str, region: str, name: str, request: dict[str, Any], **facts: Any) -> Resource:
        """Take a new resource; its tags come from the request's ``Tags``."""
        now = self.now()
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}
        asked = {key: value for key, value in request.items() if key != "Tags"}
        made = Resource(kind, region, name, asked, created=now, modified=now, facts=facts, tags=tags)
        made.visible = now + self._settings.now.resource_visible_seconds
        with self.lock:
            self._found.setdefault((kind, region), {})[name] = made
            self._store.save_resource(made)
        return made

    def save(self, resource: Resource) -> None:
        """Keep what has changed in a resource."""
        with self.lock:
            self._store.save_resource(resource)

    def touch(self, resource: Resource) -> None:
        """Keep what has changed in a resource, as a change that its LastModifiedTime shows."""
        resource.modified = self.now()
        self.save(resource)

    def find(self, kind: str, region: str, name: str) -> Resource | None:
        """Give a resource; None when there is none, or when the request that is answered cannot see it."""
        with self.lock:
            found = self._found.get((kind, region), {}).get(name)
        operation = read_operation()
        if found is None or operation is None:
            return found
        if self.clock.now() < found.visible or self._faults.hides(operation, kind, name):
            return None
        return found

    def get(self, kind: str, region: str, name: str, absent: str, code: str = "ValidationException") -> Resource:
        """Give a resource.

        :param absent: AWS's message when there is none
        :raises ApiError: with this code and message, when there is none
        """
        found = self.find(kind, region, name)
        if found is None:
            raise ApiError(code, absent)
        return found

    def by_arn(self, arn: str) -> Resource | None:
        """Give a resource by its ARN; None when there is none."""
        _, _, _, region, _, rest = arn.split(":", 5)
        kind, _, name = rest.partition("/")
        return self.find(kind, region, name)

    def all(self, kind: str, region: str | None = None) -> list[Resource]:
        """Give the resources of a kind in one region, or in all, in the order of their creation.

        A request that only reads gets those that it can see.
        """
        now = self.clock.now() if read_operation() else float("inf")
        with self.lock:
            return [
                one
                for (its_kind, its_region), found in self._found.items()
                if its_kind == kind and region in (None, its_region)
                for one in found.values()
                if now >= one.visible
            ]

    def remove(self, resource: Resource) -> None:
        """Forget a resource."""
        with self.lock:
            self._found.get((resource.kind, resource.region), {}).pop(resource.name, None)
            self._store.remove_resource(resource)

    def clear(self) -> None:
        """Forget every resource."""
        with self.lock:
            self._found.clear()
