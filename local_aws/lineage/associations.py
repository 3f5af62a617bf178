"""The associations of a lineage graph: directed edges between its entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from festaf.local_aws.lineage.entity import KINDS, LINEAGE_TYPES, name_of, type_of
from festaf.local_aws.service import ApiError

if TYPE_CHECKING:
    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource

ASSOCIATION = "association"
_MOTOS = {
    "experiment": ("list_experiments", "ExperimentSummaries", "ExperimentArn"),
    "experiment-trial-component": ("list_trial_components", "TrialComponentSummaries", "TrialComponentArn"),
}
"""Entities that moto keeps: by kind, how to list them. Describing one that is not there is an error of moto's."""


class Graph:
    """The entities and associations of one region as they stand.

    :param cloud: keeps the experiments and trial components that may stand in associations too
    """

    def __init__(self, resources: Resources, cloud: Cloud, region: str) -> None:
        self._resources = resources
        self._cloud = cloud
        self.region = region

    def edges(self) -> list[Resource]:
        """Give every association, in the order of their creation."""
        return self._resources.all(ASSOCIATION, self.region)

    def entities(self, kind: str) -> list[Resource]:
        """Give the artifacts, actions or contexts, in the order of their creation."""
        return self._resources.all(kind, self.region)

    def entity(self, arn: str) -> Resource | None:
        """Give an artifact, action or context; None for others and when there is none."""
        return self._resources.by_arn(arn) if kind_of(arn) in KINDS else None

    def check(self, arn: str) -> None:
        """Check that there is such an entity.

        :raises ApiError: ResourceNotFound
        """
        kind = kind_of(arn)
        if kind in KINDS:
            there = arn.split(":")[3] == self.region and self.entity(arn) is not None
        else:
            there = self._is_motos(kind, arn)
        if not there:
            raise ApiError("ResourceNotFound", f"{LINEAGE_TYPES.get(kind, 'Experiment')} '{arn}' does not exist.")

    def name(self, arn: str) -> str | None:
        """Give an entity's name; an artifact may have none."""
        entity = self.entity(arn)
        if entity is None:
            return None if kind_of(arn) in KINDS else arn.rpartition("/")[2]
        return name_of(KINDS[entity.kind], entity)

    def type(self, arn: str) -> str:
        """Give an entity's type, such as ``DataSet``; of one that is moto's, what it is."""
        entity = self.entity(arn)
        return LINEAGE_TYPES.get(kind_of(arn), "Experiment") if entity is None else type_of(KINDS[entity.kind], entity)

    def _is_motos(self, kind: str, arn: str) -> bool:
        operation, answer, member = _MOTOS[kind]
        pages = self._cloud.client("sagemaker", self.region).get_paginator(operation).paginate()
        return any(one[member] == arn for page in pages for one in page[answer])


def kind_of(arn: str) -> str:
    """Give the kind of an entity, as it stands in its ARN."""
    return arn.split(":", 5)[5].partition("/")[0]


def edge_name(source: str, destination: str) -> str:
    """Name an association: there is one between two entities in one direction."""
    return f"{source} {destination}"
