"""Workgroups: what queries of one kind have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from festaf.local_aws.athena.paging import invalid, page_of
from festaf.local_aws.resources.resource import moment
from festaf.local_aws.service import ACCOUNT, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.service import Call, Handler

KIND = "athena-work-group"
PRIMARY = "primary"
ENGINE_VERSION = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
_DEFAULTS = {
    "ResultConfiguration": {},
    "EnforceWorkGroupConfiguration": False,
    "PublishCloudWatchMetricsEnabled": False,
    "RequesterPaysEnabled": False,
    "EngineVersion": ENGINE_VERSION,
}
_NESTED = {"ResultConfigurationUpdates": "ResultConfiguration"}
_SPARK = "PySpark"


@dataclass(frozen=True)
class WorkGroup:
    """A workgroup as a query needs to know it."""

    name: str
    enabled: bool
    configuration: Mapping[str, Any]

    @property
    def enforced(self) -> bool:
        """Say whether its settings stand over the client's."""
        return bool(self.configuration.get("EnforceWorkGroupConfiguration"))

    @property
    def cutoff(self) -> int | None:
        """Give how many bytes a query may scan."""
        return self.configuration.get("BytesScannedCutoffPerQuery")


class WorkGroups:
    """Answers the operations of workgroups; the one named ``primary`` always stands."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self.holds: list[Callable[[str, str], bool]] = []
        """Asked, with region and name, whether something is in a workgroup that is to be deleted."""
        self.gone: list[Callable[[str, str], None]] = []
        """Told, with region and name, that a workgroup was deleted."""
        self.operations: Mapping[str, Handler] = {
            "CreateWorkGroup": self.create,
            "GetWorkGroup": self.get,
            "ListWorkGroups": self.list_groups,
            "UpdateWorkGroup": self.update,
            "DeleteWorkGroup": self.delete,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.tags,
        }

    def find(self, region: str, name: str) -> WorkGroup:
        """Give a workgroup.

        :raises ApiError: there is none
        """
        found = self._find(region, name)
        return WorkGroup(name, found.facts["State"] == "ENABLED", found.facts["Configuration"])

    def create(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """CreateWorkGroup."""
        name = asked["Name"]
        configuration = asked.get("Configuration") or {}
        _check(configuration)
        with self._resources.lock:
            if name == PRIMARY or self._resources.find(KIND, call.region, name):
                raise invalid(f"WorkGroup {name} is already created")
            facts = {
                "State": "ENABLED",
                "Description": asked.get("Description", ""),
                "Configuration": {**_DEFAULTS, **configuration, "EngineVersion": ENGINE_VERSION},
            }
            self._resources.create(KIND, call.region, name, asked, **facts)
        return {}

    def get(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """GetWorkGroup."""
        found = self._find(call.region, asked["WorkGroup"])
        return {"WorkGroup": {**_summary(found), "Configuration": found.facts["Configuration"]}}

    def list_groups(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """ListWorkGroups, in the order of their names."""
        self._find(call.region, PRIMARY)
        found = sorted(self._resources.all(KIND, call.region), key=lambda group: group.name)
        summaries = [
            {**_summary(group), "EngineVersion": group.facts["Configuration"]["EngineVersion"]} for group in found
        ]
        return page_of(summaries, asked, "WorkGroups")

    def update(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """UpdateWorkGroup: change what is said, and leave the rest."""
        updates = asked.get("ConfigurationUpdates") or {}
        _check(updates)
        with self._resources.lock:
            group = self._find(call.region, asked["WorkGroup"])
            group.facts["Configuration"] = _updated(group.facts["Configuration"], updates)
            group.facts |= {key: asked[key] for key in ("State", "Description") if key in asked}
            self._resources.touch(group)
        return {}

    def delete(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """DeleteWorkGroup: one with queries in it only when that is said."""
        name = asked["WorkGroup"]
        if name == PRIMARY:
            raise invalid("WorkGroup primary can not be deleted")
        with self._resources.lock:
            group = self._find(call.region, name)
            if not asked.get("RecursiveDeleteOption") and any(holds(call.region, name) for holds in self.holds):
                raise invalid(f"WorkGroup {name} is not empty")
            self._resources.remove(group)
        for tell in self.gone:
            tell(call.region, name)
        return {}

    def tag(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """TagResource."""
        group = self._by_arn(call.region, asked["ResourceARN"])
        group.tags |= {tag["Key"]: tag["Value"] for tag in asked["Tags"]}
        self._resources.save(group)
        return {}

    def untag(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """UntagResource."""
        group = self._by_arn(call.region, asked["ResourceARN"])
        group.tags = {key: value for key, value in group.tags.items() if key not in asked["TagKeys"]}
        self._resources.save(group)
        return {}

    def tags(self, call: Call, asked: dict[str, Any]) -> dict[str, Any]:
        """ListTagsForResource."""
        group = self._by_arn(call.region, asked["ResourceARN"])
        return {"Tags": [{"Key": key, "Value": value} for key, value in group.tags.items()]}

    def _by_arn(self, region: str, arn: str) -> Resource:
        name = arn.removeprefix(f"arn:aws:athena:{region}:{ACCOUNT}:workgroup/")
        if "/" in name:
            raise invalid(f"{arn} is not the ARN of a workgroup")
        try:
            return self._find(region, name)
        except ApiError as problem:
            raise ApiError("ResourceNotFoundException", problem.message) from None

    def _find(self, region: str, name: str) -> Resource:
        found = self._primary(region) if name == PRIMARY else self._resources.find(KIND, region, name)
        if found is None:
            raise invalid(f"WorkGroup {name} is not found.")
        return found

    def _primary(self, region: str) -> Resource:
        """Give the workgroup that always stands, and that nothing hides."""
        with self._resources.lock:
            for group in self._resources.all(KIND, region):
                if group.name == PRIMARY:
                    return group
            facts = {"State": "ENABLED", "Description": "", "Configuration": dict(_DEFAULTS)}
            made = self._resources.create(KIND, region, PRIMARY, {}, **facts)
            made.visible = made.created
            self._resources.save(made)
            return made


def _summary(group: Resource) -> dict[str, Any]:
    return {
        "Name": group.name,
        "State": group.facts["State"],
        "Description": group.facts["Description"],
        "CreationTime": moment(group.created),
    }


def _check(configuration: Mapping[str, Any]) -> None:
    engine = (configuration.get("EngineVersion") or {}).get("SelectedEngineVersion", "AUTO")
    if engine not in ("AUTO", ENGINE_VERSION["EffectiveEngineVersion"]):
        raise invalid(f"The local Athena has no engine {engine}")
    managed = configuration.get("ManagedQueryResultsConfiguration")
    managed = managed or configuration.get("ManagedQueryResultsConfigurationUpdates") or {}
    if managed.get("Enabled"):
        raise invalid("The local Athena keeps no managed query results")


def _updated(before: Mapping[str, Any], updates: Mapping[str, Any]) -> dict[str, Any]:
    """Apply updates; ``RemoveX`` takes X away, ``XUpdates`` changes a part of X."""
    after = dict(before)
    for key, value in updates.items():
        if key in _NESTED:
            after[_NESTED[key]] = _updated(after.get(_NESTED[key]) or {}, value)
        elif key.startswith("Remove"):
            if value:
                after.pop(key.removeprefix("Remove"), None)
        elif key != "EngineVersion":
            after[key] = value
    return after
