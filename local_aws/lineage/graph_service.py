"""SageMaker's operations on associations and on the graph as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from festaf.local_aws.lineage.associations import ASSOCIATION, Graph, edge_name
from festaf.local_aws.lineage.query import query
from festaf.local_aws.lineage.service import over_limit
from festaf.local_aws.resources.listing import page_of
from festaf.local_aws.service import ApiError, Call, Handler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from festaf.local_aws.cloud import Cloud
    from festaf.local_aws.resources.repository import Resources
    from festaf.local_aws.resources.resource import Resource
    from festaf.local_aws.settings import CurrentSettings


class GraphService:
    """Answers AddAssociation, DeleteAssociation, ListAssociations, QueryLineage and ListLineageGroups."""

    name = "sagemaker"

    def __init__(self, resources: Resources, settings: CurrentSettings, cloud: Cloud) -> None:
        self._resources = resources
        self._settings = settings
        self._cloud = cloud
        self.operations: Mapping[str, Handler] = {
            "AddAssociation": self.add,
            "DeleteAssociation": self.delete,
            "ListAssociations": self.list_associations,
            "QueryLineage": lambda call, request: query(self._graph(call), request),
            "ListLineageGroups": self.list_groups,
        }

    def add(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Add an association from a source to a destination."""
        source, destination = request["SourceArn"], request["DestinationArn"]
        if source == destination:
            raise ApiError("ValidationException", f"An entity cannot be associated with itself: {source}")
        graph = self._graph(call)
        with self._resources.lock:
            for arn in (source, destination):
                graph.check(arn)
            if self._resources.find(ASSOCIATION, call.region, edge_name(source, destination)) is not None:
                raise ApiError(
                    "ValidationException",
                    f"An association between source {source} and destination {destination} already exists.",
                )
            allowed, has = self._settings.now.max_associations, len(graph.edges())
            if has >= allowed:
                raise over_limit("Maximum number of associations", allowed, has, "Associations")
            self._resources.create(
                ASSOCIATION,
                call.region,
                edge_name(source, destination),
                {},
                source=source,
                destination=destination,
                type=request.get("AssociationType"),
            )
        return {"SourceArn": source, "DestinationArn": destination}

    def delete(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Delete an association."""
        source, destination = request["SourceArn"], request["DestinationArn"]
        with self._resources.lock:
            absent = f"Association between source {source} and destination {destination} does not exist."
            name = edge_name(source, destination)
            found = self._resources.get(ASSOCIATION, call.region, name, absent, code="ResourceNotFound")
            self._resources.remove(found)
        return {"SourceArn": source, "DestinationArn": destination}

    def list_associations(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List associations by source, destination and types."""
        graph = self._graph(call)
        asked = dict(request)
        for given, meant in (("CreatedAfter", "CreationTimeAfter"), ("CreatedBefore", "CreationTimeBefore")):
            if given in asked:
                asked[meant] = asked.pop(given)
        members = ("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType")
        lines = [_summary(graph, edge) for edge in graph.edges()]
        found = [line for line in lines if all(request.get(one) in (None, line[one]) for one in members)]
        return page_of(found, asked, answer="AssociationSummaries", name="Name")

    def list_groups(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """List the lineage groups: none, since no other account shares its lineage with this one."""
        return page_of([], request, answer="LineageGroupSummaries", name="LineageGroupName")

    def _graph(self, call: Call) -> Graph:
        return Graph(self._resources, self._cloud, call.region)


def _summary(graph: Graph, edge: Resource) -> dict[str, Any]:
    source, destination = edge.facts["source"], edge.facts["destination"]
    return {
        "SourceArn": source,
        "DestinationArn": destination,
        "SourceType": graph.type(source),
        "DestinationType": graph.type(destination),
        "AssociationType": edge.facts["type"],
        "SourceName": graph.name(source),
        "DestinationName": graph.name(destination),
        "CreationTime": edge.created_at,
        "CreatedBy": {},
        "Name": edge.name,
    }
