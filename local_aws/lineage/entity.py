"""The entities of a lineage graph: what artifacts, actions and contexts have in common, and what sets them apart."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.resources.resource import Resource


@dataclass(frozen=True)
class Kind:
    """A kind of entity.

    :param noun: as its members begin, such as ``Artifact`` in ``ArtifactType``
    :param quota: the setting that limits how many there may be
    :param members: what a Describe gives back as it was asked for, besides name, source, type and properties
    """

    noun: str
    quota: str
    members: tuple[str, ...]

    @property
    def arn(self) -> str:
        """Give the kind as it stands in an ARN."""
        return self.noun.lower()


ARTIFACT = Kind("Artifact", "max_artifacts", ("MetadataProperties",))
ACTION = Kind("Action", "max_actions", ("Description", "Status", "MetadataProperties"))
CONTEXT = Kind("Context", "max_contexts", ("Description",))
KINDS = {kind.arn: kind for kind in (ARTIFACT, ACTION, CONTEXT)}

LINEAGE_TYPES = {"artifact": "Artifact", "action": "Action", "context": "Context"} | {
    "experiment-trial-component": "TrialComponent"
}
"""By kind in an ARN; an experiment is in the graph, but has no lineage type."""


def artifact_id(request: Mapping[str, Any]) -> str:
    """Give the id of an artifact: the same source and type are the same artifact."""
    types = sorted((one["SourceIdType"], one["Value"]) for one in request["Source"].get("SourceTypes", ()))
    known = json.dumps([request["Source"]["SourceUri"], types, request["ArtifactType"]])
    return hashlib.md5(known.encode(), usedforsecurity=False).hexdigest()


def name_of(kind: Kind, entity: Resource) -> str | None:
    """Give an entity's name; an artifact may have none."""
    name: str | None = entity.request.get(f"{kind.noun}Name")
    return name


def type_of(kind: Kind, entity: Resource) -> str:
    """Give ArtifactType, ActionType or ContextType."""
    return str(entity.request[f"{kind.noun}Type"])


def summary(kind: Kind, entity: Resource) -> dict[str, Any]:
    """Give an entity's line in a list."""
    return {
        f"{kind.noun}Name": name_of(kind, entity),
        f"{kind.noun}Arn": entity.arn,
        f"{kind.noun}Type": type_of(kind, entity),
        "Source": entity.request["Source"],
        "Status": entity.request.get("Status"),
        "CreationTime": entity.created_at,
        "LastModifiedTime": entity.modified_at,
    }


def describe(kind: Kind, entity: Resource) -> dict[str, Any]:
    """Give the answer of DescribeArtifact, DescribeAction or DescribeContext."""
    return {
        **summary(kind, entity),
        **{member: entity.request.get(member) for member in kind.members},
        "Properties": entity.request.get("Properties", {}),
        "CreatedBy": {},
        "LastModifiedBy": {},
    }
