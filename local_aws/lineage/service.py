"""SageMaker's operations on artifacts, actions and contexts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from festaf.local_aws.lineage.associations import ASSOCIATION
from festaf.local_aws.lineage.entity import ARTIFACT, KINDS, Kind, artifact_id, describe, summary
from festaf.local_aws.resources.listing import page_of
from festaf.local_aws.resources.resource import arn_of
from festaf.local_aws.service import ApiError, Call, Handler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import CurrentSettings

MAX_PROPERTIES = 30


class EntityService:
    """Answers Create, Describe, List, Update and Delete of every kind of entity."""

    name = "sagemaker"

    def __init__(self, resources: Resources, settings: CurrentSettings) -> None:
        self._resources = resources
        self._settings = settings
        self.operations: Mapping[str, Handler] = {
            operation: handler for kind in KINDS.values() for operation, handler in self._operations(kind)
        }

    def _operations(self, kind: Kind) -> list[tuple[str, Handler]]:
        return [
            (f"Create{kind.noun}", partial(self._create, kind)),
            (f"Describe{kind.noun}", partial(self._describe, kind)),
            (f"List{kind.noun}s", partial(self._list, kind)),
            (f"Update{kind.noun}", partial(self._update, kind)),
            (f"Delete{kind.noun}", partial(self._delete, kind)),
        ]

    def _create(self, kind: Kind, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Create an entity; an artifact that stands with this source and type is given as it is."""
        name = artifact_id(request) if kind is ARTIFACT else request[f"{kind.noun}Name"]
        with self._resources.lock:
            standing = self._resources.find(kind.arn, call.region, name)
            if standing is not None and kind is ARTIFACT:
                return {"ArtifactArn": standing.arn}
            if standing is not None:
                raise ApiError(
                    "ValidationException",
                    f"{kind.noun} names must be unique within an AWS account and region. "
                    f"{kind.noun} with name ({name}) already exists.",
                )
            self._check_quota(kind, call)
            made = self._resources.create(kind.arn, call.region, name, request)
        return {f"{kind.noun}Arn": made.arn}

    def _describe(self, kind: Kind, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        return describe(kind, self._get(kind, call, request))

    def _list(self, kind: Kind, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        wanted = {f"{kind.noun}Type": request.get(f"{kind.noun}Type")}
        asked = dict(request)
        for given, meant in (("CreatedAfter", "CreationTimeAfter"), ("CreatedBefore", "CreationTimeBefore")):
            if given in asked:
                asked[meant] = asked.pop(given)
        lines = [
            {**line, "Name": line[f"{kind.noun}Name"] or one.name}
            for one in self._resources.all(kind.arn, call.region)
            if all(value in (None, (line := summary(kind, one))[member]) for member, value in wanted.items())
            and request.get("SourceUri") in (None, one.request["Source"]["SourceUri"])
        ]
        return page_of(lines, asked, answer=f"{kind.noun}Summaries", name="Name")

    def _update(self, kind: Kind, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        with self._resources.lock:
            entity = self._get(kind, call, request)
            properties = {**entity.request.get("Properties", {}), **request.get("Properties", {})}
            for key in request.get("PropertiesToRemove", ()):
                properties.pop(key, None)
            if len(properties) > MAX_PROPERTIES:
                raise ApiError(
                    "ValidationException", f"{kind.noun} {entity.arn} can have at most {MAX_PROPERTIES} properties."
                )
            members = ("ArtifactName",) if kind is ARTIFACT else ("Description", "Status")
            changed = {member: request[member] for member in members if member in request}
            entity.request = {**entity.request, **changed, "Properties": properties}
            self._resources.touch(entity)
        return {f"{kind.noun}Arn": entity.arn}

    def _delete(self, kind: Kind, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        with self._resources.lock:
            entity = self._get(kind, call, request)
            for edge in self._resources.all(ASSOCIATION, call.region):
                if entity.arn in (edge.facts["source"], edge.facts["destination"]):
                    raise ApiError(
                        "ValidationException",
                        f"{kind.noun} '{entity.arn}' cannot be deleted because it has associations.",
                    )
            self._resources.remove(entity)
        return {f"{kind.noun}Arn": entity.arn}

    def _check_quota(self, kind: Kind, call: Call) -> None:
        allowed: int = getattr(self._settings.now, kind.quota)
        has = len(self._resources.all(kind.arn, call.region))
        if has >= allowed:
            raise over_limit(f"Maximum number of {kind.noun.lower()}s", allowed, has, f"{kind.noun}s")

    def _get(self, kind: Kind, call: Call, request: Mapping[str, Any]) -> Resource:
        if kind is not ARTIFACT:
            name = request[f"{kind.noun}Name"].rpartition("/")[2]
        elif "ArtifactArn" in request:
            name = request["ArtifactArn"].rpartition("/")[2]
        else:
            name = self._by_source(call, request)
        absent = f"{kind.noun} '{arn_of(kind.arn, call.region, name)}' does not exist."
        return self._resources.get(kind.arn, call.region, name, absent, code="ResourceNotFound")

    def _by_source(self, call: Call, request: Mapping[str, Any]) -> str:
        """Give the id of the only artifact of a source."""
        if "Source" not in request:
            raise ApiError("ValidationException", "Either ArtifactArn or Source must be given.")
        found = [
            one.name
            for one in self._resources.all(ARTIFACT.arn, call.region)
            if one.request["Source"] == request["Source"]
        ]
        if len(found) > 1:
            raise ApiError("ValidationException", "More than one artifact has this Source; give its ArtifactArn.")
        return found[0] if found else request["Source"]["SourceUri"]


def over_limit(limit: str, allowed: int, has: int, what: str) -> ApiError:
    """Make the error of a quota that is full."""
    return ApiError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{limit}' is {allowed} {what}, with current utilization of {has} {what} and "
        f"a request delta of 1 {what}. Please contact AWS support to request an increase for this limit.",
    )
