"""QueryLineage: what an entity comes from and what comes from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from festaf.local_aws.lineage.associations import Graph, kind_of
from festaf.local_aws.lineage.entity import KINDS, LINEAGE_TYPES
from festaf.local_aws.resources.listing import read_token, write_token

if TYPE_CHECKING:
    from festaf.local_aws.resources.resource import Resource

DEEPEST = 10
PAGE = 50

Filters = Mapping[str, Any]


def query(graph: Graph, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give one page of what a query finds.

    Without a start it is every entity that the filters let through. With IncludeEdges also the start, what lies on
    the way to what was found, and the associations between them.

    :raises ApiError: ResourceNotFound, when the start is not there
    """
    starts = request.get("StartArns", [])
    for arn in starts:
        graph.check(arn)
    filters: Filters = request.get("Filters", {})
    if starts:
        steps = _walk(graph, starts, request.get("Direction", "Both"), _depth(request))
        reached = dict.fromkeys(arn for _, arn, _ in steps)
        found = [arn for arn in reached if arn not in starts and _fits(graph, arn, filters)]
    else:
        steps = []
        found = [arn for arn in _everything(graph) if _fits(graph, arn, filters)]
    edges: list[Resource] = []
    if request.get("IncludeEdges"):
        found, edges = _with_paths(steps, starts, found) if starts else (found, _between(graph, found))
    return _page(graph, found, edges, request)


def _depth(request: Mapping[str, Any]) -> int:
    return int(request.get("MaxDepth", DEEPEST))


Step = tuple[str, str, "Resource"]
"""From one entity to another over an association, whichever way that points."""


def _walk(graph: Graph, starts: list[str], direction: str, depth: int) -> list[Step]:
    """Give every step away from the starts, nearer ones first."""
    near: dict[str, list[tuple[str, Resource]]] = {}
    for edge in graph.edges():
        source, destination = edge.facts["source"], edge.facts["destination"]
        if direction in ("Descendants", "Both"):
            near.setdefault(source, []).append((destination, edge))
        if direction in ("Ascendants", "Both"):
            near.setdefault(destination, []).append((source, edge))
    steps: list[Step] = []
    reached, front = set(starts), list(starts)
    for _ in range(depth):
        after: list[str] = []
        for arn in front:
            for neighbour, edge in near.get(arn, ()):
                steps.append((arn, neighbour, edge))
                if neighbour not in reached:
                    reached.add(neighbour)
                    after.append(neighbour)
        front = after
    return steps


def _with_paths(steps: list[Step], starts: list[str], found: list[str]) -> tuple[list[str], list[Resource]]:
    """Add what lies between the starts and what was found."""
    kept = set(found)
    edges: dict[str, Resource] = {}
    for came_from, arn, edge in reversed(steps):
        if arn in kept:
            kept.add(came_from)
            edges[edge.name] = edge
    order = dict.fromkeys([*starts, *(arn for _, arn, _ in steps)])
    return [arn for arn in order if arn in kept or arn in starts], list(edges.values())


def _between(graph: Graph, found: list[str]) -> list[Resource]:
    known = set(found)
    return [edge for edge in graph.edges() if {edge.facts["source"], edge.facts["destination"]} <= known]


def _everything(graph: Graph) -> Iterator[str]:
    for kind in KINDS:
        yield from (one.arn for one in graph.entities(kind))


def _fits(graph: Graph, arn: str, filters: Filters) -> bool:
    entity = graph.entity(arn)
    if not filters:
        return True
    if "LineageTypes" in filters and LINEAGE_TYPES.get(kind_of(arn)) not in filters["LineageTypes"]:
        return False
    if "Types" in filters and graph.type(arn) not in filters["Types"]:
        return False
    times_and_properties = filters.keys() - {"LineageTypes", "Types"}
    if entity is None:
        return not times_and_properties
    for moment, after, before in (
        (entity.created_at, "CreatedAfter", "CreatedBefore"),
        (entity.modified_at, "ModifiedAfter", "ModifiedBefore"),
    ):
        if not (filters.get(after, moment) <= moment <= filters.get(before, moment)):
            return False
    properties = entity.request.get("Properties", {})
    wanted = filters.get("Properties", {})
    return not wanted or any(properties.get(key) == value for key, value in wanted.items())


def _page(graph: Graph, found: list[str], edges: list[Resource], request: Mapping[str, Any]) -> dict[str, Any]:
    """Cut a page of vertices; an edge stands on the page of the later one of its two."""
    start = int(read_token(request.get("NextToken"), 0))
    end = start + request.get("MaxResults", PAGE)
    place = {arn: number for number, arn in enumerate(found)}
    return {
        "Vertices": [
            {"Arn": arn, "Type": graph.type(arn), "LineageType": LINEAGE_TYPES.get(kind_of(arn))}
            for arn in found[start:end]
        ],
        "Edges": [
            {
                "SourceArn": edge.facts["source"],
                "DestinationArn": edge.facts["destination"],
                "AssociationType": edge.facts["type"],
            }
            for edge in edges
            if start <= max(place[edge.facts["source"]], place[edge.facts["destination"]]) < end
        ],
        "NextToken": write_token(end) if end < len(found) else None,
    }
