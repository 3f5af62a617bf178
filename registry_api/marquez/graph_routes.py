"""``GET /lineage``, ``/column-lineage`` and ``/runlineage/upstream``."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from festaf.contract import marquez_graph
from festaf.registry_api.edge import Reader, Reading, View
from festaf.registry_api.errors import BadRequestError
from festaf.registry_api.marquez.graphs import Graphs
from festaf.registry_api.marquez.names import Depth, NodeIdText, read_node_id

router = APIRouter(tags=["marquez"])


@router.get("/lineage", summary="Draw the graph around a job or dataset")
def get_lineage(
    node: NodeIdText, caller: Reader, session: Reading, view: View, depth: Depth = 20
) -> marquez_graph.Graph:
    """Draw what goes into a job or dataset and what comes out of it, ``depth`` jobs far, at most 1,000 nodes."""
    return Graphs(session, caller.sight, view).of(read_node_id(node), depth)


@router.get("/column-lineage", summary="Draw the graph around columns")
def get_column_lineage(
    node: NodeIdText,
    caller: Reader,
    session: Reading,
    view: View,
    depth: Depth = 20,
    downstream: Annotated[bool, Query(alias="withDownstream")] = False,
) -> marquez_graph.FieldGraph:
    """Draw what the columns of a dataset, of a job's outputs, or one column are made of, at most 1,000 nodes."""
    found = read_node_id(node)
    if found.version and downstream:
        raise BadRequestError("Node version cannot be specified when withDownstream is true")
    return Graphs(session, caller.sight, view).columns(found, depth, downstream=downstream)


@router.get("/runlineage/upstream", summary="List the runs that a run's values came from")
def get_upstream_runs(
    run_id: Annotated[UUID, Query(alias="runId")], caller: Reader, session: Reading, view: View, depth: Depth = 20
) -> marquez_graph.UpstreamRuns:
    """List the run itself and the runs that wrote what it read, and so on, at most 1,000."""
    return Graphs(session, caller.sight, view).upstream_runs(run_id, depth)
